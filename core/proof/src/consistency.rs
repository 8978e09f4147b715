//! Consistency proofs (RFC 9162 §2.1.4) and subtree consistency proofs (draft-ietf-plants-merkle-tree-certs
//! "Subtree Consistency Proofs"): a smaller tree, or a subtree, is part of a larger tree.

use alloc::vec::Vec;

use crate::source::{NodeSource, ProofError, subtree_hash};
use crate::tree::{CompactRange, Hash, empty_root, is_subtree, node_hash};

/// Builds the proof that the tree of `old_size` leaves is a prefix of the tree of `new_size` leaves (RFC 9162 §2.1.4.1).
///
/// The proof is empty when `old_size` is 0 or equal to `new_size`.
///
/// # Errors
/// [`ProofError::OutOfTree`], or [`ProofError::HashUnknown`] when the source lacks a hash.
pub fn build_consistency_proof<S: NodeSource + ?Sized>(
    source: &S,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, ProofError> {
    if old_size == 0 {
        return Ok(Vec::new());
    }
    build_subtree_proof(source, 0, old_size, new_size)
}

/// Builds the proof that the subtree `[begin, end)` is part of the tree of `size` leaves
/// (draft-ietf-plants-merkle-tree-certs "Generating a Subtree Consistency Proof").
///
/// # Errors
/// [`ProofError::OutOfTree`], [`ProofError::NotASubtree`], or [`ProofError::HashUnknown`] when the source lacks a hash.
pub fn build_subtree_proof<S: NodeSource + ?Sized>(
    source: &S,
    begin: u64,
    end: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    check_subtree(begin, end, size)?;
    let mut proof = Vec::new();
    let mut wanted = begin;
    let mut known = true;
    let (mut low, mut high) = (0, size);
    // From the root down; the proof lists the hashes from the bottom up.
    while (low, high) != (wanted, end) {
        let middle = low.saturating_add(split(high.saturating_sub(low)));
        if end <= middle {
            proof.push(subtree_hash(source, middle, high)?);
            high = middle;
        } else {
            proof.push(subtree_hash(source, low, middle)?);
            low = middle;
            if wanted < middle {
                // The subtree crosses the middle: its left part is the node just pushed, the rest is followed on.
                wanted = middle;
                known = false;
            }
        }
    }
    if !known {
        proof.push(subtree_hash(source, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies that the tree of `old_size` leaves is a prefix of the tree of `new_size` leaves (RFC 9162 §2.1.4.2).
///
/// With equal sizes the roots must be equal and the proof empty; the empty tree is a prefix of every tree, with an
/// empty proof and the root of the empty tree.
///
/// # Errors
/// What is wrong with the proof; a mismatch names the side that does not follow from it.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::OutOfTree {
            begin: 0,
            end: old_size,
            size: new_size,
        });
    }
    if old_size == 0 {
        let empty = empty_root();
        return match proof {
            [] if *old_root != empty => Err(ProofError::SubtreeMismatch),
            [] if new_size == 0 && *new_root != empty => Err(ProofError::RootMismatch),
            [] => Ok(()),
            [..] => Err(ProofError::TooLong),
        };
    }
    verify_subtree_consistency(0, old_size, new_size, old_root, proof, new_root)
}

/// Verifies that the subtree `[begin, end)` with hash `subtree` is part of the tree of `size` leaves with root `root`
/// (draft-ietf-plants-merkle-tree-certs "Verifying a Subtree Consistency Proof").
///
/// # Errors
/// What is wrong with the range or the proof; a mismatch names the side that does not follow from it.
pub fn verify_subtree_consistency(
    begin: u64,
    end: u64,
    size: u64,
    subtree: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    check_subtree(begin, end, size)?;
    // The positions of the subtree's first and last node and of the tree's last node, level by level.
    let mut at = Edges {
        first: begin,
        last: end.saturating_sub(1),
        tree_last: size.saturating_sub(1),
    };
    let whole = at.last == at.tree_last;
    while at.first != at.last && (whole || at.last % 2 == 1) {
        at.climb();
    }
    // Start at the highest node that both trees share at the right edge of the subtree.
    let (shared, rest) = if at.first == at.last {
        (*subtree, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::TooShort)?;
        (*first, rest)
    };
    let (mut subtree_side, mut tree_side) = (shared, shared);
    for hash in rest {
        if at.tree_last == 0 {
            return Err(ProofError::TooLong);
        }
        if at.last % 2 == 1 || at.last == at.tree_last {
            if at.first < at.last {
                subtree_side = node_hash(hash, &subtree_side);
            }
            tree_side = node_hash(hash, &tree_side);
            while at.last.is_multiple_of(2) && at.tree_last != 0 {
                at.climb();
            }
        } else {
            tree_side = node_hash(&tree_side, hash);
        }
        at.climb();
    }
    if at.tree_last != 0 {
        return Err(ProofError::TooShort);
    }
    if subtree_side != *subtree {
        return Err(ProofError::SubtreeMismatch);
    }
    if tree_side != *root {
        return Err(ProofError::RootMismatch);
    }
    Ok(())
}

/// Verifies an entry package: the range rebuilt from what was received and stored is part of the tree
/// (tlog-mirror `add-entries` "Processing").
///
/// The range begins at the package's aligned begin. It is rebuilt from leaf hashes already stored, from the hashes of
/// entries received, and from the compact ranges of holes; which part came from where makes no difference here.
///
/// # Errors
/// As [`verify_subtree_consistency`].
pub fn verify_range(
    range: &CompactRange,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    let (begin, end) = (range.begin(), range.end());
    check_subtree(begin, end, size)?;
    let subtree = range
        .root()
        .map_err(|_| ProofError::NotASubtree { begin, end })?;
    verify_subtree_consistency(begin, end, size, &subtree, proof, root)
}

struct Edges {
    first: u64,
    last: u64,
    tree_last: u64,
}

impl Edges {
    const fn climb(&mut self) {
        self.first >>= 1;
        self.last >>= 1;
        self.tree_last >>= 1;
    }
}

fn check_subtree(begin: u64, end: u64, size: u64) -> Result<(), ProofError> {
    if begin >= end || end > size {
        return Err(ProofError::OutOfTree { begin, end, size });
    }
    if !is_subtree(begin, end) {
        return Err(ProofError::NotASubtree { begin, end });
    }
    Ok(())
}

/// The largest power of two smaller than `leaves`, which is at least 2 (RFC 9162 §2.1.1).
const fn split(leaves: u64) -> u64 {
    match leaves.saturating_sub(1).checked_ilog2() {
        Some(bits) => 1 << bits,
        None => 1,
    }
}
