//! How often the keys may be used: far more than a node needs, far less than a flood.

/// Requests that may come at once.
pub(crate) const BURST_MAX: u64 = 64;
/// One more request each this many nanoseconds.
pub(crate) const REFILL_NS: u64 = 100_000_000;

/// A bucket of requests that refills with time.
#[derive(Debug)]
pub(crate) struct RateLimit {
    left: u64,
    /// The instant up to which refills are counted.
    counted_ns: u64,
}

impl RateLimit {
    /// A full bucket.
    pub(crate) fn new(now_ns: u64) -> Self {
        Self {
            left: BURST_MAX,
            counted_ns: now_ns,
        }
    }

    /// Takes one request out; `false` if there is none.
    pub(crate) fn take(&mut self, now_ns: u64) -> bool {
        let refills = now_ns.saturating_sub(self.counted_ns) / REFILL_NS;
        self.counted_ns = self
            .counted_ns
            .saturating_add(refills.saturating_mul(REFILL_NS));
        self.left = self.left.saturating_add(refills).min(BURST_MAX);
        let taken = self.left.checked_sub(1);
        self.left = taken.unwrap_or(0);
        taken.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST_MAX, REFILL_NS, RateLimit};

    fn taken(limit: &mut RateLimit, now_ns: u64) -> u64 {
        (0..2 * BURST_MAX)
            .map(|_| u64::from(limit.take(now_ns)))
            .sum()
    }

    #[test]
    fn a_burst_passes_then_one_per_refill_and_never_more_than_a_burst() {
        let start = 7 * REFILL_NS + 3;
        let mut limit = RateLimit::new(start);
        assert_eq!(taken(&mut limit, start), BURST_MAX);
        assert_eq!(taken(&mut limit, start + REFILL_NS - 1), 0);
        assert_eq!(taken(&mut limit, start + REFILL_NS), 1);
        assert_eq!(taken(&mut limit, start + 4 * REFILL_NS + 1), 3);
        assert_eq!(taken(&mut limit, start + 1_000_000 * REFILL_NS), BURST_MAX);
        // A clock that does not move on gives nothing.
        assert_eq!(taken(&mut limit, 0), 0);
    }
}
