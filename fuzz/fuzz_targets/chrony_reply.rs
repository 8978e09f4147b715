//! A round of questions to chronyd, answered by anything: it ends, and one question is out at a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use time_plane::chrony::{Query, Round, decode, scaled};
use time_plane::limits::CHRONY_SOURCES_MAX;

fuzz_target!(|data: &[u8]| {
    for query in [Query::Tracking, Query::SourceCount, Query::Source(0)] {
        let _ = decode(query, data);
    }
    if let [a, b, c, d, ..] = data {
        let _ = scaled(u32::from_be_bytes([*a, *b, *c, *d]), u32::MAX);
    }
    let mut rest = data;
    let mut round = Round::new(0);
    let mut questions = 0;
    while let Some(request) = round.request() {
        questions += 1;
        assert!(round.request().is_none());
        // Status, a length and that many bytes of an answer to this very question; nothing is silence.
        let [status, len, tail @ ..] = rest else {
            round.give_up();
            break;
        };
        let (bytes, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = tail;
        let asked = request.bytes();
        let reply = match asked[5] {
            14 => 2,
            15 => 3,
            _ => 5,
        };
        let mut answer = vec![6, 2, 0, 0, asked[4], asked[5], 0, reply, 0, *status];
        answer.extend_from_slice(&[0; 6]);
        answer.extend_from_slice(&asked[8..12]);
        answer.extend_from_slice(&[0; 8]);
        answer.extend_from_slice(bytes);
        round.accept(&answer);
        if round.is_waiting() {
            round.give_up();
        }
    }
    assert!(round.is_complete());
    assert!(questions <= CHRONY_SOURCES_MAX + 2);
    let _ = round.finish();
});
