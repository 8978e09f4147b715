//! Data records: what a meter says, value by value (EN 13757-3, clause 6).

mod data;
mod dib;
mod tables;
mod vib;
mod vife;

pub use data::{Coding, Raw};
pub use dib::Function;

use crate::application::{ByteOrder, Fixed, Unit, fixed_unit, fixed_units};
use crate::decimal::Decimal;
use crate::fault::{Cause, Fault, Layer};
use crate::link::Direction;
use crate::moment::{self, Moment};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use dib::Head;
use tables::Kind;

/// What records can measure in the words of the decoder, some more than once. A meter that spells its unit out in plain
/// text has words of its own.
pub fn quantities() -> impl Iterator<Item = &'static str> {
    tables::quantities()
}

/// The units that records of a quantity can be in, each once; of any quantity where none is named. What a meter may say
/// besides of it (per hour, how long a limit was exceeded) is left out, see [`may_be_in`].
#[must_use]
pub fn units(quantity: Option<&str>) -> Vec<&'static str> {
    let mut units: Vec<&str> = Vec::new();
    let fixed = fixed_units().filter(|_| quantity.is_none());
    for unit in tables::units(quantity).chain(fixed) {
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    units
}

/// Whether a record of a quantity can be in a unit; of one that the tables do not know, in any.
#[must_use]
pub fn may_be_in(quantity: Option<&str>, unit: &str) -> bool {
    let strange = |quantity| quantities().all(|known| known != quantity);
    if quantity.is_some_and(strange) {
        return true;
    }
    // What VIFE put in its place, and behind it.
    let bases = units(quantity)
        .into_iter()
        .chain(vife::OWN_UNITS)
        .chain(["1"]);
    bases
        .filter_map(|base| unit.strip_prefix(base))
        .any(vife::is_per)
}

/// A value in the unit of its record.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// There is none, and none was due.
    Nothing,
    /// A number.
    Number(Decimal),
    /// A point on the meter's clock.
    Moment(Moment),
    /// Text.
    Text(String),
    /// Bytes whose meaning only the manufacturer knows, or that are of a type not read here.
    Bytes(&'a [u8]),
    /// One was due, and what was sent is none: why. Zero is something else.
    Invalid(String),
}

/// One data record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<'a> {
    /// The byte of the frame that it begins at.
    pub offset: usize,
    /// All its bytes.
    pub bytes: &'a [u8],
    /// Instantaneous, maximum, minimum, or of a time of error; or what is no value.
    pub function: Function,
    /// Storage number: 0 is now.
    pub storage: u64,
    /// Tariff.
    pub tariff: u32,
    /// Device (subunit).
    pub device: u16,
    /// What is measured.
    pub quantity: Option<Cow<'static, str>>,
    /// In which unit; `-` for what has none.
    pub unit: Option<Cow<'static, str>>,
    /// What else VIFE say.
    pub notes: Vec<Cow<'static, str>>,
    /// How the data were coded: int8 to int64, real32, bcd2 to bcd12, text, bcd, binary, none, readout.
    pub coding: String,
    /// The data as sent.
    pub raw: Raw<'a>,
    /// The value in its unit.
    pub value: Value<'a>,
}

/// A place in the bytes of a frame.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    const fn at(&self) -> usize {
        self.at
    }

    #[expect(
        clippy::unused_self,
        reason = "a fault is always one of the bytes that are read"
    )]
    const fn fault(&self, at: usize, cause: Cause) -> Fault {
        Fault::new(Layer::Record, at, cause)
    }

    fn take(&mut self, expected: usize, part: &'static str) -> Result<&'a [u8], Fault> {
        let Some((taken, rest)) = self.rest.split_at_checked(expected) else {
            let found = self.rest.len();
            let cause = Cause::Ends {
                part,
                expected,
                found,
            };
            return Err(self.fault(self.at + found, cause));
        };
        self.rest = rest;
        self.at += expected;
        Ok(taken)
    }

    fn byte(&mut self, part: &'static str) -> Result<u8, Fault> {
        Ok(self.take(1, part)?.first().copied().unwrap_or_default())
    }
}

/// The records in `bytes`, which begin at byte `at` of the frame, up to the first fault.
#[must_use]
pub fn records(
    bytes: &[u8],
    at: usize,
    order: ByteOrder,
    direction: Direction,
) -> (Vec<Record<'_>>, Option<Fault>) {
    let mut cursor = Cursor { rest: bytes, at };
    let mut records = Vec::new();
    while !cursor.rest.is_empty() {
        let (begun, offset) = (cursor.rest, cursor.at);
        match one(&mut cursor, order, direction) {
            Ok(None) => {}
            Ok(Some(mut record)) => {
                record.offset = offset;
                record.bytes = begun.get(..cursor.at - offset).unwrap_or_default();
                records.push(record);
            }
            Err(fault) => return (records, Some(fault)),
        }
    }
    (records, None)
}

