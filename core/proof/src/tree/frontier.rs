//! The frontier: the few hashes from which a tree grows and its root follows.

use alloc::vec::Vec;

use super::range::fold_right;
use super::{CompactRange, Hash, Joins, TreeError, empty_root};

/// The hashes of the complete subtrees left of `size`, largest first: at most 63 of them.
///
/// It is all a log must keep to append leaves and to know its root (RFC 9162 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier(CompactRange);

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self(CompactRange::empty(0))
    }

    /// Takes stored hashes; their number must be the number of one bits of `size`.
    ///
    /// # Errors
    /// [`TreeError::BadRange`] or [`TreeError::HashCount`].
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, TreeError> {
        CompactRange::from_parts(0, size, hashes).map(Self)
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.0.end()
    }

    /// The hashes, largest subtree first.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        self.0.hashes()
    }

    /// Adds one leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.0.push(leaf);
    }

    /// Adds one leaf, and notes the joins that it makes for others that take the same leaves.
    pub fn push_noting(&mut self, leaf: Hash, joins: &mut Joins) {
        self.0
            .push_complete_by(0, leaf, |left, right| joins.make(left, right));
    }

    /// Adds a range of leaves that begins at [`Self::size`].
    ///
    /// # Errors
    /// [`TreeError::NotAdjacent`] when it begins elsewhere.
    pub fn append_range(&mut self, range: &CompactRange) -> Result<(), TreeError> {
        self.0.append(range)
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_right(self.0.hashes()).unwrap_or_else(empty_root)
    }

    /// The same hashes as a range from 0.
    #[must_use]
    pub const fn as_range(&self) -> &CompactRange {
        &self.0
    }
}

impl From<Frontier> for CompactRange {
    fn from(frontier: Frontier) -> Self {
        frontier.0
    }
}
