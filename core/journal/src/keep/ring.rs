//! A keep-ring: where its frames lie, and the next one.

use alloc::vec::Vec;
use evidence::{Generation, LogId};
use proof::CompactRange;

use super::format::{Home, encode};
use super::read::{self, Position};
use super::store::Store;
use super::stretch::Stretch;
use crate::limits::KEEP_ATTEMPTS_MAX;
use crate::medium::{MediumError, MediumFault, ReadVolume, Shape, Volume};

/// A keep-ring of a log. It needs no truth store: what the journal's own ring still holds can be
/// kept again, and how far its frames must reach is told by where that ring begins.
#[derive(Debug)]
pub struct KeepRing<V> {
    pub(super) volume: V,
    pub(super) shape: Shape,
    pub(super) log_id: LogId,
    pub(super) generation: Generation,
    pub(super) store: Store,
    /// Where frames lie, oldest first.
    pub(super) frames: Vec<Position>,
    /// Where the next one goes.
    lap: u64,
    offset: u64,
    /// The hashes of the newest stretch.
    newest: Option<CompactRange>,
}

impl<V: ReadVolume> KeepRing<V> {
    /// Finds the frames of a log on a volume. Damage is met when they are read.
    pub fn open(volume: V, log_id: LogId, generation: Generation, store: Store) -> Self {
        let mut ring = Self {
            shape: volume.shape(),
            volume,
            log_id,
            generation,
            store,
            frames: Vec::new(),
            lap: 1,
            offset: 0,
            newest: None,
        };
        ring.frames = read::positions(&ring);
        if let Some(newest) = ring.frames.last() {
            (ring.lap, ring.offset) = (newest.lap, newest.behind);
        }
        ring.newest = ring
            .frames()
            .filter_map(Result::ok)
            .last()
            .map(|frame| frame.stretch.range());
        ring
    }

    /// What it keeps.
    #[must_use]
    pub const fn store(&self) -> Store {
        self.store
    }

    /// Up to where the log has passed by; `None` before the first frame.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.newest.as_ref().map(CompactRange::end)
    }

    pub(super) fn home(&self, lap: u64, segment: u32, offset: u64) -> Home {
        Home {
            log_id: self.log_id,
            generation: self.generation,
            store: self.store.number(),
            lap,
            segment,
            offset,
        }
    }
}

impl<V: Volume> KeepRing<V> {
    /// Keeps a stretch; it is durable when this returns. What the ring has no room for beside it, the
    /// oldest, goes. A place where a write failed is left for the next segment.
    ///
    /// # Errors
    /// The medium's, of the last attempt; the stretch may be tried again.
    pub fn append(&mut self, stretch: &Stretch) -> Result<(), MediumError> {
        if stretch.is_empty() {
            return Ok(());
        }
        let mut attempts = 1;
        loop {
            match self.write(stretch) {
                Ok(()) => return Ok(()),
                Err(error) if attempts >= KEEP_ATTEMPTS_MAX => return Err(error),
                Err(_) => attempts = attempts.saturating_add(1),
            }
        }
    }

    pub(super) fn write(&mut self, stretch: &Stretch) -> Result<(), MediumError> {
        let previous = match &self.newest {
            Some(range) if range.end() == stretch.begin() => range.clone(),
            Some(_) | None => CompactRange::empty(stretch.begin()),
        };
        let mut bytes = self.encoded(stretch, &previous)?;
        if self.offset.saturating_add(bytes.len() as u64) > self.shape.segment_bytes {
            self.turn();
            bytes = self.encoded(stretch, &previous)?;
        }
        let position = Position {
            lap: self.lap,
            segment: self.shape.segment_of(self.lap),
            offset: self.offset,
            behind: self.offset.saturating_add(bytes.len() as u64),
        };
        // What a segment held of an earlier lap is gone with the first frame of the next.
        self.frames
            .retain(|old| old.segment != position.segment || old.lap == position.lap);
        match self
            .volume
            .write_durable(position.segment, position.offset, &bytes)
        {
            Ok(()) => {
                self.offset = position.behind;
                self.frames.push(position);
                self.newest = Some(stretch.range());
                Ok(())
            }
            Err(error) => {
                self.turn();
                Err(error)
            }
        }
    }

    /// On to the next segment.
    fn turn(&mut self) {
        self.lap = self.lap.saturating_add(1);
        self.offset = 0;
    }

    fn encoded(&self, stretch: &Stretch, previous: &CompactRange) -> Result<Vec<u8>, MediumError> {
        let segment = self.shape.segment_of(self.lap);
        let home = self.home(self.lap, segment, self.offset);
        encode(&home, stretch, previous, self.shape.block_bytes as usize)
            .filter(|bytes| bytes.len() as u64 <= self.shape.segment_bytes)
            .ok_or(MediumError {
                fault: MediumFault::OutOfRange,
                segment,
                offset: self.offset,
                os_error: None,
            })
    }
}
