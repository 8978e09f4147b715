//! What the signer says of its keys, and what binds checkpoints.

use super::FieldRow;
use crate::actor::Actor;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::reasons::{
    CounterKind, Custody, EnrolmentProof, KeyFault, RollbackAlarm, RollbackWitness,
};
use crate::time::{MonoNs, UtcNs};
use alloc::string::String;
use alloc::vec::Vec;

payload! {
    /// A counter that checkpoints are bound to.
    BindingCounter {
        0 counter: CounterKind => "which of the two";
        1 public: Blob => "its public area as its TPM hashes it (TPMS_NV_PUBLIC)";
    }
}

payload! {
    /// What holds the node's keys, and what that proves of them (A6.2).
    KeyStore {
        0 at: MonoNs => "when it was found";
        1 custody: Custody => "where the authority key lives";
        2 maker: String => "what the store says of itself: maker, model, firmware";
        3 non_exportable: bool => "whether the key can never leave";
        4 monotonic_counter: bool => "whether it has a counter that only moves forward";
        5 attestation: bool => "whether it can attest its key";
        6 measured_boot: bool => "whether it can attest what was booted";
        7 key_public: Option<Blob> => "the authority's public area as its TPM hashes it (TPMT_PUBLIC)";
        8 counters: Vec<BindingCounter>, list => "the counters that checkpoints are bound to";
        9 window_ns: Option<u64> => "the longest stretch that could be rolled back unseen while no \
            collector has it; absent where it is unlimited";
        10 not_applied: Vec<String>, list => "protections that were wanted and could not be had";
    }
}

payload! {
    /// A checkpoint bound to a counter that only moves forward (A6.4).
    Binding {
        0 at: MonoNs => "when it was attested";
        1 size: u64 => "size of the tree of that checkpoint";
        2 counter: CounterKind => "which counter";
        3 value: u64 => "its value";
        4 attest: Blob => "what the TPM signed (TPMS_ATTEST), over the SHA-256 of the checkpoint's text";
        5 signature: Blob => "the authority's ECDSA signature on that, in DER";
    }
}

payload! {
    /// Seals come again: the stretch before had none.
    Unsealed {
        0 at: MonoNs => "when the first seal came";
        1 since: MonoNs => "when the first one was missed, or when this run began if that was in an earlier one";
        2 sealed_before: u64 => "size of the tree that was sealed last before";
        3 sealed: u64 => "size of the tree that is sealed now, with all of the stretch in it";
        4 missed: u64 => "how many seals were missed since, at least: a run that was stopped has told of all of its own, one that was killed of the first for each cause";
        5 cause: KeyFault => "why the first of them was";
        6 sealed_utc: Option<UtcNs> => "when the seal before came, in whichever run: the time of its checkpoint's stamp; \
            absent where the log has none";
    }
}

payload! {
    /// The log is not the one that went before, or what it is bound to is not (A6.4).
    Rollback {
        0 at: MonoNs => "when it was found";
        1 alarm: RollbackAlarm => "in what way";
        2 witness: RollbackWitness => "who knows better";
        3 size: u64 => "size of the log here, when it was found";
        4 known_size: Option<u64> => "the size that the signer or the collector knows";
        5 counter: Option<CounterKind> => "the counter that shows it, where one does";
        6 bound: Option<u64> => "its newest value in this log";
        7 value: Option<u64> => "its value as it was found";
        8 detail: String => "a sentence for a person";
    }
}

payload! {
    /// How often keys were used for a purpose.
    PurposeUse {
        0 purpose: String => "what for";
        1 count: u64 => "how often";
    }
}

payload! {
    /// What the signer did with the keys since the entry before, by purpose (A6.7).
    KeyUse {
        0 at: MonoNs => "when the signer told it";
        1 since: MonoNs => "when the stretch began";
        2 uses: Vec<PurposeUse>, list => "uses of keys, of both together; purposes without any are left out";
        3 rollback_attempts: u64 => "statements refused because they contradict an earlier one";
        4 signature_failures: u64 => "signatures not had, or withheld";
    }
}

payload! {
    /// A registrar took keys back: what they sign since then counts for nothing with it (R8.2).
    Revocation {
        0 at: MonoNs => "when its statement was put into the log";
        1 actor: Actor => "who put it there";
        2 reason: String => "why it was put there";
        3 keys: Vec<String>, list => "the verifier keys that were taken back";
        4 since_s: u64 => "since when, by the registrar's clock, in seconds since 1970";
        5 by: String => "who took them back";
        6 why: String => "why they were taken back";
        7 registrar: String => "the registrar's verifier key";
        8 statement: String => "the same, as a note that the registrar signed";
    }
}

payload! {
    /// A registrar took the log's keys in, and states what was proved of them (R8.4).
    Enrolment {
        0 at: MonoNs => "when its statement was put into the log";
        1 actor: Actor => "who put it there";
        2 reason: String => "why";
        3 proof: EnrolmentProof => "what was proved, as the statement says";
        4 registrar: String => "the registrar's verifier key";
        5 statement: String => "what it states, as a note that it signed";
        6 endorsement: Option<Blob> => "the endorsement certificate (X.509, DER), where something was proved with one";
    }
}

payload! {
    /// Other keys sign the log from here on; those of before state it, and both signed that (R8.2).
    KeyRotation {
        0 at: MonoNs => "when it was put into the log";
        1 actor: Actor => "who ordered it";
        2 reason: String => "why";
        3 old: Vec<String>, list => "the verifier keys that signed until then, the authority first";
        4 new: Vec<String>, list => "those that sign from then on";
        5 size: u64 => "size of the newest head that the old keys signed: every larger one is the new keys'";
        6 statement: String => "the same, as a note that all four signed";
    }
}
