//! The one place that reads the clock.

use evidence::UtcNs;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01 UTC.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the host's one place that reads the wall clock"
)]
pub fn utc_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Nanoseconds since 1970-01-01 UTC, as an answer states them.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the host's one place that reads the wall clock"
)]
pub fn utc_ns() -> UtcNs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UtcNs(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Seconds since 1970-01-01 UTC, as a cosignature states them.
#[must_use]
pub fn utc_s() -> u64 {
    utc_ms() / 1_000
}

/// An instant of the monotonic clock.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the host's one place that reads the monotonic clock"
)]
pub fn instant() -> Instant {
    Instant::now()
}
