//! Keep-rings: what they hold of entries that left the ring, and whether it leads into the tree.

use super::report::{FindingKind, Kept, Report};
use super::unkept::{Lacking, WhyUnkept, report_told};
use evidence::reasons::KeepStore;
use evidence::{Entry, Kind, Payload};
use journal::keep::{KeepFinding, KeepRing, Part, Store, Stretch};
use journal::{ReadTruth, ReadVolume, Reader};
use proof::Frontier;
use std::cell::LazyCell;
use trust_plane::Rotation;

/// Verifies the keep-rings of the generation that `reader` reads, into the `report` that this generation was verified
/// into.
pub fn verify_kept<K: ReadVolume, V: ReadVolume, T: ReadTruth>(
    rings: &[&KeepRing<K>],
    reader: &Reader<V, T>,
    report: &mut Report,
) {
    // What the log tells is asked for only where something is missing.
    let told = LazyCell::new(|| WhyUnkept::of(reader, rings.iter().copied()));
    for ring in rings {
        verify_ring(ring, reader, &told, report);
    }
    report_told(report);
}

fn verify_ring<K: ReadVolume, V: ReadVolume, T: ReadTruth>(
    ring: &KeepRing<K>,
    reader: &Reader<V, T>,
    told: &LazyCell<WhyUnkept, impl FnOnce() -> WhyUnkept>,
    report: &mut Report,
) {
    let store = KeepStore::from(ring.store());
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
                let why = told.why(store, &finding);
                walk.missing(finding, why);
            }
        }
    }
    walk.finish(|end, oldest| told.why_absent(store, end, oldest));
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
            if !matches!(entry.header.kind, Kind::Unkept | Kind::KeyRotation) {
                continue;
            }
            match entry.payload() {
                Ok(Payload::KeyRotation(told)) => {
                    if let Ok(stated) = Rotation::read(told.statement.as_bytes()) {
                        self.report.state(&stated);
                    }
                }
                Ok(payload) => self.report.unkept.hear(id, &payload),
                Err(_) => {}
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

    fn missing(&mut self, finding: KeepFinding, why: Option<Lacking>) {
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

    fn finish(mut self, why_absent: impl FnOnce(u64, u64) -> Option<Lacking>) {
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
    fn absent(&mut self, (first, end): (u64, u64), why: Option<Lacking>, otherwise: &str) {
        let (kind, words) = match why {
            Some(Lacking::Lost) => (
                FindingKind::LossNamed,
                "were lost in the ring before, as a LOSS entry of the log names".to_owned(),
            ),
            // A finding of its own, with why.
            Some(Lacking::PassedOver) => return,
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
