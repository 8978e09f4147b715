//! The one place where the league reads a clock.

use std::time::Instant;

/// Now, on a clock that only goes forward.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads a clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since an instant.
pub(crate) fn ns_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
