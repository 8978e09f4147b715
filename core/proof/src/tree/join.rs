//! Joins of subtrees that were made once, for others that build the same tree: nothing is hashed twice.

use alloc::vec::Vec;

use super::{Hash, node_hash};

/// How many joins further on the wanted one may stand: one leaf completes at most so many subtrees.
const AHEAD_MAX: usize = 64;

/// Two neighbours and the hash of the subtree that they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Join {
    left: Hash,
    right: Hash,
    parent: Hash,
}

/// The joins that a tree made while it grew, in their order.
///
/// Only this crate makes one, and always by hashing: whoever finds both its children in it may take the
/// parent from it, whatever tree the joins were made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joins(Vec<Join>);

impl Joins {
    /// None, with room for those of so many leaves.
    #[must_use]
    pub fn with_room(leaves: usize) -> Self {
        Self(Vec::with_capacity(leaves))
    }

    /// To take them in the order in which they were made.
    #[must_use]
    pub fn known(&self) -> KnownJoins<'_> {
        KnownJoins(&self.0)
    }

    /// Hashes two neighbours, and notes it.
    pub(crate) fn make(&mut self, left: &Hash, right: &Hash) -> Hash {
        let parent = node_hash(left, right);
        self.0.push(Join {
            left: *left,
            right: *right,
            parent,
        });
        parent
    }
}

/// Joins that nobody has taken yet.
#[derive(Clone, Debug, Default)]
pub struct KnownJoins<'a>(&'a [Join]);

impl KnownJoins<'_> {
    /// The hash of two neighbours: as it was noted, or hashed now where it was not. Joins before it are
    /// passed over: a tree with a hole makes fewer of them.
    pub(crate) fn make(&mut self, left: &Hash, right: &Hash) -> Hash {
        let wanted = |join: &Join| join.left == *left && join.right == *right;
        let place = self.0.iter().take(AHEAD_MAX).position(wanted);
        let found = place.and_then(|place| self.0.get(place..)?.split_first());
        match found {
            Some((join, rest)) => {
                self.0 = rest;
                join.parent
            }
            None => node_hash(left, right),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Joins;
    use crate::source::RangeSource;
    use crate::tile::TileStream;
    use crate::tree::{Frontier, Hash, leaf_hash};

    fn leaf(n: u64) -> Hash {
        leaf_hash(&n.to_be_bytes())
    }

    /// A tree grows from `begin` to `end` and notes its joins; who follows with these leaves must become
    /// what it is without them.
    fn check(begin: u64, end: u64, other: impl Fn(u64) -> Option<Hash>) {
        let mut tree = Frontier::new();
        (0..begin).for_each(|n| tree.push(leaf(n)));
        let before = tree.clone();
        let mut joins = Joins::default();
        (begin..end).for_each(|n| tree.push_noting(leaf(n), &mut joins));
        let mut plain = Frontier::new();
        (0..end).for_each(|n| plain.push(leaf(n)));
        assert_eq!(tree, plain);

        let (mut with, mut without) = (RangeSource::new(&before), RangeSource::new(&before));
        let (mut tiles_with, mut tiles_without) = (TileStream::new(), TileStream::new());
        for tiles in [&mut tiles_with, &mut tiles_without] {
            tiles.push_range(before.as_range()).unwrap();
        }
        let (mut known, mut known_of_tiles) = (joins.known(), joins.known());
        for hash in (begin..end).filter_map(other) {
            with.push_leaf_known(hash, &mut known);
            without.push_leaf(hash);
            tiles_with.push_leaf_known(hash, &mut known_of_tiles);
            tiles_without.push_leaf(hash);
        }
        for size in begin..=without.end() {
            assert_eq!(with.frontier_at(size), without.frontier_at(size), "{size}");
        }
        assert_eq!(tiles_with.root(), tiles_without.root());
        assert_eq!(tiles_with.finish(), tiles_without.finish());
    }

    #[test]
    fn a_tree_from_known_joins_is_the_tree_that_hashes() {
        for (begin, end) in [(0, 1), (0, 600), (5, 9), (7, 8), (255, 770), (1_023, 2_050)] {
            check(begin, end, |n| Some(leaf(n)));
        }
    }

    #[test]
    fn joins_of_other_leaves_are_not_taken() {
        for odd in [300, 301, 511, 512] {
            check(255, 770, |n| Some(leaf(if n == odd { 0 } else { n })));
            check(255, 770, |n| (n != odd).then(|| leaf(n)));
        }
    }
}
