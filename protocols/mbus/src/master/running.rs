//! The job that runs: which kind it is, and what comes of it.

use super::engine::{Outcome, Refused, Work};
use super::jobs::can_be_told;
use super::jobs::{Command, Meter, News, Reading, Scanning, Searching, Step, Telling, Turning};
use super::request::{Request, Station};

/// A job with where it stands.
#[derive(Clone, Debug)]
pub(super) enum Running {
    Read(Reading),
    Tell(Telling),
    Speed(Turning),
    Search(Searching),
    Scan(Scanning),
}

impl Running {
    /// `known`: the FCB of its station is; `number`: the access number of the meter's last telegram.
    pub(super) fn new(
        work: Work,
        baud: u32,
        known: bool,
        number: Option<u8>,
    ) -> Result<Self, Refused> {
        Ok(match work {
            Work::Read {
                meter: Meter::All, ..
            } => return Err(Refused::All),
            Work::Read {
                meter,
                reset,
                telegrams_max,
                anew: _,
            } => Self::Read(Reading::new(meter, reset, telegrams_max, known, number)),
            Work::Tell { meter, command } => {
                if let Command::Send(payload) | Command::SendOnce(payload) = &command
                    && Request::send(Station::Any, payload).is_none()
                {
                    return Err(Refused::NoSuchFrame);
                }
                Self::Tell(Telling::new(meter, command, known))
            }
            Work::SetSpeed {
                meter: Meter::All, ..
            } => return Err(Refused::All),
            Work::SetSpeed { meter, baud: new } => {
                if !can_be_told(&meter, new) {
                    return Err(Refused::NoSuchFrame);
                }
                Self::Speed(Turning::new(meter, baud, new, known))
            }
            Work::Search(search) => Self::Search(Searching::new(search)),
            Work::Scan(scan) => Self::Scan(Scanning::new(scan)),
        })
    }

    pub(super) fn next(&mut self, news: News<'_>) -> Step {
        match self {
            Self::Read(job) => job.next(news),
            Self::Tell(job) => job.next(news),
            Self::Speed(job) => job.next(news),
            Self::Search(job) => job.next(news),
            Self::Scan(job) => job.next(news),
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Read(job) => Outcome::Read(job.readout),
            Self::Tell(job) => Outcome::Told(job.commanded),
            Self::Speed(job) => Outcome::Speed(job.speeded),
            Self::Search(job) => Outcome::Searched(job.searched),
            Self::Scan(job) => Outcome::Scanned(job.scanned),
        }
    }
}
