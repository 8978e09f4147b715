//! Where a proof builder finds the hashes it needs, and why a proof cannot be built or does not hold.

use alloc::vec::Vec;
use core::fmt;

use crate::tree::{
    CompactRange, Frontier, Hash, KnownJoins, Subtree, TreeError, compact_range, node_hash,
};

/// Why a proof cannot be built, or does not prove what it is offered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The source does not know the hash of these leaves: lost entries, or entries before its base.
    HashUnknown {
        /// First index of the unknown subtree.
        begin: u64,
        /// Index after its last.
        end: u64,
    },
    /// The range is empty, inverted, or reaches past the tree.
    OutOfTree {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The range is no subtree (see [`is_subtree`](crate::tree::is_subtree)).
    NotASubtree {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
    },
    /// The proof ends before the root is reached.
    TooShort,
    /// The proof has hashes left when the root is reached.
    TooLong,
    /// The proof does not lead to the hash of the old tree or of the subtree.
    SubtreeMismatch,
    /// The proof does not lead to the root of the tree.
    RootMismatch,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HashUnknown { begin, end } => {
                write!(f, "the hash of leaves [{begin}, {end}) is not known here")
            }
            Self::OutOfTree { begin, end, size } => {
                write!(f, "[{begin}, {end}) is no part of a tree of {size} leaves")
            }
            Self::NotASubtree { begin, end } => write!(f, "[{begin}, {end}) is no subtree"),
            Self::TooShort => f.write_str("the proof has too few hashes to reach the root"),
            Self::TooLong => f.write_str("the proof has hashes left after the root"),
            Self::SubtreeMismatch => {
                f.write_str("the proof does not lead to the hash of the smaller tree")
            }
            Self::RootMismatch => f.write_str("the proof does not lead to the root"),
        }
    }
}

impl core::error::Error for ProofError {}

/// Knows the hashes of complete subtrees.
pub trait NodeSource {
    /// The hash of `[begin, end)`, a complete subtree: a power of two of leaves, aligned to it. `None` when unknown.
    fn subtree(&self, begin: u64, end: u64) -> Option<Hash>;
}

impl<S: NodeSource + ?Sized> NodeSource for &S {
    fn subtree(&self, begin: u64, end: u64) -> Option<Hash> {
        (**self).subtree(begin, end)
    }
}

/// The compact range over `[begin, end)` as far as a source knows it.
///
/// # Errors
/// [`ProofError::HashUnknown`] names the first subtree the source lacks; [`ProofError::OutOfTree`] an inverted range.
pub fn range_from<S: NodeSource + ?Sized>(
    source: &S,
    begin: u64,
    end: u64,
) -> Result<CompactRange, ProofError> {
    let hashes = compact_range(begin, end)
        .map(|part| {
            let (begin, end) = (part.begin, part.end());
            source
                .subtree(begin, end)
                .ok_or(ProofError::HashUnknown { begin, end })
        })
        .collect::<Result<Vec<_>, _>>()?;
    CompactRange::from_parts(begin, end, hashes).map_err(|_| ProofError::OutOfTree {
        begin,
        end,
        size: end,
    })
}

/// `MTH(D[begin:end])` of a subtree, complete or partial, from a source.
pub(crate) fn subtree_hash<S: NodeSource + ?Sized>(
    source: &S,
    begin: u64,
    end: u64,
) -> Result<Hash, ProofError> {
    range_from(source, begin, end)?
        .root()
        .map_err(|_| ProofError::NotASubtree { begin, end })
}

/// Hashes of one height: runs of neighbours, left to right, so that a lost range costs nothing.
#[derive(Clone, Debug, Default)]
struct Level(Vec<Run>);

#[derive(Clone, Debug)]
struct Run {
    first: u64,
    hashes: Vec<Hash>,
}

impl Level {
    fn get(&self, index: u64) -> Option<Hash> {
        let after = self.0.partition_point(|run| run.first <= index);
        let run = self.0.get(after.checked_sub(1)?)?;
        let offset = usize::try_from(index.checked_sub(run.first)?).ok()?;
        run.hashes.get(offset).copied()
    }

