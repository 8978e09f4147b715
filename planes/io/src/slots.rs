//! Due slots in monotonic time, and the markers that say how far they went.

use crate::limits::{CATCH_UP_SLOTS_MAX, HEARTBEAT_NS, SLOT_NS_MIN};
use alloc::vec::Vec;
use evidence::kinds::{Downtime, Marker};
use evidence::reasons::{DowntimeCause, MarkerKind};
use evidence::{Captured, MeterId, MonoNs, ScheduleId, Slot, SourceId};

/// A schedule's numbering in monotonic time. The host makes it from UTC; the engine never sees UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotClock {
    /// Which numbering.
    pub version: u64,
    /// Number of the slot due at `anchor`; no earlier one is due under this clock.
    pub number_at_anchor: u64,
    /// When it is due.
    pub anchor: MonoNs,
    /// Time from one slot to the next.
    pub every_ns: u64,
}

impl SlotClock {
    fn every_ns(&self) -> u64 {
        self.every_ns.max(SLOT_NS_MIN)
    }

    /// When a slot is due.
    #[must_use]
    pub fn due_at(&self, number: u64) -> MonoNs {
        let slots = number.saturating_sub(self.number_at_anchor);
        self.anchor.plus_ns(slots.saturating_mul(self.every_ns()))
    }

    /// The newest slot due by `now`.
    #[must_use]
    pub fn newest_due(&self, now: MonoNs) -> Option<u64> {
        let since = now.0.checked_sub(self.anchor.0)?;
        Some(
            self.number_at_anchor
                .saturating_add(since / self.every_ns()),
        )
    }
}

/// A run of slots without a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The only meter without one; `None` when no meter of the schedule had one.
    pub(crate) meter: Option<MeterId>,
    pub(crate) first: Slot,
    pub(crate) count: u64,
    pub(crate) cause: DowntimeCause,
}

/// What fell due in one step.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Slots to serve, in order, with the time they were due.
    pub(crate) slots: Vec<(Slot, MonoNs)>,
    /// The step was so long that these were not served at all.
    pub(crate) slept: Option<(Slot, u64)>,
}

/// The last slot's course through all meters of a schedule (R5.2).
#[derive(Clone, Copy, Debug, Default)]
struct Lap {
    slot: Option<Slot>,
    due: MonoNs,
    meters_left: usize,
}

/// One schedule on this port.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) id: ScheduleId,
    pub(crate) meters: usize,
    clock: Option<SlotClock>,
    /// Newest slot due under the numbering in force.
    last_due: Option<Slot>,
    /// Newest slot ever due; none up to it is due again.
    ever_due: Option<Slot>,
    last_marker: MonoNs,
    missed: Vec<Missed>,
    lap: Lap,
    pub(crate) cycle_ns: Option<u64>,
    pub(crate) cycle_ns_max: u64,
}

impl Schedule {
    pub(crate) fn new(id: ScheduleId) -> Self {
        Self {
            id,
            meters: 0,
            clock: None,
            last_due: None,
            ever_due: None,
            last_marker: MonoNs(0),
            missed: Vec::new(),
            lap: Lap::default(),
            cycle_ns: None,
            cycle_ns_max: 0,
        }
    }

    /// Takes a numbering. Returns the markers that close the one before and open this one; none where
    /// this one goes on without a hole.
    pub(crate) fn number(
        &mut self,
        now: MonoNs,
        clock: SlotClock,
        port: &SourceId,
    ) -> Vec<Captured> {
        let first = Slot {
            version: clock.version,
            number: clock.number_at_anchor,
        };
        let goes_on = self.last_due.is_some_and(|last| {
            last.version == clock.version && clock.number_at_anchor <= last.number.saturating_add(1)
        });
        let mut markers = Vec::new();
        if self
            .ever_due
            .is_some_and(|ever| ever.version > clock.version)
        {
            return markers;
        }
        let started = self.clock.is_some();
        self.clock = Some(clock);
        if goes_on {
            return markers;
        }
        if started {
            markers.push(self.marker(now, MarkerKind::ScheduleStop, self.last_due, port));
        }
        self.last_due = None;
        self.last_marker = now;
        markers.push(self.marker(now, MarkerKind::ScheduleStart, Some(first), port));
        markers
    }

    /// The slots that fell due since the last step.
    pub(crate) fn due(&mut self, now: MonoNs) -> Due {
        let mut due = Due::default();
        let Some(clock) = self.clock else {
            return due;
        };
        let Some(newest) = clock.newest_due(now) else {
            return due;
        };
        let mut first = self.next_number(&clock);
        if first > newest {
            return due;
        }
        let slot = |number| Slot {
            version: clock.version,
            number,
        };
        if newest - first >= CATCH_UP_SLOTS_MAX {
            due.slept = Some((slot(first), newest - first));
            first = newest;
        }
        due.slots = (first..=newest)
            .map(|number| (slot(number), clock.due_at(number)))
            .collect();
        self.last_due = Some(slot(newest));
        self.ever_due = self.last_due;
        self.lap = Lap {
            slot: self.last_due,
            due: clock.due_at(newest),
            meters_left: self.meters,
        };
        due
    }

