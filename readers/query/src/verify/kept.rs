//! Keep-rings: what they hold of entries that left the ring, and whether it leads into the tree.

use super::report::{FindingKind, Kept, Report};
use super::unkept::{self, Unkept, WhyUnkept};
use evidence::{Entry, Kind};
use journal::keep::{KeepFinding, KeepRing, Part, Store, Stretch};
use journal::{ReadTruth, ReadVolume, Reader};
use proof::Frontier;
use std::cell::LazyCell;

/// Verifies a keep-ring of the generation that `reader` reads, into `report`; `told` is what that log tells of what is
/// not in it, asked for only where something is missing.
pub fn verify_kept<K: ReadVolume, V: ReadVolume, T: ReadTruth>(
    ring: &KeepRing<K>,
    reader: &Reader<V, T>,
    told: &LazyCell<WhyUnkept, impl FnOnce() -> WhyUnkept>,
    report: &mut Report,
) {
    let mut walk = Walk {
        store: ring.store(),
        oldest: reader.oldest().0,
        tree: None,
        kept: Kept {
            store: ring.store().name(),
            entries: 0,
            first: None,
            end: 0,
        },
        report,
    };
    for item in ring.frames() {
        match item {
            Ok(frame) => {
                walk.stretch(&frame.stretch);
                walk.meets_the_ring(reader);
            }
            Err(finding) => {
                let why = told.why(&finding);
                walk.missing(finding, why);
            }
        }
    }
    walk.finish(|end, oldest| told.why_absent(end, oldest));
}

struct Walk<'r> {
    store: Store,
    /// First entry that the ring itself holds.
    oldest: u64,
    /// The tree that the frames lead to; `None` where nothing leads on from what came before.
    tree: Option<Frontier>,
    kept: Kept,
    report: &'r mut Report,
}

impl Walk<'_> {
    fn stretch(&mut self, stretch: &Stretch) {
        let (begin, end) = (stretch.begin(), stretch.end());
        if self
            .tree
            .as_ref()
            .is_some_and(|tree| tree != stretch.before())
        {
            let words = self.words("do not continue what was kept before them");
            let span = Some((begin, end.saturating_sub(1)));
            self.report.find(FindingKind::Root, span, words);
        }
        self.kept.first.get_or_insert(begin);
        self.kept.end = end;
        for part in stretch.parts() {
            let Part::Kept(stored) = part else { continue };
            self.kept.entries = self.kept.entries.saturating_add(1);
            let id = stored.commit_id.0;
            let own = Entry::decode(&stored.bytes).ok();
            let own = own.filter(|entry| entry.header.commit_id == stored.commit_id);
            let Some(entry) = own else {
                let words = self.words("is not the entry that belongs there");
                self.report.find(FindingKind::Entry, Some((id, id)), words);
                continue;
            };
            // What the ring holds as well was told of there.
            let kept_only = id < self.oldest && entry.header.kind == Kind::Event;
            if let Some(payload) = entry.payload().ok().filter(|_| kept_only) {
                unkept::note(id, &payload, self.report);
            }
        }
        self.tree = Some(stretch.after().clone());
    }

    /// Where the frames have come to what the ring still holds, both know the tree.
    fn meets_the_ring<V: ReadVolume, T: ReadTruth>(&mut self, reader: &Reader<V, T>) {
        let Some(tree) = self.tree.as_ref().filter(|tree| tree.size() >= self.oldest) else {
            return;
        };
        if reader
            .frontier_at(tree.size())
            .is_ok_and(|own| own != *tree)
        {
            let end = tree.size();
            let words = self.words(&format!(
                "lead to another tree of {end} entries than the log has"
            ));
            self.report.find(FindingKind::Root, None, words);
        }
    }

    fn missing(&mut self, finding: KeepFinding, why: Option<Unkept>) {
        self.absent(
            (finding.first, finding.end),
            why,
            "cannot be read: the frame is damaged",
        );
        self.kept.end = finding.end;
        self.tree = self.tree.take().and_then(|mut tree| {
            let range = finding.range?;
            tree.append_range(&range).is_ok().then_some(tree)
        });
    }

    fn finish(mut self, why_absent: impl FnOnce(u64, u64) -> Option<Unkept>) {
        let (end, oldest) = (self.kept.end, self.oldest);
        if end < oldest {
            let why = why_absent(end, oldest);
            self.absent(
                (end, oldest),
                why,
                "are not there, though their entries have left the ring",
            );
        }
        self.report.kept.push(self.kept);
    }

    /// What is not kept of a stretch, as the log explains it, or else as `otherwise` says.
    fn absent(&mut self, (first, end): (u64, u64), why: Option<Unkept>, otherwise: &str) {
        let (kind, words) = match why {
            Some(Unkept::Lost) => (
                FindingKind::LossNamed,
                "were lost in the ring before, as a LOSS entry of the log names".to_owned(),
            ),
            Some(Unkept::PassedOver { event }) => (
                FindingKind::KeepIncomplete,
                format!(
                    "were not taken when they left the ring, as entry {event} (keep_failed) tells"
                ),
            ),
            None => (FindingKind::Damaged, otherwise.to_owned()),
        };
        let words = self.words(&words);
        let span = Some((first, end.saturating_sub(1)));
        self.report.find(kind, span, words);
    }

    fn words(&self, what: &str) -> String {
        format!("entries kept in keep-{} {what}", self.store.name())
    }
}
