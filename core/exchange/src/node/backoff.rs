//! Waits after failures: doubling, bounded, and spread by half so that nodes do not come back together.

use evidence::MonoNs;

use super::words::{Limits, Tick};

const NS_PER_MS: u64 = 1_000_000;

/// How long to wait, by failures in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
    until: MonoNs,
}

impl Backoff {
    /// Begins the next wait, which is at least `floor_ms` (and at most the longest wait).
    pub(super) fn begin(&mut self, limits: &Limits, tick: Tick, floor_ms: u64) {
        let doubled = limits
            .backoff_first_ms
            .saturating_mul(1u64.checked_shl(self.failures).unwrap_or(u64::MAX));
        let longest = doubled
            .max(floor_ms)
            .min(limits.backoff_max_ms)
            .saturating_mul(NS_PER_MS);
        let half = longest / 2;
        let spread = tick.random % half.saturating_add(1);
        let floor = floor_ms
            .min(limits.backoff_max_ms)
            .saturating_mul(NS_PER_MS);
        self.until = tick.now.plus_ns(half.saturating_add(spread).max(floor));
        self.failures = self.failures.saturating_add(1);
    }

    /// When the wait ends.
    pub(super) const fn until(self) -> MonoNs {
        self.until
    }

    /// Something succeeded.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, NS_PER_MS};
    use crate::node::words::{Limits, Tick};
    use evidence::MonoNs;

    //= A7.7
    #[test]
    fn waits_double_up_to_a_bound_and_spread() {
        let limits = Limits::default();
        let mut last_ms = 0;
        for random in [0, u64::MAX / 2, u64::MAX] {
            let mut backoff = Backoff::default();
            for failures in 0..80u32 {
                backoff.begin(
                    &limits,
                    Tick {
                        now: MonoNs(0),
                        random,
                    },
                    0,
                );
                let wait_ms = backoff.until().0 / NS_PER_MS;
                let longest = (1_000u64 << failures.min(20)).min(limits.backoff_max_ms);
                assert!(
                    (longest / 2..=longest).contains(&wait_ms),
                    "{failures} {wait_ms}"
                );
                last_ms = wait_ms;
            }
            assert!(last_ms >= limits.backoff_max_ms / 2);
            backoff.reset();
            assert_eq!(backoff, Backoff::default());
        }
    }

    //= A7.7
    #[test]
    fn a_floor_is_kept_but_never_beyond_the_bound() {
        let limits = Limits::default();
        let mut backoff = Backoff::default();
        backoff.begin(
            &limits,
            Tick {
                now: MonoNs(5),
                random: 0,
            },
            60_000,
        );
        assert_eq!(backoff.until(), MonoNs(5 + 60_000 * NS_PER_MS));
        backoff.begin(
            &limits,
            Tick {
                now: MonoNs(0),
                random: 3,
            },
            u64::MAX,
        );
        assert_eq!(backoff.until(), MonoNs(limits.backoff_max_ms * NS_PER_MS));
    }
}
