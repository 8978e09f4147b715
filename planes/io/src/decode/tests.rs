//! Every type of register, exactly, and what is none.

use super::{Decoded, decode};
use crate::tests::{point, register};
use contract::{BitField, Table, ValueType, WordOrder};
use evidence::reasons::QualityReason;
use evidence::{Decimal, Quality};
use modbus::pdu::{PackedBits, Registers, Response};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
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
    use ValueType::{Bcd16, Bcd32, Bcd64, Bit, F32, F64, I16, I32, I64, U16, U32, U64};
    use WordOrder::{HighFirst, HighFirstSwapped, LowFirst, LowFirstSwapped};
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
        (U16, HighFirstSwapped, &[0x1234], "1", "13330"),
        (U32, HighFirstSwapped, &[0x0100, 0x0200], "1", "65538"),
        (U32, LowFirstSwapped, &[0x0200, 0x0100], "1", "65538"),
        (Bcd16, HighFirst, &[0x9876], "0.1", "987.6"),
        (Bcd32, LowFirst, &[0x5678, 0x1234], "1", "12345678"),
        (Bcd64, HighFirst, &[0x9999; 4], "1", "9999999999999999"),
        (F32, HighFirst, &[0x3DCC, 0xCCCD], "1", "0.1"),
        (F32, LowFirst, &[0xF5C3, 0xC048], "1", "-3.14"),
        (F32, HighFirst, &[0x4B80, 0x0000], "1", "16777216"),
        (F32, HighFirst, &[0x8000, 0x0000], "1", "0"),
        (F32, LowFirstSwapped, &[0xCDCC, 0xCC3D], "0.001", "0.0001"),
        (
            F64,
            HighFirst,
            &[0x3FB9, 0x9999, 0x9999, 0x999A],
            "1",
            "0.1",
        ),
    ] {
        let mut point = point("p", Table::Holding, 100, value);
        register(&mut point).word_order = order;
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

//= U7
#[test]
fn registers_that_are_carried_are_their_bytes_and_no_number() {
    let mut block = point("p", Table::Holding, 11, ValueType::U16);
    block.content_type = Some("application/octet-stream".into());
    register(&mut block).registers = Some(3);
    let decoded = decode(&block, 10, &registers(&[10, 0xA1B2, 0, 0xFFFF, 14])).unwrap();
    assert_eq!(decoded.raw.0, [0xA1, 0xB2, 0, 0, 0xFF, 0xFF]);
    assert_eq!((decoded.value, decoded.quality), (None, Quality::GOOD));
    // A reply that ends within it is no payload.
    assert_eq!(decode(&block, 10, &registers(&[10, 11, 12])), None);
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

fn f32_registers(value: f32) -> Response {
    let [a, b, c, d] = value.to_be_bytes();
    registers(&[u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
}

//= R3.4
#[test]
fn what_is_no_number_of_its_type_has_no_value() {
    use ValueType::{Bcd16, Bcd32, F32};
    let undecodable = Quality::invalid(QualityReason::Undecodable);
    let overflow = Quality::invalid(QualityReason::Overflow);
    for (value, reply, quality) in [
        (Bcd16, registers(&[0x12A4]), undecodable),
        (Bcd32, registers(&[0xF000, 0]), undecodable),
        (F32, f32_registers(f32::NAN), undecodable),
        (F32, f32_registers(f32::INFINITY), undecodable),
        (F32, f32_registers(f32::NEG_INFINITY), undecodable),
        // No decimal of ours is so small.
        (F32, f32_registers(1e-40), overflow),
        (F32, f32_registers(f32::MAX), overflow),
    ] {
        let decoded = decode(&point("p", Table::Holding, 0, value), 0, &reply).unwrap();
        assert_eq!(
            (decoded.value, decoded.quality),
            (None, quality),
            "{value:?}"
        );
        assert!(!decoded.raw.0.is_empty());
    }
}

//= A2.1
#[test]
fn bits_of_a_register_are_a_number_of_their_own() {
    for (value, words, (low, high), expected) in [
        (ValueType::U16, &[0b1010_1100_0000_0001_u16][..], (0, 0), 1),
        (ValueType::U16, &[0b1010_1100_0000_0001], (10, 13), 0b1011),
        (ValueType::U16, &[0xFFFF], (0, 15), 0xFFFF),
        (ValueType::U32, &[0x1234, 0x5678], (12, 19), 0x45),
        (ValueType::U64, &[0x8000, 0, 0, 1], (63, 63), 1),
        (ValueType::U64, &[0xFFFF; 4], (0, 63), u64::MAX),
    ] {
        let mut point = point("p", Table::Holding, 0, value);
        register(&mut point).bits = Some(BitField { low, high });
        let decoded = decode(&point, 0, &registers(words)).unwrap();
        assert_eq!(text(&decoded), expected.to_string(), "{low} to {high}");
        assert_eq!(
            decoded.raw.0.len(),
            words.len() * 2,
            "the raw bytes are whole"
        );
    }
}

proptest! {
    /// The decimal reads back as the same number, whatever the float.
    //= A2.1
    #[test]
    fn a_float_register_is_the_decimal_that_reads_back_as_it(bits in any::<u32>()) {
        let value = f32::from_bits(bits);
        let decoded = decode(&point("p", Table::Holding, 0, ValueType::F32), 0, &f32_registers(value)).unwrap();
        match decoded.value {
            Some(decimal) => {
                let back: f32 = decimal.to_string().parse().unwrap();
                prop_assert_eq!(back, value);
            }
            None => prop_assert!(!value.is_finite() || value.abs() > 1e18 || value.abs() < 1e-20),
        }
    }

    /// No registers are a panic.
    #[test]
    fn any_registers_decode_or_say_why_not(words in proptest::array::uniform4(any::<u16>()), kind in 0usize..12) {
        use ValueType::{Bcd16, Bcd32, Bcd64, Bit, F32, F64, I16, I32, I64, U16, U32, U64};
        let kinds = [Bit, U16, I16, U32, I32, U64, I64, F32, F64, Bcd16, Bcd32, Bcd64];
        let decoded = decode(&point("p", Table::Holding, 0, kinds[kind]), 0, &registers(&words)).unwrap();
        prop_assert_eq!(decoded.value.is_some(), decoded.quality == Quality::GOOD);
    }
}
