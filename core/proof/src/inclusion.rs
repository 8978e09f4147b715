//! Inclusion proofs (RFC 9162 §2.1.3): leaf `index` is part of the tree of `size` leaves.

use alloc::vec::Vec;

use crate::consistency::build_subtree_proof;
use crate::source::{NodeSource, ProofError};
use crate::tree::{Hash, node_hash};

/// Builds the inclusion proof of leaf `index` in the tree of `size` leaves (RFC 9162 §2.1.3.1).
///
/// # Errors
/// [`ProofError::OutOfTree`], or [`ProofError::HashUnknown`] when the source lacks a hash.
pub fn build_inclusion_proof<S: NodeSource + ?Sized>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    build_subtree_proof(source, index, index.saturating_add(1), size)
}

/// The root that follows from a leaf and its inclusion proof (RFC 9162 §2.1.3.2, without the comparison).
///
/// # Errors
/// [`ProofError::OutOfTree`], [`ProofError::TooShort`] or [`ProofError::TooLong`].
pub fn root_from_inclusion_proof(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfTree {
            begin: index,
            end: index.saturating_add(1),
            size,
        });
    }
    let mut node = index;
    let mut last = size.saturating_sub(1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::TooLong);
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // Where the node is the right edge it has no sibling on some levels: climb to where it is a right child.
            while node.is_multiple_of(2) && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 {
        Ok(hash)
    } else {
        Err(ProofError::TooShort)
    }
}

/// Verifies an inclusion proof (RFC 9162 §2.1.3.2).
///
/// The root does not commit to the size: some proofs hold for several sizes. Take `size` and `root` from one signed
/// checkpoint.
///
/// # Errors
/// What is wrong with the proof; [`ProofError::RootMismatch`] when it leads elsewhere.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if root_from_inclusion_proof(leaf, index, size, proof)? == *root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}
