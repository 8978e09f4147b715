//! What the entries established: which slots were due, which sessions there were, what explains the rest.

use super::cards::Records;
use super::filled::Filled;
use super::handed::{HandedOver, Reached, frozen};
use super::parted::Parted;
use contract::{Contract, Pace};
use evidence::kinds::{AttemptFailed, Counter, Downtime, Marker, Opaque, Reading, SeqSkip};
use evidence::reasons::{AttemptCause, DowntimeCause, MarkerKind, SkipCause};
use evidence::{EntryId, Generation, MeterId, PointId, ScheduleId, Seq, Slot, SourceId, UtcNs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A schedule on a port within one version of its numbering.
pub(super) type Numbering = (SourceId, ScheduleId, u64);

/// One read session of a meter.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The numbering's place in [`Account::due`], and the slot's number.
    pub(super) slot: Option<(usize, u64)>,
    pub(super) first: Option<EntryId>,
    /// Points read, with how often.
    pub(super) readings: BTreeMap<PointId, u64>,
    /// Points that it left without a reading, with the entry and the cause: one for the attempt that ended a read
    /// session, for a card one for each point.
    pub(super) failed: Vec<(EntryId, &'static str, Vec<PointId>)>,
    /// Whether a request left the node.
    pub(super) on_the_wire: bool,
}

/// Sessions attempted without a committed result; each served one slot, the last one is known.
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
    /// Behind its last slot, where a branch of the log went on under another numbering.
    pub(super) end: Option<u64>,
    /// Where a meter's account begins later, because older entries have left the log.
    pub(super) floors: BTreeMap<MeterId, u64>,
    /// Where the numbering began, for a run taken up from the frozen state of a segment.
    pub(super) base: Option<u64>,
    pub(super) expected: Arc<Vec<Expected>>,
    pub(super) entry: EntryId,
}

/// Due slots that nobody served.
#[derive(Clone, Debug)]
pub(super) struct Down {
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) cause: DowntimeCause,
    /// The only meter concerned.
    pub(super) meter: Option<MeterId>,
    pub(super) entry: EntryId,
}

/// Slots of a numbering known to have been due.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) numbering: Numbering,
    pub(super) pace: Option<Pace>,
    pub(super) runs: Vec<Run>,
    pub(super) last: Option<u64>,
    pub(super) stopped: bool,
    pub(super) downtimes: Vec<Down>,
    /// The generation that begins it again beside one of the same version that it did not know.
    pub(super) since: Option<Generation>,
    /// The generation that does not know of it.
    pub(super) until: Option<Generation>,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    contract: Option<Contract>,
    /// Meters of the contract in force; runs under the same contract share them.
    expected: BTreeMap<(SourceId, ScheduleId), Arc<Vec<Expected>>>,
    pub(super) numberings: BTreeMap<Numbering, usize>,
    /// Schedules of which a generation does not know the newest numberings.
    pub(super) parted: BTreeMap<(SourceId, ScheduleId), Parted>,
    pub(super) due: Vec<Due>,
    pub(super) sessions: BTreeMap<MeterId, BTreeMap<u64, Session>>,
    /// Numbers of the records of cards, by the first of a stretch.
    pub(super) records: BTreeMap<MeterId, BTreeMap<u64, Records>>,
    /// The session of a slot of a card, by the numbering's place and the slot's number.
    pub(super) card_slots: BTreeMap<(SourceId, usize, u64), u64>,
    pub(super) gaps: BTreeMap<MeterId, Vec<SeqGap>>,
    pub(super) skips: BTreeMap<MeterId, Vec<(u64, u64)>>,
    /// Where the numbers of meters end that the contract has no more.
    removed: BTreeMap<MeterId, u64>,
    /// The epoch entry of a generation whose first snapshot is still to come.
    pub(super) adopting: Option<EntryId>,
    /// A generation whose first entries are gone and whose first frozen state is still to come.
    pub(super) entering: Option<Generation>,
    /// How far the generations before the one at hand are held.
    pub(super) reached: Reached,
    pub(super) handed_over: Vec<HandedOver>,
    /// Generations whose predecessor was not seen to its end.
    pub(super) not_held: BTreeSet<Generation>,
    /// What meters' memories gave.
    pub(super) filled: Filled,
}

