//! Properties of the decoders: no input panics, nothing is lost on the way there and back.

use fieldnotary_modbus::pdu::{
    CoilWrite, ExceptionCode, PackedBits, RegisterWrite, Registers, Request, Response, Span,
};
use fieldnotary_modbus::rtu::{self, Direction, End, FrameReader, Timing};
use fieldnotary_modbus::tcp::{self, Decoder};
use fieldnotary_modbus::transaction::{Fingerprint, Reply, classify};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn span<const MAX: u16>() -> impl Strategy<Value = Span<MAX>> {
    (any::<u16>(), 1..=MAX).prop_filter_map("runs past the end", |(first, count)| {
        Span::new(first, count).ok()
    })
}

fn registers(max: usize) -> impl Strategy<Value = Registers> {
    vec(any::<u16>(), 1..=max).prop_map(|values| Registers::from_values(&values).expect("legal"))
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        span().prop_map(Request::ReadCoils),
        span().prop_map(Request::ReadDiscreteInputs),
        span().prop_map(Request::ReadHoldingRegisters),
        span().prop_map(Request::ReadInputRegisters),
        (any::<u16>(), any::<bool>())
            .prop_map(|(address, on)| Request::WriteSingleCoil { address, on }),
        (any::<u16>(), any::<u16>())
            .prop_map(|(address, value)| Request::WriteSingleRegister { address, value }),
        (0..60_000_u16, vec(any::<bool>(), 1..=1968)).prop_map(|(first, states)| {
            Request::WriteMultipleCoils(CoilWrite::new(first, &states).expect("legal"))
        }),
        (0..60_000_u16, registers(123)).prop_map(|(first, registers)| {
            Request::WriteMultipleRegisters(RegisterWrite::new(first, registers).expect("legal"))
        }),
    ]
}

/// A response that answers the request.
fn answered() -> impl Strategy<Value = (Request, Response)> {
    (request(), any::<u64>()).prop_flat_map(|(request, noise)| {
        let count = request.count();
        let bit = |at: u16| noise >> (at % 64) & 1 == 1;
        let word = |at: u16| u16::try_from(noise >> (at % 49) & 0xFFFF).expect("masked");
        let bits = || PackedBits::pack(&(0..count).map(bit).collect::<Vec<_>>()).expect("legal");
        let words =
            || Registers::from_values(&(0..count).map(word).collect::<Vec<_>>()).expect("legal");
        let response = match &request {
            Request::ReadCoils(_) => Response::ReadCoils(bits()),
            Request::ReadDiscreteInputs(_) => Response::ReadDiscreteInputs(bits()),
            Request::ReadHoldingRegisters(_) => Response::ReadHoldingRegisters(words()),
            Request::ReadInputRegisters(_) => Response::ReadInputRegisters(words()),
            Request::WriteSingleCoil { address, on } => Response::WriteSingleCoil {
                address: *address,
                on: *on,
            },
            Request::WriteSingleRegister { address, value } => Response::WriteSingleRegister {
                address: *address,
                value: *value,
            },
            Request::WriteMultipleCoils(write) => Response::WriteMultipleCoils(write.span()),
            Request::WriteMultipleRegisters(write) => {
                Response::WriteMultipleRegisters(write.span())
            }
        };
        Just((request, response))
    })
}

