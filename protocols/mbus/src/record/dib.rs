//! The data information block: DIF and DIFE.

use super::Cursor;
use super::data::Coding;
use crate::fault::{Cause, Fault};
use crate::limits::DIFES_MAX;

/// What a record's value is, or what stands in a record's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The value at the moment of the readout, or of its storage.
    Instantaneous,
    /// The greatest of a period.
    Maximum,
    /// The least of a period.
    Minimum,
    /// A value of a time of error: no proper one.
    ErrorState,
    /// Not a record: what follows is the manufacturer's (0Fh).
    Manufacturer,
    /// The same, and the next readout goes on where this one ends (1Fh).
    MoreFollow,
    /// Not a record: a master wants everything (7Fh).
    Readout,
    /// A counter of a fixed data structure, of now.
    Actual,
    /// A counter of a fixed data structure, of a set date.
    Stored,
}

impl Function {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instantaneous => "Instantaneous value",
            Self::Maximum => "Maximum value",
            Self::Minimum => "Minimum value",
            Self::ErrorState => "Value during error state",
            Self::Manufacturer => "Manufacturer specific",
            Self::MoreFollow => "More records follow",
            Self::Readout => "Global readout request",
            Self::Actual => "Actual value",
            Self::Stored => "Stored value",
        }
    }
}

pub(super) struct Dib {
    pub(super) function: Function,
    pub(super) coding: Coding,
    pub(super) storage: u64,
    pub(super) tariff: u32,
    pub(super) device: u16,
}

pub(super) enum Head {
    Filler,
    Special(Function),
    Data(Dib),
}

const EXTENDED: u8 = 0x80;

pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Head, Fault> {
    let at = cursor.at();
    let dif = cursor.byte("DIF")?;
    let Some(coding) = Coding::of(dif) else {
        return Ok(match dif {
            0x2F => Head::Filler,
            0x0F => Head::Special(Function::Manufacturer),
            0x1F => Head::Special(Function::MoreFollow),
            0x7F => Head::Special(Function::Readout),
            found => return Err(cursor.fault(at, Cause::Reserved { part: "DIF", found })),
        });
    };
    let mut dib = Dib {
        function: match dif >> 4 & 3 {
            0 => Function::Instantaneous,
            1 => Function::Maximum,
            2 => Function::Minimum,
            _ => Function::ErrorState,
        },
        coding,
        storage: u64::from(dif >> 6 & 1),
        tariff: 0,
        device: 0,
    };
    let mut extended = dif & EXTENDED != 0;
    let mut count = 0;
    while extended {
        let at = cursor.at();
        let dife = cursor.byte("DIFE")?;
        if count == DIFES_MAX {
            let (part, max) = ("DIFE", DIFES_MAX);
            return Err(cursor.fault(at, Cause::TooMany { part, max }));
        }
        // Ten times four bits behind the DIF's one, ten times two, ten times one: all have room.
        dib.storage |= u64::from(dife & 0x0F) << (1 + 4 * count);
        dib.tariff |= u32::from(dife >> 4 & 3) << (2 * count);
        dib.device |= u16::from(dife >> 6 & 1) << count;
        extended = dife & EXTENDED != 0;
        count += 1;
    }
    Ok(Head::Data(dib))
}
