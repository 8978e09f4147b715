//! Holes: entries that are gone, their hashes, and the LOSS entry that names them.

use alloc::vec::Vec;
use core::fmt;
use evidence::kinds::Loss;
use evidence::reasons::LossCause;
use evidence::{CommitId, Entry, Payload, split_leaf};
use proof::tree::{Subtree, TreeError};
use proof::{CompactRange, Hash};

/// A range of lost entries with the hashes that keep the tree whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    cause: LossCause,
    range: CompactRange,
}

/// Why something is not a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoleError {
    /// It has no entries, or reaches past the largest tree.
    Range {
        /// First entry.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The hashes are not the compact range of these entries.
    Hashes(TreeError),
}

impl fmt::Display for HoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { first, count } => {
                write!(f, "{count} entries from {first} are no range of a tree")
            }
            Self::Hashes(error) => write!(f, "the hashes do not fit the hole: {error}"),
        }
    }
}

impl core::error::Error for HoleError {}

impl Hole {
    /// A hole of `count` entries from `first` on; `hashes` is their compact range.
    ///
    /// # Errors
    /// What does not fit.
    pub fn new(
        first: u64,
        count: u64,
        cause: LossCause,
        hashes: Vec<Hash>,
    ) -> Result<Self, HoleError> {
        let end = first
            .checked_add(count)
            .filter(|end| *end > first)
            .ok_or(HoleError::Range { first, count })?;
        let range = CompactRange::from_parts(first, end, hashes).map_err(HoleError::Hashes)?;
        Ok(Self { cause, range })
    }

    /// The hole that a LOSS entry names.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_loss(loss: &Loss) -> Result<Self, HoleError> {
        let hashes = loss.hashes.iter().map(|digest| Hash(digest.0)).collect();
        Self::new(loss.first.0, loss.count, loss.cause, hashes)
    }

    /// First lost entry.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.range.begin()
    }

    /// Index after the last lost entry.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.range.end()
    }

    /// How many entries are lost.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.end().saturating_sub(self.first())
    }

    /// Why they are lost.
    #[must_use]
    pub const fn cause(&self) -> LossCause {
        self.cause
    }

    /// Their hashes.
    #[must_use]
    pub const fn range(&self) -> &CompactRange {
        &self.range
    }

    /// The part between two indexes, if both are edges of the hole's subtrees.
    #[must_use]
    pub fn part(&self, begin: u64, end: u64) -> Option<Self> {
        let hashes = self
            .range
            .subtrees()
            .filter(|(part, _)| part.begin >= begin && part.end() <= end)
            .map(|(_, hash)| hash)
            .collect();
        let count = end.checked_sub(begin)?;
        Self::new(begin, count, self.cause, hashes).ok()
    }

    /// The subtree of the hole that begins here, if one does.
    #[must_use]
    pub fn subtree_at(&self, begin: u64) -> Option<(Subtree, Hash)> {
        self.range.subtrees().find(|(part, _)| part.begin == begin)
    }

    /// Whether every hash of this hole is one of the other's: the other names it.
    #[must_use]
    pub fn is_named_by(&self, loss: &Self) -> bool {
        self.cause == loss.cause
            && self
                .range
                .subtrees()
                .all(|mine| loss.range.subtrees().any(|theirs| theirs == mine))
    }
}

/// The LOSS entry in a leaf: where it stands and the hole it names. `None` for any other leaf.
///
/// A LOSS entry speaks of entries before itself; one that does not names nothing.
#[must_use]
pub fn loss_in_leaf(index: u64, leaf: &[u8]) -> Option<(CommitId, Hole)> {
    let (_, entry) = split_leaf(leaf)?;
    let entry = Entry::decode(entry).ok()?;
    if entry.header.kind != evidence::Kind::Loss || entry.header.commit_id.0 != index {
        return None;
    }
    match entry.payload().ok()? {
        Payload::Loss(loss) => Hole::from_loss(&loss)
            .ok()
            .filter(|hole| hole.end() <= index)
            .map(|hole| (entry.header.commit_id, hole)),
        _ => None,
    }
}

/// A run of neighbours in a log, as a node reads them from its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// One leaf: `salt || entry`.
    Leaf(Vec<u8>),
    /// Entries that are gone, and the LOSS entry that says so.
    Hole {
        /// The entries and their hashes.
        hole: Hole,
        /// Index of the LOSS entry.
        named_by: CommitId,
    },
}

#[cfg(test)]
mod tests {
    use super::{Hole, HoleError};
    use evidence::reasons::LossCause;
    use proof::tree::leaf_hash;
    use proof::{CompactRange, Hash};
    use std::vec::Vec;

    fn hole(first: u64, end: u64) -> Hole {
        let mut range = CompactRange::empty(first);
        (first..end).for_each(|index| range.push(leaf_hash(&index.to_be_bytes())));
        let hashes: Vec<Hash> = range.hashes().to_vec();
        Hole::new(first, end - first, LossCause::FrameDamaged, hashes).unwrap()
    }

    #[test]
    fn a_hole_has_entries_and_fitting_hashes() {
        assert_eq!(
            Hole::new(3, 0, LossCause::Pruned, Vec::new()),
            Err(HoleError::Range { first: 3, count: 0 })
        );
        assert!(Hole::new(3, 2, LossCause::Pruned, Vec::new()).is_err());
        assert!(Hole::new(u64::MAX, 1, LossCause::Pruned, Vec::new()).is_err());
    }

    //= A5.4
    #[test]
    fn parts_at_subtree_edges_carry_the_same_hashes() {
        let whole = hole(900, 5_000);
        for (begin, end) in [(900, 1_024), (1_024, 2_048), (4_096, 4_608), (960, 4_608)] {
            let part = whole.part(begin, end).unwrap();
            assert_eq!(part, hole(begin, end));
            assert!(part.is_named_by(&whole));
        }
        assert_eq!(whole.part(1_000, 1_024), None);
        assert!(!hole(900, 1_024).is_named_by(&hole(1_024, 5_000)));
        assert_eq!(whole.subtree_at(1_024).unwrap().0.height, 10);
        assert_eq!(whole.subtree_at(1_025), None);
    }
}
