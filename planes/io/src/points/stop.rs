//! How a card ends: what began by the stop has its window, then the counts are told once more.

use super::engine::{CardEngine, Phase};
use super::line::Role;
use super::order::Fact;
use crate::limits::{SETTLE_NS, STOP_WAIT_NS, STOP_WINDOWS_NS};
use evidence::MonoNs;
use evidence::reasons::SoeChange;

impl CardEngine {
    /// The instant of the stop, once there is one and while its counts are not told yet.
    pub(super) const fn stopped_at(&self) -> Option<MonoNs> {
        match self.phase {
            Phase::Ending { stop, .. } => Some(stop),
            Phase::Running | Phase::Stopping { .. } | Phase::Stopped => None,
        }
    }

    /// An edge that begins nothing any more. What the kernel lost before it may be from before the stop; an edge from then that
    /// comes when the counts are told is in none, and its counters say so.
    pub(super) fn behind_the_stop(&mut self, place: usize, at: MonoNs, missing: u64) {
        let late = self.stopped_at().is_none() && at <= self.known;
        self.order.late += u64::from(late);
        if let Some(line) = self.lines.get_mut(place) {
            line.lost += missing;
            line.edges += u64::from(late);
            line.rejected += u64::from(late);
        }
        if let Some(stop) = self.stopped_at().filter(|_| missing > 0) {
            let lost = Fact::Lost {
                line: place,
                count: missing,
            };
            self.order.put(stop, lost);
        }
    }

    /// Nothing new starts. A pulse that began a moment ago is a pulse, so windows that are open may end.
    pub(super) fn begin_stop(&mut self, now: MonoNs) {
        if self.phase != Phase::Running {
            return;
        }
        self.fall_due(now);
        self.queue_full = false;
        self.outputs.stop(now, self.link.is_up());
        let until = now.plus_ns(STOP_WINDOWS_NS);
        self.phase = Phase::Ending { stop: now, until };
    }

    /// Whether the card was told to stop before this instant.
    pub(super) fn is_stopped_by(&self, at: MonoNs) -> bool {
        match self.phase {
            Phase::Running => false,
            Phase::Ending { stop, .. } => at > stop,
            // Also one from before: its counts are told.
            Phase::Stopping { .. } | Phase::Stopped => true,
        }
    }

    /// When every edge from before the stop has been handed over, while that is still awaited.
    pub(super) fn windows_end(&self) -> Option<MonoNs> {
        match self.phase {
            Phase::Ending { stop, .. } => {
                Some(stop.plus_ns(SETTLE_NS)).filter(|at| *at > self.last)
            }
            Phase::Running | Phase::Stopping { .. } | Phase::Stopped => None,
        }
    }

    /// Once no window is open any more, or has been for too long, the counts are told once more, as of the stop.
    pub(super) fn end_windows(&mut self, now: MonoNs) {
        let Phase::Ending { stop, until } = self.phase else {
            return;
        };
        let mut leaving = self.lines.iter().filter(|line| line.filter.waiting() > 0);
        let waits = leaving.any(|line| line.filter.pending().is_some_and(|since| since <= stop));
        let more = self.link.is_up() && now < stop.plus_ns(SETTLE_NS) && !self.lines.is_empty();
        if (waits || more) && now < until {
            return;
        }
        self.give_windows_up();
        self.queue_full = false;
        let until = now.plus_ns(STOP_WAIT_NS);
        self.phase = Phase::Stopping { until };
        self.known = stop;
        self.release();
        for at in 0..self.lines.len() {
            self.snapshot(at, stop, None);
            self.tell_kept_back(at, stop);
        }
        self.events.close(now);
    }

    /// What an input that is frozen kept back so far: nobody tells it when it is calm again.
    fn tell_kept_back(&mut self, place: usize, at: MonoNs) {
        let role = self.lines.get(place).map(|line| &line.role);
        if matches!(role, Some(Role::Input(input)) if input.untold.is_some()) {
            self.tell(place, at, SoeChange::Lost, None);
        }
    }

    /// What waits for its window never settles; it may have been a pulse.
    pub(super) fn give_windows_up(&mut self) {
        for line in &mut self.lines {
            let dropped = line.filter.gone();
            line.rejected += dropped;
            if let Some(pulse) = Self::pulse_of(line).filter(|_| dropped > 0) {
                pulse.suspect(dropped);
            }
        }
    }
}
