//! What the recorder knows of every stream of numbers: committed, leased, due.
//!
//! A stream is a meter (its read sessions) or a port (its events). Pure: it is rebuilt from committed
//! entries and from the lease table, and every decision it takes is a value that the caller commits.

use evidence::Stream;
mod numbering;

use evidence::kinds::{Counter, CounterSnapshot, Marker, SeqSkip};
use evidence::reasons::{CounterState, MarkerKind, SkipCause};
use evidence::{MeterId, MonoNs, Payload, ScheduleId, Seq, Slot, SourceId};
use numbering::Numbering;
use std::collections::BTreeMap;

/// Numbers handed out at once; a crash of a producer skips at most this many.
pub(crate) const LEASE_BLOCK: u64 = 1_024;

/// Counter names under which the ledger freezes itself at the start of every segment.
const SEQ_WINDOW: &str = "seq_window";
const SLOT_VERSION: &str = "slot_version";
const SLOT_FLOOR: &str = "slot_floor";
const SLOT_SERVED: &str = "slot_served";

/// What the poll marker board says of a meter (A4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempted {
    pub(crate) seq: u64,
    pub(crate) at: MonoNs,
    pub(crate) slot: Option<Slot>,
    pub(crate) reply_at: Option<MonoNs>,
}

/// A block of numbers, `next..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) next: u64,
    pub(crate) end: u64,
}

/// Whether a submission is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not committed before.
    New,
    /// Committed before: acknowledge, do not commit again.
    Known,
}

/// Where a numbering starts, and the slots that passed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotStart {
    pub(crate) slot: Slot,
    /// First missed slot and how many.
    pub(crate) missed: Option<(Slot, u64)>,
    /// Whether the schedule had been stopped orderly.
    pub(crate) was_stopped: bool,
}

/// Windows of all streams and floors of all schedules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    windows: BTreeMap<Stream, u64>,
    leases: BTreeMap<Stream, u64>,
    numberings: BTreeMap<(SourceId, ScheduleId), Numbering>,
    frozen: bool,
}

impl Ledger {
    /// Starts from the lease table; committed entries are then shown with [`Ledger::observe`].
    pub(crate) fn new(leases: impl IntoIterator<Item = (Stream, u64)>) -> Self {
        Self {
            leases: leases.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether a frozen state was seen, so that nothing older needs to be read.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Takes in a committed entry, in order of commit.
    pub(crate) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::Reading(reading) => {
                self.committed(Stream::Meter(reading.meter_id.clone()), reading.seq.0);
            }
            Payload::AttemptFailed(failed) => {
                self.committed(Stream::Meter(failed.meter_id.clone()), failed.seq.0);
            }
            Payload::Event(event) => {
                if let Some(seq) = event.seq {
                    self.committed(Stream::Port(event.source.clone()), seq.0);
                }
            }
            Payload::SeqSkip(skip) => {
                self.committed(
                    Stream::Meter(skip.meter_id.clone()),
                    skip.first.0 + skip.count.saturating_sub(1),
                );
            }
            Payload::Marker(marker) => self.observe_marker(marker),
            Payload::Downtime(downtime) => {
                let end = downtime
                    .first
                    .number
                    .saturating_add(downtime.count.unwrap_or(0));
                let last = Slot {
                    number: end.saturating_sub(1),
                    ..downtime.first
                };
                let numbering = self.numbering(&downtime.source, &downtime.schedule);
                if numbering.used(last) {
                    numbering.base = numbering.base.max(end);
                }
            }
            Payload::CounterSnapshot(snapshot) => self.observe_snapshot(snapshot),
            Payload::Audit(_)
            | Payload::Checkpoint(_)
            | Payload::Ack(_)
            | Payload::EpochStart(_)
            | Payload::Loss(_)
            | Payload::Configuration(_)
            | Payload::TimeMap(_)
            | Payload::Probe(_) => {}
        }
    }

