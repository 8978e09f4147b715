//! What lists in messages are made of.

use super::{Leaf, WireWay};
use crate::wire::Wire;
use evidence::cbor::{DecodeError, Reader, Writer};
use evidence::reasons::{CounterKind, LossCause};
use evidence::{Blob, CommitId, Digest, Generation, MeterId, MonoNs, PointId, SourceId, UtcNs};

parts! {
    /// A committed entry in the feed.
    FeedEntry {
        0 commit_id: CommitId => "its index in the log";
        1 leaf: Leaf => "salt and entry bytes";
    }
    /// Bytes on the wire of a port.
    WireRun {
        0 number: u64 => "its number among the runs of its port; one that is missing was passed over, and a smaller one is of another process";
        1 at: MonoNs => "when it was sent or read";
        2 way: WireWay => "which of them";
        3 bytes: Blob => "the bytes";
    }
    /// What was on the wire of a port.
    PortRuns {
        0 port: SourceId => "the port";
        1 runs: Vec<WireRun> => "the runs, in their order";
    }
    /// A counter attested over a tree head.
    BoundHead {
        0 counter: CounterKind => "which counter";
        1 value: u64 => "its value";
        2 attest: Blob => "what the TPM signed (TPMS_ATTEST)";
        3 signature: Blob => "the authority's signature on it, in DER";
    }
    /// A counter that tree heads are bound to.
    CounterArea {
        0 counter: CounterKind => "which counter";
        1 public: Blob => "its public area (TPMS_NV_PUBLIC)";
        2 value: u64 => "its value";
        3 moving_to: Option<u64> => "the value to which it was moved last, where that is kept; that may have been cut off before";
    }
    /// A counter that was not there when a tree head was signed.
    LackedCounter {
        0 counter: CounterKind => "which counter";
        1 at: MonoNs => "when it was missed last";
    }
    /// A tree head that was signed.
    SignedTree {
        0 generation: Generation => "the log's generation";
        1 size: u64 => "size of the tree";
        2 root: Digest => "its root";
    }
    /// How often keys were used for a purpose.
    Uses {
        0 purpose: String => "what for";
        1 count: u64 => "how often since the signer was started";
    }
    /// A PCR that a TPM quoted.
    QuotedPcr {
        0 pcr: u32 => "its number";
        1 value: Digest => "its value";
    }
    /// PCRs attested over a statement.
    Quote {
        0 attest: Blob => "what the TPM signed (TPMS_ATTEST)";
        1 signature: Blob => "the authority's signature on it, in DER";
        2 pcrs: Vec<QuotedPcr> => "the PCRs, ascending";
    }
    /// Entries that are gone, with the hashes that keep the tree whole.
    Hole {
        0 first: CommitId => "the first lost entry";
        1 count: u64 => "how many";
        2 cause: LossCause => "why";
        3 hashes: Vec<Digest> => "the compact range of the lost leaves";
        4 named_by: CommitId => "the LOSS entry that says so";
    }
}

parts! {
    /// A command without an outcome.
    OpenCommand {
        0 point: PointId => "the output";
        1 command: CommitId => "its entry";
    }
    /// An order to set a meter's clock without an outcome.
    OpenClock {
        0 meter: MeterId => "the meter";
        1 order: CommitId => "its entry";
    }
    /// Callers whom the signer turned away.
    TurnedAway {
        0 uid: u64 => "the user, as the kernel vouches for; one beyond the last user for all others";
        1 count: u64 => "how often since the signer was started";
        2 malformed: u64 => "how often since then bytes of theirs were no request";
        3 rotations: u64 => "how often since then they asked for new keys more often than the signer makes any";
        4 firmware_steps: u64 => "how often since then they asked for a step of the counter of firmware versions more often than it is moved";
    }
    /// A tag that is set.
    SetTag {
        0 point: PointId => "the output";
        1 by: String => "who set it";
    }
    /// A slot without a reading.
    MissedSlot {
        0 version: u64 => "which numbering";
        1 number: u64 => "its number";
        2 due: UtcNs => "when it was due";
    }
}

parts! {
    /// A certificate by which a TPM's maker vouches for a key in it.
    EndorsementCertificate {
        0 kind: String => "which endorsement key: rsa-2048, p-256";
        1 certificate: Blob => "X.509 in DER";
    }
    /// What only one TPM can open.
    SealedCredential {
        0 kind: String => "which endorsement key: rsa-2048, p-256";
        1 blob: Blob => "TPMS_ID_OBJECT";
        2 secret: Blob => "what the endorsement key decrypts";
    }
}
