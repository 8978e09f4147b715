//! Frames of the link layer (EN 13757-2): acknowledgement, short, control and long frames.

mod control;

pub use control::{Control, Direction};

use crate::fault::{Cause, Fault, Layer};
use crate::limits::{LENGTH_MIN, LONG_OVERHEAD_BYTES, PAYLOAD_BYTES_MAX, SHORT_FRAME_BYTES};
use alloc::vec::Vec;

/// The whole of an acknowledgement.
pub const ACK: u8 = 0xE5;
/// First byte of a short frame.
pub const SHORT_START: u8 = 0x10;
/// First and fourth byte of a long frame.
pub const LONG_START: u8 = 0x68;
/// Last byte of a frame.
pub const STOP: u8 = 0x16;
/// Where the payload of a long frame begins: behind start, lengths, start, control, address.
pub const PAYLOAD_AT: usize = 6;

/// A frame. Its payload begins with the CI field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// One byte, E5h.
    Ack,
    /// A command or request without data.
    Short {
        /// Control field.
        control: Control,
        /// Primary address.
        address: u8,
    },
    /// A frame with data; with nothing but the CI field it is called a control frame.
    Long {
        /// Control field.
        control: Control,
        /// Primary address.
        address: u8,
        /// CI field and data: 1 to 253 bytes.
        payload: &'a [u8],
    },
}

impl Frame<'_> {
    /// What the standard calls it.
    #[must_use]
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Short { .. } => "short",
            Self::Long { payload, .. } if payload.len() == 1 => "control",
            Self::Long { .. } => "long",
        }
    }

    /// The sum of control, address and payload, that a frame carries; an acknowledgement has none.
    #[must_use]
    pub fn checksum(&self) -> Option<u8> {
        let (control, address, payload) = match *self {
            Self::Ack => return None,
            Self::Short { control, address } => (control, address, &[][..]),
            Self::Long {
                control,
                address,
                payload,
            } => (control, address, payload),
        };
        Some(sum(control.byte(), address, payload))
    }
}

fn sum(control: u8, address: u8, payload: &[u8]) -> u8 {
    payload
        .iter()
        .fold(control.wrapping_add(address), |sum, byte| {
            sum.wrapping_add(*byte)
        })
}

/// The bytes of a frame; `None` for a payload that is empty or longer than 253 bytes.
#[must_use]
pub fn encode(frame: &Frame<'_>) -> Option<Vec<u8>> {
    match *frame {
        Frame::Ack => Some(Vec::from([ACK])),
        Frame::Short { control, address } => {
            let checksum = sum(control.byte(), address, &[]);
            Some(Vec::from([
                SHORT_START,
                control.byte(),
                address,
                checksum,
                STOP,
            ]))
        }
        Frame::Long {
            control,
            address,
            payload,
        } => {
            if payload.is_empty() || payload.len() > PAYLOAD_BYTES_MAX {
                return None;
            }
            let length = u8::try_from(payload.len() + 2).ok()?;
            let mut bytes = Vec::with_capacity(payload.len() + 2 + LONG_OVERHEAD_BYTES);
            bytes.extend_from_slice(&[LONG_START, length, length, LONG_START]);
            bytes.extend_from_slice(&[control.byte(), address]);
            bytes.extend_from_slice(payload);
            bytes.extend_from_slice(&[sum(control.byte(), address, payload), STOP]);
            Some(bytes)
        }
    }
}

/// The frame that the bytes are, to the last of them.
///
/// # Errors
/// The first fault.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    match look(bytes) {
        (_, Some(fault)) => Err(fault),
        (Some(frame), None) => Ok(frame),
        (None, None) => Err(fault(0, Cause::Empty)),
    }
}

/// The frame, as far as its fields can be told, and the first fault. A frame beside a fault (of its
/// checksum, its stop, or of bytes behind it) is there to be looked at, not to be believed.
#[must_use]
pub fn look(bytes: &[u8]) -> (Option<Frame<'_>>, Option<Fault>) {
    let looked = match bytes.split_first() {
        None => Err(fault(0, Cause::Empty)),
        Some((&ACK, rest)) => Ok((Frame::Ack, trailing(1, rest))),
        Some((&SHORT_START, rest)) => short(rest),
        Some((&LONG_START, rest)) => long(rest),
        Some((&found, _)) => Err(fault(0, Cause::Start { found })),
    };
    match looked {
        Ok((frame, fault)) => (Some(frame), fault),
        Err(fault) => (None, Some(fault)),
    }
}

type Looked<'a> = Result<(Frame<'a>, Option<Fault>), Fault>;

const fn fault(at: usize, cause: Cause) -> Fault {
    Fault::new(Layer::Link, at, cause)
}

fn trailing(at: usize, rest: &[u8]) -> Option<Fault> {
    let (part, count) = ("frame", rest.len());
    (count > 0).then(|| fault(at, Cause::Trailing { part, count }))
}

fn short(rest: &[u8]) -> Looked<'_> {
    let Some((&[control, address, checksum, stop], behind)) = rest.split_first_chunk::<4>() else {
        let found = rest.len() + 1;
        let cause = Cause::Ends {
            part: "short frame",
            expected: SHORT_FRAME_BYTES,
            found,
        };
        return Err(fault(found, cause));
    };
    let control = Control::new(control);
    let frame = Frame::Short { control, address };
    Ok((frame, ending(&frame, 3, checksum, stop, behind)))
}

fn long(rest: &[u8]) -> Looked<'_> {
    let ends = |expected| {
        let (part, found) = ("long frame", rest.len() + 1);
        fault(
            found,
            Cause::Ends {
                part,
                expected,
                found,
            },
        )
    };
    let least = LONG_OVERHEAD_BYTES + usize::from(LENGTH_MIN);
    let &first = rest.first().ok_or_else(|| ends(least))?;
    if first < LENGTH_MIN {
        return Err(fault(1, Cause::Length { found: first }));
    }
    let expected = LONG_OVERHEAD_BYTES + usize::from(first);
    let Some((&[_, second, start], body)) = rest.split_first_chunk::<3>() else {
        return Err(ends(expected));
    };
    if second != first {
        return Err(fault(2, Cause::Lengths { first, second }));
    }
    if start != LONG_START {
        return Err(fault(3, Cause::SecondStart { found: start }));
    }
    let counted = usize::from(first);
    let (Some((&[control, address], payload)), Some((&[checksum, stop], behind))) = (
        body.get(..counted)
            .and_then(|counted| counted.split_first_chunk::<2>()),
        body.get(counted..)
            .and_then(|behind| behind.split_first_chunk::<2>()),
    ) else {
        return Err(ends(expected));
    };
    let control = Control::new(control);
    let frame = Frame::Long {
        control,
        address,
        payload,
    };
    Ok((frame, ending(&frame, 4 + counted, checksum, stop, behind)))
}

/// What is wrong with checksum, stop, or what follows; the checksum stands at `at`.
fn ending(frame: &Frame<'_>, at: usize, found: u8, stop: u8, behind: &[u8]) -> Option<Fault> {
    match frame.checksum() {
        Some(computed) if computed != found => Some(fault(at, Cause::Checksum { computed, found })),
        _ if stop != STOP => Some(fault(at + 1, Cause::Stop { found: stop })),
        _ => trailing(at + 2, behind),
    }
}
