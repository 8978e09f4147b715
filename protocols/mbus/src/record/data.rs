//! The data field: integers, BCD, reals, text, and what was sent that is none of them.

use super::Cursor;
use super::tables::Kind;
use crate::application::ByteOrder;
use crate::decimal::Decimal;
use crate::fault::{Cause, Fault};
use crate::limits::NUMBER_BYTES_MAX;
use alloc::format;
use alloc::string::String;

/// How the data are coded, as the DIF says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// No data.
    None,
    /// Binary, so many bytes.
    Integer(u8),
    /// A single of IEEE 754.
    Real,
    /// Two digits a byte, so many bytes.
    Bcd(u8),
    /// A length or LVAR byte tells.
    Variable,
    /// No data: what a master wants to be read.
    Readout,
}

impl Coding {
    /// The coding of a DIF's low four bits; `None` for Fh, which is no coding.
    pub(super) const fn of(dif: u8) -> Option<Self> {
        Some(match dif & 0x0F {
            0x0 => Self::None,
            bytes @ 0x1..=0x4 => Self::Integer(bytes),
            0x5 => Self::Real,
            0x6 => Self::Integer(6),
            0x7 => Self::Integer(8),
            0x8 => Self::Readout,
            bytes @ 0x9..=0xC => Self::Bcd(bytes - 8),
            0xD => Self::Variable,
            0xE => Self::Bcd(6),
            _ => return None,
        })
    }
}

/// The data as they were sent, before any unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// None.
    Nothing,
    /// A number.
    Number(Decimal),
    /// Text.
    Text(String),
    /// Bytes that are not read as anything.
    Bytes(&'a [u8]),
    /// Bytes that should have been a number, and why they are none.
    NoNumber(&'a [u8], String),
}

/// What was read: the name of its coding, its bytes, what they are.
pub(super) struct Data<'a> {
    pub(super) coding: String,
    pub(super) bytes: &'a [u8],
    pub(super) raw: Raw<'a>,
}

/// Reads the data field of a coding.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    coding: Coding,
    kind: Kind,
    order: ByteOrder,
) -> Result<Data<'a>, Fault> {
    let part = "data of a record";
    let data = |coding: String, bytes, raw| Data { coding, bytes, raw };
    Ok(match coding {
        Coding::None => data("none".into(), &[], Raw::Nothing),
        Coding::Readout => data("readout".into(), &[], Raw::Nothing),
        Coding::Integer(width) => {
            let bytes = cursor.take(usize::from(width), part)?;
            let raw = Raw::Number(Decimal::whole(integer(bytes, kind, order)));
            data(format!("int{}", u32::from(width) * 8), bytes, raw)
        }
        Coding::Real => {
            let bytes = cursor.take(4, part)?;
            let bits = u32::try_from(integer(bytes, Kind::Unsigned, order)).unwrap_or_default();
            let single = Decimal::from_single(f32::from_bits(bits));
            let none = || Raw::NoNumber(bytes, String::from("no finite number"));
            data(
                "real32".into(),
                bytes,
                single.map_or_else(none, Raw::Number),
            )
        }
        Coding::Bcd(width) => {
            let bytes = cursor.take(usize::from(width), part)?;
            data(
                format!("bcd{}", u32::from(width) * 2),
                bytes,
                bcd(bytes, order, true),
            )
        }
        Coding::Variable => variable(cursor, kind, order)?,
    })
}

/// Data whose length stands before them (LVAR).
fn variable<'a>(cursor: &mut Cursor<'a>, kind: Kind, order: ByteOrder) -> Result<Data<'a>, Fault> {
    let part = "data of variable length";
    let at = cursor.at();
    let lvar = cursor.byte("LVAR")?;
    let (length, coding) = match lvar {
        0x00..=0xBF => (usize::from(lvar), "text"),
        0xC0..=0xDF => (usize::from(lvar & 0x0F), "bcd"),
        0xE0..=0xEF => (usize::from(lvar - 0xE0), "binary"),
        0xF0..=0xF4 => (usize::from(lvar - 0xEC) * 4, "binary"),
        0xF5 => (48, "binary"),
        0xF6 => (64, "binary"),
        found => {
            let part = "LVAR";
            return Err(cursor.fault(at, Cause::Reserved { part, found }));
        }
    };
    let bytes = cursor.take(length, part)?;
    let raw = match lvar {
        0x00..=0xBF => Raw::Text(text(bytes, order == ByteOrder::LowFirst)),
        0xC0..=0xCF => bcd(bytes, order, false),
        0xD0..=0xDF => match bcd(bytes, order, false) {
            Raw::Number(number) => Raw::Number(Decimal::whole(-number.mantissa)),
            other => other,
        },
        _ if bytes.is_empty() => Raw::Nothing,
        _ if bytes.len() > NUMBER_BYTES_MAX => Raw::Bytes(bytes),
        _ => Raw::Number(Decimal::whole(integer(bytes, kind, order))),
    };
    Ok(Data {
        coding: coding.into(),
        bytes,
        raw,
    })
}

/// A binary number of at most eight bytes.
pub(super) fn integer(bytes: &[u8], kind: Kind, order: ByteOrder) -> i128 {
    let add = |number: i128, byte: &u8| number << 8 | i128::from(*byte);
    let number = match order {
        ByteOrder::LowFirst => bytes.iter().rev().fold(0, add),
        ByteOrder::HighFirst => bytes.iter().fold(0, add),
    };
    let beyond = 1_i128 << (bytes.len().min(NUMBER_BYTES_MAX) * 8);
    let negative = kind != Kind::Unsigned && number >= beyond >> 1;
    if negative { number - beyond } else { number }
}

/// Digits; where `signed`, an F in the highest place is a minus (type A). Any other letter means that a
/// meter shows a fault or has no value there.
fn bcd<'a>(bytes: &'a [u8], order: ByteOrder, signed: bool) -> Raw<'a> {
    if bytes.is_empty() {
        return Raw::Nothing;
    }
    let count = bytes.len();
    let in_order = |n: usize| match order {
        ByteOrder::LowFirst => bytes.get(count - 1 - n),
        ByteOrder::HighFirst => bytes.get(n),
    };
    let digits = (0..count)
        .filter_map(in_order)
        .flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let mut number: i128 = 0;
    let mut minus = false;
    for (place, digit) in digits.enumerate() {
        match digit {
            0..=9 => number = number.saturating_mul(10).saturating_add(i128::from(digit)),
            0xF if signed && place == 0 => minus = true,
            _ => {
                let place = count * 2 - place;
                let why = format!("{digit:X}h is no digit (place {place} from the right)");
                return Raw::NoNumber(bytes, why);
            }
        }
    }
    Raw::Number(Decimal::whole(if minus { -number } else { number }))
}

/// The BCD of a counter of the fixed data structure; `sent` are its bytes as they came.
pub(super) fn bcd_of<'a>(sent: &'a [u8], low_first: &[u8]) -> Raw<'a> {
    match bcd(low_first, ByteOrder::LowFirst, true) {
        Raw::Number(number) => Raw::Number(number),
        Raw::NoNumber(_, why) => Raw::NoNumber(sent, why),
        Raw::Nothing | Raw::Text(_) | Raw::Bytes(_) => Raw::Bytes(sent),
    }
}

/// Text of ISO 8859-1; low-first meters send its last letter first.
pub(super) fn text(bytes: &[u8], reversed: bool) -> String {
    let letters = bytes.iter().map(|byte| char::from(*byte));
    match reversed {
        true => letters.rev().collect(),
        false => letters.collect(),
    }
}
