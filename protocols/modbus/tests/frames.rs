//! Frames on the serial line and over TCP: known bytes, boundaries, silence.

use fieldnotary_modbus::pdu::{Request, Span};
use fieldnotary_modbus::rtu::{
    self, Captured, Direction, End, Frame, FrameError, FrameReader, Timing,
};
use fieldnotary_modbus::tcp::{self, Decoder, StreamError, TransactionIds};

const MS: u64 = 1_000_000;

fn reader(direction: Direction) -> FrameReader {
    FrameReader::new(direction, Timing::from_baud(9_600))
}

fn shown(frames: &[Captured]) -> Vec<(Vec<u8>, End)> {
    frames
        .iter()
        .map(|frame| (frame.bytes.clone(), frame.end))
        .collect()
}

/// Unit 1 answers function 3 with one register, 0x0A0B.
fn reply() -> Vec<u8> {
    rtu::encode(1, &[0x03, 0x02, 0x0A, 0x0B])
}

//= A4.1
#[test]
fn known_frames() {
    // Unit 17 reads three holding registers from 107 on: a frame printed in many manuals.
    let known = [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87];
    let request = Request::ReadHoldingRegisters(Span::new(107, 3).unwrap());
    assert_eq!(rtu::encode(0x11, &request.encode()), known);
    let pdu = &[0x03, 0x00, 0x6B, 0x00, 0x03][..];
    assert_eq!(rtu::decode(&known), Ok(Frame { unit: 0x11, pdu }));
    assert_eq!(rtu::expected_reply_len(&request), 11);
    // The worked exception of the serial line guide's CRC chapter: bytes 02 07 give 41 12.
    assert_eq!(rtu::encode(0x02, &[0x07]), [0x02, 0x07, 0x41, 0x12]);
}

//= A4.1
#[test]
fn damage_is_told_apart() {
    let whole = reply();
    let mut flipped = whole.clone();
    flipped[3] ^= 0x10;
    assert!(matches!(rtu::decode(&flipped), Err(FrameError::Crc { .. })));
    assert!(matches!(
        rtu::decode(&whole[..6]),
        Err(FrameError::Crc { .. })
    ));
    for bytes in [&[][..], &whole[..1], &whole[..3]] {
        let error = FrameError::Truncated {
            expected: 4,
            found: bytes.len(),
        };
        assert_eq!(rtu::decode(bytes), Err(error));
    }
    let error = FrameError::TooLong {
        expected: 256,
        found: 257,
    };
    assert_eq!(rtu::decode(&[0; 257]), Err(error));
}

//= R5.1
#[test]
fn a_frame_ends_where_its_header_says_without_waiting() {
    let mut replies = reader(Direction::Replies);
    let whole = reply();
    assert_eq!(replies.feed(&whole[..6], 0), []);
    let frames = replies.feed(&whole[6..], MS);
    assert_eq!(shown(&frames), [(whole.clone(), End::Length)]);
    assert_eq!(
        (
            frames[0].first_ns,
            frames[0].last_ns,
            frames[0].widest_gap_ns
        ),
        (0, MS, MS)
    );
    assert_eq!((replies.deadline_ns(), replies.cut()), (None, None));

    let exception = rtu::encode(1, &[0x83, 0x02]);
    let write = rtu::encode(2, &[0x10, 0, 1, 0, 2]);
    let glued = [&exception[..], &whole, &write].concat();
    let expected = [exception, whole, write].map(|frame| (frame, End::Length));
    assert_eq!(shown(&replies.feed(&glued, 2 * MS)), expected);

    let mut requests = reader(Direction::Requests);
    let read = rtu::encode(1, &[0x03, 0, 0, 0, 2]);
    let write = rtu::encode(1, &[0x10, 0, 0, 0, 1, 2, 0, 5]);
    let glued = [&read[..], &write].concat();
    let expected = [read, write].map(|frame| (frame, End::Length));
    assert_eq!(shown(&requests.feed(&glued, 0)), expected);
}

