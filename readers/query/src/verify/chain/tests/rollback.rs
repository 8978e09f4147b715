//! Logs that say themselves that they are not the one that went before, or that their end is not there.

use super::rotation::{Log, keys};
use crate::verify::report::FindingKind;
use evidence::kinds::Rollback;
use evidence::reasons::{RollbackAlarm, RollbackWitness};
use evidence::{MonoNs, Payload};

fn alarm(alarm: RollbackAlarm, witness: RollbackWitness) -> Payload {
    Rollback {
        at: MonoNs(1),
        alarm,
        witness,
        size: 4,
        known_size: None,
        counter: None,
        bound: None,
        value: None,
        detail: "so it is".into(),
    }
    .into()
}

/// A journal of before under the newer keys: what was signed behind its end is proof of the same, and is answered with it.
//= A6.4
//= R8.2
#[test]
fn a_log_that_says_that_it_was_cut_has_the_changes_of_keys_behind_its_end_as_proof_of_it() {
    for beside in [false, true] {
        for of in RollbackAlarm::ALL {
            for by in RollbackWitness::ALL {
                let mut log = Log::default();
                log.event().event().sealed(1).event();
                log.entries.push(alarm(*of, *by));
                // Behind its end, and of another tree below it.
                log.rotated([1, 2], 70);
                let mut other = Log::default();
                other.sealed(1).event().event();
                let told = other.stated([1, 2], 2);
                let mut grown = Log::default();
                grown.event().event().sealed(1).event();
                grown.entries.push(alarm(*of, *by));
                grown.statements.extend(other.statements);
                grown.entries.push(told.into());
                for log in [log, grown] {
                    let mut report = log.judged(keys(1), beside);
                    let own = *by != RollbackWitness::Collector && of.ends_seals();
                    let kind = |kind| report.findings.iter().any(|one| one.kind == kind);
                    assert_eq!(kind(FindingKind::Signature), !own, "{of} {by}");
                    assert!(!report.ok(), "{of} {by}");
                    report.followed();
                    assert_eq!(report.ok(), own, "{of} {by}: {:?}", report.findings);
                }
            }
        }
    }
}

/// A power cut on a bad disk alone can make it: it is named in words, and stands explained.
//= A6.4
#[test]
fn an_end_that_was_lost_is_named_and_fails_no_verdict() {
    for of in RollbackAlarm::ALL {
        let mut log = Log::default();
        log.event().sealed(1);
        log.entries.push(alarm(*of, RollbackWitness::Start));
        log.sealed(1);
        let report = log.judged(keys(1), false);
        let lost = *of == RollbackAlarm::LostEnd;
        assert_eq!(report.ok(), lost, "{of}: {:?}", report.findings);
        let kind = if lost {
            FindingKind::LostEnd
        } else {
            FindingKind::Rollback
        };
        let found = report.findings.iter().find(|one| one.kind == kind).unwrap();
        assert_eq!(found.words, format!("{of} (start): so it is"));
    }
}
