//! A line to which somebody listens, with any bytes and any pauses: every byte comes out once, in order, and what is
//! called a frame is one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modbus::rtu::{self, Listener, Role, Timing};

fuzz_target!(|data: &[u8]| {
    let mut listener = Listener::new(Timing::from_baud(9_600), 1_000_000);
    let mut now_ns: u64 = 0;
    let (mut sent, mut heard) = (Vec::new(), Vec::new());
    let mut rest = data;
    // A pause, a length, that many bytes; and again.
    while let [pause, len, tail @ ..] = rest {
        let (bytes, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        now_ns += u64::from(*pause) * 100_000;
        sent.extend_from_slice(bytes);
        heard.extend(listener.poll(now_ns));
        heard.extend(listener.feed(bytes, now_ns));
        rest = tail;
    }
    heard.extend(listener.cut());
    assert!(listener.deadline_ns().is_none());
    for one in &heard {
        assert_eq!(one.role == Role::Damaged, rtu::decode(&one.bytes).is_err() || one.bytes.len() < 4);
        assert!(one.begun_ns <= one.ended_ns);
    }
    let got: Vec<u8> = heard.into_iter().flat_map(|one| one.bytes).collect();
    assert_eq!(got, sent);
});
