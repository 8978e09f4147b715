//! Keys that follow others by their own word: in which order they did, and how far the word of keys that were taken back reaches.

use crate::rotation::Rotation;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use proof::note::VerifierKey;

/// Two keys that named the two that follow them.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Who named.
    pub old: [&'a VerifierKey; 2],
    /// Whom.
    pub new: [&'a VerifierKey; 2],
    /// Whether these are good by more than that word: whoever asks was given one of them, or saw the change confirmed
    /// before anything was taken back. Each of the two stated that the other belongs to it.
    pub vouched: bool,
}

/// Which of these changes make no key good: those by a key that was taken back, and by keys whose own change makes none good, in
/// whatever order they are given. Each change is looked at once for each key that it is by.
#[must_use]
pub fn by_taken_back(all: &[Named<'_>], is_back: impl Fn(&VerifierKey) -> bool) -> Vec<bool> {
    let mut by: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for (place, one) in all.iter().enumerate().filter(|(_, one)| !one.vouched) {
        for key in one.old {
            by.entry(key.public_bytes()).or_default().push(place);
        }
    }
    let is_first = |one: &Named<'_>| !one.vouched && one.old.iter().any(|key| is_back(key));
    let mut bad: Vec<bool> = all.iter().map(is_first).collect();
    let mut found: Vec<&Named<'_>> = Vec::new();
    found.extend(
        all.iter()
            .zip(&bad)
            .filter(|(_, bad)| **bad)
            .map(|(one, _)| one),
    );
    while let Some(one) = found.pop() {
        for key in one.new {
            for place in by.remove(&key.public_bytes()).unwrap_or_default() {
                if let (Some(bad), Some(next)) = (bad.get_mut(place), all.get(place))
                    && !core::mem::replace(bad, true)
                {
                    found.push(next);
                }
            }
        }
    }
    bad
}

/// Statements in the order in which keys followed each other, each once, wherever they came from: by generation and size, and where
/// several changes were stated over one head, by who follows whom.
#[must_use]
pub fn in_order(mut all: Vec<Rotation>) -> Vec<Rotation> {
    all.sort_by_cached_key(|one| (one.generation, one.size, one.text()));
    all.dedup();
    let mut ordered = Vec::with_capacity(all.len());
    for over_one_head in
        all.chunk_by(|one, next| (one.generation, one.size) == (next.generation, next.size))
    {
        each_behind_the_other(over_one_head, &mut ordered);
    }
    ordered
}

/// The keys that sign where these did, by what they and those behind them state; statements as [`in_order`] has them, or as
/// they were made.
#[must_use]
pub fn newest(first: [VerifierKey; 2], stated: &[Rotation]) -> [VerifierKey; 2] {
    let is_of = |one: &Rotation, keys: &[VerifierKey; 2]| {
        one.follows(keys) && keys.iter().all(|key| key.name() == one.base.as_str())
    };
    stated
        .iter()
        .fold(first, |keys, one| match is_of(one, &keys) {
            true => one.new.clone(),
            false => keys,
        })
}

/// Two keys by what they are.
fn identity(keys: &[VerifierKey; 2]) -> [Vec<u8>; 2] {
    keys.each_ref().map(VerifierKey::public_bytes)
}

/// Takes statements over one head: each behind the one that names the keys by which it is.
fn each_behind_the_other(all: &[Rotation], ordered: &mut Vec<Rotation>) {
    let named: BTreeSet<_> = all.iter().map(|one| identity(&one.new)).collect();
    let mut by: BTreeMap<[Vec<u8>; 2], Vec<&Rotation>> = BTreeMap::new();
    for one in all.iter().rev() {
        by.entry(identity(&one.old)).or_default().push(one);
    }
    let is_first = |one: &&Rotation| !named.contains(&identity(&one.old));
    // Of those that only follow each other in a circle none is first; they are taken as they stand.
    for first in all.iter().filter(is_first).chain(all) {
        let mut keys = identity(&first.old);
        let mut behind: Vec<[Vec<u8>; 2]> = Vec::new();
        loop {
            match by.get_mut(&keys).and_then(Vec::pop) {
                Some(next) => {
                    ordered.push(next.clone());
                    behind.push(core::mem::replace(&mut keys, identity(&next.new)));
                }
                None => match behind.pop() {
                    Some(before) => keys = before,
                    None => break,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, by_taken_back, in_order, newest};
    use crate::rotation::Rotation;
    use crate::rotation::tests::{keys, rotation};
    use evidence::Generation;
    use proof::note::VerifierKey;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Changes of these keys over a head of a generation.
    fn changes(all: &[([u8; 2], u64, u64)]) -> Vec<Rotation> {
        let stated = |(seeds, generation, size): &([u8; 2], u64, u64)| Rotation {
            generation: Generation(*generation),
            size: *size,
            ..rotation(seeds[0], seeds[1])
        };
        all.iter().map(stated).collect()
    }

    /// Keys 1 to 7 after each other: three changes over one head, and two before a generation begins.
    const CHAIN: [([u8; 2], u64, u64); 6] = [
        ([1, 2], 1, 5),
        ([2, 3], 1, 9),
        ([3, 4], 1, 9),
        ([4, 5], 1, 9),
        ([5, 6], 2, 0),
        ([6, 7], 2, 0),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        //= R8.2
        #[test]
        fn statements_have_one_order_in_whatever_order_they_come(
            taken in proptest::collection::vec(0..CHAIN.len() + 2, 0..20)
        ) {
            // Beside them a branch of one of the keys, and two that follow each other in a circle.
            let beside = [([3, 8], 1, 9), ([9, 10], 1, 9)];
            let all: Vec<_> = CHAIN.iter().chain(&beside).copied().collect();
            let mut shuffled: Vec<_> = taken.iter().map(|place| all[*place]).collect();
            shuffled.extend(CHAIN);
            let once: Vec<_> = all.iter().filter(|one| shuffled.contains(one)).copied().collect();
            prop_assert_eq!(in_order(changes(&shuffled)), in_order(changes(&once)));
            let chain = changes(&CHAIN);
            let mut found = in_order(changes(&shuffled));
            found.retain(|one| chain.contains(one));
            prop_assert_eq!(found, chain);
        }

        //= R8.2
        #[test]
        fn what_follows_a_revoked_key_is_found_in_whatever_order_it_is_told(
            order in Just(CHAIN.map(|(seeds, _, _)| seeds).to_vec()).prop_shuffle(),
            revoked in 1_u8..8,
            which in 0..2_usize,
            vouched in proptest::option::of(2_u8..8),
        ) {
            let pairs: Vec<_> = order.iter().map(|[old, new]| (keys(*old), keys(*new), *new)).collect();
            let named: Vec<Named<'_>> = pairs.iter().map(|(old, new, seed)| Named {
                old: old.each_ref(),
                new: new.each_ref(),
                vouched: Some(*seed) == vouched,
            }).collect();
            let back = &keys(revoked)[which];
            let bad = by_taken_back(&named, |key| key.has_same_secret(back));
            for ((_, _, new), bad) in pairs.iter().zip(bad) {
                // From the revoked key on, up to the first that is good by more than its word.
                let saved = vouched.is_some_and(|from| from > revoked && *new >= from);
                prop_assert_eq!(bad, *new > revoked && !saved, "{} of {:?}", new, order);
            }
        }
    }

    /// Whoever writes thousands of changes has whoever judges them ask for each of their keys once, whatever their order.
    //= R8.2
    #[test]
    fn thousands_of_changes_are_judged_with_one_question_for_each_key() {
        const CHANGES: usize = 4_000;
        let key = |number: usize| {
            let mut public = [0; 32];
            public[..8].copy_from_slice(&number.to_be_bytes());
            VerifierKey::cosigner("c.example", &public)
        };
        // Bytes that are no point of the curve are no key: some of them are.
        let mut all = (0..).filter_map(|number| key(number).ok());
        let keys: Vec<VerifierKey> = all.by_ref().take(2 * (CHANGES + 1)).collect();
        let pairs: Vec<_> = keys.chunks(2).collect();
        // The last change first: each step of a rule that goes over all of them would find one more.
        let named = pairs.windows(2).rev().map(|two| Named {
            old: [&two[0][0], &two[0][1]],
            new: [&two[1][0], &two[1][1]],
            vouched: false,
        });
        let named: Vec<Named<'_>> = named.collect();
        let asked = core::cell::Cell::new(0);
        let bad = by_taken_back(&named, |key| {
            asked.set(asked.get() + 1);
            key.has_same_secret(&keys[1])
        });
        assert_eq!(bad, [true; CHANGES]);
        assert!(asked.get() <= 2 * CHANGES, "{}", asked.get());
    }

    //= R8.2
    #[test]
    fn the_newest_keys_are_those_to_which_statements_of_that_log_lead_from_these() {
        let chain = changes(&CHAIN);
        for (from, to, stated) in [
            (1, 7, &chain[..]),
            (4, 7, &chain[..]),
            (7, 7, &chain[..]),
            (1, 4, &chain[..3]),
            // What is missing leads nowhere, and what is stated of others says nothing.
            (1, 2, &chain[..1]),
            (1, 1, &chain[1..]),
            (9, 9, &chain[..]),
        ] {
            assert_eq!(newest(keys(from), stated), keys(to), "{from}");
        }
        let mut other = chain;
        for one in &mut other {
            one.base = crate::BaseOrigin::new("example.org/other").unwrap();
        }
        assert_eq!(newest(keys(1), &other), keys(1));
    }

    #[test]
    fn keys_that_follow_each_other_in_a_circle_are_taken_once_each() {
        let circle = changes(&[([1, 2], 1, 5), ([2, 3], 1, 5), ([3, 1], 1, 5)]);
        let found = in_order(circle.clone());
        assert_eq!(found.len(), 3);
        for place in 0..3 {
            let mut turned = circle.clone();
            turned.rotate_left(place);
            assert_eq!(in_order(turned), found);
        }
    }
}
