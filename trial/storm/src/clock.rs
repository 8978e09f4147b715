//! The one place of this program that reads clocks.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the kernel's monotonic clock.
pub(crate) fn mono_ns() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// Nanoseconds of the wall clock since 1970.
pub(crate) fn utc_ns() -> u64 {
    nanoseconds(ClockId::Realtime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let whole = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    u64::try_from(whole).unwrap_or(0)
}
