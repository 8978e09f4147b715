//! Which frames answer a request, and when a late one could be taken for the answer.

use fieldnotary_modbus::limits::OUTSTANDING_MAX;
use fieldnotary_modbus::pdu::{ExceptionCode, Registers, Request, Response, Span};
use fieldnotary_modbus::rtu::{self, FrameError};
use fieldnotary_modbus::tcp;
use fieldnotary_modbus::transaction::{
    Explained, Fingerprint, Full, Outstanding, Reply, classify, classify_tcp,
};

fn read(first: u16, count: u16) -> Request {
    Request::ReadHoldingRegisters(Span::new(first, count).expect("a legal range"))
}

fn answer_pdu(values: &[u16]) -> Vec<u8> {
    let registers = Registers::from_values(values).expect("a legal number of registers");
    Response::ReadHoldingRegisters(registers).encode()
}

/// What a frame is to "unit 7, registers 0 and 1".
fn check(frame: &[u8], expected: &Reply) {
    let found = classify(7, &read(0, 2), frame);
    assert_eq!(found, *expected, "{frame:02X?}");
    let proper = matches!(found, Reply::Answer(_) | Reply::Exception(_));
    assert_eq!(found.error().is_none(), proper);
}

//= A3.1
#[test]
fn answers_and_exceptions() {
    let answer = Response::ReadHoldingRegisters(Registers::from_values(&[1, 2]).unwrap());
    check(
        &rtu::encode(7, &answer_pdu(&[1, 2])),
        &Reply::Answer(answer),
    );
    let refusal = Reply::Exception(ExceptionCode::IllegalDataAddress);
    check(&rtu::encode(7, &[0x83, 2]), &refusal);
    check(
        &rtu::encode(7, &[0x83, 99]),
        &Reply::Exception(ExceptionCode::Other(99)),
    );
}

//= A3.1
#[test]
fn damaged_frames() {
    let good = rtu::encode(7, &answer_pdu(&[1, 2]));
    let mut flipped = good.clone();
    flipped[4] ^= 1;
    let computed = rtu::crc16(&flipped[..7]);
    let found = u16::from_be_bytes([flipped[8], flipped[7]]);
    check(
        &flipped,
        &Reply::BadCrc(FrameError::Crc { computed, found }),
    );
    for found in [0, 1, 2, 3, 4, 8] {
        let error = FrameError::Truncated { expected: 9, found };
        check(&good[..found], &Reply::Truncated(error));
    }
    // One byte of noise before the reply, and a line that chatters on.
    let noisy = [&[0][..], &good].concat();
    check(
        &noisy,
        &Reply::TooLong(FrameError::TooLong {
            expected: 9,
            found: 10,
        }),
    );
    check(
        &[7; 300],
        &Reply::TooLong(FrameError::TooLong {
            expected: 9,
            found: 300,
        }),
    );
    // A damaged exception is measured against the length of exceptions.
    let mut refusal = rtu::encode(7, &[0x83, 2]);
    refusal[2] = 3;
    let computed = rtu::crc16(&refusal[..3]);
    let found = u16::from_be_bytes([refusal[4], refusal[3]]);
    check(
        &refusal,
        &Reply::BadCrc(FrameError::Crc { computed, found }),
    );
}

//= A3.7
#[test]
fn frames_of_others() {
    let other_unit = FrameError::UnitMismatch {
        expected: 7,
        found: 8,
    };
    check(
        &rtu::encode(8, &answer_pdu(&[1, 2])),
        &Reply::Foreign(other_unit),
    );
    check(&rtu::encode(8, &[0x83, 2]), &Reply::Foreign(other_unit));
    for (pdu, found) in [(&[0x04, 4, 0, 1, 0, 2][..], 4), (&[0x84, 2], 0x84)] {
        let other_function = FrameError::FunctionMismatch { expected: 3, found };
        check(&rtu::encode(7, pdu), &Reply::Foreign(other_function));
    }
}

//= A3.7
#[test]
fn frames_that_cannot_answer_this_request() {
    for (pdu, error) in [
        (
            answer_pdu(&[1]),
            FrameError::LengthMismatch {
                expected: 6,
                found: 4,
            },
        ),
        (
            answer_pdu(&[1, 2, 3]),
            FrameError::LengthMismatch {
                expected: 6,
                found: 8,
            },
        ),
        (
            vec![0x83, 2, 0],
            FrameError::LengthMismatch {
                expected: 2,
                found: 3,
            },
        ),
        (vec![0x03, 3, 0, 1, 0, 2], FrameError::ContentMismatch),
        // The line's own echo of the request.
        (
            read(0, 2).encode(),
            FrameError::LengthMismatch {
                expected: 6,
                found: 5,
            },
        ),
    ] {
        check(&rtu::encode(7, &pdu), &Reply::WrongShape(error));
    }
}

//= A3.7
#[test]
fn a_write_is_answered_by_its_own_echo_alone() {
    let write = Request::WriteSingleRegister {
        address: 3,
        value: 9,
    };
    let echo = rtu::encode(1, &write.encode());
    assert!(matches!(classify(1, &write, &echo), Reply::Answer(_)));
    for other in [[0x06, 0, 4, 0, 9], [0x06, 0, 3, 0, 8]] {
        let reply = classify(1, &write, &rtu::encode(1, &other));
        assert_eq!(reply, Reply::WrongShape(FrameError::ContentMismatch));
    }
}

