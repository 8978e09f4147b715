//! The replies of a chronyd 4.3, byte for byte, with what chronyc printed of them.

use super::{Accepted, Answer, Query, Round, decode, encode};
use crate::limits::CHRONY_SOURCES_MAX;
use crate::reading::{ChronyReading, ChronySourceState, Fault, LeapStatus};
use alloc::format;
use alloc::vec::Vec;
use evidence::UtcNs;
use proptest::prelude::{any, proptest};

const SEQUENCE: u32 = 7;
/// chronyc: 0A090001,10.9.0.1,2,1795894985.240057530,0.000001123,0.000000235,0.000000429,-0.033,0.004,
/// 0.110,0.000002690,0.000007881,1.0,Normal; the correction shrank between the two.
const TRACKING: &str = "0a090001 0a090001000000000000000000000000 0001 0000 0002 0000
    00000000 6b0b2ec9 0e4efcba dc969c0d d6fbd381 d8e62c69 fb7733fe f483aea1 fce0ff0c deb485d9 e281dd32
    04824302";
/// chronyc: #,?,OFF,0,0,0,4294967295,0.0,0.0,0.0
const REFCLOCK: &str = "4f464600000000000000000000000000 0001 0000 0000 0000 0001 0002 0000 0000
    ffffffff 00000000 00000000 00000000";
/// chronyc: ^,*,10.9.0.1,1,0,377,1,0.000000226,0.000000438,0.000001450
const SERVER: &str = "0a090001000000000000000000000000 0001 0000 0000 0001 0000 0000 0000 00ff
    00000001 d8eb2643 d6f2e664 dcc29060";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn framed(query: Query, status: u16, sequence: u32, data: &str) -> Vec<u8> {
    let (command, reply) = match query {
        Query::SourceCount => (14, 2),
        Query::Source(_) => (15, 3),
        Query::Tracking => (33, 5),
    };
    let reply = if status == 0 { reply } else { 1 };
    bytes(&format!(
        "06 02 0000 {command:04x} {reply:04x} {status:04x} 000000000000 {sequence:08x}
         0000000000000000 {data}"
    ))
}

fn answer(query: Query, sequence: u32) -> Vec<u8> {
    let data = match query {
        Query::Tracking => TRACKING,
        Query::SourceCount => "00000002",
        Query::Source(0) => REFCLOCK,
        Query::Source(_) => SERVER,
    };
    framed(query, 0, sequence, data)
}

fn asked(request: &[u8]) -> (Query, u32) {
    let sequence = u32::from_be_bytes(request[8..12].try_into().unwrap());
    let query = match request[5] {
        33 => Query::Tracking,
        14 => Query::SourceCount,
        15 => Query::Source(u32::from_be_bytes(request[20..24].try_into().unwrap())),
        other => panic!("asked for {other}"),
    };
    (query, sequence)
}

fn play(mut answers: impl FnMut(Query, u32) -> Vec<u8>) -> Result<ChronyReading, Fault> {
    let mut round = Round::new(u32::MAX);
    while let Some(request) = round.request() {
        assert!(round.request().is_none(), "one question at a time");
        let (query, sequence) = asked(request.bytes());
        let reply = answers(query, sequence);
        if reply.is_empty() {
            round.give_up();
        } else {
            assert_eq!(round.accept(&reply), Accepted::Taken);
        }
    }
    assert!(round.is_complete());
    round.finish()
}

#[test]
fn requests_are_as_long_as_their_replies() {
    for (query, head, len) in [
        (Query::Tracking, "06010000 0021 0000 00000007", 104),
        (Query::SourceCount, "06010000 000e 0000 00000007", 32),
        (Query::Source(3), "06010000 000f 0000 00000007", 76),
    ] {
        let request = encode(query, SEQUENCE);
        assert_eq!(request.bytes().len(), len);
        assert_eq!(request.bytes()[..12], bytes(head));
        assert_eq!(asked(request.bytes()), (query, SEQUENCE));
        assert_eq!(answer(query, 0).len(), len);
    }
}

#[test]
fn a_round_gives_what_chronyc_prints() {
    let reading = play(answer).unwrap();
    assert_eq!(reading.reference, [10, 9, 0, 1]);
    assert_eq!((reading.stratum, reading.leap), (2, LeapStatus::Normal));
    assert_eq!(reading.reference_time, UtcNs(1_795_894_985_240_057_530));
    assert_eq!(reading.correction_ns, 1_122);
    assert_eq!((reading.last_offset_ns, reading.rms_offset_ns), (235, 429));
    assert_eq!((reading.frequency_ppb, reading.residual_ppb), (-33, 4));
    assert_eq!(reading.skew_ppb, 110);
    assert_eq!(
        (reading.root_delay_ns, reading.root_dispersion_ns),
        (2_690, 7_741)
    );
    assert_eq!(reading.update_interval_ms, 1_018);
    let [refclock, server] = reading.sources.as_slice() else {
        panic!("{:?}", reading.sources)
    };
    assert_eq!(
        (refclock.name.as_str(), refclock.is_refclock),
        ("OFF", true)
    );
    assert_eq!(refclock.state, ChronySourceState::NotSelectable);
    assert_eq!((refclock.reach, refclock.last_sample_age_s), (0, None));
    assert_eq!(
        (server.name.as_str(), server.is_refclock),
        ("10.9.0.1", false)
    );
    assert_eq!(server.state, ChronySourceState::Selected);
    assert_eq!((server.stratum, server.log_poll), (1, 0));
    assert_eq!((server.reach, server.last_sample_age_s), (0o377, Some(1)));
    assert_eq!((server.offset_ns, server.error_ns), (226, 1_450));
}

