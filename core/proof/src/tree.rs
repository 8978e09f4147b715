//! The Merkle tree of RFC 6962 §2.1 and RFC 9162 §2.1: hashes, compact ranges, frontiers.

mod frontier;
mod hash;
mod join;
mod range;

use core::fmt;

pub use frontier::Frontier;
pub use hash::{Hash, empty_root, leaf_hash, leaf_hash_of, node_hash};
pub use join::{Joins, KnownJoins};
pub use range::{CompactRange, Subtree, compact_range, compact_range_len, is_subtree};

use crate::limits::TREE_SIZE_MAX;

/// Why tree parts do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// The range ends before it begins or past [`TREE_SIZE_MAX`].
    BadRange {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
    },
    /// The number of hashes does not fit the range.
    HashCount {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
        /// Hashes the range needs.
        expected: usize,
        /// Hashes given.
        got: usize,
    },
    /// A part does not begin where the one before it ends.
    NotAdjacent {
        /// Where the part had to begin.
        expected: u64,
        /// Where it begins.
        got: u64,
    },
    /// The range is no subtree: its begin is not aligned to its size.
    NotASubtree {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
    },
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRange { begin, end } => {
                write!(
                    f,
                    "range [{begin}, {end}) is not ordered below {TREE_SIZE_MAX}"
                )
            }
            Self::HashCount {
                begin,
                end,
                expected,
                got,
            } => write!(
                f,
                "range [{begin}, {end}) has {got} hashes, it needs {expected}"
            ),
            Self::NotAdjacent { expected, got } => {
                write!(f, "part begins at {got}, it must begin at {expected}")
            }
            Self::NotASubtree { begin, end } => write!(
                f,
                "[{begin}, {end}) is no subtree: begin must be a multiple of the size rounded up to a power of two"
            ),
        }
    }
}

impl core::error::Error for TreeError {}
