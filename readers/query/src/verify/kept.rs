//! Keep-rings: what they hold of entries that left the ring, and whether it leads into the tree.

use super::report::{FindingKind, Kept, Report};
use super::unkept;
use evidence::reasons::LossCause;
use evidence::{Entry, Kind, Payload};
use journal::keep::{KeepFinding, KeepRing, Part, Store, Stretch};
use journal::{ReadTruth, ReadVolume, Reader};
use proof::Frontier;

/// Verifies a keep-ring of the generation that `reader` reads, into `report`.
pub fn verify_kept<K: ReadVolume, V: ReadVolume, T: ReadTruth>(
    ring: &KeepRing<K>,
    reader: &Reader<V, T>,
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
    let mut named = None;
    for item in ring.frames() {
        match item {
            Ok(frame) => {
                walk.stretch(&frame.stretch);
                walk.meets_the_ring(reader);
            }
            Err(finding) => {
                let losses = named.get_or_insert_with(|| NamedLosses::of(reader));
                let by_name = losses.cover(finding.first, finding.end);
                walk.missing(finding, by_name);
            }
        }
    }
    walk.finish();
}

/// What the LOSS entries that are still in the ring name of damage, in ranges that are apart: what was lost there
/// could not pass by a keep-ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLosses(Vec<(u64, u64)>);

impl NamedLosses {
    /// Reads the whole log for them.
    #[must_use]
    pub fn of<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>) -> Self {
        let entries = reader.entries(reader.oldest()).flatten();
        let losses = entries.filter(|stored| stored.kind() == Some(Kind::Loss));
        let named = losses.filter_map(|stored| match stored.entry().ok()?.payload().ok()? {
            // What was given up could be read, and passed by before it left.
            Payload::Loss(loss) if loss.cause != LossCause::Pruned => {
                Some((loss.first.0, loss.first.0.saturating_add(loss.count)))
            }
            _ => None,
        });
        Self::joined(named.collect())
    }

    fn joined(mut named: Vec<(u64, u64)>) -> Self {
        named.sort_unstable();
        let mut apart: Vec<(u64, u64)> = Vec::new();
        for (first, end) in named {
            match apart.last_mut() {
                Some(last) if first <= last.1 => last.1 = last.1.max(end),
                _ => apart.push((first, end)),
            }
        }
        Self(apart)
    }

    /// Whether they name every entry from `first` to the one before `end`.
    #[must_use]
    pub fn cover(&self, first: u64, end: u64) -> bool {
        let mut all = self.0.iter();
        all.any(|(from, to)| *from <= first && end <= *to)
    }
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

    fn missing(&mut self, finding: KeepFinding, by_name: bool) {
        let span = Some((finding.first, finding.end.saturating_sub(1)));
        let (kind, words) = match by_name {
            true => {
                let what = "were lost in the ring before, as a LOSS entry of the log names";
                (FindingKind::LossNamed, self.words(what))
            }
            false => {
                let what = "cannot be read: the frame is damaged";
                (FindingKind::Damaged, self.words(what))
            }
        };
        self.report.find(kind, span, words);
        self.kept.end = finding.end;
        self.tree = self.tree.take().and_then(|mut tree| {
            let range = finding.range?;
            tree.append_range(&range).is_ok().then_some(tree)
        });
    }

    fn finish(self) {
        let (end, oldest) = (self.kept.end, self.oldest);
        if end < oldest {
            let words = self.words("are not there, though their entries have left the ring");
            let span = Some((end, oldest.saturating_sub(1)));
            self.report.find(FindingKind::Damaged, span, words);
        }
        self.report.kept.push(self.kept);
    }

    fn words(&self, what: &str) -> String {
        format!("entries kept in keep-{} {what}", self.store.name())
    }
}

#[cfg(test)]
mod tests {
    use super::NamedLosses;

    //= A5.4
    #[test]
    fn losses_side_by_side_cover_what_lies_across_them_and_nothing_else() {
        let named = NamedLosses::joined(vec![(20, 24), (10, 12), (12, 15), (11, 13)]);
        assert_eq!(named, NamedLosses(vec![(10, 15), (20, 24)]));
        for (first, end, covered) in [
            (10, 15, true),
            (20, 22, true),
            (9, 11, false),
            (14, 21, false),
        ] {
            assert_eq!(named.cover(first, end), covered, "{first} to {end}");
        }
    }
}
