//! What is put to the test: something that reads a device, opens it and goes on; here the engine.

use journal::{
    CommitError, Finding, Journal, Leases, Loss, OpenError, Reader, Recovery, StoredEntry,
    TruthHealth,
};
use proof::{Frontier, Hash};

use super::golden::{input, salt, stamp, step};
use crate::media::{Device, DeviceTruth, DeviceVolume};
use evidence::{Captured, CommitId, MonoNs, Stamp};

/// Items that a reading may have beyond its entries, before it counts as endless.
const ITEMS_SPARE: u64 = 10_000;
/// Times that an epoch is begun after a failed write.
const EPOCHS_MAX: usize = 8;

/// Everything that reading a log gave out.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The oldest entry.
    pub oldest: u64,
    /// Entries committed.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// State of the truth store.
    pub health: TruthHealth,
    /// Entries and findings, in the order of the log.
    pub items: Vec<Result<StoredEntry, Finding>>,
    /// What the scrub found.
    pub findings: Vec<Finding>,
    /// The entry asked for by itself, and the tree before it.
    pub probe: (u64, Option<Result<StoredEntry, Finding>>, Option<Frontier>),
    /// The leases.
    pub leases: Option<Leases>,
}

/// What opening a log gave out.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Entries committed.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// What recovery found.
    pub recovery: Recovery,
    /// How it went on, if it was asked to.
    pub after: Option<After>,
}

/// A log that went on: its losses named, one more group committed, closed and opened again.
#[derive(Clone, Debug)]
pub struct After {
    /// What was acknowledged.
    pub committed: Vec<StoredEntry>,
    /// The whole log, read again.
    pub reading: Reading,
    /// What the next recovery found.
    pub again: Recovery,
}

/// Something that reads and opens a device.
pub trait Subject: Sync {
    /// Reads everything, and one entry by itself.
    ///
    /// # Errors
    /// As the reader's opening.
    fn read(&self, disk: &Device, probe: u64) -> Result<Reading, OpenError>;

    /// Opens the log for writing and, where asked, goes on.
    ///
    /// # Errors
    /// As the journal's opening.
    fn open(&self, disk: &Device, go_on: bool) -> Result<Opening, OpenError>;
}

/// The engine that ships.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine;

impl Subject for Engine {
    fn read(&self, disk: &Device, probe: u64) -> Result<Reading, OpenError> {
        let input = input(1);
        let reader = Reader::open(disk.volume(), disk.truth(), input.log_id, input.generation)?;
        let items_max = reader.size().saturating_add(ITEMS_SPARE);
        let items_max = usize::try_from(items_max).unwrap_or(usize::MAX);
        // Asked first, so that no place is known from reading.
        let probe = (
            probe,
            reader.entry(CommitId(probe)),
            reader.frontier_at(probe).ok(),
        );
        Ok(Reading {
            oldest: reader.oldest().0,
            size: reader.size(),
            root: reader.root(),
            health: reader.truth_health().0,
            items: reader.entries(reader.oldest()).take(items_max).collect(),
            findings: reader.scrub().findings,
            probe,
            leases: reader.leases(),
        })
    }

    fn open(&self, disk: &Device, go_on: bool) -> Result<Opening, OpenError> {
        let (journal, recovery) = Journal::open(disk.volume(), disk.truth(), &input(3))?;
        let (size, root) = (journal.size(), journal.root());
        let after = match go_on {
            true => self.after(disk, journal, &recovery)?,
            false => None,
        };
        Ok(Opening {
            size,
            root,
            recovery,
            after,
        })
    }
}

impl Engine {
    fn after(
        &self,
        disk: &Device,
        mut journal: Journal<DeviceVolume, DeviceTruth>,
        recovery: &Recovery,
    ) -> Result<Option<After>, OpenError> {
        let mut committed = Vec::new();
        for group in [names(&recovery.losses), step(905)] {
            if group.is_empty() {
                continue;
            }
            match commit(&mut journal, &group) {
                Some(entries) => committed.extend(entries),
                None => return Ok(None),
            }
        }
        drop(journal);
        let probe = committed.first().map_or(0, |entry| entry.commit_id.0);
        let reading = self.read(disk, probe)?;
        let (_, again) = Journal::open(disk.volume(), disk.truth(), &input(4))?;
        Ok(Some(After {
            committed,
            reading,
            again,
        }))
    }
}

/// The loss entries that a recorder would commit.
fn names(losses: &[Loss]) -> Vec<(Stamp, Captured)> {
    losses
        .iter()
        .map(|loss| (stamp(), Captured::new(&loss.payload(MonoNs(1)).into())))
        .collect()
}

/// Commits; where the device refuses a place, in a new epoch further on.
fn commit(
    journal: &mut Journal<DeviceVolume, DeviceTruth>,
    group: &[(Stamp, Captured)],
) -> Option<Vec<StoredEntry>> {
    for n in 0..EPOCHS_MAX {
        let salt = salt(910 + n as u64);
        match journal.commit(group, salt) {
            Ok(committed) => return Some(committed.entries),
            Err(CommitError::Medium(_) | CommitError::Latched) => {
                // What is still refused then is refused again by the commit.
                let _ = journal.begin_epoch_after_failure(salt);
            }
            Err(_) => return None,
        }
    }
    None
}
