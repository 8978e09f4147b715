//! Entries found again inside a hole: they are the lost ones, or they are nothing.

use super::report::{FindingKind, Report};
use crate::collector::StoredHole;
use proof::{CompactRange, Hash};
use std::collections::BTreeMap;

/// Compares what fills a hole with the hashes that the tree kept of it, subtree by subtree. Where only a part of
/// a subtree is filled, nothing that lies here proves it: `unproven` says what that means.
pub(super) fn check_fills(
    hole: &StoredHole,
    filled: &BTreeMap<u64, Hash>,
    unproven: FindingKind,
    report: &mut Report,
) {
    for (part, hash) in hole.range.subtrees() {
        let found: Vec<(u64, Hash)> = filled
            .range(part.begin..part.end())
            .map(|(id, hash)| (*id, *hash))
            .collect();
        let span = found.first().zip(found.last());
        let Some(span) = span.map(|((first, _), (last, _))| (*first, *last)) else {
            continue;
        };
        if u64::try_from(found.len()) != Ok(part.end() - part.begin) {
            let words = format!(
                "found again, and nothing here proves them: of entries {} to {} the tree kept one hash",
                part.begin,
                part.end() - 1
            );
            report.find(unproven, Some(span), words);
            continue;
        }
        let mut range = CompactRange::empty(part.begin);
        found.iter().for_each(|(_, leaf)| range.push(*leaf));
        if range.hashes() != [hash] {
            let words = "filled with other bytes than were lost";
            report.find(FindingKind::Root, Some(span), words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check_fills;
    use crate::collector::StoredHole;
    use crate::verify::report::{FindingKind, Report};
    use proof::tree::leaf_hash;
    use proof::{CompactRange, Hash};
    use std::collections::BTreeMap;

    fn leaf(id: u64) -> Hash {
        leaf_hash(&id.to_be_bytes())
    }

    /// A hole from 3 to 16 has the hashes of [3, 4), [4, 8) and [8, 16).
    fn check(filled: impl IntoIterator<Item = (u64, Hash)>, kinds: &[FindingKind]) {
        let mut range = CompactRange::empty(3);
        (3..16).for_each(|id| range.push(leaf(id)));
        let hole = StoredHole {
            span: (3, 16),
            range,
            cause: "frame_damaged".to_owned(),
            named_by: Some(20),
            filled: 0,
        };
        let filled: BTreeMap<u64, Hash> = filled.into_iter().collect();
        let mut report = Report::default();
        check_fills(&hole, &filled, FindingKind::NotCovered, &mut report);
        let found: Vec<FindingKind> = report.findings.iter().map(|one| one.kind).collect();
        assert_eq!(found, kinds, "{filled:?}");
    }

    //= A4.7
    #[test]
    fn whole_subtrees_must_have_their_hash_and_parts_of_them_prove_nothing() {
        let honest = |ids: std::ops::Range<u64>| ids.map(|id| (id, leaf(id)));
        check([], &[]);
        check(honest(3..16), &[]);
        check(honest(3..4), &[]);
        check(honest(4..8), &[]);
        check([(3, leaf(4))], &[FindingKind::Root]);
        for id in 4..8 {
            let forged = honest(4..8).chain([(id, leaf(99))]);
            check(forged, &[FindingKind::Root]);
        }
        check(honest(4..7), &[FindingKind::NotCovered]);
        check(
            honest(3..15).chain([(5, leaf(99))]),
            &[FindingKind::Root, FindingKind::NotCovered],
        );
    }
}
