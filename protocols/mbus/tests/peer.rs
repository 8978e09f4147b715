//! The same records, read by a decoder that others wrote from the same standard.

use fieldnotary_mbus::application::ByteOrder;
use fieldnotary_mbus::link::Direction;
use fieldnotary_mbus::record::{self, Function, Raw, Record, Value};
use m_bus_application_layer::data_information::{DataType, FunctionField, SingleEveryOrInvalid};
use m_bus_application_layer::parse_data_records;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

/// A number with no fraction beyond this is not exact in a double, which is what the peer has.
const EXACT_MAX: i128 = 1 << 53;

fn ours(bytes: &[u8]) -> (Vec<Record<'_>>, bool) {
    let (records, fault) = record::records(bytes, 0, ByteOrder::LowFirst, Direction::FromMeter);
    (records, fault.is_none())
}

/// A date in our form, where all its parts are plain numbers.
fn date(data: &DataType<'_>) -> Option<String> {
    use SingleEveryOrInvalid::Single;
    Some(match data {
        DataType::Date(Single(day), Single(month), Single(year)) => {
            format!("{year:04}-{:02}-{day:02}", *month as u8 + 1)
        }
        DataType::DateTime(
            Single(day),
            Single(month),
            Single(year),
            Single(hour),
            Single(minute),
        ) => {
            let month = *month as u8 + 1;
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00")
        }
        _ => return None,
    })
}

/// Bytes of data for a DIF: any, or digits where the coding has them.
fn data() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let digits = (0_u8..=9, 0_u8..=9).prop_map(|(high, low)| high << 4 | low);
    let binary = prop_oneof![
        Just((1, 1)),
        Just((2, 2)),
        Just((3, 3)),
        Just((4, 4)),
        Just((6, 6)),
        Just((7, 8)),
    ]
    .prop_flat_map(|(dif, count)| (Just(dif), vec(any::<u8>(), count)));
    let bcd = prop_oneof![
        Just((0x9, 1)),
        Just((0xA, 2)),
        Just((0xB, 3)),
        Just((0xC, 4)),
        Just((0xE, 6))
    ]
    .prop_flat_map(move |(dif, count)| (Just(dif), vec(digits.clone(), count)));
    prop_oneof![binary, bcd]
}

/// VIF whose unit both sides have: volume, power, flow, temperatures, pressure, voltage, current.
fn vif() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0x10_u8..=0x17).prop_map(|vif| vec![vif]),
        (0x28_u8..=0x2F).prop_map(|vif| vec![vif]),
        (0x38_u8..=0x3F).prop_map(|vif| vec![vif]),
        (0x50_u8..=0x6B).prop_map(|vif| vec![vif]),
        (0x40_u8..=0x5F).prop_map(|vif| vec![0xFD, vif]),
    ]
}

proptest! {
    #[test]
    fn numbers_and_their_places_are_the_same(
        (dif, data) in data(),
        function in 0_u8..=3,
        storage in any::<bool>(),
        difes in vec(0_u8..=0x7F, 0..=4),
        vif in vif(),
    ) {
        let mut bytes = vec![dif | function << 4 | u8::from(storage) << 6];
        bytes.extend(&difes);
        let extended = bytes.len() - 1;
        bytes[..extended].iter_mut().for_each(|byte| *byte |= 0x80);
        bytes.extend(&vif);
        bytes.extend(&data);
        let (records, whole) = ours(&bytes);
        prop_assert!(whole && records.len() == 1);
        let record = &records[0];
        let peers: Vec<_> = parse_data_records(&bytes).collect();
        prop_assert_eq!(peers.len(), 1);
        let peer = peers[0].as_ref().unwrap();
        let information = peer.data_information().unwrap();
        prop_assert_eq!(record.storage, information.storage_number);
        prop_assert_eq!(u64::from(record.tariff), information.tariff);
        prop_assert_eq!(u64::from(record.device), information.device);
        let theirs = match information.function_field {
            FunctionField::InstantaneousValue => Function::Instantaneous,
            FunctionField::MaximumValue => Function::Maximum,
            FunctionField::MinimumValue => Function::Minimum,
            _ => Function::ErrorState,
        };
        prop_assert_eq!(record.function, theirs);
        prop_assert_eq!(record.bytes, peer.raw_bytes());
        let (Raw::Number(raw), Value::Number(value)) = (&record.raw, &record.value) else {
            panic!("{record:?}");
        };
        let Some(DataType::Number(number) | DataType::LossyNumber(number)) = peer.value() else {
            panic!("{peer:?}");
        };
        if raw.mantissa.abs() < EXACT_MAX {
            prop_assert_eq!(raw.to_string().parse::<f64>().unwrap(), *number);
        }
        let scale = peer.value_information().unwrap().decimal_scale_exponent;
        prop_assert_eq!(isize::try_from(value.exponent - raw.exponent).unwrap(), scale);
    }

    // Years from 81 on are the last century's to us, as the standard advises; to the peer they are this one's.
    #[test]
    fn dates_are_the_same(day in 1_u8..=28, month in 1_u8..=12, year in 0_u8..=80, hour in 0_u8..=23, minute in 0_u8..=59) {
        let low = day | year << 5;
        let high = month | year >> 3 << 4;
        for bytes in [vec![0x02, 0x6C, low, high], vec![0x04, 0x6D, minute, hour, low, high]] {
            let (records, _) = ours(&bytes);
            let Value::Moment(moment) = &records[0].value else {
                panic!("{records:?}");
            };
            let peers: Vec<_> = parse_data_records(&bytes).collect();
            let peer = peers[0].as_ref().unwrap();
            prop_assert_eq!(Some(moment.to_string()), date(peer.value().unwrap()));
        }
    }
}
