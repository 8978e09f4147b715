//! Keys that follow revoked ones by nothing but their word: here, and to a collector.

use super::{BASE, Log, keys};
use crate::verify::Anchors;
use crate::verify::enrolled::tests as enrolled;
use crate::verify::report::{FindingKind, Report};
use crate::verify::revoked::tests::revocation;
use crate::verify::revoked::{finish, take};
use crate::verify::signed_by::SignedBy;

/// Nothing in this generation is signed by the key that was taken back: those that it named sign all of it.
//= R8.2
#[test]
fn keys_that_a_revoked_one_named_in_an_earlier_generation_are_no_others_of_this_one() {
    for (seed, by, own) in [(1, 2, true), (2, 2, true), (4, 2, false), (1, 4, false)] {
        let mut log = Log::of(2);
        log.event();
        let stated = log.stated_in(1, [1, by], 7);
        let (told, registrar) = revocation(seed);
        log.entries.push(stated.into());
        log.entries.push(told.into());
        if by == 4 {
            // Keys of a node that was replaced, which nobody named: the notice of the old ones costs it nothing.
            log.entries.remove(1);
            log.statements.clear();
        }
        log.sealed(by).event().sealed(by);
        let pinned = if by == 4 { keys(4) } else { keys(1) };
        let all = [pinned, vec![registrar]].concat();
        let report = log.judged(all, true);
        assert_eq!(report.revoked[0].own, own, "{seed} {by}");
        let found: Vec<_> = report.findings.iter().map(|one| one.kind).collect();
        let due: &[FindingKind] = if own { &[FindingKind::Revoked] } else { &[] };
        assert_eq!(found, due, "{seed} {by}: {:?}", report.findings);
        let followed = &report.revoked[0].followed;
        assert_eq!(followed.len(), usize::from(seed == 1 && by == 2));
        assert!(followed.iter().all(|one| !one.good));
    }
}

/// What is good here by a cosignature alone is said, as a collector takes no head of it; what was pinned itself needs no word.
//= R8.2
//= A6.3
#[test]
fn keys_that_count_by_a_cosignature_alone_are_told_with_the_verdict() {
    let origin = format!("{BASE}/g1");
    let (told, registrar) = revocation(1);
    let trusted = std::slice::from_ref(&registrar);
    // The entry of each change, what is cosigned; which pairs follow, and whether they are good here.
    for (pinned, cosigned, followed) in [
        (vec![1], 0, vec![(2, false), (3, false)]),
        (vec![1], 5, vec![(2, false), (3, false)]),
        (vec![1], 6, vec![(2, true), (3, true)]),
        (vec![1], 90, vec![(2, true), (3, true)]),
        (vec![1, 2], 0, vec![]),
        (vec![1, 3], 0, vec![(2, false)]),
        (vec![1, 3], 6, vec![(2, true)]),
    ] {
        let mut log = Log::default();
        let (_, _) = (log.stated([1, 2], 3), log.stated([2, 3], 3));
        let pinned: Vec<_> = pinned.into_iter().flat_map(keys).collect();
        let mut signers = Anchors::pinned(pinned.clone()).for_origin(&origin);
        for (entry, stated) in [5, 9].into_iter().zip(&log.statements) {
            signers.rotate(&origin, stated, entry).unwrap();
        }
        let mut report = Report::default();
        let told = take(20, &told, trusted, &mut report).unwrap();
        let mut signed = SignedBy::default();
        signed.take(keys(1), 4);
        signed.take(keys(3), 90);
        finish(vec![told], &signed, &signers, (90, cosigned), &mut report);
        let found = &report.revoked[0].followed;
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.keys.clone(), one.good))
            .collect();
        let due = followed
            .iter()
            .map(|(seed, good)| (enrolled::keys(&origin, *seed), *good));
        assert_eq!(found, due.collect::<Vec<_>>(), "{cosigned}");
        let newest_is_bad = followed.contains(&(3, false));
        assert_eq!(
            report.findings.is_empty(),
            !newest_is_bad,
            "{:?}",
            report.findings
        );
    }
}
