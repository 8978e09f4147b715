//! Writes of the truth store: the slots, the lease table, the orderly end.

use evidence::reasons::TruthClass;

use super::Journal;
use crate::error::CommitError;
use crate::leases::{Leases, Table};
use crate::limits::{DEFERRED_COMMITS_MAX, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOTS};
use crate::medium::{MediumError, TruthMedium, Volume};
use crate::truth::Truth;

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Advances the truth store by one group commit: with a flush, or with a later one where its
    /// class permits that.
    pub(super) fn write_truth_of_commit(&mut self, next: Truth) -> Result<(), CommitError> {
        let deferred = self.medium.class() == TruthClass::SameDeviceDeferred;
        if !deferred || self.deferred_commits >= DEFERRED_COMMITS_MAX {
            self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(1);
            self.put_truth(next, T::write_durable)?;
            self.deferred_commits = 0;
            return Ok(());
        }
        self.put_truth(next, T::write_deferred)?;
        self.deferred_commits = self.deferred_commits.saturating_add(1);
        Ok(())
    }

    /// Writes a state that no frame goes before; it is durable when this returns. Its copies are
    /// written one after the other, so that power loss leaves one of them whole: without a frame to roll
    /// forward, nothing else would tell a torn slot from a damaged one.
    pub(super) fn write_truth(&mut self, next: Truth) -> Result<(), CommitError> {
        let copies = u64::from(TRUTH_COPIES);
        self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(copies);
        self.put_truth(next, |medium, slot, bytes| {
            (0..TRUTH_COPIES).try_for_each(|copy| medium.write_copy(slot, copy, bytes))
        })?;
        self.deferred_commits = 0;
        Ok(())
    }

    /// Writes the older slot; or again the one whose last write nobody has flushed, so that the
    /// durable slot is never at risk. What a slot holds after a failure is unknown, so the next
    /// attempt writes the same one again, under a higher counter.
    fn put_truth(
        &mut self,
        mut next: Truth,
        write: fn(&mut T, u32, &[u8]) -> Result<(), MediumError>,
    ) -> Result<(), CommitError> {
        self.counter = self.counter.saturating_add(1);
        next.fixed.counter = self.counter;
        next.fixed.sealed_size = self.sealed_size;
        next.fixed.cosigned_size = self.cosigned_size;
        next.fixed.pruned_size = self.pruned_size;
        let slot = match self.deferred_commits {
            0 => self.slot.saturating_add(1) % TRUTH_SLOTS,
            _ => self.slot,
        };
        let written = write(&mut self.medium, slot, &next.encode());
        written.map_err(|error| self.latch(CommitError::Medium(error)))?;
        self.slot = slot;
        self.stats.commit_ptr = self.linear(next.fixed.lap, next.fixed.commit_offset, 0);
        self.truth = next;
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
