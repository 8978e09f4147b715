//! The only way to a medium: the ring's segments and the truth store.

use core::fmt;
use evidence::reasons::TruthClass;

use crate::limits::{
    BLOCK_BYTES_MAX, BLOCK_BYTES_MIN, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENT_HEADER_BYTES,
    SEGMENTS_MAX, SEGMENTS_MIN,
};

/// Measures of a ring, fixed when it is provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of every segment.
    pub segment_bytes: u64,
    /// Number of segments.
    pub segments: u32,
    /// Bytes of a block: frames begin and end at multiples of it.
    pub block_bytes: u32,
}

impl Shape {
    /// Why a ring cannot have these measures, or `None` if it can.
    #[must_use]
    pub fn objection(&self) -> Option<&'static str> {
        let block = u64::from(self.block_bytes);
        if !(BLOCK_BYTES_MIN..=BLOCK_BYTES_MAX).contains(&self.block_bytes)
            || !self.block_bytes.is_power_of_two()
        {
            Some("blocks must be a power of two from 512 to 65,536 bytes")
        } else if !(SEGMENTS_MIN..=SEGMENTS_MAX).contains(&self.segments) {
            Some("a ring must have 2 to 65,536 segments")
        } else if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&self.segment_bytes)
            || !self.segment_bytes.is_multiple_of(block)
            || self.segment_bytes < self.first_frame_offset().saturating_add(block)
        {
            Some("segments must be whole blocks, 16 KiB to 1 GiB, with room for header and frame")
        } else {
            None
        }
    }

    /// Where the first frame of a segment begins.
    #[must_use]
    pub fn first_frame_offset(&self) -> u64 {
        (SEGMENT_HEADER_BYTES as u64).max(u64::from(self.block_bytes))
    }

    /// The segment that holds a lap; laps count from 1.
    #[must_use]
    pub fn segment_of(&self, lap: u64) -> u32 {
        let index = lap.saturating_sub(1) % u64::from(self.segments.max(1));
        u32::try_from(index).unwrap_or(0)
    }

    /// `bytes` rounded up to whole blocks.
    #[must_use]
    pub fn blocks_up(&self, bytes: usize) -> usize {
        bytes.next_multiple_of(self.block_bytes.max(1) as usize)
    }
}

/// What went wrong on a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediumFault {
    /// The device refused or failed.
    Io,
    /// No space, although it was provisioned.
    Full,
    /// Opened for reading only.
    ReadOnly,
    /// The place does not exist, or is not block aligned for a write.
    OutOfRange,
    /// The segment's file is missing.
    Missing,
    /// A frame stands in the ring whose lap no writer reaches; behind it there is none.
    NoLapLeft,
}

/// A failed read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediumError {
    /// What went wrong.
    pub fault: MediumFault,
    /// The segment, or the slot of the truth store.
    pub segment: u32,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The operating system's number for it.
    pub os_error: Option<i32>,
}

impl fmt::Display for MediumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            MediumFault::Io => "the device failed",
            MediumFault::Full => "no space where space was provisioned",
            MediumFault::ReadOnly => "opened for reading only",
            MediumFault::OutOfRange => "outside the medium or not block aligned",
            MediumFault::Missing => "the file is missing",
            MediumFault::NoLapLeft => {
                "a frame stands in this ring that says a lap no writer reaches; move the ring's files away and start again"
            }
        };
        write!(f, "segment {} byte {}: {what}", self.segment, self.offset)?;
        match self.os_error {
            Some(number) => write!(f, " (OS error {number})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for MediumError {}

/// Reads the ring.
pub trait ReadVolume {
    /// Its measures.
    fn shape(&self) -> Shape;

    /// Fills `into` from any place within a segment.
    ///
    /// # Errors
    /// The medium's; what was read up to there is not to be used.
    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError>;
}

/// Writes the ring.
pub trait Volume: ReadVolume {
    /// Writes whole blocks; they are durable when it returns.
    ///
    /// # Errors
    /// The medium's; what the blocks then hold is unknown, and the same place is not written again.
    fn write_durable(&mut self, segment: u32, offset: u64, bytes: &[u8])
    -> Result<(), MediumError>;

    /// Makes durable what an earlier process may have left of a write to a segment. Asked for when a log is
    /// opened for writing, of every segment in which anything behind the committed end was read.
    ///
    /// # Errors
    /// The medium's; nothing is to be built on what was read there.
    fn settle(&mut self, _segment: u32) -> Result<(), MediumError> {
        Ok(())
    }

    /// Makes whole the segments that are not there or end early, as far as it can: what they hold stays, and the
    /// rest is blank. Asked for once, when a log is opened for writing and nothing speaks against it.
    fn make_whole(&mut self) {}
}

/// Reads the truth store.
pub trait ReadTruth {
    /// What it can prove (A5.9).
    fn class(&self) -> TruthClass;

    /// Reads one copy of a slot ([`TRUTH_SLOT_BYTES`](crate::limits::TRUTH_SLOT_BYTES)).
    ///
    /// # Errors
    /// The medium's.
    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError>;

    /// Reads one copy of the lease table ([`TABLE_BYTES`](crate::limits::TABLE_BYTES)).
    ///
    /// # Errors
    /// The medium's.
    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError>;
}

/// Writes the truth store.
pub trait TruthMedium: ReadTruth {
    /// Writes both copies of a slot; they are durable when it returns.
    ///
    /// # Errors
    /// The medium's; what the slot then holds is unknown.
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError>;

    /// Writes one copy of a slot; it is durable when it returns.
    ///
    /// # Errors
    /// The medium's; what the copy then holds is unknown.
    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError>;

    /// Writes both copies of a slot without a flush of its own: readers see it at once, and it is
    /// durable at the latest when a durable write of the same slot returns. Only a journal whose
    /// truth store is [`TruthClass::SameDeviceDeferred`] asks for it.
    ///
    /// # Errors
    /// The medium's; what the slot then holds is unknown.
    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError>;

    /// Writes one copy of the lease table; it is durable when it returns.
    ///
    /// # Errors
    /// The medium's; what the copy then holds is unknown.
    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError>;
}

impl<V: ReadVolume + ?Sized> ReadVolume for &V {
    fn shape(&self) -> Shape {
        (**self).shape()
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        (**self).read(segment, offset, into)
    }
}

impl<T: ReadTruth + ?Sized> ReadTruth for &T {
    fn class(&self) -> TruthClass {
        (**self).class()
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        (**self).read(slot, copy, into)
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        (**self).read_table(copy, into)
    }
}
