//! The one place of this program that reads a clock.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Time on the kernel's monotonic clock.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}
