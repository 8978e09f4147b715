//! What stands before the records: the CI field and the header that it announces (EN 13757-3).

mod fixed;
mod header;
mod medium;

pub use fixed::{Fixed, Unit, fixed_medium, fixed_unit, fixed_units};
pub use header::{Header, Manufacturer, SecondaryAddress, Status, identification};
pub use medium::medium;

use crate::fault::{Cause, Fault, Layer};
use crate::limits::{FIXED_BYTES, LONG_HEADER_BYTES, SELECTION_BYTES, SHORT_HEADER_BYTES};

/// In which order the bytes of a number travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// Mode 1, which all meters in use speak.
    LowFirst,
    /// Mode 2: bit 2 of the CI field is set.
    HighFirst,
}

/// What follows the CI field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Records, with the header before them, if any.
    Records {
        /// The header.
        header: Option<Header>,
        /// The records, or what is encrypted in their place.
        data: &'a [u8],
    },
    /// Two counters.
    Fixed(Fixed),
    /// Whom the master selects.
    Selection {
        /// Identification, manufacturer, version and medium, each with wildcards.
        address: SecondaryAddress,
        /// Behind it, records that narrow the search.
        data: &'a [u8],
    },
    /// An error of the application, by its code; `None` is unspecified.
    Error(Option<u8>),
    /// A report of alarms.
    Alarm(u8),
    /// A reset of the application, with what is to be read then.
    Reset(Option<u8>),
    /// Another speed from the next frame on, in bits a second.
    Speed(u32),
    /// Nothing that this crate can read.
    Bytes(&'a [u8]),
}

/// The application layer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Application<'a> {
    /// The CI field.
    pub ci: u8,
    /// The order of bytes that it announces.
    pub order: ByteOrder,
    /// What follows it.
    pub content: Content<'a>,
    /// Where, in the frame, `content`'s records begin.
    pub records_at: usize,
}

/// What the standard calls a CI field; `None` where it is reserved or not for wired meters.
#[must_use]
pub const fn ci_name(ci: u8) -> Option<&'static str> {
    Some(match ci {
        0x50 => "application reset",
        0x51 | 0x55 => "data to the meter",
        0x52 | 0x56 => "selection of a meter",
        0x70 => "report of application errors",
        0x71 => "report of alarm status",
        0x72 | 0x76 => "variable data, long header",
        0x73 | 0x77 => "fixed data",
        0x78 => "variable data, no header",
        0x7A => "variable data, short header",
        0xB8..=0xBF => "set baud rate",
        _ => return None,
    })
}

/// What an application error code means.
#[must_use]
pub const fn application_error(code: Option<u8>) -> &'static str {
    match code {
        None | Some(0) => "unspecified error",
        Some(1) => "CI field not implemented",
        Some(2) => "buffer too long, cut short",
        Some(3) => "too many records",
        Some(4) => "premature end of a record",
        Some(5) => "more than 10 DIFE in a record",
        Some(6) => "more than 10 VIFE in a record",
        Some(8) => "application too busy for the request",
        Some(9) => "too many readouts",
        Some(_) => "reserved code",
    }
}

