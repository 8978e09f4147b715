//! Entries given up before a cosigner stored them, and what carries the tree across them.
//!
//! The ring is finite and a collector may be away for longer than it lasts. What then has to leave is
//! named by LOSS entries (cause `pruned`) before it goes, with the hashes that let delivery continue
//! behind it. The statement is repeated at the start of every segment until a cosigned size covers it:
//! the entries that carry it would leave the ring otherwise.

use evidence::kinds::Loss;
use evidence::reasons::LossCause;
use evidence::{CommitId, Digest, MonoNs};
use ipc::message::Hole;
use proof::{CompactRange, Frontier, Hash};

/// Ranges of lost entries that a node remembers when their LOSS entries have left the ring.
const LOST_MAX: usize = 64;

/// One statement: a range of the tree and the entry that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    range: CompactRange,
    named_by: Option<CommitId>,
}

/// Neighbouring ranges that no cosigner has, from the oldest on; empty while nothing is given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GivenUp {
    /// The tree before the first part.
    before: Frontier,
    parts: Vec<Part>,
    /// Ranges that a cosigner has by name alone: first entry and how many, the newest [`LOST_MAX`].
    lost: Vec<(u64, u64)>,
}

impl GivenUp {
    /// The ranges that the cosigner has by name alone.
    pub(super) fn lost(&self) -> &[(u64, u64)] {
        &self.lost
    }

    /// Takes in such a range, as frozen state tells it.
    pub(super) fn observe_lost(&mut self, first: u64, count: u64) {
        if !self.lost.iter().any(|(known, _)| *known == first) {
            self.lost.push((first, count));
            self.lost.sort_unstable();
            let surplus = self.lost.len().saturating_sub(LOST_MAX);
            self.lost.drain(..surplus);
        }
    }

    /// Index after the last entry given up.
    pub(super) fn end(&self) -> Option<u64> {
        self.parts.last().map(|part| part.range.end())
    }

    /// How many entries are given up.
    pub(super) fn count(&self) -> u64 {
        self.end()
            .map_or(0, |end| end.saturating_sub(self.before.size()))
    }

    /// Begins anew behind this tree.
    pub(super) fn begin(&mut self, before: Frontier) {
        self.before = before;
        self.parts.clear();
    }

    /// Adds what is given up next. What is added apart can be cut apart.
    pub(super) fn add(&mut self, range: CompactRange) {
        let expected = self.end().unwrap_or(self.before.size());
        if range.begin() == expected && !range.is_empty() {
            self.parts.push(Part {
                range,
                named_by: None,
            });
        }
    }

    /// Joins the parts that end at or below `oldest`, except at the sizes where the collector may stand:
    /// only a part that still has readable entries, or that delivery may begin in, has to stay apart.
    pub(super) fn join_below(&mut self, oldest: u64, cuts: &[u64]) {
        let mut joined: Vec<Part> = Vec::new();
        for part in self.parts.drain(..) {
            match joined.last_mut() {
                Some(last) if part.range.end() <= oldest && !cuts.contains(&part.range.begin()) => {
                    // Neighbours by construction: `add` takes nothing else.
                    if last.range.append(&part.range).is_ok() {
                        last.named_by = None;
                    }
                }
                _ => joined.push(part),
            }
        }
        self.parts = joined;
    }

    /// A cosigner has the tree up to `size`, and entries below `oldest` had left the ring: what was given
    /// up and could still be read was delivered after all.
    pub(super) fn cosigned_to(&mut self, size: u64, oldest: u64) {
        let Some(end) = self.end().filter(|end| *end <= size) else {
            return;
        };
        let (first, end) = (self.before.size(), end.min(oldest));
        if first < end {
            self.observe_lost(first, end - first);
        }
        self.begin(Frontier::new());
    }

    /// The LOSS entries that say all of it.
    pub(super) fn statements(&self, at: MonoNs) -> Vec<Loss> {
        let digests =
            |hashes: &[Hash]| -> Vec<Digest> { hashes.iter().map(|hash| Digest(hash.0)).collect() };
        let first = self.parts.first().map(|part| part.range.begin());
        let losses = self.parts.iter().map(|part| Loss {
            at,
            first: CommitId(part.range.begin()),
            count: part.range.end().saturating_sub(part.range.begin()),
            cause: LossCause::Pruned,
            hashes: digests(part.range.hashes()),
            segment: 0,
            offset_bytes: 0,
            before: if first == Some(part.range.begin()) {
                digests(self.before.hashes())
            } else {
                Vec::new()
            },
        });
        losses.collect()
    }

    /// Takes in a committed LOSS entry, in order of commit: the newest statement stands.
    pub(super) fn observe(&mut self, id: CommitId, loss: &Loss) {
        let hashes = |digests: &[Digest]| digests.iter().map(|digest| Hash(digest.0)).collect();
        let end = loss.first.0.saturating_add(loss.count);
        let range = CompactRange::from_parts(loss.first.0, end, hashes(&loss.hashes));
        let (LossCause::Pruned, Ok(range)) = (loss.cause, range) else {
            return;
        };
        if let Some(known) = self.parts.iter_mut().find(|part| part.range == range) {
            known.named_by = Some(id);
            return;
        }
        if self.end() != Some(range.begin()) {
            let Ok(before) = Frontier::from_parts(loss.first.0, hashes(&loss.before)) else {
                return;
            };
            self.begin(before);
        }
        self.parts.push(Part {
            range,
            named_by: Some(id),
        });
    }

