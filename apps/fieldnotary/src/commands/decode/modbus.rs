//! `fieldnotary decode modbus`: a frame of Modbus RTU or TCP as one JSON object, or a screen.

use super::faults::Fault;
use super::{hex, input, modbus_screen};
use crate::cli::DecodeModbusArgs;
use crate::commands::Ended;
use modbus::limits::{MBAP_BYTES, RTU_FRAME_BYTES_MAX, RTU_FRAME_BYTES_MIN, TCP_FRAME_BYTES_MAX};
use modbus::pdu::{EXCEPTION_BIT, ExceptionCode, Function, PduError, Request, Response};
use modbus::rtu::{Direction, crc16, predicted_len};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Where the length field of a TCP header stands, and what it counts from.
const LENGTH_AT: usize = 4;
const COUNTED_FROM: usize = 6;

/// What carries the PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Rtu {
        unit: u8,
        given: u16,
        computed: u16,
    },
    Tcp {
        transaction: u16,
        protocol: u16,
        length: u16,
        unit: u8,
    },
}

/// One way to read a PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) direction: &'static str,
    /// Without the exception bit.
    pub(super) function: u8,
    pub(super) exception: Option<ExceptionCode>,
    pub(super) address: Option<u16>,
    pub(super) count: Option<u16>,
    pub(super) registers: Option<Vec<u16>>,
    pub(super) coils: Option<Vec<bool>>,
}

/// A frame, as far as it could be read.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) link: Option<Link>,
    /// One, or two where the bytes alone cannot tell a request from a response.
    pub(super) readings: Vec<Reading>,
    pub(super) faults: Vec<Fault>,
}

