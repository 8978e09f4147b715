//! The definitions of RFC 9162 §2.1 and the subtree draft written out recursively: slow, and hard to get wrong.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::tree::{Hash, empty_root, leaf_hash, node_hash};

/// `count` distinct leaf hashes.
pub(super) fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|n| leaf_hash(format!("entry {n}").as_bytes()))
        .collect()
}

/// An index as a slice index.
pub(super) fn at(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// `MTH(D_n)`.
pub(super) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// `PATH(m, D_n)`.
pub(super) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, last) = if m < k {
        (path(m, left), root(right))
    } else {
        (path(m - k, right), root(left))
    };
    proof.push(last);
    proof
}

/// `SUBTREE_PROOF(start, end, D_n)`; with `start == 0` it is `PROOF(end, D_n)`.
pub(super) fn subtree_proof(start: usize, end: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(start, end, leaves, true)
}

fn subproof(start: usize, end: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if start == 0 && end == leaves.len() {
        return if known { vec![] } else { vec![root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, last) = if end <= k {
        (subproof(start, end, left, known), root(right))
    } else if k <= start {
        (subproof(start - k, end - k, right, known), root(left))
    } else {
        (subproof(0, end - k, right, false), root(left))
    };
    proof.push(last);
    proof
}

/// Every proof that differs from a given one by one bit, one hash less or one hash more.
pub(super) fn tampered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut variants = Vec::new();
    for n in 0..proof.len() {
        for bit in 0..8 {
            let mut changed = proof.to_vec();
            let byte = (n * 7 + bit * 3) % 32;
            changed[n].0[byte] ^= 1 << bit;
            variants.push(changed);
        }
        let mut shorter = proof.to_vec();
        shorter.remove(n);
        variants.push(shorter);
    }
    for n in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(n, Hash([0x5a; 32]));
        variants.push(longer);
    }
    variants
}

/// Every hash that differs by one bit.
pub(super) fn flipped(hash: &Hash) -> impl Iterator<Item = Hash> + use<> {
    let hash = *hash;
    (0..256usize).map(move |bit| {
        let mut changed = hash;
        changed.0[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}
