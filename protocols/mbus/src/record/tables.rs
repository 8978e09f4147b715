//! The tables of VIF: what a code measures, in which unit, and by which power of ten.

/// How the number in a record becomes one in the unit of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Times ten to this power for the row's first code, one more for each next.
    Ten(i32),
    /// Seconds, minutes, hours, days, by the code.
    SecondsToDays,
    /// Hours, days, months, years, by the code; months and years are no seconds.
    HoursToYears,
    /// Times this.
    Times(u32),
}

/// How the data of a row are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number with a sign (type B), where it is no BCD.
    Signed,
    /// A number without a sign (types C and D).
    Unsigned,
    /// A point in time, of the type that the width names.
    Moment,
    /// Of a type that is not interpreted here.
    Opaque,
}

/// Codes that belong together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) first: u8,
    pub(super) last: u8,
    pub(super) quantity: &'static str,
    pub(super) unit: Option<&'static str>,
    pub(super) scale: Scale,
    pub(super) kind: Kind,
}

const fn ten(
    first: u8,
    last: u8,
    quantity: &'static str,
    unit: &'static str,
    power_of_first: i32,
) -> Row {
    Row {
        first,
        last,
        quantity,
        unit: Some(unit),
        scale: Scale::Ten(power_of_first),
        kind: Kind::Signed,
    }
}

const fn seconds(first: u8, quantity: &'static str) -> Row {
    Row {
        scale: Scale::SecondsToDays,
        ..ten(first, first + 3, quantity, "s", 0)
    }
}

const fn years(first: u8, quantity: &'static str) -> Row {
    Row {
        scale: Scale::HoursToYears,
        ..ten(first, first + 3, quantity, "s", 0)
    }
}

const fn times(code: u8, quantity: &'static str, unit: &'static str, factor: u32) -> Row {
    Row {
        scale: Scale::Times(factor),
        ..ten(code, code, quantity, unit, 0)
    }
}

const fn moment(code: u8, quantity: &'static str) -> Row {
    Row {
        kind: Kind::Moment,
        ..ten(code, code, quantity, "-", 0)
    }
}

/// A number that counts or names something and has no unit.
const fn bare(code: u8, quantity: &'static str) -> Row {
    Row {
        unit: None,
        kind: Kind::Unsigned,
        ..ten(code, code, quantity, "", 0)
    }
}

const fn opaque(code: u8, quantity: &'static str) -> Row {
    Row {
        unit: None,
        kind: Kind::Opaque,
        ..ten(code, code, quantity, "", 0)
    }
}

const CELSIUS: &str = "\u{b0}C";
const FAHRENHEIT: &str = "\u{b0}F";

/// What the tables know to be measured; a word stands as often as there are rows of it.
pub(super) fn quantities() -> impl Iterator<Item = &'static str> {
    let rows = PRIMARY.iter().chain(BEHIND_FB).chain(BEHIND_FD);
    rows.map(|row| row.quantity)
}

/// In which units a quantity is, or any of them, some more than once.
pub(super) fn units(quantity: Option<&str>) -> impl Iterator<Item = &'static str> {
    let rows = PRIMARY.iter().chain(BEHIND_FB).chain(BEHIND_FD);
    let rows = rows.filter(move |row| quantity.is_none_or(|one| one == row.quantity));
    rows.flat_map(|row| {
        let longer: &[&str] = match row.scale {
            Scale::HoursToYears => &["months", "years"],
            _ => &[],
        };
        row.unit.into_iter().chain(longer.iter().copied())
    })
}

