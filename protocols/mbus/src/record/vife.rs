//! Combinable VIFE (EN 13757-3, tables 15 and 16): what they do to a record's meaning.

use super::tables::Kind;
use super::vib::{Vib, seconds};
use crate::link::Direction;
use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

/// What an error code in a VIFE means; `None` for reserved ones.
pub(super) const fn record_error(code: u8) -> Option<&'static str> {
    Some(match code {
        0x01 => "too many DIFE",
        0x02 => "storage number not implemented",
        0x03 => "device not implemented",
        0x04 => "tariff not implemented",
        0x05 => "function not implemented",
        0x06 => "data class not implemented",
        0x07 => "data size not implemented",
        0x0B => "too many VIFE",
        0x0C => "illegal VIF group",
        0x0D => "illegal VIF exponent",
        0x0E => "VIF and DIF do not fit",
        0x0F => "action not implemented",
        0x15 => "no data available",
        0x16 => "data overflow",
        0x17 => "data underflow",
        0x18 => "data error",
        0x1C => "premature end of record",
        _ => return None,
    })
}

/// Does what a code (without its extension bit) says.
pub(super) fn apply(vib: &mut Vib, code: u8, direction: Direction) {
    match code {
        0x00..=0x1F => match direction {
            // 0 is the meter's word that nothing is wrong.
            Direction::FromMeter => vib.error = (code != 0).then_some(code).or(vib.error),
            Direction::ToMeter => vib.note(format!("action {code}")),
        },
        0x20..=0x38 => per(vib, code),
        0x39 => moment(vib, "start date of it"),
        0x3A => vib.note("uncorrected unit"),
        0x3B => vib.note("accumulated only while positive"),
        0x3C => vib.note("absolute value accumulated only while negative"),
        0x3D => vib.note("non-metric unit"),
        0x3E => vib.note("at base conditions"),
        0x3F => vib.note("declaration of an OBIS code"),
        0x40..=0x6F => limits(vib, code),
        0x70..=0x77 => vib.exponent = vib.exponent.saturating_add(i32::from(code & 7) - 6),
        0x78..=0x7B => {
            let power = i32::from(code & 3) - 3;
            vib.note(format!(
                "additive correction constant, in 10^{power} of the unit"
            ));
        }
        0x7D => vib.exponent = vib.exponent.saturating_add(3),
        0x7E => vib.note("future value"),
        _ => vib.note(format!("VIFE {code:02X} (reserved)")),
    }
}

/// What codes 20h to 38h put behind a unit.
const PER: [&str; 25] = [
    "/s",
    "/min",
    "/h",
    "/d",
    "/week",
    "/month",
    "/year",
    "/revolution or measurement",
    "/pulse",
    "/pulse",
    "/pulse",
    "/pulse",
    "/l",
    "/m^3",
    "/kg",
    "/K",
    "/kWh",
    "/GJ",
    "/kW",
    "/(K*l)",
    "/V",
    "/A",
    "*s",
    "*s/V",
    "*s/A",
];

/// Units of data that are no longer in the VIF's: a point in time or a number of times, and a duration.
pub(super) const OWN_UNITS: [&str; 2] = ["-", "s"];

/// Whether what stands behind a unit is put together of what VIFE put there.
pub(super) fn is_per(behind: &str) -> bool {
    // Each place that whole parts reach.
    let mut reached = Vec::from([0]);
    let mut next = 0;
    while let Some(at) = reached.get(next).copied() {
        next += 1;
        let rest = behind.get(at..).unwrap_or_default();
        for part in PER.iter().filter(|part| rest.starts_with(**part)) {
            if !reached.contains(&(at + part.len())) {
                reached.push(at + part.len());
            }
        }
    }
    reached.contains(&behind.len())
}

fn per(vib: &mut Vib, code: u8) {
    match code {
        0x28 | 0x29 => vib.note(format!("input pulse, channel {}", code - 0x28)),
        0x2A | 0x2B => vib.note(format!("output pulse, channel {}", code - 0x2A)),
        _ => {}
    }
    let by = PER
        .get(usize::from(code - 0x20))
        .copied()
        .unwrap_or_default();
    let unit = match vib.unit.as_deref() {
        None | Some("-") => format!("1{by}"),
        Some(unit) => format!("{unit}{by}"),
    };
    vib.unit = Some(Cow::Owned(unit));
}

/// The record's data are a point in time.
fn moment(vib: &mut Vib, note: impl Into<Cow<'static, str>>) {
    vib.kind = Kind::Moment;
    number_of_its_own(vib, Some("-"), 1);
    vib.note(note);
}

/// The data are in another unit than the VIF's; that only says what it is about.
fn number_of_its_own(vib: &mut Vib, unit: Option<&'static str>, factor: u32) {
    vib.unit = unit.map(Cow::Borrowed);
    (vib.factor, vib.exponent) = (factor, 0);
}

fn limits(vib: &mut Vib, code: u8) {
    let limit = if code & 8 == 0 {
        "lower limit"
    } else {
        "upper limit"
    };
    let which = |bit: u8| if code & bit == 0 { "first" } else { "last" };
    let edge = if code & 1 == 0 { "begin" } else { "end" };
    match code {
        0x40 | 0x48 => vib.note(limit),
        0x41 | 0x49 => {
            number_of_its_own(vib, Some("-"), 1);
            vib.note(format!("times the {limit} was exceeded"));
        }
        0x42 | 0x43 | 0x46 | 0x47 | 0x4A | 0x4B | 0x4E | 0x4F => {
            let which = which(4);
            moment(
                vib,
                format!("{edge} of the {which} time beyond the {limit}"),
            );
        }
        0x50..=0x5F => {
            let which = which(4);
            number_of_its_own(vib, Some("s"), seconds(code));
            vib.note(format!("duration of the {which} time beyond the {limit}"));
        }
        0x60..=0x67 => {
            let which = which(4);
            number_of_its_own(vib, Some("s"), seconds(code));
            vib.note(format!("duration of the {which} one"));
        }
        0x68 | 0x6C => {
            let limit = if code == 0x68 { "lower" } else { "upper" };
            vib.note(format!("value while beyond the {limit} limit"));
        }
        0x69 => vib.note("leakage"),
        0x6D => vib.note("overflow"),
        0x6A | 0x6B | 0x6E | 0x6F => {
            let which = which(4);
            moment(vib, format!("{edge} of the {which} one"));
        }
        _ => vib.note(format!("VIFE {code:02X} (reserved)")),
    }
}

/// A code behind FCh: the second table.
pub(super) fn second_table(vib: &mut Vib, code: u8) {
    let note = match code {
        0x01 => "phase L1",
        0x02 => "phase L2",
        0x03 => "phase L3",
        0x04 => "neutral",
        0x05 => "between L1 and L2",
        0x06 => "between L2 and L3",
        0x07 => "between L3 and L1",
        0x08 => "quadrant Q1",
        0x09 => "quadrant Q2",
        0x0A => "quadrant Q3",
        0x0B => "quadrant Q4",
        0x0C => "delta of import and export",
        0x10 => "absolute values accumulated",
        0x11 => {
            vib.kind = Kind::Unsigned;
            return;
        }
        0x12 => {
            vib.kind = Kind::Unsigned;
            "bits"
        }
        0x13 => "towards the meter",
        0x14 => "from the meter",
        _ => {
            vib.note(format!("VIFE FC {code:02X} (reserved)"));
            return;
        }
    };
    vib.note(note);
}
