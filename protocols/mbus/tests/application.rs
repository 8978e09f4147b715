//! CI fields, headers, the fixed data structure, reports and selections.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use fieldnotary_mbus::application::{
    Content, Status, Unit, application_error, ci_name, fixed_medium, fixed_unit, identification,
    medium,
};
use fieldnotary_mbus::fault::{Cause, Layer};
use fieldnotary_mbus::link::{self, Control, Frame};
use fieldnotary_mbus::record::{Function, Value};
use fieldnotary_mbus::telegram::Telegram;

fn frame(control: u8, payload: &[u8]) -> Vec<u8> {
    let control = Control::new(control);
    let frame = Frame::Long {
        control,
        address: 5,
        payload,
    };
    link::encode(&frame).unwrap()
}

/// What a fault says, and where it is.
fn faults(telegram: &Telegram<'_>) -> Vec<(Layer, usize, Cause)> {
    telegram
        .faults
        .iter()
        .map(|fault| (fault.layer, fault.at, fault.cause))
        .collect()
}

const LONG: [u8; 13] = [
    0x72, 0x78, 0x56, 0x34, 0x02, 0x24, 0x40, 0x01, 0x07, 0x55, 0x14, 0x00, 0x00,
];

//= A3.2
#[test]
fn a_long_header_is_read_in_both_modes() {
    let low_first = frame(8, &LONG);
    let high_first = frame(
        8,
        &[
            0x76, 0x02, 0x34, 0x56, 0x78, 0x40, 0x24, 0x01, 0x07, 0x55, 0x14, 0, 0,
        ],
    );
    for bytes in [low_first, high_first] {
        let telegram = Telegram::read(&bytes);
        assert!(telegram.is_valid() && telegram.records.is_empty());
        let Content::Records {
            header: Some(header),
            ..
        } = telegram.application.unwrap().content
        else {
            panic!("{telegram:?}");
        };
        let address = header.address.unwrap();
        assert_eq!(identification(address.id), "2345678");
        assert_eq!(address.manufacturer.to_string(), "PAD");
        assert_eq!(
            (address.version, medium(address.medium)),
            (1, Some("Water"))
        );
        assert_eq!(header.access_number, 0x55);
        assert_eq!(header.status.names(), ["power low", "temporary error"]);
        assert_eq!(header.configuration, 0);
    }
}

