//! A serial line with any bytes and any pauses: every byte comes out once, in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modbus::rtu::{self, Direction, End, FrameReader, Timing};

fuzz_target!(|data: &[u8]| {
    if let Ok(frame) = rtu::decode(data) {
        assert_eq!(rtu::encode(frame.unit, frame.pdu), data);
    }
    for direction in [Direction::Replies, Direction::Requests] {
        let mut reader = FrameReader::new(direction, Timing::from_baud(9_600));
        let mut now_ns: u64 = 0;
        let (mut sent, mut got) = (Vec::new(), Vec::new());
        let mut rest = data;
        // A pause, a length, that many bytes; and again.
        while let [pause, len, tail @ ..] = rest {
            let (bytes, tail) = tail.split_at(usize::from(*len).min(tail.len()));
            now_ns += u64::from(*pause) * 100_000;
            sent.extend_from_slice(bytes);
            for captured in reader.feed(bytes, now_ns) {
                if captured.end == End::Length {
                    assert!(rtu::decode(&captured.bytes).is_ok());
                }
                got.extend_from_slice(&captured.bytes);
            }
            rest = tail;
        }
        got.extend(reader.cut().into_iter().flat_map(|captured| captured.bytes));
        assert_eq!(got, sent);
    }
});
