//! What the recorder knows of every stream of numbers: committed, leased, due.
//!
//! A stream is a meter (its read sessions) or a port (its events). Pure: it is rebuilt from committed
//! entries and from the lease table, and every decision it takes is a value that the caller commits.

use evidence::kinds::{Counter, CounterSnapshot, Marker, SeqSkip};
use evidence::reasons::{CounterState, MarkerKind, SkipCause};
use crate::roles::stream::Stream;
use evidence::{MonoNs, Payload, ScheduleId, Seq, Slot, SourceId};
use std::collections::BTreeMap;

/// Numbers handed out at once; a crash of a producer skips at most this many.
pub(crate) const LEASE_BLOCK: u64 = 1_024;

/// Counter names under which the ledger freezes itself at the start of every segment.
const SEQ_WINDOW: &str = "seq_window";
const SLOT_VERSION: &str = "slot_version";
const SLOT_FLOOR: &str = "slot_floor";

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

/// The slot numbering of one schedule on one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotFloor {
    pub(crate) version: u64,
    /// The first number not yet accounted for.
    pub(crate) next: u64,
    /// Whether the schedule was stopped orderly there.
    pub(crate) stopped: bool,
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
    floors: BTreeMap<(String, String), SlotFloor>,
    frozen: bool,
}

impl Ledger {
    /// Starts from the lease table; committed entries are then shown with [`Ledger::observe`].
    pub(crate) fn new(leases: impl IntoIterator<Item = (Stream, u64)>) -> Self {
        Self { leases: leases.into_iter().collect(), ..Self::default() }
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
                self.committed(Stream::Meter(skip.meter_id.clone()), skip.first.0 + skip.count.saturating_sub(1));
            }
            Payload::Marker(marker) => self.observe_marker(marker),
            Payload::Downtime(downtime) => {
                let end = downtime.first.number + downtime.count.unwrap_or(0);
                self.due(
                    downtime.source.as_str(),
                    downtime.schedule.as_str(),
                    Slot { version: downtime.first.version, number: end.saturating_sub(1) },
                    false,
                );
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
            self.committed(Stream::Meter(meter.clone()), first.0 + count.saturating_sub(1));
        }
        if let (Some(schedule), Some(slot)) = (&marker.schedule, marker.slot) {
            let source = marker.source.as_str();
            match marker.marker {
                MarkerKind::Heartbeat => self.due(source, schedule.as_str(), slot, false),
                MarkerKind::ScheduleStop => self.due(source, schedule.as_str(), slot, true),
                MarkerKind::ScheduleStart => {
                    let floor = SlotFloor { version: slot.version, next: slot.number, stopped: false };
                    self.floors.insert(key(source, schedule.as_str()), floor);
                }
                MarkerKind::SeqGap => {}
            }
        }
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
                SLOT_VERSION | SLOT_FLOOR => {
                    let Some((source, schedule)) = label.split_once(' ') else { continue };
                    let floor = self.floors.entry(key(source, schedule)).or_insert(SlotFloor {
                        version: 0,
                        next: 0,
                        stopped: false,
                    });
                    if counter.name == SLOT_VERSION {
                        floor.version = value;
                    } else {
                        floor.next = value;
                    }
                }
                _ => {}
            }
        }
    }

    fn committed(&mut self, stream: Stream, seq: u64) {
        let window = self.windows.entry(stream).or_default();
        *window = (*window).max(seq.saturating_add(1));
    }

    fn due(&mut self, source: &str, schedule: &str, slot: Slot, stopped: bool) {
        let floor = self.floors.entry(key(source, schedule)).or_insert(SlotFloor {
            version: slot.version,
            next: 0,
            stopped: false,
        });
        if slot.version >= floor.version {
            let next = slot.number.saturating_add(1);
            floor.next = if slot.version > floor.version { next } else { floor.next.max(next) };
            floor.version = slot.version;
            floor.stopped = stopped;
        }
    }

    /// Notes the slot that a session serves, so that downtime starts behind it.
    pub(crate) fn served(&mut self, source: &SourceId, schedule: &ScheduleId, slot: Slot) {
        self.due(source.as_str(), schedule.as_str(), slot, false);
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
        let lease = Lease { next, end: next + LEASE_BLOCK };
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
        let leased = self.leases.get(stream).copied().unwrap_or(committed).max(committed);
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

    /// Where a schedule on a port goes on, given the slot that UTC says is next.
    ///
    /// A clock that was set back would repeat numbers: then a new version of the numbering starts.
    pub(crate) fn start_schedule(
        &mut self,
        source: &SourceId,
        schedule: &ScheduleId,
        utc_next: u64,
    ) -> SlotStart {
        let at = key(source.as_str(), schedule.as_str());
        let start = match self.floors.get(&at).copied() {
            None => SlotStart {
                slot: Slot { version: 1, number: utc_next },
                missed: None,
                was_stopped: false,
            },
            Some(floor) if utc_next < floor.next => SlotStart {
                slot: Slot { version: floor.version + 1, number: utc_next },
                missed: None,
                was_stopped: floor.stopped,
            },
            Some(floor) => SlotStart {
                slot: Slot { version: floor.version, number: utc_next },
                missed: (utc_next > floor.next).then_some((
                    Slot { version: floor.version, number: floor.next },
                    utc_next - floor.next,
                )),
                was_stopped: floor.stopped,
            },
        };
        let floor = SlotFloor { version: start.slot.version, next: utc_next, stopped: false };
        self.floors.insert(at, floor);
        start
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
        let windows =
            self.windows.iter().map(|(stream, next)| counter(SEQ_WINDOW, stream.to_string(), *next));
        let floors = self.floors.iter().flat_map(|((port, schedule), floor)| {
            let label = format!("{port} {schedule}");
            [
                counter(SLOT_VERSION, label.clone(), floor.version),
                counter(SLOT_FLOOR, label, floor.next),
            ]
        });
        windows.chain(floors).collect()
    }
}

