//! What the journal knows and is told: sizes, root, leases, counters.

use evidence::reasons::TruthClass;
use evidence::{CommitId, Epoch, Generation, LogId};
use proof::{Frontier, Hash};

use super::{Journal, Stats};
use crate::error::OpenError;
use crate::leases::Leases;
use crate::medium::{TruthMedium, Volume};
use crate::reader::Reader;

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Tells the journal up to where a checkpoint is signed, once its signature is there: what is said here is what
    /// readers and tools call sealed. It goes into the next truth write, that of the next commit or of the close.
    pub fn note_sealed(&mut self, size: u64) {
        self.sealed_size = self.sealed_size.max(size.min(self.size()));
    }

    /// Tells the journal up to where a collector has cosigned: segments below may be reused.
    pub fn note_cosigned(&mut self, size: u64) {
        self.cosigned_size = self.cosigned_size.max(size.min(self.size()));
    }

    /// Gives entries below `size` up although nobody has cosigned them. The caller commits the loss
    /// entry that says so.
    pub fn permit_pruning(&mut self, size: u64) {
        self.pruned_size = self.pruned_size.max(size.min(self.size()));
    }

    /// Tells the journal which security version of the firmware was seen; the highest goes into the next truth write.
    pub fn note_firmware(&mut self, version: u32) {
        self.firmware = self.firmware.max(version);
    }

    /// The highest security version of the firmware that the truth store knows; 0 where it knows none.
    #[must_use]
    pub const fn firmware(&self) -> u32 {
        self.firmware
    }

    /// Entries below `size` have passed by the keep-rings, durably, or are given up for them.
    pub fn note_kept(&mut self, size: u64) {
        self.kept_size = self.kept_size.max(size.min(self.size()));
    }

    /// A reader of the committed log over the same media.
    ///
    /// # Errors
    /// As [`Reader::open`]; none in practice, as the log is open.
    pub fn reader(&self) -> Result<Reader<&V, &T>, OpenError> {
        Reader::open(
            &self.ring.volume,
            &self.medium,
            self.ring.log_id,
            self.ring.generation,
        )
    }

    /// First entry of the newest segment that has entries: where the newest counter snapshot is.
    #[must_use]
    pub fn newest_segment_first(&self) -> CommitId {
        let size = self.truth.fixed.size;
        let first = self.laps.values().rev().find(|first| **first < size);
        CommitId(first.copied().unwrap_or(0))
    }

    /// The log.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        self.ring.log_id
    }

    /// Its generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.ring.generation
    }

    /// The epoch that runs.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Entries committed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.truth.fixed.size
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.truth.fixed.root
    }

    /// The tree.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.truth.frontier
    }

    /// The oldest entry still in the ring.
    #[must_use]
    pub fn oldest(&self) -> CommitId {
        self.truth.fixed.oldest_commit_id
    }

    /// Up to where a checkpoint is signed.
    #[must_use]
    pub fn sealed_size(&self) -> u64 {
        self.sealed_size
    }

    /// Up to where a collector has cosigned.
    #[must_use]
    pub fn cosigned_size(&self) -> u64 {
        self.cosigned_size
    }

    /// What the truth store can prove.
    #[must_use]
    pub fn truth_class(&self) -> TruthClass {
        self.medium.class()
    }

    /// Whether a write failed and a new epoch has to begin.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.latched
    }

    /// Bytes left in the segment being written.
    #[must_use]
    pub fn segment_bytes_left(&self) -> u64 {
        if self.open.left {
            return 0;
        }
        self.ring
            .shape
            .segment_bytes
            .saturating_sub(self.open.offset)
    }

    /// The leases as last stored.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.table.leases
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
