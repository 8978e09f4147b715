//! Checkpoints inside a log whose auditor pinned one of its two keys.

mod rollback;
pub(in crate::verify) mod rotation;

use super::Chain;
use crate::verify::Anchors;
use crate::verify::enrolled::tests::{self as enrolled, enrolment};
use crate::verify::report::{FindingKind, Report};
use crate::verify::revoked::tests::revocation;
use ed25519_dalek::SigningKey as Ed25519;
use evidence::kinds::{Checkpoint, Maintenance};
use evidence::reasons::{Custody, HoldoverReason, MaintenancePhase, TimeQuality, TimeStatus};
use evidence::{
    Actor, Captured, CommitId, Digest, Entry, EntryError, Epoch, Generation, Header, MonoNs,
    Payload, SaltKey, Stamp, TimeDetail, UtcNs, leaf_data,
};
use p256::ecdsa::SigningKey as P256;
use proof::Frontier;
use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};

const BASE: &str = "example.org/n";
const ORIGIN: &str = "example.org/n/g1";

fn secrets() -> (P256, Ed25519) {
    let p256 = P256::from_slice(&[7; 32]).unwrap();
    (p256, Ed25519::from_bytes(&[8; 32]))
}

/// Both verifier keys, the authority's first.
fn keys() -> [VerifierKey; 2] {
    let (p256, ed25519) = secrets();
    let spki = p256_spki(p256.verifying_key());
    let public = ed25519.verifying_key();
    [
        VerifierKey::p256(BASE, &spki).unwrap(),
        VerifierKey::ed25519(BASE, public.as_bytes(), Algorithm::Ed25519).unwrap(),
    ]
}

/// The note of the empty tree, signed twice, its signature lines as some hand left them.
fn note(hand: impl Fn(&mut Vec<String>)) -> String {
    let (p256, ed25519) = secrets();
    let root = Frontier::new().root();
    let text = proof::Checkpoint::new(ORIGIN, 0, root)
        .unwrap()
        .body()
        .unwrap();
    let mut note = Note::new(text.clone()).unwrap();
    note.add(sign_p256(ORIGIN, &p256, &text).unwrap()).unwrap();
    note.add(sign_ed25519(ORIGIN, &ed25519, &text).unwrap())
        .unwrap();
    let whole = note.to_string();
    let (head, lines) = whole.split_once("\n\n").unwrap();
    let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    hand(&mut lines);
    format!("{head}\n\n{}\n", lines.join("\n"))
}

fn checkpoint(note: String) -> Payload {
    Checkpoint {
        at: MonoNs(0),
        size: 0,
        root: Digest(Frontier::new().root().0),
        custody: Custody::Software,
        note,
    }
    .into()
}

/// The leaves of a generation of a log with these entries.
fn leaves(generation: u64, entries: &[Payload]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let generation = Generation(generation);
    let all = (0..).map(CommitId).zip(entries);
    all.map(move |(id, payload)| {
        let captured = Captured::new(payload);
        let entry = Entry {
            header: Header {
                kind: captured.kind,
                generation,
                commit_id: id,
                epoch: Epoch(1),
            },
            stamp: Stamp {
                timestamp: UtcNs(1_700_000_000_000_000_000),
                quality: TimeQuality::RtcOnly,
                status: TimeStatus::FreeRun,
                bound_ns: None,
                detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
            },
            captured,
        };
        let salt = SaltKey([4; 16]).salt(generation, id);
        leaf_data(&salt, &entry.encode())
    })
}

/// The tree over them.
fn frontier(generation: u64, entries: &[Payload]) -> Frontier {
    let mut frontier = Frontier::new();
    for leaf in leaves(generation, entries) {
        frontier.push(proof::tree::leaf_hash(&leaf));
    }
    frontier
}

/// What is said of a log with these entries.
fn report(anchors: &Anchors, entries: &[Payload]) -> Report {
    report_of(1, anchors, entries)
}

/// The same of one of its generations.
fn report_of(generation: u64, anchors: &Anchors, entries: &[Payload]) -> Report {
    let mut report = Report::default();
    let origin = format!("{BASE}/g{generation}");
    let mut chain = Chain::new(origin, anchors, &Frontier::new(), &mut report);
    for leaf in leaves(generation, entries) {
        chain.leaf(&leaf).unwrap();
    }
    chain.finish();
    report
}

/// Whether the log with this checkpoint as its first entry verifies.
fn verifies(anchors: &Anchors, note: String) -> bool {
    let report = report(anchors, &[checkpoint(note)]);
    let signatures = |one: &crate::Finding| one.kind == FindingKind::Signature;
    assert!(
        report.findings.iter().all(signatures),
        "{:?}",
        report.findings
    );
    report.ok()
}

