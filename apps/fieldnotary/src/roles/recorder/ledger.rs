//! What the recorder knows of every stream of numbers: committed, leased, due.
//!
//! A stream is a meter (its read sessions) or a port (its events). Pure: it is rebuilt from committed
//! entries and from the lease table, and every decision it takes is a value that the caller commits.

mod frozen;
mod held;
mod life;
mod numbering;
mod points;
mod retired;
mod work;

pub(super) use numbering::Missed;
pub(super) use retired::has_stream;

use contract::{Contract, Pace, Schedule};
use evidence::kinds::{Configuration, Marker, SeqSkip};
use evidence::reasons::{MarkerKind, SkipCause};
use evidence::{
    Generation, MeterId, MonoNs, Payload, PointId, ScheduleId, Seq, Slot, SourceId, Stream, UtcNs,
};
use numbering::{Lost, Numbering};
use std::collections::{BTreeMap, BTreeSet};

// Beside the rows, the table has a head and a CRC.
const _: () = assert!(contract::limits::LEASES_BYTES + 512 <= journal::limits::TABLE_BYTES);

/// Numbers handed out at once; a crash of a producer skips at most this many.
pub(crate) const LEASE_BLOCK: u64 = 1_024;
/// Numbers of a stream that one generation may use, as a power of two: whatever another copy of the log
/// does with the numbers of its own generation, it never reaches those of the next.
const GENERATION_NUMBERS_LOG2: u32 = 32;

/// First number of every stream in a generation.
pub(crate) fn first_number(generation: Generation) -> u64 {
    let before = generation.0.saturating_sub(1);
    before.saturating_mul(1 << GENERATION_NUMBERS_LOG2)
}

/// Whether a number is the first of every stream in some generation.
pub(crate) const fn is_first_number(number: u64) -> bool {
    number.trailing_zeros() >= GENERATION_NUMBERS_LOG2
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotStart {
    pub(crate) slot: Slot,
    pub(crate) missed: Vec<Missed>,
    /// Whether it was started before in this run of the recorder.
    pub(crate) again: bool,
}

/// A numbering that the contract has no more, and what passed in it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotEnd {
    pub(crate) source: SourceId,
    pub(crate) schedule: ScheduleId,
    pub(crate) last: Slot,
    pub(crate) missed: Vec<Missed>,
}

/// Windows of all streams and the standing of all numberings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    windows: BTreeMap<Stream, u64>,
    leases: BTreeMap<Stream, u64>,
    numberings: BTreeMap<(SourceId, ScheduleId), Numbering>,
    /// First number of a stream that nothing is known of: no stream ever used it, or any above.
    floor: u64,
    /// Numbers that streams had open which were closed in this run of the recorder.
    closed: BTreeMap<Stream, std::ops::Range<u64>>,
    /// Numberings started in this run of the recorder.
    started: BTreeSet<(SourceId, ScheduleId)>,
    /// Counts of pulse meters.
    counts: BTreeMap<PointId, u64>,
    /// Work of people that has not ended, and how often it was begun.
    work: BTreeMap<work::Scope, u64>,
    contract: Option<Contract>,
    /// Parts of a contract that is not complete yet.
    parts: Vec<Configuration>,
    frozen: bool,
    frozen_parts: evidence::frozen::Parts,
    /// What is known of the meters themselves.
    life: io_plane::life::Life,
    /// Slots that their memories may fill.
    missed: io_plane::life::Missed,
}

