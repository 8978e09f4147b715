//! What was booted, and what the store of the keys attests of it.

use super::FieldRow;
use crate::actor::Actor;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::{BootId, Digest};
use crate::reasons::{
    AttestationOf, BootStageKind, BootState, Custody, KeyFault, SecureBoot, StageResult,
};
use crate::time::MonoNs;
use alloc::string::String;
use alloc::vec::Vec;

payload! {
    /// A stage of a boot, as the firmware's event log has it (R8.1).
    BootStage {
        0 stage: BootStageKind => "which stage";
        1 target: String => "what was run or loaded, in the firmware's words";
        2 hash: Digest => "the SHA-256 that was measured";
        3 pcr: u32 => "the PCR that it was measured into";
        4 result: StageResult => "what became of its check";
        5 reason: String => "why";
        6 root: Option<String> => "what vouched for it: the variable of the firmware with the key or hash";
        7 version: Option<String> => "its version, where the firmware notes one";
    }
}

payload! {
    /// A PCR of the SHA-256 bank.
    BootPcr {
        0 pcr: u32 => "its number";
        1 value: Digest => "what the TPM has there";
        2 replayed: Option<Digest> => "what the event log leads to; absent where there is no log to read";
    }
}

payload! {
    /// What was booted: per stage, and whether the firmware's event log leads to the PCRs (A6.5).
    Boot {
        0 at: MonoNs => "when the signer looked";
        1 boot_id: BootId => "which boot";
        2 state: BootState => "what can be said of it";
        3 detail: String => "the same in words, with what would be right";
        4 measurement_id: Option<Digest> => "SHA-256 over the PCRs below, one behind the other: the same for each boot of \
            the same (boot_measurement_id); absent where none is claimed";
        5 secure_boot: SecureBoot => "whether only what was signed was started";
        6 stages: Vec<BootStage>, list => "the stages, in their order";
        7 stages_left_out: u64 => "how many more there were than an entry has";
        8 pcrs: Vec<BootPcr>, list => "the PCRs, ascending";
        9 log_digest: Option<Digest> => "SHA-256 of the event log";
        10 log_bytes: Option<u64> => "how long it is";
        11 fault: Option<KeyFault> => "what is wrong with the store, where it did not answer";
    }
}

payload! {
    /// The signer's statement about what was booted, or to whoever asked, and what its TPM attests with it (A6.3).
    Attestation {
        0 at: MonoNs => "when";
        1 id: Digest => "SHA-256 of the statement's text, which is what the TPM was given (attestation_id)";
        2 of: AttestationOf => "what it is about";
        3 note: String => "the statement, signed with both keys of the log";
        4 custody: Custody => "where the authority key lives";
        5 nonce: Option<Blob> => "the number of whoever asked";
        6 actor: Option<Actor> => "who asked";
        7 attest: Option<Blob> => "the quote that the TPM signed (TPMS_ATTEST); absent where the store attests nothing";
        8 signature: Option<Blob> => "the authority's ECDSA signature on it, in DER";
        9 pcrs: Vec<BootPcr>, list => "the PCRs that it quotes, ascending";
        10 fault: Option<KeyFault> => "why there is no quote, where there should be one";
        11 detail: Option<String> => "the same in words";
    }
}
