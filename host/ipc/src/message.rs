//! The words spoken over the local sockets. One table declares them: number, fields, meaning.
//!
//! A message is the CBOR array `[number, fields]`, the fields a map with integer keys. Numbers 1 to
//! 63 are spoken with the recorder, 64 and up with the signer or about what it attests, 0 with both.

#[macro_use]
mod table;

use crate::limits::{
    FEED_ENTRY_OVERHEAD_BYTES, HASH_WIRE_BYTES, HOLE_OVERHEAD_BYTES, MESSAGE_BYTES_MAX,
    WIRE_RUN_OVERHEAD_BYTES,
};
use crate::wire::Wire;
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};
use evidence::reasons::{Custody, KeyFault, TruthClass};
use evidence::{
    Actor, Blob, BootId, Captured, CommitId, Digest, Epoch, Generation, Kind, MeterId, MonoNs,
    PointId, ScheduleId, SourceId, UtcNs,
};
use std::fmt;

/// A signed note as text, up to [`crate::limits::NOTE_BYTES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteText(pub String);

/// A status report in JSON, up to [`crate::limits::STATUS_BYTES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusText(pub String);

/// The bytes of a leaf: salt and entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf(pub Vec<u8>);

code_list! {
    /// Why the recorder refuses a submission; refused records are never committed.
    RefuseReason, "the refuse reasons of this version" {
        0 RecordCrc = "record_crc" => "a record's CRC does not hold";
        1 Encoding = "encoding" => "a record's capture bytes are not a payload of their kind";
        2 Contract = "contract" => "scaled under a configuration that is not in force";
        3 Order = "order" => "sequence numbers out of order or outside the lease";
        4 Stream = "stream" => "a stream that this connection does not hold a lease of";
        5 TooMany = "too_many" => "more records or bytes than one commit may have";
        6 Busy = "busy" => "the recorder's queue is full; send again later";
        7 Storage = "storage" => "the medium refused the write; send again later";
        8 Stopping = "stopping" => "the node is being stopped";
        9 Kind = "kind" => "a kind that this process may not write";
        10 Actor = "actor" => "the actor that it states is not who asks";
        11 Point = "point" => "a point that the contract does not have there, or a tag that is not set";
        12 Named = "named" => "what it says of another entry is not what that entry says";
        13 Told = "told" => "the log tells of it already";
        14 Keys = "keys" => "it is not by the keys that sign the log";
    }
}

code_list! {
    /// What bytes say that are to be signed by their digest; what else is signed has a request of its own.
    RecordPurpose, "the purposes of this version" {
        0 Boot = "boot" => "what was booted";
        2 Attestation = "attestation" => "a number of whoever asks what this machine is";
    }
}

code_list! {
    /// Why a request had no answer of its own.
    ErrorCode, "the error codes of this version" {
        0 Malformed = "malformed" => "the request is not a message of this version";
        1 Unsupported = "unsupported" => "not a request that this process answers";
        2 NotAllowed = "not_allowed" => "this peer may not ask this";
        3 Invalid = "invalid" => "a field's value is not acceptable";
        4 Unknown = "unknown" => "the thing asked for does not exist here";
        5 Busy = "busy" => "too many requests; ask again later";
        6 Rollback = "rollback" => "it would contradict what was signed before";
        7 Unavailable = "unavailable" => "a resource is missing for now; ask again later";
        8 Internal = "internal" => "a fault of the answering process";
        9 Rotated = "rotated" => "the keys changed, and the log does not tell of it yet";
    }
}

code_list! {
    /// What a run of bytes was on a wire.
    WireWay, "the ways of this version" {
        0 Sent = "sent" => "the node sent it";
        1 Received = "received" => "the node read it at once";
        2 Opened = "opened" => "the wire was opened: no bytes, and nothing before belongs to what follows";
    }
}

mod parts;
pub use parts::{
    BoundHead, CounterArea, EndorsementCertificate, FeedEntry, Hole, LackedCounter, MissedSlot,
    OpenClock, OpenCommand, PortRuns, Quote, QuotedPcr, SealedCredential, SetTag, SignedTree,
    TurnedAway, Uses, WireRun,
};

