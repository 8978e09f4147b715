//! Frames of the link layer, and what is said of damaged ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use fieldnotary_mbus::fault::{Cause, Layer};
use fieldnotary_mbus::link::{self, Control, Direction, Frame};
use fieldnotary_mbus::telegram::Telegram;

/// The bytes of hex digits.
fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// A fault of the link layer at this byte, in these words.
fn refused(text: &str, at: usize, words: &str) {
    let bytes = hex(text);
    let fault = link::decode(&bytes).unwrap_err();
    assert_eq!((fault.layer, fault.at), (Layer::Link, at), "{fault}");
    let said = fault.to_string();
    assert!(said.contains(words), "{said}");
    assert!(
        said.starts_with(&format!("link layer, byte {at}: ")),
        "{said}"
    );
    let telegram = Telegram::read(&bytes);
    assert_eq!(telegram.faults, [fault]);
    assert!(telegram.application.is_none() && telegram.records.is_empty());
}

//= A3.2
#[test]
fn every_form_of_frame_is_read_and_written() {
    let control = Control::new;
    for (text, frame, form) in [
        ("E5", Frame::Ack, "ack"),
        (
            "10 40 FD 3D 16",
            Frame::Short {
                control: control(0x40),
                address: 0xFD,
            },
            "short",
        ),
        (
            "68 03 03 68 53 01 BD 11 16",
            Frame::Long {
                control: control(0x53),
                address: 1,
                payload: &[0xBD],
            },
            "control",
        ),
        (
            "68 04 04 68 08 01 70 08 81 16",
            Frame::Long {
                control: control(0x08),
                address: 1,
                payload: &[0x70, 0x08],
            },
            "long",
        ),
    ] {
        let bytes = hex(text);
        assert_eq!(link::decode(&bytes), Ok(frame));
        assert_eq!(frame.form(), form);
        assert_eq!(link::encode(&frame), Some(bytes));
    }
}

//= A4.1
#[test]
fn each_fault_is_told_with_its_byte() {
    refused("", 0, "there is no byte");
    refused("69 03", 0, "69h starts no frame");
    refused("E5 E5", 1, "bytes behind the end of the frame: 1");
    refused(
        "10 40 FD",
        3,
        "within the short frame: 5 are due, 3 are there",
    );
    refused(
        "10 40 FD 3E 16",
        3,
        "carries checksum 3Eh, its bytes give 3Dh",
    );
    refused("10 40 FD 3D 17", 4, "17h where the stop 16h is due");
    refused("10 40 FD 3D 16 00 00", 5, "frame: 2");
    refused("68", 1, "within the long frame: 9 are due, 1 are there");
    refused("68 02 02 68 08 01", 1, "length 02h");
    refused("68 3D 3D 68", 4, "67 are due, 4 are there");
    refused(
        "68 04 05 68 08 01 70 08 81 16",
        2,
        "second length is 05h, the first 04h",
    );
    refused(
        "68 04 04 67 08 01 70 08 81 16",
        3,
        "67h where the start 68h",
    );
    refused(
        "68 04 04 68 08 01 70 08 82 16",
        8,
        "carries checksum 82h, its bytes give 81h",
    );
    refused("68 04 04 68 08 01 70 08 81 00", 9, "00h where the stop");
    refused("68 04 04 68 08 01 70 08 81", 9, "10 are due, 9 are there");
    refused("68 04 04 68 08 01 70 08 81 16 E5", 10, "frame: 1");
}

#[test]
fn a_fault_of_the_checksum_leaves_the_fields_to_be_looked_at() {
    let bytes = hex("68 04 04 68 08 01 70 08 82 16");
    let (frame, fault) = link::look(&bytes);
    assert_eq!(frame.unwrap().checksum(), Some(0x81));
    let cause = Cause::Checksum {
        computed: 0x81,
        found: 0x82,
    };
    assert_eq!(fault.unwrap().cause, cause);
    assert_eq!(cause.expected().as_deref(), Some("81h"));
    assert_eq!(cause.found().as_deref(), Some("82h"));
}

#[test]
fn a_payload_without_a_frame_is_refused() {
    let long = |payload| Frame::Long {
        control: Control::new(8),
        address: 1,
        payload,
    };
    assert_eq!(link::encode(&long(&[])), None);
    assert_eq!(link::encode(&long(&[0; 254])), None);
    let longest = link::encode(&long(&[0; 253])).unwrap();
    assert_eq!(longest.len(), fieldnotary_mbus::limits::FRAME_BYTES_MAX);
    assert!(link::decode(&longest).is_ok());
}

#[test]
fn control_fields_name_their_function_and_bits() {
    for (byte, direction, name, bits) in [
        (0x40, Direction::ToMeter, Some("SND_NKE"), (false, false)),
        (0x53, Direction::ToMeter, Some("SND_UD"), (false, true)),
        (0x73, Direction::ToMeter, Some("SND_UD"), (true, true)),
        (0x5A, Direction::ToMeter, Some("REQ_UD1"), (false, true)),
        (0x7B, Direction::ToMeter, Some("REQ_UD2"), (true, true)),
        (0x08, Direction::FromMeter, Some("RSP_UD"), (false, false)),
        (0x28, Direction::FromMeter, Some("RSP_UD"), (true, false)),
        (0x18, Direction::FromMeter, Some("RSP_UD"), (false, true)),
        (0x0F, Direction::FromMeter, None, (false, false)),
    ] {
        let control = Control::new(byte);
        assert_eq!(control.direction(), direction, "{byte:02X}");
        assert_eq!(control.name(), name, "{byte:02X}");
        let (upper, lower) = match direction {
            Direction::ToMeter => (control.fcb(), control.fcv()),
            Direction::FromMeter => (control.acd(), control.dfc()),
        };
        assert_eq!((upper, lower), (Some(bits.0), Some(bits.1)), "{byte:02X}");
        let others = match direction {
            Direction::ToMeter => (control.acd(), control.dfc()),
            Direction::FromMeter => (control.fcb(), control.fcv()),
        };
        assert_eq!(others, (None, None), "{byte:02X}");
    }
}