    fn observe_marker(&mut self, marker: &Marker) {
        if let (MarkerKind::SeqGap, Some(meter), Some(first), Some(count)) =
            (marker.marker, &marker.meter_id, marker.seq, marker.count)
        {
            self.committed(
                Stream::Meter(meter.clone()),
                first.0 + count.saturating_sub(1),
            );
        }
        if let (Some(schedule), Some(slot)) = (&marker.schedule, marker.slot) {
            let numbering = self.numbering(&marker.source, schedule);
            match marker.marker {
                MarkerKind::Heartbeat => {
                    numbering.used(slot);
                }
                MarkerKind::ScheduleStop => numbering.stopped = numbering.used(slot),
                MarkerKind::ScheduleStart => {
                    let (version, base) = (slot.version, slot.number);
                    *numbering = Numbering {
                        version,
                        base,
                        unused: base,
                        ..Numbering::default()
                    };
                }
                MarkerKind::SeqGap => {}
            }
        }
    }

    fn numbering(&mut self, source: &SourceId, schedule: &ScheduleId) -> &mut Numbering {
        self.numberings
            .entry((source.clone(), schedule.clone()))
            .or_default()
    }

    fn observe_snapshot(&mut self, snapshot: &CounterSnapshot) {
        for counter in &snapshot.counters {
            let (Some(label), Some(value)) = (counter.label.as_deref(), counter.value) else {
                continue;
            };
            match counter.name.as_str() {
                SEQ_WINDOW => {
                    let Ok(stream) = label.parse() else { continue };
                    let window = self.windows.entry(stream).or_default();
                    *window = value.max(*window);
                    self.frozen = true;
                }
                name @ (SLOT_VERSION | SLOT_FLOOR | SLOT_SERVED) => {
                    self.observe_frozen_slots(name, label, value);
                }
                _ => {}
            }
        }
    }

    fn committed(&mut self, stream: Stream, seq: u64) {
        let window = self.windows.entry(stream).or_default();
        *window = (*window).max(seq.saturating_add(1));
    }

    fn observe_frozen_slots(&mut self, name: &str, label: &str, value: u64) {
        let mut words = label.split(' ');
        let port = words.next().and_then(|word| SourceId::new(word).ok());
        let schedule = words.next().and_then(|word| ScheduleId::new(word).ok());
        let (Some(port), Some(schedule)) = (port, schedule) else {
            return;
        };
        let numbering = self.numbering(&port, &schedule);
        match (name, words.next().and_then(|word| MeterId::new(word).ok())) {
            (SLOT_VERSION, _) => numbering.version = value,
            (SLOT_FLOOR, _) => (numbering.base, numbering.unused) = (value, value),
            (_, Some(meter)) => {
                numbering.unused = numbering.unused.max(value);
                numbering.served.insert(meter, value);
            }
            (_, None) => {}
        }
    }

    /// Notes that a meter's slot has its session, so that downtime starts behind it.
    pub(crate) fn served(
        &mut self,
        source: &SourceId,
        schedule: &ScheduleId,
        meter: &MeterId,
        slot: Slot,
    ) {
        let numbering = self.numbering(source, schedule);
        if numbering.used(slot) {
            numbering.stopped = false;
            let served = numbering.served.entry(meter.clone()).or_default();
            *served = (*served).max(slot.number.saturating_add(1));
        }
    }

    /// Whether a batch of this stream is new (A4.2: (meter, seq, point) is unique).
    pub(crate) fn verdict(&self, stream: &Stream, seq: Seq) -> Verdict {
        if seq.0 < self.windows.get(stream).copied().unwrap_or(0) {
            Verdict::Known
        } else {
            Verdict::New
        }
    }

    /// The next block for a producer that goes on from the block it holds.
    pub(crate) fn extend(&mut self, stream: &Stream) -> Lease {
        let next = self.leases.get(stream).copied().unwrap_or(0);
        let lease = Lease {
            next,
            end: next + LEASE_BLOCK,
        };
        self.leases.insert(stream.clone(), lease.end);
        lease
    }

