//! Compact ranges: a range of leaves as the fewest complete, aligned subtrees that cover it.

use alloc::vec::Vec;

use super::{Hash, TreeError, empty_root, node_hash};
use crate::limits::TREE_SIZE_MAX;

/// One complete, aligned subtree: the leaves `[begin, begin + 2^height)`, `begin` a multiple of `2^height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// First leaf.
    pub begin: u64,
    /// Base-2 logarithm of the number of leaves.
    pub height: u32,
}

impl Subtree {
    /// Index after the last leaf.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.begin.saturating_add(1 << self.height)
    }

    /// The subtree that covers exactly `[begin, end)`, if there is one.
    #[must_use]
    pub fn exact(begin: u64, end: u64) -> Option<Self> {
        let leaves = end.checked_sub(begin)?;
        (leaves.is_power_of_two() && begin.is_multiple_of(leaves)).then(|| Self {
            begin,
            height: leaves.trailing_zeros(),
        })
    }
}

/// The complete subtrees that cover `[begin, end)`, left to right; none when the range is empty.
pub fn compact_range(begin: u64, end: u64) -> impl Iterator<Item = Subtree> {
    let mut at = begin;
    core::iter::from_fn(move || {
        let left = end.checked_sub(at)?;
        let height = left.checked_ilog2()?.min(at.trailing_zeros());
        let part = Subtree { begin: at, height };
        at = part.end();
        Some(part)
    })
}

/// How many hashes a compact range over `[begin, end)` has.
#[must_use]
pub fn compact_range_len(begin: u64, end: u64) -> usize {
    compact_range(begin, end).count()
}

/// Whether `[begin, end)` is a subtree in the sense of draft-ietf-plants-merkle-tree-certs §4.1: not empty, and
/// `begin` a multiple of the smallest power of two not below the size. It may be partial at its right edge.
#[must_use]
pub fn is_subtree(begin: u64, end: u64) -> bool {
    end.checked_sub(begin)
        .filter(|leaves| *leaves > 0)
        .and_then(u64::checked_next_power_of_two)
        .is_some_and(|width| begin.is_multiple_of(width))
}

/// The hashes of the complete subtrees that cover `[begin, end)`, left to right.
///
/// It grows at the right by leaves or by an adjacent range, and yields the hash of the range wherever the range is a
/// subtree. With `begin == 0` it is a [`Frontier`](super::Frontier).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactRange {
    begin: u64,
    end: u64,
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The empty range at a position; positions above [`TREE_SIZE_MAX`] are taken as it.
    #[must_use]
    pub const fn empty(at: u64) -> Self {
        let at = if at > TREE_SIZE_MAX {
            TREE_SIZE_MAX
        } else {
            at
        };
        Self {
            begin: at,
            end: at,
            hashes: Vec::new(),
        }
    }

    /// Takes stored or received hashes; their number must fit the range.
    ///
    /// # Errors
    /// [`TreeError::BadRange`] or [`TreeError::HashCount`].
    pub fn from_parts(begin: u64, end: u64, hashes: Vec<Hash>) -> Result<Self, TreeError> {
        if begin > end || end > TREE_SIZE_MAX {
            return Err(TreeError::BadRange { begin, end });
        }
        let (expected, got) = (compact_range_len(begin, end), hashes.len());
        if expected != got {
            return Err(TreeError::HashCount {
                begin,
                end,
                expected,
                got,
            });
        }
        Ok(Self { begin, end, hashes })
    }

    /// First index.
    #[must_use]
    pub const fn begin(&self) -> u64 {
        self.begin
    }

    /// Index after the last.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Whether the range has no leaf.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// The hashes, left to right.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The subtrees with their hashes, left to right.
    pub fn subtrees(&self) -> impl Iterator<Item = (Subtree, Hash)> + '_ {
        compact_range(self.begin, self.end).zip(self.hashes.iter().copied())
    }

    /// Adds one leaf at the right.
    pub fn push(&mut self, leaf: Hash) {
        self.push_complete(0, leaf);
    }

    /// Adds an adjacent range at the right.
    ///
    /// # Errors
    /// [`TreeError::NotAdjacent`] when `other` does not begin where this range ends.
    pub fn append(&mut self, other: &Self) -> Result<(), TreeError> {
        if other.begin != self.end {
            return Err(TreeError::NotAdjacent {
                expected: self.end,
                got: other.begin,
            });
        }
        for (part, hash) in other.subtrees() {
            self.push_complete(part.height, hash);
        }
        Ok(())
    }

    /// `MTH(D[begin:end])` of the range.
    ///
    /// # Errors
    /// [`TreeError::NotASubtree`] when the range is not a subtree (see [`is_subtree`]); the empty range at 0 has the
    /// root of the empty tree.
    pub fn root(&self) -> Result<Hash, TreeError> {
        if self.end == 0 {
            return Ok(empty_root());
        }
        if !is_subtree(self.begin, self.end) {
            return Err(TreeError::NotASubtree {
                begin: self.begin,
                end: self.end,
            });
        }
        Ok(fold_right(&self.hashes).unwrap_or_else(empty_root))
    }

    /// Adds a complete subtree at the right, which must be aligned there, and merges what it completes.
    pub(crate) fn push_complete(&mut self, height: u32, hash: Hash) {
        self.push_complete_by(height, hash, node_hash);
    }

    /// The same, where `join` hashes two neighbours.
    pub(crate) fn push_complete_by(
        &mut self,
        height: u32,
        hash: Hash,
        mut join: impl FnMut(&Hash, &Hash) -> Hash,
    ) {
        let (mut at, mut height, mut hash) = (self.end, height, hash);
        self.end = Subtree { begin: at, height }.end();
        // A right child whose left sibling lies inside the range: that sibling is the last hash held.
        while let Some(width) = 1u64.checked_shl(height)
            && at & width != 0
            && at.saturating_sub(width) >= self.begin
            && let Some(left) = self.hashes.pop()
        {
            hash = join(&left, &hash);
            at = at.saturating_sub(width);
            height = height.saturating_add(1);
        }
        self.hashes.push(hash);
    }
}

