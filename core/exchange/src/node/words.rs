//! What host and node say to each other: requests, responses, actions, reports.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::MonoNs;
use proof::note::VerifierKey;
use proof::{Frontier, Hash};

use crate::batch::{Batch, BatchId};
use crate::hole::Run;
use crate::limits;

/// Who the node is, whom it trusts, and how much it does at once.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Origin of this generation of the log.
    pub origin: String,
    /// The collector's cosignature key.
    pub cosigner: VerifierKey,
    /// Bounds and waits.
    pub limits: Limits,
}

/// Bounds and waits; the default is [`crate::limits`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries that one batch aims at.
    pub batch_entries_max: u64,
    /// Entries in one request.
    pub request_entries_max: u64,
    /// Bytes of one body.
    pub request_bytes_max: usize,
    /// Bytes of leaf data held at once.
    pub held_bytes_max: usize,
    /// Wait for a response.
    pub request_timeout_ms: u64,
    /// First wait after a failure.
    pub backoff_first_ms: u64,
    /// Longest wait after a failure.
    pub backoff_max_ms: u64,
    /// Shortest wait after a refusal.
    pub refused_wait_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_entries_max: limits::BATCH_ENTRIES_MAX,
            request_entries_max: limits::REQUEST_ENTRIES_MAX,
            request_bytes_max: limits::REQUEST_BYTES_MAX,
            held_bytes_max: limits::HELD_BYTES_MAX,
            request_timeout_ms: limits::REQUEST_TIMEOUT_MS,
            backoff_first_ms: limits::BACKOFF_FIRST_MS,
            backoff_max_ms: limits::BACKOFF_MAX_MS,
            refused_wait_ms: limits::REFUSED_WAIT_MS,
        }
    }
}

/// Time and randomness, which the node has none of.
#[derive(Clone, Copy, Debug)]
pub struct Tick {
    /// The monotonic clock.
    pub now: MonoNs,
    /// A fresh random number, for jitter.
    pub random: u64,
}

/// Size and root of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// A sealed head of the node's own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Size and root.
    pub head: Head,
    /// The signed note, byte for byte.
    pub note: String,
}

/// Names one request of this node's life, so that a late response finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// How the request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With the body.
    Post,
}

/// One HTTP request; `path` goes under the collector's prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub id: RequestId,
    /// How.
    pub method: Method,
    /// `add-checkpoint`, `add-entries` or `<hash>/checkpoint`.
    pub path: String,
    /// `Content-Type` of the body.
    pub content_type: &'static str,
    /// Value of [`crate::BATCH_HEADER`], where the request serves a batch.
    pub batch: Option<BatchId>,
    /// The body.
    pub body: Vec<u8>,
}

/// One HTTP response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its body, of which [`limits::RESPONSE_BYTES_MAX`] are looked at.
    pub body: Vec<u8>,
    /// `Retry-After`, if it was there in seconds.
    pub retry_after_s: Option<u64>,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// No connection.
    Connect,
    /// The peers did not agree on TLS or on each other.
    Tls,
    /// The connection ended in between.
    Lost,
    /// No response in time.
    Timeout,
    /// The collector answered that it cannot serve now (5xx or 429).
    Server(u16),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::Tls => f.write_str("TLS handshake failed"),
            Self::Lost => f.write_str("connection lost"),
            Self::Timeout => f.write_str("no response in time"),
            Self::Server(status) => write!(f, "the collector answered {status}"),
        }
    }
}

/// What the host shall do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing, until there is an input.
    Nothing,
    /// Nothing until this instant, unless an input comes first.
    WaitUntil(MonoNs),
    /// Read leaves and call [`crate::Node::supply`].
    NeedLeaves(Need),
    /// Make this request, then call [`crate::Node::answered`] or [`crate::Node::failed`].
    Send(Request),
    /// Hear this; then poll again.
    Report(Report),
}

/// Which leaves are needed: `[from, to)`, or a part of it that begins at `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// First leaf.
    pub from: u64,
    /// Index after the last.
    pub to: u64,
    /// Whether the frontier of the tree at `from` is needed too.
    pub frontier: bool,
}

/// Leaves as the host read them. A hole that begins before `from` is cut at it by the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Index of the first.
    pub from: u64,
    /// The frontier of the tree at `from`, where it was asked for.
    pub frontier: Option<Frontier>,
    /// Neighbours from `from` on.
    pub runs: Vec<Run>,
}

/// Why a supply is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupplyError {
    /// Nothing was asked for; drop it.
    NotAsked,
    /// It does not begin where it was asked to.
    Elsewhere {
        /// Where it was asked to begin.
        expected: u64,
        /// Where it begins.
        got: u64,
    },
    /// The frontier is missing or of another size.
    Frontier,
    /// A leaf read a second time is not the one read before.
    Changed {
        /// Its index.
        index: u64,
    },
}

impl fmt::Display for SupplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("no leaves were asked for"),
            Self::Elsewhere { expected, got } => {
                write!(f, "leaves from {got}, {expected} was asked for")
            }
            Self::Frontier => f.write_str("the frontier is missing or of another size"),
            Self::Changed { index } => {
                write!(f, "leaf {index} differs from when it was first read")
            }
        }
    }
}

impl core::error::Error for SupplyError {}

/// What the host should know, log and commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The collector stored and cosigned: commit it as an ack entry.
    Acked(Acked),
    /// The collector is not reached, since now.
    Down(Failure),
    /// The collector is reached again, since now.
    Up,
    /// The collector said no; the node will try again.
    Refused(Refusal),
    /// The collector states less than it cosigned before: it lost data. Delivery resumes from there.
    Regressed {
        /// What it states to have stored.
        stated: u64,
        /// What it cosigned.
        cosigned: u64,
    },
    /// Leaves and sealed root contradict each other here, in this node.
    LocalMismatch(Head),
    /// Delivery stops.
    Conflict(Conflict),
}

/// A verified cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The batch that it ends.
    pub batch: Batch,
    /// Size and root that are cosigned.
    pub head: Head,
    /// The cosigner's key name.
    pub cosigner: String,
    /// The note signature line, without newline.
    pub line: String,
    /// When the collector says it cosigned, in seconds.
    pub time_s: u64,
}

/// What was refused, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Path of the request.
    pub path: &'static str,
    /// Status of the response.
    pub status: u16,
    /// What the collector said, in short, or what is wrong with it.
    pub detail: String,
}

/// Why delivery stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictCause {
    /// The collector holds more of this log than this node ever sealed: this node went back.
    Ahead,
    /// The collector holds another tree, or this generation was followed by a newer one.
    Contradicted,
    /// The collector lacks entries that this node no longer has and no LOSS entry names.
    Unavailable,
}

impl ConflictCause {
    /// The word for logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Contradicted => "contradicted",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A conflict, with what the collector stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Why.
    pub cause: ConflictCause,
    /// Our newest sealed head.
    pub ours: Option<Sealed>,
    /// The size that the collector stated.
    pub stated: u64,
    /// Status of its statement.
    pub status: u16,
    /// Its statement, byte for byte.
    pub statement: Vec<u8>,
    /// Its checkpoint of this log, signed by us and cosigned by it, if it could be fetched.
    pub checkpoint: Option<Vec<u8>>,
}

/// What the node counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests handed out.
    pub requests: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// Requests without a usable response.
    pub failures: u64,
    /// Requests refused.
    pub refusals: u64,
    /// Waits begun after failures and refusals.
    pub backoffs: u64,
    /// Batches cosigned.
    pub batches: u64,
    /// Times that leaves were read a second time.
    pub rereads: u64,
}
