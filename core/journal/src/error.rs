//! Why the journal refuses.

use core::fmt;
use evidence::{Generation, LogId};
use proof::ProofError;

use crate::limits::{FRAME_BYTES_MAX, FRAME_ENTRIES_MAX};
use crate::medium::MediumError;

/// Why a journal cannot be created or opened. Damage is never a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The ring's measures are not allowed.
    Shape(&'static str),
    /// The ring is not the one that the truth store or a segment's header speaks of.
    ShapeMismatch {
        /// Segments that the truth store names; a segment's header does not know their number.
        segments: Option<u32>,
        /// Bytes of a segment there.
        segment_bytes: u64,
        /// Bytes of a block there.
        block_bytes: u32,
    },
    /// No sound part of a log is here. Where nothing was ever written, one can be created; where something was, what
    /// destroyed it is to be found first.
    NoLog,
    /// There is a log here already, or something that may be one: nothing was written. Open it with
    /// [`Journal::open`](crate::Journal::open), which goes on after whatever happened.
    Occupied,
    /// Truth store or segment belong to another log or generation.
    ForeignLog {
        /// The log found.
        log_id: LogId,
        /// The generation found.
        generation: Generation,
    },
    /// A newer version wrote this.
    NewerFormat {
        /// Its number.
        version: u16,
    },
    /// A segment lies in the place of another, and nothing as new in its own: files were exchanged or moved.
    /// A reader reads it there; a writer would name it lost and write over it.
    Displaced {
        /// The place in which it lies.
        lies: u32,
        /// The segment that it is.
        belongs: u32,
    },
    /// A write of the opening failed.
    Medium(MediumError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(what) => write!(f, "the ring cannot have this shape: {what}"),
            Self::ShapeMismatch {
                segments,
                segment_bytes,
                block_bytes,
            } => {
                write!(f, "the journal was made with ")?;
                if let Some(segments) = segments {
                    write!(f, "{segments} ")?;
                }
                write!(
                    f,
                    "segments of {segment_bytes} bytes with blocks of {block_bytes}"
                )
            }
            Self::NoLog => write!(f, "no sound part of a log is here"),
            Self::Occupied => write!(f, "a log is here already; it can only be opened"),
            Self::ForeignLog { log_id, generation } => write!(
                f,
                "this belongs to log {log_id} generation {generation}, not to the log asked for"
            ),
            Self::NewerFormat { version } => write!(
                f,
                "written in format version {version}; this program knows version 1"
            ),
            Self::Displaced { lies, belongs } => write!(
                f,
                "segment {belongs} lies in the place of segment {lies}; it must be put back into its own place"
            ),
            Self::Medium(error) => write!(f, "opening could not write: {error}"),
        }
    }
}

impl core::error::Error for OpenError {}

/// Why a commit did not happen. Nothing of it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// Nothing to commit.
    Empty,
    /// More than one frame holds: split it (see [`Journal::fitting`](crate::Journal::fitting)).
    TooLarge {
        /// Entries.
        entries: usize,
        /// Bytes the frame would have.
        bytes: usize,
    },
    /// One entry is longer than an entry may be.
    EntryTooLong {
        /// Its place in the group.
        index: usize,
        /// Its bytes.
        bytes: usize,
    },
    /// The next segment holds entries that no cosigner has stored.
    RingFull {
        /// The size that has to be cosigned, or given up, first.
        needed_size: u64,
        /// The size that is.
        cosigned_size: u64,
    },
    /// The next segment holds entries that have not passed by the keep-rings.
    NotKept {
        /// The size that has to pass by first.
        needed_size: u64,
        /// The size that has.
        kept_size: u64,
    },
    /// A write failed just now; the journal takes nothing until a new epoch begins.
    Medium(MediumError),
    /// What was written does not read back; the journal takes nothing until a new epoch begins.
    ReadBack {
        /// Segment.
        segment: u32,
        /// Where in it.
        offset: u64,
    },
    /// An earlier write failed; the journal takes nothing until a new epoch begins.
    Latched,
    /// The journal has not failed; no new epoch is called for.
    NotLatched,
    /// More leases than their table holds.
    Leases {
        /// Bytes the table would need.
        bytes: usize,
    },
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a commit needs at least one entry"),
            Self::TooLarge { entries, bytes } => write!(
                f,
                "{entries} entries of {bytes} bytes do not fit one frame of at most \
                 {FRAME_ENTRIES_MAX} entries and {FRAME_BYTES_MAX} bytes within a segment"
            ),
            Self::EntryTooLong { index, bytes } => write!(
                f,
                "entry {index} of the group has {bytes} bytes, more than an entry may have"
            ),
            Self::RingFull {
                needed_size,
                cosigned_size,
            } => write!(
                f,
                "the ring is full: entries up to {needed_size} must be cosigned or given up, \
                 {cosigned_size} are"
            ),
            Self::NotKept {
                needed_size,
                kept_size,
            } => write!(
                f,
                "entries up to {needed_size} must pass by the keep-rings before their segment is reused, \
                 {kept_size} have"
            ),
            Self::Medium(error) => write!(f, "the write failed: {error}"),
            Self::ReadBack { segment, offset } => write!(
                f,
                "segment {segment} byte {offset}: what was written does not read back"
            ),
            Self::Latched => write!(f, "an earlier write failed; a new epoch must begin first"),
            Self::NotLatched => write!(f, "no write has failed; the epoch goes on"),
            Self::Leases { bytes } => write!(f, "the lease table would need {bytes} bytes"),
        }
    }
}

impl core::error::Error for CommitError {}

/// Why a part of the tree cannot be rebuilt from the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// The range is inverted or ends past the committed size.
    OutOfLog {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
        /// Committed size.
        size: u64,
    },
    /// Entries before this one have left the ring.
    Retired {
        /// The oldest entry still there.
        oldest: u64,
    },
    /// These entries are lost, and the hashes needed with them.
    Lost {
        /// First index.
        begin: u64,
        /// Index after the last.
        end: u64,
    },
    /// The tree's own rules.
    Proof(ProofError),
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfLog { begin, end, size } => {
                write!(f, "[{begin}, {end}) is no part of a log of {size} entries")
            }
            Self::Retired { oldest } => {
                write!(f, "entries before {oldest} have left the ring")
            }
            Self::Lost { begin, end } => write!(
                f,
                "entries [{begin}, {end}) are lost and their hashes are not known"
            ),
            Self::Proof(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RangeError {}
