//! What must hold of an M-Bus in a contract.

use super::{MbusAddress, MbusLine, MbusWire, RecordPick, Secondary};
use crate::limits::{
    DAY_MS, MBUS_BAUDS, MBUS_LATENCY_MS_MAX, MBUS_POWER_UP_MS_MAX, MBUS_PRIMARY_MAX,
    MBUS_READS_MAX, MBUS_RECORDS_MAX, UNIT_BYTES_MAX,
};
use crate::model::{Parity, Schedule, SerialLine};
use crate::names::address;
use crate::rules::{Problems, device, shown_ms};
use alloc::format;
use alloc::string::String;

/// Digits of an identification number.
const DIGITS: usize = 8;
const LETTERS: usize = 3;
/// The byte that a selection takes for any.
const ANY: u8 = 0xFF;

/// Of a line.
pub(crate) fn line_rules(line: &MbusLine, out: &mut Problems) {
    baud(line.baud(), out);
    match &line.wire {
        MbusWire::Serial(serial) => serial_rules(serial, out),
        MbusWire::Tcp { address: text, .. } => out.check(&["address"], address(text)),
    }
    out.unless(
        line.latency_ms <= MBUS_LATENCY_MS_MAX,
        &["latency"],
        format!("a latency of {}", shown_ms(line.latency_ms)),
        "at most 2s",
    );
    out.unless(
        line.power_up_ms <= MBUS_POWER_UP_MS_MAX,
        &["power_up"],
        format!("a wait of {}", shown_ms(line.power_up_ms)),
        "at most 1min",
    );
}

fn serial_rules(serial: &SerialLine, out: &mut Problems) {
    device(&serial.device, out);
    out.unless(
        serial.parity != Parity::Odd,
        &["parity"],
        "odd parity",
        "an M-Bus has even parity: leave it out, or write \"none\" for a pseudo-terminal",
    );
    out.unless(
        (serial.data_bits, serial.stop_bits, serial.turnaround_ms) == (8, 1, 0),
        &["device"],
        "a line that is not 8E1",
        "an M-Bus has 8 data bits and one stop bit",
    );
}

/// Nobody here can change the speed of a converter in the network.
pub(crate) fn speed_of_meter(meter: &MbusAddress, line: &MbusLine, out: &mut Problems) {
    let other = meter.baud.is_some_and(|baud| baud != line.baud());
    out.unless(
        !other || line.serial().is_some(),
        &["baud"],
        "a meter with a speed of its own behind a converter in the network",
        "set the meter to the speed of the bus, or give it a converter on a serial device",
    );
}

fn baud(baud: u32, out: &mut Problems) {
    let near = MBUS_BAUDS.iter().min_by_key(|rate| rate.abs_diff(baud));
    out.unless(
        MBUS_BAUDS.contains(&baud),
        &["baud"],
        format!("{baud} is not a speed of an M-Bus"),
        near.map_or(String::new(), |near| format!("the nearest one is {near}")),
    );
}

/// Of a meter's addresses.
pub(crate) fn address_rules(address: &MbusAddress) -> Problems {
    let mut out = Problems::default();
    if let Some(primary) = address.primary {
        let what = match primary {
            253 => String::from("address 253 is that of whichever meter is selected"),
            254 => String::from("address 254 is answered by every meter at once"),
            255 => String::from("address 255 is the broadcast, which no meter answers"),
            other => format!("address {other} is reserved"),
        };
        out.unless(
            primary <= MBUS_PRIMARY_MAX,
            &["primary"],
            what,
            "write 0 to 250",
        );
    }
    out.unless(
        address.primary.is_some() || address.secondary.is_some(),
        &["primary"],
        "the meter has no address",
        "write primary = 5, or secondary = \"12345678\"",
    );
    if let Some(secondary) = &address.secondary {
        secondary_rules(secondary, &mut out);
    }
    if let Some(own) = address.baud {
        baud(own, &mut out);
    }
    if let Some(reads) = address.reads_per_day {
        out.unless(
            (1..=MBUS_READS_MAX).contains(&reads),
            &["reads_per_day"],
            format!("{reads} readouts a day"),
            format!("write 1 to {MBUS_READS_MAX}"),
        );
    }
    out
}

