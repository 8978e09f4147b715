//! What other threads ask of the committer, and how it answers.

use super::booted::Told;
use super::sealer::{Sealed, Unsealed};
use evidence::Stream;
use evidence::{Captured, Digest, MeterId, PointId, ScheduleId, SourceId};
use ipc::message::{BindFirmware, FirmwareBound, Keys, Message};
use journal::Loss;
use std::sync::mpsc::SyncSender;

/// Requests that may wait for the committer; producers block beyond it, and hold what is not acknowledged.
pub(super) const QUEUE_DEPTH_MAX: usize = 1_024;

/// Where an answer goes; a channel of one, so that the committer never waits for a reader.
pub(super) type Answer = SyncSender<Message>;

/// Whether the signer may be asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Sign,
    /// It has other keys than this log, in words.
    OtherKeys(String),
    /// The log is not the one that went before.
    RolledBack,
    /// First the log tells of what the signer told.
    Later,
}

/// What the signer may be asked, by what it said of its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MayAsk {
    /// Whether to sign.
    pub(super) judged: Verdict,
    /// The keys of this log under the base origin, which it announced; none where it announced others.
    pub(super) vkeys: Vec<String>,
    /// To bind a firmware version.
    pub(super) bind: Option<BindFirmware>,
}

/// A request to the one thread that writes.
#[derive(Debug)]
pub(super) enum Work {
    /// Records of one read session or event.
    Submit {
        id: u64,
        source: SourceId,
        stream: Stream,
        seq: Option<u64>,
        records: Vec<Captured>,
        answer: Answer,
    },
    /// A block of numbers; `fresh` when the producer has just started.
    Lease {
        source: SourceId,
        stream: Stream,
        fresh: bool,
        answer: Answer,
    },
    /// Where a schedule's slots stand.
    Slots {
        source: SourceId,
        schedule: ScheduleId,
        answer: Answer,
    },
    /// The highest count of a pulse meter.
    Count { point: PointId, answer: Answer },
    /// Where people work.
    UnderWay { answer: Answer },
    /// Which slots of a meter may be in its own memory.
    Missed { meter: MeterId, answer: Answer },
    /// What the log has open about the outputs of a card.
    Outputs { card: SourceId, answer: Answer },
    /// Which orders to set clocks of a port's meters are open.
    Clocks { port: SourceId, answer: Answer },
    /// How the clocks stand.
    Time {
        id: u64,
        source: SourceId,
        statement: Captured,
        journal: bool,
        events: Vec<Captured>,
        /// What the process counts of clocks and sources.
        counters: Captured,
        answer: Answer,
    },
    /// An event that a process of the node reports.
    Report {
        id: u64,
        event: Captured,
        answer: Answer,
    },
    /// An entry that a person at the command line adds.
    Person {
        id: u64,
        /// Who the kernel says it is.
        uid: u32,
        entry: Captured,
        answer: Answer,
    },
    /// What a process must know first.
    Welcome { answer: Answer },
    /// The newest sealed head.
    Head { answer: Answer },
    /// The status of the node.
    Status { answer: Answer },
    /// Committed entries found unreadable, which no entry names yet.
    Lost(Loss),
    /// What the signer said.
    Sealed(Result<Sealed, Unsealed>),
    /// What the signer says of its store, and the number that it was asked with; answered with what it may be asked.
    KeyStore(Box<Keys>, Digest, SyncSender<MayAsk>),
    /// A head was not sealed: first comes what a larger one has.
    SealLater,
    /// A firmware version that the signer has bound to its store's counter.
    FirmwareBound(FirmwareBound),
    /// Whether this firmware may capture.
    Firmware { answer: Answer },
    /// What the signer says of what was booted; answered with whether that can stand in the log where it does now.
    Booted(Box<Told>, SyncSender<bool>),
    /// What it attests to whoever asked.
    Attested { entry: Captured, answer: Answer },
    /// The signer's store has another key than the log is signed with, in its words.
    OtherStore(String),
    /// Seal once more, then refuse producers; the feed goes on.
    Stop { answer: Answer },
    /// Close the log and end.
    Close,
}