    /// The first block for a producer that has just started, and what became of the block before:
    /// numbers known to have been attempted are a gap, numbers never attempted are skipped (A4.2).
    pub(crate) fn restart(
        &mut self,
        stream: &Stream,
        source: &SourceId,
        attempted: Option<Attempted>,
        now: MonoNs,
    ) -> (Lease, Vec<Payload>) {
        let committed = self.windows.get(stream).copied().unwrap_or(0);
        let leased = self
            .leases
            .get(stream)
            .copied()
            .unwrap_or(committed)
            .max(committed);
        let mut entries = Vec::new();
        if let Stream::Meter(meter) = stream {
            let mut next = committed;
            if let Some(attempt) = attempted.filter(|a| (committed..leased).contains(&a.seq)) {
                entries.push(
                    Marker {
                        at: now,
                        marker: MarkerKind::SeqGap,
                        source: source.clone(),
                        schedule: None,
                        slot: attempt.slot,
                        meter_id: Some(meter.clone()),
                        seq: Some(Seq(committed)),
                        count: Some(attempt.seq + 1 - committed),
                        last_attempt: Some(attempt.at),
                        last_reply: attempt.reply_at,
                    }
                    .into(),
                );
                next = attempt.seq + 1;
            }
            if next < leased {
                entries.push(
                    SeqSkip {
                        at: now,
                        meter_id: meter.clone(),
                        first: Seq(next),
                        count: leased - next,
                        cause: SkipCause::LeaseAbandoned,
                    }
                    .into(),
                );
            }
        }
        self.leases.insert(stream.clone(), leased);
        (self.extend(stream), entries)
    }

    /// Where a schedule on a port goes on, given its meters and the slot that UTC says is next.
    ///
    /// A clock that was set back would repeat numbers: then a new version of the numbering starts.
    pub(crate) fn start_schedule<'m>(
        &mut self,
        source: &SourceId,
        schedule: &ScheduleId,
        meters: impl Iterator<Item = &'m MeterId>,
        utc_next: u64,
    ) -> SlotStart {
        let numbering = self.numbering(source, schedule);
        let first = numbering.version == 0;
        let back = !first && utc_next < numbering.unused;
        let version = if first || back {
            numbering.version + 1
        } else {
            numbering.version
        };
        let open = numbering.open_from(meters);
        let end = if back { numbering.unused } else { utc_next };
        let missed = (!first && open < end).then_some((
            Slot {
                version: numbering.version,
                number: open,
            },
            end - open,
        ));
        let was_stopped = numbering.stopped;
        *numbering = Numbering {
            version,
            base: utc_next,
            unused: utc_next,
            ..Numbering::default()
        };
        SlotStart {
            slot: Slot {
                version,
                number: utc_next,
            },
            missed,
            was_stopped,
        }
    }

    /// The lease table to be made durable before a lease leaves.
    pub(crate) fn leases(&self) -> &BTreeMap<Stream, u64> {
        &self.leases
    }

    /// Everything that recovery needs, as counters of a snapshot.
    pub(crate) fn freeze(&self, source: &SourceId) -> Vec<Counter> {
        let counter = |name: &str, label: String, value: u64| Counter {
            name: name.to_owned(),
            label: Some(label),
            state: CounterState::Value,
            value: Some(value),
            source: source.clone(),
        };
        let windows = self
            .windows
            .iter()
            .map(|(stream, next)| counter(SEQ_WINDOW, stream.to_string(), *next));
        let slots = self
            .numberings
            .iter()
            .flat_map(|((port, schedule), numbering)| {
                let label = format!("{port} {schedule}");
                let served = numbering.served.iter().map({
                    let label = label.clone();
                    move |(meter, next)| counter(SLOT_SERVED, format!("{label} {meter}"), *next)
                });
                [
                    counter(SLOT_VERSION, label.clone(), numbering.version),
                    counter(SLOT_FLOOR, label, numbering.base),
                ]
                .into_iter()
                .chain(served)
            });
        windows.chain(slots).collect()
    }
}

#[cfg(test)]
mod tests;
