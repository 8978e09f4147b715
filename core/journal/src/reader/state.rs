//! What the truth store told the reader: sizes, root, health, leases.

use evidence::{BootId, CommitId, Epoch, Generation, LogId};
use proof::{Frontier, Hash};

use super::Reader;
use crate::displaced::Displaced;
use crate::find::{Finding, TruthHealth};
use crate::leases::{self, Leases};
use crate::medium::{ReadTruth, ReadVolume};
use crate::ring::Location;

impl<V: ReadVolume, T: ReadTruth> Reader<V, T> {
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

    /// The oldest lap still in the ring.
    #[must_use]
    pub fn oldest_lap(&self) -> u64 {
        self.truth.fixed.oldest_lap
    }

    /// The place behind the newest committed frame: what a medium holds from there on was never acknowledged.
    #[must_use]
    pub fn committed_end(&self) -> Location {
        let fixed = &self.truth.fixed;
        Location {
            lap: fixed.lap,
            segment: self.ring.shape.segment_of(fixed.lap),
            offset: fixed.commit_offset,
        }
    }

    /// The epoch that wrote last.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.truth.fixed.epoch
    }

    /// The boot in which it wrote.
    #[must_use]
    pub fn boot_id(&self) -> BootId {
        self.truth.fixed.boot_id
    }

    /// Up to where a checkpoint was signed, as of the last truth write.
    #[must_use]
    pub fn sealed_size(&self) -> u64 {
        self.truth.fixed.sealed_size
    }

    /// Up to where a collector had cosigned, as of the last truth write.
    #[must_use]
    pub fn cosigned_size(&self) -> u64 {
        self.truth.fixed.cosigned_size
    }

    /// The highest security version of the firmware that was seen, as of the last truth write; 0 where none was.
    #[must_use]
    pub fn firmware(&self) -> u32 {
        self.truth.fixed.firmware
    }

    /// Whether the log was closed orderly.
    #[must_use]
    pub fn closed_orderly(&self) -> bool {
        self.truth.fixed.orderly != 0
    }

    /// State of the truth store, and what is damaged in it.
    #[must_use]
    pub fn truth_health(&self) -> (TruthHealth, &[Finding]) {
        (self.health, &self.truth_findings)
    }

    /// Segments that lie in the place of another, as they were found when the log was opened. Those that
    /// [`Displaced::read`] names are read from there, and no writer opens the log until they are put back.
    #[must_use]
    pub fn displaced(&self) -> &[Displaced] {
        &self.displaced
    }

    /// The leases as last stored; `None` when no sound copy is left.
    #[must_use]
    pub fn leases(&self) -> Option<Leases> {
        let table = leases::load(&self.medium, self.ring.log_id, self.ring.generation);
        table.table.map(|table| table.leases)
    }
}
