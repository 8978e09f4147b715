//! What to ask next: each job is a sequence of requests that depends on what came of them.

mod command;
mod readout;
mod scan;
mod search;
mod speed;

pub(super) use command::Telling;
pub use command::{Command, Commanded};
pub(super) use readout::Reading;
pub use readout::{Kept, Readout};
pub(super) use scan::Scanning;
pub use scan::{Listed, Scan, Scanned};
pub(super) use search::Searching;
pub use search::{Collision, Found, Makers, Search, Searched};
pub use speed::Speeded;
pub(super) use speed::{Turning, can_be_told};

use super::failure::Failure;
use super::identity::Pattern;
use super::link::Report;
use super::request::{Primary, Request, Station};

/// Which meter is meant, and how it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// By its primary address. Where it is known which meter has it, no other's telegram is taken.
    Primary {
        /// The address.
        address: Primary,
        /// Who is expected there.
        identity: Option<Pattern>,
    },
    /// By its secondary address: it is selected, and deselected afterwards.
    Secondary(Pattern),
    /// The only one on its bus (address 254).
    Only,
    /// All (address 255): they are told something, and none answers.
    All,
}

impl Meter {
    /// Behind which address it answers.
    #[must_use]
    pub const fn station(&self) -> Station {
        match *self {
            Self::Primary { address, .. } => Station::Primary(address),
            Self::Secondary(_) => Station::Selected,
            Self::Only => Station::Any,
            Self::All => Station::All,
        }
    }

    /// Who must answer.
    #[must_use]
    pub const fn identity(&self) -> Option<Pattern> {
        match *self {
            Self::Primary { identity, .. } => identity,
            Self::Secondary(pattern) => Some(pattern),
            Self::Only | Self::All => None,
        }
    }
}

/// What a job wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask this.
    Ask(Request),
    /// Go on at this speed.
    Speed(u32),
    /// It has ended.
    Done,
}

/// What a job hears.
#[derive(Clone, Copy, Debug)]
pub(super) enum News<'a> {
    /// It begins.
    Begin,
    /// What came of its request.
    Report(&'a Report),
    /// It has the speed that it wanted.
    Ready,
}

impl<'a> News<'a> {
    pub(super) const fn report(self) -> Option<&'a Report> {
        match self {
            Self::Report(report) => Some(report),
            Self::Begin | Self::Ready => None,
        }
    }

    /// Why the request that this is about failed.
    pub(super) fn failure(self) -> Option<Failure> {
        self.report()?.outcome.err()
    }
}

/// How a session with a meter begins: by selecting it, or by SND_NKE where that is due.
fn opening(meter: &Meter, known: bool) -> Option<Request> {
    match meter {
        Meter::Secondary(pattern) => Some(Request::select(pattern)),
        Meter::All => None,
        Meter::Primary { .. } | Meter::Only if known => None,
        Meter::Primary { .. } | Meter::Only => Some(Request::initialise(meter.station())),
    }
}

/// How it ends: who was selected is deselected, or would answer with the next one.
fn closing(meter: &Meter) -> Step {
    match meter {
        Meter::Secondary(_) => Step::Ask(Request {
            repeats: super::request::Repeats::NONE,
            ..Request::initialise(Station::Selected)
        }),
        Meter::Primary { .. } | Meter::Only | Meter::All => Step::Done,
    }
}
