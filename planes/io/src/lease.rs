//! Numbers of one stream: used densely, in order, once, and only from leased blocks.

use crate::limits::{LEASE_LOW, LEASE_RETRY_NS};
use alloc::collections::VecDeque;
use evidence::{MonoNs, Seq};

/// The blocks a stream may take numbers from.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    blocks: VecDeque<(u64, u64)>,
    used_below: u64,
    asked_at: Option<MonoNs>,
}

impl Lease {
    /// Adds a block. What was used or granted before is not granted again.
    pub(crate) fn grant(&mut self, next: Seq, end: Seq) {
        self.asked_at = None;
        let floor = self.blocks.back().map_or(self.used_below, |(_, end)| *end);
        let next = next.0.max(floor);
        if next < end.0 {
            self.blocks.push_back((next, end.0));
        }
    }

    pub(crate) fn left(&self) -> u64 {
        self.blocks.iter().map(|(next, end)| end - next).sum()
    }

    /// The number that [`Self::take`] would give.
    pub(crate) fn next(&self) -> Option<u64> {
        self.blocks.front().map(|(next, _)| *next)
    }

    /// The next number.
    pub(crate) fn take(&mut self) -> Option<Seq> {
        let (next, end) = self.blocks.front_mut()?;
        let seq = *next;
        *next += 1;
        self.used_below = *next;
        if next == end {
            self.blocks.pop_front();
        }
        Some(Seq(seq))
    }

    /// Whether to ask for a block now.
    pub(crate) fn asks(&mut self, now: MonoNs) -> bool {
        self.asks_below(now, LEASE_LOW)
    }

    /// The same of a stream that needs many numbers at once.
    pub(crate) fn asks_below(&mut self, now: MonoNs, low: u64) -> bool {
        let waits = self
            .asked_at
            .is_some_and(|asked| now.since(asked) < LEASE_RETRY_NS);
        let asks = self.left() <= low && !waits;
        if asks {
            self.asked_at = Some(now);
        }
        asks
    }

    /// When to look again.
    pub(crate) fn retry_at(&self) -> Option<MonoNs> {
        self.asked_at.map(|asked| asked.plus_ns(LEASE_RETRY_NS))
    }
}

#[cfg(test)]
mod tests {
    use super::Lease;
    use crate::limits::{LEASE_LOW, LEASE_RETRY_NS};
    use evidence::{MonoNs, Seq};
    use std::vec::Vec;

    //= A4.2
    #[test]
    fn a_number_is_used_once_and_none_is_invented() {
        let mut lease = Lease::default();
        assert_eq!(lease.take(), None);
        lease.grant(Seq(5), Seq(7));
        lease.grant(Seq(6), Seq(9)); // overlaps what was granted
        lease.grant(Seq(20), Seq(21)); // the recorder skipped
        let taken: Vec<u64> = core::iter::from_fn(|| lease.take())
            .map(|seq| seq.0)
            .collect();
        assert_eq!(taken, [5, 6, 7, 8, 20]);
        lease.grant(Seq(10), Seq(21));
        assert_eq!(lease.take(), None);
    }

    //= A4.2
    #[test]
    fn asks_when_low_and_again_when_nobody_answers() {
        let mut lease = Lease::default();
        let later = MonoNs(LEASE_RETRY_NS);
        assert!(lease.asks(MonoNs(0)));
        assert!(!lease.asks(MonoNs(1)));
        assert!(lease.asks(later));
        lease.grant(Seq(0), Seq(LEASE_LOW + 1));
        assert!(!lease.asks(later));
        assert!(lease.take().is_some());
        assert!(lease.asks(later));
    }
}
