//! A Modbus frame as a screen: the layers line by line, registers and coils as tables.

use super::faults::verdict;
use super::modbus::{Decoded, Link, Reading, name_of};
use crate::commands::table::{Align, Table};
use crate::commands::words;

pub(super) fn screen(bytes: &[u8], decoded: &Decoded) -> String {
    let mut head = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut put = |name: &str, said: String| head.row([name.to_owned(), said]);
    if let Some(link) = &decoded.link {
        of_link(link, bytes, &mut put);
    }
    for (place, reading) in decoded.readings.iter().enumerate() {
        let name = if place == 0 { "PDU" } else { "or" };
        put(name, of_reading(reading));
    }
    let mut text = head.to_string().trim_start_matches('\n').to_owned();
    for reading in &decoded.readings {
        text.push_str(&items(reading));
        if decoded.readings.len() > 1 && is_echo(decoded) {
            // Request and response are the same bytes and say the same.
            break;
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    if decoded.readings.len() > 1 && !is_echo(decoded) {
        text.push_str("The bytes alone do not tell which it is: --request or --response does.\n");
    }
    text.push_str(&verdict(&decoded.faults));
    text
}

fn is_echo(decoded: &Decoded) -> bool {
    let mut readings = decoded.readings.iter();
    let (first, second) = (readings.next(), readings.next());
    first.map(|one| (one.address, &one.registers, &one.coils))
        == second.map(|one| (one.address, &one.registers, &one.coils))
}

fn of_link(link: &Link, bytes: &[u8], put: &mut impl FnMut(&str, String)) {
    let length = words::count(bytes.len() as u64, "byte", "bytes");
    match *link {
        Link::Rtu {
            unit,
            given,
            computed,
        } => {
            put("frame", format!("RTU, {length}"));
            put("unit", unit.to_string());
            put(
                "CRC",
                match given == computed {
                    true => format!("{given:04X}, fits"),
                    false => format!("{given:04X} given, {computed:04X} computed"),
                },
            );
        }
        Link::Tcp {
            transaction,
            protocol,
            length: counted,
            unit,
        } => {
            put("frame", format!("TCP, {length}"));
            put("transaction", transaction.to_string());
            put("protocol", protocol.to_string());
            put("length", counted.to_string());
            put("unit", unit.to_string());
        }
    }
}

pub(super) fn of_reading(reading: &Reading) -> String {
    let mut said = format!("{}, function {}", reading.direction, reading.function);
    if let Some(name) = name_of(reading.function) {
        said.push_str(&format!(" ({name})"));
    }
    if let Some(code) = reading.exception {
        said.push_str(&format!(", {code}"));
    }
    match (reading.address, reading.count) {
        (Some(address), Some(1)) => said.push_str(&format!(", address {address}")),
        (Some(address), Some(count)) => {
            let last = u32::from(address) + u32::from(count) - 1;
            said.push_str(&format!(", addresses {address} to {last} ({count})"));
        }
        _ => {}
    }
    said
}

/// What was written or read, item by item.
fn items(reading: &Reading) -> String {
    let first = u32::from(reading.address.unwrap_or(0));
    let heading = match reading.address {
        Some(_) => "address",
        None => "item",
    };
    let mut text = String::new();
    if let Some(registers) = &reading.registers {
        let mut table = Table::new(&[
            (heading, Align::Right),
            ("hex", Align::Right),
            ("unsigned", Align::Right),
            ("signed", Align::Right),
        ]);
        for (place, value) in (first..).zip(registers) {
            table.row([
                place.to_string(),
                format!("{value:04X}"),
                value.to_string(),
                value.cast_signed().to_string(),
            ]);
        }
        text.push_str(&format!("\n{table}"));
    }
    if let Some(coils) = &reading.coils {
        let mut table = Table::new(&[(heading, Align::Right), ("state", Align::Left)]);
        for (place, on) in (first..).zip(coils) {
            let state = if *on { "on" } else { "off" };
            table.row([place.to_string(), state.to_owned()]);
        }
        text.push_str(&format!("\n{table}"));
    }
    text
}
