//! From the telegrams of a readout to a point: which record is meant, and what it says.

use crate::decode::{Decoded, scaled};
use contract::{Point, RecordFunction, RecordPick};
use evidence::reasons::QualityReason;
use evidence::{Decimal, Quality};
use mbus::application::Status;
use mbus::record::{Function, Record, Value};
use mbus::telegram::Telegram;

/// Bits of a status with which values are to be used with care: any application error, permanent and temporary error.
const ERROR_BITS: u8 = 0x03 | 0x08 | 0x10;

/// What became of a point.
#[derive(Debug, PartialEq)]
pub(super) enum Picked<'t> {
    /// Its record, and the place of its telegram.
    Found {
        telegram: usize,
        record: &'t Record<'t>,
    },
    /// No record is what the contract says.
    Missing,
    /// More than one is.
    Ambiguous,
    /// It is in another unit than the contract says.
    Unit { found: Option<&'t str> },
}

/// Selects the record of a point.
pub(super) fn pick<'t>(
    point: &Point,
    pick: &RecordPick,
    telegrams: &'t [Telegram<'t>],
) -> Picked<'t> {
    let each = telegrams.iter().enumerate();
    let all = each.flat_map(|(at, telegram)| telegram.records.iter().map(move |one| (at, one)));
    let mut fitting = all
        .enumerate()
        .filter(|(place, (_, record))| fits(pick, *place, record));
    let Some((_, (telegram, record))) = fitting.next() else {
        return Picked::Missing;
    };
    if fitting.next().is_some() {
        return Picked::Ambiguous;
    }
    let found = record.unit.as_deref();
    match point.record_unit() {
        Some(due) if found != Some(due) => Picked::Unit { found },
        _ => Picked::Found { telegram, record },
    }
}

/// Whether a record is the one that is meant. Where it is selected by its meaning alone, what is not said is of now,
/// of no tariff and of no subunit.
fn fits(pick: &RecordPick, place: usize, record: &Record<'_>) -> bool {
    let by_meaning = pick.place.is_none();
    let zero = |said: Option<u64>| said.or(by_meaning.then_some(0));
    let now = by_meaning.then_some(RecordFunction::Instantaneous);
    let quantity = pick.quantity.as_deref();
    pick.place.is_none_or(|due| usize::from(due) == place)
        && quantity.is_none_or(|due| record.quantity.as_deref() == Some(due))
        && pick
            .function
            .or(now)
            .is_none_or(|due| is(due, record.function))
        && zero(pick.storage).is_none_or(|due| due == record.storage)
        && zero(pick.tariff.map(u64::from)).is_none_or(|due| due == u64::from(record.tariff))
        && zero(pick.subunit.map(u64::from)).is_none_or(|due| due == u64::from(record.device))
}

const fn is(due: RecordFunction, found: Function) -> bool {
    match found {
        Function::Instantaneous | Function::Actual => {
            matches!(due, RecordFunction::Instantaneous)
        }
        Function::Maximum => matches!(due, RecordFunction::Maximum),
        Function::Minimum => matches!(due, RecordFunction::Minimum),
        Function::ErrorState => matches!(due, RecordFunction::Error),
        Function::Stored => matches!(due, RecordFunction::Stored),
        Function::Manufacturer | Function::MoreFollow | Function::Readout => false,
    }
}

/// What a record says: all its bytes, which tell unit and coding too, and its number where it is one.
pub(super) fn value(point: &Point, record: &Record<'_>, status: Option<Status>) -> Decoded {
    let number = match &record.value {
        Value::Number(number) => i8::try_from(number.exponent)
            .ok()
            .and_then(|exponent| Decimal::new(number.mantissa, exponent).ok())
            .ok_or(QualityReason::Overflow),
        Value::Nothing
        | Value::Moment(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Invalid(_) => Err(QualityReason::Undecodable),
    };
    let mut decoded = scaled(point, record.bytes, number);
    let in_error = status.is_some_and(|status| status.0 & ERROR_BITS != 0);
    if in_error && decoded.quality == Quality::GOOD {
        decoded.quality = Quality::questionable(QualityReason::MeterStatus);
    }
    decoded
}
