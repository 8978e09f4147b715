//! What the log itself tells of its keep-rings: what was lost before it could pass by one, and what left the segments
//! without passing by.

use super::ranges::Ranges;
use super::report::{FindingKind, Report};
use evidence::kinds::Unkept;
use evidence::reasons::{KeepStore, LossCause};
use evidence::{Kind, Payload};
use journal::keep::{KeepFinding, KeepRing, Part};
use journal::{ReadTruth, ReadVolume, Reader, StoredEntry};
use std::collections::BTreeMap;

/// Why a keep-ring does not hold what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// It was lost in the log's own ring before.
    Lost,
    /// It did not pass by when it left the log's own ring.
    PassedOver,
}

/// What a log tells of what is not in its keep-rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhyUnkept {
    /// Entries that LOSS entries name of damage.
    losses: Ranges,
    /// Entries that did not pass by, of each keep-ring.
    unkept: BTreeMap<KeepStore, Ranges>,
}

impl WhyUnkept {
    /// Reads the whole log for it, and what its keep-rings hold of entries that left.
    pub fn of<'k, K: ReadVolume + 'k, V: ReadVolume, T: ReadTruth>(
        reader: &Reader<V, T>,
        rings: impl IntoIterator<Item = &'k KeepRing<K>>,
    ) -> Self {
        let mut told = Self::default();
        for ring in rings {
            for frame in ring.frames().flatten() {
                for part in frame.stretch.parts() {
                    if let Part::Kept(stored) = part {
                        told.hear(stored);
                    }
                }
            }
        }
        let entries = reader.entries(reader.oldest());
        entries.flatten().for_each(|stored| told.hear(&stored));
        told
    }

    fn hear(&mut self, stored: &StoredEntry) {
        if !matches!(stored.kind(), Some(Kind::Loss | Kind::Unkept)) {
            return;
        }
        let Some(payload) = stored.entry().ok().and_then(|entry| entry.payload().ok()) else {
            return;
        };
        match payload {
            // What was given up could be read, and passed by before it left.
            Payload::Loss(loss) if loss.cause != LossCause::Pruned => {
                self.losses.add(reach(loss.first.0, loss.count));
            }
            Payload::Unkept(unkept) => {
                let ranges = self.unkept.entry(unkept.store).or_default();
                ranges.add(reach(unkept.first.0, unkept.count));
            }
            _ => {}
        }
    }

    /// Why a stretch that was found missing in a keep-ring is, where the log tells. Damage explains itself by nothing that
    /// was passed over: whoever wrote behind it still had it.
    #[must_use]
    pub fn why(&self, store: KeepStore, found: &KeepFinding) -> Option<Lacking> {
        match found.was_absent {
            true => self.why_absent(store, found.first, found.end),
            false => self.why_lost(found.first, found.end),
        }
    }

    /// Why entries from `first` to the one before `end` never came to be kept in `store`.
    #[must_use]
    pub fn why_absent(&self, store: KeepStore, first: u64, end: u64) -> Option<Lacking> {
        self.why_lost(first, end).or_else(|| {
            let mut told = self.unkept.get(&store)?.clone();
            // Part of it may have been lost before it could be passed over.
            self.losses.iter().for_each(|lost| told.add(lost));
            told.cover(first, end).then_some(Lacking::PassedOver)
        })
    }

    fn why_lost(&self, first: u64, end: u64) -> Option<Lacking> {
        self.losses.cover(first, end).then_some(Lacking::Lost)
    }
}

/// First entry, and the one behind the last.
const fn reach(first: u64, count: u64) -> (u64, u64) {
    (first, first.saturating_add(count))
}

/// What was told of keep-rings while entries were read: by the id of the entry that tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told(BTreeMap<u64, Unkept>);

impl Told {
    /// Takes what an entry tells, if it tells anything of them.
    pub(super) fn hear(&mut self, id: u64, payload: &Payload) {
        if let Payload::Unkept(unkept) = payload {
            self.0.insert(id, unkept.clone());
        }
    }

    /// A finding for each stretch of each keep-ring that was told of; it is told anew from here on.
    pub(super) fn tell(&mut self) -> Vec<((u64, u64), String)> {
        let told = std::mem::take(&mut self.0);
        let mut findings = Vec::new();
        for store in KeepStore::ALL {
            let of_store = || told.iter().filter(|(_, unkept)| unkept.store == *store);
            let mut ranges = Ranges::default();
            of_store().for_each(|(_, unkept)| ranges.add(reach(unkept.first.0, unkept.count)));
            for (first, end) in ranges.iter() {
                let inside = |(_, unkept): &(&u64, &Unkept)| (first..end).contains(&unkept.first.0);
                let Some((id, unkept)) = of_store().find(inside) else {
                    continue;
                };
                let says = unkept.says.as_deref().unwrap_or(unkept.cause.meaning());
                let words = format!(
                    "did not pass by keep-{store} when they left the segments, as the log tells (unkept, first in entry \
                     {id}): {says}"
                );
                findings.push(((first, end.saturating_sub(1)), words));
            }
        }
        findings
    }
}

/// Puts what was told of keep-rings into the report.
pub(super) fn report_told(report: &mut Report) {
    for (span, words) in report.unkept.tell() {
        report.find(FindingKind::KeepIncomplete, Some(span), words);
    }
}

#[cfg(test)]
mod tests;