fn secondary_rules(secondary: &Secondary, out: &mut Problems) {
    let id = secondary.id.as_str();
    let hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let what = format!("\"{id}\" is no identification number");
    let advice = "write the eight digits on the meter's label, such as \"12345678\"";
    out.unless(id.len() == DIGITS && hex, &["secondary"], what, advice);
    // Any letter F would select whoever fits.
    let any = id.len() == DIGITS && hex && id.contains(['F', 'f']);
    out.unless(
        !any,
        &["secondary"],
        format!("\"{id}\" has a wildcard, F"),
        "a meter that is read by a schedule is one meter: write all eight digits; `bus mbus search` finds them",
    );
    let lower = hex && !any && id.contains(|c: char| c.is_ascii_lowercase());
    out.unless(
        !lower,
        &["secondary"],
        format!("\"{id}\" has small letters"),
        format!("write \"{}\"", id.to_ascii_uppercase()),
    );
    if let Some(maker) = &secondary.manufacturer {
        let sound = maker.len() == LETTERS && maker.bytes().all(|byte| byte.is_ascii_uppercase());
        out.unless(
            sound,
            &["manufacturer"],
            format!("\"{maker}\" is no code of a manufacturer"),
            "write three capital letters, such as \"LUG\"",
        );
    }
    for (keys, byte) in [
        (&["version"][..], secondary.version),
        (&["medium"][..], secondary.medium),
    ] {
        out.unless(
            byte != Some(ANY),
            keys,
            "255 is a wildcard",
            "leave it out for any",
        );
    }
}

/// A schedule may not ask for more readouts than the battery allows.
pub(crate) fn budget(address: &MbusAddress, schedule: &Schedule, out: &mut Problems) {
    let Some(reads) = address.reads_per_day else {
        return;
    };
    let asked = DAY_MS.div_ceil(schedule.every_ms.max(1));
    let least = DAY_MS.div_ceil(u64::from(reads.max(1)));
    out.unless(
        asked <= u64::from(reads),
        &["reads_per_day", "schedule"],
        format!(
            "schedule \"{}\" asks {asked} times a day, and {reads} are allowed",
            schedule.id
        ),
        format!("read it every {} or less often", shown_ms(least)),
    );
}

/// Whether two meters of one line could be the same one.
pub(crate) fn same_meter(a: &MbusAddress, b: &MbusAddress) -> Option<&'static [&'static str]> {
    if a.primary.is_some() && a.primary == b.primary {
        return Some(&["primary", "port"]);
    }
    let (Some(a), Some(b)) = (&a.secondary, &b.secondary) else {
        return None;
    };
    let overlap = a.id == b.id
        && fits(a.manufacturer.as_ref(), b.manufacturer.as_ref())
        && fits(a.version.as_ref(), b.version.as_ref())
        && fits(a.medium.as_ref(), b.medium.as_ref());
    overlap.then_some(&["secondary", "port"])
}

fn fits<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
    a.is_none() || b.is_none() || a == b
}

/// Of what selects a record.
pub(crate) fn pick_rules(pick: &RecordPick, out: &mut Problems) {
    out.unless(
        pick.place.is_some() || pick.quantity.is_some(),
        &[
            "function",
            "storage",
            "tariff",
            "subunit",
            "record_unit",
            "quantity",
            "record",
        ],
        "this fits more than one record",
        "write `quantity`, what the record measures, or `record`, its place",
    );
    if let Some(place) = pick.place {
        out.unless(
            place < MBUS_RECORDS_MAX,
            &["record"],
            format!("record {place}"),
            format!("no readout has more than {MBUS_RECORDS_MAX}; the first is 0"),
        );
    }
    let texts = [
        (&["quantity"][..], &pick.quantity),
        (&["record_unit"][..], &pick.unit),
    ];
    for (keys, text) in texts {
        let len = text.as_ref().map_or(1, String::len);
        out.unless(
            (1..=2 * UNIT_BYTES_MAX).contains(&len),
            keys,
            format!("a text of {len} bytes"),
            format!(
                "1 to {} bytes, as `bus mbus read` shows it",
                2 * UNIT_BYTES_MAX
            ),
        );
    }
}
