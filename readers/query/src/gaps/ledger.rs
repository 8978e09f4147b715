//! What the entries established: which slots were due, which sessions there were, what explains the rest.

use contract::Contract;
use evidence::kinds::{AttemptFailed, CounterSnapshot, Downtime, Marker, Reading, SeqSkip};
use evidence::reasons::{AttemptCause, DowntimeCause, MarkerKind};
use evidence::{EntryId, MeterId, PointId, ScheduleId, Slot, SourceId};
use std::collections::{BTreeMap, BTreeSet};

/// A schedule on a port within one version of its numbering.
pub(super) type Numbering = (SourceId, ScheduleId, u64);

/// One read session of a meter.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) slot: Option<Slot>,
    pub(super) first: Option<EntryId>,
    /// Points read, with how often.
    pub(super) readings: BTreeMap<PointId, u64>,
    /// The attempt that ended the session without all its points.
    pub(super) failed: Option<(EntryId, AttemptCause, Vec<PointId>)>,
    /// Whether a request left the node.
    pub(super) on_the_wire: bool,
}

/// Sessions attempted without a committed result.
#[derive(Debug)]
pub(super) struct SeqGap {
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) slot: Option<Slot>,
    pub(super) entry: EntryId,
}

/// A meter as a run of its schedule knows it.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) meter: MeterId,
    pub(super) points: Vec<PointId>,
}

/// A stretch of due slots under one contract.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) expected: Vec<Expected>,
}

/// Slots of a numbering known to have been due.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) runs: Vec<Run>,
    pub(super) last: Option<u64>,
    pub(super) stopped: bool,
    pub(super) downtimes: Vec<(u64, u64, DowntimeCause, EntryId)>,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    contract: Option<Contract>,
    pub(super) due: BTreeMap<Numbering, Due>,
    pub(super) sessions: BTreeMap<MeterId, BTreeMap<u64, Session>>,
    pub(super) gaps: BTreeMap<MeterId, Vec<SeqGap>>,
    pub(super) skips: BTreeMap<MeterId, Vec<(u64, u64)>>,
    pub(super) captured: u64,
}

impl Account {
    pub(super) fn configure(&mut self, contract: Contract) {
        self.contract = Some(contract);
    }

    pub(super) fn reading(&mut self, id: EntryId, reading: &Reading) {
        self.captured += 1;
        self.slot_seen(&reading.source, &reading.meter_id, reading.slot);
        let session = self.session(&reading.meter_id, reading.seq.0);
        session.slot = session.slot.or(reading.slot);
        session.first.get_or_insert(id);
        session.on_the_wire = true;
        *session
            .readings
            .entry(reading.point_id.clone())
            .or_default() += 1;
    }

    pub(super) fn attempt(&mut self, id: EntryId, failed: AttemptFailed) {
        self.slot_seen(&failed.source, &failed.meter_id, failed.slot);
        let session = self.session(&failed.meter_id, failed.seq.0);
        session.slot = session.slot.or(failed.slot);
        session.first.get_or_insert(id);
        session.on_the_wire |= !matches!(
            failed.cause,
            AttemptCause::SlotOverrun
                | AttemptCause::Quarantined
                | AttemptCause::LateReplyWindow
                | AttemptCause::Stopped
        );
        if failed.last {
            session.failed = Some((id, failed.cause, failed.points));
        }
    }

    pub(super) fn marker(&mut self, id: EntryId, marker: Marker) {
        if let (MarkerKind::SeqGap, Some(meter), Some(first), Some(count)) =
            (marker.marker, &marker.meter_id, marker.seq, marker.count)
        {
            self.slot_seen(&marker.source, meter, marker.slot);
            let gap = SeqGap {
                first: first.0,
                count,
                slot: marker.slot,
                entry: id,
            };
            self.gaps.entry(meter.clone()).or_default().push(gap);
            return;
        }
        let (Some(schedule), Some(slot)) = (marker.schedule, marker.slot) else {
            return;
        };
        let expected = match marker.marker {
            MarkerKind::ScheduleStart => self.expected(&marker.source, &schedule),
            _ => Vec::new(),
        };
        let due = self
            .due
            .entry((marker.source, schedule, slot.version))
            .or_default();
        match marker.marker {
            MarkerKind::ScheduleStart => {
                due.runs.push(Run {
                    first: slot.number,
                    expected,
                });
                due.stopped = false;
            }
            MarkerKind::Heartbeat | MarkerKind::ScheduleStop => {
                due.last = due.last.max(Some(slot.number));
                due.stopped = marker.marker == MarkerKind::ScheduleStop;
            }
            MarkerKind::SeqGap => {}
        }
    }