fn key(source: &str, schedule: &str) -> (String, String) {
    (source.to_owned(), schedule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Attempted, LEASE_BLOCK, Ledger, SlotStart, Verdict};
    use crate::roles::stream::Stream;
    use evidence::kinds::{CounterSnapshot, Marker, SeqSkip};
    use evidence::reasons::MarkerKind;
    use evidence::{MeterId, MonoNs, Payload, ScheduleId, Seq, Slot, SourceId};

    fn port() -> SourceId {
        SourceId::new("rs485-1").unwrap()
    }

    fn meter(id: &str) -> Stream {
        Stream::Meter(MeterId::new(id).unwrap())
    }

    fn schedule() -> ScheduleId {
        ScheduleId::new("fast").unwrap()
    }

    fn attempted(seq: u64) -> Attempted {
        let slot = Some(Slot { version: 1, number: 70 });
        Attempted { seq, at: MonoNs(5), slot, reply_at: None }
    }

    fn restart(ledger: &mut Ledger, known: Option<Attempted>) -> (u64, Vec<Payload>) {
        let (lease, entries) =
            ledger.restart(&meter("m1"), &port(), known, MonoNs(9));
        (lease.next, entries)
    }

    //= A4.2
    #[test]
    fn numbers_attempted_before_a_crash_are_a_gap_and_the_rest_is_skipped() {
        let mut ledger = Ledger::default();
        let (first, none) = restart(&mut ledger, None);
        assert_eq!((first, none.len()), (0, 0));
        for seq in 0..10 {
            ledger.committed(meter("m1"), seq);
        }
        let (next, entries) = restart(&mut ledger, Some(attempted(11)));
        assert_eq!(next, LEASE_BLOCK);
        let [Payload::Marker(gap), Payload::SeqSkip(skip)] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!((gap.marker, gap.seq, gap.count), (MarkerKind::SeqGap, Some(Seq(10)), Some(2)));
        assert_eq!((skip.first, skip.count), (Seq(12), LEASE_BLOCK - 12));
    }

    //= A4.2
    //= A4.8
    #[test]
    fn every_number_below_a_new_block_is_committed_in_a_gap_or_skipped() {
        for committed in 0..6u64 {
            for last in [None, Some(0), Some(3), Some(5), Some(LEASE_BLOCK + 4)] {
                let mut ledger = Ledger::default();
                restart(&mut ledger, None);
                (0..committed).for_each(|seq| ledger.committed(meter("m1"), seq));
                let (next, entries) = restart(&mut ledger, last.map(attempted));
                let explained: u64 = entries
                    .iter()
                    .map(|entry| match entry {
                        Payload::Marker(Marker { count: Some(count), .. })
                        | Payload::SeqSkip(SeqSkip { count, .. }) => *count,
                        other => panic!("{other:?}"),
                    })
                    .sum();
                assert_eq!(committed + explained, next, "{committed} {last:?}");
            }
        }
    }

    //= A4.2
    #[test]
    fn what_was_committed_is_not_committed_again() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.verdict(&meter("m1"), Seq(0)), Verdict::New);
        ledger.committed(meter("m1"), 0);
        assert_eq!(ledger.verdict(&meter("m1"), Seq(0)), Verdict::Known);
        assert_eq!(ledger.verdict(&meter("m1"), Seq(1)), Verdict::New);
        assert_eq!(ledger.verdict(&meter("m2"), Seq(0)), Verdict::New);
    }

    //= A4.2
    #[test]
    fn missed_slots_are_counted_and_a_clock_set_back_opens_a_new_numbering() {
        let mut ledger = Ledger::default();
        ledger.start_schedule(&port(), &schedule(), 100);
        ledger.served(&port(), &schedule(), Slot { version: 1, number: 104 });
        let later = ledger.start_schedule(&port(), &schedule(), 110);
        let missed = Some((Slot { version: 1, number: 105 }, 5));
        let slot = Slot { version: 1, number: 110 };
        assert_eq!(later, SlotStart { slot, missed, was_stopped: false });
        let back = ledger.start_schedule(&port(), &schedule(), 50);
        assert_eq!((back.slot, back.missed), (Slot { version: 2, number: 50 }, None));
    }

    //= A5.2
    #[test]
    fn a_frozen_ledger_comes_back_whole() {
        let mut ledger = Ledger::default();
        ledger.committed(meter("m1"), 41);
        ledger.start_schedule(&port(), &schedule(), 7);
        let counters = ledger.freeze(&port());
        let mut back = Ledger::default();
        back.observe(&CounterSnapshot { at: MonoNs(0), counters }.into());
        assert!(back.is_frozen());
        assert_eq!(back.windows, ledger.windows);
        assert_eq!(back.floors, ledger.floors);
    }
}
