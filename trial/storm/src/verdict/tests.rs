//! A sound site's evidence, and faults planted in it: each must be found.

use super::{Verdict, account, held_against, unnamed};
use crate::blow::{Blow, Fault, How, Target};
use crate::diary::{Diary, Window};
use crate::holder::{Held, Whole};
use proof::tree::leaf_hash;
use proof::{Frontier, Hash};
use serde_json::json;
use trial::{Counts, Found};

/// Three entries, all acknowledged, two of them cosigned.
fn sound() -> (Held, Whole) {
    let (mut held, mut whole) = (Held::default(), Whole::default());
    let mut frontier = Frontier::new();
    for (index, leaf) in [(0, "zero"), (1, "one"), (2, "two")] {
        held.take(index, leaf.as_bytes());
        frontier.push(leaf_hash(leaf.as_bytes()));
        whole.entries.push((index, leaf.as_bytes().to_vec()));
        whole.roots.insert(index + 1, frontier.root());
    }
    held.acks.insert(2, whole.roots[&2]);
    (held, whole)
}

fn lost(plant: impl FnOnce(&mut Held, &mut Whole)) -> u64 {
    let (mut held, mut whole) = sound();
    plant(&mut held, &mut whole);
    let mut verdict = Verdict::default();
    held_against(&held, &whole, &mut verdict);
    assert_eq!(verdict.findings.len() as u64, verdict.counts.lost);
    verdict.counts.lost
}

//= A5.6
#[test]
fn what_was_acknowledged_must_be_there_with_the_same_bytes_or_be_named_as_lost() {
    assert_eq!(lost(|_, _| {}), 0);
    assert_eq!(lost(|_, whole| whole.entries.truncate(2)), 1);
    assert_eq!(
        lost(|_, whole| {
            whole.entries.remove(1);
            whole.holes.push((1, 1));
        }),
        0
    );
    assert_eq!(
        lost(|_, whole| {
            whole.entries.remove(1);
            whole.holes.push((2, 5));
        }),
        1,
        "another hole names nothing of it"
    );
    assert_eq!(lost(|_, whole| whole.entries[2].1.push(0)), 1);
    assert_eq!(lost(|held, _| held.take(1, b"other bytes")), 2);
}

//= A5.6
#[test]
fn a_cosignature_that_was_forgotten_is_found() {
    let other = Hash([7; 32]);
    assert_eq!(lost(|held, _| held.acks.extend([(3, other)])), 1);
    assert_eq!(lost(|held, _| held.acks.extend([(9, other)])), 1);
}

//= A4.6
#[test]
fn a_gap_without_explanation_a_session_without_trace_and_a_double_are_found() {
    let counts = |missing: u64, explained: u64, doubles: u64, seqs: usize| {
        let mut verdict = Verdict::default();
        let json = json!({
            "missing_readings": missing, "missing_explained": explained, "duplicates": doubles,
            "seq_findings": vec![json!({}); seqs], "missing": [{"class": "UNEXPLAINED"}],
        });
        account(&Found { json, well: true }, &mut verdict);
        (verdict.counts, verdict.findings.is_empty())
    };
    let none = Counts::default();
    assert_eq!(counts(9, 9, 0, 0), (none, true));
    let with = |unexplained, duplicated| Counts {
        unexplained,
        duplicated,
        ..none
    };
    assert_eq!(counts(9, 7, 0, 0), (with(2, 0), false));
    assert_eq!(counts(0, 0, 0, 1), (with(1, 0), false));
    assert_eq!(counts(0, 0, 3, 0), (with(0, 3), false));
}

//= A2.4
#[test]
fn a_kill_and_a_rollback_that_the_log_does_not_name_are_found() {
    const S: u64 = 1_000_000_000;
    let folder = tempfile::tempdir().unwrap();
    let unnamed = |blows: &[(Blow, u64)], ends: &[u64], conflicts_s: &[u64]| {
        let file = folder
            .path()
            .join(format!("{blows:?}{ends:?}{conflicts_s:?}").replace('/', ""));
        let mut diary = Diary::new(&file).unwrap();
        diary
            .windows
            .extend(blows.iter().map(|(blow, at_s)| Window {
                blow: *blow,
                from_ns: at_s * S,
                to_ns: (at_s + 1) * S,
                pids: vec![*at_s],
                silent_to_ns: None,
                is_open: false,
            }));
        let conflicts_ns: Vec<u64> = conflicts_s.iter().map(|at_s| at_s * S).collect();
        unnamed(&diary, ends, &conflicts_ns).len()
    };
    let kill = (Blow::Strike(Target::Time, How::Kill), 100);
    assert_eq!(unnamed(&[kill], &[100], &[]), 0);
    assert_eq!(unnamed(&[kill], &[99], &[]), 1);
    // A supervisor that is killed soon after may not have told.
    let crash = (Blow::Strike(Target::All, How::Kill), 103);
    assert_eq!(unnamed(&[kill, crash], &[], &[]), 0);
    let back = (Blow::Fault(Fault::Rollback), 50);
    assert_eq!(unnamed(&[back], &[], &[52]), 0);
    assert_eq!(unnamed(&[back], &[], &[]), 1);
    assert_eq!(unnamed(&[back], &[], &[49, 90]), 1);
}