/// An entry of before that names nobody costs the others nothing: it has its place in the tree, and is found by its number.
//= R11.2
#[test]
fn an_entry_that_names_nobody_is_found_and_the_rest_of_its_log_is_judged() {
    let begun = |actor: &str| -> Payload {
        Maintenance {
            at: MonoNs(1),
            phase: MaintenancePhase::Begin,
            actor: Actor::stated(actor).unwrap(),
            reason: "terminator".to_owned(),
            source: None,
            meter_id: None,
            until: None,
        }
        .into()
    };
    let log = [
        begun("ada (uid 7)"),
        begun("bert (uid 8)"),
        begun("ada (uid 7)"),
    ];
    let anchors = Anchors::pinned(keys().to_vec());
    let mut report = Report::default();
    let mut chain = Chain::new(
        format!("{BASE}/g1"),
        &anchors,
        &Frontier::new(),
        &mut report,
    );
    for (place, leaf) in leaves(1, &log).enumerate() {
        let (salt, entry) = leaf.split_at(evidence::limits::SALT_BYTES);
        let mut entry = Entry::decode(entry).unwrap();
        if place == 1 {
            let capture = &mut entry.captured.capture;
            let at = capture.windows(4).position(|part| part == b"bert");
            capture[at.unwrap()] = b'\n';
            if let Err(EntryError::RecordCrc { computed, .. }) = entry.payload() {
                entry.captured.record_crc = computed;
            }
            let row = crate::row(&entry);
            assert_eq!(
                (&row["quality"], &row["reason"]),
                (&"invalid".into(), &"undecodable".into())
            );
            assert!(
                row["detail"].as_str().unwrap().contains("an actor"),
                "{row:?}"
            );
            assert_eq!(row["record_crc_ok"], true);
        }
        chain.leaf(&[salt, &entry.encode()].concat()).unwrap();
    }
    chain.finish();
    assert_eq!(report.entries, 3);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.kind, one.entries))
        .collect();
    assert_eq!(
        found,
        [(FindingKind::Entry, Some((1, 1)))],
        "{:?}",
        report.findings
    );
    assert!(report.findings[0].words.contains("no control characters"));
}

/// The keys of a generation before this one lie beside the log as well, and were enrolled.
//= R8.4
#[test]
fn an_enrolment_of_keys_that_are_known_and_sign_nothing_here_is_credited_to_nobody() {
    let (told, _) = enrolment(3);
    let both = [&keys()[..], &enrolled::keys(BASE, 3)[..]].concat();
    let anchors = Anchors::found_beside(both);
    let entries = [checkpoint(note(|_| {})), told.into()];
    let report = report(&anchors, &entries);
    assert!(report.enrolled.is_empty());
    let words: Vec<_> = report.findings.iter().map(|one| &one.words).collect();
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].contains("does not sign this log"), "{words:?}");
    assert_eq!(report.findings[0].kind, FindingKind::Enrolment);
}

/// Keys of before, taken back, lie beside the log that goes on with others.
//= R8.2
#[test]
fn a_notice_about_keys_that_are_known_and_sign_nothing_here_is_about_others() {
    for (seed, own) in [(3, false), (8, true)] {
        let (told, registrar) = revocation(seed);
        let old = enrolled::keys(BASE, 3);
        let known = [&keys()[..], &old[..], std::slice::from_ref(&registrar)];
        let anchors = Anchors::pinned(known.concat());
        let report = report(&anchors, &[checkpoint(note(|_| {})), told.into()]);
        assert!(report.ok(), "{:?}", report.findings);
        let revoked = &report.revoked[0];
        assert_eq!((revoked.own, revoked.pinned), (own, true), "{seed}");
    }
}

//= A1.3
//= U4
#[test]
fn both_lines_of_a_checkpoint_in_the_log_are_checked_under_any_anchor() {
    let [p256, ed25519] = keys();
    let both = || keys().to_vec();
    for anchors in [
        Anchors::found_beside(both()),
        Anchors::pinned(both()),
        Anchors::pinned(vec![p256.clone()]).and_beside(both()),
        Anchors::pinned(vec![ed25519.clone()]).and_beside(both()),
    ] {
        assert!(verifies(&anchors, note(|_| {})));
        for line in 0..2 {
            assert!(!verifies(&anchors, note(|lines| drop(lines.remove(line)))));
            let bytes = note(|_| {})
                .split_once("\n\n")
                .unwrap()
                .1
                .lines()
                .nth(line)
                .unwrap()
                .len();
            for at in 0..bytes {
                let flipped = note(|lines| {
                    let mut bytes = lines[line].clone().into_bytes();
                    bytes[at] ^= 1;
                    lines[line] = String::from_utf8_lossy(&bytes).into_owned();
                });
                assert!(!verifies(&anchors, flipped), "line {line}, byte {at}");
            }
        }
        let stranger = note(|lines| lines.push("\u{2014} other.example AAAAAAAA".to_owned()));
        assert!(!verifies(&anchors, stranger));
    }
    // Whoever has one key alone cannot check the line of the other.
    let alone = Anchors::pinned(vec![p256]);
    assert!(verifies(&alone, note(|_| {})));
    assert!(!verifies(&alone, note(|lines| drop(lines.remove(0)))));
}
