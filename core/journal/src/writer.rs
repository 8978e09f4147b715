//! The writer: frame durable, truth store advanced, and only then acknowledged.

mod group_commit;
mod opening;
mod ring_use;
mod state;
mod truth_writes;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use evidence::{CommitId, Epoch, SaltKey};
use proof::Hash;

use crate::frame::StoredEntry;
use crate::leases::Table;
use crate::ring::{Location, Ring};
use crate::truth::Truth;

/// How a journal behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Refuse to reuse a segment whose entries no cosigner has stored: without [`Journal::note_cosigned`] or
    /// [`Journal::permit_pruning`] a ring that is full takes no more ([`CommitError::RingFull`](crate::CommitError)).
    pub retain_uncosigned: bool,
    /// Refuse to reuse a segment whose entries have not passed by the keep-rings
    /// (see [`Journal::note_kept`]).
    pub retain_unkept: bool,
    /// Read every n-th frame back before it is acknowledged; 0 for never.
    pub read_back_every: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retain_uncosigned: true,
            retain_unkept: false,
            read_back_every: 0,
        }
    }
}

/// What the writer counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Group commits acknowledged.
    pub commits: u64,
    /// Entries acknowledged.
    pub entries: u64,
    /// Bytes of all frames, padding included.
    pub frame_bytes: u64,
    /// Bytes of the entries in them.
    pub payload_bytes: u64,
    /// Durable writes of the ring (segment headers and frames).
    pub volume_flushes: u64,
    /// Durable writes of the truth store (slots and lease tables).
    pub truth_flushes: u64,
    /// Segments opened.
    pub segments_opened: u64,
    /// Writes that failed.
    pub write_failures: u64,
    /// Frames read back after writing.
    pub read_backs: u64,
    /// Of these, frames that differed.
    pub read_back_failures: u64,
    /// End of the newest frame that is durable in the ring, in bytes since the log began.
    pub write_ptr: u64,
    /// End of the newest frame that the truth store knows, in bytes since the log began.
    pub commit_ptr: u64,
}

/// A group commit that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Id of its first entry.
    pub first: CommitId,
    /// The entries as stored, in order.
    pub entries: Vec<StoredEntry>,
    /// Entries in the log now.
    pub size: u64,
    /// Root of the tree now.
    pub root: Hash,
    /// Bytes of the frame, padding included.
    pub frame_bytes: u32,
    /// Bytes of the entries in it.
    pub payload_bytes: u32,
    /// Where the frame lies.
    pub location: Location,
    /// Whether it opened a segment.
    pub rolled: bool,
}

/// The journal of one log, as its one writer holds it.
#[derive(Debug)]
pub struct Journal<V, T> {
    ring: Ring<V>,
    medium: T,
    /// The newest state that the truth store holds, and the slot it lies in.
    truth: Truth,
    slot: u32,
    counter: u64,
    /// By slot, the copy that was found or left damaged: it is written before the sound one.
    damaged_copies: BTreeMap<u32, u32>,
    /// Commits that the slot holds and no flush has covered.
    deferred_commits: u32,
    /// First commit id of each lap in the ring.
    laps: BTreeMap<u64, u64>,
    open: OpenSegment,
    /// The memory of the last frame, for the next.
    memory: Arc<Vec<u8>>,
    epoch: Epoch,
    latched: bool,
    failures: u32,
    options: Options,
    table: Table,
    /// The copy to write first: never the only sound one.
    table_copy: u32,
    sealed_size: u64,
    cosigned_size: u64,
    pruned_size: u64,
    firmware: u32,
    kept_size: u64,
    stats: Stats,
}

/// The segment being written.
#[derive(Clone, Copy, Debug)]
struct OpenSegment {
    lap: u64,
    offset: u64,
    salt_key: SaltKey,
    /// Set when nothing more may be written to it.
    left: bool,
}
