//! The rules of checkpoints, case by case.

use alloc::format;

use super::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::cosignature::cosign;
use crate::limits::TREE_SIZE_MAX;
use crate::note::{Algorithm, NoteError, VerifierKey, sign_ed25519};
use crate::tree::{Hash, empty_root};

const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

fn ed(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

#[test]
fn the_form_is_strict() {
    let table = [
        (format!("o\n1\n{ROOT}"), CheckpointError::BadLines),
        ("o\n1\n".into(), CheckpointError::BadLines),
        (format!("\n1\n{ROOT}\n"), CheckpointError::BadOrigin),
        (format!("o\r\n1\n{ROOT}\n"), CheckpointError::BadOrigin),
        (format!("o\n01\n{ROOT}\n"), CheckpointError::BadSize),
        (format!("o\n-1\n{ROOT}\n"), CheckpointError::BadSize),
        (
            format!("o\n{}\n{ROOT}\n", 1u64 << 63),
            CheckpointError::BadSize,
        ),
        (format!("o\n1\n{ROOT}=\n"), CheckpointError::BadRoot),
        ("o\n1\nAAAA\n".into(), CheckpointError::BadRoot),
        (format!("o\n0\n{ROOT}\n"), CheckpointError::RootOfEmptyTree),
        (format!("o\n1\n{ROOT}\n\n"), CheckpointError::BadLines),
    ];
    for (text, expected) in table {
        assert_eq!(Checkpoint::parse(&text), Err(expected), "{text:?}");
    }
    let extended = format!("o\n1\n{ROOT}\nextension\nanother\n");
    assert!(Checkpoint::parse(&extended).is_ok());
    assert_eq!(
        Checkpoint::parse_exact(&extended),
        Err(CheckpointError::Extensions { lines: 2 })
    );
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let root = Hash([7; 32]);
    for (origin, size) in [
        ("", 1),
        ("a\nb", 1),
        ("a\tb", 1),
        ("a", TREE_SIZE_MAX + 1),
        ("a", 0),
    ] {
        assert!(
            Checkpoint::new(origin, size, root).is_err(),
            "{origin:?} {size}"
        );
        let literal = Checkpoint {
            origin: origin.into(),
            size,
            root,
        };
        assert!(literal.body().is_err() && literal.to_note().is_err());
    }
    assert!(Checkpoint::new("a", 0, empty_root()).is_ok());
}

//= A1.3
#[test]
fn opening_tells_who_signed() {
    let checkpoint = Checkpoint::new("log.example", 7, Hash([7; 32])).unwrap();
    let mut note = checkpoint.to_note().unwrap();
    let body = checkpoint.body().unwrap();
    note.add(sign_ed25519("log.example", &ed(1), &body).unwrap())
        .unwrap();
    note.add(cosign("collector.example", &ed(2), 1_700_000_000, &body).unwrap())
        .unwrap();
    let log_key = VerifierKey::ed25519(
        "log.example",
        ed(1).verifying_key().as_bytes(),
        Algorithm::Ed25519,
    )
    .unwrap();
    let collector =
        VerifierKey::cosigner("collector.example", ed(2).verifying_key().as_bytes()).unwrap();

    let opened = SignedCheckpoint::open(&note.to_bytes(), &[log_key]).unwrap();
    assert_eq!(opened.checkpoint(), &checkpoint);
    assert_eq!(
        (opened.verified().unknown_lines, opened.extension_lines()),
        (1, 0)
    );
    let cosigned = opened.verify(core::slice::from_ref(&collector)).unwrap();
    assert_eq!(cosigned.cosigned_at_s(0), Some(1_700_000_000));
    assert_eq!(opened.note().to_bytes(), note.to_bytes());

    // A cosignature on another head does not fit this one.
    let other = Checkpoint::new("log.example", 8, Hash([7; 32])).unwrap();
    let mut moved = other.to_note().unwrap();
    moved.add(note.signatures()[1].clone()).unwrap();
    assert!(matches!(
        SignedCheckpoint::open(&moved.to_bytes(), &[collector]),
        Err(CheckpointError::Note(NoteError::BadSignature { .. }))
    ));
}
