//! Requests for statements beside tree heads, and their answer.

use super::super::{
    AnswerChallenge, AskEndorsements, Attest, Attested, BindFirmware, BootAsked, BootFound,
    CounterArea, Describe, EndorsementCertificate, Endorsements, FirmwareAnswer, FirmwareAsked,
    FirmwareBound, Keys, LackedCounter, Message, NoteText, Quote, QuotedPcr, RecordPurpose, Rotate,
    Rotated, SealedCredential, SignRecord, SignedRecord, SignedTree, Uses,
};
use super::event;
use evidence::reasons::{CounterKind, Custody, KeyFault};
use evidence::{Actor, Blob, CommitId, Digest, Generation, MonoNs};

pub(super) fn samples() -> Vec<Message> {
    let records = RecordPurpose::ALL.iter().map(|purpose| {
        SignRecord {
            origin: "o/g1".into(),
            purpose: *purpose,
            bytes: Blob(vec![1, 2]),
        }
        .into()
    });
    let others = [
        SignedRecord {
            note: NoteText("fieldnotary attestation statement v1\n".into()),
            custody: Custody::Software,
            uses: Vec::new(),
            quoted: None,
            unquoted: Some("no answer".into()),
            unquoted_fault: Some(KeyFault::Slow),
        }
        .into(),
        SignedRecord {
            note: NoteText("fieldnotary boot statement v1\n".into()),
            custody: Custody::TpmEmulated,
            uses: Vec::new(),
            quoted: Some(Quote {
                attest: Blob(vec![0xff]),
                signature: Blob(vec![0x30]),
                pcrs: vec![QuotedPcr {
                    pcr: 7,
                    value: Digest([3; 32]),
                }],
            }),
            unquoted: None,
            unquoted_fault: None,
        }
        .into(),
    ];
    let of_boot = [
        BootAsked {}.into(),
        BootFound { boot: event() }.into(),
        Attest {
            nonce: Blob(vec![9; 32]),
            name: "ada".into(),
        }
        .into(),
        Attested {
            commit_id: CommitId(70),
            attestation: event(),
        }
        .into(),
        FirmwareAsked {}.into(),
        FirmwareAnswer {
            heard: true,
            blocked: true,
            words: "6 is installed, 7 ran".into(),
        }
        .into(),
        BindFirmware {
            origin: "o/g1".into(),
            version: 7,
            above: Some(40),
        }
        .into(),
        FirmwareBound {
            value: 41,
            public: Blob(vec![1, 0x80]),
            attest: Blob(vec![0xff]),
            signature: Blob(vec![0x30]),
            uses: Vec::new(),
        }
        .into(),
    ];
    let all = records.chain(others).chain(of_boot);
    all.chain(of_enrolment()).collect()
}

fn of_enrolment() -> Vec<Message> {
    let challenge = |credential| AnswerChallenge {
        origin: "o/g1".into(),
        nonce: Digest([9; 32]),
        credential,
        request: Digest([8; 32]),
    };
    let credential = SealedCredential {
        kind: "rsa-2048".into(),
        blob: Blob(vec![1, 2]),
        secret: Blob(vec![3; 256]),
    };
    let certificate = EndorsementCertificate {
        kind: "p-256".into(),
        certificate: Blob(vec![0x30, 0x82]),
    };
    vec![
        AskEndorsements {}.into(),
        Endorsements {
            certificates: vec![certificate],
            unreadable: vec!["rsa-2048: no certificate".into()],
        }
        .into(),
        challenge(None).into(),
        challenge(Some(credential)).into(),
    ]
}

pub(super) fn of_rotations() -> Vec<Message> {
    vec![
        Rotate {
            origin: "example.org/s/g1".into(),
            actor: Actor::local("ada", 7),
            reason: "yearly".into(),
        }
        .into(),
        Rotated {
            statement: NoteText("text\n".into()),
        }
        .into(),
    ]
}

/// What the signer is asked of itself, and says.
pub(super) fn of_what_it_is() -> Vec<Message> {
    vec![
        Describe {
            origin: Some("o/g1".into()),
            nonce: None,
        }
        .into(),
        Describe {
            origin: None,
            nonce: Some(Digest([7; 32])),
        }
        .into(),
        Keys {
            rotations: vec![NoteText("text\n".into())],
            vkeys: vec!["o/g1+00000000+AAAA".into()],
            custody: Custody::Software,
            non_exportable: false,
            monotonic_counter: false,
            attestation: false,
            measured_boot: false,
            key_ops: 3,
            refused: 1,
            rollback_attempts: 1,
            signature_failures: 0,
            maker: "files".into(),
            key_public: None,
            counters: vec![CounterArea {
                counter: CounterKind::Orderly,
                public: Blob(vec![1, 0x50]),
                value: 9,
                moving_to: Some(9),
            }],
            lacked: vec![LackedCounter {
                counter: CounterKind::Plain,
                at: MonoNs(5),
            }],
            plain_every_ns: 1,
            not_applied: vec!["the system has no filter".into()],
            uses: vec![Uses {
                purpose: "checkpoint".into(),
                count: 3,
            }],
            signed: vec![SignedTree {
                generation: Generation(2),
                size: 5,
                root: Digest([6; 32]),
            }],
            counts_firmware: true,
            firmware_public: Some(Blob(vec![1, 0x80])),
            firmware_value: Some(41),
            firmware_fault: Some(KeyFault::Failed),
            firmware_unread: Some("TPM_RC_AUTH_FAIL".into()),
            note: Some(NoteText("said\n".into())),
        }
        .into(),
    ]
}
