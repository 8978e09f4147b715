//! The messages of a ptp4l 3.1.1, byte for byte, and rounds with every kind of answer.

use super::{Accepted, Client, GET_BYTES, Id, Round, decode, get, subscribe};
use crate::reading::{
    ClockIdentity, Fault, PortState, PowerProfile, PtpCounts, PtpMismatches, PtpReading,
    Timestamping,
};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::UtcNs;
use proptest::prelude::{any, proptest};

const CLIENT: Client = Client {
    port: 77,
    domain: 0,
    transport_specific: 0,
};
const CLOCK: &str = "debf87fffebb26a5";
const GM: &str = "c2b681fffe4a43ff";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn clock(hex: &str) -> ClockIdentity {
    ClockIdentity(bytes(hex).try_into().unwrap())
}

/// An answer as ptp4l frames it: from a port, to a port, under a number.
fn framed(from: u16, to: u16, sequence: u16, tlv: &[u8]) -> Vec<u8> {
    let mut message = bytes(&format!(
        "0d020000 00000000 00000000 00000000 00000000 {CLOCK} {from:04x} {sequence:04x} 047f
         0000000000000000 {to:04x} 00000200"
    ));
    message.extend_from_slice(tlv);
    let length = u16::try_from(message.len()).unwrap();
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

fn tlv(id: Id, data: &str) -> Vec<u8> {
    let data = bytes(data);
    let length = data.len() + 2;
    let mut tlv = bytes(&format!("0001{length:04x}{:04x}", id.number()));
    tlv.extend_from_slice(&data);
    tlv
}

fn refusal(id: Id) -> Vec<u8> {
    bytes(&format!("0002 0008 0002 {:04x} 00000000", id.number()))
}

/// What ptp4l 3.1.1 answered, following a grandmaster of class 6 with free_running.
fn data_of_3_1(id: Id, port: u16) -> Option<String> {
    let zeros = "00".repeat(8);
    Some(match id {
        Id::Default => format!("0300 0001 80fffeffff80 {CLOCK} 00 00"),
        Id::Current => "0001 fffffffffef00000 000000000a560000".into(),
        Id::Parent => format!("{GM} 0001 0000 ffff 7fffffff 64 06 21 ffff 80 {GM}"),
        Id::TimeProperties => "0000 00 20".into(),
        Id::PortData => format!("{CLOCK} {port:04x} 08 00 {zeros} 01 03 00 01 00 02"),
        Id::TimeStatus => format!(
            "fffffffffffffef0 18ec4cf50d40439c 00000000 00000000 0000 0000 {zeros} 0000 00000001 {GM}"
        ),
        Id::PortProperties => format!("{CLOCK} {port:04x} 08 00 04 76647574 00"),
        Id::PortStats => format!(
            "{CLOCK} {port:04x} 650a000000000000 {0} {0} {0} {0} {0} {0} {0} 650a000000000000
             4801000000000000 {0} a700000000000000 {0} {0} {0} {0} {1}",
            zeros,
            zeros.repeat(16)
        ),
        Id::SubscribeEvents | Id::PortServiceStats | Id::HardwareClock | Id::PowerProfile => {
            return None;
        }
    })
}

/// And what version 4 knows besides.
fn data_of_4(id: Id, port: u16) -> Option<String> {
    let zeros = "00".repeat(8);
    match id {
        Id::PortServiceStats => Some(format!(
            "{CLOCK} {port:04x} {} 4600000000000000 0201000000000000",
            zeros.repeat(8)
        )),
        Id::HardwareClock => Some(format!("{CLOCK} {port:04x} 00000003 00")),
        Id::PowerProfile => Some("0002 0101 00000032 ffffffff 000000fa".into()),
        other => data_of_3_1(other, port),
    }
}

fn id_asked(request: &[u8]) -> Id {
    Id::of(u16::from_be_bytes([request[52], request[53]])).unwrap()
}

fn sequence_of(request: &[u8]) -> u16 {
    u16::from_be_bytes([request[30], request[31]])
}

/// Plays a round to its end; `answers` gives what comes back to each request, nothing being silence.
fn play(mut answers: impl FnMut(Id, u16) -> Vec<Vec<u8>>) -> Result<PtpReading, Fault> {
    let mut round = Round::new(CLIENT, 65_530);
    while let Some(request) = round.request() {
        let (id, sequence) = (id_asked(&request), sequence_of(&request));
        assert!(round.request().is_none(), "one question at a time");
        for answer in answers(id, sequence) {
            round.accept(&answer);
        }
        if round.is_waiting() {
            round.give_up();
        }
    }
    assert!(round.is_complete());
    round.finish()
}

fn answer_of(
    data: impl Fn(Id, u16) -> Option<String>,
    ports: &[u16],
) -> impl Fn(Id, u16) -> Vec<Vec<u8>> {
    move |id, sequence| {
        let answers = ports.iter().map(|port| match data(id, *port) {
            Some(data) => framed(*port, CLIENT.port, sequence, &tlv(id, &data)),
            None => framed(*port, CLIENT.port, sequence, &refusal(id)),
        });
        answers.collect()
    }
}

#[test]
fn requests_are_what_ptp4l_takes() {
    let request = get(CLIENT, 0x1234, Id::TimeStatus);
    assert_eq!(
        request.to_vec(),
        bytes(
            "0d02 0036 00 00 0000 0000000000000000 00000000 0000000000000000 004d 1234 04 7f
             ffffffffffffffff ffff 00 00 00 00 0001 0002 c000"
        )
    );
    let client = Client {
        port: 1,
        domain: 254,
        transport_specific: 1,
    };
    let request = subscribe(client, 2, 60);
    assert_eq!(request[..5], bytes("1d02 0078 fe"));
    assert_eq!(request[46..57], bytes("01 00 0001 0044 c003 003c 05"));
    assert!(request[57..].iter().all(|byte| *byte == 0));
    assert_eq!(request.len(), GET_BYTES + 66);
}

#[test]
fn a_round_with_version_3_1_makes_a_reading_without_what_it_does_not_know() {
    let reading = play(answer_of(data_of_3_1, &[1])).unwrap();
    let [port] = reading.ports.as_slice() else {
        panic!("{:?}", reading.ports)
    };
    assert_eq!(port.number, 1);
    assert_eq!(port.state, PortState::Uncalibrated);
    assert_eq!((port.log_announce_interval, port.log_sync_interval), (1, 0));
    assert_eq!(port.interface.as_deref(), Some("vdut"));
    assert_eq!(port.timestamping, Some(Timestamping::Software));
    let received = PtpCounts {
        sync: 0x0A65,
        follow_up: 0x0A65,
        delay_resp: 0x148,
        announce: 0xA7,
    };
    assert_eq!(port.received, received);
    assert_eq!((port.mismatches, port.hardware_clock), (None, None));
    assert_eq!(reading.clock, clock(CLOCK));
    assert_eq!(reading.domain, 0);
    assert_eq!(reading.offset_ns, -272);
    assert_eq!(reading.mean_path_delay_ns, 2_646);
    assert_eq!(reading.ingress, Some(UtcNs(1_795_894_966_786_999_196)));
    assert!(reading.gm_present);
    assert_eq!(reading.gm, clock(GM));
    assert_eq!((reading.gm_class, reading.gm_accuracy), (6, 0x21));
    assert_eq!(
        (reading.gm_variance, reading.gm_priorities),
        (0xFFFF, [100, 128])
    );
    assert_eq!((reading.steps_removed, reading.utc_offset_s), (1, 0));
    assert_eq!((reading.time_flags, reading.time_source), (0, 0x20));
    assert_eq!(reading.power_profile, None);
}

//= R7.2
#[test]
fn with_peer_delay_the_path_is_the_one_to_the_neighbour_of_the_port_that_follows() {
    // CURRENT_DATA_SET stays at nought there; the follower is port 2, 4,096 ns from its neighbour.
    let peer = |id: Id, port: u16| match id {
        Id::Default => Some(format!("0300 0002 80fffeffff80 {CLOCK} 00 00")),
        Id::Current => Some("0001 fffffffffef00000 0000000000000000".into()),
        Id::PortData if port == 1 => Some(format!(
            "{CLOCK} {port:04x} 07 00 0000000000640000 01 03 00 02 00 02"
        )),
        Id::PortData => Some(format!(
            "{CLOCK} {port:04x} 09 00 0000000010000000 01 03 00 02 00 02"
        )),
        other => data_of_3_1(other, port),
    };
    let reading = play(answer_of(peer, &[1, 2])).unwrap();
    assert_eq!(reading.mean_path_delay_ns, 4_096);
}

#[test]
fn a_round_with_version_4_tells_mismatches_and_the_power_profile() {
    // Its messages are of edition 2.1.
    let of_4 = |id, sequence| {
        let mut answers = answer_of(data_of_4, &[1])(id, sequence);
        for answer in &mut answers {
            answer[1] = 0x12;
        }
        answers
    };
    let reading = play(of_4).unwrap();
    let mismatches = PtpMismatches {
        sync: 0x46,
        follow_up: 0x102,
    };
    assert_eq!(reading.ports[0].mismatches, Some(mismatches));
    assert_eq!(reading.ports[0].hardware_clock, Some(3));
    let profile = PowerProfile {
        edition: 2017,
        gm_id: 0x0101,
        gm_inaccuracy_ns: Some(50),
        network_inaccuracy_ns: None,
        total_inaccuracy_ns: Some(250),
    };
    assert_eq!(reading.power_profile, Some(profile));
}

#[test]
fn each_port_of_a_boundary_clock_is_read_once_and_in_order() {
    let data = |id, port| match id {
        Id::Default => Some(format!("0300 0003 80fffeffff80 {CLOCK} 00 00")),
        other => data_of_4(other, port),
    };
    // Every answer comes twice.
    let twice = |id, sequence| {
        let once = answer_of(data, &[3, 1, 2])(id, sequence);
        once.iter().chain(&once).cloned().collect()
    };
    let reading = play(twice).unwrap();
    let numbers: Vec<u16> = reading.ports.iter().map(|port| port.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    // One of three ports missing is not a reading.
    let partly = play(answer_of(data, &[3, 1]));
    assert_eq!(partly, Err(Fault::Silent));
    let many = |id, port| match id {
        Id::Default => Some(format!("0300 0021 80fffeffff80 {CLOCK} 00 00")),
        other => data_of_4(other, port),
    };
    let refused = play(answer_of(many, &[1]));
    assert_eq!(
        refused,
        Err(Fault::Unsupported("more ports than PTP_PORTS_MAX"))
    );
}

#[test]
fn silence_is_a_fault_only_where_the_question_is_needed() {
    for (id, _) in Id::ALL.iter().filter(|(id, _)| *id != Id::SubscribeEvents) {
        let reading = play(|asked, sequence| {
            if asked == *id {
                return Vec::new();
            }
            answer_of(data_of_4, &[1])(asked, sequence)
        });
        let optional = matches!(
            id,
            Id::PortProperties | Id::PortServiceStats | Id::HardwareClock | Id::PowerProfile
        );
        assert_eq!(reading.is_ok(), optional, "{id:?}");
        let refused = play(|asked, sequence| {
            let data = |of, port| if of == *id { None } else { data_of_4(of, port) };
            answer_of(data, &[1])(asked, sequence)
        });
        assert_eq!(refused.is_ok(), optional, "{id:?}");
        if !optional {
            assert_eq!(reading, Err(Fault::Silent), "{id:?}");
            assert!(matches!(refused, Err(Fault::Unsupported(_))), "{id:?}");
        }
    }
}

#[test]
fn answers_to_others_late_ones_and_pushes_are_told_apart() {
    let answer = |id: Id, to, sequence| {
        let data = data_of_4(id, 1).unwrap();
        framed(1, to, sequence, &tlv(id, &data))
    };
    let mut round = Round::new(CLIENT, 10);
    assert_eq!(
        round.accept(&answer(Id::Default, 77, 10)),
        Accepted::Foreign
    );
    let request = round.request().unwrap();
    assert_eq!(id_asked(&request), Id::Default);
    // Another client, an earlier round, another question's answer under this number.
    for foreign in [
        answer(Id::Default, 78, 10),
        answer(Id::Default, 77, 9),
        answer(Id::Current, 77, 10),
        framed(1, 77, 9, &refusal(Id::Default)),
    ] {
        assert_eq!(round.accept(&foreign), Accepted::Foreign);
    }
    assert_eq!(round.accept(&answer(Id::Default, 77, 10)), Accepted::Taken);
    assert!(round.request().is_some());
    assert_eq!(
        round.accept(&answer(Id::Default, 77, 10)),
        Accepted::Repeated
    );
    for pushed in [Id::PortData, Id::TimeStatus, Id::Parent] {
        let accepted = round.accept(&answer(pushed, 77, 3));
        let Accepted::Pushed(set) = accepted else {
            panic!("{pushed:?}: {accepted:?}")
        };
        assert_eq!(set.id(), pushed);
    }
    // Their turn has not come: the round asks for them all the same.
    assert!(!round.is_complete());
}

#[test]
fn every_shorter_answer_is_malformed() {
    for (id, _) in Id::ALL {
        let Some(data) = data_of_4(*id, 1) else {
            continue;
        };
        let whole = framed(1, 77, 1, &tlv(*id, &data));
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{id:?} {length}");
        }
        // Half the data, in a message that says so.
        let digits: String = data.split_whitespace().collect();
        let short = framed(1, 77, 1, &tlv(*id, &digits[..digits.len() / 4 * 2]));
        assert!(decode(&short).is_err(), "{id:?}");
    }
    let no_text = framed(
        1,
        77,
        1,
        &tlv(Id::PortProperties, &format!("{CLOCK} 0001 08 00 02 fffe")),
    );
    assert_eq!(decode(&no_text), Err("an interface name that is not text"));
    let mut round = Round::new(CLIENT, 0);
    round.request();
    round.accept(&[0x0B; 60]);
    assert_eq!(
        round.finish(),
        Err(Fault::Malformed("not a management message"))
    );
}

proptest! {
    #[test]
    fn no_bytes_bring_a_round_down(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..20),
    ) {
        let mut round = Round::new(CLIENT, 0);
        for message in messages {
            round.request();
            round.accept(&message);
        }
        let _ = round.finish();
    }

    #[test]
    fn no_changed_byte_brings_a_round_down(at in 0_usize..400, to: u8, cut in 0_usize..400) {
        let _ = play(|id, sequence| {
            let mut answers = answer_of(data_of_4, &[1])(id, sequence);
            for answer in &mut answers {
                if let Some(byte) = answer.get_mut(at) {
                    *byte = to;
                }
                if cut > answer.len() / 2 {
                    answer.truncate(cut);
                }
            }
            answers
        });
    }
}
