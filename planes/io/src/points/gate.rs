//! How often something happens within a time: closes at one number, opens at a lower one.

use alloc::collections::VecDeque;
use evidence::MonoNs;

/// Closed from `on` happenings within `time_ns` on, until there are `off` or fewer.
#[derive(Debug)]
pub(super) struct Gate {
    on: usize,
    off: usize,
    time_ns: u64,
    /// The newest happenings, at most `on`.
    times: VecDeque<MonoNs>,
    closed: bool,
    /// How often it closed.
    pub(super) closings: u64,
}

impl Gate {
    /// `on` 0 never closes.
    pub(super) fn new(on: u32, off: u32, time_ms: u64) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            on: count(on),
            off: count(off),
            time_ns: time_ms.saturating_mul(1_000_000),
            times: VecDeque::new(),
            closed: false,
            closings: 0,
        }
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// It happened.
    pub(super) fn note(&mut self, at: MonoNs) {
        if self.on == 0 {
            return;
        }
        self.times.push_back(at);
        while self.times.len() > self.on {
            self.times.pop_front();
        }
        let first = self.times.front().map_or(0, |first| at.since(*first));
        if !self.closed && self.times.len() == self.on && first < self.time_ns {
            self.closed = true;
            self.closings += 1;
        }
    }

    /// When it opens if nothing more happens: then `off` are left within the time.
    pub(super) fn opens_at(&self) -> Option<MonoNs> {
        let place = self.times.len().checked_sub(1 + self.off)?;
        let leaves = self.times.get(place).filter(|_| self.closed)?;
        Some(leaves.plus_ns(self.time_ns))
    }

    /// Opens where its time has come.
    pub(super) fn open(&mut self, now: MonoNs) {
        if self.opens_at().is_some_and(|at| at <= now) {
            self.closed = false;
            self.times.clear();
        }
    }

    /// Nothing of before counts.
    pub(super) fn reset(&mut self) {
        self.times.clear();
        self.closed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use evidence::MonoNs;

    const MS: u64 = 1_000_000;

    /// Happenings at these milliseconds, and when it is closed and opens.
    fn check(times: &[u64], closed: bool, opens_at: Option<u64>) {
        let mut gate = Gate::new(4, 1, 100);
        for at in times {
            gate.open(MonoNs(at * MS));
            gate.note(MonoNs(at * MS));
        }
        assert_eq!(gate.is_closed(), closed, "{times:?}");
        assert_eq!(
            gate.opens_at(),
            opens_at.map(|at| MonoNs(at * MS)),
            "{times:?}"
        );
    }

    //= R3.1
    #[test]
    fn it_closes_at_the_upper_number_and_opens_at_the_lower() {
        check(&[0, 10, 20], false, None);
        check(&[0, 10, 20, 30], true, Some(120));
        // Within the time means less than the time.
        check(&[0, 10, 20, 100], false, None);
        check(&[0, 10, 20, 99], true, Some(120));
        // Between the two numbers it stays as it is.
        check(&[0, 10, 20, 30, 110], true, Some(130));
        check(&[0, 10, 20, 30, 131], false, None);
    }

    #[test]
    fn a_gate_of_none_never_closes() {
        let mut gate = Gate::new(0, 0, 100);
        (0..1_000).for_each(|at| gate.note(MonoNs(at)));
        assert!(!gate.is_closed() && gate.opens_at().is_none());
    }
}
