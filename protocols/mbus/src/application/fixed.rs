//! The fixed data structure: two counters whose unit has a table of its own.

use super::{ByteOrder, Status};

/// A fixed data structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Eight digits, in the order of a number.
    pub id: [u8; 4],
    /// One more with each answer.
    pub access_number: u8,
    /// Bit 0 tells how counters are coded, bit 1 of when they are; the others are those of a header.
    pub status: u8,
    /// 0 to 15, see [`fixed_medium`].
    pub medium: u8,
    /// Units of both counters, 0 to 63, see [`fixed_unit`].
    pub units: [u8; 2],
    /// Both counters, lowest byte first.
    pub counters: [[u8; 4]; 2],
}

impl Fixed {
    pub(super) fn new(bytes: &[u8; 16], order: ByteOrder) -> Self {
        let &[
            a,
            b,
            c,
            d,
            access_number,
            status,
            m,
            n,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l,
        ] = bytes;
        let low_first = |[a, b, c, d]: [u8; 4]| match order {
            ByteOrder::LowFirst => [a, b, c, d],
            ByteOrder::HighFirst => [d, c, b, a],
        };
        let [w, x, y, z] = low_first([a, b, c, d]);
        let (first, second) = match order {
            ByteOrder::LowFirst => (m, n),
            ByteOrder::HighFirst => (n, m),
        };
        Self {
            id: [z, y, x, w],
            access_number,
            status,
            medium: first >> 6 | (second >> 6) << 2,
            units: [first & 0x3F, second & 0x3F],
            counters: [low_first([e, f, g, h]), low_first([i, j, k, l])],
        }
    }

    /// Counters are binary, not BCD.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        self.status & 1 != 0
    }

    /// Counters are of a set date, not of now.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.status & 2 != 0
    }

    /// The status without the two bits that say something else here.
    #[must_use]
    pub const fn condition(&self) -> Status {
        Status(self.status & 0xFC)
    }
}

/// What is metered; `None` for the reserved codes.
#[must_use]
pub const fn fixed_medium(code: u8) -> Option<&'static str> {
    Some(match code {
        0x0 => "Other",
        0x1 => "Oil",
        0x2 => "Electricity",
        0x3 => "Gas",
        0x4 => "Heat",
        0x5 => "Steam",
        0x6 => "Hot water",
        0x7 => "Water",
        0x8 => "Heat Cost Allocator",
        0xA => "Gas, mode 2",
        0xB => "Heat, mode 2",
        0xC => "Hot water, mode 2",
        0xD => "Water, mode 2",
        0xE => "Heat Cost Allocator, mode 2",
        _ => return None,
    })
}

/// The unit of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// This unit, times ten to this power.
    Of(&'static str, i32),
    /// Hours, minutes, seconds, or day, month, year: no number.
    Clock,
    /// The other counter's unit; this one is of a set date.
    OtherStored,
    /// Reserved.
    Reserved,
}

/// Units by their code: the names come with 1, 10 and 100 of each.
const BY_THREES: [(u8, &str); 18] = [
    (0x02, "Wh"),
    (0x05, "kWh"),
    (0x08, "MWh"),
    (0x0B, "kJ"),
    (0x0E, "MJ"),
    (0x11, "GJ"),
    (0x14, "W"),
    (0x17, "kW"),
    (0x1A, "MW"),
    (0x1D, "kJ/h"),
    (0x20, "MJ/h"),
    (0x23, "GJ/h"),
    (0x26, "ml"),
    (0x29, "l"),
    (0x2C, "m^3"),
    (0x2F, "ml/h"),
    (0x32, "l/h"),
    (0x35, "m^3/h"),
];

/// Every unit that a counter can be in.
pub fn fixed_units() -> impl Iterator<Item = &'static str> {
    (0..=0x3F).filter_map(|code| match fixed_unit(code) {
        Unit::Of(unit, _) => Some(unit),
        Unit::Clock | Unit::OtherStored | Unit::Reserved => None,
    })
}

/// The unit of a code of six bits.
#[must_use]
pub fn fixed_unit(code: u8) -> Unit {
    match code {
        0x00 | 0x01 => Unit::Clock,
        0x38 => Unit::Of("\u{b0}C", -3),
        0x39 => Unit::Of("Units for H.C.A.", 0),
        0x3E => Unit::OtherStored,
        0x3F => Unit::Of("-", 0),
        _ => BY_THREES
            .iter()
            .rev()
            .find(|(first, _)| code >= *first)
            .filter(|_| code < 0x38)
            .map_or(Unit::Reserved, |(first, unit)| {
                Unit::Of(unit, i32::from(code - first))
            }),
    }
}
