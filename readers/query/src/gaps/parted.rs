//! A branch of the log that a generation does not follow: where it went on under other numberings, each is
//! judged by what was in force in it, and the time up to the generation's first slot is the adoption's.

use super::handed::{Frozen, HandedOver, Reached};
use super::ledger::{Account, Down, Due, Numbering};
use evidence::reasons::DowntimeCause;
use evidence::{EntryId, Generation, MeterId, ScheduleId, Slot, SourceId, UtcNs};
use std::collections::BTreeSet;

/// A schedule whose newest numbering the generation does not know.
#[derive(Debug)]
pub(super) struct Parted {
    /// The generation.
    pub(super) by: Generation,
    /// The version that it took up.
    version: u64,
    /// The newest numbering of the branch.
    place: usize,
    /// The entry that says so: it names the log before, or the slots that nobody served since; `None` once the generation's first slot is known, and where
    /// nobody owes slots between the two.
    named_by: Option<EntryId>,
}

impl Due {
    /// Whether entries of a generation can speak of these slots.
    pub(super) fn is_known_to(&self, generation: Generation) -> bool {
        self.since.is_none_or(|since| since <= generation)
            && self.until.is_none_or(|until| generation < until)
    }
}

impl Account {
    /// Takes leave of the numberings that the generation just begun does not know: it may use their
    /// versions for others.
    pub(super) fn part_ways(&mut self) {
        let Some(handed) = self.handed_over.last() else {
            return;
        };
        let state = |(port, schedule, _): &Numbering| {
            let key = (port.clone(), schedule.clone());
            handed.slots.get(&key)
        };
        let left = self.numberings.iter().filter(|(numbering, place)| {
            let due = self.due.get(**place);
            !state(numbering).is_some_and(|state| goes_on(numbering.2, due, state))
        });
        let left: Vec<(Numbering, usize)> = left
            .map(|(numbering, place)| (numbering.clone(), *place))
            .collect();
        let (by, named_by) = (handed.generation, handed.named_by);
        let owed = handed.reached.owed.clone();
        // In order of versions: the newest of a schedule stays.
        let mut schedules = BTreeSet::new();
        for (numbering, place) in left {
            let version = state_version(self.handed_over.last(), &numbering);
            self.numberings.remove(&numbering);
            if let Some(due) = self.due.get_mut(place) {
                due.until = Some(by);
            }
            let (port, schedule, _) = numbering;
            let parted = Parted {
                by,
                version,
                place,
                named_by: named_by.filter(|_| owed.contains(&(port.clone(), schedule.clone()))),
            };
            schedules.insert((port.clone(), schedule.clone(), version));
            self.parted.insert((port, schedule), parted);
        }
        for numbering in schedules {
            self.end_at_branch(&numbering);
        }
    }

    /// The numbering that a generation takes up had ended in the branch with the slots that it shows.
    fn end_at_branch(&mut self, numbering: &Numbering) {
        let due = self.numberings.get(numbering);
        let Some(due) = due.and_then(|place| self.due.get_mut(*place)) else {
            return;
        };
        let end = due.last.map_or(0, |last| last.saturating_add(1));
        if let Some(run) = due.runs.last_mut() {
            run.end = Some(end);
        }
    }

    /// Whether a generation takes up a numbering of which nothing is here but what replaced it.
    pub(super) fn was_left_behind(
        &self,
        port: &SourceId,
        schedule: &ScheduleId,
        version: u64,
    ) -> bool {
        let parted = self.parted.get(&(port.clone(), schedule.clone()));
        parted.is_some_and(|parted| {
            let newest = self.due.get(parted.place).map(|due| due.numbering.2);
            parted.named_by.is_some() && parted.version == version && newest > Some(version)
        })
    }

