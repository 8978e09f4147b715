//! Runs of bytes of one port, kept for whoever watches it: bounded, the oldest gives way.

use ipc::limits::{WIRE_BYTES_MAX, WIRE_KEPT_BYTES_MAX};
use ipc::message::WireRun;
use std::collections::VecDeque;

/// The runs, in their order.
#[derive(Debug, Default)]
pub(super) struct Runs {
    kept: VecDeque<WireRun>,
    bytes: usize,
    /// How many went before the first one here, taken or given way.
    before: u64,
}

impl Runs {
    pub(super) fn put(&mut self, run: WireRun) {
        self.bytes += run.wire_bytes_max();
        self.kept.push_back(run);
        while self.bytes > WIRE_KEPT_BYTES_MAX {
            self.drop_first();
        }
    }

    /// Place behind the newest one.
    pub(super) fn end(&self) -> u64 {
        self.before + u64::try_from(self.kept.len()).unwrap_or(u64::MAX)
    }

    /// Those from a place on that fit beside others of `used` bytes in a message, and the place behind them.
    pub(super) fn from(&self, place: u64, used: &mut usize) -> (Vec<WireRun>, u64) {
        let place = place.clamp(self.before, self.end());
        let passed = usize::try_from(place - self.before).unwrap_or(usize::MAX);
        let mut runs = Vec::new();
        for run in self.kept.iter().skip(passed) {
            *used += run.wire_bytes_max();
            if *used > WIRE_BYTES_MAX {
                break;
            }
            runs.push(run.clone());
        }
        let next = place + u64::try_from(runs.len()).unwrap_or(u64::MAX);
        (runs, next)
    }

    /// Lets go of those before a place.
    pub(super) fn forget_before(&mut self, place: u64) {
        while self.before < place && !self.kept.is_empty() {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(first) = self.kept.pop_front() {
            self.bytes -= first.wire_bytes_max();
            self.before += 1;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Runs;
    use evidence::{Blob, MonoNs};
    use ipc::limits::{WIRE_BYTES_MAX, WIRE_KEPT_BYTES_MAX};
    use ipc::message::{WireRun, WireWay};

    pub(in super::super) fn run(number: u64, bytes: usize) -> WireRun {
        WireRun {
            number,
            at: MonoNs(number),
            way: WireWay::Received,
            bytes: Blob(vec![0xA5; bytes]),
        }
    }

    fn numbers(runs: &[WireRun]) -> Vec<u64> {
        runs.iter().map(|run| run.number).collect()
    }

    #[test]
    fn who_goes_on_where_it_was_hears_each_once() {
        let mut runs = Runs::default();
        (0..5).for_each(|number| runs.put(run(number, 8)));
        assert_eq!(runs.end(), 5);
        let (some, next) = runs.from(3, &mut 0);
        assert_eq!((numbers(&some), next), (vec![3, 4], 5));
        assert_eq!(runs.from(next, &mut 0), (vec![], 5));
        assert_eq!(
            runs.from(99, &mut 0),
            (vec![], 5),
            "a place that is not yet"
        );
        runs.forget_before(4);
        let (some, next) = runs.from(0, &mut 0);
        assert_eq!((numbers(&some), next), (vec![4], 5));
        runs.forget_before(99);
        assert_eq!((runs.end(), runs.bytes), (5, 0));
    }

    #[test]
    fn what_is_kept_and_what_is_given_at_once_are_bounded() {
        let mut runs = Runs::default();
        (0..5_000).for_each(|number| runs.put(run(number, 512)));
        assert!(runs.bytes <= WIRE_KEPT_BYTES_MAX);
        let first = runs.before;
        assert!(first > 4_000, "the oldest gave way");
        let mut used = WIRE_BYTES_MAX / 2;
        let (some, next) = runs.from(0, &mut used);
        assert_eq!(numbers(&some).first(), Some(&first));
        let bytes: usize = some.iter().map(WireRun::wire_bytes_max).sum();
        assert!(bytes <= WIRE_BYTES_MAX / 2 && bytes > WIRE_BYTES_MAX / 3);
        assert_eq!(runs.from(next, &mut used).0, [], "that message is full");
        assert_eq!(runs.from(next, &mut 0).0[0].number, next);
    }
}
