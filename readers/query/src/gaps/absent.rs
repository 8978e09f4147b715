//! Which commit ids a log does not have: only these can a LOSS entry explain. What was given up and
//! then delivered after all is there.

use evidence::{CommitId, EntryId, Generation};

/// A LOSS entry's range and the entry itself.
pub(super) type Loss = (CommitId, u64, EntryId);

/// What LOSS entries explain.
#[derive(Clone, Debug, Default)]
pub(super) struct Gone {
    /// The parts of losses that are not there.
    pub(super) ranges: Vec<Loss>,
    /// Every stretch of ids that is not there, and whether losses name all of it.
    stretches: Vec<(Generation, u64, bool)>,
}

impl Gone {
    /// Whether the last entries that are missing before this one are all named as lost: what they said
    /// was said, and is gone. Entries that were retired are not.
    pub(super) fn right_before(&self, entry: EntryId) -> bool {
        let place = (entry.generation, entry.commit_id.0);
        let before = self
            .stretches
            .iter()
            .take_while(|(generation, end, _)| (*generation, *end) <= place);
        before
            .last()
            .is_some_and(|(generation, _, named)| *generation == entry.generation && *named)
    }
}

/// The ids between the entries seen, by generation, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Absent {
    generation: Option<Generation>,
    next: u64,
    ranges: Vec<(Generation, u64, u64)>,
}

impl Absent {
    /// Sees the next entry of the log.
    pub(super) fn see(&mut self, id: EntryId) {
        if self.generation != Some(id.generation) {
            self.generation = Some(id.generation);
            self.next = 0;
        }
        let at = id.commit_id.0;
        if at > self.next {
            self.ranges.push((id.generation, self.next, at));
        }
        self.next = self.next.max(at.saturating_add(1));
    }

    /// What of these losses is not there.
    pub(super) fn of(&self, losses: &[Loss]) -> Gone {
        let mut gone = Gone::default();
        for (generation, begin, end) in &self.ranges {
            let mut named = 0u64;
            let mut at = *begin;
            let mut within: Vec<_> = losses
                .iter()
                .filter(|(first, count, entry)| {
                    entry.generation == *generation
                        && first.0 < *end
                        && first.0.saturating_add(*count) > *begin
                })
                .collect();
            within.sort_by_key(|(first, _, _)| *first);
            for (first, count, entry) in within {
                // Said more than once, a loss counts once.
                let from = first.0.max(at);
                let to = first.0.saturating_add(*count).min(*end);
                if from < to {
                    gone.ranges.push((CommitId(from), to - from, *entry));
                    named = named.saturating_add(to - from);
                    at = to;
                }
            }
            gone.stretches
                .push((*generation, *end, named == end - begin));
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::Absent;
    use evidence::{CommitId, EntryId, Generation};

    fn id(generation: u64, commit_id: u64) -> EntryId {
        EntryId {
            generation: Generation(generation),
            commit_id: CommitId(commit_id),
        }
    }

    //= A4.3
    #[test]
    fn a_loss_explains_only_what_is_not_there() {
        let mut absent = Absent::default();
        for commit_id in [3, 4, 8, 9, 12] {
            absent.see(id(1, commit_id));
        }
        absent.see(id(2, 1));
        let of = |first, count, by| {
            let gone = absent.of(&[(CommitId(first), count, by)]);
            gone.ranges
                .iter()
                .map(|(first, count, _)| (first.0, *count))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(0, 20, id(1, 30)), [(0, 3), (5, 3), (10, 2)]);
        assert_eq!(of(6, 1, id(1, 30)), [(6, 1)]);
        assert_eq!(of(3, 2, id(1, 30)), [], "delivered after all");
        assert_eq!(of(0, 20, id(2, 30)), [(0, 1)]);
        assert_eq!(of(0, 20, id(3, 30)), []);
    }

    #[test]
    fn entries_that_were_retired_are_not_named_as_lost() {
        let mut absent = Absent::default();
        for commit_id in [100, 101, 150] {
            absent.see(id(1, commit_id));
        }
        let loss = |first, count| (CommitId(first), count, id(1, 160));
        let gone = absent.of(&[loss(60, 40), loss(102, 20), loss(102, 48)]);
        assert!(!gone.right_before(id(1, 101)), "0 to 59 were retired");
        assert!(gone.right_before(id(1, 150)));
        assert!(gone.right_before(id(1, 155)));
        assert!(!gone.right_before(id(2, 155)));
        let lost: u64 = gone.ranges.iter().map(|(_, count, _)| count).sum();
        assert_eq!(lost, 88, "said twice, counted once");
    }
}
