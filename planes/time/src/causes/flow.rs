//! Messages of one kind against the pace at which they come.
//!
//! A master sends at a power of two of seconds, and no data set of the receiver says which. So the pace is
//! taken from what arrives: the next power of two that is not slower. A fifth of the messages can be lost
//! and the pace still be told; a slower pace that is kept for a minute, without a gap, is the new one.

use super::table::Flow;
use crate::fresh::interval_ns;
use crate::limits::{
    FLOW_CHANCE_OF, FLOW_LOST_PERCENT, FLOW_STOPPED_INTERVALS, FLOW_STOPPED_INTERVALS_MAX,
    FLOW_STOPPED_NS_MIN, FLOW_WINDOW_NS, PACE_SLOWER_NS, PACE_WINDOW_NS,
};
use alloc::collections::VecDeque;
use evidence::MonoNs;

/// The counter of one kind of message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    looks: VecDeque<(MonoNs, u64)>,
    last_rise: Option<MonoNs>,
    log_pace: Option<i8>,
    slower_since: Option<MonoNs>,
    /// So many intervals without a message were an end, by what was lost up to the last one.
    end_intervals: u64,
}

impl Counted {
    /// Takes the counter as it stood at `at`. One that went back belongs to a daemon that began again.
    pub(crate) fn take(&mut self, at: MonoNs, count: u64) {
        match self.looks.back() {
            Some((_, last)) if count < *last => *self = Self::default(),
            Some((_, last)) if count > *last => {
                // Behind a silence, or before the first one, nothing was due: it is no loss of some.
                let before = self.flow(at, FLOW_STOPPED_NS_MIN);
                if matches!(before, Flow::Stopped | Flow::Unused) {
                    self.looks.clear();
                }
                self.last_rise = Some(at);
            }
            Some(_) => {}
            // What was counted before the first look arrived at some time before it.
            None if count > 0 => self.last_rise = Some(at),
            None => {}
        }
        self.looks.push_back((at, count));
        while self
            .looks
            .get(1)
            .is_some_and(|(second, _)| at.since(*second) >= FLOW_WINDOW_NS)
        {
            self.looks.pop_front();
        }
        self.learn(at);
        if self.last_rise == Some(at) {
            self.end_intervals = intervals_by_chance(self.missing(), self.promised());
        }
    }

    /// Nanoseconds between messages, once known.
    pub(crate) fn interval_ns(&self) -> Option<u64> {
        self.log_pace.map(interval_ns)
    }

    /// Messages that should have come before the last one that did, and did not: a silence that goes on is
    /// not a loss of some.
    pub(crate) fn missing(&self) -> u64 {
        let (Some(interval_ns), Some((from, first)), Some((_, last)), Some(to)) = (
            self.interval_ns(),
            self.looks.front(),
            self.looks.back(),
            self.last_rise,
        ) else {
            return 0;
        };
        (to.since(*from) / interval_ns.max(1)).saturating_sub(last.saturating_sub(*first))
    }

    /// Messages that should have come up to the last one that did.
    fn promised(&self) -> u64 {
        let interval_ns = self.interval_ns().unwrap_or(u64::MAX);
        self.watched_ns() / interval_ns.max(1)
    }

    fn watched_ns(&self) -> u64 {
        match (self.looks.front(), self.last_rise) {
            (Some((from, _)), Some(to)) => to.since(*from),
            _ => 0,
        }
    }

    /// Whether more than a share of the promised messages are missing, in percent: a loss begins at all of it, and is
    /// over below half of it.
    pub(crate) fn is_thinned(&self, percent: u64) -> bool {
        // One message more or less is the edge of the window; eight of a hundred are not.
        let edge = if percent < FLOW_LOST_PERCENT { 1 } else { 2 };
        let tolerated = (self.promised() * percent / 100).max(edge);
        self.watched_ns() >= PACE_WINDOW_NS && self.missing() > tolerated
    }

    /// What the last seconds show. `quiet_ns` is the shortest silence that counts as one.
    pub(crate) fn flow(&self, now: MonoNs, quiet_ns: u64) -> Flow {
        let Some(last_rise) = self.last_rise else {
            return Flow::Unused;
        };
        let interval_ns = self.interval_ns().unwrap_or(quiet_ns);
        let intervals = self.end_intervals.max(FLOW_STOPPED_INTERVALS);
        let silence_ns = interval_ns.saturating_mul(intervals).max(quiet_ns);
        if now.since(last_rise) >= silence_ns {
            return Flow::Stopped;
        }
        if self.is_thinned(FLOW_LOST_PERCENT) {
            Flow::Thinned
        } else {
            Flow::Flowing
        }
    }

