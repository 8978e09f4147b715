//! Writes of the truth store: the slots, the lease table, the orderly end.

use evidence::reasons::TruthClass;

use super::Journal;
use crate::error::CommitError;
use crate::leases::{Leases, Table};
use crate::limits::{DEFERRED_COMMITS_MAX, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOTS};
use crate::medium::{MediumError, TruthMedium, Volume};
use crate::truth::Truth;

/// How a state goes into its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    /// Both copies with one flush: behind a frame, which tells what they said.
    Pair,
    /// Both copies, flushed later.
    Deferred,
    /// One copy durable before the other is touched.
    CopyByCopy,
}

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Advances the truth store by one group commit: with a flush, or with a later one where its
    /// class permits that.
    pub(super) fn write_truth_of_commit(&mut self, next: Truth) -> Result<(), CommitError> {
        let deferred = self.medium.class() == TruthClass::SameDeviceDeferred;
        if !deferred || self.deferred_commits >= DEFERRED_COMMITS_MAX {
            self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(1);
            self.put_truth(next, Write::Pair)?;
            self.deferred_commits = 0;
            return Ok(());
        }
        self.put_truth(next, Write::Deferred)?;
        self.deferred_commits = self.deferred_commits.saturating_add(1);
        Ok(())
    }

    /// Writes a state that no frame goes before; it is durable when this returns. Its copies are
    /// written one after the other, so that power loss leaves one of them whole: without a frame to roll
    /// forward, nothing else would tell a torn slot from a damaged one.
    pub(super) fn write_truth(&mut self, next: Truth) -> Result<(), CommitError> {
        let copies = u64::from(TRUTH_COPIES);
        self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(copies);
        self.put_truth(next, Write::CopyByCopy)?;
        self.deferred_commits = 0;
        Ok(())
    }

    /// Writes the older slot; or again the one whose last write nobody has flushed, so that the
    /// durable slot is never at risk. What a slot holds after a failure is unknown, so the next
    /// attempt writes the same one again, under a higher counter.
    fn put_truth(&mut self, mut next: Truth, how: Write) -> Result<(), CommitError> {
        self.counter = self.counter.saturating_add(1);
        next.fixed.counter = self.counter;
        next.fixed.sealed_size = self.sealed_size;
        next.fixed.cosigned_size = self.cosigned_size;
        next.fixed.pruned_size = self.pruned_size;
        next.fixed.firmware = self.firmware;
        let slot = match self.deferred_commits {
            0 => self.slot.saturating_add(1) % TRUTH_SLOTS,
            _ => self.slot,
        };
        let bytes = next.encode();
        let written = match how {
            Write::Pair => self.medium.write_durable(slot, &bytes),
            Write::Deferred => self.medium.write_deferred(slot, &bytes),
            Write::CopyByCopy => self.write_copies(slot, &bytes),
        };
        written.map_err(|error| self.latch(CommitError::Medium(error)))?;
        self.slot = slot;
        self.stats.commit_ptr = self.linear(next.fixed.lap, next.fixed.commit_offset, 0);
        self.truth = next;
        Ok(())
    }

    /// First the copy that is not the only sound one.
    fn write_copies(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let first = self.damaged_copies.remove(&slot).unwrap_or(0);
        for copy in (0..TRUTH_COPIES).map(|n| first.saturating_add(n) % TRUTH_COPIES) {
            if let Err(error) = self.medium.write_copy(slot, copy, bytes) {
                self.damaged_copies.insert(slot, copy);
                return Err(error);
            }
        }
        Ok(())
    }

    pub(super) fn latch(&mut self, error: CommitError) -> CommitError {
        self.latched = true;
        self.stats.write_failures = self.stats.write_failures.saturating_add(1);
        error
    }

    pub(super) fn linear(&self, lap: u64, offset: u64, bytes: usize) -> u64 {
        lap.saturating_sub(1)
            .saturating_mul(self.ring.shape.segment_bytes)
            .saturating_add(offset)
            .saturating_add(bytes as u64)
    }

    /// Stores the lease table; it is durable when this returns.
    ///
    /// # Errors
    /// [`CommitError::Leases`] when it is too long, or the medium's; the table before still holds.
    pub fn store_leases(&mut self, leases: Leases) -> Result<(), CommitError> {
        let table = Table {
            counter: self.table.counter.saturating_add(1),
            leases,
        };
        self.write_leases(&table)?;
        self.table = table;
        Ok(())
    }

    pub(super) fn write_leases(&mut self, table: &Table) -> Result<(), CommitError> {
        let bytes = table
            .encode(self.ring.log_id, self.ring.generation)
            .map_err(|error| CommitError::Leases { bytes: error.bytes })?;
        let first = self.table_copy;
        for copy in (0..TABLE_COPIES).map(|n| first.saturating_add(n) % TABLE_COPIES) {
            self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(1);
            if let Err(error) = self.medium.write_table(copy, &bytes) {
                self.stats.write_failures = self.stats.write_failures.saturating_add(1);
                self.table_copy = copy;
                return Err(CommitError::Medium(error));
            }
        }
        Ok(())
    }

    /// Closes the log orderly and gives the media back.
    ///
    /// # Errors
    /// [`CommitError::Latched`], or the medium's: then it counts as not closed.
    pub fn close(mut self) -> Result<(V, T), CommitError> {
        if self.latched {
            return Err(CommitError::Latched);
        }
        let mut next = self.truth.clone();
        next.fixed.orderly = 1;
        self.write_truth(next)?;
        Ok(self.into_media())
    }

    /// Gives the media back without closing the log, as a crash would.
    pub fn into_media(self) -> (V, T) {
        (self.ring.volume, self.medium)
    }
}
