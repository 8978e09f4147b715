//! Records, batches, counters: what leaves the engine of a card.

use super::engine::{CardEngine, Phase};
use super::filter::Settled;
use super::io::Action;
use super::line::Role;
use crate::action::Batch;
use crate::buckets::Sheet;
use crate::events::News;
use crate::input::Stream;
use crate::limits::{
    CARD_LEASE_LOW, COUNTERS_EVERY_NS, COUNTERS_PER_SNAPSHOT_MAX, RECORDS_PER_BATCH,
    RECORDS_WAITING_MAX,
};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use evidence::kinds::{
    Analog, Counter, CounterSnapshot, Event, Excursion, ModemReport, Output, PulseCount,
    ResetReason, Soe,
};
use evidence::reasons::{
    AnalogCause, CountBasis, DowntimeCause, EdgeLossCause, EventCode, QualityReason, SoeChange,
};
use evidence::{Captured, Decimal, MeterId, MonoNs, Payload, Quality, Seq, Slot};

impl CardEngine {
    /// Whether one more record may wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < RECORDS_WAITING_MAX
    }

    /// A record of an input; it takes along the changes that had none.
    pub(super) fn tell(
        &mut self,
        place: usize,
        at: MonoNs,
        change: SoeChange,
        settled: Option<&Settled>,
    ) {
        let room = self.has_room();
        let Some(line) = self.lines.get_mut(place) else {
            return;
        };
        let Role::Input(input) = &mut line.role else {
            return;
        };
        if !room {
            line.dropped += 1;
            if change == SoeChange::Edge {
                input.untold(EdgeLossCause::QueueFull);
            } else {
                // Its quality is told with what had no record, once there is room.
                input.untold.get_or_insert((0, EdgeLossCause::QueueFull));
            }
            self.full_for(place);
            return;
        }
        input.quality = input.condition.row().quality;
        input.told += u64::from(change == SoeChange::Edge);
        let untold = input.untold.take();
        let soe = Soe {
            at,
            point_id: line.point.clone(),
            source: self.card.clone(),
            line: u64::from(line.number),
            seq: Seq(0),
            change,
            value: input.state,
            quality: input.quality,
            policy: line.policy.to_string(),
            window_us: line.window_us,
            confirmed_at: settled.map(|settled| settled.confirmed_at),
            bounce_from: settled.and_then(|settled| settled.bounce_from),
            count: untold.map(|(count, _)| count),
            loss: untold.map(|(_, why)| why),
            contract: self.contract,
            marker: input.marker,
        };
        self.waiting.push_back(soe.into());
    }

    /// A record of edges that a line lost; a supervising line's is one of the input that it supervises.
    pub(super) fn tell_lost(&mut self, place: usize, at: MonoNs, count: u64, loss: EdgeLossCause) {
        if !self.has_room() {
            // The kernel's loss stays in the line's counter; here it joins what the queue cost the input, also
            // where the line is the one that supervises it.
            let of = match self.lines.get_mut(place) {
                Some(line) => {
                    line.dropped += 1;
                    match line.role {
                        Role::Fault { of, .. } => of,
                        Role::Input(_) | Role::Pulse(_) => place,
                    }
                }
                None => return,
            };
            if let Some(Role::Input(input)) = self.lines.get_mut(of).map(|one| &mut one.role) {
                let before = input.untold.map_or(0, |(count, _)| count);
                input.untold = Some((before + count, EdgeLossCause::QueueFull));
            }
            self.full_for(place);
            return;
        }
        let Some(line) = self.lines.get(place) else {
            return;
        };
        let of = match &line.role {
            Role::Fault { of, .. } => self.lines.get(*of).map(|one| &one.role),
            role => Some(role),
        };
        let Some(Role::Input(input)) = of else {
            return;
        };
        let soe = Soe {
            at,
            point_id: line.point.clone(),
            source: self.card.clone(),
            line: u64::from(line.number),
            seq: Seq(0),
            change: SoeChange::Lost,
            value: input.state,
            quality: input.quality,
            policy: line.policy.to_string(),
            window_us: line.window_us,
            confirmed_at: None,
            bounce_from: None,
            count: Some(count),
            loss: Some(loss),
            contract: self.contract,
            marker: input.marker,
        };
        self.waiting.push_back(soe.into());
    }

    fn full_for(&mut self, place: usize) {
        let point = self.lines.get(place).map(|line| line.point.clone());
        self.no_room(point.as_ref().map_or("?", |point| point.as_str()));
    }

    /// Tells, once there is room again, what had none: also that what may be believed of an input is not what was
    /// told last, whatever else it owes.
    pub(super) fn tell_untold(&mut self) {
        if self.queue_full || self.waiting.len() > RECORDS_WAITING_MAX / 2 {
            return;
        }
        let at = self.order.left();
        for place in 0..self.lines.len() {
            let owes = self.lines.get(place).and_then(|line| match &line.role {
                Role::Input(input) if input.condition.row().quality != input.quality => {
                    Some(SoeChange::Quality)
                }
                Role::Input(input) => {
                    let full = matches!(input.untold, Some((_, EdgeLossCause::QueueFull)));
                    full.then_some(SoeChange::Lost)
                }
                Role::Fault { .. } | Role::Pulse(_) => None,
            });
            if let Some(change) = owes {
                self.tell(place, at, change, None);
            }
        }
    }

    /// Count and instant of a pulse meter, together.
    pub(super) fn snapshot(&mut self, place: usize, at: MonoNs, slot: Option<Slot>) {
        let (room, up) = (self.has_room(), self.link.is_up());
        let Some(line) = self.lines.get_mut(place) else {
            return;
        };
        let (number, point) = (line.number, line.point.clone());
        let (policy, window_us) = (line.policy.to_string(), line.window_us);
        let Role::Pulse(pulse) = &mut line.role else {
            return;
        };
        if !room {
            line.dropped += 1;
            let schedule = self.schedules.get_mut(pulse.schedule);
            if let (Some(schedule), Some(slot)) = (schedule, slot) {
                schedule.miss(None, slot, 1, DowntimeCause::Backpressure);
            }
            self.full_for(place);
            return;
        }
        let suspect = core::mem::take(&mut pulse.suspect);
        let quality = match (up, suspect) {
            (false, _) => Quality::questionable(QualityReason::SourceLost),
            (true, 0) if pulse.test => Quality::questionable(QualityReason::Test),
            (true, 0) => Quality::GOOD,
            (true, _) => Quality::questionable(QualityReason::MissedPulses),
        };
        let count = Decimal::new(i128::from(pulse.count), 0);
        let value = count.and_then(|count| count.checked_mul(pulse.meter.weight));
        let snapshot = PulseCount {
            at,
            point_id: point.clone(),
            source: self.card.clone(),
            line: u64::from(number),
            seq: Seq(0),
            slot,
            count: pulse.count,
            pulse_at: pulse.pulse_at,
            value: value.ok(),
            quality,
            basis: core::mem::replace(&mut pulse.basis, CountBasis::Live),
            suspect,
            policy,
            window_us,
            contract: self.contract,
        };
        self.waiting.push_back(snapshot.into());
        if suspect > 0 {
            let words = format!("{point}: {suspect} or more since the snapshot before");
            let news = News::new(EventCode::PulsesSuspect).detail(words);
            self.events.note(self.last, news);
        }
    }

    /// The newest value of a channel.
    pub(super) fn tell_analog(&mut self, place: usize, cause: AnalogCause, slot: Option<Slot>) {
        let room = self.has_room();
        let Some(channel) = self.channels.get_mut(place) else {
            return;
        };
        let Some(last) = &channel.last else {
            return;
        };
        if !room {
            channel.dropped += 1;
            let point = channel.point.id.clone();
            let schedule = self.schedules.get_mut(channel.schedule);
            if let (Some(schedule), Some(slot)) = (schedule, slot) {
                schedule.miss(None, slot, 1, DowntimeCause::Backpressure);
            }
            self.no_room(point.as_str());
            return;
        }
        let point = &channel.point;
        let analog = Analog {
            at: last.at,
            point_id: point.id.clone(),
            source: self.card.clone(),
            channel: point.channel.clone(),
            seq: Seq(0),
            slot,
            cause,
            raw: last.raw,
            value: last.value,
            quality: last.quality,
            calibration: point.calibration.clone(),
            contract: self.contract,
        };
        channel.told = channel.last.clone();
        self.waiting.push_back(analog.into());
    }

    /// What the count board is to know.
    pub(super) fn save_counts(&mut self) {
        for line in &mut self.lines {
            let Role::Pulse(pulse) = &mut line.role else {
                continue;
            };
            if core::mem::take(&mut pulse.moved) {
                self.out.push(Action::Count {
                    point: line.point.clone(),
                    count: pulse.count,
                    at: pulse.pulse_at.unwrap_or(MonoNs(0)),
                });
            }
        }
    }

    /// The stream of the card's records.
    fn records(&self) -> Stream {
        Stream::Meter(MeterId::from(&self.card))
    }

    pub(super) fn ask_leases(&mut self, now: MonoNs) {
        if self.lease.asks_below(now, CARD_LEASE_LOW) {
            let stream = self.records();
            self.out.push(Action::NeedLease { stream });
        }
        if self.events.lease.asks(now) {
            let stream = Stream::Port;
            self.out.push(Action::NeedLease { stream });
        }
    }

    /// The records that have numbers now, in batches that are dense.
    pub(super) fn drain(&mut self, now: MonoNs) {
        while !self.waiting.is_empty() && !self.queue_full {
            let Some(first) = self.lease.take() else {
                break;
            };
            let mut next = first;
            let (mut records, mut at) = (Vec::new(), now);
            while let Some(record) = self.waiting.pop_front() {
                at = record.at();
                records.push(Captured::new(&numbered(record, next)));
                let dense = self.lease.next() == Some(next.0 + 1);
                if records.len() == RECORDS_PER_BATCH || !dense || self.waiting.is_empty() {
                    break;
                }
                next = self.lease.take().unwrap_or(next);
            }
            self.out.push(Action::Mark { seq: next, at });
            self.out.push(Action::Emit(Batch {
                stream: self.records(),
                seq: Some(first),
                records,
            }));
        }
    }

    pub(super) fn tell_events(&mut self, now: MonoNs) {
        let late = self.order.late - self.late_told;
        if late > 0 {
            self.late_told = self.order.late;
            let words = format!("{late} came after records of later instants had left");
            let news = News::new(EventCode::EdgesUnordered).detail(words);
            self.events.note(now, news);
        }
        self.events.tick(now);
        if self.queue_full {
            return;
        }
        for batch in self.events.flush(now, &self.card) {
            self.out.push(Action::Emit(batch));
        }
    }

    pub(super) fn emit_unnumbered(&mut self, records: Vec<Captured>) {
        if !records.is_empty() {
            self.out.push(Action::Emit(Batch {
                stream: Stream::Port,
                seq: None,
                records,
            }));
        }
    }

    /// Counters whose time has come become entries; while the queue is full they wait.
    pub(super) fn tell_counters(&mut self, now: MonoNs) {
        let due = *self.counters_at.get_or_insert(Self::first_counters(now));
        if now < due || self.queue_full || self.phase != Phase::Running {
            return;
        }
        self.counters_at = Some(now.plus_ns(COUNTERS_EVERY_NS));
        self.emit_counters(now);
    }

    fn emit_counters(&mut self, at: MonoNs) {
        let counters = self.counters();
        for part in counters.chunks(COUNTERS_PER_SNAPSHOT_MAX) {
            let counters = part.to_vec();
            let snapshot = Captured::new(&CounterSnapshot { at, counters }.into());
            self.emit_unnumbered(Vec::from([snapshot]));
        }
    }

    /// Every counter of the card and its points.
    #[must_use]
    pub fn counters(&self) -> Vec<Counter> {
        let mut sheet = Sheet::new(&self.card);
        let card = self.card.as_str();
        sheet.value("port_lost_cnt", card, self.link_lost);
        sheet.value("edge_unordered_cnt", card, self.order.late);
        sheet.value("edge_stranger_cnt", card, self.strangers);
        for line in &self.lines {
            let label = match &line.role {
                Role::Fault { .. } => format!("{}/fault", line.point),
                Role::Input(_) | Role::Pulse(_) => line.point.to_string(),
            };
            sheet.value("edge_cnt", &label, line.edges);
            sheet.value("edge_confirmed_cnt", &label, line.confirmed);
            sheet.value("edge_pending_cnt", &label, line.filter.waiting());
            sheet.value("debounce_reject_cnt", &label, line.rejected);
            sheet.value("edge_lost_cnt", &label, line.lost);
            sheet.value("record_dropped_cnt", &label, line.dropped);
            sheet.value("glitch_cnt", &label, line.widths.total());
            for (bucket, count) in line.widths.buckets().filter(|(_, count)| *count > 0) {
                sheet.value("glitch_width", &format!("{label}/{bucket}"), count);
            }
            match &line.role {
                Role::Input(input) => {
                    sheet.value("soe_cnt", &label, input.told);
                    sheet.value("soe_suppressed_cnt", &label, input.suppressed);
                    sheet.value("chatter_cnt", &label, input.chatter.closings);
                    sheet.value("noise_cnt", &label, input.noise.closings);
                    if let Some(marker) = input.marker {
                        sheet.value(marker.counter(), &label, input.set);
                    }
                }
                Role::Pulse(pulse) => {
                    sheet.value("pulse_cnt", &label, pulse.count);
                    sheet.value("pulse_suspect_cnt", &label, pulse.suspect_ever);
                    sheet.value("pulse_overflow_evt", &label, pulse.overflows);
                }
                Role::Fault { .. } => {}
            }
        }
        for channel in &self.channels {
            let label = channel.point.id.as_str();
            sheet.value("sample_fault_cnt", label, channel.faults);
            sheet.value("record_dropped_cnt", label, channel.dropped);
        }
        self.count_watched(&mut sheet);
        self.outputs.count(&mut sheet);
        self.count_modems(&mut sheet);
        sheet.counters
    }

    /// Ends once all is told, or once waiting for numbers has taken long enough.
    pub(super) fn finish_stop(&mut self, now: MonoNs) {
        let Phase::Stopping { until } = self.phase else {
            return;
        };
        let settled = self.outputs.is_settled();
        let told = settled && self.events.is_empty() && self.waiting.is_empty();
        if !told && now < until {
            return;
        }
        self.emit_counters(now);
        let mut records = Vec::new();
        if !self.waiting.is_empty() {
            let event = Event {
                count: u64::try_from(self.waiting.len()).ok(),
                detail: Some("records that had no number when the node stopped".to_string()),
                ..Event::new(now, EventCode::QueueOverflow, self.card.clone())
            };
            records.push(Captured::new(&event.into()));
        }
        for schedule in &mut self.schedules {
            records.extend(schedule.take_missed(now, &self.card));
            records.extend(schedule.stop(now, &self.card));
        }
        self.emit_unnumbered(records);
        self.out.push(Action::Close);
        self.out.push(Action::Stopped);
        self.phase = Phase::Stopped;
    }
}

/// A record with its number.
fn numbered(record: Payload, seq: Seq) -> Payload {
    match record {
        Payload::Soe(soe) => Soe { seq, ..soe }.into(),
        Payload::PulseCount(pulse) => PulseCount { seq, ..pulse }.into(),
        Payload::Analog(analog) => Analog { seq, ..analog }.into(),
        Payload::Excursion(excursion) => Excursion { seq, ..excursion }.into(),
        Payload::ModemReport(report) => ModemReport { seq, ..report }.into(),
        Payload::ResetReason(reason) => ResetReason { seq, ..reason }.into(),
        Payload::Output(output) => Output { seq, ..output }.into(),
        other => other,
    }
}
