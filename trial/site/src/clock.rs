//! The one place of this library that reads a clock.

use evidence::MonoNs;
use rustix::time::{ClockId, clock_gettime};

/// The kernel's monotonic clock.
pub(crate) fn mono() -> MonoNs {
    let now = clock_gettime(ClockId::Monotonic);
    let whole = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    MonoNs(u64::try_from(whole).unwrap_or(0))
}
