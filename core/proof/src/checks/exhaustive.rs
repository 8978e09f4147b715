//! Every proof in every small tree, and every tree cut at every point.

use alloc::vec::Vec;

use super::naive::{self, at, flipped, leaves, tampered};
use crate::consistency::{
    build_consistency_proof, build_subtree_proof, verify_consistency, verify_range,
    verify_subtree_consistency,
};
use crate::inclusion::{build_inclusion_proof, root_from_inclusion_proof, verify_inclusion};
use crate::source::{ProofError, RangeSource, range_from};
use crate::tree::{CompactRange, Frontier, Hash, is_subtree};

const SIZES: u64 = 70;

fn source_of(leaves: &[Hash]) -> RangeSource {
    let mut source = RangeSource::new(&Frontier::new());
    leaves.iter().for_each(|leaf| source.push_leaf(*leaf));
    source
}

fn range_of(begin: u64, leaves: &[Hash]) -> CompactRange {
    let mut range = CompactRange::empty(begin);
    leaves.iter().for_each(|leaf| range.push(*leaf));
    range
}

//= A4.7
#[test]
fn every_inclusion_proof() {
    let all = leaves(SIZES);
    let source = source_of(&all);
    for size in 1..=SIZES {
        let tree = &all[..at(size)];
        let root = naive::root(tree);
        for index in 0..size {
            let leaf = tree[at(index)];
            let proof = build_inclusion_proof(&source, index, size).unwrap();
            assert_eq!(proof, naive::path(at(index), tree), "{index} of {size}");
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
            // Another place in the same tree is never proven by this proof.
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(verify_inclusion(&leaf, other, size, &proof, &root).is_err());
            }
        }
        assert!(build_inclusion_proof(&source, size, size).is_err());
    }
}

//= A4.1
#[test]
fn no_flipped_bit_passes_an_inclusion_proof() {
    let all = leaves(40);
    let source = source_of(&all);
    for size in [1, 2, 3, 7, 8, 13, 32, 40] {
        let tree = &all[..at(size)];
        let root = naive::root(tree);
        for index in 0..size {
            let leaf = tree[at(index)];
            let proof = build_inclusion_proof(&source, index, size).unwrap();
            for bad in tampered(&proof) {
                assert!(verify_inclusion(&leaf, index, size, &bad, &root).is_err());
            }
            for bad in flipped(&root) {
                assert_eq!(
                    verify_inclusion(&leaf, index, size, &proof, &bad),
                    Err(ProofError::RootMismatch)
                );
            }
            for bad in flipped(&leaf) {
                assert!(verify_inclusion(&bad, index, size, &proof, &root).is_err());
            }
        }
    }
}

/// The turns from leaf to root, by the definition; two sizes with the same turns cannot be told apart by a proof.
fn turns(index: u64, size: u64) -> Vec<bool> {
    if size <= 1 {
        return Vec::new();
    }
    let k = size.next_power_of_two() / 2;
    let (mut turns, right) = if index < k {
        (turns(index, k), false)
    } else {
        (turns(index - k, size - k), true)
    };
    turns.push(right);
    turns
}

//= A4.7
#[test]
fn a_wrong_size_passes_only_where_the_shape_is_the_same() {
    let all = leaves(40);
    let source = source_of(&all);
    for size in 1..=40 {
        let root = naive::root(&all[..at(size)]);
        for index in 0..size {
            let proof = build_inclusion_proof(&source, index, size).unwrap();
            for wrong in 0..64u64 {
                let passes = verify_inclusion(&all[at(index)], index, wrong, &proof, &root).is_ok();
                let same = index < wrong && turns(index, wrong) == turns(index, size);
                assert_eq!(passes, same, "{index} of {size}, taken for {wrong}");
            }
        }
    }
}

