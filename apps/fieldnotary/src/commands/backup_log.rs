//! The log inside a backup, read as it lies there: nothing has to be restored to be verified.

use super::backup_archive::Archive;
use evidence::reasons::TruthClass;
use journal::limits::{TABLE_BYTES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use journal::{MediumError, MediumFault, ReadTruth, ReadVolume, Shape};

/// Where the lease tables begin, behind both copies of both slots (spec/journal-v1.md).
const TABLES_AT: usize = TRUTH_SLOTS as usize * TRUTH_COPIES as usize * TRUTH_SLOT_BYTES;

/// The segments of one generation in a backup; those without a file are blank.
#[derive(Debug)]
pub(super) struct BackupVolume<'a> {
    pub(super) archive: &'a Archive,
    /// Its directory in the backup.
    pub(super) dir: String,
    pub(super) shape: Shape,
}

impl ReadVolume for BackupVolume<'_> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let name = format!("{}/{}", self.dir, media::segment_file_name(segment));
        if self.archive.bytes(&name).is_none() {
            into.fill(0);
            return Ok(());
        }
        let read = self.archive.read_at(&name, offset, into);
        read.map_err(|error| io_error(segment, offset, &error))
    }
}

/// A truth store held in memory: as it was at one instant.
#[derive(Clone, Debug)]
pub(super) struct TruthCopy {
    pub(super) bytes: Vec<u8>,
    pub(super) class: TruthClass,
}

impl TruthCopy {
    fn part(&self, slot: u32, from: usize, into: &mut [u8]) -> Result<(), MediumError> {
        let part = self.bytes.get(from..from.saturating_add(into.len()));
        let part = part.ok_or(MediumError {
            fault: MediumFault::OutOfRange,
            segment: slot,
            offset: 0,
            os_error: None,
        })?;
        into.copy_from_slice(part);
        Ok(())
    }
}

impl ReadTruth for TruthCopy {
    fn class(&self) -> TruthClass {
        self.class
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let place = slot.saturating_mul(TRUTH_COPIES).saturating_add(copy) as usize;
        self.part(slot, place * TRUTH_SLOT_BYTES, into)
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.part(0, TABLES_AT + copy as usize * TABLE_BYTES, into)
    }
}

fn io_error(segment: u32, offset: u64, error: &std::io::Error) -> MediumError {
    MediumError {
        fault: MediumFault::Io,
        segment,
        offset,
        os_error: error.raw_os_error(),
    }
}
