//! Modbus over TCP: the MBAP header, an incremental decoder, transaction identifiers.

use crate::limits::{MBAP_BYTES, PDU_BYTES_MAX, TCP_FRAME_BYTES_MAX};
use alloc::vec::Vec;
use core::fmt;

/// Bytes before those the length field counts.
const LENGTH_FROM: usize = 6;

/// A frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Transaction identifier: chosen by the client, returned by the server.
    pub transaction: u16,
    /// Unit behind the address.
    pub unit: u8,
    /// Function code and data; 1 to 253 bytes.
    pub pdu: Vec<u8>,
}

/// A stream that is no longer Modbus. Nothing after it can be trusted: close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// The protocol identifier is 0 for Modbus.
    Protocol {
        /// The identifier found.
        found: u16,
    },
    /// The length counts the unit and a PDU of 1 to 253 bytes.
    Length {
        /// The length found.
        found: u16,
    },
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol { found } => {
                write!(
                    f,
                    "protocol identifier {found} in the MBAP header; Modbus has 0"
                )
            }
            Self::Length { found } => write!(
                f,
                "length {found} in the MBAP header; 2 to {} are allowed",
                PDU_BYTES_MAX + 1
            ),
        }
    }
}

impl core::error::Error for StreamError {}

/// The frame of a PDU. A PDU longer than 253 bytes has no frame; the typed PDUs never are.
///
/// # Errors
/// `Length` for an empty or overlong PDU.
pub fn encode(transaction: u16, unit: u8, pdu: &[u8]) -> Result<Vec<u8>, StreamError> {
    let length = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX);
    if pdu.is_empty() || pdu.len() > PDU_BYTES_MAX {
        return Err(StreamError::Length { found: length });
    }
    let mut frame = Vec::with_capacity(MBAP_BYTES + pdu.len());
    frame.extend_from_slice(&transaction.to_be_bytes());
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.push(unit);
    frame.extend_from_slice(pdu);
    Ok(frame)
}

/// Collects a stream into frames; never holds more than one frame.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    broken: Option<StreamError>,
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            broken: None,
        }
    }

    /// Takes from `input` up to the end of one frame. `Ok(None)`: all of `input` is taken and the
    /// frame is not complete. Call again until it says so.
    ///
    /// # Errors
    /// The stream is broken, now and on every later call.
    pub fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, StreamError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        loop {
            let wanted = match self.wanted() {
                Ok(wanted) => wanted,
                Err(error) => {
                    self.broken = Some(error);
                    return Err(error);
                }
            };
            if let Some(frame) = self.complete(wanted) {
                return Ok(Some(frame));
            }
            let missing = wanted.saturating_sub(self.bytes.len());
            let (taken, rest) = input.split_at(missing.min(input.len()));
            if taken.is_empty() {
                return Ok(None);
            }
            self.bytes.extend_from_slice(taken);
            *input = rest;
        }
    }

    /// Bytes of an unfinished frame.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes to have before the next decision: the header, then the whole frame.
    fn wanted(&self) -> Result<usize, StreamError> {
        let Some(&[_, _, p0, p1, l0, l1, _]) = self.bytes.first_chunk::<MBAP_BYTES>() else {
            return Ok(MBAP_BYTES);
        };
        let (protocol, length) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([l0, l1]));
        if protocol != 0 {
            return Err(StreamError::Protocol { found: protocol });
        }
        let wanted = LENGTH_FROM + usize::from(length);
        if wanted <= MBAP_BYTES || wanted > TCP_FRAME_BYTES_MAX {
            return Err(StreamError::Length { found: length });
        }
        Ok(wanted)
    }

    fn complete(&mut self, wanted: usize) -> Option<Frame> {
        let (&[t0, t1, _, _, _, _, unit], pdu) = self.bytes.split_first_chunk::<MBAP_BYTES>()?;
        if self.bytes.len() < wanted || pdu.is_empty() {
            return None;
        }
        let frame = Frame {
            transaction: u16::from_be_bytes([t0, t1]),
            unit,
            pdu: pdu.to_vec(),
        };
        self.bytes.clear();
        Some(frame)
    }
}

/// Hands out transaction identifiers; each comes again only after 65,536 requests.
#[derive(Clone, Debug, Default)]
pub struct TransactionIds {
    next: u16,
}

impl TransactionIds {
    /// Starts at `first`; start each connection elsewhere so that a stray reply is recognised.
    #[must_use]
    pub const fn starting_at(first: u16) -> Self {
        Self { next: first }
    }

    /// The next identifier.
    pub const fn take(&mut self) -> u16 {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        id
    }
}
