//! The value information block: VIF, its table, and the VIFE that bend it.

use super::Cursor;
use super::tables::{BEHIND_FB, BEHIND_FD, Kind, PRIMARY, Row, Scale, row};
use super::vife;
use crate::fault::{Cause, Fault};
use crate::limits::VIFES_MAX;
use crate::link::Direction;
use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

pub(super) const EXTENDED: u8 = 0x80;
const CODE: u8 = 0x7F;
const TABLE_FB: u8 = 0xFB;
const TABLE_FD: u8 = 0xFD;
const PLAIN_TEXT: u8 = 0x7C;
const ANY: u8 = 0x7E;
const MANUFACTURER: u8 = 0x7F;

/// What a record measures.
#[derive(Clone, Debug)]
pub(super) struct Vib {
    pub(super) quantity: Option<Cow<'static, str>>,
    pub(super) unit: Option<Cow<'static, str>>,
    /// The number in the record times this, times ten to the power of `exponent`.
    pub(super) factor: u32,
    pub(super) exponent: i32,
    pub(super) kind: Kind,
    /// What VIFE add that is not in the unit.
    pub(super) notes: Vec<Cow<'static, str>>,
    /// The meter's own word that there is no value, by its code.
    pub(super) error: Option<u8>,
}

impl Vib {
    const fn new(quantity: &'static str, unit: Option<&'static str>, kind: Kind) -> Self {
        Self {
            quantity: Some(Cow::Borrowed(quantity)),
            unit: match unit {
                Some(unit) => Some(Cow::Borrowed(unit)),
                None => None,
            },
            factor: 1,
            exponent: 0,
            kind,
            notes: Vec::new(),
            error: None,
        }
    }

    const fn reserved() -> Self {
        Self::new("Reserved", Some("Reserved"), Kind::Signed)
    }

    fn of(row: &Row, code: u8) -> Self {
        let step = code - row.first;
        let mut vib = Self::new(row.quantity, row.unit, row.kind);
        match row.scale {
            Scale::Ten(power) => vib.exponent = power + i32::from(step),
            Scale::Times(factor) => vib.factor = factor,
            Scale::SecondsToDays => vib.factor = seconds(step),
            Scale::HoursToYears => match step {
                0 => vib.factor = seconds(2),
                1 => vib.factor = seconds(3),
                2 => vib.unit = Some(Cow::Borrowed("months")),
                _ => vib.unit = Some(Cow::Borrowed("years")),
            },
        }
        vib
    }

    pub(super) fn note(&mut self, note: impl Into<Cow<'static, str>>) {
        self.notes.push(note.into());
    }

    /// Behind this, codes are the manufacturer's own.
    fn manufacturers(&mut self, codes: &[u8]) {
        if !codes.is_empty() {
            let mut text = alloc::string::String::from("manufacturer's VIFE");
            for code in codes {
                text.push_str(&format!(" {code:02X}"));
            }
            self.note(text);
        }
    }
}

/// Seconds in the units that two bits of a code name: seconds, minutes, hours, days.
pub(super) const fn seconds(bits: u8) -> u32 {
    match bits & 3 {
        0 => 1,
        1 => 60,
        2 => 3_600,
        _ => 86_400,
    }
}

/// Reads VIF and VIFE.
pub(super) fn read(cursor: &mut Cursor<'_>, direction: Direction) -> Result<Vib, Fault> {
    let vif = cursor.byte("VIF")?;
    let (mut vib, mut extended) = match vif {
        TABLE_FB => from_table(cursor, BEHIND_FB)?,
        TABLE_FD => from_table(cursor, BEHIND_FD)?,
        _ if vif & CODE == PLAIN_TEXT => (plain_text(cursor)?, vif & EXTENDED != 0),
        _ => (primary(vif & CODE), vif & EXTENDED != 0),
    };
    let mut codes = Vec::new();
    while extended {
        let at = cursor.at();
        let code = cursor.byte("VIFE")?;
        if codes.len() == VIFES_MAX {
            let (part, max) = ("VIFE", VIFES_MAX);
            return Err(cursor.fault(at, Cause::TooMany { part, max }));
        }
        codes.push(code);
        extended = code & EXTENDED != 0;
    }
    if vif & CODE == MANUFACTURER {
        vib.manufacturers(&codes);
        return Ok(vib);
    }
    let mut codes = codes.iter();
    while let Some(code) = codes.next() {
        match code & CODE {
            0x7C if code & EXTENDED != 0 => {
                if let Some(second) = codes.next() {
                    vife::second_table(&mut vib, second & CODE);
                }
            }
            MANUFACTURER => {
                vib.note("manufacturer specific");
                vib.manufacturers(codes.as_slice());
                break;
            }
            code => vife::apply(&mut vib, code, direction),
        }
    }
    Ok(vib)
}

fn primary(code: u8) -> Vib {
    match code {
        ANY => Vib::new("Any VIF", None, Kind::Signed),
        MANUFACTURER => Vib::new("Manufacturer specific", None, Kind::Signed),
        _ => row(PRIMARY, code).map_or_else(Vib::reserved, |row| Vib::of(row, code)),
    }
}

fn from_table(cursor: &mut Cursor<'_>, table: &'static [Row]) -> Result<(Vib, bool), Fault> {
    let byte = cursor.byte("VIFE behind the table's VIF")?;
    let code = byte & CODE;
    let vib = row(table, code).map_or_else(Vib::reserved, |row| Vib::of(row, code));
    Ok((vib, byte & EXTENDED != 0))
}

/// The text follows the VIF at once, before any VIFE: so do the meters in the field.
fn plain_text(cursor: &mut Cursor<'_>) -> Result<Vib, Fault> {
    let length = cursor.byte("length of the plain-text VIF")?;
    let text = cursor.take(usize::from(length), "plain-text VIF")?;
    let mut vib = Vib::new("", Some("-"), Kind::Signed);
    vib.quantity = Some(Cow::Owned(super::data::text(text, true)));
    Ok(vib)
}
