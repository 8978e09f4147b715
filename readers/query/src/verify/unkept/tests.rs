//! What the log tells explains what it names, in the keep-ring that it names, and nothing else.

use super::{Lacking, Ranges, Told, WhyUnkept};
use evidence::kinds::Unkept;
use evidence::reasons::{KeepStore, UnkeptCause};
use evidence::{CommitId, MonoNs, Payload};
use journal::keep::KeepFinding;
use std::collections::BTreeMap;

fn ranges(all: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::default();
    all.iter().for_each(|range| ranges.add(*range));
    ranges
}

/// Not damage, not another keep-ring, and not a stretch of which only a part is named.
//= A5.7
#[test]
fn what_was_passed_over_explains_what_was_absent_there_and_no_damage() {
    let told = WhyUnkept {
        losses: ranges(&[(10, 15), (30, 32)]),
        unkept: BTreeMap::from([(KeepStore::Soe, ranges(&[(20, 30), (32, 40)]))]),
    };
    let passed_over = Some(Lacking::PassedOver);
    for (store, first, end, was_absent, why) in [
        (KeepStore::Soe, 20, 30, true, passed_over),
        (KeepStore::Soe, 22, 24, true, passed_over),
        (KeepStore::Soe, 25, 40, true, passed_over),
        (KeepStore::Audit, 20, 30, true, None),
        (KeepStore::Soe, 20, 30, false, None),
        (KeepStore::Soe, 19, 30, true, None),
        (KeepStore::Soe, 60, 70, true, None),
        (KeepStore::Audit, 11, 15, true, Some(Lacking::Lost)),
        (KeepStore::Soe, 11, 15, false, Some(Lacking::Lost)),
    ] {
        let found = KeepFinding {
            first,
            end,
            range: None,
            was_absent,
        };
        assert_eq!(told.why(store, &found), why, "{store} {found:?}");
    }
}

//= A5.7
#[test]
fn what_is_told_in_pieces_or_twice_is_one_finding() {
    let mut told = Told::default();
    let unkept = |store, first, count, says: &str| {
        Payload::from(Unkept {
            at: MonoNs(1),
            store,
            first: CommitId(first),
            count,
            cause: UnkeptCause::Refused,
            says: Some(says.to_owned()),
        })
    };
    told.hear(50, &unkept(KeepStore::Soe, 10, 10, "no space"));
    told.hear(50, &unkept(KeepStore::Soe, 10, 10, "no space"));
    told.hear(51, &unkept(KeepStore::Audit, 10, 10, "worn out"));
    told.hear(90, &unkept(KeepStore::Soe, 20, 5, "later"));
    let found = told.tell();
    let spans: Vec<_> = found.iter().map(|(span, _)| *span).collect();
    assert_eq!(spans, [(10, 24), (10, 19)]);
    for (found, (ring, id, says)) in found.iter().zip([
        ("keep-soe", "entry 50", "no space"),
        ("keep-audit", "entry 51", "worn out"),
    ]) {
        assert!(
            [ring, id, says].iter().all(|word| found.1.contains(word)),
            "{found:?}"
        );
    }
    assert!(told.tell().is_empty());
}