/// The hash of a subtree from the complete subtrees that cover it.
pub(crate) fn fold_right(hashes: &[Hash]) -> Option<Hash> {
    let (last, rest) = hashes.split_last()?;
    Some(
        rest.iter()
            .rev()
            .fold(*last, |right, left| node_hash(left, &right)),
    )
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{CompactRange, compact_range, compact_range_len, is_subtree};
    use crate::limits::TREE_SIZE_MAX;
    use crate::tree::{Hash, TreeError, leaf_hash};

    #[test]
    fn decomposition_of_known_ranges() {
        let check = |begin: u64, end: u64, expected: &[(u64, u32)]| {
            let parts: Vec<(u64, u32)> = compact_range(begin, end)
                .map(|part| (part.begin, part.height))
                .collect();
            assert_eq!(parts, expected, "[{begin}, {end})");
            assert_eq!(compact_range_len(begin, end), expected.len());
        };
        check(0, 0, &[]);
        check(0, 7, &[(0, 2), (4, 1), (6, 0)]);
        check(3, 11, &[(3, 0), (4, 2), (8, 1), (10, 0)]);
        check(5, 6, &[(5, 0)]);
        check(4, 8, &[(4, 2)]);
        check(6, 18, &[(6, 1), (8, 3), (16, 1)]);
    }

    #[test]
    fn the_widest_ranges_do_not_overflow() {
        assert_eq!(compact_range_len(0, u64::MAX), 64);
        assert_eq!(compact_range_len(1, u64::MAX), 63 * 2);
        assert_eq!(compact_range_len(u64::MAX, 0), 0);
        assert!(is_subtree(0, TREE_SIZE_MAX));
        assert!(!is_subtree(1, u64::MAX));
        let mut at_the_edge = CompactRange::empty(u64::MAX);
        for _ in 0..5 {
            at_the_edge.push(leaf_hash(b""));
        }
        assert!(at_the_edge.end() > TREE_SIZE_MAX);
    }

    #[test]
    fn parts_must_fit() {
        let hash = leaf_hash(b"x");
        assert_eq!(
            CompactRange::from_parts(3, 11, vec![hash; 3]),
            Err(TreeError::HashCount {
                begin: 3,
                end: 11,
                expected: 4,
                got: 3
            })
        );
        assert_eq!(
            CompactRange::from_parts(4, 3, vec![]),
            Err(TreeError::BadRange { begin: 4, end: 3 })
        );
        assert!(CompactRange::from_parts(0, TREE_SIZE_MAX + 1, vec![hash]).is_err());
        let mut range = CompactRange::empty(4);
        assert_eq!(
            range.append(&CompactRange::empty(5)),
            Err(TreeError::NotAdjacent {
                expected: 4,
                got: 5
            })
        );
        range.push(Hash([1; 32]));
        assert!(!range.is_empty());
    }

    #[test]
    fn only_subtrees_have_a_root() {
        let mut range = CompactRange::empty(5);
        assert!(range.root().is_err());
        range.push(leaf_hash(b"5"));
        assert_eq!(range.root(), Ok(leaf_hash(b"5")));
        range.push(leaf_hash(b"6"));
        assert_eq!(
            range.root(),
            Err(TreeError::NotASubtree { begin: 5, end: 7 })
        );
    }
}
