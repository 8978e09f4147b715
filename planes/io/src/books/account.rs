//! Every due slot finds its account: sessions, passed slots, downtime, markers, the stop.

use super::{Books, Phase};
use crate::action::Action;
use crate::events::News;
use crate::health::Bus;
use crate::input::Stream;
use crate::limits::{
    COUNTERS_EVERY_NS, COUNTERS_FIRST_NS, OWED_PER_STEP_MAX, STOP_WAIT_NS, UNANSWERED_MIN,
};
use crate::session::{MeterState, Session};
use crate::state::Event;
use alloc::format;
use alloc::vec::Vec;
use evidence::reasons::{DowntimeCause, EventCode};
use evidence::{MonoNs, Slot};

impl Books {
    /// Slots that fell due become sessions, or downtime while the queue is full.
    pub(crate) fn fall_due(&mut self, now: MonoNs) {
        for at in 0..self.schedules.len() {
            let Some(schedule) = self.schedules.get_mut(at) else {
                continue;
            };
            let due = schedule.due(now);
            if let Some((first, count)) = due.slept {
                schedule.miss(None, first, count, DowntimeCause::Unknown);
            }
            if due.slots.is_empty() {
                continue;
            }
            if self.queue_full {
                for (slot, _) in due.slots {
                    schedule.miss(None, slot, 1, DowntimeCause::Backpressure);
                }
                continue;
            }
            let heartbeat = schedule.heartbeat(now, &self.origin.port);
            self.emit_unnumbered(heartbeat.into_iter().collect());
            for (slot, due_at) in due.slots {
                self.begin_sessions(now, at, slot, due_at);
            }
        }
    }

    fn begin_sessions(&mut self, now: MonoNs, schedule: usize, slot: Slot, due: MonoNs) {
        for at in 0..self.meters.len() {
            let Some(meter) = self
                .meters
                .get_mut(at)
                .filter(|meter| meter.schedule == schedule)
            else {
                continue;
            };
            meter.fire(&self.origin, now, Event::SlotPassed);
            let lost = meter.slot_due(now, slot, due);
            self.close_session(now, at);
            self.miss_one(at, lost);
        }
    }

    /// A slot of one meter for which no number came while a thousand passed.
    fn miss_one(&mut self, at: usize, slot: Option<Slot>) {
        let (Some(slot), Some(meter)) = (slot, self.meters.get(at)) else {
            return;
        };
        if let Some(schedule) = self.schedules.get_mut(meter.schedule) {
            let only = Some(&meter.meter.id);
            schedule.miss(only, slot, 1, DowntimeCause::Backpressure);
        }
    }

    /// Downtime is told as soon as there is space. Sessions that waited through it may be too late.
    pub(crate) fn space_returned(&mut self, now: MonoNs) {
        if self.queue_full {
            return;
        }
        for at in 0..self.schedules.len() {
            let Some(schedule) = self.schedules.get_mut(at) else {
                continue;
            };
            let records = schedule.take_missed(now, &self.origin.port);
            if records.is_empty() {
                continue;
            }
            self.emit_unnumbered(records);
            self.pass_over(now, at);
        }
    }

    /// Ends what waited for a slot that is not the newest any more.
    fn pass_over(&mut self, now: MonoNs, at: usize) {
        for place in 0..self.meters.len() {
            let (Some(schedule), Some(meter)) =
                (self.schedules.get(at), self.meters.get_mut(place))
            else {
                continue;
            };
            if meter.schedule != at {
                continue;
            }
            let passed = |slot: Option<Slot>| slot.is_some_and(|slot| schedule.has_passed(slot));
            if passed(meter.active.as_ref().map(|session| session.slot)) {
                meter.fire(&self.origin, now, Event::SlotPassed);
            }
            let mut lost = None;
            if passed(meter.waiting.as_ref().map(|session| session.slot)) {
                lost = meter.give_up_waiting(now, Event::SlotPassed);
            }
            self.close_session(now, place);
            self.miss_one(place, lost);
        }
    }

    /// Slots that ended without a request get their numbers and records.
    pub(crate) fn settle(&mut self, now: MonoNs) {
        if self.queue_full && self.phase == Phase::Running {
            return;
        }
        for at in 0..self.meters.len() {
            for _ in 0..OWED_PER_STEP_MAX {
                let Some(meter) = self.meters.get_mut(at) else {
                    break;
                };
                let schedule = meter.schedule;
                let Some((slot, batch)) = meter.settle(&self.origin) else {
                    break;
                };
                self.emit(batch);
                self.end_lap(now, schedule, slot);
            }
        }
    }

    /// Whether the next step has something left to settle.
    pub(crate) fn can_settle(&self) -> bool {
        let ready = |meter: &MeterState| {
            !meter.owed.is_empty() && meter.active.is_none() && meter.lease.left() > 0
        };
        !(self.queue_full && self.phase == Phase::Running) && self.meters.iter().any(ready)
    }

