//! Requests for statements beside tree heads, and their answer.

use super::super::{
    Attest, Attested, BootAsked, BootFound, Message, NoteText, Quote, QuotedPcr, RecordPurpose,
    SignBatch, SignRecord, SignedRecord, SignedTree,
};
use super::event;
use evidence::reasons::{Custody, KeyFault};
use evidence::{Blob, CommitId, Digest, Generation};

pub(super) fn samples() -> Vec<Message> {
    let tree = |size| SignedTree {
        generation: Generation(1),
        size,
        root: Digest([7; 32]),
    };
    let records = RecordPurpose::ALL.iter().map(|purpose| {
        SignRecord {
            origin: "o/g1".into(),
            purpose: *purpose,
            bytes: Blob(vec![1, 2]),
        }
        .into()
    });
    let others = [
        SignBatch {
            origin: "o/g1".into(),
            first: tree(3),
            last: tree(9),
        }
        .into(),
        SignedRecord {
            note: NoteText("fieldnotary audit statement v1\n".into()),
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
    ];
    records.chain(others).chain(of_boot).collect()
}