impl Account {
    pub(super) fn configure(&mut self, contract: Contract) {
        if self.contract.as_ref() != Some(&contract) {
            self.expected.clear();
            self.contract = Some(contract);
        }
    }

    pub(super) fn reading(&mut self, id: EntryId, reading: &Reading) {
        let (source, slot) = (&reading.source, reading.slot);
        self.read(
            id,
            source,
            slot,
            (&reading.meter_id, reading.seq, &reading.point_id),
        );
    }

    /// What is carried serves its point's slot as a reading does.
    pub(super) fn opaque(&mut self, id: EntryId, opaque: &Opaque) {
        let (source, slot) = (&opaque.source, opaque.slot);
        self.read(
            id,
            source,
            slot,
            (&opaque.meter_id, opaque.seq, &opaque.point_id),
        );
    }

    fn read(
        &mut self,
        id: EntryId,
        source: &SourceId,
        slot: Option<Slot>,
        (meter, seq, point): (&MeterId, Seq, &PointId),
    ) {
        let slot = self.slot_seen(source, meter, slot);
        let session = self.session(meter, seq.0);
        session.slot = session.slot.or(slot);
        session.first.get_or_insert(id);
        session.on_the_wire = true;
        *session.readings.entry(point.clone()).or_default() += 1;
    }

    pub(super) fn attempt(&mut self, id: EntryId, failed: AttemptFailed) {
        let slot = self.slot_seen(&failed.source, &failed.meter_id, failed.slot);
        let session = self.session(&failed.meter_id, failed.seq.0);
        session.slot = session.slot.or(slot);
        session.first.get_or_insert(id);
        session.on_the_wire |= !matches!(
            failed.cause,
            AttemptCause::SlotOverrun
                | AttemptCause::Quarantined
                | AttemptCause::LateReplyWindow
                | AttemptCause::Stopped
                | AttemptCause::BudgetSpent
        );
        if failed.last {
            session.failed = vec![(id, failed.cause.name(), failed.points)];
        }
    }