//= R5.1
#[test]
fn silence_ends_what_no_header_predicts() {
    let t35_ns = Timing::from_baud(9_600).t35_ns;
    let mut replies = reader(Direction::Replies);
    let unknown = rtu::encode(1, &[0x2B, 0x0E, 0x01]);
    assert_eq!(replies.feed(&unknown, MS), []);
    assert_eq!(replies.deadline_ns(), Some(MS + t35_ns));
    assert_eq!(replies.poll(MS + t35_ns - 1), None);
    let frame = replies.poll(MS + t35_ns).expect("the silence is over");
    assert_eq!((frame.bytes, frame.end), (unknown.clone(), End::Silence));
    // The same silence, noticed only with the next byte.
    assert_eq!(replies.feed(&unknown, 100 * MS), []);
    let frames = replies.feed(&[0x55], 100 * MS + t35_ns);
    assert_eq!(shown(&frames), [(unknown, End::Silence)]);
    assert_eq!(replies.pending(), [0x55]);
}

//= A4.1
#[test]
fn a_damaged_frame_is_not_cut_in_pieces() {
    let mut replies = reader(Direction::Replies);
    let mut damaged = rtu::encode(1, &[0x03, 0x06, 1, 2, 3, 4, 5, 6]);
    damaged[2] = 0x02; // Now it announces a frame of seven bytes.
    assert_eq!(replies.feed(&damaged, 0), []);
    let frame = replies.poll(10 * MS).expect("the silence is over");
    assert_eq!((frame.bytes, frame.end), (damaged, End::Silence));
}

//= A3.1
#[test]
fn a_line_that_never_falls_silent_stays_bounded() {
    let mut replies = reader(Direction::Replies);
    let frames = replies.feed(&[0xFF; 1000], 0);
    assert_eq!(frames.len(), 3);
    for frame in &frames {
        assert_eq!((frame.bytes.len(), frame.end), (257, End::Overflow));
        assert!(matches!(
            rtu::decode(&frame.bytes),
            Err(FrameError::TooLong { .. })
        ));
    }
    assert_eq!(replies.pending().len(), 1000 - 3 * 257);
}

//= A1.1
#[test]
fn tcp_frames_come_out_of_any_slicing() {
    let pdu = [0x03, 0x00, 0x6B, 0x00, 0x03];
    let frame = tcp::encode(0x1501, 0xFF, &pdu).unwrap();
    assert_eq!(
        frame,
        [0x15, 0x01, 0, 0, 0, 6, 0xFF, 0x03, 0x00, 0x6B, 0x00, 0x03]
    );
    let expected = tcp::Frame {
        transaction: 0x1501,
        unit: 0xFF,
        pdu: pdu.to_vec(),
    };
    let twice = [&frame[..], &frame].concat();
    for slice in 1..=twice.len() {
        let mut decoder = Decoder::new();
        let mut frames = Vec::new();
        for mut part in twice.chunks(slice) {
            while let Some(frame) = decoder.feed(&mut part).unwrap() {
                frames.push(frame);
            }
            assert!(part.is_empty());
        }
        assert_eq!(
            frames,
            [expected.clone(), expected.clone()],
            "slices of {slice}"
        );
        assert_eq!(decoder.pending(), []);
    }
}

//= A3.1
#[test]
fn a_stream_that_is_not_modbus_is_broken_for_good() {
    for (header, error) in [
        ([0, 1, 0, 9, 0, 6, 1], StreamError::Protocol { found: 9 }),
        ([0, 1, 0, 0, 0, 0, 1], StreamError::Length { found: 0 }),
        ([0, 1, 0, 0, 0, 1, 1], StreamError::Length { found: 1 }),
        ([0, 1, 0, 0, 0, 255, 1], StreamError::Length { found: 255 }),
        (
            [0, 1, 0, 0, 0xFF, 0xFF, 1],
            StreamError::Length { found: 0xFFFF },
        ),
    ] {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.feed(&mut &header[..]), Err(error));
        let good = tcp::encode(1, 1, &[3, 2, 0, 0]).unwrap();
        assert_eq!(decoder.feed(&mut &good[..]), Err(error));
    }
    assert_eq!(
        tcp::encode(1, 1, &[]),
        Err(StreamError::Length { found: 1 })
    );
    assert_eq!(
        tcp::encode(1, 1, &[0; 254]),
        Err(StreamError::Length { found: 255 })
    );
    let largest = tcp::encode(1, 1, &[0x2B; 253]).unwrap();
    let frame = Decoder::new().feed(&mut &largest[..]).unwrap().unwrap();
    assert_eq!(frame.pdu.len(), 253);
}

//= A1.1
#[test]
fn transaction_identifiers_run_through_all_values() {
    let mut ids = TransactionIds::starting_at(0xFFFE);
    assert_eq!([ids.take(), ids.take(), ids.take()], [0xFFFE, 0xFFFF, 0]);
}
