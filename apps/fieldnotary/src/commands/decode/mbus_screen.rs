//! An M-Bus frame as a screen: the layers line by line, the records as a table.

use super::faults::verdict;
use super::hex;
use super::mbus::{address_meaning, direction, faults, given, secondary};
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use mbus::application::{Application, Content, Header, SecondaryAddress, Status};
use mbus::application::{application_error, ci_name, fixed_medium, identification, medium};
use mbus::link::{Control, Frame};
use mbus::record::{Function, Record, Value};
use mbus::telegram::Telegram;

/// The frame for people.
pub(in crate::commands) fn screen(bytes: &[u8], telegram: &Telegram<'_>) -> String {
    let mut head = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut put = |name: &str, said: String| head.row([name.to_owned(), said]);
    if let Some(frame) = &telegram.frame {
        put("frame", of_frame(bytes, frame));
        let (Frame::Short { control, address }
        | Frame::Long {
            control, address, ..
        }) = *frame
        else {
            return finished(&head, telegram);
        };
        put("control", of_control(control));
        put(
            "address",
            format!("{address}, {}", address_meaning(address)),
        );
        put("checksum", of_checksum(given(bytes), frame.checksum()));
    }
    if let Some(application) = &telegram.application {
        of_application(application, &mut put);
    }
    finished(&head, telegram)
}

/// The data records of a frame as a table; `None` where it has none.
pub(in crate::commands) fn of_frame_bytes(bytes: &[u8]) -> Option<String> {
    let telegram = Telegram::read(bytes);
    (!telegram.records.is_empty()).then(|| records(&telegram.records).to_string())
}

fn finished(head: &Table<2>, telegram: &Telegram<'_>) -> String {
    // The first line would be the headings, of which this table has none.
    let head = head.to_string();
    let head = head.trim_start_matches('\n');
    let records = match telegram.records.is_empty() {
        true => String::new(),
        false => format!("\n{}", records(&telegram.records)),
    };
    let gap = if head.is_empty() { "" } else { "\n" };
    format!("{head}{records}{gap}{}", verdict(&faults(telegram)))
}

fn of_frame(bytes: &[u8], frame: &Frame<'_>) -> String {
    let length = words::count(bytes.len() as u64, "byte", "bytes");
    format!("{}, {length}", frame.form())
}

fn of_control(control: Control) -> String {
    let name = control.name().unwrap_or("a function that is not named");
    let bits = [
        ("FCB", control.fcb()),
        ("FCV", control.fcv()),
        ("ACD", control.acd()),
        ("DFC", control.dfc()),
    ];
    let mut said = format!("{:02X}h, {name}, {}", control.byte(), direction(control));
    for (bit, set) in bits {
        if let Some(set) = set {
            said.push_str(&format!(", {bit} {}", u8::from(set)));
        }
    }
    said
}

fn of_checksum(given: Option<u8>, computed: Option<u8>) -> String {
    match (given, computed) {
        (Some(given), Some(computed)) if given == computed => format!("{given:02X}h, fits"),
        (Some(given), Some(computed)) => {
            format!("{given:02X}h given, {computed:02X}h computed")
        }
        _ => "none".to_owned(),
    }
}

fn of_application(application: &Application<'_>, put: &mut impl FnMut(&str, String)) {
    let name = ci_name(application.ci).unwrap_or("not known");
    put("CI", format!("{:02X}h, {name}", application.ci));
    match application.content {
        Content::Records {
            header: Some(header),
            ..
        } => of_header(&header, put),
        Content::Records { header: None, .. } => {}
        Content::Fixed(fixed) => {
            let medium = fixed_medium(fixed.medium).unwrap_or("reserved medium");
            put("meter", format!("{}, {medium}", identification(fixed.id)));
            put("access number", fixed.access_number.to_string());
            let coded = if fixed.is_binary() { "binary" } else { "BCD" };
            let said = format!("{}; counters are {coded}", of_status(fixed.condition()));
            put("status", said);
        }
        Content::Selection { address, .. } => put("selects", of_wanted(&address)),
        Content::Error(code) => put("error", application_error(code).to_owned()),
        Content::Alarm(status) => put("alarm", of_status(Status(status))),
        Content::Reset(None) => put("resets", "everything".to_owned()),
        Content::Reset(Some(subcode)) => put("resets", format!("subcode {subcode:02X}h")),
        Content::Speed(baud) => put("speed", format!("{baud} bit/s from the next frame on")),
        Content::Bytes(bytes) => put("data", hex(bytes)),
    }
}

