//! The firmware and the programs that a node runs from.

use super::FieldRow;
use crate::actor::Actor;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::Digest;
use crate::reasons::{FirmwareCounter, FirmwareKept, FirmwareOutcome};
use crate::time::MonoNs;
use alloc::string::String;
use alloc::vec::Vec;

payload! {
    /// A program of the node: what is legally relevant of its software (U9.1).
    Program {
        0 name: String => "its name";
        1 version: String => "its version, by its own word";
        2 digest: Option<Digest> => "SHA-256 of its file; absent where that could not be read";
    }
}

payload! {
    /// The firmware and the programs of a start, and how they stand to the highest version that ever was (A6.4, A6.5).
    Firmware {
        0 at: MonoNs => "when it was judged";
        1 outcome: FirmwareOutcome => "how it stands, and what was done";
        2 installed: Option<u64> => "the security version that is installed; absent where none is declared or it cannot be read";
        3 highest: Option<u64> => "the highest that ever was, with this one";
        4 kept: FirmwareKept => "where that is kept";
        5 counter: FirmwareCounter => "what the store's counter says of it";
        6 image: Option<String> => "the image's version in its maker's words";
        7 source: Option<String> => "where the security version was read";
        8 attempts: u64 => "attempts to go back that this log counted, with this one (rollback_attempt_cnt)";
        9 blocks: u64 => "those of them that were blocked (rollback_block_cnt)";
        10 programs: Vec<Program>, list => "the programs of the node";
        11 value: Option<u64> => "the counter's value";
        12 public: Option<Blob> => "its public area as its TPM hashes it (TPMS_NV_PUBLIC)";
        13 attest: Option<Blob> => "what the TPM signed (TPMS_ATTEST), over the SHA-256 of the statement that names the highest version";
        14 signature: Option<Blob> => "the authority's ECDSA signature on that, in DER";
        15 actor: Option<Actor> => "who put it there or accepted it, where somebody said so; the recorder, where the window of the configuration lets it run";
        16 reason: Option<String> => "why";
        17 accepted: bool => "whether a person has accepted what is installed as it is";
        18 detail: String => "a sentence for a person";
        19 shown: Option<u64> => "a version that ran at the least by the store's counter, where this log does not know which: it stands until a version is \
            bound to the counter again; 0 where the counter does not show how high";
    }
}

impl Firmware {
    /// A start of which nothing is known but how it stands; what else it has is added to it.
    #[must_use]
    pub const fn new(at: MonoNs, outcome: FirmwareOutcome) -> Self {
        Self {
            at,
            outcome,
            installed: None,
            highest: None,
            kept: FirmwareKept::TruthStore,
            counter: FirmwareCounter::None,
            image: None,
            source: None,
            attempts: 0,
            blocks: 0,
            programs: Vec::new(),
            value: None,
            public: None,
            attest: None,
            signature: None,
            actor: None,
            reason: None,
            accepted: false,
            detail: String::new(),
            shown: None,
        }
    }
}
