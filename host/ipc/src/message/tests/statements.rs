//! Requests for statements beside tree heads, and their answer.

use super::super::{
    Message, NoteText, RecordPurpose, SignBatch, SignRecord, SignedRecord, SignedTree,
};
use evidence::reasons::Custody;
use evidence::{Blob, Digest, Generation};

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
        }
        .into(),
    ];
    records.chain(others).collect()
}
