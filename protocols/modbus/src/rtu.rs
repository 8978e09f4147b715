//! Serial line framing: address, PDU, CRC.

mod crc;
mod listen;
mod reader;
mod timing;

pub use crc::crc16;
pub use listen::{Heard, Listener, PAIRED_NS_MAX, Role};
pub use reader::{Captured, Direction, End, FrameReader, predicted_len};
pub use timing::Timing;

use crate::limits::{RTU_FRAME_BYTES_MAX, RTU_FRAME_BYTES_MIN, RTU_OVERHEAD_BYTES};
use crate::pdu::Request;
use alloc::vec::Vec;
use core::fmt;

/// What is wrong with a serial frame, or with a frame taken as the reply to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Fewer bytes than the frame should have, and no valid CRC.
    Truncated {
        /// Bytes due.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// More bytes than the frame should have, and no valid CRC.
    TooLong {
        /// Bytes due at most.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The right length, and the CRC does not fit the bytes.
    Crc {
        /// CRC of the bytes.
        computed: u16,
        /// CRC in the frame.
        found: u16,
    },
    /// A valid frame of another unit.
    UnitMismatch {
        /// Unit asked.
        expected: u8,
        /// Unit that speaks.
        found: u8,
    },
    /// A valid frame of the unit for another function.
    FunctionMismatch {
        /// Function asked.
        expected: u8,
        /// Function answered, exception bit included.
        found: u8,
    },
    /// A valid frame of the unit and function with another amount of data.
    LengthMismatch {
        /// Bytes due.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A valid reply of the right length with another byte count (of a read), or another address,
    /// quantity or value (of a write) than asked for.
    ContentMismatch,
    /// A valid reply under another transaction identifier (TCP).
    TransactionMismatch {
        /// Identifier asked under.
        expected: u16,
        /// Identifier answered under.
        found: u16,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { expected, found } => {
                write!(f, "the frame ends after {found} bytes of {expected}")
            }
            Self::TooLong { expected, found } => {
                write!(f, "the frame has {found} bytes where {expected} are due")
            }
            Self::Crc { computed, found } => {
                write!(
                    f,
                    "the frame carries CRC {found:04X}, its bytes give {computed:04X}"
                )
            }
            Self::UnitMismatch { expected, found } => {
                write!(f, "unit {found} answered where unit {expected} was asked")
            }
            Self::FunctionMismatch { expected, found } => {
                write!(
                    f,
                    "function {found} answered where function {expected} was asked"
                )
            }
            Self::LengthMismatch { expected, found } => {
                write!(
                    f,
                    "a valid reply of {found} bytes where {expected} were asked for"
                )
            }
            Self::ContentMismatch => {
                write!(
                    f,
                    "a valid reply whose byte count, address or value is not the one asked for"
                )
            }
            Self::TransactionMismatch { expected, found } => {
                write!(f, "transaction {found} answered where {expected} was asked")
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// A serial frame whose CRC fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The unit asked, or answering.
    pub unit: u8,
    /// Function code and data.
    pub pdu: &'a [u8],
}

/// The frame of a PDU.
#[must_use]
pub fn encode(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(pdu.len() + RTU_OVERHEAD_BYTES);
    frame.push(unit);
    frame.extend_from_slice(pdu);
    // The one field of Modbus that travels low byte first.
    let [high, low] = crc16(&frame).to_be_bytes();
    frame.extend_from_slice(&[low, high]);
    frame
}

/// The frame in a run of bytes, whoever it is meant for.
///
/// # Errors
/// `Truncated`, `TooLong` (against the protocol's bounds) or `Crc`.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let found = bytes.len();
    if found > RTU_FRAME_BYTES_MAX {
        return Err(FrameError::TooLong {
            expected: RTU_FRAME_BYTES_MAX,
            found,
        });
    }
    let truncated = FrameError::Truncated {
        expected: RTU_FRAME_BYTES_MIN,
        found,
    };
    let (body, &[low, high]) = bytes.split_last_chunk::<2>().ok_or(truncated)?;
    let (&unit, pdu) = body.split_first().ok_or(truncated)?;
    if pdu.is_empty() {
        return Err(truncated);
    }
    let (computed, found) = (crc16(body), u16::from_be_bytes([high, low]));
    if computed != found {
        return Err(FrameError::Crc { computed, found });
    }
    Ok(Frame { unit, pdu })
}

/// Bytes of the serial frame that answers a request normally; an exception frame has 5.
#[must_use]
pub fn expected_reply_len(request: &Request) -> usize {
    request.reply_pdu_bytes() + RTU_OVERHEAD_BYTES
}