    /// Emits the batch of a session that has ended.
    pub(crate) fn close_session(&mut self, now: MonoNs, at: usize) {
        let has_others = self.meters.len() > 1;
        let Some(meter) = self.meters.get_mut(at) else {
            return;
        };
        let bus = Bus {
            has_others,
            answered_at: self.answered_at,
            attempt_ns: meter.trial_ns,
        };
        let schedule = meter.schedule;
        let asked = meter.active.as_ref().is_some_and(Session::was_asked);
        if let Some((slot, batch)) = meter.finish(now, bus) {
            self.emit(batch);
            self.end_lap(now, schedule, slot);
            if asked {
                self.note_silence(now);
            }
        }
    }

    /// A session in which a meter was asked has ended. Where more than there are meters ended in a row and nobody answered, it is said once: between
    /// two answers of one meter its own session ends and one of each other.
    fn note_silence(&mut self, now: MonoNs) {
        let meters = u64::try_from(self.meters.len()).unwrap_or(u64::MAX);
        if meters < 2 || !self.link.is_up() {
            return;
        }
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered > meters.max(UNANSWERED_MIN) && !self.bus_silent {
            self.bucket.silences += 1;
            self.bus_silent = true;
            let detail = format!("{} sessions in a row, of {meters} meters", self.unanswered);
            self.events
                .note(now, News::new(EventCode::BusSilent).detail(detail));
        }
    }

    /// A meter of the port answered.
    pub(crate) fn note_answer(&mut self, now: MonoNs) {
        self.answered_at = Some(now);
        let unanswered = core::mem::take(&mut self.unanswered);
        if core::mem::take(&mut self.bus_silent) {
            let detail = format!("after {unanswered} sessions that nobody answered");
            self.events
                .note(now, News::new(EventCode::BusAnswers).detail(detail));
        }
    }

    fn end_lap(&mut self, now: MonoNs, schedule: usize, slot: Slot) {
        if let Some(schedule) = self.schedules.get_mut(schedule) {
            schedule.session_ended(now, slot);
        }
    }

    pub(crate) fn ask_leases(&mut self, now: MonoNs) {
        let mut asking: Vec<Stream> = Vec::new();
        if self.events.lease.asks(now) {
            asking.push(Stream::Port);
        }
        for meter in &mut self.meters {
            if meter.lease.asks(now) {
                asking.push(Stream::Meter(meter.meter.id.clone()));
            }
        }
        let asks = asking
            .into_iter()
            .map(|stream| Action::NeedLease { stream });
        self.out.extend(asks);
    }

    pub(crate) fn tell_events(&mut self, now: MonoNs) {
        if let Some(news) = self.bursts.tick(now) {
            self.events.note(now, news);
        }
        self.events.tick(now);
        if self.queue_full && self.phase == Phase::Running {
            return;
        }
        for batch in self.events.flush(now, &self.origin.port) {
            self.emit(batch);
        }
    }

    /// Whether counters are to become entries; while the queue is full they wait.
    pub(crate) fn counters_due(&mut self, now: MonoNs) -> bool {
        let due = *self
            .counters_at
            .get_or_insert(now.plus_ns(COUNTERS_FIRST_NS));
        if now < due || self.queue_full || self.phase != Phase::Running {
            return false;
        }
        self.counters_at = Some(now.plus_ns(COUNTERS_EVERY_NS));
        true
    }

    /// Nothing new starts. What is due is accounted; the request in flight may still be answered.
    pub(crate) fn begin_stop(&mut self, now: MonoNs) {
        if self.phase != Phase::Running {
            return;
        }
        self.fall_due(now);
        let until = now.plus_ns(STOP_WAIT_NS);
        self.phase = Phase::Stopping { until };
        self.queue_full = false;
        for at in 0..self.meters.len() {
            let Some(meter) = self.meters.get_mut(at) else {
                continue;
            };
            meter.fire(&self.origin, now, Event::Stop);
            let lost = meter.give_up_waiting(now, Event::Stop);
            self.close_session(now, at);
            self.miss_one(at, lost);
        }
        if let Some(news) = self.bursts.close(now) {
            self.events.note(now, news);
        }
        self.events.close(now);
    }

    /// Ends once all is told, or once waiting for numbers has taken long enough.
    pub(crate) fn finish_stop(&mut self, now: MonoNs, busy: bool) {
        let Phase::Stopping { until } = self.phase else {
            return;
        };
        let told = self.events.is_empty() && self.meters.iter().all(|meter| meter.owed.is_empty());
        if busy || !(told || now >= until) {
            return;
        }
        for meter in &mut self.meters {
            if let Some(schedule) = self.schedules.get_mut(meter.schedule) {
                for owed in meter.owed.drain(..) {
                    let only = Some(&meter.meter.id);
                    schedule.miss(only, owed.slot, 1, DowntimeCause::OrderlyStop);
                }
            }
        }
        for at in 0..self.schedules.len() {
            let Some(schedule) = self.schedules.get_mut(at) else {
                continue;
            };
            let mut records = schedule.take_missed(now, &self.origin.port);
            records.extend(schedule.stop(now, &self.origin.port));
            self.emit_unnumbered(records);
        }
        self.out.push(Action::Disconnect);
        self.out.push(Action::Stopped);
        self.phase = Phase::Stopped;
    }
}