#[test]
fn numbers_of_mode_2_come_high_first() {
    let mut payload = vec![
        0x76, 0x02, 0x34, 0x56, 0x78, 0x40, 0x24, 0x01, 0x07, 0x55, 0x14, 0, 0,
    ];
    payload.extend([0x04, 0x13, 0x00, 0x00, 0x01, 0x00]);
    payload.extend([0x0A, 0x13, 0x12, 0x34]);
    payload.extend([0x04, 0x6D, 0x13, 0xCD, 0x0B, 0x0B]);
    payload.extend([0x0D, 0xFD, 0x11, 0x02, b'o', b'k']);
    let bytes = frame(8, &payload);
    let telegram = Telegram::read(&bytes);
    let values: Vec<String> = telegram
        .records
        .iter()
        .map(|record| match &record.value {
            Value::Number(number) => number.to_string(),
            Value::Moment(moment) => moment.to_string(),
            Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(values, ["0.256", "1.234", "2014-03-13T11:11:00", "ok"]);
}

#[test]
fn headers_that_are_cut_short_are_told_with_their_byte() {
    for (payload, at, part) in [
        (&LONG[..8], 14, "header of 12 bytes"),
        (&[0x7A, 1, 2][..], 9, "header of 4 bytes"),
        (
            &[0x73, 1, 2, 3, 4][..],
            11,
            "fixed data structure of 16 bytes",
        ),
        (&[0x52, 1, 2, 3][..], 10, "secondary address"),
        (&[0x71][..], 7, "alarm status"),
    ] {
        let bytes = frame(8, payload);
        let telegram = Telegram::read(&bytes);
        let [(Layer::Application, found_at, Cause::Ends { part: found, .. })] =
            faults(&telegram)[..]
        else {
            panic!("{telegram:?}");
        };
        assert_eq!((found_at, found), (at, part));
        assert!(telegram.application.is_none());
    }
}

#[test]
fn a_ci_field_that_is_not_known_is_a_fault_and_its_bytes_are_kept() {
    let bytes = frame(8, &[0xA5, 1, 2, 3]);
    let telegram = Telegram::read(&bytes);
    let due = (Layer::Application, 6, Cause::Ci { found: 0xA5 });
    assert_eq!(faults(&telegram), [due]);
    let content = telegram.application.unwrap().content;
    assert_eq!(content, Content::Bytes(&[1, 2, 3]));
}

#[test]
fn encrypted_records_are_not_read_as_values() {
    for mode in [5, 7] {
        let mut payload = LONG.to_vec();
        payload[11..].copy_from_slice(&[0x10, mode]);
        payload.extend([0x2F; 16]);
        let bytes = frame(8, &payload);
        let telegram = Telegram::read(&bytes);
        let due = (Layer::Application, 17, Cause::Encrypted { mode });
        assert_eq!(faults(&telegram), [due]);
        assert!(telegram.records.is_empty());
    }
    // A signature of old that only looks like a mode: what it announces is not there.
    let mut payload = LONG.to_vec();
    payload[11..].copy_from_slice(&[0x27, 0xB5]);
    payload.extend([0x01, 0x13, 0x07]);
    let bytes = frame(8, &payload);
    assert_eq!(Telegram::read(&bytes).records.len(), 1);
}

/// A fixed data structure with these status, medium and unit bytes, and counters.
fn fixed(status: u8, units: [u8; 2], counters: [u8; 8]) -> Vec<u8> {
    let mut payload = vec![0x73, 0x78, 0x56, 0x34, 0x12, 0x0A, status];
    payload.extend(units);
    payload.extend(counters);
    frame(8, &payload)
}

#[test]
fn the_fixed_data_structure_gives_two_counters_in_their_units() {
    let bytes = fixed(0x00, [0x05, 0x69], [0x31, 0x65, 0, 0, 0x69, 0, 0, 0]);
    let telegram = Telegram::read(&bytes);
    assert!(telegram.is_valid(), "{telegram:?}");
    let Content::Fixed(structure) = telegram.application.unwrap().content else {
        panic!("{telegram:?}");
    };
    assert_eq!(identification(structure.id), "12345678");
    assert_eq!(fixed_medium(structure.medium), Some("Heat"));
    assert_eq!(structure.access_number, 10);
    let shown: Vec<_> = telegram
        .records
        .iter()
        .map(|record| (record.offset, record.function, record.unit.clone().unwrap()))
        .collect();
    let actual = Function::Actual;
    assert_eq!(
        shown,
        [(15, actual, "kWh".into()), (19, actual, "l".into())]
    );
    assert_eq!(telegram.records[0].bytes, [0x31, 0x65, 0, 0]);
    let values: Vec<String> = telegram.records.iter().map(number).collect();
    assert_eq!(values, ["6531", "69"]);
}

fn number(record: &fieldnotary_mbus::record::Record<'_>) -> String {
    match &record.value {
        Value::Number(number) => number.to_string(),
        Value::Invalid(why) => why.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn counters_are_bcd_or_binary_of_now_or_of_a_set_date() {
    let binary = fixed(0x03, [0x2D, 0x3E], [0, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let telegram = Telegram::read(&binary);
    let values: Vec<String> = telegram.records.iter().map(number).collect();
    assert_eq!(values, ["2560", "42949672950"]);
    for record in &telegram.records {
        assert_eq!(record.function, Function::Stored);
        assert_eq!(record.unit.as_deref(), Some("m^3"));
    }
    let broken = fixed(0x00, [0x00, 0x3A], [0, 0, 0, 0, 0x0C, 0, 0, 0]);
    let telegram = Telegram::read(&broken);
    let values: Vec<String> = telegram.records.iter().map(number).collect();
    assert_eq!(
        values,
        [
            "a clock's digits, not read here",
            "Ch is no digit (place 1 from the right)"
        ]
    );
    let mut long = fixed(0x00, [0x05, 0x05], [0; 8]);
    long.truncate(long.len() - 2);
    let payload = [&long[6..], &[0xAA]].concat();
    let bytes = frame(8, &payload);
    let telegram = Telegram::read(&bytes);
    let part = "fixed data structure";
    let due = (Layer::Application, 23, Cause::Trailing { part, count: 1 });
    assert_eq!(faults(&telegram), [due]);
    assert_eq!(telegram.records.len(), 2, "what is sound before it is kept");
}

#[test]
fn units_of_fixed_counters() {
    for (code, unit) in [
        (0x00, Unit::Clock),
        (0x02, Unit::Of("Wh", 0)),
        (0x04, Unit::Of("Wh", 2)),
        (0x0A, Unit::Of("MWh", 2)),
        (0x13, Unit::Of("GJ", 2)),
        (0x17, Unit::Of("kW", 0)),
        (0x25, Unit::Of("GJ/h", 2)),
        (0x2A, Unit::Of("l", 1)),
        (0x37, Unit::Of("m^3/h", 2)),
        (0x38, Unit::Of("\u{b0}C", -3)),
        (0x39, Unit::Of("Units for H.C.A.", 0)),
        (0x3A, Unit::Reserved),
        (0x3D, Unit::Reserved),
        (0x3E, Unit::OtherStored),
        (0x3F, Unit::Of("-", 0)),
    ] {
        assert_eq!(fixed_unit(code), unit, "{code:02X}");
    }
}

//= A3.2
#[test]
fn reports_selections_resets_and_speeds() {
    let content = |control, payload: &[u8]| {
        let bytes = frame(control, payload);
        let telegram = Telegram::read(&bytes);
        assert!(telegram.is_valid(), "{telegram:?}");
        format!("{:?}", telegram.application.unwrap().content)
    };
    assert_eq!(content(8, &[0x70]), "Error(None)");
    assert_eq!(content(8, &[0x70, 8]), "Error(Some(8))");
    assert_eq!(content(8, &[0x71, 4]), "Alarm(4)");
    assert_eq!(content(0x53, &[0x50, 0x10]), "Reset(Some(16))");
    assert_eq!(content(0x53, &[0xB8]), "Speed(300)");
    assert_eq!(content(0x53, &[0xBD]), "Speed(9600)");
    let bytes = frame(
        0x53,
        &[0x52, 0xFF, 0xFF, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0x07],
    );
    let telegram = Telegram::read(&bytes);
    let Content::Selection { address, data } = telegram.application.unwrap().content else {
        panic!("{telegram:?}");
    };
    assert_eq!(identification(address.id), "1234FFFF");
    assert_eq!(
        (address.manufacturer.0, address.version, address.medium),
        (0xFFFF, 0xFF, 7)
    );
    assert!(data.is_empty());
    assert_eq!(
        application_error(Some(8)),
        "application too busy for the request"
    );
    assert_eq!(application_error(Some(200)), "reserved code");
    assert_eq!(ci_name(0xFE), None);
}

#[test]
fn a_status_names_its_bits() {
    assert_eq!(Status(0).names(), [""; 0]);
    assert_eq!(Status(1).names(), ["application busy"]);
    assert_eq!(
        Status(0xFE).names(),
        [
            "any application error",
            "power low",
            "permanent error",
            "temporary error",
            "manufacturer specific 1",
            "manufacturer specific 2",
            "manufacturer specific 3",
        ]
    );
    assert_eq!(Status(3).names(), ["abnormal condition or alarm"]);
}