//= A3.7
#[test]
fn over_tcp_the_transaction_decides() {
    let request = read(0, 1);
    let frame = |transaction, unit| tcp::Frame {
        transaction,
        unit,
        pdu: answer_pdu(&[5]),
    };
    assert!(matches!(
        classify_tcp(9, 1, &request, &frame(9, 1)),
        Reply::Answer(_)
    ));
    let late = FrameError::TransactionMismatch {
        expected: 9,
        found: 8,
    };
    assert_eq!(
        classify_tcp(9, 1, &request, &frame(8, 1)),
        Reply::OtherTransaction(late)
    );
    let other = FrameError::UnitMismatch {
        expected: 1,
        found: 2,
    };
    assert_eq!(
        classify_tcp(9, 1, &request, &frame(9, 2)),
        Reply::Foreign(other)
    );
}

//= A3.7
#[test]
fn a_request_waits_while_a_late_reply_could_pass_for_its_answer() {
    let mut open = Outstanding::new();
    let asked = Fingerprint::of(7, &read(0, 2));
    open.sent(1, asked, 0, 1_000).unwrap();
    // Another range of the same size is the dangerous one: registers 4-5 in place of 0-1.
    let same_size = Fingerprint::of(7, &read(4, 2));
    assert_eq!(same_size, asked);
    assert!(open.is_ambiguous(&same_size, 999));
    assert_eq!(open.ambiguous_until_ns(&same_size, 999), Some(1_000));
    assert!(!open.is_ambiguous(&same_size, 1_000));
    for (safe, exception_is_ambiguous) in [
        (Fingerprint::of(8, &read(0, 2)), false),
        (Fingerprint::of(7, &read(0, 3)), true),
        (
            Fingerprint::of(7, &Request::ReadInputRegisters(Span::new(0, 2).unwrap())),
            false,
        ),
    ] {
        assert!(!open.is_ambiguous(&safe, 1), "{safe:?}");
        assert_eq!(
            open.exception_is_ambiguous(&safe, 1),
            exception_is_ambiguous,
            "{safe:?}"
        );
    }
    assert!(open.answered(1));
    assert!(!open.answered(2));
    assert!(!open.is_ambiguous(&asked, 1));
}

//= A3.7
#[test]
fn writes_are_told_apart_by_their_echo() {
    let write = |value| Request::WriteSingleRegister { address: 3, value };
    let mut open = Outstanding::new();
    open.sent(1, Fingerprint::of(7, &write(1)), 0, 1_000)
        .unwrap();
    assert!(open.is_ambiguous(&Fingerprint::of(7, &write(1)), 1));
    assert!(!open.is_ambiguous(&Fingerprint::of(7, &write(2)), 1));
}

//= A3.7
#[test]
fn a_late_reply_finds_its_request() {
    let mut open = Outstanding::new();
    for (token, unit, count, sent_ns) in [(1, 7, 2, 0), (2, 8, 2, 10), (3, 7, 3, 20), (4, 7, 2, 30)]
    {
        let asked = Fingerprint::of(unit, &read(0, count));
        open.sent(token, asked, sent_ns, sent_ns + 1_000).unwrap();
    }
    let explain = |open: &Outstanding, unit, pdu: &[u8], now_ns| {
        let bytes = rtu::encode(unit, pdu);
        open.explains(&rtu::decode(&bytes).expect("built above"), now_ns)
    };
    let late = |token, sent_ns, candidates| {
        Some(Explained {
            token,
            sent_ns,
            repeated: false,
            candidates,
        })
    };
    let (two, three) = (answer_pdu(&[1, 2]), answer_pdu(&[1, 2, 3]));
    assert_eq!(explain(&open, 7, &two, 40), late(1, 0, 2));
    assert_eq!(explain(&open, 7, &two, 1_000), late(4, 30, 1));
    assert_eq!(explain(&open, 8, &two, 40), late(2, 10, 1));
    assert_eq!(explain(&open, 7, &three, 40), late(3, 20, 1));
    assert_eq!(explain(&open, 7, &[0x83, 6], 40), late(1, 0, 3));
    assert_eq!(explain(&open, 9, &two, 40), None);
    assert_eq!(explain(&open, 7, &[0x84, 6], 40), None);
    assert_eq!(explain(&open, 7, &two, 2_000), None);
    assert_eq!(open.unanswered_count(40), 4);
    // Once answered, a further copy is a repetition of the newest.
    open.answered(1);
    open.answered(4);
    let repeated = Explained {
        token: 4,
        sent_ns: 30,
        repeated: true,
        candidates: 2,
    };
    assert_eq!(explain(&open, 7, &two, 40), Some(repeated));
}

//= A3.7
#[test]
fn the_list_of_unanswered_requests_is_bounded() {
    let mut open = Outstanding::new();
    let asked = Fingerprint::of(7, &read(0, 2));
    for token in 0..u64::try_from(OUTSTANDING_MAX).unwrap() {
        open.sent(token, asked, 0, 1_000).unwrap();
    }
    assert_eq!(open.sent(500, asked, 1, 1_000), Err(Full));
    open.answered(3);
    assert_eq!(open.sent(500, asked, 1, 2_000), Ok(()));
    assert_eq!(open.sent(501, asked, 1, 1_000), Err(Full));
    assert_eq!(open.sent(501, asked, 1_000, 2_000), Ok(()));
    assert_eq!(open.unanswered_count(1_000), 2);
}