/// The next record; `None` for a filler.
fn one<'a>(
    cursor: &mut Cursor<'a>,
    order: ByteOrder,
    direction: Direction,
) -> Result<Option<Record<'a>>, Fault> {
    let dib = match dib::read(cursor)? {
        Head::Filler => return Ok(None),
        Head::Special(function) => {
            let data = match function {
                Function::Manufacturer | Function::MoreFollow => {
                    cursor.take(cursor.rest.len(), "manufacturer's data")?
                }
                _ => &[],
            };
            return Ok(Some(special(function, data)));
        }
        Head::Data(dib) => dib,
    };
    let vib = vib::read(cursor, direction)?;
    let data = data::read(cursor, dib.coding, vib.kind, order)?;
    let value = value(&vib, &data, order);
    Ok(Some(Record {
        offset: 0,
        bytes: &[],
        function: dib.function,
        storage: dib.storage,
        tariff: dib.tariff,
        device: dib.device,
        quantity: vib.quantity,
        unit: vib.unit,
        notes: vib.notes,
        coding: data.coding,
        raw: data.raw,
        value,
    }))
}

fn special(function: Function, data: &[u8]) -> Record<'_> {
    let (raw, value) = match data.is_empty() {
        true => (Raw::Nothing, Value::Nothing),
        false => (Raw::Bytes(data), Value::Bytes(data)),
    };
    Record {
        offset: 0,
        bytes: &[],
        function,
        storage: 0,
        tariff: 0,
        device: 0,
        quantity: None,
        unit: None,
        notes: Vec::new(),
        coding: String::from("none"),
        raw,
        value,
    }
}

fn value<'a>(vib: &vib::Vib, data: &data::Data<'a>, order: ByteOrder) -> Value<'a> {
    if let Some(code) = vib.error {
        let why = vife::record_error(code).unwrap_or("reserved code");
        return Value::Invalid(format!("the meter says: {why} (error {code:02X}h)"));
    }
    if vib.kind == Kind::Moment && data.raw != Raw::Nothing {
        return point_in_time(data, order);
    }
    match &data.raw {
        Raw::Nothing => Value::Nothing,
        Raw::Text(text) => Value::Text(text.clone()),
        Raw::Bytes(bytes) => Value::Bytes(bytes),
        Raw::NoNumber(_, why) => Value::Invalid(why.clone()),
        Raw::Number(_) if vib.kind == Kind::Opaque => Value::Bytes(data.bytes),
        Raw::Number(number) => number.scaled(vib.factor, vib.exponent).map_or_else(
            || Value::Invalid(String::from("a number beyond all bounds")),
            Value::Number,
        ),
    }
}

/// The width names the type: G, J, F, I.
fn point_in_time<'a>(data: &data::Data<'a>, order: ByteOrder) -> Value<'a> {
    let mut bytes = data.bytes.to_vec();
    if order == ByteOrder::HighFirst {
        bytes.reverse();
    }
    let read = match (data.coding.starts_with("int"), bytes.as_slice()) {
        (true, &[a, b]) => moment::type_g([a, b]),
        (true, &[a, b, c]) => moment::type_j([a, b, c]),
        (true, &[a, b, c, d]) => moment::type_f([a, b, c, d]),
        (true, &[a, b, c, d, e, f]) => moment::type_i([a, b, c, d, e, f]),
        (_, bytes) => Err(format!(
            "{} of {} bytes is no type of time that is read here",
            data.coding,
            bytes.len()
        )),
    };
    read.map_or_else(Value::Invalid, Value::Moment)
}

/// The two counters of a fixed data structure as records; the first stands at byte `at`.
#[must_use]
pub fn counters<'a>(fixed: &Fixed, data: &'a [u8], at: usize) -> Vec<Record<'a>> {
    const COUNTER_BYTES: usize = 4;
    let mut records = Vec::new();
    let [first, _] = fixed.units;
    for (place, (code, counter)) in (0..).zip(fixed.units.into_iter().zip(fixed.counters)) {
        let (unit, stored) = match fixed_unit(code) {
            // A first counter that names the other's unit names none.
            Unit::OtherStored if place == 1 => (fixed_unit(first), true),
            Unit::OtherStored => (Unit::Reserved, true),
            unit => (unit, fixed.is_stored()),
        };
        let start = COUNTER_BYTES * place;
        let bytes = data.get(start..start + COUNTER_BYTES).unwrap_or_default();
        let raw = match fixed.is_binary() {
            true => Raw::Number(Decimal::whole(data::integer(
                &counter,
                Kind::Unsigned,
                ByteOrder::LowFirst,
            ))),
            false => data::bcd_of(bytes, &counter),
        };
        let (name, value) = in_unit(unit, &raw);
        records.push(Record {
            offset: at + start,
            bytes,
            function: match stored {
                true => Function::Stored,
                false => Function::Actual,
            },
            unit: Some(Cow::Borrowed(name)),
            coding: String::from(if fixed.is_binary() { "int32" } else { "bcd8" }),
            raw,
            value,
            ..special(Function::Actual, &[])
        });
    }
    records
}

fn in_unit<'a>(unit: Unit, raw: &Raw<'a>) -> (&'static str, Value<'a>) {
    let name = match unit {
        Unit::Of(name, _) => name,
        Unit::Clock => "-",
        Unit::OtherStored | Unit::Reserved => "Reserved",
    };
    let value = match (unit, raw) {
        (_, Raw::NoNumber(_, why)) => Value::Invalid(why.clone()),
        (Unit::Of(_, power), Raw::Number(number)) => number.scaled(1, power).map_or_else(
            || Value::Invalid(String::from("beyond all bounds")),
            Value::Number,
        ),
        (Unit::Clock, _) => Value::Invalid(String::from("a clock's digits, not read here")),
        _ => Value::Invalid(String::from("its unit is a reserved code")),
    };
    (name, value)
}
