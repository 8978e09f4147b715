//! What meters' own memories gave of slots that were missed: it stands beside a gap and never closes it.

use super::ledger::Account;
use evidence::kinds::Backfill;
use evidence::reasons::BackfillOutcome;
use evidence::{EntryId, MeterId, PointId, Slot};
use std::collections::BTreeMap;

/// The entries that fill the points of one slot.
pub(super) type Fills = BTreeMap<PointId, EntryId>;

/// Fills by meter, numbering and slot.
#[derive(Debug, Default)]
pub(super) struct Filled(BTreeMap<MeterId, BTreeMap<(usize, u64), Fills>>);

impl Filled {
    /// The slots of a meter within `first..end` of a numbering that have a fill.
    pub(super) fn of(
        &self,
        meter: &MeterId,
        place: usize,
        (first, end): (u64, u64),
    ) -> impl Iterator<Item = (u64, &Fills)> {
        let all = self.0.get(meter).into_iter();
        all.flat_map(move |all| all.range((place, first)..(place, end.max(first))))
            .map(|((_, number), fills)| (*number, fills))
    }
}

impl Account {
    /// Takes in what a memory gave; that it had nothing fills nothing.
    pub(super) fn backfill(&mut self, id: EntryId, filled: Backfill) {
        if filled.outcome != BackfillOutcome::Found {
            return;
        }
        let Some(point) = filled.point_id else { return };
        let Slot { version, number } = filled.slot;
        let place = self.due_at((filled.source, filled.schedule, version));
        let slots = self.filled.0.entry(filled.meter_id).or_default();
        let fills = slots.entry((place, number)).or_default();
        // The first one counts; the recorder takes no second.
        fills.entry(point).or_insert(id);
    }
}
