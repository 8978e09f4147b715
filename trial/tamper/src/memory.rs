//! Media in memory: a log is made there, and copied at any moment.

use crate::files::Files;
use evidence::reasons::TruthClass;
use journal::limits::{TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use journal::{MediumError, MediumFault, ReadTruth, ReadVolume, Shape, TruthMedium, Volume};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the lease tables begin (spec/journal-v1.md, "Truth store").
const TABLES_AT: usize = TRUTH_SLOTS as usize * TRUTH_COPIES as usize * TRUTH_SLOT_BYTES;
/// Bytes of a whole store.
const TRUTH_BYTES: usize = TABLES_AT + TABLE_COPIES as usize * TABLE_BYTES;

/// The media of one log: its ring and its truth store.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) shape: Shape,
    segments: Arc<Mutex<Vec<Vec<u8>>>>,
    truth: Arc<Mutex<Vec<u8>>>,
}

/// Nobody panics with it in hand; whoever did would leave whole bytes.
fn held<T>(bytes: &Mutex<T>) -> MutexGuard<'_, T> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Media {
    /// Blank media.
    pub(crate) fn blank(shape: Shape) -> Self {
        let bytes = usize::try_from(shape.segment_bytes).unwrap_or(0);
        let segments = (0..shape.segments).map(|_| vec![0; bytes]).collect();
        Self {
            shape,
            segments: Arc::new(Mutex::new(segments)),
            truth: Arc::new(Mutex::new(vec![0; TRUTH_BYTES])),
        }
    }

    /// A copy that goes its own way.
    pub(crate) fn copy(&self) -> Self {
        Self {
            shape: self.shape,
            segments: Arc::new(Mutex::new(held(&self.segments).clone())),
            truth: Arc::new(Mutex::new(held(&self.truth).clone())),
        }
    }

    /// The files of a ring, under the directory that is named.
    pub(crate) fn files(&self, dir: &str) -> Files {
        let mut files = Files::default();
        for (number, bytes) in (0u32..).zip(held(&self.segments).iter()) {
            let name = media::segment_file_name(number);
            files.put(&format!("{dir}/{name}"), bytes.clone());
        }
        let shape = self.shape;
        let ring = serde_json::json!({
            "segment_bytes": shape.segment_bytes,
            "segments": shape.segments,
            "block_bytes": shape.block_bytes,
        });
        files.put(
            &format!("{dir}/ring.json"),
            format!("{ring}\n").into_bytes(),
        );
        let truth = format!("{dir}/{}", media::TRUTH_FILE);
        files.put(&truth, held(&self.truth).clone());
        files
    }

    /// Puts zeros where bytes of a segment were.
    pub(crate) fn wipe(&self, segment: u32, offset: u64, bytes: u64) {
        if let Some(range) = range(offset, bytes)
            && let Some(found) = held(&self.segments).get_mut(segment as usize)
            && let Some(found) = found.get_mut(range)
        {
            found.fill(0);
        }
    }
}

fn range(offset: u64, bytes: u64) -> Option<std::ops::Range<usize>> {
    let begin = usize::try_from(offset).ok()?;
    Some(begin..begin.checked_add(usize::try_from(bytes).ok()?)?)
}

fn outside(segment: u32, offset: u64) -> MediumError {
    MediumError {
        fault: MediumFault::OutOfRange,
        segment,
        offset,
        os_error: None,
    }
}

impl ReadVolume for Media {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let segments = held(&self.segments);
        let found = segments
            .get(segment as usize)
            .zip(range(offset, into.len() as u64))
            .and_then(|(bytes, range)| bytes.get(range))
            .ok_or_else(|| outside(segment, offset))?;
        into.copy_from_slice(found);
        Ok(())
    }
}

impl Volume for Media {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let mut segments = held(&self.segments);
        let found = segments
            .get_mut(segment as usize)
            .zip(range(offset, bytes.len() as u64))
            .and_then(|(segment, range)| segment.get_mut(range))
            .ok_or_else(|| outside(segment, offset))?;
        found.copy_from_slice(bytes);
        Ok(())
    }
}

impl Media {
    fn truth_part(&self, at: usize, into: &mut [u8]) -> Result<(), MediumError> {
        let truth = held(&self.truth);
        let found = truth.get(at..at + into.len());
        into.copy_from_slice(found.ok_or_else(|| outside(0, at as u64))?);
        Ok(())
    }

    fn put_truth(&self, at: usize, bytes: &[u8]) -> Result<(), MediumError> {
        let mut truth = held(&self.truth);
        let found = truth.get_mut(at..at + bytes.len());
        found
            .ok_or_else(|| outside(0, at as u64))?
            .copy_from_slice(bytes);
        Ok(())
    }
}

const fn slot_at(slot: u32, copy: u32) -> usize {
    (slot as usize * TRUTH_COPIES as usize + copy as usize) * TRUTH_SLOT_BYTES
}

impl ReadTruth for Media {
    fn class(&self) -> TruthClass {
        TruthClass::SameDeviceSync
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.truth_part(slot_at(slot, copy), into)
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.truth_part(TABLES_AT + copy as usize * TABLE_BYTES, into)
    }
}

impl TruthMedium for Media {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        (0..TRUTH_COPIES).try_for_each(|copy| self.put_truth(slot_at(slot, copy), bytes))
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.put_truth(slot_at(slot, copy), bytes)
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        TruthMedium::write_durable(self, slot, bytes)
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.put_truth(TABLES_AT + copy as usize * TABLE_BYTES, bytes)
    }
}
