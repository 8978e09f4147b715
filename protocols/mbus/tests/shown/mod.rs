//! One record as one line, to say in a test what is due.

use fieldnotary_mbus::application::ByteOrder;
use fieldnotary_mbus::link::Direction;
use fieldnotary_mbus::record::{self, Record, Value};

/// The bytes of hex digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// Function, storage/tariff/device, quantity, unit, value, and notes in braces.
pub(crate) fn line(record: &Record<'_>) -> String {
    let value = match &record.value {
        Value::Nothing => "none".into(),
        Value::Number(number) => number.to_string(),
        Value::Moment(moment) => moment.to_string(),
        Value::Text(text) if text.is_empty() => "\"\"".into(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("[{}]", bytes.join(" "))
        }
        Value::Invalid(why) => format!("invalid: {why}"),
    };
    let place = format!("{}/{}/{}", record.storage, record.tariff, record.device);
    let mut words = vec![record.function.name().to_string(), place];
    words.extend(record.quantity.as_deref().map(Into::into));
    words.extend(record.unit.as_deref().map(Into::into));
    words.push(value);
    if !record.notes.is_empty() {
        words.push(format!("{{{}}}", record.notes.join("; ")));
    }
    words.join(" ")
}

/// These bytes are one record, from a meter, and this is its line.
pub(crate) fn check(text: &str, due: &str) {
    let bytes = hex(text);
    let (records, fault) = record::records(&bytes, 0, ByteOrder::LowFirst, Direction::FromMeter);
    let [record] = &records[..] else {
        panic!("{text}: {records:?} {fault:?}");
    };
    assert_eq!(fault, None, "{text}");
    assert_eq!(record.bytes, bytes, "{text}");
    assert_eq!(line(record), due, "{text}");
}