/// Primary VIF (EN 13757-3, table 10).
pub(super) const PRIMARY: &[Row] = &[
    ten(0x00, 0x07, "Energy", "Wh", -3),
    ten(0x08, 0x0F, "Energy", "J", 0),
    ten(0x10, 0x17, "Volume", "m^3", -6),
    ten(0x18, 0x1F, "Mass", "kg", -3),
    seconds(0x20, "On time"),
    seconds(0x24, "Operating time"),
    ten(0x28, 0x2F, "Power", "W", -3),
    ten(0x30, 0x37, "Power", "J/h", 0),
    ten(0x38, 0x3F, "Volume flow", "m^3/h", -6),
    ten(0x40, 0x47, "Volume flow", "m^3/min", -7),
    ten(0x48, 0x4F, "Volume flow", "m^3/s", -9),
    ten(0x50, 0x57, "Mass flow", "kg/h", -3),
    ten(0x58, 0x5B, "Flow temperature", CELSIUS, -3),
    ten(0x5C, 0x5F, "Return temperature", CELSIUS, -3),
    ten(0x60, 0x63, "Temperature difference", "K", -3),
    ten(0x64, 0x67, "External temperature", CELSIUS, -3),
    ten(0x68, 0x6B, "Pressure", "bar", -3),
    moment(0x6C, "Time point (date)"),
    moment(0x6D, "Time point (date & time)"),
    ten(0x6E, 0x6E, "H.C.A.", "Units for H.C.A.", 0),
    seconds(0x70, "Averaging Duration"),
    seconds(0x74, "Actuality Duration"),
    bare(0x78, "Fabrication No"),
    bare(0x79, "Identification"),
    bare(0x7A, "Bus address"),
];

/// VIF behind FBh (EN 13757-3, table 14).
pub(super) const BEHIND_FB: &[Row] = &[
    ten(0x00, 0x01, "Energy", "Wh", 5),
    ten(0x02, 0x03, "Reactive energy", "varh", 3),
    ten(0x04, 0x05, "Apparent energy", "VAh", 3),
    ten(0x08, 0x09, "Energy", "J", 8),
    ten(0x0C, 0x0F, "Energy", "cal", 5),
    ten(0x10, 0x11, "Volume", "m^3", 2),
    ten(0x14, 0x17, "Reactive power", "var", 0),
    ten(0x18, 0x19, "Mass", "kg", 5),
    ten(0x1A, 0x1B, "Relative humidity", "%", -1),
    ten(0x20, 0x20, "Volume", "feet^3", 0),
    ten(0x21, 0x21, "Volume", "feet^3", -1),
    ten(0x22, 0x23, "Volume", "American gallon", -1),
    ten(0x24, 0x24, "Volume flow", "American gallon/min", -3),
    ten(0x25, 0x25, "Volume flow", "American gallon/min", 0),
    ten(0x26, 0x26, "Volume flow", "American gallon/h", 0),
    ten(0x28, 0x29, "Power", "W", 5),
    ten(0x2A, 0x2A, "Phase, voltage to voltage", "\u{b0}", -1),
    ten(0x2B, 0x2B, "Phase, voltage to current", "\u{b0}", -1),
    ten(0x2C, 0x2F, "Frequency", "Hz", -3),
    ten(0x30, 0x31, "Power", "J/h", 8),
    ten(0x34, 0x37, "Apparent power", "VA", 0),
    ten(0x58, 0x5B, "Flow temperature", FAHRENHEIT, -3),
    ten(0x5C, 0x5F, "Return temperature", FAHRENHEIT, -3),
    ten(0x60, 0x63, "Temperature difference", FAHRENHEIT, -3),
    ten(0x64, 0x67, "External temperature", FAHRENHEIT, -3),
    ten(0x70, 0x73, "Cold/warm temperature limit", FAHRENHEIT, -3),
    ten(0x74, 0x77, "Cold/warm temperature limit", CELSIUS, -3),
    ten(0x78, 0x7F, "Cumulative count of maximum power", "W", -3),
];

