//! Any bytes as data records, in both byte orders and directions: each byte belongs to one record, or is
//! a filler, or lies behind the fault.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mbus::application::{Application, ByteOrder};
use mbus::link::Direction;
use mbus::record::{self, Value};

fuzz_target!(|data: &[u8]| {
    if let Ok((application, _)) = Application::decode(data, 0) {
        assert!(application.records_at <= data.len());
    }
    let Some((mode, bytes)) = data.split_first() else {
        return;
    };
    let order = match mode & 1 {
        0 => ByteOrder::LowFirst,
        _ => ByteOrder::HighFirst,
    };
    let direction = match mode & 2 {
        0 => Direction::FromMeter,
        _ => Direction::ToMeter,
    };
    let (records, fault) = record::records(bytes, 0, order, direction);
    let mut next = 0;
    for record in &records {
        let between = bytes.get(next..record.offset).unwrap();
        assert!(between.iter().all(|byte| *byte == 0x2F));
        next = record.offset + record.bytes.len();
        assert_eq!(bytes.get(record.offset..next), Some(record.bytes));
        if let Value::Number(number) = &record.value {
            assert!(!number.to_string().is_empty());
        }
    }
    match fault {
        Some(fault) => assert!((next..=bytes.len()).contains(&fault.at)),
        None => assert!(bytes[next..].iter().all(|byte| *byte == 0x2F)),
    }
});