#[test]
fn names_of_every_kind_are_text() {
    for (address, mode, name) in [
        ("20010db8000000000000000000000001 0002", 0, "2001:db8::1"),
        ("0000000a000000000000000000000000 0003", 0, "ID#0000000010"),
        ("50500153000000000000000000000000 0001", 2, "PP?S"),
    ] {
        let data = SERVER.replacen(
            "0a090001000000000000000000000000 0001 0000 0000 0001 0000 0000",
            &format!("{address} 0000 0000 0001 0000 {mode:04x}"),
            1,
        );
        let reply = decode(Query::Source(0), &framed(Query::Source(0), 0, 7, &data)).unwrap();
        let Answer::Source(source) = reply.answer else {
            panic!("{reply:?}")
        };
        assert_eq!(source.name, name);
    }
}

#[test]
fn what_chronyd_refuses_is_said() {
    let refused = |number| play(move |query, sequence| framed(query, number, sequence, ""));
    assert!(matches!(refused(2), Err(Fault::Unsupported(_))));
    let mut later = framed(Query::Tracking, 18, u32::MAX, "");
    later[0] = 7;
    let other = "another version of chronyd's command protocol than 6";
    assert_eq!(
        play(move |_, _| later.clone()),
        Err(Fault::Unsupported(other))
    );
    let mut layout = answer(Query::Tracking, u32::MAX);
    layout[7] = 6;
    let other = "a layout of chronyd that is not known";
    assert_eq!(
        play(move |_, _| layout.clone()),
        Err(Fault::Unsupported(other))
    );
    let many = play(|query, sequence| match query {
        Query::SourceCount => framed(
            query,
            0,
            sequence,
            &format!("{:08x}", CHRONY_SOURCES_MAX + 1),
        ),
        _ => answer(query, sequence),
    });
    let other = "more sources than CHRONY_SOURCES_MAX";
    assert_eq!(many, Err(Fault::Unsupported(other)));
    assert_eq!(play(|_, _| Vec::new()), Err(Fault::Silent));
    // A source that went between two questions is left out.
    let gone = play(|query, sequence| match query {
        Query::Source(0) => framed(query, 4, sequence, ""),
        _ => answer(query, sequence),
    });
    assert_eq!(gone.unwrap().sources.len(), 1);
}

#[test]
fn late_answers_are_nobodys() {
    let mut round = Round::new(SEQUENCE);
    assert_eq!(
        round.accept(&answer(Query::Tracking, SEQUENCE)),
        Accepted::Foreign
    );
    round.request().unwrap();
    for (query, sequence) in [(Query::Tracking, 6), (Query::Source(0), 8)] {
        assert_eq!(round.accept(&answer(query, sequence)), Accepted::Foreign);
    }
    assert_eq!(
        round.accept(&answer(Query::Tracking, SEQUENCE)),
        Accepted::Taken
    );
    assert_eq!(round.next_sequence(), SEQUENCE + 2);
    assert_eq!(round.finish(), Err(Fault::Silent));
}

#[test]
fn every_shorter_reply_is_malformed() {
    for query in [Query::Tracking, Query::SourceCount, Query::Source(1)] {
        let whole = answer(query, SEQUENCE);
        for length in 0..whole.len() {
            assert!(
                decode(query, &whole[..length]).is_err(),
                "{query:?} {length}"
            );
        }
    }
    let short = play(|query, sequence| framed(query, 0, sequence, "00"));
    assert_eq!(short, Err(Fault::Malformed("a short tracking report")));
    let request = encode(Query::Tracking, SEQUENCE);
    assert!(decode(Query::Tracking, request.bytes()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_bring_a_round_down(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..20),
    ) {
        let mut round = Round::new(SEQUENCE);
        for message in messages {
            round.request();
            round.accept(&message);
        }
        let _ = round.finish();
    }

    #[test]
    fn no_changed_byte_brings_a_round_down(at in 0_usize..104, to: u8) {
        let mut round = Round::new(SEQUENCE);
        while let Some(request) = round.request() {
            let (query, sequence) = asked(request.bytes());
            let mut reply = answer(query, sequence);
            if let Some(byte) = reply.get_mut(at) {
                *byte = to;
            }
            round.accept(&reply);
            round.give_up();
        }
        let _ = round.finish();
    }
}
