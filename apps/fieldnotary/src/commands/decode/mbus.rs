//! `fieldnotary decode mbus`: a frame of wired M-Bus as one JSON object, or a screen.

use super::faults::Fault;
use super::{hex, input, mbus_screen};
use crate::cli::DecodeMbusArgs;
use crate::commands::Ended;
use mbus::application::{Application, ByteOrder, Content, Header, SecondaryAddress, Status};
use mbus::application::{application_error, ci_name, fixed_medium, identification, medium};
use mbus::decimal::Decimal;
use mbus::link::{Control, Direction, Frame, SHORT_START};
use mbus::moment::Moment;
use mbus::record::{Raw, Record, Value as Read};
use mbus::telegram::Telegram;
use serde_json::{Map, Number, Value, json};

/// Shows the frame in the file. Ends badly where it is not whole and valid.
pub(super) fn mbus(args: &DecodeMbusArgs) -> Result<Ended, String> {
    let bytes = input::read(&args.file)?;
    let telegram = Telegram::read(&bytes);
    match args.json {
        true => sayln!("{}", object(&bytes, &telegram)),
        false => say!("{}", mbus_screen::screen(&bytes, &telegram)),
    }
    Ok(match telegram.is_valid() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

pub(super) fn faults(telegram: &Telegram<'_>) -> Vec<Fault> {
    let faults = telegram.faults.iter().map(|fault| Fault {
        layer: fault.layer.name(),
        at: fault.at,
        what: fault.cause.to_string(),
        expected: fault.cause.expected(),
        found: fault.cause.found(),
    });
    faults.collect()
}

/// The frame as a line of words, and as an object.
pub(in crate::commands) fn told(bytes: &[u8]) -> (String, Value) {
    let telegram = Telegram::read(bytes);
    let name = |control: Control| control.name().unwrap_or("reserved control field");
    let line = match (telegram.frame, telegram.faults.first()) {
        (_, Some(fault)) => fault.to_string(),
        (Some(Frame::Ack), None) => "acknowledgement".to_owned(),
        (Some(Frame::Short { control, address }), None) => {
            format!("{}, address {address}", name(control))
        }
        (
            Some(Frame::Long {
                control, address, ..
            }),
            None,
        ) => format!(
            "{}, address {address}, {} records",
            name(control),
            telegram.records.len()
        ),
        (None, None) => "no frame".to_owned(),
    };
    (line, object(bytes, &telegram))
}

/// The frame as an object.
pub(in crate::commands) fn object(bytes: &[u8], telegram: &Telegram<'_>) -> Value {
    let records = telegram.records.iter().enumerate();
    json!({
        "protocol": "mbus",
        "valid": telegram.is_valid(),
        "length": bytes.len(),
        "bytes": hex(bytes),
        "link": telegram.frame.map(|frame| link(bytes, &frame)),
        "application": telegram.application.map(|application| layer(&application)),
        "records": records.map(|(index, record)| one(index, record)).collect::<Vec<_>>(),
        "more_records_follow": telegram.more_follow(),
        "errors": faults(telegram).iter().map(Fault::json).collect::<Vec<_>>(),
    })
}

/// The checksum that the bytes of a frame carry.
pub(super) fn given(bytes: &[u8]) -> Option<u8> {
    match *bytes {
        [SHORT_START, _, _, checksum, ..] => Some(checksum),
        [_, length, ..] => bytes.get(4 + usize::from(length)).copied(),
        _ => None,
    }
}

fn link(bytes: &[u8], frame: &Frame<'_>) -> Value {
    let (field, address, length) = match *frame {
        Frame::Ack => return json!({"frame": frame.form(), "start": "E5"}),
        Frame::Short { control, address } => (control, address, None),
        Frame::Long {
            control,
            address,
            payload,
        } => (control, address, Some(payload.len() + 2)),
    };
    let byte = |byte: Option<u8>| byte.map(|byte| format!("{byte:02X}"));
    let (given, computed) = (given(bytes), frame.checksum());
    json!({
        "frame": frame.form(),
        "start": byte(bytes.first().copied()),
        "length": length,
        "control": control(field),
        "address": address,
        "address_meaning": address_meaning(address),
        "checksum": {
            "given": byte(given),
            "computed": byte(computed),
            "fits": given == computed,
        },
    })
}

fn control(control: Control) -> Value {
    json!({
        "byte": format!("{:02X}", control.byte()),
        "direction": direction(control),
        "function": control.name(),
        "function_code": control.function(),
        "fcb": control.fcb(),
        "fcv": control.fcv(),
        "acd": control.acd(),
        "dfc": control.dfc(),
    })
}

pub(super) const fn direction(control: Control) -> &'static str {
    match control.direction() {
        Direction::ToMeter => "to the meter",
        Direction::FromMeter => "from the meter",
    }
}

/// What a primary address is for.
pub(super) const fn address_meaning(address: u8) -> &'static str {
    match address {
        0 => "not yet configured",
        1..=250 => "primary address",
        251 | 252 => "reserved",
        253 => "the meter selected by its secondary address",
        254 => "test: every meter answers",
        255 => "broadcast: no meter answers",
    }
}