messages! {
    0 Error { "The request had no answer of its own."
        0 code: ErrorCode => "what kind of error";
        1 text: String => "what, where, what would be right";
        2 fault: Option<KeyFault> => "what is wrong with what holds the keys, where it is that";
    }

    1 Hello { "A process introduces itself, first of all."
        0 role: String => "its role: io/PORT, time, uplink, supervisor, cli";
        1 pid: u64 => "its process id";
        2 incarnation: u64 => "a number that no other run of the role on this boot has";
    }
    2 Welcome { "What a process must know of the log that it will write to or read."
        0 generation: Generation => "the log's generation";
        1 epoch: Epoch => "the recorder's run";
        2 boot_id: BootId => "the boot whose monotonic clock is meant";
        3 contract: CommitId => "the configuration entry in force";
        4 contract_digest: Digest => "SHA-256 of the canonical contract";
        5 origin: String => "the log's origin line, with its generation";
        6 truth_class: TruthClass => "class of the truth store (A5.9)";
        7 truth_degraded: bool => "whether only a lone copy of the truth was valid";
        8 commit_ptr: CommitId => "entries committed so far";
        9 newest_utc: UtcNs => "the latest time that a stamp of the log's end had when the recorder opened it";
        10 statement: Option<Captured> => "the last TimeMap of this boot; absent where there is none";
        11 ran_in_this_boot: bool => "whether the log's newest epoch before this one began in this boot, or a time process has spoken";
        12 boot_to_stable_ns: Option<u64> => "from boot to the first SYNCED; absent where that is not known";
        13 node_was_away: bool => "whether the statement is of the log, for this recorder has heard none yet";
    }
    3 Lease { "A producer asks for a block of sequence numbers."
        0 stream: String => "the meter, or the port for events";
        1 attempted: Option<u64> => "the highest number of the block it holds; absent when it has just started";
        2 count: u64 => "how many it would like";
    }
    4 Leased { "The block: numbers from `next` up to, not including, `end`."
        0 stream: String => "the stream";
        1 next: u64 => "the first number to use";
        2 end: u64 => "the first number that is not leased";
    }
    5 SlotFloor { "Asks where a schedule's slots stand."
        0 schedule: ScheduleId => "the schedule";
    }
    6 SlotStart { "Where they stand: the anchor's slot and its instant."
        0 schedule: ScheduleId => "the schedule";
        1 version: u64 => "which numbering";
        2 number: u64 => "number of the slot that is due at the anchor";
        3 anchor: MonoNs => "the instant at which that slot is due";
    }
    7 Submit { "All records of one attempt, to be committed together."
        0 submission_id: u64 => "the producer's number of this submission";
        1 stream: String => "the stream they belong to";
        2 stream_seq: Option<u64> => "the sequence number they share; absent where nothing is counted";
        3 records: Vec<Captured> => "the records";
    }
    8 Accepted { "A submission is durable."
        0 submission_id: u64 => "the submission";
        1 first_commit: CommitId => "index of its first entry";
        2 count: u64 => "entries committed; 0 where none was asked for";
    }
    9 Refused { "A submission was refused, whole."
        0 submission_id: u64 => "the submission";
        1 reason: RefuseReason => "why";
        2 detail: String => "what exactly";
    }
    10 TimeStatement { "The time process states how the clocks stand; adopted before its events."
        0 submission_id: u64 => "its number";
        1 statement: Captured => "the TimeMap";
        2 journal: bool => "whether the TimeMap becomes an entry; it always serves for stamps";
        3 events: Vec<Captured> => "events to commit, such as a step";
        4 counters: Captured => "a snapshot of what it counts of clocks and sources";
    }
    11 ProcessEvent { "The supervisor reports what a process did."
        0 submission_id: u64 => "its number";
        1 event: Captured => "the event";
    }
    12 AckReport { "The uplink reports: a cosignature, or an event of the link."
        0 submission_id: u64 => "its number";
        1 report: Captured => "the ack or event";
    }
    13 FeedPull { "Asks for committed entries from a cursor on."
        0 cursor: CommitId => "index of the first entry wanted";
        1 kinds: Vec<Kind> => "only these kinds; all when empty";
        2 max: u64 => "at most this many entries";
        3 wait_ms: u64 => "how long to wait while there is none, in milliseconds";
    }
    14 FeedBatch { "Committed entries, as many as fit."
        0 entries: Vec<FeedEntry> => "the entries, ascending";
        1 next_cursor: CommitId => "where to go on";
        2 commit_ptr: CommitId => "entries committed so far";
        3 holes: Vec<Hole> => "lost entries between the cursors";
    }
    15 FrontierAt { "Asks for the frontier of the tree at a size."
        0 size: u64 => "the size";
    }
    16 Frontier { "The frontier: hashes of the full subtrees, largest first."
        0 size: u64 => "the size";
        1 hashes: Vec<Digest> => "the hashes";
    }
    44 FirmwareAsked { "Asks whether this firmware may capture." }
    45 FirmwareAnswer { "It."
        0 heard: bool => "whether that is known: the store of the keys was heard, or waited for long enough";
        1 blocked: bool => "whether it may not";
        2 words: String => "how it stands, for a person";
    }
    17 SealedHead { "Asks for the newest sealed head." }
    18 Head { "The newest sealed head, and how far outsiders have followed."
        0 size: u64 => "size of the sealed tree; 0 before the first seal";
        1 note: Option<NoteText> => "its signed checkpoint";
        2 cosigned_size: u64 => "contents stored outside up to here";
        3 witnessed_size: u64 => "head known outside up to here";
    }
    19 Status { "Asks for the recorder's status." }
    20 StatusReport { "The status."
        0 json: StatusText => "a JSON object";
    }
    21 Stop { "Asks the recorder to close the log orderly and end; or tells a peer that it does." }
    22 TimeOffer { "Somebody outside said what time it is: a master, or the head-end. The time process judges it."
        0 submission_id: u64 => "its number";
        1 from: SourceId => "who said it, in the words of the contract: head-end, or the name of the process that heard it";
        2 at: MonoNs => "the instant that was meant";
        3 utc: UtcNs => "the time that was said";
        4 uncertainty_ns: u64 => "how wrong it may be, in nanoseconds: the way that it took included";
    }
    23 TakeOffers { "The time process asks for the offers that wait." }
    24 Offers { "They."
        0 offers: Vec<TimeOffer> => "the oldest first";
        1 dropped: u64 => "how many were dropped since because too many waited";
    }
    25 PersonEntry { "A person at the command line adds an entry: a probe, maintenance, a sign-off, a command, a tag or an order to set a clock."
        0 submission_id: u64 => "its number";
        1 entry: Captured => "the entry; its actor ends with the user id that the kernel vouches for";
    }
    26 CountFloor { "Asks for the highest count of a pulse meter that was ever committed."
        0 point: PointId => "the pulse meter";
    }
    27 CountStart { "That count."
        0 point: PointId => "the pulse meter";
        1 count: Option<u64> => "absent where none was ever committed";
    }
    28 OutputFloor { "Asks what the log has open about the outputs of a card."
        0 card: SourceId => "the card";
    }
    29 OutputStart { "It. Commands and tags from `from` on are in the feed."
        0 from: CommitId => "index of the first entry that is not in it";
        1 open: Vec<OpenCommand> => "commands without an outcome";
        2 tags: Vec<SetTag> => "tags that are set";
    }
    35 ClockFloor { "Asks which orders to set the clocks of a port's meters have no outcome."
        0 port: SourceId => "the port";
    }
    36 ClockStart { "They. Orders from `from` on are in the feed."
        0 from: CommitId => "index of the first entry that is not in it";
        1 open: Vec<OpenClock> => "orders without an outcome";
    }
    33 WorkAsked { "The io process asks where people work: what it captures there is a test." }
    34 WorkUnderWay { "There, by the maintenance entries so far."
        0 station: bool => "on the whole station";
        1 sources: Vec<SourceId> => "on these ports and cards";
        2 meters: Vec<MeterId> => "on these meters";
    }

    37 WireSeen { "The io process tells what was on the wires that somebody watches, and asks which those are."
        0 ports: Vec<PortRuns> => "the runs of each, in their order";
    }
    38 WireWanted { "They."
        0 ports: Vec<SourceId> => "the ports that are watched";
    }
    39 WirePull { "Asks for what is on the wire of a port; whoever asks again and again watches it."
        0 port: SourceId => "the port";
        1 cursor: Option<u64> => "where to go on; absent for what comes from now on";
    }
    40 WireBatch { "Runs of bytes, as many as there are and fit."
        0 runs: Vec<WireRun> => "the runs, in their order";
        1 next: u64 => "where to go on";
    }

    30 MissedFloor { "Asks which slots of a meter have no reading and may be in its own memory."
        0 meter: MeterId => "the meter";
    }
    31 MissedSlots { "These."
        0 meter: MeterId => "the meter";
        1 slots: Vec<MissedSlot> => "the oldest first";
        2 others: bool => "whether there are others, for another time";
    }

    64 SignCheckpoint { "Asks for a signature on a tree head."
        0 origin: String => "the log's origin line, with its generation";
        1 size: u64 => "size of the tree";
        2 root: Digest => "its root";
        3 plain_shown: Option<u64> => "the newest value of the plain counter that the log shows: one above it is attested and not moved on";
        4 rotations: u64 => "how many changes of the keys the log tells of";
    }
    65 SignedNote { "The tree head, signed."
        0 note: NoteText => "the signed note";
        1 custody: Custody => "where the authority key lives";
        2 bound: Vec<BoundHead> => "the counters that it is bound to";
        3 unbound: Option<String> => "why it is not bound to one that it should be bound to";
        4 unbound_fault: Option<KeyFault> => "the same as a code";
        5 uses: Vec<Uses> => "uses of keys since the signer was started, by purpose (key_op_audit_cnt)";
        6 rollback_attempts: u64 => "statements refused since then because they contradict an earlier one";
        7 signature_failures: u64 => "signatures not had, or withheld, since then";
        8 turned_away: Vec<TurnedAway> => "callers turned away since then, by who the kernel says they are";
        9 began: MonoNs => "when the signer was started: the run whose counts these are";
    }
    66 Describe { "Asks the signer what it is."
        0 origin: Option<String> => "for which origin; the base origin when absent";
        1 nonce: Option<Digest> => "a number that no other description has: what is said is signed over it; nothing is signed where it is absent";
    }
    67 Keys { "What the signer is."
        0 vkeys: Vec<String> => "its verifier keys for that origin, the authority first";
        1 custody: Custody => "where the authority key lives";
        2 non_exportable: bool => "whether the key can never leave";
        3 monotonic_counter: bool => "whether it has a counter that only moves forward";
        4 attestation: bool => "whether it can attest its key";
        5 measured_boot: bool => "whether it can attest what was booted";
        6 key_ops: u64 => "signatures made since it was started (key_op_audit_cnt)";
        7 refused: u64 => "statements refused since then";
        8 rollback_attempts: u64 => "of those, statements that contradict an earlier one \
            (rollback_attempt_cnt)";
        9 signature_failures: u64 => "signatures not had, or withheld (signature_fail_cnt)";
        10 maker: String => "what the store says of itself";
        11 key_public: Option<Blob> => "the authority's public area (TPMT_PUBLIC)";
        12 counters: Vec<CounterArea> => "the counters that tree heads are bound to";
        13 plain_every_ns: u64 => "shortest time between two steps of the plain counter";
        14 not_applied: Vec<String> => "protections that the signer wanted and could not have";
        15 uses: Vec<Uses> => "uses of keys since it was started, by purpose (key_op_audit_cnt)";
        16 signed: Vec<SignedTree> => "the newest head of the newest generation of which one was signed; none where none was";
        17 rotations: Vec<NoteText> => "statements by which its keys changed, the oldest first";
        18 counts_firmware: bool => "whether its store can have a counter of raised firmware versions";
        19 firmware_public: Option<Blob> => "that counter's public area (TPMS_NV_PUBLIC); absent where there is none yet";
        20 firmware_value: Option<u64> => "and its value";
        21 firmware_fault: Option<KeyFault> => "why it is not known how that counter stands; absent where it is";
        22 firmware_unread: Option<String> => "the same in words";
        23 note: Option<NoteText> => "the number that was asked with and all of this, signed with both keys under the base origin; absent where there was none";
        24 lacked: Vec<LackedCounter> => "counters that its store should have had for a tree head since it was started, and had not";
    }
    69 SignRecord { "Asks for a signature on the digest of these bytes, which the signer makes."
        0 origin: String => "the log's origin line, with its generation";
        1 purpose: RecordPurpose => "what they say";
        2 bytes: Blob => "the bytes";
    }
    70 SignedRecord { "What was asked for, signed."
        0 note: NoteText => "the signed note: a title with the purpose, the origin, length and digest";
        1 custody: Custody => "where the authority key lives";
        2 uses: Vec<Uses> => "uses of keys since the signer was started, by purpose (key_op_audit_cnt)";
        3 quoted: Option<Quote> => "what the TPM attests over it: for what was booted and to whoever asks, where the store can";
        4 unquoted: Option<String> => "why it does not, where it should";
        5 unquoted_fault: Option<KeyFault> => "the same as a code";
    }
    71 BootAsked { "Asks the signer what was booted." }
    72 BootFound { "It. Of what was booted the signer signs this and nothing else."
        0 boot: Captured => "the entry, as the signer found it";
    }
    73 Attest { "Asks the recorder for an attestation, which becomes an entry."
        0 nonce: Blob => "a number of whoever asks";
        1 name: String => "the name of whoever asks; the kernel vouches for the user id";
    }
    74 Attested { "It."
        0 commit_id: CommitId => "its index in the log";
        1 attestation: Captured => "the entry";
    }
    84 BindFirmware { "Asks the signer to bind a firmware version to its store's counter."
        0 origin: String => "the log's origin line, with its generation";
        1 version: u64 => "the highest security version that was seen";
        2 above: Option<u64> => "the counter is moved on where it stands here or below; absent where it stays";
    }
    85 FirmwareBound { "It is."
        0 value: u64 => "the counter's value";
        1 public: Blob => "its public area (TPMS_NV_PUBLIC)";
        2 attest: Blob => "what the TPM signed (TPMS_ATTEST)";
        3 signature: Blob => "the authority's signature on that, in DER";
        4 uses: Vec<Uses> => "uses of keys since the signer was started, by purpose (key_op_audit_cnt)";
    }
    77 AskEndorsements { "Asks the signer for the certificates of its store's maker." }
    78 Endorsements { "They."
        0 certificates: Vec<EndorsementCertificate> => "none where the store has none";
        1 unreadable: Vec<String> => "why others cannot be read, each with its kind";
    }
    79 AnswerChallenge { "Asks for an answer to a registrar's challenge: a signed record of an attestation."
        0 origin: String => "the log's origin line, with its generation";
        1 nonce: Digest => "the registrar's number, which no other challenge has";
        2 credential: Option<SealedCredential> => "what only the TPM of the authority's key can open; what is in it goes into the answer";
        3 request: Digest => "SHA-256 of the request that is answered for, as the node made it";
    }
    80 Rotate { "Asks the signer for new keys, and to sign with them from then on."
        0 origin: String => "the log's origin line, with its generation";
        1 actor: Actor => "who orders it: a local user, with the id that the kernel vouches for";
        2 reason: String => "why";
    }
    81 Rotated { "It does."
        0 statement: NoteText => "what the old keys state of the new ones, signed by both";
    }
}

