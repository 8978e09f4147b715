//! When an authority is tried again, and which failures are worth an entry.

use evidence::MonoNs;
use evidence::reasons::StampFault;

/// First and longest wait before it is tried again.
const WAIT_NS: (u64, u64) = (5_000_000_000, 3_600_000_000_000);
/// The same failure is told again after this long.
const TOLD_EVERY_NS: u64 = 86_400_000_000_000;

/// Tries since the last timestamp.
#[derive(Debug, Default)]
pub(super) struct Tries {
    count: u64,
    wait_ns: u64,
    due: Option<MonoNs>,
    told: Option<(StampFault, MonoNs)>,
}

impl Tries {
    pub(super) fn is_due(&self, now: MonoNs) -> bool {
        self.due.is_none_or(|due| now >= due)
    }

    /// Counts a try in vain: the next one waits twice as long.
    pub(super) fn put_off(&mut self, now: MonoNs) {
        let (first, longest) = WAIT_NS;
        self.count += 1;
        self.wait_ns = self.wait_ns.saturating_mul(2).clamp(first, longest);
        self.due = Some(now.plus_ns(self.wait_ns));
    }

    /// Takes a failure; how many there were in a row where the log is to have it: the first, one of another kind, and
    /// one a day.
    pub(super) fn failed(&mut self, now: MonoNs, fault: StampFault) -> Option<u64> {
        self.put_off(now);
        let is_old =
            |(told, at): (StampFault, MonoNs)| told == fault && now.since(at) < TOLD_EVERY_NS;
        if self.told.is_some_and(is_old) {
            return None;
        }
        self.told = Some((fault, now));
        Some(self.count)
    }

    pub(super) const fn wait_ms(&self) -> u64 {
        self.wait_ns / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::{TOLD_EVERY_NS, Tries, WAIT_NS};
    use evidence::MonoNs;
    use evidence::reasons::StampFault::{Slow, Unreachable};

    #[test]
    fn an_authority_that_is_away_is_asked_ever_less_and_told_of_seldom() {
        let mut tries = Tries::default();
        let mut now = MonoNs(7);
        assert!(tries.is_due(now));
        assert_eq!(tries.failed(now, Unreachable), Some(1));
        let mut told = 0;
        for count in 2..100 {
            assert!(!tries.is_due(now));
            let wait_ns = tries.wait_ms() * 1_000_000;
            assert!(wait_ns >= WAIT_NS.0 && wait_ns <= WAIT_NS.1);
            now = now.plus_ns(wait_ns);
            assert!(tries.is_due(now));
            told += u64::from(
                tries
                    .failed(now, Unreachable)
                    .inspect(|n| assert_eq!(*n, count))
                    .is_some(),
            );
        }
        assert_eq!(told, now.0 / TOLD_EVERY_NS);
        assert_eq!(tries.wait_ms(), 3_600_000);
        assert_eq!(tries.failed(now, Slow), Some(100), "another cause");
        assert_eq!(tries.failed(now, Slow), None);
    }
}