    /// Whether a message is overdue: what arrives no more does not arrive again.
    pub(crate) fn is_late(&self, now: MonoNs) -> bool {
        let interval_ns = self.interval_ns().unwrap_or(FLOW_STOPPED_NS_MIN);
        self.last_rise
            .is_some_and(|last| now.since(last) >= interval_ns.saturating_mul(2))
    }

    /// Whether a message came later than one that is due in this interval behind `other`'s last.
    pub(crate) fn went_on_after(&self, other: &Self) -> bool {
        let interval_ns = other.interval_ns().unwrap_or(FLOW_STOPPED_NS_MIN);
        let stopped = other.last_rise.map(|last| last.plus_ns(interval_ns));
        self.last_rise > stopped
    }

    fn learn(&mut self, at: MonoNs) {
        let (Some((from, _)), Some((_, last)), Some(to)) =
            (self.looks.front(), self.looks.back(), self.last_rise)
        else {
            return;
        };
        // From a message to a message: what lies before the first one and behind the last one is not known. The first
        // came at some time since the look before it was seen.
        let pairs = self.looks.iter().zip(self.looks.iter().skip(1));
        let first = pairs
            .map(|(before, seen)| (before, seen.1))
            .find(|((_, before), seen)| seen > before);
        let Some(((since, _), first)) = first else {
            return;
        };
        let messages = last.saturating_sub(first);
        if at.since(*from) < PACE_WINDOW_NS || messages < 2 {
            return;
        }
        let between_ns = to.since(*since) / messages;
        let log = (-7..=7i8)
            .rev()
            .find(|log| interval_ns(*log) <= between_ns)
            .unwrap_or(-7);
        match self.log_pace {
            Some(known) if log > known => {
                // Every other message lost at random comes to half the pace, and keeps it in no stretch.
                let due = to.since(*since) / interval_ns(log).max(1);
                if due.saturating_sub(messages) > 2 || messages.saturating_sub(due) > 2 {
                    self.slower_since = None;
                    return;
                }
                let since = *self.slower_since.get_or_insert(at);
                if at.since(since) >= PACE_SLOWER_NS {
                    self.log_pace = Some(log);
                    self.slower_since = None;
                }
            }
            _ => {
                self.log_pace = Some(log);
                self.slower_since = None;
            }
        }
    }
}

/// After how many intervals without a message it is less likely than one in [`FLOW_CHANCE_OF`] that all of them were
/// lost as those before were.
fn intervals_by_chance(missing: u64, promised: u64) -> u64 {
    let mut odds = FLOW_CHANCE_OF;
    for intervals in 0..FLOW_STOPPED_INTERVALS_MAX {
        if odds == 0 {
            return intervals;
        }
        odds = odds.saturating_mul(missing) / promised.max(1).max(missing);
    }
    FLOW_STOPPED_INTERVALS_MAX
}

#[cfg(test)]
mod tests {
    use super::{Counted, intervals_by_chance};
    use crate::causes::table::Flow;
    use crate::fresh::interval_ns;
    use crate::limits::FLOW_STOPPED_NS_MIN;
    use evidence::MonoNs;

    //= R7.2
    #[test]
    fn the_more_is_lost_the_longer_a_silence_is_no_end() {
        let counted = [(0, 48), (10, 48), (24, 48), (36, 48), (48, 48), (0, 0)];
        let intervals = counted.map(|(missing, promised)| intervals_by_chance(missing, promised));
        assert_eq!(intervals, [1, 9, 20, 46, 64, 1]);
    }

    /// Looks four times a second, or once, at a master of an even pace: wherever the looks fall, nothing is missing.
    //= R7.2
    #[test]
    fn an_even_pace_is_told_and_never_thinned() {
        for log in [-3, -1, 0, 1] {
            for (look_ns, phases) in [(250_000_000, 10), (1_000_000_000, 40)] {
                for phase in 0..phases {
                    let mut counted = Counted::default();
                    for look in 4..400_u64 {
                        let at = look * look_ns;
                        let late_ns = phase * 25_000_000;
                        let count = (at - late_ns) / interval_ns(log);
                        counted.take(MonoNs(at), count);
                        let flow = counted.flow(MonoNs(at), FLOW_STOPPED_NS_MIN);
                        assert_ne!(flow, Flow::Thinned, "2^{log} s, {late_ns} ns, {at}");
                    }
                    let interval_ns = interval_ns(log);
                    assert_eq!(counted.interval_ns(), Some(interval_ns), "2^{log} s");
                }
            }
        }
    }
}