proptest! {
    //= A4.1
    #[test]
    fn requests_and_responses_come_back((request, response) in answered(), unit: u8) {
        prop_assert_eq!(Request::decode(&request.encode()), Ok(request.clone()));
        prop_assert_eq!(Response::decode(&response.encode()), Ok(response.clone()));
        let frame = rtu::encode(unit, &response.encode());
        prop_assert_eq!(frame.len(), rtu::expected_reply_len(&request));
        let whole = rtu::decode(&frame).expect("just encoded");
        prop_assert!(Fingerprint::of(unit, &request).matches(&whole));
        prop_assert_eq!(classify(unit, &request, &frame), Reply::Answer(response));
    }

    //= A1.1
    #[test]
    fn exceptions_come_back(function in 0..0x80_u8, code: u8) {
        let response = Response::Exception { function, code: ExceptionCode::from_code(code) };
        prop_assert_eq!(Response::decode(&response.encode()), Ok(response));
    }

    //= A4.1
    #[test]
    fn a_flipped_bit_is_always_seen((request, response) in answered(), unit: u8, at: usize) {
        let mut frame = rtu::encode(unit, &response.encode());
        let bit = at % (frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(rtu::decode(&frame).is_err());
        let reply = classify(unit, &request, &frame);
        prop_assert!(
            matches!(reply, Reply::BadCrc(_) | Reply::Truncated(_) | Reply::TooLong(_)),
            "{:?}", reply
        );
    }

    //= A3.1
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in vec(any::<u8>(), 0..600),
        request in request(),
        unit: u8,
    ) {
        if let Ok(decoded) = Request::decode(&bytes) {
            // Padding bits of coils are the one thing a decoder may normalise.
            prop_assert_eq!(decoded.encode().len(), bytes.len());
        }
        if let Ok(decoded) = Response::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), &bytes[..]);
        }
        let _ = classify(unit, &request, &bytes);
        let _ = classify(unit, &request, &rtu::encode(unit, &bytes));
        let mut decoder = Decoder::new();
        let mut input = &bytes[..];
        while let Ok(Some(frame)) = decoder.feed(&mut input) {
            prop_assert!(frame.pdu.len() <= 253);
        }
        prop_assert!(decoder.pending().len() <= 260);
    }

    //= R5.1
    #[test]
    fn the_reader_loses_no_byte(
        parts in vec((vec(any::<u8>(), 0..80), 0..4_000_000_u64), 0..40),
    ) {
        for direction in [Direction::Replies, Direction::Requests] {
            let mut reader = FrameReader::new(direction, Timing::from_baud(19_200));
            let mut now_ns = 0;
            let mut seen = Vec::new();
            for (bytes, gap_ns) in &parts {
                now_ns += gap_ns;
                for frame in reader.feed(bytes, now_ns) {
                    prop_assert!(frame.first_ns <= frame.last_ns && frame.last_ns <= now_ns);
                    prop_assert!(frame.bytes.len() <= 257);
                    let vouched = frame.end != End::Length || rtu::decode(&frame.bytes).is_ok();
                    prop_assert!(vouched);
                    seen.extend(frame.bytes);
                }
            }
            seen.extend(reader.cut().map(|frame| frame.bytes).unwrap_or_default());
            prop_assert_eq!(seen, parts.iter().flat_map(|part| part.0.clone()).collect::<Vec<_>>());
        }
    }

    //= R5.1
    #[test]
    fn whole_frames_are_cut_exactly_however_they_arrive(
        answered in vec((answered(), 1..=247_u8), 1..6),
        slice in 1..64_usize,
    ) {
        let frames: Vec<Vec<u8>> = answered
            .iter()
            .map(|((_, response), unit)| rtu::encode(*unit, &response.encode()))
            .collect();
        let mut reader = FrameReader::new(Direction::Replies, Timing::from_baud(115_200));
        let mut seen = Vec::new();
        for part in frames.concat().chunks(slice) {
            seen.extend(reader.feed(part, 0));
        }
        prop_assert!(seen.iter().all(|frame| frame.end == End::Length));
        prop_assert_eq!(seen.into_iter().map(|frame| frame.bytes).collect::<Vec<_>>(), frames);
    }

    //= A1.1
    #[test]
    fn tcp_frames_come_back(
        transaction: u16,
        unit: u8,
        pdu in vec(any::<u8>(), 1..=253),
        slice in 1..300_usize,
    ) {
        let bytes = tcp::encode(transaction, unit, &pdu).expect("legal");
        let mut decoder = Decoder::new();
        let mut frames = Vec::new();
        for mut part in bytes.chunks(slice) {
            while let Some(frame) = decoder.feed(&mut part).expect("legal") {
                frames.push(frame);
            }
        }
        prop_assert_eq!(frames, [tcp::Frame { transaction, unit, pdu }]);
    }
}