/// Shows the frame in the file. Ends badly where it is not whole and valid.
pub(super) fn modbus(args: &DecodeModbusArgs) -> Result<Ended, String> {
    let bytes = input::read(&args.file)?;
    let decoded = read(&bytes, args);
    match args.json {
        true => sayln!("{}", object(&bytes, &decoded)),
        false => say!("{}", modbus_screen::screen(&bytes, &decoded)),
    }
    Ok(match decoded.faults.is_empty() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

/// A frame whose link and direction are known, in one line and as an object.
pub(in crate::commands) fn told(bytes: &[u8], tcp: bool, request: bool) -> (String, Value) {
    let decoded = read(
        bytes,
        &DecodeModbusArgs {
            file: PathBuf::new(),
            rtu: !tcp,
            tcp,
            request,
            response: !request,
            json: false,
        },
    );
    let line = match (decoded.faults.first(), decoded.readings.first()) {
        (Some(fault), _) => fault.what.clone(),
        (None, Some(reading)) => modbus_screen::of_reading(reading),
        (None, None) => String::new(),
    };
    (line, object(bytes, &decoded))
}

fn read(bytes: &[u8], args: &DecodeModbusArgs) -> Decoded {
    if args.rtu || args.tcp {
        return read_as(bytes, args.tcp, args);
    }
    let (fits_rtu, fits_tcp) = (rtu(bytes).1.is_none(), tcp(bytes).1.is_none());
    // Where neither fits, a header that starts as one of TCP does and no function code of RTU.
    let by_tcp = fits_tcp || !fits_rtu && looks_like_tcp(bytes);
    let decoded = read_as(bytes, by_tcp, args);
    // A request for two registers counts as a header of TCP as well: what its CRC proves goes before what a header of
    // seven bytes happens to say.
    let by_chance = by_tcp && fits_rtu && !decoded.faults.is_empty();
    if by_chance {
        read_as(bytes, false, args)
    } else {
        decoded
    }
}

fn read_as(bytes: &[u8], by_tcp: bool, args: &DecodeModbusArgs) -> Decoded {
    let told = args.rtu || args.tcp;
    let (link, fault) = if by_tcp { tcp(bytes) } else { rtu(bytes) };
    let mut decoded = Decoded {
        link,
        readings: Vec::new(),
        faults: fault.into_iter().collect(),
    };
    if let Some(fault) = decoded.faults.first_mut() {
        if !told {
            let other = if by_tcp { "--rtu" } else { "--tcp" };
            fault
                .what
                .push_str(&format!(" (read otherwise with {other})"));
        }
        return decoded;
    }
    let (at, pdu) = match by_tcp {
        true => (MBAP_BYTES, bytes.get(MBAP_BYTES..)),
        false => (1, bytes.get(1..bytes.len().saturating_sub(2))),
    };
    readings(pdu.unwrap_or_default(), at, args, &mut decoded);
    decoded
}

fn looks_like_tcp(bytes: &[u8]) -> bool {
    let known = |code: &u8| Function::from_code(code & !EXCEPTION_BIT).is_some();
    bytes.get(2..4) == Some(&[0, 0]) && !bytes.get(1).is_some_and(known)
}

fn fault(layer: &'static str, at: usize, what: String, due: &str, found: String) -> Fault {
    Fault {
        layer,
        at,
        what,
        expected: Some(due.to_owned()),
        found: Some(found),
    }
}

/// So many bytes are due and so many are there.
fn wrong_length(layer: &'static str, due: usize, bytes: &[u8]) -> Fault {
    let found = bytes.len();
    let what = match found < due {
        true => format!("the frame ends after {found} bytes of {due}"),
        false => format!(
            "bytes behind the end of the frame, which has {due}: {}",
            found - due
        ),
    };
    let found_words = format!("{found} bytes");
    fault(
        layer,
        found.min(due),
        what,
        &format!("{due} bytes"),
        found_words,
    )
}

fn rtu(bytes: &[u8]) -> (Option<Link>, Option<Fault>) {
    const LAYER: &str = "rtu";
    if bytes.len() < RTU_FRAME_BYTES_MIN {
        return (None, Some(wrong_length(LAYER, RTU_FRAME_BYTES_MIN, bytes)));
    }
    if bytes.len() > RTU_FRAME_BYTES_MAX {
        return (None, Some(wrong_length(LAYER, RTU_FRAME_BYTES_MAX, bytes)));
    }
    let Some((body, &[low, high])) = bytes.split_last_chunk::<2>() else {
        return (None, Some(wrong_length(LAYER, RTU_FRAME_BYTES_MIN, bytes)));
    };
    let (given, computed) = (u16::from_be_bytes([high, low]), crc16(body));
    let unit = body.first().copied().unwrap_or_default();
    let link = Link::Rtu {
        unit,
        given,
        computed,
    };
    if given == computed {
        return (Some(link), None);
    }
    // A frame that was cut, or runs on, has a CRC in another place: say so where its header tells.
    let due = [Direction::Requests, Direction::Replies]
        .into_iter()
        .filter_map(|direction| predicted_len(direction, bytes));
    let whole = |due: &usize| bytes.get(..*due).is_some_and(|frame| crc16(frame) == 0);
    if let Some(due) = due.clone().find(whole) {
        return (Some(link), Some(wrong_length(LAYER, due, bytes)));
    }
    let mut what = format!("the frame carries CRC {given:04X}, its bytes give {computed:04X}");
    let due: Vec<usize> = due.collect();
    if !due.is_empty() && !due.contains(&bytes.len()) {
        let due: Vec<String> = due.iter().map(ToString::to_string).collect();
        what.push_str(&format!(
            "; its header announces {} bytes, {} are there",
            due.join(" or "),
            bytes.len()
        ));
    }
    let at = body.len();
    let fault = fault(
        LAYER,
        at,
        what,
        &format!("{computed:04X}"),
        format!("{given:04X}"),
    );
    (Some(link), Some(fault))
}

fn tcp(bytes: &[u8]) -> (Option<Link>, Option<Fault>) {
    const LAYER: &str = "tcp";
    let Some(&[t0, t1, p0, p1, l0, l1, unit]) = bytes.first_chunk::<MBAP_BYTES>() else {
        return (None, Some(wrong_length(LAYER, MBAP_BYTES + 1, bytes)));
    };
    let (protocol, length) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([l0, l1]));
    let link = Link::Tcp {
        transaction: u16::from_be_bytes([t0, t1]),
        protocol,
        length,
        unit,
    };
    let due = COUNTED_FROM + usize::from(length);
    let wrong = if protocol != 0 {
        let what = format!("protocol identifier {protocol} in the header; Modbus has 0");
        Some(fault(LAYER, 2, what, "0", protocol.to_string()))
    } else if due <= MBAP_BYTES || due > TCP_FRAME_BYTES_MAX {
        let range = format!("2 to {}", TCP_FRAME_BYTES_MAX - COUNTED_FROM);
        let what = format!("length {length} in the header; {range} are allowed");
        Some(fault(LAYER, LENGTH_AT, what, &range, length.to_string()))
    } else {
        (bytes.len() != due).then(|| wrong_length(LAYER, due, bytes))
    };
    (Some(link), wrong)
}

/// The PDU as a request and as a response, as far as it is one.
fn readings(pdu: &[u8], at: usize, args: &DecodeModbusArgs, decoded: &mut Decoded) {
    let mut errors: Vec<(&str, PduError)> = Vec::new();
    let refusal = pdu.first().is_some_and(|code| code & EXCEPTION_BIT != 0);
    if !args.response && (args.request || !refusal) {
        match Request::decode(pdu) {
            Ok(request) => decoded.readings.push(asked(&request)),
            Err(error) => errors.push(("a request", error)),
        }
    }
    if !args.request {
        match Response::decode(pdu) {
            Ok(response) => decoded.readings.push(answered(&response)),
            Err(error) => errors.push(("a response", error)),
        }
    }
    if !decoded.readings.is_empty() {
        return;
    }
    for (form, error) in errors {
        let (place, due, found) = place_of(&error, form == "a request", pdu.len());
        let what = match error {
            PduError::Empty | PduError::UnknownFunction { .. } => error.to_string(),
            _ => format!("as {form}: {error}"),
        };
        let fault = fault("pdu", at + place, what, &due, found);
        if !decoded.faults.contains(&fault) {
            decoded.faults.push(fault);
        }
    }
}

/// The byte of the PDU that is wrong, what would be right, and what is there.
fn place_of(error: &PduError, request: bool, length: usize) -> (usize, String, String) {
    match *error {
        PduError::Empty => (0, "a function code".into(), "0 bytes".into()),
        PduError::UnknownFunction { code } => {
            let known: Vec<String> = Function::ALL
                .iter()
                .map(|one| one.code().to_string())
                .collect();
            (0, known.join(", "), code.to_string())
        }
        PduError::Length {
            expected, found, ..
        } => (
            length.min(expected),
            format!("{expected} bytes"),
            format!("{found} bytes"),
        ),
        PduError::Quantity { found, max } => {
            let at = if request { 3 } else { 1 };
            (at, format!("1 to {max}"), found.to_string())
        }
        PduError::AddressRange { first, count } => {
            let last = u32::from(first) + u32::from(count).saturating_sub(1);
            (
                1,
                "a last address of at most 65535".into(),
                last.to_string(),
            )
        }
        PduError::ByteCount { expected, found } => (5, expected.to_string(), found.to_string()),
        PduError::OddBytes { found } => (1, "an even number".into(), found.to_string()),
        PduError::CoilValue { found } => (3, "FF00 or 0000".into(), format!("{found:04X}")),
    }
}

fn asked(request: &Request) -> Reading {
    let mut reading = Reading {
        direction: "request",
        function: request.function().code(),
        exception: None,
        address: Some(request.first()),
        count: Some(request.count()),
        registers: None,
        coils: None,
    };
    match request {
        Request::WriteSingleCoil { on, .. } => reading.coils = Some(vec![*on]),
        Request::WriteSingleRegister { value, .. } => reading.registers = Some(vec![*value]),
        Request::WriteMultipleCoils(write) => reading.coils = Some(write.states().collect()),
        Request::WriteMultipleRegisters(write) => {
            reading.registers = Some(write.registers().values().collect());
        }
        Request::ReadCoils(_)
        | Request::ReadDiscreteInputs(_)
        | Request::ReadHoldingRegisters(_)
        | Request::ReadInputRegisters(_) => {}
    }
    reading
}

fn answered(response: &Response) -> Reading {
    let mut reading = Reading {
        direction: "response",
        function: response.code() & !EXCEPTION_BIT,
        exception: None,
        address: None,
        count: None,
        registers: None,
        coils: None,
    };
    match response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            reading.coils = Some(bits.states().collect());
        }
        Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers) => {
            reading.registers = Some(registers.values().collect());
        }
        Response::WriteSingleCoil { address, on } => {
            (reading.address, reading.count) = (Some(*address), Some(1));
            reading.coils = Some(vec![*on]);
        }
        Response::WriteSingleRegister { address, value } => {
            (reading.address, reading.count) = (Some(*address), Some(1));
            reading.registers = Some(vec![*value]);
        }
        Response::WriteMultipleCoils(span) => {
            (reading.address, reading.count) = (Some(span.first()), Some(span.count()));
        }
        Response::WriteMultipleRegisters(span) => {
            (reading.address, reading.count) = (Some(span.first()), Some(span.count()));
        }
        Response::Exception { function, code } => {
            reading.function = *function;
            reading.exception = Some(*code);
        }
    }
    reading
}

