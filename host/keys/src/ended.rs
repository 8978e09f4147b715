//! Commands and calls to stores that came to an end: what tells a store that is slow from one that hangs.

use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering};

static ENDED: AtomicU64 = AtomicU64::new(0);

/// How many commands to a TPM, and calls to a token's module, have ended in this process, or were given up. Each does by its time-out at
/// the latest, so that who waits for a slow store, one by one, can be told from who hangs.
#[must_use]
pub fn store_calls_ended() -> u64 {
    ENDED.load(Ordering::Relaxed)
}

pub(crate) fn end_one() {
    ENDED.fetch_add(1, Ordering::Relaxed);
}

/// The monotonic clock: the one that this crate, and the signer that it is made for, goes by.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}
