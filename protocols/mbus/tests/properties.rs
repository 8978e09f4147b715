//! Whatever comes in: no panic, every byte accounted for, and what is written reads the same.

use fieldnotary_mbus::application::ByteOrder;
use fieldnotary_mbus::decimal::Decimal;
use fieldnotary_mbus::link::{self, Control, Direction, Frame};
use fieldnotary_mbus::record;
use fieldnotary_mbus::telegram::Telegram;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

proptest! {
    #[test]
    fn a_frame_that_is_written_is_read_as_itself(
        control in any::<u8>(),
        address in any::<u8>(),
        payload in vec(any::<u8>(), 1..=253),
    ) {
        let control = Control::new(control);
        for frame in [
            Frame::Ack,
            Frame::Short { control, address },
            Frame::Long { control, address, payload: &payload },
        ] {
            let bytes = link::encode(&frame).unwrap();
            prop_assert_eq!(link::decode(&bytes), Ok(frame));
        }
    }

    //= A4.1
    #[test]
    fn a_turned_bit_or_a_lost_byte_is_never_read_as_a_frame(
        payload in vec(any::<u8>(), 1..=60),
        bit in any::<u16>(),
    ) {
        let frame = Frame::Long { control: Control::new(8), address: 1, payload: &payload };
        let whole = link::encode(&frame).unwrap();
        let mut turned = whole.clone();
        let place = usize::from(bit) % (turned.len() * 8);
        turned[place / 8] ^= 1 << (place % 8);
        prop_assert!(link::decode(&turned).is_err());
        prop_assert!(link::decode(&whole[..whole.len() - 1]).is_err());
        prop_assert!(link::decode(&whole[1..]).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        let telegram = Telegram::read(&bytes);
        prop_assert_eq!(telegram.is_valid(), telegram.faults.is_empty());
        for fault in &telegram.faults {
            prop_assert!(fault.at <= bytes.len(), "{}", fault);
        }
    }

    #[test]
    fn no_payload_makes_it_panic(ci in any::<u8>(), data in vec(any::<u8>(), 0..=252)) {
        let payload = [&[ci][..], &data].concat();
        let frame = Frame::Long { control: Control::new(8), address: 1, payload: &payload };
        let bytes = link::encode(&frame).unwrap();
        let telegram = Telegram::read(&bytes);
        prop_assert_eq!(telegram.frame, Some(frame));
        for fault in &telegram.faults {
            prop_assert!(fault.at <= bytes.len(), "{}", fault);
        }
    }

    #[test]
    fn records_stand_one_behind_the_other(bytes in vec(any::<u8>(), 0..250), high in any::<bool>()) {
        let order = if high { ByteOrder::HighFirst } else { ByteOrder::LowFirst };
        let (records, fault) = record::records(&bytes, 0, order, Direction::FromMeter);
        let mut next = 0;
        for record in &records {
            // Between records there are fillers and nothing else.
            prop_assert!(bytes[next..record.offset].iter().all(|byte| *byte == 0x2F));
            prop_assert!(!record.bytes.is_empty());
            next = record.offset + record.bytes.len();
            prop_assert_eq!(&bytes[record.offset..next], record.bytes);
        }
        if let Some(fault) = fault {
            prop_assert!((next..=bytes.len()).contains(&fault.at));
        } else {
            prop_assert!(bytes[next..].iter().all(|byte| *byte == 0x2F));
        }
    }

    #[test]
    fn a_decimal_reads_back_as_its_number(mantissa in any::<i64>(), exponent in -12_i32..6) {
        let decimal = Decimal { mantissa: i128::from(mantissa), exponent };
        let text = decimal.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let places = i32::try_from(fraction.len()).unwrap();
        let read: i128 = format!("{whole}{fraction}").parse().unwrap();
        let read = Decimal { mantissa: read, exponent: -places };
        prop_assert_eq!(read.shortest(), decimal.shortest());
    }

    #[test]
    fn a_single_is_not_changed_on_its_way(bits in any::<u32>()) {
        let single = f32::from_bits(bits);
        match Decimal::from_single(single) {
            Some(decimal) => {
                let text = format!("{}e{}", decimal.mantissa, decimal.exponent);
                prop_assert_eq!(text.parse::<f64>().unwrap(), f64::from(single));
            }
            None => prop_assert!(!single.is_finite()),
        }
    }
}