impl Keys {
    /// The bytes by whose digest the description is signed: the number of whoever asked, and what is said without the signature.
    #[must_use]
    pub fn signed_bytes(&self, nonce: &Digest) -> Vec<u8> {
        let said = Self {
            note: None,
            ..self.clone()
        };
        [&nonce.0[..], &Message::from(said).encode()].concat()
    }
}

impl FeedEntry {
    /// What it takes of a batch, at most; a batch may hold [`crate::limits::FEED_BYTES_MAX`].
    #[must_use]
    pub fn wire_bytes_max(&self) -> usize {
        self.leaf.0.len().saturating_add(FEED_ENTRY_OVERHEAD_BYTES)
    }
}

impl WireRun {
    /// What it takes of a message, at most; one may carry [`crate::limits::WIRE_BYTES_MAX`] of them.
    #[must_use]
    pub fn wire_bytes_max(&self) -> usize {
        self.bytes.0.len().saturating_add(WIRE_RUN_OVERHEAD_BYTES)
    }
}

impl Hole {
    /// What it takes of a batch, at most.
    #[must_use]
    pub fn wire_bytes_max(&self) -> usize {
        self.hashes
            .len()
            .saturating_mul(HASH_WIRE_BYTES)
            .saturating_add(HOLE_OVERHEAD_BYTES)
    }
}

impl Message {
    /// Whether it can be sent.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.encode().len() <= MESSAGE_BYTES_MAX
    }

    /// An error message.
    #[must_use]
    pub fn error(code: ErrorCode, text: impl fmt::Display) -> Self {
        let mut text = text.to_string();
        while text.len() > crate::limits::TEXT_BYTES_MAX {
            text.pop();
        }
        Self::Error(Error {
            code,
            text,
            fault: None,
        })
    }

    /// An error of what holds the keys.
    #[must_use]
    pub fn key_error(code: ErrorCode, fault: KeyFault, text: impl fmt::Display) -> Self {
        match Self::error(code, text) {
            Self::Error(error) => Self::Error(Error {
                fault: Some(fault),
                ..error
            }),
            other => other,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