/// VIF behind FDh (EN 13757-3, table 12).
pub(super) const BEHIND_FD: &[Row] = &[
    ten(0x00, 0x03, "Credit", "currency units", -3),
    ten(0x04, 0x07, "Debit", "currency units", -3),
    bare(0x08, "Access number"),
    bare(0x09, "Medium"),
    bare(0x0A, "Manufacturer"),
    bare(0x0B, "Parameter set identification"),
    bare(0x0C, "Model / Version"),
    bare(0x0D, "Hardware version"),
    bare(0x0E, "Firmware version"),
    bare(0x0F, "Software version"),
    bare(0x10, "Customer location"),
    bare(0x11, "Customer"),
    bare(0x12, "Access code user"),
    bare(0x13, "Access code operator"),
    bare(0x14, "Access code system operator"),
    bare(0x15, "Access code developer"),
    bare(0x16, "Password"),
    bare(0x17, "Error flags"),
    bare(0x18, "Error mask"),
    bare(0x19, "Security key"),
    bare(0x1A, "Digital Output"),
    bare(0x1B, "Digital Input"),
    ten(0x1C, 0x1C, "Baud rate", "bit/s", 0),
    ten(0x1D, 0x1D, "Response delay time", "bit times", 0),
    bare(0x1E, "Retry"),
    bare(0x1F, "Remote control"),
    bare(0x20, "First storage number"),
    bare(0x21, "Last storage number"),
    bare(0x22, "Size of storage block"),
    bare(0x23, "Descriptor of tariff and subunit"),
    seconds(0x24, "Storage interval"),
    ten(0x28, 0x28, "Storage interval", "months", 0),
    ten(0x29, 0x29, "Storage interval", "years", 0),
    bare(0x2A, "Operator specific data"),
    ten(0x2B, 0x2B, "Time point (second)", "s", 0),
    seconds(0x2C, "Duration since last readout"),
    moment(0x30, "Start of tariff"),
    times(0x31, "Duration of tariff", "s", 60),
    times(0x32, "Duration of tariff", "s", 3_600),
    times(0x33, "Duration of tariff", "s", 86_400),
    seconds(0x34, "Period of tariff"),
    ten(0x38, 0x38, "Period of tariff", "months", 0),
    ten(0x39, 0x39, "Period of tariff", "years", 0),
    ten(0x3A, 0x3A, "Dimensionless", "-", 0),
    opaque(0x3B, "Container of a radio protocol"),
    seconds(0x3C, "Period of nominal transmissions"),
    ten(0x40, 0x4F, "Voltage", "V", -9),
    ten(0x50, 0x5F, "Current", "A", -12),
    bare(0x60, "Reset counter"),
    bare(0x61, "Cumulation counter"),
    bare(0x62, "Control signal"),
    bare(0x63, "Day of week"),
    bare(0x64, "Week number"),
    bare(0x65, "Time point of day change"),
    bare(0x66, "State of parameter activation"),
    opaque(0x67, "Special supplier information"),
    years(0x68, "Duration since last cumulation"),
    years(0x6C, "Operating time of battery"),
    moment(0x70, "Time point of battery change"),
    ten(0x71, 0x71, "Level of received signal", "dBm", 0),
    opaque(0x72, "Daylight saving"),
    opaque(0x73, "Listening window"),
    ten(0x74, 0x74, "Remaining battery time", "days", 0),
    bare(0x75, "Times the meter was stopped"),
    opaque(0x76, "Container of a manufacturer's protocol"),
];

/// The row of a code without its extension bit.
pub(super) fn row(table: &'static [Row], code: u8) -> Option<&'static Row> {
    table
        .iter()
        .find(|row| (row.first..=row.last).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::{BEHIND_FB, BEHIND_FD, PRIMARY, Scale};

    #[test]
    fn rows_are_in_order_and_do_not_overlap() {
        for table in [PRIMARY, BEHIND_FB, BEHIND_FD] {
            let mut next = 0;
            for row in table {
                assert!(row.first >= next && row.last >= row.first, "{row:?}");
                assert!(row.last <= 0x7F, "{row:?}");
                next = row.last + 1;
                if matches!(row.scale, Scale::SecondsToDays | Scale::HoursToYears) {
                    assert_eq!(row.last - row.first, 3, "{row:?}");
                }
            }
        }
    }
}