    /// Takes up the account where the start of a schedule has left the log: the frozen state that the
    /// recorder writes at the start of every segment says below which slots all is accounted for.
    pub(super) fn resume(&mut self, snapshot: &CounterSnapshot) {
        let mut frozen: BTreeMap<(SourceId, ScheduleId), (u64, u64)> = BTreeMap::new();
        for counter in &snapshot.counters {
            let words: Vec<&str> = counter
                .label
                .as_deref()
                .unwrap_or_default()
                .split(' ')
                .collect();
            let (Some(value), [port, schedule, ..]) = (counter.value, words.as_slice()) else {
                continue;
            };
            let (Ok(port), Ok(schedule)) = (port.parse(), schedule.parse()) else {
                continue;
            };
            let (version, floor) = frozen.entry((port, schedule)).or_default();
            match counter.name.as_str() {
                "slot_version" => *version = value,
                "slot_floor" | "slot_served" => *floor = (*floor).max(value),
                _ => {}
            }
        }
        for ((port, schedule), (version, floor)) in frozen {
            let expected = self.expected(&port, &schedule);
            let due = self.due.entry((port, schedule, version)).or_default();
            if version > 0 && due.runs.is_empty() && !expected.is_empty() {
                due.runs.push(Run {
                    first: floor,
                    expected,
                });
            }
        }
    }

    pub(super) fn downtime(&mut self, id: EntryId, downtime: &Downtime) {
        let Some(count) = downtime.count.filter(|count| *count > 0) else {
            return;
        };
        let first = downtime.first.number;
        let at = (
            downtime.source.clone(),
            downtime.schedule.clone(),
            downtime.first.version,
        );
        let due = self.due.entry(at).or_default();
        due.downtimes
            .push((first, first + count, downtime.cause, id));
        due.last = due.last.max(Some(first + count - 1));
    }

    pub(super) fn skip(&mut self, skip: &SeqSkip) {
        let range = (skip.first.0, skip.first.0 + skip.count);
        self.skips
            .entry(skip.meter_id.clone())
            .or_default()
            .push(range);
    }

    /// The schedule that a meter is on, by the contract in force.
    pub(super) fn schedule_of(&self, meter: &MeterId) -> Option<ScheduleId> {
        Some(self.contract.as_ref()?.meters.get(meter)?.schedule.clone())
    }

    /// All session numbers of a meter that some entry explains.
    pub(super) fn explained_seqs(&self, meter: &MeterId) -> BTreeSet<(u64, u64)> {
        let single = self
            .sessions
            .get(meter)
            .into_iter()
            .flatten()
            .map(|(seq, _)| (*seq, seq + 1));
        let gaps = self.gaps.get(meter).into_iter().flatten();
        let gaps = gaps.map(|gap| (gap.first, gap.first + gap.count));
        let skips = self.skips.get(meter).into_iter().flatten().copied();
        single.chain(gaps).chain(skips).collect()
    }

    fn expected(&self, source: &SourceId, schedule: &ScheduleId) -> Vec<Expected> {
        let meters = self
            .contract
            .iter()
            .flat_map(|contract| contract.meters.values());
        meters
            .filter(|meter| meter.port == *source && meter.schedule == *schedule)
            .map(|meter| Expected {
                meter: meter.id.clone(),
                points: meter.points.iter().map(|point| point.id.clone()).collect(),
            })
            .collect()
    }

    fn slot_seen(&mut self, source: &SourceId, meter: &MeterId, slot: Option<Slot>) {
        let (Some(slot), Some(schedule)) = (slot, self.schedule_of(meter)) else {
            return;
        };
        let due = self
            .due
            .entry((source.clone(), schedule, slot.version))
            .or_default();
        due.last = due.last.max(Some(slot.number));
    }

    fn session(&mut self, meter: &MeterId, seq: u64) -> &mut Session {
        self.sessions
            .entry(meter.clone())
            .or_default()
            .entry(seq)
            .or_default()
    }
}
