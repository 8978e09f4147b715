//! How far the word of keys reaches that others followed, and how much of such words is read.

use super::{BASE, Log, enrolled, keys, log, report_of, signed};
use crate::verify::Anchors;
use crate::verify::report::FindingKind;
use crate::verify::signers::ROTATIONS_MAX;
use evidence::kinds::Attestation;
use evidence::reasons::{AttestationOf, Custody};
use evidence::{Actor, Blob, Digest, MonoNs};
use trust_plane::{Claim, Rotation, qualifying};

impl Log {
    /// The keys of a seed attest to whoever asked.
    fn attested(&mut self, seed: u8) -> &mut Self {
        let (nonce, origin) = ([9; 16], format!("{BASE}/g{}", self.generation));
        let text = Claim::Attestation(&nonce).text(&origin);
        let told = Attestation {
            at: MonoNs(1),
            id: Digest(qualifying(&text)),
            of: AttestationOf::Asked,
            nonce: Some(Blob(nonce.to_vec())),
            actor: Some(Actor::local("ada", 7)),
            note: signed(&text, &origin, &[seed]),
            attest: None,
            signature: None,
            pcrs: Vec::new(),
            custody: Custody::Software,
            fault: None,
            detail: None,
        };
        self.entries.push(told.into());
        self
    }
}

/// Whoever kept keys that others followed attests nothing with them any more.
//= R8.2
//= A6.5
#[test]
fn keys_attest_until_the_log_tells_which_follow_them() {
    let told = |log: &Log, good: bool, how: &str| {
        for report in [log.judged(keys(1), true), log.followed(keys(1))] {
            let found = report.findings.iter().any(|one| {
                one.words
                    .contains("the statement about asked: it is not signed by")
            });
            assert_eq!(
                (report.ok(), found),
                (good, !good),
                "{how}: {:?}",
                report.findings
            );
        }
    };
    let begun = || {
        let mut log = Log::default();
        log.event().event().sealed(1).event();
        log
    };
    for (seed, good) in [(1, true), (2, true), (3, false)] {
        let mut log = begun();
        // Both may have signed what stands before the entry: the new ones, because the log is told of them later.
        log.attested(seed)
            .rotated([1, 2], 2)
            .sealed(2)
            .event()
            .sealed(2);
        match seed {
            3 => assert!(!log.judged(keys(1), true).ok()),
            _ => told(&log, good, "before the entry"),
        }
    }
    for (seed, good) in [(1, false), (2, true)] {
        let mut log = begun();
        log.rotated([1, 2], 2).attested(seed).sealed(2);
        told(&log, good, "behind the entry");
        let mut log = begun();
        log.rotated([1, 2], 2)
            .sealed(2)
            .event()
            .attested(seed)
            .sealed(2);
        told(&log, good, "behind a head of the new ones");
    }
    // Two changes over one head: each pair attests until the next is told of.
    for (seed, good) in [(1, false), (2, true), (3, true)] {
        let mut log = begun();
        log.rotated([1, 2], 2)
            .attested(seed)
            .rotated([2, 3], 2)
            .sealed(3);
        told(&log, good, "between two entries");
    }
}

/// A log may have been written by anybody, and whoever verifies it pays for what he reads.
//= R8.2
#[test]
fn of_thousands_of_rotations_so_many_are_read_as_a_log_can_have() {
    let mut many = log();
    let told = many.stated([3, 4], 11);
    let first = many.entries.len() + ROTATIONS_MAX - 2;
    for _ in 0..3_000 {
        many.entries.push(told.clone().into());
    }
    let report = many.judged(keys(1), false);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.kind, one.entries))
        .collect();
    let here = first as u64;
    assert_eq!(found, [(FindingKind::Signature, Some((here, here)))]);
    let words = &report.findings[0].words;
    assert!(
        words.contains("none is followed from this one on"),
        "{words}"
    );
    assert_eq!(report.rotated.len(), ROTATIONS_MAX);
    // And of those that somebody brings along.
    let pairs = (2..60).flat_map(|one| (2..60).map(move |other| [one, other]));
    let brought = pairs.map(|[one, other]| {
        let ([new, _], [_, beside]) = (enrolled::keys(BASE, one), enrolled::keys(BASE, other));
        Rotation {
            new: [new, beside],
            ..many.statements[0].clone()
        }
    });
    let anchors = Anchors::pinned(keys(1)).and_rotations(brought.collect());
    let report = report_of(1, &anchors, &log().entries);
    let words = "statements of keys that follow others are brought along";
    let found = report
        .findings
        .iter()
        .filter(|one| one.words.contains(words));
    assert_eq!(found.count(), 1);
}

/// Whoever kept a checkpoint that newer keys signed, and brought an old log or old keys, is told what leads to them.
//= A6.4
//= R8.2
#[test]
fn a_kept_checkpoint_of_newer_keys_says_what_to_bring_along() {
    let mut old = Log::default();
    old.event().event().sealed(1);
    let size = old.entries.len() as u64;
    let head = |name: &str, seed| {
        let origin = format!("{BASE}/g1");
        let root = super::super::frontier(1, &old.entries).root();
        let head = proof::Checkpoint::new(&origin, size, root).unwrap();
        let note = signed(&head.body().unwrap(), name, &[seed]);
        crate::Known::parse(note.as_bytes()).unwrap()
    };
    let words = |known: crate::Known, more: Vec<Rotation>| -> String {
        let anchors = Anchors::pinned(keys(1)).and_rotations(more);
        let report = report_of(1, &anchors.and_known(vec![known]), &old.entries);
        let of_it = report.findings.iter();
        let of_it = of_it.filter(|one| one.kind == FindingKind::Known);
        of_it.map(|one| one.words.clone()).collect()
    };
    let own = format!("{BASE}/g1");
    assert_eq!(words(head(&own, 1), Vec::new()), "");
    let told = words(head(&own, 2), Vec::new());
    for part in [
        "is not signed by a key of this log",
        "--rotation FILE",
        "rotation-001.note",
    ] {
        assert!(told.contains(part), "{told}");
    }
    // With what the keys state of each other it is compared.
    let mut stated = Log::default();
    stated.event().event().stated([1, 2], 2);
    assert_eq!(words(head(&own, 2), stated.statements), "");
    // Of what others signed, and of a line that does not hold, no statement would help.
    let told = words(head("somebody.example", 2), Vec::new());
    assert!(
        told.contains("is not signed") && !told.contains("--rotation"),
        "{told}"
    );
}
