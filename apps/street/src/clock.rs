//! The clocks of the street: `CLOCK_MONOTONIC`, which its readers can compare with their own, and what its meters
//! show of UTC.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Nanoseconds of the monotonic clock.
pub(crate) fn mono_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Seconds since 1970, for the clocks of the meters.
pub(crate) fn utc_s() -> u64 {
    let now = clock_gettime(ClockId::Realtime);
    u64::try_from(now.tv_sec).unwrap_or_default()
}

/// The instant `span` after `from_ns`.
pub(crate) fn after(from_ns: u64, span: Duration) -> u64 {
    from_ns.saturating_add(nanos(span))
}

/// A span in nanoseconds.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
