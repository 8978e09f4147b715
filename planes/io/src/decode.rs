//! From registers and bits to raw bytes, an exact value and its quality.

use alloc::format;
use alloc::vec::Vec;
use contract::{BitField, Point, Register, ValueType, WordOrder};
use evidence::reasons::QualityReason;
use evidence::{Blob, Decimal, Quality};
use modbus::pdu::Response;

/// What one point of a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The register bytes as they came; a bit is one byte, 0 or 1.
    pub raw: Blob,
    /// The exact scaled value, where there is one.
    pub value: Option<Decimal>,
    /// Whether it may be used.
    pub quality: Quality,
}

/// Takes a point out of the reply to a read that began at address `first`. `None`: the reply does not
/// cover the point.
#[must_use]
pub fn decode(point: &Point, first: u16, response: &Response) -> Option<Decoded> {
    let register = point.register()?;
    let skip = usize::from(register.address.checked_sub(first)?);
    let width = usize::from(register.width());
    match response {
        Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers) => {
            let bytes = registers.as_bytes();
            let raw = bytes.get(skip * 2..(skip + width) * 2)?;
            Some(finish(point, raw, number(register, raw)))
        }
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            let state = bits.states().nth(skip)?;
            let raw = [u8::from(state)];
            let number =
                (register.value == ValueType::Bit).then(|| Number::Whole(i128::from(state)));
            Some(finish(point, &raw, number))
        }
        Response::WriteSingleCoil { .. }
        | Response::WriteSingleRegister { .. }
        | Response::WriteMultipleCoils(_)
        | Response::WriteMultipleRegisters(_)
        | Response::Exception { .. } => None,
    }
}

/// Takes a point out of a record of its meter's memory. `None`: it is not in the memory, or not in so short a record.
pub(crate) fn in_record(point: &Point, record: &[u8]) -> Option<Decoded> {
    let register = point.register()?;
    let first = usize::from(point.memory_offset?) * 2;
    let width = usize::from(register.width()) * 2;
    let raw = record.get(first..first + width)?;
    Some(finish(point, raw, number(register, raw)))
}

/// The number in the registers; `None` where they do not form one of the type.
fn number(point: &Register, raw: &[u8]) -> Option<Number> {
    let mut words: Vec<[u8; 2]> = raw.as_chunks().0.to_vec();
    let (low_first, swapped) = match point.word_order {
        WordOrder::HighFirst => (false, false),
        WordOrder::LowFirst => (true, false),
        WordOrder::HighFirstSwapped => (false, true),
        WordOrder::LowFirstSwapped => (true, true),
    };
    if low_first {
        words.reverse();
    }
    if swapped {
        words.iter_mut().for_each(|word| word.reverse());
    }
    let bits = words.iter().fold(0_u64, |bits, bytes| {
        bits << 16 | u64::from(u16::from_be_bytes(*bytes))
    });
    let signed = |width: u32| {
        let unused = 64 - width;
        Number::Whole(i128::from((bits << unused).cast_signed() >> unused))
    };
    Some(match point.value {
        ValueType::Bit => Number::Whole((bits < 2).then(|| i128::from(bits))?),
        ValueType::U16 | ValueType::U32 | ValueType::U64 => {
            Number::Whole(i128::from(chosen(bits, point.bits)))
        }
        ValueType::I16 => signed(16),
        ValueType::I32 => signed(32),
        ValueType::I64 => signed(64),
        ValueType::Bcd16 | ValueType::Bcd32 | ValueType::Bcd64 => Number::Whole(digits(bits)?),
        ValueType::F32 => {
            let value = f32::from_bits(u32::try_from(bits).ok()?);
            Number::written(&format!("{value:e}"))?
        }
        ValueType::F64 => Number::written(&format!("{:e}", f64::from_bits(bits)))?,
    })
}

/// A number before its scale.
enum Number {
    Whole(i128),
    /// Digits and a power of ten, as a floating-point number is written in the fewest digits.
    Written(i128, i32),
}

impl Number {
    /// The shortest decimal that reads back as the same floating-point number, as `-1.5e-5`; `None` of what is none,
    /// an infinity or NaN.
    fn written(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i128 = [whole, fraction].concat().parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        Some(Self::Written(
            digits,
            exponent.parse::<i32>().ok()? - places,
        ))
    }

    /// The exact decimal; `None` where none holds it.
    fn decimal(&self) -> Option<Decimal> {
        match self {
            Self::Whole(number) => Decimal::new(*number, 0).ok(),
            Self::Written(0, _) => Decimal::new(0, 0).ok(),
            Self::Written(digits, exponent) => {
                // Whole numbers are written out, and so is what is larger than any exponent.
                let zeros = u32::try_from(*exponent).unwrap_or(0);
                let written = 10_i128
                    .checked_pow(zeros)
                    .and_then(|factor| digits.checked_mul(factor))
                    .and_then(|digits| Decimal::new(digits, 0).ok());
                let as_is = || Decimal::new(*digits, i8::try_from(*exponent).ok()?).ok();
                written.filter(|_| *exponent >= 0).or_else(as_is)
            }
        }
    }
}

/// The bits that are the value.
const fn chosen(bits: u64, field: Option<BitField>) -> u64 {
    let Some(BitField { low, high }) = field else {
        return bits;
    };
    let width = high.saturating_sub(low);
    let mask = if width >= 63 {
        u64::MAX
    } else {
        (1 << (width + 1)) - 1
    };
    bits >> (low & 63) & mask
}

/// Binary-coded decimal: each four bits are a digit; `None` where one is not.
fn digits(bits: u64) -> Option<i128> {
    (0..16).rev().try_fold(0_i128, |number, place| {
        let digit = bits >> (place * 4) & 0xf;
        (digit < 10).then(|| number * 10 + i128::from(digit))
    })
}

fn finish(point: &Point, raw: &[u8], number: Option<Number>) -> Decoded {
    let number = number.ok_or(QualityReason::Undecodable);
    let number = number.and_then(|number| number.decimal().ok_or(QualityReason::Overflow));
    scaled(point, raw, number)
}

/// A point's number, scaled and held against its range; or why there is none. What is carried has none.
pub(crate) fn scaled(point: &Point, raw: &[u8], number: Result<Decimal, QualityReason>) -> Decoded {
    let raw = Blob::from(raw);
    if point.content_type.is_some() {
        return Decoded {
            raw,
            value: None,
            quality: Quality::GOOD,
        };
    }
    let bad = |reason| Quality::invalid(reason);
    let overflow = QualityReason::Overflow;
    let scaled = number.and_then(|number| number.checked_mul(point.scale).map_err(|_| overflow));
    let value = match scaled {
        Ok(value) => value,
        Err(reason) => {
            return Decoded {
                raw,
                value: None,
                quality: bad(reason),
            };
        }
    };
    let outside = point
        .range
        .is_some_and(|(low, high)| value.cmp_value(low).is_lt() || value.cmp_value(high).is_gt());
    Decoded {
        raw,
        value: Some(value),
        quality: if outside {
            bad(QualityReason::OutOfRange)
        } else {
            Quality::GOOD
        },
    }
}

#[cfg(test)]
mod tests;
