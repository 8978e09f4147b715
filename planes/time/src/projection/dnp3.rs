//! DNP3: NEED_TIME, and which common time of occurrence goes before events with relative time.

use super::{is_locked, is_within};
use evidence::Stamp;

/// What an outstation says of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dnp3Time {
    /// Events with relative time go behind g51v2 (unsynchronised) and not g51v1.
    pub cto_unsynchronised: bool,
    /// IIN1.4, NEED_TIME: the master is asked to write the time.
    pub need_time: bool,
}

/// The time in DNP3's words (IEEE 1815-2012: IIN1.4 and object group 51).
///
/// The common time of occurrence is called synchronised while the bound is within the site's limit,
/// locked or in holdover. The master is asked for the time as soon as it is not; while a fresh
/// measurement holds the clock, a master's time would only be worse, and none is asked for.
///
/// Lost: the bound and the reason. Absolute times (g2v2, g32v3 and the like) have no quality of their
/// own at all: only NEED_TIME in the same response tells. The resolution is a millisecond.
#[must_use]
pub fn dnp3(stamp: &Stamp, limit_ns: u64) -> Dnp3Time {
    let within = is_within(stamp, limit_ns);
    Dnp3Time {
        cto_unsynchronised: !within,
        need_time: !within && !is_locked(stamp),
    }
}
