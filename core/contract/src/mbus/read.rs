//! Reads what a file says of an M-Bus.

use super::{MbusAddress, MbusLine, MbusWire, RecordPick, Secondary};
use crate::block::Block;
use crate::error::{Report, wrong};
use crate::limits::{
    MBUS_BAUD, MBUS_LATENCY_MS_MAX, MBUS_POWER_UP_MS_MAX, MBUS_SERIAL_LATENCY_MS,
    MBUS_TCP_LATENCY_MS,
};
use crate::model::{Echo, Parity, SerialLine};
use crate::outputs;
use crate::read::{Raw, Value, duration, flag, integer, text, word};
use crate::rules::Problem;
use alloc::format;
use alloc::string::String;

const BAUD_RANGE: &str = "300, 600, 1200 and so on to 38400";
const NAMES: [&str; 4] = ["primary", "secondary", "reads_per_day", "manufacturer"];
const PICKS: [&str; 7] = [
    "record",
    "quantity",
    "function",
    "storage",
    "tariff",
    "subunit",
    "record_unit",
];

/// The line of a port.
pub(crate) fn line(
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
    stand_in: String,
) -> MbusLine {
    let baud = block.maybe(report, "baud", integer(BAUD_RANGE));
    let baud = baud.unwrap_or(MBUS_BAUD);
    let over_tcp = block.has("address");
    let wire = match over_tcp {
        true => {
            refuse_line_keys(block, report);
            MbusWire::Tcp {
                address: block.get(report, "address", stand_in, text),
                baud,
            }
        }
        false => MbusWire::Serial(SerialLine {
            device: block.get(report, "device", stand_in, text),
            baud,
            data_bits: 8,
            parity: block.get(report, "parity", Parity::Even, word),
            stop_bits: 1,
            turnaround_ms: 0,
            rs485: None,
            echo: Echo::None,
        }),
    };
    let latency_ms = block.maybe(report, "latency", duration(0..=MBUS_LATENCY_MS_MAX));
    MbusLine {
        wire,
        latency_ms: latency_ms.unwrap_or(match over_tcp {
            true => MBUS_TCP_LATENCY_MS,
            false => MBUS_SERIAL_LATENCY_MS,
        }),
        power_up_ms: block.get(
            report,
            "power_up",
            3_000,
            duration(0..=MBUS_POWER_UP_MS_MAX),
        ),
        shared: block.maybe(report, "shared", flag).unwrap_or(false),
        overload: block.maybe(report, "overload", outputs::read::condition),
    }
}

/// A converter in the network has neither a device here nor a line whose parity is chosen here.
fn refuse_line_keys(block: &mut Block<'_, '_>, report: &mut Report<'_>) {
    for keys in [&["device"][..], &["parity"]] {
        let key = keys.first().copied().unwrap_or_default();
        if block.has(key) {
            let problem = Problem {
                keys,
                wrong: wrong(
                    format!(
                        "`{key}` is of a serial device, and `address` of a converter in the network"
                    ),
                    "a port has one of them: remove the other",
                ),
                absent: false,
            };
            block.problem(report, problem);
        }
    }
}

/// Whether a meter whose port is not known speaks of an M-Bus.
pub(crate) fn is_meant(block: &Block<'_, '_>) -> bool {
    block.means(&NAMES)
}

/// The addresses of a meter; `None` where one could not be read.
pub(crate) fn meter_address(
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
) -> Option<MbusAddress> {
    let primary = block.maybe(report, "primary", integer("0 to 250"));
    let id = block.maybe(report, "secondary", identification);
    let manufacturer = block.maybe(report, "manufacturer", text);
    let version = block.maybe(report, "version", integer("0 to 254"));
    let medium = block.maybe(report, "medium", integer("0 to 254"));
    let details = ["manufacturer", "version", "medium"];
    if !block.has("secondary")
        && let Some(key) = details.into_iter().find(|key| block.has(key))
    {
        let what = format!("`{key}` narrows `secondary`, which is not there");
        let advice = "write secondary = \"12345678\", the meter's own number, or remove the line";
        problem(
            block,
            report,
            &["manufacturer", "version", "medium"],
            what,
            advice,
        );
    }
    // A unit is refused already, and is the address that was meant.
    if !["primary", "secondary", "unit"]
        .iter()
        .any(|key| block.has(key))
    {
        let advice = "write primary = 5, or secondary = \"12345678\"";
        let what = String::from("a meter on an M-Bus has an address, and this one has none");
        problem(block, report, &["primary"], what, advice);
    }
    let address = MbusAddress {
        primary,
        secondary: id.map(|id| Secondary {
            id,
            manufacturer,
            version,
            medium,
        }),
        baud: block.maybe(report, "baud", integer(BAUD_RANGE)),
        reads_per_day: block.maybe(report, "reads_per_day", integer("1 to 96")),
    };
    (address.primary.is_some() || address.secondary.is_some()).then_some(address)
}

fn problem(
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
    keys: &'static [&'static str],
    what: String,
    advice: &str,
) {
    let problem = Problem {
        keys,
        wrong: wrong(what, advice),
        absent: true,
    };
    block.problem(report, problem);
}

/// Eight digits in quotes: zeros before them count.
fn identification(raw: &Raw<'_, '_>) -> Value<String> {
    if let Raw::Integer(Some(number)) = raw {
        let advice = format!("write its eight digits in quotes: \"{number:08}\"");
        return Err(raw.not("an identification number", advice));
    }
    text(raw)
}

/// A point of a meter on an M-Bus that names no record: says so, at what it has of registers if it has any.
pub(crate) fn no_pick(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> RecordPick {
    const KEYS: [&str; 5] = ["quantity", "register", "type", "word_order", "bits"];
    let registers = KEYS.into_iter().find(|key| block.has(key));
    let what = registers.map_or_else(
        || String::from("the point names no data record of its meter"),
        |key| format!("`{key}` is of a Modbus meter, and this one is on an M-Bus"),
    );
    let advice = "select a data record with `quantity` or `record`; fieldnotary bus mbus read shows what the meter has";
    problem(block, report, &KEYS, what, advice);
    // What it selects is asked for already.
    block.set_faulty(&PICKS);
    RecordPick::default()
}

/// What selects a point's record; `None` where the point says nothing of records.
pub(crate) fn pick(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Option<RecordPick> {
    let key = PICKS.into_iter().find(|key| block.means(&[*key]))?;
    let both = block.has("register");
    if both {
        let what = format!("`{key}` is of an M-Bus meter, and `register` of a Modbus meter");
        let advice = "a point has one of them: remove the other";
        problem(block, report, &PICKS, what, advice);
    }
    for modbus in ["type", "word_order", "bits"] {
        if block.has(modbus) && !both {
            let what =
                format!("`{modbus}` is of registers; a data record says itself how it is coded");
            let keys: &'static [&'static str] = match modbus {
                "type" => &["type"],
                "bits" => &["bits"],
                _ => &["word_order"],
            };
            problem(block, report, keys, what, "remove the line");
        }
    }
    Some(RecordPick {
        place: block.maybe(
            report,
            "record",
            integer("from 0, as `bus mbus read` shows it"),
        ),
        quantity: block.maybe(report, "quantity", text),
        function: block.maybe(report, "function", word),
        storage: block.maybe(report, "storage", integer("from 0")),
        tariff: block.maybe(report, "tariff", integer("from 0")),
        subunit: block.maybe(report, "subunit", integer("from 0")),
        unit: block.maybe(report, "record_unit", text),
    })
}
