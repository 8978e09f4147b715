//! How far the node's clock was slewed beyond its frequency correction, as `adjtime` and `ADJ_OFFSET` do it.
//!
//! `CLOCK_MONOTONIC` is slewed with `CLOCK_REALTIME` and never stepped; only against the raw clock it shows.

use crate::sample::ClockComparison;
use evidence::MonoNs;

/// Sums since the start, in nanoseconds: what they were at another time is to be subtracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stray {
    moved_ns: i128,
    /// What the correction explains: it may have changed at any time between two looks.
    least_ns: i128,
    most_ns: i128,
    /// What the last look is uncertain by.
    coarse_ns: u64,
    at: MonoNs,
}

impl Stray {
    /// Takes what the clock did from one look to the next. Where the kernel does not tell its correction
    /// nothing is known to be beyond it.
    pub(super) fn take(&mut self, from: &ClockComparison, to: &ClockComparison) {
        let raw_ns = i128::from(to.raw_ns) - i128::from(from.raw_ns);
        let moved_ns = i128::from(to.sample.mono.since(from.sample.mono)) - raw_ns;
        let corrected = |of: &ClockComparison| {
            let ppt = of.sample.kernel?.frequency_ppt;
            Some(raw_ns * i128::from(ppt) / 1_000_000_000_000)
        };
        let (one, other) = match (corrected(from), corrected(to)) {
            (Some(one), Some(other)) => (one, other),
            (None, _) | (_, None) => (moved_ns, moved_ns),
        };
        self.moved_ns += moved_ns;
        self.least_ns += one.min(other);
        self.most_ns += one.max(other);
        self.coarse_ns = to.sample.read_uncertainty_ns;
        self.at = to.sample.mono;
    }

    /// How fast it went since then, in parts per billion: while nobody looks it may go on so.
    pub(super) fn rate_ppb(&self, then: &Self) -> u32 {
        let within_ns = u128::from(self.at.since(then.at)).max(1);
        let ppb = u128::from(self.since(then)) * 1_000_000_000 / within_ns;
        u32::try_from(ppb).unwrap_or(u32::MAX)
    }

    /// Nanoseconds, since then, that no correction explains.
    pub(super) fn since(&self, then: &Self) -> u64 {
        let moved_ns = self.moved_ns - then.moved_ns;
        let beyond = (moved_ns - (self.most_ns - then.most_ns))
            .max((self.least_ns - then.least_ns) - moved_ns);
        let coarse_ns = i128::from(self.coarse_ns) + i128::from(then.coarse_ns);
        u64::try_from((beyond - coarse_ns).max(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Stray;
    use crate::sample::{ClockComparison, KernelStatus};
    use crate::tests::comparison;
    use std::vec::Vec;

    /// After so many seconds, slewed by so much in all, with this correction in force.
    fn look(second: u64, slewed_ns: i64, frequency_ppt: Option<i64>) -> ClockComparison {
        let mut now = comparison(second * 1_000_000_000);
        now.raw_ns = now.raw_ns.saturating_add_signed(-slewed_ns);
        now.sample.kernel = frequency_ppt.map(|frequency_ppt| KernelStatus {
            frequency_ppt,
            ..KernelStatus::default()
        });
        now
    }

    fn strayed(looks: &[ClockComparison]) -> u64 {
        let mut stray = Stray::default();
        let mut then = stray;
        for pair in looks.windows(2) {
            stray.take(&pair[0], &pair[1]);
            if pair[1].sample.mono.0 == 2_000_000_000 {
                then = stray;
            }
        }
        stray.since(&then)
    }

    //= A8.3
    #[test]
    fn what_no_correction_explains_strays_and_comes_back() {
        let fast = Some(20_000_000);
        // Twenty parts in a million, and what the correction says.
        let run = |more: &[(u64, i64)], ppt| {
            let mut looks: Vec<ClockComparison> = (1..=6)
                .map(|second| look(second, 20_000 * second.cast_signed(), ppt))
                .collect();
            for (second, slewed_ns) in more {
                looks.push(look(
                    *second,
                    20_000 * second.cast_signed() + slewed_ns,
                    ppt,
                ));
            }
            strayed(&looks)
        };
        assert_eq!(run(&[], fast), 0);
        let adjtime = run(&[(7, 500_000), (8, 1_000_000)], fast);
        assert!((999_000..=1_000_000).contains(&adjtime), "{adjtime}");
        let back = run(&[(7, -500_000), (8, 0)], fast);
        assert!(back < 1_000, "{back}");
        // Nobody tells the correction: this may be it.
        assert_eq!(run(&[(7, 500_000)], None), 0);
    }

    #[test]
    fn a_correction_that_changed_between_two_looks_explains_what_lies_between() {
        let looks = [
            look(2, 0, Some(0)),
            look(3, 50_000, Some(100_000_000)),
            look(4, 150_000, Some(100_000_000)),
        ];
        assert_eq!(strayed(&looks), 0);
    }
}
