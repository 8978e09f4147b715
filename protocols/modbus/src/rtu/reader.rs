//! Where a frame ends: by the length its own header predicts, else by silence.

use super::{Timing, crc16};
use crate::limits::{RTU_EXCEPTION_BYTES, RTU_FRAME_BYTES_MAX};
use crate::pdu::{EXCEPTION_BIT, Function};
use alloc::vec::Vec;

/// Which half of the conversation is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A client reads replies.
    Replies,
    /// A server reads requests.
    Requests,
}

/// How the end of a frame was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The header predicted it, and the CRC there fits.
    Length,
    /// The line fell silent for t3.5.
    Silence,
    /// More bytes than any frame has, without a silence between: a stuck or chattering line.
    Overflow,
}

/// A run of bytes between two boundaries. Only `End::Length` vouches for the CRC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When the first was read.
    pub first_ns: u64,
    /// When the last was read.
    pub last_ns: u64,
    /// Longest gap between two of them; above t1.5 the sender broke the guide's rule.
    pub widest_gap_ns: u64,
    /// How the end was found.
    pub end: End,
}

/// Collects bytes with the time they were read, and hands out frames.
///
/// A frame is cut at its predicted length only where the CRC fits. A damaged frame is thus left
/// whole until the silence, instead of being cut in pieces by its own wrong byte count.
#[derive(Clone, Debug)]
pub struct FrameReader {
    direction: Direction,
    timing: Timing,
    bytes: Vec<u8>,
    first_ns: u64,
    last_ns: u64,
    widest_gap_ns: u64,
}

impl FrameReader {
    /// A reader with nothing collected.
    #[must_use]
    pub const fn new(direction: Direction, timing: Timing) -> Self {
        let bytes = Vec::new();
        Self {
            direction,
            timing,
            bytes,
            first_ns: 0,
            last_ns: 0,
            widest_gap_ns: 0,
        }
    }

    /// Takes bytes read at `at_ns`; returns the frames that ended before or within them.
    pub fn feed(&mut self, bytes: &[u8], at_ns: u64) -> Vec<Captured> {
        let mut frames = Vec::new();
        if !bytes.is_empty() {
            frames.extend(self.poll(at_ns));
        }
        for byte in bytes {
            frames.extend(self.push(*byte, at_ns));
        }
        frames
    }

    /// The frame that silence has ended by `now_ns`.
    pub fn poll(&mut self, now_ns: u64) -> Option<Captured> {
        let silent = self
            .deadline_ns()
            .is_some_and(|deadline_ns| now_ns >= deadline_ns);
        silent.then(|| self.take(End::Silence))
    }

    /// When silence ends what is collected; `None` while nothing is.
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        let pending = !self.bytes.is_empty();
        pending.then(|| self.last_ns.saturating_add(self.timing.t35_ns))
    }

    /// Bytes collected and not yet handed out.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.bytes
    }

    /// Hands out whatever is collected, for a caller whose own time is up.
    pub fn cut(&mut self) -> Option<Captured> {
        let pending = !self.bytes.is_empty();
        pending.then(|| self.take(End::Silence))
    }

    fn push(&mut self, byte: u8, at_ns: u64) -> Option<Captured> {
        if self.bytes.is_empty() {
            self.first_ns = at_ns;
            self.widest_gap_ns = 0;
        } else {
            let gap_ns = at_ns.saturating_sub(self.last_ns);
            self.widest_gap_ns = self.widest_gap_ns.max(gap_ns);
        }
        self.last_ns = at_ns;
        self.bytes.push(byte);
        if predicted_len(self.direction, &self.bytes) == Some(self.bytes.len())
            && crc_fits(&self.bytes)
        {
            return Some(self.take(End::Length));
        }
        (self.bytes.len() > RTU_FRAME_BYTES_MAX).then(|| self.take(End::Overflow))
    }

    fn take(&mut self, end: End) -> Captured {
        Captured {
            bytes: core::mem::take(&mut self.bytes),
            first_ns: self.first_ns,
            last_ns: self.last_ns,
            widest_gap_ns: self.widest_gap_ns,
            end,
        }
    }
}

/// A CRC taken over its own two bytes leaves nothing.
fn crc_fits(frame: &[u8]) -> bool {
    crc16(frame) == 0
}

/// Length the header announces, as far as it is read and its function known.
#[must_use]
pub fn predicted_len(direction: Direction, bytes: &[u8]) -> Option<usize> {
    let code = *bytes.get(1)?;
    if direction == Direction::Replies && code & EXCEPTION_BIT != 0 {
        return Some(RTU_EXCEPTION_BYTES);
    }
    let byte_count = |at: usize| bytes.get(at).map(|count| usize::from(*count));
    match (direction, Function::from_code(code)?) {
        (
            Direction::Replies,
            Function::ReadCoils
            | Function::ReadDiscreteInputs
            | Function::ReadHoldingRegisters
            | Function::ReadInputRegisters,
        ) => Some(5 + byte_count(2)?),
        (Direction::Requests, Function::WriteMultipleCoils | Function::WriteMultipleRegisters) => {
            Some(9 + byte_count(6)?)
        }
        (Direction::Replies | Direction::Requests, _) => Some(8),
    }
}
