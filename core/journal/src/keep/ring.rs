//! A keep-ring: where its frames lie, and the next one.

use alloc::vec::Vec;
use core::cell::OnceCell;
use evidence::{Generation, LogId};
use proof::CompactRange;

use super::format::{Home, encode};
use super::read::{self, Position};
use super::store::Store;
use super::stretch::Stretch;
use crate::limits::{KEEP_ATTEMPTS_MAX, KEEP_LAPS_MAX};
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
    /// Where frames lie, by segment; what nobody asked for yet has not been looked for.
    pub(super) frames: Vec<OnceCell<Vec<Position>>>,
    /// Where the next one goes.
    lap: u64,
    offset: u64,
    /// The hashes of the newest stretch.
    newest: Option<CompactRange>,
}

impl<V: ReadVolume> KeepRing<V> {
    /// Finds the end of what is kept of a log on a volume. It looks at the newest segments alone, however large
    /// the ring; older frames are looked for when they are asked for, and damage is met when they are read.
    pub fn open(volume: V, log_id: LogId, generation: Generation, store: Store) -> Self {
        let shape = volume.shape();
        let mut ring = Self {
            shape,
            volume,
            log_id,
            generation,
            store,
            frames: (0..shape.segments).map(|_| OnceCell::new()).collect(),
            lap: 1,
            offset: 0,
            newest: None,
        };
        if let Some(newest) = read::newest(&ring) {
            (ring.lap, ring.offset) = (newest.lap, newest.behind);
        }
        ring.newest = ring.newest_stretch().map(|stretch| stretch.range());
        ring
    }

    /// The newest stretch that can be read, whatever laps lie before it: a writer that met a forged one left out as many as that took.
    fn newest_stretch(&self) -> Option<Stretch> {
        let segments = read::newest_first(self).into_iter();
        let frames = segments.flat_map(|segment| self.frames_in(segment).iter().rev());
        frames
            .filter_map(|position| self.frame_at(*position))
            .find_map(|(head, frame)| head.stretch(&frame))
    }

    /// Where the frames of a segment lie: those of its newest lap, in order.
    pub(super) fn frames_in(&self, segment: u32) -> &[Position] {
        let frames = self.frames.get(segment as usize);
        frames.map_or(&[], |frames| {
            frames.get_or_init(|| read::in_segment(self, segment))
        })
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
    /// Makes durable what an earlier process may have left of its last write; before anything is built on it.
    ///
    /// # Errors
    /// The medium's.
    pub fn settle(&mut self) -> Result<(), MediumError> {
        self.volume.settle(self.shape.segment_of(self.lap))
    }

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
        let known = self.frames_in(position.segment).iter();
        let mut frames: Vec<Position> = known
            .filter(|old| old.lap == position.lap)
            .copied()
            .collect();
        match self
            .volume
            .write_durable(position.segment, position.offset, &bytes)
        {
            Ok(()) => {
                self.offset = position.behind;
                frames.push(position);
                self.newest = Some(stretch.range());
                self.hold(position.segment, frames);
                Ok(())
            }
            Err(error) => {
                self.hold(position.segment, frames);
                self.turn();
                Err(error)
            }
        }
    }

    fn hold(&mut self, segment: u32, frames: Vec<Position>) {
        if let Some(held) = self.frames.get_mut(segment as usize) {
            *held = OnceCell::from(frames);
        }
    }

    /// On to the next segment, in a lap above any that a frame says there or in the one behind it: none that was forged stands
    /// before what is written now.
    fn turn(&mut self) {
        let mut lap = self.lap.saturating_add(1);
        let behind = lap.saturating_add(1);
        let near = [lap, behind].map(|lap| read::highest_lap(self, self.shape.segment_of(lap)));
        let highest = near.into_iter().max().unwrap_or(0);
        if highest >= lap {
            let round = u64::from(self.shape.segments.max(1));
            let rounds = (highest - lap) / round + 1;
            lap = lap.saturating_add(rounds.saturating_mul(round));
        }
        (self.lap, self.offset) = (lap, 0);
    }

    fn refuses(&self, fault: MediumFault) -> MediumError {
        MediumError {
            fault,
            segment: self.shape.segment_of(self.lap),
            offset: self.offset,
            os_error: None,
        }
    }

    fn encoded(&self, stretch: &Stretch, previous: &CompactRange) -> Result<Vec<u8>, MediumError> {
        let segment = self.shape.segment_of(self.lap);
        if self.lap > KEEP_LAPS_MAX {
            return Err(self.refuses(MediumFault::NoLapLeft));
        }
        let home = self.home(self.lap, segment, self.offset);
        encode(&home, stretch, previous, self.shape.block_bytes as usize)
            .filter(|bytes| bytes.len() as u64 <= self.shape.segment_bytes)
            .ok_or_else(|| self.refuses(MediumFault::OutOfRange))
    }
}
