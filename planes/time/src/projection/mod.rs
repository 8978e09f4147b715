//! A stamp in the words of other protocols: every one of them knows less, and never more.
//!
//! A projection is a lossy map. Each says in its own documentation what is lost, and none may make a
//! stamp look better than a better stamp: the tests walk through every quality, status and detail and
//! through both sides of every edge of the bound.

mod c37118;
mod dnp3;
mod iec104;
mod iec61850;

pub use c37118::{C37Quality, c37118};
pub use dnp3::{Dnp3Time, dnp3};
pub use iec104::iec104_iv;
pub use iec61850::{ACCURACY_UNSPECIFIED, TimeQuality61850, iec61850};

use evidence::Stamp;
use evidence::TimeDetail;
use evidence::reasons::{HoldoverReason, TimeQuality, TimeStatus};

/// Whether a fresh measurement holds the clock at this very stamp.
fn is_locked(stamp: &Stamp) -> bool {
    stamp.quality == TimeQuality::Synced && stamp.status == TimeStatus::Locked
}

/// Whether the time may be used within `limit_ns`: a source has confirmed it since boot, and its error
/// is bounded and within the limit.
fn is_within(stamp: &Stamp, limit_ns: u64) -> bool {
    stamp.quality != TimeQuality::RtcOnly && stamp.bound_ns.is_some_and(|bound| bound <= limit_ns)
}

/// Whether nothing may be built on the time at all: nobody has confirmed it since boot or since it was
/// set, and nobody can bound its error.
fn is_failed(stamp: &Stamp) -> bool {
    let was_stepped = stamp.detail == TimeDetail::Holdover(HoldoverReason::ClockStepped);
    stamp.bound_ns.is_none() && (stamp.quality == TimeQuality::RtcOnly || was_stepped)
}

#[cfg(test)]
mod tests;