    /// The tree at a size at which a part begins or ends.
    pub(super) fn frontier_at(&self, size: u64) -> Option<Frontier> {
        let mut frontier = self.before.clone();
        let mut parts = self.parts.iter();
        while frontier.size() < size {
            frontier.append_range(&parts.next()?.range).ok()?;
        }
        (frontier.size() == size && !self.parts.is_empty()).then_some(frontier)
    }

    /// The holes from `from` on that begin below `oldest`, as far as entries name them.
    pub(super) fn holes(&self, from: u64, oldest: u64) -> impl Iterator<Item = Hole> + '_ {
        let gone = self
            .parts
            .iter()
            .skip_while(move |part| part.range.end() <= from)
            .take_while(move |part| part.range.begin() < oldest);
        gone.map_while(|part| {
            Some(Hole {
                first: CommitId(part.range.begin()),
                count: part.range.end().saturating_sub(part.range.begin()),
                cause: LossCause::Pruned,
                hashes: part
                    .range
                    .hashes()
                    .iter()
                    .map(|hash| Digest(hash.0))
                    .collect(),
                named_by: part.named_by?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{GivenUp, LOST_MAX};
    use evidence::{CommitId, MonoNs};
    use proof::tree::leaf_hash;
    use proof::{CompactRange, Frontier};

    fn range(begin: u64, end: u64) -> CompactRange {
        let mut range = CompactRange::empty(begin);
        (begin..end).for_each(|index| range.push(leaf_hash(&index.to_be_bytes())));
        range
    }

    fn tree(size: u64) -> Frontier {
        let mut tree = Frontier::new();
        (0..size).for_each(|index| tree.push(leaf_hash(&index.to_be_bytes())));
        tree
    }

    fn given_up(edges: &[u64]) -> GivenUp {
        let mut given_up = GivenUp::default();
        given_up.begin(tree(edges[0]));
        for pair in edges.windows(2) {
            given_up.add(range(pair[0], pair[1]));
        }
        given_up
    }

    //= A5.4
    #[test]
    fn what_is_given_up_is_rebuilt_from_its_statements() {
        let given_up = given_up(&[37, 100, 256, 300]);
        let mut rebuilt = GivenUp::default();
        // The same statements once more, as at the start of a later segment.
        for first_id in [400, 500] {
            for (id, loss) in (first_id..).zip(given_up.statements(MonoNs(1))) {
                rebuilt.observe(CommitId(id), &loss);
            }
        }
        assert_eq!(rebuilt.count(), 263);
        assert_eq!(
            rebuilt.statements(MonoNs(1)),
            given_up.statements(MonoNs(1))
        );
        let names: Vec<u64> = rebuilt.holes(0, 300).map(|hole| hole.named_by.0).collect();
        assert_eq!(names, [500, 501, 502]);
    }

    //= A5.4
    #[test]
    fn the_tree_is_known_wherever_delivery_may_begin() {
        let given_up = given_up(&[37, 100, 256, 300]);
        for size in [37, 100, 256, 300] {
            assert_eq!(given_up.frontier_at(size), Some(tree(size)));
        }
        assert_eq!(given_up.frontier_at(36), None);
        assert_eq!(given_up.frontier_at(101), None);
        assert_eq!(given_up.frontier_at(301), None);
        assert_eq!(GivenUp::default().frontier_at(0), None);
    }

    #[test]
    fn parts_are_joined_once_gone_but_not_where_the_collector_may_stand() {
        let mut given_up = given_up(&[37, 100, 256, 300, 400]);
        given_up.join_below(300, &[256]);
        let edges: Vec<u64> = given_up
            .statements(MonoNs(1))
            .iter()
            .map(|loss| loss.first.0)
            .collect();
        assert_eq!(edges, [37, 256, 300]);
        assert_eq!(given_up.frontier_at(256), Some(tree(256)));
        given_up.cosigned_to(399, 300);
        assert_eq!(given_up.count(), 363);
        given_up.cosigned_to(400, 300);
        assert_eq!((given_up.count(), given_up.end()), (0, None));
        assert_eq!(given_up.lost(), [(37, 263)], "300 to 399 could be read");
    }

    #[test]
    fn a_hole_is_handed_out_only_when_named_and_gone() {
        let mut given_up = given_up(&[0, 64, 128]);
        assert_eq!(given_up.holes(0, 128).count(), 0);
        for (id, loss) in (200..).zip(given_up.statements(MonoNs(1))) {
            given_up.observe(CommitId(id), &loss);
        }
        assert_eq!(given_up.holes(0, 64).count(), 1);
        assert_eq!(given_up.holes(0, 128).count(), 2);
        assert_eq!(given_up.holes(64, 128).count(), 1);
        assert_eq!(given_up.holes(0, 0).count(), 0);
    }

    #[test]
    fn the_newest_losses_are_remembered_once_each() {
        let mut given_up = GivenUp::default();
        for first in (0..2 * LOST_MAX as u64).chain(0..LOST_MAX as u64 + 9) {
            given_up.observe_lost(first * 10, 5);
        }
        assert_eq!(given_up.lost().len(), LOST_MAX);
        assert_eq!(given_up.lost().last(), Some(&(1_270, 5)));
    }

    #[test]
    fn other_losses_change_nothing() {
        let mut given_up = given_up(&[0, 64]);
        let mut loss = given_up.statements(MonoNs(1)).remove(0);
        loss.cause = evidence::reasons::LossCause::FrameDamaged;
        let before = given_up.clone();
        given_up.observe(CommitId(9), &loss);
        assert_eq!(given_up, before);
    }
}