    pub(super) fn marker(&mut self, id: EntryId, marker: Marker) {
        if let (MarkerKind::SeqGap, Some(meter), Some(first), Some(count)) =
            (marker.marker, &marker.meter_id, marker.seq, marker.count)
        {
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
        match marker.marker {
            MarkerKind::ScheduleStart => {
                self.begins_again(&marker.source, &schedule, slot);
                let run = Run {
                    first: slot.number,
                    end: None,
                    base: None,
                    floors: BTreeMap::new(),
                    expected: self.expected(&marker.source, &schedule),
                    entry: id,
                };
                let pace = self.pace(&schedule);
                let due = self.due(marker.source, schedule, slot.version);
                due.pace = due.pace.or(pace);
                due.runs.push(run);
                due.stopped = false;
            }
            MarkerKind::Heartbeat | MarkerKind::ScheduleStop => {
                let due = self.due(marker.source, schedule, slot.version);
                due.last = due.last.max(Some(slot.number));
                due.stopped = marker.marker == MarkerKind::ScheduleStop;
            }
            MarkerKind::SeqGap => {}
        }
    }

    /// Takes up the account where the start of a schedule has left the log: the frozen state that the
    /// recorder writes at the start of every segment says below which slots all is accounted for.
    pub(super) fn resume(&mut self, id: EntryId, state: &[Counter]) {
        let frozen = frozen(state);
        for ((port, schedule), state) in frozen {
            let expected = self.expected(&port, &schedule);
            let closed = state.pace.is_some_and(|pace| pace.every_ms == 0);
            if state.version == 0 || closed || expected.is_empty() {
                continue;
            }
            if self.was_left_behind(&port, &schedule, state.version) {
                continue;
            }
            let pace = state.pace.or_else(|| self.pace(&schedule));
            let due = self.due(port, schedule, state.version);
            due.pace = due.pace.or(pace);
            if due.runs.is_empty() {
                let floor = |meter: &MeterId| state.meters.get(meter).copied();
                let floors = expected.iter().map(|expected| {
                    let meter = &expected.meter;
                    (meter.clone(), floor(meter).unwrap_or(state.floor))
                });
                due.runs.push(Run {
                    first: 0,
                    end: None,
                    base: Some(state.floor),
                    floors: floors.collect(),
                    expected,
                    entry: id,
                });
            }
        }
    }

    pub(super) fn downtime(&mut self, id: EntryId, downtime: Downtime) {
        let Some(count) = downtime.count.filter(|count| *count > 0) else {
            return;
        };
        let Slot { version, number } = downtime.first;
        let down = Down {
            first: number,
            end: number.saturating_add(count),
            cause: downtime.cause,
            meter: downtime.meter_id,
            entry: id,
        };
        self.goes_on_silent(&downtime.source, &downtime.schedule, version, &down);
        let due = self.due(downtime.source, downtime.schedule, version);
        due.last = due.last.max(Some(down.end.saturating_sub(1)));
        due.downtimes.push(down);
    }

    pub(super) fn skip(&mut self, id: EntryId, skip: &SeqSkip) {
        let end = skip.first.0.saturating_add(skip.count);
        let mut range = (skip.first.0, end);
        match skip.cause {
            SkipCause::Removed => drop(self.removed.insert(skip.meter_id.clone(), end)),
            // Between its end and its return no number was the meter's.
            SkipCause::Begun => {
                let ended = self.removed.remove(&skip.meter_id);
                range.0 = ended.map_or(range.0, |ended| ended.min(range.0));
            }
            // What is held of the branch before is judged by its own entries.
            SkipCause::Adoption => {
                let reached = self.reached_of(id.generation);
                let reached = reached.and_then(|reached| reached.seqs.get(&skip.meter_id));
                range.0 = reached.map_or(range.0, |reached| range.0.max(*reached).min(end));
            }
            SkipCause::LeaseAbandoned => {}
        }
        let skips = self.skips.entry(skip.meter_id.clone());
        skips.or_default().push(range);
    }

    /// All session numbers of a meter that some entry explains.
    pub(super) fn explained_seqs(&self, meter: &MeterId) -> BTreeSet<(u64, u64)> {
        let sessions = self.sessions.get(meter).into_iter().flatten();
        let single = sessions.map(|(seq, _)| (*seq, seq.saturating_add(1)));
        let gaps = self.gaps.get(meter).into_iter().flatten();
        let gaps = gaps.map(|gap| (gap.first, gap.first.saturating_add(gap.count)));
        let skips = self.skips.get(meter).into_iter().flatten().copied();
        let records = self.records.get(meter).into_iter().flatten();
        let records = records.map(|(first, records)| (*first, records.end));
        single.chain(gaps).chain(skips).chain(records).collect()
    }

    /// Whether any run expected readings of this meter.
    pub(super) fn meters(&self) -> BTreeSet<&MeterId> {
        let runs = self.due.iter().flat_map(|due| &due.runs);
        let expected = runs.flat_map(|run| run.expected.iter());
        expected.map(|expected| &expected.meter).collect()
    }

    /// When a slot of a numbering is due.
    pub(super) fn utc(&self, (place, number): (usize, u64)) -> Option<UtcNs> {
        self.due.get(place)?.pace?.utc(number)
    }

    /// When the last slot was due that sessions without result served.
    pub(super) fn gap_utc(&self, meter: &MeterId, gap: &SeqGap) -> Option<UtcNs> {
        let Slot { version, number } = gap.slot?;
        let expects = |run: &Run| {
            let mut expected = run.expected.iter();
            run.first <= number && expected.any(|expected| expected.meter == *meter)
        };
        let due = self.due.iter().find(|due| {
            due.numbering.2 == version
                && due.is_known_to(gap.entry.generation)
                && due.last >= Some(number)
                && due.runs.iter().any(expects)
        })?;
        due.pace?.utc(number)
    }

    /// Whether a schedule went on under a later version.
    pub(super) fn has_ended(&self, (port, schedule, version): &Numbering) -> bool {
        let later = (port.clone(), schedule.clone(), version.saturating_add(1));
        let last = (port.clone(), schedule.clone(), u64::MAX);
        *version < u64::MAX && self.numberings.range(later..=last).next().is_some()
    }

    pub(super) fn pace(&self, schedule: &ScheduleId) -> Option<Pace> {
        let contract = self.contract.as_ref()?;
        contract.schedules.get(schedule).map(Pace::of)
    }

    pub(super) fn expected(
        &mut self,
        source: &SourceId,
        schedule: &ScheduleId,
    ) -> Arc<Vec<Expected>> {
        let contract = self.contract.as_ref();
        let meters = contract
            .into_iter()
            .flat_map(|contract| contract.meters.values())
            .filter(|meter| meter.port == *source && meter.schedule == *schedule)
            .map(|meter| Expected {
                meter: meter.id.clone(),
                points: meter.points.iter().map(|point| point.id.clone()).collect(),
            });
        // A card is one meter, whose points are those that follow the schedule.
        let own = contract.map(|contract| contract.points.following(source, schedule));
        let own = own
            .filter(|points| !points.is_empty())
            .map(|points| Expected {
                meter: MeterId::from(source),
                points: points.into_iter().cloned().collect(),
            });
        let known = self.expected.entry((source.clone(), schedule.clone()));
        Arc::clone(known.or_insert_with(|| Arc::new(meters.chain(own).collect())))
    }

    pub(super) fn due_at(&mut self, numbering: Numbering) -> usize {
        let next = self.due.len();
        let at = *self.numberings.entry(numbering.clone()).or_insert(next);
        if at == next {
            let schedule = (numbering.0.clone(), numbering.1.clone());
            let since = self.parted.get(&schedule).map(|parted| parted.by);
            self.due.push(Due {
                numbering,
                since,
                until: None,
                pace: None,
                runs: Vec::new(),
                last: None,
                stopped: false,
                downtimes: Vec::new(),
            });
        }
        at
    }

    #[expect(clippy::indexing_slicing, reason = "due_at gives the place of an item")]
    fn due(&mut self, source: SourceId, schedule: ScheduleId, version: u64) -> &mut Due {
        let at = self.due_at((source, schedule, version));
        &mut self.due[at]
    }

    /// The slot's numbering, by the contract in force, in which it is now known to have been due.
    fn slot_seen(
        &mut self,
        source: &SourceId,
        meter: &MeterId,
        slot: Option<Slot>,
    ) -> Option<(usize, u64)> {
        let contract = self.contract.as_ref()?;
        let schedule = contract.meters.get(meter)?.schedule.clone();
        self.slot_of(source, schedule, slot?)
    }

    /// The same of a slot whose schedule is known.
    pub(super) fn slot_of(
        &mut self,
        source: &SourceId,
        schedule: ScheduleId,
        slot: Slot,
    ) -> Option<(usize, u64)> {
        let Slot { version, number } = slot;
        let at = self.due_at((source.clone(), schedule, version));
        let due = self.due.get_mut(at)?;
        due.last = due.last.max(Some(number));
        Some((at, number))
    }

    /// The contract in force.
    pub(super) fn contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    fn session(&mut self, meter: &MeterId, seq: u64) -> &mut Session {
        let sessions = self.sessions.entry(meter.clone()).or_default();
        sessions.entry(seq).or_default()
    }
}