    /// When the next slot is due.
    pub(crate) fn next_due(&self) -> Option<MonoNs> {
        let clock = self.clock?;
        Some(clock.due_at(self.next_number(&clock)))
    }

    fn next_number(&self, clock: &SlotClock) -> u64 {
        let ever = self.ever_due.filter(|ever| ever.version == clock.version);
        let unused = ever.map_or(0, |ever| ever.number.saturating_add(1));
        unused.max(clock.number_at_anchor)
    }

    /// A later slot than this one has fallen due.
    pub(crate) fn has_passed(&self, slot: Slot) -> bool {
        self.last_due.is_some_and(|last| last > slot)
    }

    /// A heartbeat, where one is due with the slots that just fell due.
    pub(crate) fn heartbeat(&mut self, now: MonoNs, port: &SourceId) -> Option<Captured> {
        if now.since(self.last_marker) < HEARTBEAT_NS {
            return None;
        }
        self.last_marker = now;
        self.last_due?;
        Some(self.marker(now, MarkerKind::Heartbeat, self.last_due, port))
    }

    /// The marker of an orderly stop.
    pub(crate) fn stop(&self, now: MonoNs, port: &SourceId) -> Option<Captured> {
        self.clock?;
        Some(self.marker(now, MarkerKind::ScheduleStop, self.last_due, port))
    }

    /// Notes slots without a session, of one meter or of all; runs that touch become one.
    pub(crate) fn miss(
        &mut self,
        meter: Option<&MeterId>,
        first: Slot,
        count: u64,
        cause: DowntimeCause,
    ) {
        let touches = |run: &&mut Missed| {
            let end = run.first.number.saturating_add(run.count);
            run.cause == cause
                && run.meter.as_ref() == meter
                && run.first.version == first.version
                && (run.first.number..=end).contains(&first.number)
        };
        if let Some(run) = self.missed.iter_mut().rev().find(touches) {
            let end = run.first.number.saturating_add(run.count);
            let new_end = first.number.saturating_add(count);
            run.count = end.max(new_end) - run.first.number;
            return;
        }
        self.missed.push(Missed {
            meter: meter.cloned(),
            first,
            count,
            cause,
        });
    }

    /// The entries for slots without a session.
    pub(crate) fn take_missed(&mut self, now: MonoNs, port: &SourceId) -> Vec<Captured> {
        let entry = |missed: Missed| {
            let downtime = Downtime {
                at: now,
                source: port.clone(),
                schedule: self.id.clone(),
                first: missed.first,
                count: Some(missed.count),
                cause: missed.cause,
                meter_id: missed.meter,
            };
            Captured::new(&downtime.into())
        };
        core::mem::take(&mut self.missed)
            .into_iter()
            .map(entry)
            .collect()
    }

    /// A session of this slot ended; the last of them closes the cycle.
    pub(crate) fn session_ended(&mut self, now: MonoNs, slot: Slot) {
        if self.lap.slot != Some(slot) || self.lap.meters_left == 0 {
            return;
        }
        self.lap.meters_left -= 1;
        if self.lap.meters_left == 0 {
            let cycle_ns = now.since(self.lap.due);
            self.cycle_ns = Some(cycle_ns);
            self.cycle_ns_max = self.cycle_ns_max.max(cycle_ns);
        }
    }