    fn push(&mut self, index: u64, hash: Hash) {
        if let Some(run) = self.0.last_mut()
            && u64::try_from(run.hashes.len())
                .is_ok_and(|n| run.first.checked_add(n) == Some(index))
        {
            run.hashes.push(hash);
        } else {
            self.0.push(Run {
                first: index,
                hashes: Vec::from([hash]),
            });
        }
    }
}

/// A source over the tail of a tree: the frontier at some base, and from there on leaves or ranges known only by their
/// compact range (entries that were lost, or that live elsewhere).
///
/// Every node is hashed once, when its right edge arrives; a look-up is a binary search over the runs of one level.
/// It holds two hashes per leaf and nothing for the inside of a range that came as a compact range.
#[derive(Clone, Debug, Default)]
pub struct RangeSource {
    base: u64,
    end: u64,
    levels: Vec<Level>,
}

impl RangeSource {
    /// A source that begins behind `frontier`.
    #[must_use]
    pub fn new(frontier: &Frontier) -> Self {
        let mut source = Self::default();
        for (part, hash) in frontier.as_range().subtrees() {
            source.push_complete(part.height, hash, node_hash);
        }
        source.base = source.end;
        source
    }

    /// Size of the tree before the first leaf pushed.
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// Size of the tree after the last leaf pushed.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Adds one leaf.
    pub fn push_leaf(&mut self, leaf: Hash) {
        self.push_complete(0, leaf, node_hash);
    }

    /// Adds one leaf; what was joined before for another tree of the same leaves is not hashed again.
    pub fn push_leaf_known(&mut self, leaf: Hash, known: &mut KnownJoins<'_>) {
        self.push_complete(0, leaf, |left, right| known.make(left, right));
    }

    /// Adds leaves known only by their compact range, such as a hole.
    ///
    /// # Errors
    /// [`TreeError::NotAdjacent`] when the range does not begin at [`Self::end`].
    pub fn push_range(&mut self, range: &CompactRange) -> Result<(), TreeError> {
        if range.begin() != self.end {
            return Err(TreeError::NotAdjacent {
                expected: self.end,
                got: range.begin(),
            });
        }
        for (part, hash) in range.subtrees() {
            self.push_complete(part.height, hash, node_hash);
        }
        Ok(())
    }

    /// The frontier of the whole tree.
    ///
    /// # Errors
    /// None in practice: the complete subtrees of the tree are always known; the type is that of [`range_from`].
    pub fn frontier(&self) -> Result<Frontier, ProofError> {
        self.frontier_at(self.end)
    }

    /// The frontier of the tree when it had `size` leaves.
    ///
    /// # Errors
    /// [`ProofError::OutOfTree`] past the end, [`ProofError::HashUnknown`] inside a lost range or before the base.
    pub fn frontier_at(&self, size: u64) -> Result<Frontier, ProofError> {
        let out = ProofError::OutOfTree {
            begin: 0,
            end: size,
            size: self.end,
        };
        if size > self.end {
            return Err(out);
        }
        let hashes = range_from(self, 0, size)?.hashes().to_vec();
        Frontier::from_parts(size, hashes).map_err(|_| out)
    }

    fn push_complete(
        &mut self,
        height: u32,
        hash: Hash,
        mut join: impl FnMut(&Hash, &Hash) -> Hash,
    ) {
        let mut part = Subtree {
            begin: self.end,
            height,
        };
        self.end = part.end();
        let mut hash = hash;
        while let Ok(level_index) = usize::try_from(part.height)
            && let Some(index) = part.begin.checked_shr(part.height)
        {
            if self.levels.len() <= level_index {
                self.levels
                    .resize_with(level_index.saturating_add(1), Level::default);
            }
            let Some(level) = self.levels.get_mut(level_index) else {
                return;
            };
            level.push(index, hash);
            if index.is_multiple_of(2) {
                return;
            }
            let Some(left) = level.get(index.saturating_sub(1)) else {
                return;
            };
            hash = join(&left, &hash);
            part.begin = part.begin.saturating_sub(1 << part.height);
            part.height = part.height.saturating_add(1);
        }
    }
}

impl NodeSource for RangeSource {
    fn subtree(&self, begin: u64, end: u64) -> Option<Hash> {
        let part = Subtree::exact(begin, end)?;
        let level = self.levels.get(usize::try_from(part.height).ok()?)?;
        level.get(begin.checked_shr(part.height)?)
    }
}
