//! What a forger makes of a log whose keys changed, and which script of the page finds it in which words.

use super::forger::{Forged, Thief};
use evidence::kinds::{Attestation, Binding, Checkpoint, Firmware, KeyRotation};
use evidence::reasons::{AttestationOf, FirmwareOutcome};
use evidence::{Blob, Digest, Payload};
use ipc::Message;
use ipc::message::{BindFirmware, RecordPurpose, SignRecord};

/// The forger's work: what he changes of the log with these keys in his hands, and what of it is his own to sign with the retired ones.
pub(super) type Work = fn(&mut Forged, &[Thief; 2]);

/// Which script says what of it.
pub(super) const FORGERIES: &[(&str, &str, Work)] = &[
    (
        "rotated.py",
        ": keys do not change by it: the authority of before did not sign it",
        |log, _| {
            unsigned_by(log, 0);
        },
    ),
    (
        "rotated.py",
        ": keys do not change by it: the second key of before did not sign it",
        |log, _| {
            unsigned_by(log, 1);
        },
    ),
    (
        "rotated.py",
        ": keys do not change by it: the authority that follows did not sign it",
        |log, _| {
            unsigned_by(log, 2);
        },
    ),
    (
        "rotated.py",
        ": keys do not change by it: the entry says something else than the keys",
        |log, _| {
            let (id, mut told) = rotation(log);
            told.size += 1;
            log.change(id, told);
        },
    ),
    (
        "rotated.py",
        " entries: signed with keys that others followed: they sign nothing more",
        |log, [retired, _]| {
            let (like, mut told) = checkpoint(log);
            let (size, root) = log.head();
            (told.size, told.root) = (size, Digest(root.0));
            told.note = retired.sign((size, root)).note.0;
            log.append(like, told);
        },
    ),
    (
        "rotated.py",
        " entries: the signature of the authority does not hold",
        |log, _| {
            let (id, mut told) = checkpoint(log);
            told.note = invalid(&told.note, 0);
            log.change(id, told);
        },
    ),
    (
        "rotated.py",
        " entries: the signature of the second key does not hold",
        |log, _| {
            let (id, mut told) = checkpoint(log);
            told.note = invalid(&told.note, 1);
            log.change(id, told);
        },
    ),
    (
        "bound.py",
        " entries: signed with keys that others followed: they sign nothing more",
        |log, [retired, own]| {
            let (like, mut head) = checkpoint(log);
            let (size, root) = log.head();
            (head.size, head.root) = (size, Digest(root.0));
            head.note = own.sign((size, root)).note.0;
            log.append(like, head);
            let bound = retired.sign((size, root)).bound.remove(0);
            let (like, mut told) = log.last(|payload| match payload {
                Payload::Binding(told) => Some::<Binding>(told),
                _ => None,
            });
            (told.size, told.counter, told.value) = (size, bound.counter, bound.value);
            (told.attest, told.signature) = (bound.attest, bound.signature);
            log.append(like, told);
        },
    ),
    (
        "attested.py",
        ", the statement: signed with keys that others followed: they sign nothing more",
        |log, [retired, _]| {
            let nonce = Blob(vec![7; 32]);
            let asked = SignRecord {
                origin: retired.origin(),
                purpose: RecordPurpose::Attestation,
                bytes: nonce.clone(),
            };
            let Message::SignedRecord(signed) = retired.ask(asked) else {
                panic!("no statement");
            };
            let (like, mut told) = log.last(|payload| match payload {
                Payload::Attestation(told) => Some::<Attestation>(told),
                _ => None,
            });
            (told.of, told.nonce, told.note) = (AttestationOf::Asked, Some(nonce), signed.note.0);
            log.append(like, told);
        },
    ),
    (
        "firmware.py",
        ": a version below its floor of 8 runs, and is not told as one",
        |log, _| {
            let (id, mut told) = firmware(log);
            told.outcome = FirmwareOutcome::Same;
            log.change(id, told);
        },
    ),
    (
        "firmware.py",
        ": the highest version went from 8 to 7",
        |log, _| {
            let (id, mut told) = firmware(log);
            (told.outcome, told.highest) = (FirmwareOutcome::Same, Some(7));
            log.change(id, told);
        },
    ),
    (
        "firmware.py",
        ": attempts or blocks were counted that no entry tells of",
        |log, _| {
            let (id, mut told) = firmware(log);
            told.attempts += 2;
            log.change(id, told);
        },
    ),
    (
        "firmware.py",
        ": the certificate is of another index than the counter of firmware versions",
        |log, _| {
            let (id, mut told) = firmware(log);
            let (_, other) = log.last(|payload| match payload {
                Payload::Binding(told) => Some(told),
                _ => None,
            });
            (told.attest, told.signature) = (Some(other.attest), Some(other.signature));
            log.change(id, told);
        },
    ),
    (
        "firmware.py",
        ": the certificate is of another version than 9",
        |log, _| {
            let (id, mut told) = firmware(log);
            (told.outcome, told.highest, told.installed) =
                (FirmwareOutcome::Raised, Some(9), Some(9));
            log.change(id, told);
        },
    ),
    (
        "firmware.py",
        " is certified, and the entry says 99",
        |log, _| {
            let (id, mut told) = firmware(log);
            told.value = Some(99);
            log.change(id, told);
        },
    ),
    (
        "firmware.py",
        ", the certificate of its counter: signed with keys that others followed: they sign nothing more",
        |log, [retired, _]| {
            let asked = BindFirmware {
                origin: retired.origin(),
                version: 8,
                above: None,
            };
            let Message::FirmwareBound(bound) = retired.ask(asked) else {
                panic!("no certificate");
            };
            let (id, mut told) = firmware(log);
            (told.attest, told.signature) = (Some(bound.attest), Some(bound.signature));
            log.change(id, told);
        },
    ),
];

fn rotation(log: &Forged) -> (usize, KeyRotation) {
    log.last(|payload| match payload {
        Payload::KeyRotation(told) => Some(told),
        _ => None,
    })
}

fn checkpoint(log: &Forged) -> (usize, Checkpoint) {
    log.last(|payload| match payload {
        Payload::Checkpoint(told) => Some(told),
        _ => None,
    })
}

/// The last start whose version is bound.
fn firmware(log: &Forged) -> (usize, Firmware) {
    log.last(|payload| match payload {
        Payload::Firmware(told) if told.value.is_some() => Some(told),
        _ => None,
    })
}

/// Takes the signature in this place out of the last change of keys.
fn unsigned_by(log: &mut Forged, place: usize) {
    let (id, mut told) = rotation(log);
    told.statement = without(&told.statement, place);
    log.change(id, told);
}

/// A note without the signature in this place.
fn without(note: &str, place: usize) -> String {
    let (text, lines) = note.split_once("\n\n").unwrap();
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.remove(place);
    format!("{text}\n\n{}\n", lines.join("\n"))
}

/// A note whose signature in this place is of something else.
fn invalid(note: &str, place: usize) -> String {
    let line = note
        .split_once("\n\n")
        .unwrap()
        .1
        .lines()
        .nth(place)
        .unwrap();
    // Within the numbers, behind the four bytes that name the key and what the form of ECDSA demands.
    let at = line.len() - 20;
    let other = if line.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    note.replace(line, &format!("{}{other}{}", &line[..at], &line[at + 1..]))
}