impl Ledger {
    /// Starts from the lease table; committed entries are then shown with [`Ledger::observe`].
    pub(crate) fn new(leases: impl IntoIterator<Item = (Stream, u64)>) -> Self {
        Self {
            leases: leases.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same in a generation, whose streams begin where it begins to count.
    pub(crate) fn of(
        generation: Generation,
        leases: impl IntoIterator<Item = (Stream, u64)>,
    ) -> Self {
        Self {
            floor: first_number(generation),
            ..Self::new(leases)
        }
    }

    /// Moves every stream to where a new generation begins to count. Gives back the numbers of each
    /// meter that are passed over.
    pub(crate) fn adopt(&mut self, generation: Generation, now: MonoNs) -> Vec<SeqSkip> {
        let first = first_number(generation);
        let known: BTreeSet<Stream> = self
            .windows
            .keys()
            .chain(self.leases.keys())
            .cloned()
            .collect();
        let mut skips = Vec::new();
        for stream in known {
            let pending = self.pending(&stream);
            let next = first.max(pending.end);
            if let Stream::Meter(meter) = &stream
                && pending.start < next
            {
                skips.push(SeqSkip {
                    at: now,
                    meter_id: meter.clone(),
                    first: Seq(pending.start),
                    count: next - pending.start,
                    cause: SkipCause::Adoption,
                });
            }
            self.windows.insert(stream.clone(), next);
            self.leases.insert(stream, next);
        }
        self.floor = first;
        skips
    }

    /// The contract in force by the entries seen.
    pub(crate) fn contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    /// Whether a frozen state was seen, so that nothing older needs to be read.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Takes in a committed entry, in order of commit.
    pub(crate) fn observe(&mut self, payload: &Payload) {
        self.note_missed(payload);
        match payload {
            Payload::Reading(reading) => {
                self.committed(Stream::Meter(reading.meter_id.clone()), reading.seq.0);
                self.serve(&reading.source, &reading.meter_id, reading.slot);
            }
            Payload::Opaque(opaque) => {
                self.committed(Stream::Meter(opaque.meter_id.clone()), opaque.seq.0);
                self.serve(&opaque.source, &opaque.meter_id, opaque.slot);
            }
            Payload::AttemptFailed(failed) => {
                self.committed(Stream::Meter(failed.meter_id.clone()), failed.seq.0);
                self.serve(&failed.source, &failed.meter_id, failed.slot);
            }
            // It comes with the readings or failures of its session, which are what serves a slot.
            Payload::MeterReport(report) => {
                self.committed(Stream::Meter(report.meter_id.clone()), report.seq.0);
            }
            Payload::Soe(_)
            | Payload::Output(_)
            | Payload::PulseCount(_)
            | Payload::Analog(_)
            | Payload::ModemReport(_)
            | Payload::Excursion(_)
            | Payload::ResetReason(_) => self.observe_point(payload),
            Payload::Event(event) => {
                if let Some(seq) = event.seq {
                    self.committed(Stream::Port(event.source.clone()), seq.0);
                }
            }
            Payload::SeqSkip(skip) => self.skipped(skip),
            Payload::Marker(marker) => self.observe_marker(marker),
            Payload::Downtime(downtime) => {
                let (meter, count) = (downtime.meter_id.as_ref(), downtime.count.unwrap_or(0));
                self.numbering(&downtime.source, &downtime.schedule).missed(
                    meter,
                    downtime.first,
                    count,
                );
            }
            Payload::Maintenance(work) => self.worked(work),
            Payload::Configuration(part) => self.observe_configuration(part),
            Payload::CounterSnapshot(snapshot) => self.observe_snapshot(snapshot),
            Payload::Audit(_)
            | Payload::Checkpoint(_)
            | Payload::Ack(_)
            | Payload::EpochStart(_)
            | Payload::Loss(_)
            | Payload::TimeMap(_)
            | Payload::Probe(_)
            | Payload::SignOff(_)
            | Payload::KeyStore(_)
            | Payload::Binding(_)
            | Payload::Unsealed(_)
            | Payload::Unkept(_)
            | Payload::Calibration(_)
            | Payload::Firmware(_)
            | Payload::Rollback(_)
            | Payload::KeyUse(_)
            | Payload::Boot(_)
            | Payload::Attestation(_)
            | Payload::Enrolment(_)
            | Payload::Revocation(_)
            | Payload::Timestamp(_)
            | Payload::TimestampFailed(_)
            | Payload::KeyRotation(_)
            | Payload::Wiring(_)
            | Payload::MeterLife(_)
            | Payload::Backfill(_)
            | Payload::Command(_)
            | Payload::ClockOrder(_)
            | Payload::ClockSet(_)
            | Payload::Tag(_) => {}
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
        let (Some(schedule), Some(slot)) = (&marker.schedule, marker.slot) else {
            return;
        };
        let source = &marker.source;
        match marker.marker {
            MarkerKind::Heartbeat => {
                self.numbering(source, schedule).used(slot);
            }
            MarkerKind::ScheduleStop => {
                let dropped = self
                    .contract
                    .as_ref()
                    .is_some_and(|contract| meters_on(contract, source, schedule).next().is_none());
                let numbering = self.numbering(source, schedule);
                numbering.stopped(slot);
                if dropped {
                    numbering.close();
                }
            }
            MarkerKind::ScheduleStart => {
                let contract = self.contract.as_ref();
                let plan = contract.and_then(|contract| contract.schedules.get(schedule));
                let meters = contract
                    .into_iter()
                    .flat_map(|contract| meters_on(contract, source, schedule));
                let started = Numbering::starting(slot, plan.map(Pace::of), meters);
                *self.numbering(source, schedule) = started;
            }
            MarkerKind::SeqGap => {}
        }
    }

    fn observe_configuration(&mut self, part: &Configuration) {
        if part.part == 0 {
            self.parts.clear();
        }
        self.parts.push(part.clone());
        if part.part.saturating_add(1) == part.parts {
            // A contract that cannot be read leaves the one before in force, as it does for readers.
            if let Ok(contract) = Contract::from_parts(&self.parts) {
                self.keep_known(&contract);
                self.missed.configure(self.contract.as_ref(), &contract);
                self.contract = Some(contract);
            }
            self.parts.clear();
        }
    }

    /// Notes that a meter's slot has its session, so that downtime starts behind it.
    fn serve(&mut self, source: &SourceId, meter: &MeterId, slot: Option<Slot>) {
        let contract = self.contract.as_ref();
        let plan = contract.and_then(|contract| contract.meters.get(meter));
        if let (Some(slot), Some(plan)) = (slot, plan) {
            let key = (source.clone(), plan.schedule.clone());
            let numbering = self.numberings.entry(key).or_default();
            numbering.serve(meter, slot);
        }
    }

    fn numbering(&mut self, source: &SourceId, schedule: &ScheduleId) -> &mut Numbering {
        self.numberings
            .entry((source.clone(), schedule.clone()))
            .or_default()
    }

    fn committed(&mut self, stream: Stream, seq: u64) {
        let window = self.windows.entry(stream).or_default();
        *window = (*window).max(seq.saturating_add(1));
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
        let next = self.leases.get(stream).copied().unwrap_or(self.floor);
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
        let (entries, end) = match self.is_known(stream) {
            true => self.close(stream, source, attempted, SkipCause::LeaseAbandoned, now),
            false => self.begin(stream, now),
        };
        self.leases.insert(stream.clone(), end);
        (self.extend(stream), entries)
    }

    /// Numbers leased that no entry speaks of yet.
    fn pending(&self, stream: &Stream) -> std::ops::Range<u64> {
        if let Some(open) = self.closed.get(stream).filter(|_| !self.is_known(stream)) {
            return open.clone();
        }
        let committed = self.windows.get(stream).copied().unwrap_or(self.floor);
        let leased = self.leases.get(stream).copied().unwrap_or(committed);
        committed..leased.max(committed)
    }

    /// Where a schedule on a port goes on, given its meters by the contract in force and the time.
    ///
    /// A clock that was set back would repeat numbers, and another pace would give them another
    /// meaning: then a new version of the numbering starts, and the old one is closed in its own terms.
    pub(crate) fn start_schedule(
        &mut self,
        source: &SourceId,
        plan: &Schedule,
        meters: impl Iterator<Item = MeterId>,
        utc: UtcNs,
        attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
    ) -> SlotStart {
        let (pace, key) = (Pace::of(plan), (source.clone(), plan.id.clone()));
        let utc_next = pace.next_after(utc);
        let mut missed = Vec::new();
        let mut version = 1;
        if let Some(before) = self.numberings.get(&key).filter(|old| old.version > 0) {
            let repaced = before.pace.is_some_and(|old| old != pace);
            let back = utc_next < before.unused;
            version = before.version.saturating_add(u64::from(repaced || back));
            missed = self.close_below(before, utc, Some(pace), attempted);
        }
        let slot = Slot {
            version,
            number: utc_next,
        };
        let started = Numbering::starting(slot, Some(pace), meters);
        self.numberings.insert(key.clone(), started);
        SlotStart {
            slot,
            missed,
            again: !self.started.insert(key),
        }
    }

    /// What a numbering has open at this time; no slot that was ever used is left out.
    fn close_below(
        &self,
        numbering: &Numbering,
        utc: UtcNs,
        otherwise: Option<Pace>,
        attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
    ) -> Vec<Missed> {
        let pace = numbering.pace.or(otherwise);
        let due = pace.map_or(0, |pace| pace.next_after(utc));
        let end = due.max(numbering.unused);
        numbering.open_below(end, &|meter| {
            let pending = self.pending(&Stream::Meter(meter.clone()));
            Lost::of(&attempted(meter)?, pending)
        })
    }

    /// Closes the numberings that have no meter by the contract in force.
    pub(crate) fn end_dropped(
        &mut self,
        utc: UtcNs,
        attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
    ) -> Vec<SlotEnd> {
        let Some(contract) = &self.contract else {
            return Vec::new();
        };
        let dropped = |(port, schedule): &&(SourceId, ScheduleId)| {
            meters_on(contract, port, schedule).next().is_none()
        };
        let keys: Vec<_> = self.numberings.keys().filter(dropped).cloned().collect();
        let mut ended = Vec::new();
        for key in keys {
            let Some(numbering) = self.numberings.get(&key).filter(|old| !old.is_closed()) else {
                continue;
            };
            let missed = self.close_below(numbering, utc, None, attempted);
            let next = missed.iter().map(|run| run.first.number + run.count).max();
            let last = next.unwrap_or(numbering.unused).saturating_sub(1);
            ended.push(SlotEnd {
                last: Slot {
                    version: numbering.version,
                    number: last,
                },
                missed,
                source: key.0.clone(),
                schedule: key.1.clone(),
            });
            self.numbering(&key.0, &key.1).close();
        }
        ended
    }

    /// The lease table to be made durable before a lease leaves.
    pub(crate) fn leases(&self) -> &BTreeMap<Stream, u64> {
        &self.leases
    }
}

/// The meters of a schedule on a port; on a card its points, which are one.
pub(crate) fn meters_on<'c>(
    contract: &'c Contract,
    port: &SourceId,
    schedule: &ScheduleId,
) -> impl Iterator<Item = MeterId> + use<'c> {
    let (port, schedule) = (port.clone(), schedule.clone());
    let (at, on) = (port.clone(), schedule.clone());
    let mine = move |meter: &&contract::Meter| meter.port == port && meter.schedule == schedule;
    let meters = contract.meters.values().filter(mine);
    let follows = contract.points.schedules_on(&at).contains(&on);
    let points = follows.then(|| MeterId::from(&at));
    meters.map(|meter| meter.id.clone()).chain(points)
}

#[cfg(test)]
mod tests;