//= A1.3
#[test]
fn every_consistency_proof() {
    let all = leaves(SIZES);
    let source = source_of(&all);
    for new in 0..=SIZES {
        let new_root = naive::root(&all[..at(new)]);
        for old in 0..=new {
            let old_root = naive::root(&all[..at(old)]);
            let proof = build_consistency_proof(&source, old, new).unwrap();
            let expected = if old == 0 {
                Vec::new()
            } else {
                naive::subtree_proof(0, at(old), &all[..at(new)])
            };
            assert_eq!(proof, expected, "{old} to {new}");
            let verify = |proof: &[Hash], old_root: &Hash, new_root: &Hash| {
                verify_consistency(old, new, old_root, new_root, proof)
            };
            assert_eq!(verify(&proof, &old_root, &new_root), Ok(()));
            for bad in tampered(&proof) {
                assert!(verify(&bad, &old_root, &new_root).is_err());
            }
            let bad = Hash([7; 32]);
            assert!(verify(&proof, &bad, &new_root).is_err());
            if old > 0 || new == 0 {
                assert!(verify(&proof, &old_root, &bad).is_err());
            }
            // A rollback is never consistent.
            if old < new {
                assert!(verify_consistency(new, old, &new_root, &old_root, &proof).is_err());
            }
            // A proof for one old size does not serve another.
            for other in (1..=new).filter(|other| *other != old) {
                assert!(verify_consistency(other, new, &old_root, &new_root, &proof).is_err());
            }
        }
    }
}

//= A1.3
#[test]
fn no_flipped_bit_passes_a_consistency_proof() {
    let all = leaves(33);
    let source = source_of(&all);
    for (old, new) in [(1, 2), (3, 7), (6, 8), (16, 33), (21, 32), (33, 33)] {
        let (old_root, new_root) = (naive::root(&all[..at(old)]), naive::root(&all[..at(new)]));
        let proof = build_consistency_proof(&source, old, new).unwrap();
        for bad in flipped(&old_root) {
            assert!(verify_consistency(old, new, &bad, &new_root, &proof).is_err());
        }
        for bad in flipped(&new_root) {
            assert!(verify_consistency(old, new, &old_root, &bad, &proof).is_err());
        }
    }
}

//= A4.7
#[test]
fn every_subtree_proof() {
    let all = leaves(64);
    let source = source_of(&all);
    for size in 1..=64 {
        let tree = &all[..at(size)];
        let root = naive::root(tree);
        for begin in 0..size {
            for end in begin + 1..=size {
                let built = build_subtree_proof(&source, begin, end, size);
                if !is_subtree(begin, end) {
                    assert_eq!(built, Err(ProofError::NotASubtree { begin, end }));
                    continue;
                }
                let proof = built.unwrap();
                let inside = &tree[at(begin)..at(end)];
                assert_eq!(proof, naive::subtree_proof(at(begin), at(end), tree));
                let range = range_of(begin, inside);
                let hash = naive::root(inside);
                assert_eq!(range.root(), Ok(hash));
                assert_eq!(verify_range(&range, size, &proof, &root), Ok(()));
                let verify = |hash: &Hash, proof: &[Hash], root: &Hash| {
                    verify_subtree_consistency(begin, end, size, hash, proof, root)
                };
                for bad in tampered(&proof) {
                    assert!(verify(&hash, &bad, &root).is_err());
                }
                for bad in flipped(&hash).step_by(31) {
                    assert!(verify(&bad, &proof, &root).is_err());
                }
                for bad in flipped(&root).step_by(31) {
                    assert_eq!(verify(&hash, &proof, &bad), Err(ProofError::RootMismatch));
                }
            }
        }
    }
}

//= A5.4
#[test]
fn a_tree_cut_anywhere_is_the_same_tree() {
    let all = leaves(SIZES);
    let mut frontier = Frontier::new();
    for size in 0..=SIZES {
        let root = naive::root(&all[..at(size)]);
        assert_eq!(frontier.root(), root);
        assert_eq!(
            Frontier::from_parts(size, frontier.hashes().to_vec()),
            Ok(frontier.clone())
        );
        for cut in 0..=size {
            let (left, right) = all[..at(size)].split_at(at(cut));
            let mut joined = range_of(0, left);
            let right = range_of(cut, right);
            assert_eq!(
                CompactRange::from_parts(cut, size, right.hashes().to_vec()),
                Ok(right.clone())
            );
            joined.append(&right).unwrap();
            assert_eq!(&joined, frontier.as_range(), "{cut} of {size}");
            let mut grown = Frontier::from_parts(cut, range_of(0, left).hashes().to_vec()).unwrap();
            grown.append_range(&right).unwrap();
            assert_eq!(grown.root(), root);
        }
        if size < SIZES {
            frontier.push(all[at(size)]);
        }
    }
}