    /// The generation has its first slot: up to it the branch's schedule was in force, and silent.
    pub(super) fn begins_again(&mut self, port: &SourceId, schedule: &ScheduleId, slot: Slot) {
        let Some(parted) = self.parted.get(&(port.clone(), schedule.clone())) else {
            return;
        };
        let Some(entry) = parted.named_by else { return };
        let numbering = (port.clone(), schedule.clone(), slot.version);
        let known = self.numberings.get(&numbering);
        let pace = known.and_then(|place| self.due.get(*place)?.pace);
        let pace = pace.or_else(|| self.pace(schedule));
        if let Some(until) = pace.and_then(|pace| pace.utc(slot.number)) {
            self.silent_until(parted.place, until, DowntimeCause::Adoption, entry);
        }
        if let Some(parted) = self.parted.get_mut(&(port.clone(), schedule.clone())) {
            parted.named_by = None;
        }
    }

    /// The generation names slots that nobody served, before its first: so it is in the branch's schedule.
    pub(super) fn goes_on_silent(
        &mut self,
        port: &SourceId,
        schedule: &ScheduleId,
        version: u64,
        down: &Down,
    ) {
        let parted = self.parted.get(&(port.clone(), schedule.clone()));
        let Some(parted) = parted.filter(|parted| parted.named_by.is_some()) else {
            return;
        };
        let state = self.handed_over.last().and_then(|handed| {
            let key = (port.clone(), schedule.clone());
            handed
                .slots
                .get(&key)
                .filter(|state| state.version == version)
        });
        let last = state.and_then(|state| state.pace?.utc(down.end.saturating_sub(1)));
        let behind = last.map(|last| UtcNs(last.0.saturating_add(1)));
        let Some(until) = behind.filter(|_| down.meter.is_none()) else {
            return;
        };
        self.silent_until(parted.place, until, down.cause, down.entry);
        // What is left up to the first slot is told by the same entry.
        if down.cause == DowntimeCause::Adoption
            && let Some(parted) = self.parted.get_mut(&(port.clone(), schedule.clone()))
        {
            parted.named_by = Some(down.entry);
        }
    }

    fn silent_until(&mut self, place: usize, until: UtcNs, cause: DowntimeCause, entry: EntryId) {
        let Some(due) = self.due.get_mut(place) else {
            return;
        };
        let Some(pace) = due.pace.filter(|pace| pace.every_ms > 0) else {
            return;
        };
        let (last, end) = (due.last.unwrap_or(0), pace.first_from(until));
        // A clock that was set back shows nothing of what was due.
        if end > last {
            due.last = Some(last.max(end.saturating_sub(1)));
            due.downtimes.push(Down {
                first: last,
                end,
                cause,
                meter: None,
                entry,
            });
        }
    }

    /// How far the generations before one are held.
    pub(super) fn reached_of(&self, generation: Generation) -> Option<&Reached> {
        let of_it = |handed: &&HandedOver| handed.generation == generation;
        self.handed_over
            .iter()
            .find(of_it)
            .map(|handed| &handed.reached)
    }

    /// Where what explains a meter's silence begins: an adoption explains nothing of a branch as far as the
    /// branch's own sessions are held.
    pub(super) fn silent_from(&self, place: usize, meter: &MeterId, down: &Down) -> u64 {
        if down.cause != DowntimeCause::Adoption {
            return down.first;
        }
        let reached = self.reached_of(down.entry.generation);
        let reached = reached.and_then(|reached| reached.slots.get(&(place, meter.clone())));
        let until = self.due.get(place).and_then(|due| due.until);
        let is_branch = until.is_some_and(|until| until <= down.entry.generation);
        match reached {
            // What of a branch was not delivered is between its last session and the slots named.
            Some(reached) if is_branch => *reached,
            Some(reached) => down.first.max(*reached),
            None => down.first,
        }
    }
}

/// Whether a numbering is one that a state takes up or left behind itself.
fn goes_on(version: u64, due: Option<&Due>, state: &Frozen) -> bool {
    let known = due.and_then(|due| due.pace);
    let taken_up = state.pace.filter(|pace| pace.every_ms > 0);
    let other = known
        .zip(taken_up)
        .is_some_and(|(known, taken_up)| known != taken_up);
    version < state.version || (version == state.version && !other)
}

fn state_version(handed: Option<&HandedOver>, numbering: &Numbering) -> u64 {
    let key = (numbering.0.clone(), numbering.1.clone());
    let state = handed.and_then(|handed| handed.slots.get(&key));
    state.map_or(0, |state| state.version)
}
