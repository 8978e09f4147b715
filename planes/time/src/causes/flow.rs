//! Messages of one kind against the pace at which they come.
//!
//! A master sends at a power of two of seconds, and no data set of the receiver says which. So the pace is
//! taken from what arrives: the next power of two that is not slower. A fifth of the messages can be lost
//! and the pace still be told; a pace that stays slower for a minute is the new one.

use super::table::Flow;
use crate::fresh::interval_ns;
use crate::limits::{
    FLOW_STOPPED_INTERVALS, FLOW_STOPPED_NS_MIN, FLOW_WINDOW_NS, PACE_SLOWER_NS, PACE_WINDOW_NS,
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

    /// What the last seconds show. `quiet_ns` is the shortest silence that counts as one.
    pub(crate) fn flow(&self, now: MonoNs, quiet_ns: u64) -> Flow {
        let Some(last_rise) = self.last_rise else {
            return Flow::Unused;
        };
        let interval_ns = self.interval_ns().unwrap_or(quiet_ns);
        let silence_ns = interval_ns
            .saturating_mul(FLOW_STOPPED_INTERVALS)
            .max(quiet_ns);
        if now.since(last_rise) >= silence_ns {
            return Flow::Stopped;
        }
        let watched_ns = self
            .looks
            .front()
            .map_or(0, |(from, _)| last_rise.since(*from));
        let promised = watched_ns / interval_ns.max(1);
        // One message more or less is the edge of the window; eight of a hundred are not.
        let tolerated = (promised * 8 / 100).max(2);
        if watched_ns >= PACE_WINDOW_NS && self.missing() > tolerated {
            Flow::Thinned
        } else {
            Flow::Flowing
        }
    }

    fn learn(&mut self, at: MonoNs) {
        let (Some((from, first)), Some((to, last))) = (self.looks.front(), self.looks.back())
        else {
            return;
        };
        let (watched_ns, messages) = (to.since(*from), last.saturating_sub(*first));
        if watched_ns < PACE_WINDOW_NS || messages < 3 {
            return;
        }
        let between_ns = watched_ns / messages;
        let log = (-7..=7i8)
            .rev()
            .find(|log| interval_ns(*log) <= between_ns + between_ns / 10)
            .unwrap_or(-7);
        match self.log_pace {
            Some(known) if log > known => {
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