fn of_header(header: &Header, put: &mut impl FnMut(&str, String)) {
    if let Some(address) = &header.address {
        put("meter", of_address(address));
        put("secondary", secondary(address));
    }
    put("access number", header.access_number.to_string());
    put("status", of_status(header.status));
    put("signature", format!("{:04X}h", header.configuration));
}

fn of_address(address: &SecondaryAddress) -> String {
    let medium = medium(address.medium).unwrap_or("reserved medium");
    format!(
        "{}, {}, version {}, {medium}",
        identification(address.id),
        address.manufacturer,
        address.version
    )
}

/// Whom a master selects; bytes that are all ones are wildcards.
fn of_wanted(address: &SecondaryAddress) -> String {
    let manufacturer = match address.manufacturer.0 {
        0xFFFF => "any manufacturer".to_owned(),
        _ => address.manufacturer.to_string(),
    };
    let version = match address.version {
        0xFF => "any version".to_owned(),
        version => format!("version {version}"),
    };
    let medium = match address.medium {
        0xFF => "any medium",
        code => medium(code).unwrap_or("reserved medium"),
    };
    let id = identification(address.id);
    format!("{id}, {manufacturer}, {version}, {medium}")
}

fn of_status(status: Status) -> String {
    match status.names().as_slice() {
        [] => format!("{:02X}h, no error", status.0),
        names => format!("{:02X}h, {}", status.0, ink(Ink::Odd, &names.join(", "))),
    }
}

fn records(records: &[Record<'_>]) -> Table<8> {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("byte", Align::Right),
        ("function", Align::Left),
        ("storage", Align::Right),
        ("tariff", Align::Right),
        ("device", Align::Right),
        ("quantity", Align::Left),
        ("value", Align::Left),
    ]);
    for (index, record) in records.iter().enumerate() {
        let place = |number: u64| match record.function {
            Function::Manufacturer | Function::MoreFollow | Function::Readout => String::new(),
            _ => number.to_string(),
        };
        table.row([
            index.to_string(),
            record.offset.to_string(),
            of_function(record.function),
            place(record.storage),
            place(record.tariff.into()),
            place(record.device.into()),
            printable(record.quantity.as_deref().unwrap_or_default()),
            of_value(record),
        ]);
    }
    table
}

fn of_function(function: Function) -> String {
    match function {
        Function::ErrorState => ink(Ink::Odd, function.name()),
        _ => function.name().to_owned(),
    }
}

fn of_value(record: &Record<'_>) -> String {
    let value = match &record.value {
        Value::Nothing => String::new(),
        Value::Number(number) => number.to_string(),
        Value::Moment(moment) => moment.to_string(),
        Value::Text(text) => format!("\"{}\"", printable(text)),
        Value::Bytes(bytes) => hex(bytes),
        Value::Invalid(why) => ink(Ink::Bad, &format!("invalid: {why}")),
    };
    let unit = match (&record.value, record.unit.as_deref()) {
        (Value::Number(_), Some(unit)) if unit != "-" => format!(" {unit}"),
        _ => String::new(),
    };
    let notes = match record.notes.is_empty() {
        true => String::new(),
        false => format!(" ({})", record.notes.join("; ")),
    };
    format!("{value}{unit}{notes}")
}

/// A meter's text without what would command a terminal.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    });
    shown.collect()
}
