//! What a generation says that the log before it accounted for, where that log is not held here.

use super::ledger::{Account, Numbering};
use contract::Pace;
use evidence::frozen::names;
use evidence::kinds::Counter;
use evidence::{EntryId, Generation, MeterId, ScheduleId, SourceId};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A numbering as the frozen state has it.
#[derive(Debug, Default)]
pub(super) struct Frozen {
    pub(super) version: u64,
    pub(super) pace: Option<Pace>,
    pub(super) floor: u64,
    pub(super) meters: BTreeMap<MeterId, u64>,
}

/// What was accounted for before a generation's first frozen state that is here.
#[derive(Debug)]
pub(super) struct HandedOver {
    /// The entry that names the predecessor; `None` where it has left the ring with all that it began.
    pub(super) named_by: Option<EntryId>,
    pub(super) generation: Generation,
    pub(super) slots: BTreeMap<(SourceId, ScheduleId), Frozen>,
    windows: BTreeMap<MeterId, u64>,
    pub(super) reached: Reached,
}

/// How far the generations before are held.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// The slot behind the last session, by the numbering's place and meter.
    pub(super) slots: BTreeMap<(usize, MeterId), u64>,
    /// The number behind the last session.
    pub(super) seqs: BTreeMap<MeterId, u64>,
    /// Schedules of which the contract in force expected readings.
    pub(super) owed: BTreeSet<(SourceId, ScheduleId)>,
}

/// Slots that something not held here accounts for, and the entry that says so; without one they are
/// no part of the account.
pub(super) type Handed = (u64, u64, Option<EntryId>);

/// The numberings that a frozen state holds.
pub(super) fn frozen(state: &[Counter]) -> BTreeMap<(SourceId, ScheduleId), Frozen> {
    let mut frozen: BTreeMap<(SourceId, ScheduleId), Frozen> = BTreeMap::new();
    for counter in state {
        let label = counter.label.as_deref().unwrap_or_default();
        let mut words = label.split(' ');
        let key = words.next().and_then(|word| word.parse().ok());
        let key = key.zip(words.next().and_then(|word| word.parse().ok()));
        let meter = words.next().and_then(|word| word.parse().ok());
        let (Some(value), Some(key), true) =
            (counter.value, key, counter.name.starts_with("slot_"))
        else {
            continue;
        };
        let state = frozen.entry(key).or_default();
        match (counter.name.as_str(), meter) {
            (names::SLOT_VERSION, _) => state.version = value,
            (names::SLOT_FLOOR, _) => state.floor = value,
            (names::SLOT_EVERY, _) => state.pace.get_or_insert(Pace::NONE).every_ms = value,
            (names::SLOT_OFFSET, _) => state.pace.get_or_insert(Pace::NONE).offset_ms = value,
            (names::SLOT_SERVED, Some(meter)) => drop(state.meters.insert(meter, value)),
            _ => {}
        }
    }
    frozen
}

impl Account {
    /// Entries of another generation follow.
    pub(super) fn entered(&mut self, first: EntryId) {
        self.entering = (first.commit_id.0 > 0).then_some(first.generation);
        let mut reached = Reached::default();
        for (meter, sessions) in &self.sessions {
            if let Some((seq, _)) = sessions.last_key_value() {
                reached.seqs.insert(meter.clone(), seq.saturating_add(1));
            }
            let records = self.records.get(meter);
            if let Some((_, newest)) = records.and_then(|all| all.last_key_value()) {
                reached.seqs.insert(meter.clone(), newest.end);
            }
            for (place, number) in sessions.values().filter_map(|session| session.slot) {
                let next = reached.slots.entry((place, meter.clone())).or_insert(0);
                *next = number.saturating_add(1).max(*next);
            }
        }
        let numberings = self.numberings.keys();
        let schedules: BTreeSet<_> = numberings
            .map(|(port, schedule, _)| (port.clone(), schedule.clone()))
            .collect();
        for (port, schedule) in schedules {
            if !self.expected(&port, &schedule).is_empty() {
                reached.owed.insert((port, schedule));
            }
        }
        self.reached = reached;
    }

    /// A generation begins behind another log.
    pub(super) fn adopted(&mut self, id: EntryId) {
        self.adopting = Some(id);
    }

    /// Takes in what a generation says that was accounted for before.
    pub(super) fn hand_over(&mut self, id: EntryId, state: &[Counter]) {
        let adopting = self
            .adopting
            .take_if(|entry| entry.generation == id.generation);
        let entering = self
            .entering
            .take_if(|generation| *generation == id.generation);
        if adopting.is_none() && entering.is_none() {
            return;
        }
        let windows = state.iter().filter_map(|counter| {
            let meter = counter.label.as_deref()?.strip_prefix("meter ")?;
            let window = (counter.name == names::SEQ_WINDOW).then_some(counter.value?)?;
            Some((meter.parse().ok()?, window))
        });
        self.handed_over.push(HandedOver {
            named_by: adopting,
            generation: id.generation,
            slots: frozen(state),
            windows: windows.collect(),
            reached: std::mem::take(&mut self.reached),
        });
        self.part_ways();
    }

    /// What is accounted for of a meter's slots by entries that are not here.
    pub(super) fn handed_slots(
        &self,
        place: usize,
        numbering: &Numbering,
        meter: &MeterId,
    ) -> Vec<Handed> {
        let (port, schedule, version) = numbering;
        let due = self.due.get(place);
        let known = |handed: &&HandedOver| due.is_none_or(|due| due.is_known_to(handed.generation));
        let told = self.not_here().filter(known).filter_map(|handed| {
            let state = handed.slots.get(&(port.clone(), schedule.clone()))?;
            let end = match state.version.cmp(version) {
                Ordering::Less => return None,
                Ordering::Greater => u64::MAX,
                Ordering::Equal => state.meters.get(meter).copied().unwrap_or(state.floor),
            };
            let reached = handed.reached.slots.get(&(place, meter.clone()));
            Some((reached.copied().unwrap_or(0), end, handed.named_by))
        });
        told.filter(|(first, end, _)| first < end).collect()
    }

    /// Whether a stretch of a meter's session numbers is accounted for by entries that are not here.
    pub(super) fn handed_seqs(&self, meter: &MeterId, first: u64, end: u64) -> bool {
        self.not_here().any(|handed| {
            let reached = handed.reached.seqs.get(meter).copied().unwrap_or(0);
            let window = handed.windows.get(meter).copied().unwrap_or(0);
            reached <= first && end <= window
        })
    }

    fn not_here(&self) -> impl Iterator<Item = &HandedOver> {
        let handed = self.handed_over.iter();
        handed.filter(|handed| {
            handed.named_by.is_none() || self.not_held.contains(&handed.generation)
        })
    }
}
