//! Lost entries: trees with ranges of which only the compact range is left.

use alloc::vec::Vec;

use super::naive::{self, at, leaves};
use crate::consistency::{build_consistency_proof, build_subtree_proof, verify_range};
use crate::inclusion::{build_inclusion_proof, verify_inclusion};
use crate::source::{NodeSource, ProofError, RangeSource};
use crate::tree::{CompactRange, Frontier, Hash, TreeError, leaf_hash};

const SIZE: u64 = 40;

fn range_of(begin: u64, end: u64, all: &[Hash]) -> CompactRange {
    let mut range = CompactRange::empty(begin);
    all[at(begin)..at(end)]
        .iter()
        .for_each(|leaf| range.push(*leaf));
    range
}

fn source_with_hole(begin: u64, end: u64, all: &[Hash]) -> RangeSource {
    let mut source = RangeSource::new(&Frontier::new());
    all[..at(begin)]
        .iter()
        .for_each(|leaf| source.push_leaf(*leaf));
    source.push_range(&range_of(begin, end, all)).unwrap();
    all[at(end)..]
        .iter()
        .for_each(|leaf| source.push_leaf(*leaf));
    source
}

/// Where a hole is, the tree goes on: every proof either is the right one or names leaves inside the hole.
//= A5.4
#[test]
fn every_hole_at_every_place() {
    let all = leaves(SIZE);
    let check =
        |built: Result<Vec<Hash>, ProofError>, expected: Vec<Hash>, hole: (u64, u64)| match built {
            Ok(proof) => assert_eq!(proof, expected),
            Err(ProofError::HashUnknown { begin, end }) => {
                assert!(hole.0 <= begin && end <= hole.1, "{begin} {end} {hole:?}");
            }
            Err(other) => panic!("{other}"),
        };
    for begin in 0..=SIZE {
        for end in begin..=SIZE {
            let source = source_with_hole(begin, end, &all);
            assert_eq!(source.frontier().unwrap().root(), naive::root(&all));
            for index in 0..SIZE {
                let built = build_inclusion_proof(&source, index, SIZE);
                if (begin..end).contains(&index) {
                    check(built, naive::path(at(index), &all), (begin, end));
                } else {
                    // An entry outside the hole is always provable.
                    assert_eq!(built, Ok(naive::path(at(index), &all)));
                }
            }
            for old in 1..SIZE {
                let built = build_consistency_proof(&source, old, SIZE);
                if old <= begin || old >= end {
                    // A checkpoint outside the hole is always provable.
                    assert_eq!(built, Ok(naive::subtree_proof(0, at(old), &all)));
                } else {
                    check(built, naive::subtree_proof(0, at(old), &all), (begin, end));
                }
            }
        }
    }
}

//= A5.4
#[test]
fn entries_outside_a_hole_verify_and_entries_inside_name_what_is_unknown() {
    let all = leaves(SIZE);
    let source = source_with_hole(8, 24, &all);
    let root = naive::root(&all);
    for index in (0..8).chain(24..SIZE) {
        let proof = build_inclusion_proof(&source, index, SIZE).unwrap();
        assert_eq!(
            verify_inclusion(&all[at(index)], index, SIZE, &proof, &root),
            Ok(())
        );
    }
    assert_eq!(
        build_inclusion_proof(&source, 9, SIZE),
        Err(ProofError::HashUnknown { begin: 12, end: 16 })
    );
    assert_eq!(source.subtree(8, 16), Some(naive::root(&all[8..16])));
    assert_eq!(source.subtree(8, 12), None);
    assert_eq!(source.subtree(9, 11), None);
}

/// A package that holds entries, then a hole, then entries is verified like any other.
//= A1.3
#[test]
fn a_package_with_a_hole_verifies() {
    let all = leaves(SIZE);
    let root = naive::root(&all);
    for (begin, end) in [(16, 32), (32, 40), (16, 24)] {
        for hole_begin in begin..=end {
            for hole_end in hole_begin..=end {
                let source = source_with_hole(hole_begin, hole_end, &all);
                let proof = build_subtree_proof(&source, begin, end, SIZE).unwrap();
                let mut range = CompactRange::empty(begin);
                all[at(begin)..at(hole_begin)]
                    .iter()
                    .for_each(|leaf| range.push(*leaf));
                range.append(&range_of(hole_begin, hole_end, &all)).unwrap();
                all[at(hole_end)..at(end)]
                    .iter()
                    .for_each(|leaf| range.push(*leaf));
                assert_eq!(verify_range(&range, SIZE, &proof, &root), Ok(()));

                // A hole that hides a changed entry is found out.
                if hole_begin < hole_end {
                    let mut forged = all.clone();
                    forged[at(hole_begin)] = Hash([1; 32]);
                    let range = range_of(begin, end, &forged);
                    assert!(verify_range(&range, SIZE, &proof, &root).is_err());
                }
            }
        }
    }
}

#[test]
fn a_vast_hole_costs_a_few_hashes() {
    let vast = 1u64 << 50;
    let hole = CompactRange::from_parts(3, vast, {
        let count = crate::tree::compact_range_len(3, vast);
        (0..count).map(|_| Hash([9; 32])).collect()
    })
    .unwrap();
    let mut source = RangeSource::new(&Frontier::new());
    leaves(3).iter().for_each(|leaf| source.push_leaf(*leaf));
    source.push_range(&hole).unwrap();
    source.push_leaf(Hash([4; 32]));
    assert_eq!(source.end(), vast + 1);
    assert!(build_consistency_proof(&source, 3, vast + 1).is_ok());
    assert_eq!(
        source.push_range(&hole),
        Err(TreeError::NotAdjacent {
            expected: vast + 1,
            got: 3
        })
    );
}

/// A redacted bundle: some entries disclosed with their salts, the rest as hashes, and still provably complete.
//= U5
//= A4.7
#[test]
fn a_redacted_range_is_complete_and_says_nothing_of_what_it_hides() {
    let salted = |n: u8, value: &[u8]| {
        let salt = [n.wrapping_mul(37); 16];
        leaf_hash(&[&salt[..], value].concat())
    };
    let all: Vec<Hash> = (0..16).map(|n| salted(n, b"230 V")).collect();
    let root = naive::root(&all);
    let source = source_with_hole(0, 0, &all);
    let proof = build_subtree_proof(&source, 8, 16, 16).unwrap();
    // Disclosed: 8, 9 and 15; hidden: [10, 15) as a compact range.
    let mut bundle = CompactRange::empty(8);
    bundle.push(salted(8, b"230 V"));
    bundle.push(salted(9, b"230 V"));
    bundle.append(&range_of(10, 15, &all)).unwrap();
    bundle.push(salted(15, b"230 V"));
    assert_eq!(verify_range(&bundle, 16, &proof, &root), Ok(()));
    // Equal readings have unequal hashes, and a guess without the salt meets none of them.
    assert!(!all.contains(&leaf_hash(b"230 V")));
    assert!((1..all.len()).all(|n| !all[..n].contains(&all[n])));
    // A bundle that leaves the hidden part out is not complete.
    let mut short = range_of(8, 10, &all);
    short.push(salted(15, b"230 V"));
    assert!(verify_range(&short, 16, &proof, &root).is_err());
}
