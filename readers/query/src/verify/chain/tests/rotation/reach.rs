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
