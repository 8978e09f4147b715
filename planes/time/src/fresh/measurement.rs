//! What a source is worth at one look.

use crate::limits::{FRESH_INTERVALS, FRESH_NS_MAX, FRESH_NS_MIN};
use crate::reading::SourceKind;
use core::fmt;
use evidence::MonoNs;

/// The node's clock measured against a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// The source.
    pub source: SourceKind,
    /// When it was taken, at the earliest.
    pub taken: MonoNs,
    /// The node's clock minus the source's, in nanoseconds.
    pub offset_ns: i64,
    /// How wrong the source itself and the reading of it may be, in nanoseconds.
    pub uncertainty_ns: u64,
    /// How much of the path may be longer in one direction than in the other, in nanoseconds.
    pub asymmetry_ns: u64,
    /// How often the source measures, in nanoseconds.
    pub interval_ns: u64,
}

impl Measurement {
    /// The last instant at which it counts as fresh: five of its source's intervals, at least a second and
    /// at most eleven minutes; of intervals too long for that, two and a half.
    #[must_use]
    pub fn fresh_until(&self) -> MonoNs {
        let window_ns = self.interval_ns.saturating_mul(FRESH_INTERVALS);
        let slow_ns = window_ns / 2;
        let window_ns = window_ns.clamp(FRESH_NS_MIN, FRESH_NS_MAX);
        self.taken.plus_ns(window_ns.max(slow_ns))
    }

    /// Bound of the clock's error when it was taken, in nanoseconds.
    #[must_use]
    pub const fn bound_ns(&self) -> u64 {
        self.offset_ns
            .unsigned_abs()
            .saturating_add(self.uncertainty_ns)
            .saturating_add(self.asymmetry_ns)
    }
}

/// What one look at a source gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A measurement that was not there at the last look.
    Measured(Measurement),
    /// Nothing new since the last look.
    Nothing,
    /// It measures, and is not believed.
    Rejected(Rejection),
}

/// Why a source that is heard is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// No port of the daemon follows a master.
    NotFollowing,
    /// The offset is whole seconds: TAI and UTC are mixed up.
    WholeSeconds,
    /// The offset is that of a network card's clock, and nobody compared that with the node's.
    CardClock,
    /// The daemon says of itself that it has nothing to follow.
    Unsynchronised,
    /// Nobody says whether its offset is that of a network card's clock.
    TimestampingUnknown,
    /// Nobody answers about the path's delay, so the offset is not kept up to date.
    PathUnknown,
    /// The grandmaster calls its own time worse than ten seconds.
    Inaccurate,
    /// What the daemon follows is its own clock.
    LocalReference,
    /// It serves another domain than the site's.
    ForeignDomain,
    /// The grandmaster's class is worse than the site believes.
    Class,
}

impl Rejection {
    /// Every reason, in the order in which they are looked for.
    pub const ALL: &'static [Self] = &[
        Self::NotFollowing,
        Self::WholeSeconds,
        Self::CardClock,
        Self::TimestampingUnknown,
        Self::PathUnknown,
        Self::Inaccurate,
        Self::LocalReference,
        Self::Unsynchronised,
        Self::ForeignDomain,
        Self::Class,
    ];

    /// Whether anything is heard of the source's time at all.
    #[must_use]
    pub const fn is_of_heard(self) -> bool {
        !matches!(self, Self::NotFollowing)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFollowing => {
                "no port follows a master (where ptp4l only measures, its port stays UNCALIBRATED: ptp_mode = \"free-running\")"
            }
            Self::WholeSeconds => "the offset is whole seconds: TAI and UTC are mixed up",
            Self::CardClock => {
                "the offset is that of the network card's clock, which nobody compared with the node's"
            }
            Self::Unsynchronised => "the daemon has nothing to follow",
            Self::TimestampingUnknown => {
                "it does not tell whether its timestamps are the network card's: state ptp_timestamping in [time]"
            }
            Self::PathUnknown => "no Delay_Resp comes from the master that it follows",
            Self::Inaccurate => "the grandmaster calls its time worse than ten seconds",
            Self::LocalReference => "the daemon follows its own clock (local stratum)",
            Self::ForeignDomain => "it is of another domain than the site's",
            Self::Class => "the grandmaster's clockClass is above time.ptp_class_max",
        })
    }
}