impl<'a> Application<'a> {
    /// The application layer of a payload, whose CI field is byte `at` of the frame. It comes with a
    /// fault where only a part of it can be read.
    ///
    /// # Errors
    /// Where nothing but the CI field can be read.
    pub fn decode(payload: &'a [u8], at: usize) -> Result<(Self, Option<Fault>), Fault> {
        let Some((&ci, rest)) = payload.split_first() else {
            let cause = Cause::Ends {
                part: "CI field",
                expected: 1,
                found: 0,
            };
            return Err(fault(at, cause));
        };
        let order = match ci {
            0x55 | 0x56 | 0x76 | 0x77 => ByteOrder::HighFirst,
            _ => ByteOrder::LowFirst,
        };
        let behind = at + 1;
        let (content, skipped, fault) = match ci {
            0x51 | 0x55 | 0x78 => (records(None, rest), 0, None),
            0x72 | 0x76 => {
                let (head, data) = split::<LONG_HEADER_BYTES>(rest, behind, "header of 12 bytes")?;
                let header = Header::long(head, order);
                let fault = encrypted(&header, data, behind + LONG_HEADER_BYTES - 2);
                (records(Some(header), data), LONG_HEADER_BYTES, fault)
            }
            0x7A => {
                let (head, data) = split::<SHORT_HEADER_BYTES>(rest, behind, "header of 4 bytes")?;
                let header = Header::short(head);
                let fault = encrypted(&header, data, behind + SHORT_HEADER_BYTES - 2);
                (records(Some(header), data), SHORT_HEADER_BYTES, fault)
            }
            0x73 | 0x77 => {
                let (head, data) =
                    split::<FIXED_BYTES>(rest, behind, "fixed data structure of 16 bytes")?;
                let fault = trailing(data, behind + FIXED_BYTES, "fixed data structure");
                (Content::Fixed(Fixed::new(head, order)), FIXED_BYTES, fault)
            }
            0x52 | 0x56 => {
                let (head, data) = split::<SELECTION_BYTES>(rest, behind, "secondary address")?;
                let address = SecondaryAddress::new(head, order);
                (Content::Selection { address, data }, SELECTION_BYTES, None)
            }
            0x50 => optional(rest, behind, "application reset", Content::Reset),
            0x70 => optional(rest, behind, "error report", Content::Error),
            0x71 => {
                let (&[status], data) = split::<1>(rest, behind, "alarm status")?;
                let fault = trailing(data, behind + 1, "alarm status");
                (Content::Alarm(status), 1, fault)
            }
            0xB8..=0xBF => {
                let fault = trailing(rest, behind, "baud rate");
                (Content::Speed(300 << (ci & 7)), 0, fault)
            }
            found => {
                let fault = fault(at, Cause::Ci { found });
                (Content::Bytes(rest), 0, Some(fault))
            }
        };
        let records_at = behind + skipped;
        let application = Self {
            ci,
            order,
            content,
            records_at,
        };
        Ok((application, fault))
    }
}

const fn fault(at: usize, cause: Cause) -> Fault {
    Fault::new(Layer::Application, at, cause)
}

const fn records(header: Option<Header>, data: &[u8]) -> Content<'_> {
    Content::Records { header, data }
}

fn split<'a, const N: usize>(
    rest: &'a [u8],
    at: usize,
    part: &'static str,
) -> Result<(&'a [u8; N], &'a [u8]), Fault> {
    rest.split_first_chunk::<N>().ok_or_else(|| {
        let (expected, found) = (N, rest.len());
        let cause = Cause::Ends {
            part,
            expected,
            found,
        };
        fault(at + found, cause)
    })
}

fn trailing(rest: &[u8], at: usize, part: &'static str) -> Option<Fault> {
    let count = rest.len();
    (count > 0).then(|| fault(at, Cause::Trailing { part, count }))
}

/// One byte, or none.
fn optional<'a>(
    rest: &'a [u8],
    at: usize,
    part: &'static str,
    content: fn(Option<u8>) -> Content<'a>,
) -> (Content<'a>, usize, Option<Fault>) {
    let behind = rest.get(1..).unwrap_or_default();
    let fault = trailing(behind, at + 1, part);
    (content(rest.first().copied()), rest.len().min(1), fault)
}

/// A configuration word that names encryption, and data that are long enough for what it names.
///
/// Meters from before there was a configuration word have a signature or a check in its place, so that
/// its mode bits alone tell nothing.
fn encrypted(header: &Header, data: &[u8], at: usize) -> Option<Fault> {
    const BLOCK_BYTES: usize = 16;
    let mode = u8::try_from(header.configuration >> 8 & 0x1F).unwrap_or_default();
    let blocks = usize::from(header.configuration >> 4 & 0x0F);
    let whole = blocks > 0 && blocks * BLOCK_BYTES <= data.len();
    (matches!(mode, 5 | 7) && whole).then(|| fault(at, Cause::Encrypted { mode }))
}
