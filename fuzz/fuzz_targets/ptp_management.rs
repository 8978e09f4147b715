//! A round of questions to ptp4l, answered by anything: it ends, and one question is out at a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use time_plane::ptp::{Accepted, Client, Round, decode};

fuzz_target!(|data: &[u8]| {
    let _ = decode(data);
    let [port, domain, first, rest @ ..] = data else {
        return;
    };
    let mut rest = rest;
    let client = Client {
        port: u16::from(*port),
        domain: *domain,
        transport_specific: 0,
    };
    let mut round = Round::new(client, u16::from(*first));
    let mut questions = 0;
    while let Some(request) = round.request() {
        questions += 1;
        assert!(round.request().is_none());
        // A length and that many bytes of an answer to this very question; nothing is silence.
        while round.is_waiting() {
            let [high, low, tail @ ..] = rest else {
                round.give_up();
                break;
            };
            // The counters of a port alone are more than a byte can count.
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let (bytes, tail) = tail.split_at(len.min(tail.len()));
            rest = tail;
            let mut answer = request.to_vec();
            answer.truncate(36);
            answer.extend_from_slice(&[0; 6]);
            answer.extend_from_slice(&request[28..30]);
            answer.extend_from_slice(&[0, 0, 2, 0]);
            answer.extend_from_slice(bytes);
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            answer[2..4].copy_from_slice(&length.to_be_bytes());
            if round.accept(&answer) == Accepted::Foreign {
                round.give_up();
            }
        }
    }
    assert!(round.is_complete());
    assert!(questions <= usize::from(Round::SEQUENCES));
    let _ = round.finish();
});