//= A5.4
#[test]
fn three_ranges_join_in_either_order() {
    let all = leaves(40);
    for first in 0..=40 {
        for second in first..=40 {
            let whole = range_of(first, &all[at(first)..]);
            let (middle, right) = all[at(first)..].split_at(at(second - first));
            let mut joined = CompactRange::empty(first);
            joined.append(&range_of(first, middle)).unwrap();
            joined.append(&range_of(second, right)).unwrap();
            assert_eq!(joined, whole);
            for (part, hash) in whole.subtrees() {
                let inside = &all[at(part.begin)..at(part.end())];
                assert_eq!(hash, naive::root(inside));
            }
        }
    }
}

/// What a node that holds a frontier and the leaves behind it must be able to prove.
//= A1.3
#[test]
fn a_frontier_and_the_leaves_behind_it_are_enough() {
    const SIZE: u64 = 48;
    const ALIGN: u64 = 8;
    let all = leaves(SIZE);
    for base in 0..=SIZE {
        let mut source = RangeSource::new(range_frontier(&all, base).as_ref().unwrap());
        all[at(base)..]
            .iter()
            .for_each(|leaf| source.push_leaf(*leaf));
        assert_eq!((source.base(), source.end()), (base, SIZE));
        for size in base.max(1)..=SIZE {
            let tree = &all[..at(size)];
            assert_eq!(source.frontier_at(size).unwrap().root(), naive::root(tree));
            for old in base.max(1)..=size {
                assert_eq!(
                    build_consistency_proof(&source, old, size),
                    Ok(naive::subtree_proof(0, at(old), tree))
                );
            }
            for start in base..size {
                let subtree_begin = start - start % ALIGN;
                let end = (subtree_begin + ALIGN).min(size);
                assert_eq!(
                    build_subtree_proof(&source, subtree_begin, end, size),
                    Ok(naive::subtree_proof(at(subtree_begin), at(end), tree))
                );
                assert_eq!(
                    build_inclusion_proof(&source, start, size),
                    Ok(naive::path(at(start), tree))
                );
            }
        }
        // Leaves before the base are not known singly, unless they are a subtree of the frontier.
        if base > 1 {
            assert!(matches!(
                build_inclusion_proof(&source, 0, SIZE),
                Err(ProofError::HashUnknown { .. })
            ));
        }
        assert!(range_from(&source, 0, SIZE + 1).is_err());
    }
}

fn range_frontier(all: &[Hash], size: u64) -> Option<Frontier> {
    let mut frontier = Frontier::new();
    all.get(..at(size))?
        .iter()
        .for_each(|leaf| frontier.push(*leaf));
    Some(frontier)
}

#[test]
fn proofs_outside_the_tree_are_refused() {
    let all = leaves(8);
    let source = source_of(&all);
    let root = naive::root(&all);
    let proof = build_inclusion_proof(&source, 3, 8).unwrap();
    assert!(root_from_inclusion_proof(&all[3], 8, 8, &proof).is_err());
    assert!(root_from_inclusion_proof(&all[3], 0, 0, &[]).is_err());
    let longer = [&proof[..], &[root]].concat();
    assert_eq!(
        root_from_inclusion_proof(&all[3], 3, 8, &longer),
        Err(ProofError::TooLong)
    );
    assert_eq!(
        root_from_inclusion_proof(&all[3], 3, 8, &proof[..2]),
        Err(ProofError::TooShort)
    );
    assert!(build_consistency_proof(&source, 9, 8).is_err());
    assert!(build_consistency_proof(&source, 4, 9).is_err());
    assert!(build_subtree_proof(&source, 4, 4, 8).is_err());
    for (begin, end, size) in [(4, 4, 8), (8, 4, 8), (4, 9, 8), (0, u64::MAX, 8), (1, 3, 8)] {
        assert!(verify_subtree_consistency(begin, end, size, &root, &proof, &root).is_err());
    }
}