/// What the protocol calls a function.
pub(super) fn name_of(code: u8) -> Option<&'static str> {
    Function::from_code(code).map(Function::name)
}

fn object(bytes: &[u8], decoded: &Decoded) -> Value {
    let mut readings = decoded.readings.iter().map(of_reading);
    json!({
        "protocol": "modbus",
        "valid": decoded.faults.is_empty(),
        "length": bytes.len(),
        "bytes": hex(bytes),
        "link": decoded.link.as_ref().map(of_link),
        "pdu": readings.next(),
        "pdu_or": readings.next(),
        "errors": decoded.faults.iter().map(Fault::json).collect::<Vec<_>>(),
    })
}

fn of_link(link: &Link) -> Value {
    match *link {
        Link::Rtu {
            unit,
            given,
            computed,
        } => json!({
            "transport": "rtu",
            "unit": unit,
            "crc": {
                "given": format!("{given:04X}"),
                "computed": format!("{computed:04X}"),
                "fits": given == computed,
            },
        }),
        Link::Tcp {
            transaction,
            protocol,
            length,
            unit,
        } => json!({
            "transport": "tcp",
            "transaction": transaction,
            "protocol": protocol,
            "length": length,
            "unit": unit,
        }),
    }
}

fn of_reading(reading: &Reading) -> Value {
    let exception = reading
        .exception
        .map(|code| json!({"code": code.code(), "name": code.name()}));
    json!({
        "direction": reading.direction,
        "function": reading.function,
        "name": name_of(reading.function),
        "exception": exception,
        "address": reading.address,
        "count": reading.count,
        "registers": reading.registers,
        "coils": reading.coils,
    })
}
