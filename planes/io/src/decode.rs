//! From registers and bits to raw bytes, an exact value and its quality.

use alloc::vec::Vec;
use contract::{Point, ValueType, WordOrder};
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
    let skip = usize::from(point.address.checked_sub(first)?);
    let width = usize::from(point.value.width());
    match response {
        Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers) => {
            let bytes = registers.as_bytes();
            let raw = bytes.get(skip * 2..(skip + width) * 2)?;
            Some(finish(point, raw, number(point, raw)))
        }
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            let state = bits.states().nth(skip)?;
            let raw = [u8::from(state)];
            let number = (point.value == ValueType::Bit).then(|| i128::from(state));
            Some(finish(point, &raw, number))
        }
        Response::WriteSingleCoil { .. }
        | Response::WriteSingleRegister { .. }
        | Response::WriteMultipleCoils(_)
        | Response::WriteMultipleRegisters(_)
        | Response::Exception { .. } => None,
    }
}

/// The whole number in the registers; `None` where they do not form one of the type.
fn number(point: &Point, raw: &[u8]) -> Option<i128> {
    let mut words: Vec<[u8; 2]> = raw.as_chunks().0.to_vec();
    if point.word_order == WordOrder::LowFirst {
        words.reverse();
    }
    let bits = words.iter().fold(0_u64, |bits, word| {
        bits << 16 | u64::from(u16::from_be_bytes(*word))
    });
    let signed = |width: u32| {
        let unused = 64 - width;
        i128::from((bits << unused).cast_signed() >> unused)
    };
    match point.value {
        ValueType::Bit => (bits < 2).then(|| i128::from(bits)),
        ValueType::U16 | ValueType::U32 | ValueType::U64 => Some(i128::from(bits)),
        ValueType::I16 => Some(signed(16)),
        ValueType::I32 => Some(signed(32)),
        ValueType::I64 => Some(signed(64)),
    }
}

fn finish(point: &Point, raw: &[u8], number: Option<i128>) -> Decoded {
    let raw = Blob::from(raw);
    let bad = |reason| Quality::invalid(reason);
    let Some(number) = number else {
        return Decoded {
            raw,
            value: None,
            quality: bad(QualityReason::Undecodable),
        };
    };
    let scaled = Decimal::new(number, 0).and_then(|number| number.checked_mul(point.scale));
    let Ok(value) = scaled else {
        return Decoded {
            raw,
            value: None,
            quality: bad(QualityReason::Overflow),
        };
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
mod tests {
    use super::{Decoded, decode};
    use crate::tests::point;
    use contract::{Table, ValueType, WordOrder};
    use evidence::reasons::QualityReason;
    use evidence::{Decimal, Quality};
    use modbus::pdu::{PackedBits, Registers, Response};
    use std::string::{String, ToString};

    fn registers(values: &[u16]) -> Response {
        Response::ReadHoldingRegisters(Registers::from_values(values).unwrap())
    }

    fn text(decoded: &Decoded) -> String {
        decoded.value.map(|value| value.to_string()).unwrap()
    }

    //= A2.1
    #[test]
    fn every_type_and_word_order_is_exact() {
        use ValueType::{Bit, I16, I32, I64, U16, U32, U64};
        use WordOrder::{HighFirst, LowFirst};
        for (value, order, words, scale, expected) in [
            (U16, HighFirst, &[0xFFFF_u16][..], "1", "65535"),
            (I16, HighFirst, &[0xFFFF], "0.1", "-0.1"),
            (I16, HighFirst, &[0x7FFF], "1", "32767"),
            (U32, HighFirst, &[0x0001, 0x0002], "0.01", "655.38"),
            (U32, LowFirst, &[0x0002, 0x0001], "0.01", "655.38"),
            (I32, HighFirst, &[0xFFFF, 0xFFFE], "1", "-2"),
            (I32, LowFirst, &[0xFFFE, 0xFFFF], "1", "-2"),
            (U64, HighFirst, &[0xFFFF; 4], "1", "18446744073709551615"),
            (U64, LowFirst, &[4, 3, 2, 1], "1", "281483566841860"),
            (I64, HighFirst, &[0xFFFF; 4], "0.001", "-0.001"),
            (
                I64,
                HighFirst,
                &[0x8000, 0, 0, 0],
                "1",
                "-9223372036854775808",
            ),
            (Bit, HighFirst, &[1], "1", "1"),
        ] {
            let mut point = point("p", Table::Holding, 100, value);
            point.word_order = order;
            point.scale = scale.parse().unwrap();
            let decoded = decode(&point, 100, &registers(words)).unwrap();
            assert_eq!(text(&decoded), expected, "{value:?} {order:?}");
            assert_eq!(decoded.quality, Quality::GOOD);
            assert_eq!(decoded.raw.0.len(), words.len() * 2);
        }
    }

    //= A2.1
    #[test]
    fn a_point_is_taken_from_its_own_address_and_no_other() {
        let point = point("p", Table::Holding, 12, ValueType::U16);
        let reply = registers(&[10, 11, 12, 13]);
        assert_eq!(text(&decode(&point, 10, &reply).unwrap()), "12");
        assert_eq!(decode(&point, 13, &reply), None);
        assert_eq!(decode(&point, 8, &reply), None);
    }

    //= R3.4
    #[test]
    fn what_cannot_be_used_says_why_and_keeps_the_raw_bytes() {
        let mut ranged = point("p", Table::Holding, 0, ValueType::U16);
        ranged.range = Some(("1".parse().unwrap(), "10.0".parse().unwrap()));
        for (word, quality) in [
            (0, Quality::invalid(QualityReason::OutOfRange)),
            (1, Quality::GOOD),
            (10, Quality::GOOD),
            (11, Quality::invalid(QualityReason::OutOfRange)),
        ] {
            let decoded = decode(&ranged, 0, &registers(&[word])).unwrap();
            assert_eq!(decoded.quality, quality, "{word}");
            assert_eq!(text(&decoded), word.to_string());
        }
        let mut wide = point("p", Table::Holding, 0, ValueType::U64);
        wide.scale = Decimal::new(10, 0).unwrap();
        let decoded = decode(&wide, 0, &registers(&[0xFFFF; 4])).unwrap();
        assert_eq!(decoded.quality, Quality::invalid(QualityReason::Overflow));
        assert_eq!((decoded.value, decoded.raw.0.len()), (None, 8));
        let bit = point("p", Table::Holding, 0, ValueType::Bit);
        let decoded = decode(&bit, 0, &registers(&[2])).unwrap();
        assert_eq!(
            decoded.quality,
            Quality::invalid(QualityReason::Undecodable)
        );
    }

    //= A2.1
    #[test]
    fn bits_are_one_byte_each() {
        let states = [
            true, false, true, true, false, false, false, false, false, true,
        ];
        let reply = Response::ReadCoils(PackedBits::pack(&states).unwrap());
        for (at, state) in (20..).zip(states) {
            let point = point("p", Table::Coil, at, ValueType::Bit);
            let decoded = decode(&point, 20, &reply).unwrap();
            assert_eq!(decoded.raw.0, [u8::from(state)]);
            assert_eq!(text(&decoded), u8::from(state).to_string());
        }
    }
}