    fn marker(
        &self,
        at: MonoNs,
        marker: MarkerKind,
        slot: Option<Slot>,
        port: &SourceId,
    ) -> Captured {
        let marker = Marker {
            at,
            marker,
            source: port.clone(),
            schedule: Some(self.id.clone()),
            slot,
            meter_id: None,
            seq: None,
            count: None,
            last_attempt: None,
            last_reply: None,
        };
        Captured::new(&marker.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Schedule, SlotClock};
    use crate::limits::{CATCH_UP_SLOTS_MAX, HEARTBEAT_NS};
    use evidence::kinds::Payload;
    use evidence::reasons::{DowntimeCause, MarkerKind};
    use evidence::{Captured, MonoNs, ScheduleId, Slot, SourceId};
    use std::vec::Vec;

    const S: u64 = 1_000_000_000;

    fn clock(version: u64, number: u64, anchor_s: u64) -> SlotClock {
        SlotClock {
            version,
            number_at_anchor: number,
            anchor: MonoNs(anchor_s * S),
            every_ns: S,
        }
    }

    fn schedule() -> Schedule {
        Schedule::new(ScheduleId::new("second").unwrap())
    }

    fn port() -> SourceId {
        SourceId::new("rs485-1").unwrap()
    }

    fn numbers(schedule: &mut Schedule, now_s: u64) -> Vec<u64> {
        let due = schedule.due(MonoNs(now_s * S));
        due.slots.iter().map(|(slot, _)| slot.number).collect()
    }

    fn markers(records: &[Captured]) -> Vec<(MarkerKind, Option<Slot>)> {
        let marker = |record: &Captured| match record.payload().unwrap() {
            Payload::Marker(marker) => (marker.marker, marker.slot),
            other => panic!("{other:?}"),
        };
        records.iter().map(marker).collect()
    }

    fn slot(version: u64, number: u64) -> Slot {
        Slot { version, number }
    }

    //= A4.2
    #[test]
    fn every_slot_is_due_once_whatever_the_steps() {
        let mut schedule = schedule();
        let opened = schedule.number(MonoNs(0), clock(1, 100, 5), &port());
        assert_eq!(
            markers(&opened),
            [(MarkerKind::ScheduleStart, Some(slot(1, 100)))]
        );
        assert_eq!(schedule.next_due(), Some(MonoNs(5 * S)));
        assert!(numbers(&mut schedule, 4).is_empty());
        assert_eq!(numbers(&mut schedule, 5), [100]);
        assert!(numbers(&mut schedule, 5).is_empty());
        assert_eq!(numbers(&mut schedule, 8), [101, 102, 103]);
        assert_eq!(schedule.next_due(), Some(MonoNs(9 * S)));
    }

    //= A4.2
    #[test]
    fn a_new_numbering_never_repeats_a_slot() {
        let mut schedule = schedule();
        let _ = schedule.number(MonoNs(0), clock(1, 100, 0), &port());
        assert_eq!(numbers(&mut schedule, 2), [100, 101, 102]);
        // The clock was slewed back a little: 102 is not due again, and nothing is to be said.
        assert!(
            schedule
                .number(MonoNs(2 * S), clock(1, 101, 3), &port())
                .is_empty()
        );
        assert!(numbers(&mut schedule, 4).is_empty());
        assert_eq!(numbers(&mut schedule, 5), [103]);
        // It was stepped forward: the old numbering ends, the new one starts, and the hole shows.
        let stepped = schedule.number(MonoNs(5 * S), clock(1, 500, 6), &port());
        let stop = (MarkerKind::ScheduleStop, Some(slot(1, 103)));
        assert_eq!(
            markers(&stepped),
            [stop, (MarkerKind::ScheduleStart, Some(slot(1, 500)))]
        );
        assert_eq!(numbers(&mut schedule, 6), [500]);
        // It was stepped back: a new version.
        let back = schedule.number(MonoNs(6 * S), clock(2, 90, 7), &port());
        assert_eq!(
            markers(&back),
            [
                (MarkerKind::ScheduleStop, Some(slot(1, 500))),
                (MarkerKind::ScheduleStart, Some(slot(2, 90)))
            ]
        );
        assert_eq!(numbers(&mut schedule, 7), [90]);
    }

    //= A4.2
    #[test]
    fn a_long_sleep_is_a_run_of_missed_slots_and_the_newest_is_served() {
        let mut schedule = schedule();
        let _ = schedule.number(MonoNs(0), clock(1, 0, 0), &port());
        let due = schedule.due(MonoNs(CATCH_UP_SLOTS_MAX * S));
        assert_eq!(due.slept, Some((slot(1, 0), CATCH_UP_SLOTS_MAX)));
        assert_eq!(due.slots.len(), 1);
        let due = schedule.due(MonoNs((2 * CATCH_UP_SLOTS_MAX) * S));
        assert_eq!(
            (due.slept, due.slots.len() as u64),
            (None, CATCH_UP_SLOTS_MAX)
        );
    }

    //= A4.8
    #[test]
    fn heartbeats_say_how_far_the_slots_went() {
        let mut schedule = schedule();
        let _ = schedule.number(MonoNs(0), clock(1, 0, 0), &port());
        let mut beats = Vec::new();
        for now_s in 0..=30 {
            let _ = schedule.due(MonoNs(now_s * S));
            beats.extend(schedule.heartbeat(MonoNs(now_s * S), &port()));
        }
        let expected: Vec<_> = (1..=30 * S / HEARTBEAT_NS)
            .map(|beat| (MarkerKind::Heartbeat, Some(slot(1, beat * 10))))
            .collect();
        assert_eq!(markers(&beats), expected);
    }

    //= A4.3
    #[test]
    fn runs_of_missed_slots_that_touch_are_one() {
        let mut schedule = schedule();
        let full = DowntimeCause::Backpressure;
        schedule.miss(None, slot(1, 5), 1, full);
        schedule.miss(None, slot(1, 6), 2, full);
        schedule.miss(None, slot(1, 7), 1, full);
        schedule.miss(None, slot(1, 9), 1, full);
        schedule.miss(None, slot(2, 10), 1, full);
        let runs: Vec<_> = schedule
            .take_missed(MonoNs(1), &port())
            .iter()
            .map(|record| match record.payload().unwrap() {
                Payload::Downtime(down) => (down.first, down.count),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            runs,
            [
                (slot(1, 5), Some(3)),
                (slot(1, 9), Some(1)),
                (slot(2, 10), Some(1))
            ]
        );
    }
}