fn layer(application: &Application<'_>) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("ci", json!(format!("{:02X}", application.ci)));
    put("name", json!(ci_name(application.ci)));
    let order = match application.order {
        ByteOrder::LowFirst => "low byte first",
        ByteOrder::HighFirst => "high byte first",
    };
    put("byte_order", json!(order));
    match application.content {
        Content::Records { header, .. } => {
            if let Some(header) = header {
                fields.append(&mut of_header(&header));
            }
        }
        Content::Fixed(fixed) => {
            put("id", json!(identification(fixed.id)));
            put("medium", json!(fixed_medium(fixed.medium)));
            put("medium_code", json!(fixed.medium));
            put("access_number", json!(fixed.access_number));
            // All bits as they came; the two that tell of the counters are none of its condition.
            let byte = format!("{:02X}", fixed.status);
            let bits = fixed.condition().names();
            put("status", json!({"byte": byte, "bits": bits}));
            let coded = if fixed.is_binary() { "binary" } else { "BCD" };
            put("counters", json!(coded));
        }
        Content::Selection { address: whom, .. } => fields.append(&mut address(&whom)),
        Content::Error(code) => {
            put("error_code", json!(code));
            put("error", json!(application_error(code)));
        }
        Content::Alarm(byte) => drop(put("alarm", status(Status(byte)))),
        Content::Reset(subcode) => drop(put("reset_subcode", json!(subcode))),
        Content::Speed(baud) => drop(put("bits_per_second", json!(baud))),
        Content::Bytes(bytes) => drop(put("data", json!(hex(bytes)))),
    }
    Value::Object(fields)
}

fn of_header(header: &Header) -> Map<String, Value> {
    let mut fields = header.address.as_ref().map(address).unwrap_or_default();
    fields.insert("access_number".into(), json!(header.access_number));
    fields.insert("status".into(), status(header.status));
    let word = format!("{:04X}", header.configuration);
    fields.insert("signature".into(), json!(word));
    fields
}

fn address(address: &SecondaryAddress) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("id".into(), json!(identification(address.id)));
    fields.insert("secondary_address".into(), json!(secondary(address)));
    let manufacturer = address.manufacturer.to_string();
    fields.insert("manufacturer".into(), json!(manufacturer));
    fields.insert("version".into(), json!(address.version));
    fields.insert("medium".into(), json!(medium(address.medium)));
    fields.insert("medium_code".into(), json!(address.medium));
    fields
}

/// Sixteen digits, as tools ask for: identification as a number, then the other bytes as they travel.
pub(in crate::commands) fn secondary(address: &SecondaryAddress) -> String {
    let [a, b, c, d] = address.id;
    let [high, low] = address.manufacturer.0.to_be_bytes();
    let (version, medium) = (address.version, address.medium);
    format!("{a:02X}{b:02X}{c:02X}{d:02X}{low:02X}{high:02X}{version:02X}{medium:02X}")
}

fn status(status: Status) -> Value {
    json!({"byte": format!("{:02X}", status.0), "bits": status.names()})
}

fn one(index: usize, record: &Record<'_>) -> Value {
    let (kind, value, invalid) = match &record.value {
        Read::Nothing => ("none", Value::Null, None),
        Read::Number(number) => ("number", exact(*number), None),
        Read::Moment(moment) => ("time", json!(moment.to_string()), None),
        Read::Text(text) => ("text", json!(text), None),
        Read::Bytes(bytes) => ("bytes", json!(hex(bytes)), None),
        Read::Invalid(why) => ("invalid", Value::Null, Some(why)),
    };
    let summer = match record.value {
        Read::Moment(Moment::Instant { summer, .. }) => Some(summer),
        _ => None,
    };
    let raw = match &record.raw {
        Raw::Nothing => Value::Null,
        Raw::Number(number) => exact(*number),
        Raw::Text(text) => json!(text),
        Raw::Bytes(bytes) | Raw::NoNumber(bytes, _) => json!(hex(bytes)),
    };
    json!({
        "index": index,
        "offset": record.offset,
        "bytes": hex(record.bytes),
        "function": record.function.name(),
        "storage": record.storage,
        "tariff": record.tariff,
        "device": record.device,
        "quantity": record.quantity,
        "unit": record.unit,
        "type": kind,
        "value": value,
        "invalid": invalid,
        "summer_time": summer,
        "notes": record.notes,
        "coding": record.coding,
        "raw": raw,
    })
}

/// A number of JSON where a reader that takes it for a double loses nothing, else its digits as text.
fn exact(number: Decimal) -> Value {
    let number = number.shortest();
    let text = number.to_string();
    if number.exponent >= 0
        && let Ok(whole) = text.parse::<i64>()
        && whole.unsigned_abs() <= 1 << 53
    {
        return json!(whole);
    }
    // The shortest digits of the double must be these digits again.
    let double = text.parse::<f64>().ok();
    double
        .filter(|double| text.contains('.') && double.to_string() == text)
        .and_then(Number::from_f64)
        .map_or(Value::String(text), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::exact;
    use mbus::decimal::Decimal;
    use serde_json::{Value, json};

    fn check(mantissa: i128, exponent: i32, due: &Value) {
        assert_eq!(&exact(Decimal { mantissa, exponent }), due);
    }

    #[test]
    fn a_number_is_given_as_one_only_where_it_survives() {
        check(54_321, -3, &json!(54.321));
        check(300, -3, &json!(0.3));
        check(5_000, -3, &json!(5));
        check(0, -6, &json!(0));
        check(-18, 1, &json!(-180));
        check(1 << 53, 0, &json!(9_007_199_254_740_992_i64));
        check((1 << 53) + 1, 0, &json!("9007199254740993"));
        check(i128::from(i64::MAX), -3, &json!("9223372036854775.807"));
        check(7, -15, &json!(7e-15));
        check(7, 20, &json!("700000000000000000000"));
    }
}
