//! `fieldnotary decode`: the whole answer to frames of our own, sound and damaged, as golden files; what is
//! no frame at all. `BLESS=1` writes the files anew.

use crate::common::{Said, program};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A water meter's answer: numbers, dates, text, a limit, an error state, a fault of its own.
const WATER: &str = "68 52 52 68 08 05 72 78 56 34 12 24 40 01 07 55 14 00 00 0C 78 78 56 34 12 04 13 31 D4 00 00 \
    42 6C BF 1C 04 6D 0B 8B CD 13 05 5B 00 00 B8 42 3B 2D 99 99 99 02 93 15 00 00 0A 5A 3A 12 04 BE 50 3C 00 00 00 \
    0D FD 11 02 6B 6F C1 01 93 28 01 1F 01 02 FF";
/// Two counters of a fixed data structure.
const FIXED: &str = "68 13 13 68 08 05 73 78 56 34 12 0A 04 05 69 31 65 00 00 69 00 00 00";

/// A frame's text with the length, checksum and stop that fit.
pub(crate) fn framed(text: &str) -> String {
    let mut bytes = hex(text);
    let counted = bytes.split_off(4);
    let length = u8::try_from(counted.len()).unwrap();
    let sum = counted
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let all = [&[0x68, length, length, 0x68], &counted[..], &[sum, 0x16]].concat();
    let pairs: Vec<String> = all.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(" ")
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// The answer to these bytes on standard input.
pub(crate) fn said(words: &[&str], input: &[u8]) -> Said {
    let mut child = Command::new(program("fieldnotary"))
        .arg("decode")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that has heard enough closes its end.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

fn object(words: &[&str], input: &str) -> (Option<i32>, Value) {
    let said = said(&[words, &["-", "--json"]].concat(), input.as_bytes());
    assert_eq!(said.err, "", "{said:?}");
    (said.code, serde_json::from_str(&said.out).unwrap())
}

/// Compares with the golden file of that name.
fn compare(name: &str, text: &str, wrong: &mut Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/decode");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    if golden != text {
        wrong.push(format!("{name}: not as in {}:\n{text}", path.display()));
    }
}

fn walk(cases: &[(&str, &[&str], String, i32)]) {
    let mut wrong = Vec::new();
    for (name, words, input, due) in cases {
        let said = said(&[*words, &["-"]].concat(), input.as_bytes());
        if said.code != Some(*due) {
            wrong.push(format!("{name}: code {due} is due: {said:?}"));
        }
        compare(name, &format!("{}{}", said.out, said.err), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn telegrams_of_mbus_are_shown_layer_by_layer() {
    let frame = |text: &str| framed(text);
    let encrypted = "68 00 00 68 08 05 72 78 56 34 12 24 40 01 07 55 00 10 05 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F 2F";
    let mbus: &[&str] = &["mbus"];
    walk(&[
        ("mbus-water", mbus, frame(WATER), 0),
        ("mbus-water-json", &["mbus", "--json"], frame(WATER), 0),
        ("mbus-fixed", mbus, frame(FIXED), 0),
        ("mbus-ack", mbus, "E5".into(), 0),
        ("mbus-request", mbus, "10 7B FD 78 16".into(), 0),
        (
            "mbus-selection",
            mbus,
            frame("68 00 00 68 53 FD 52 78 56 34 12 FF FF FF FF"),
            0,
        ),
        ("mbus-error", mbus, frame("68 00 00 68 08 05 70 08"), 0),
        ("mbus-alarm", mbus, frame("68 00 00 68 08 05 71 04"), 0),
        ("mbus-speed", mbus, frame("68 00 00 68 53 05 BD"), 0),
        ("mbus-encrypted", mbus, frame(encrypted), 1),
        (
            "mbus-unknown-ci",
            mbus,
            frame("68 00 00 68 08 05 A5 01 02"),
            1,
        ),
        (
            "mbus-record-cut",
            mbus,
            frame("68 00 00 68 08 05 78 01 13 07 04 13 01 02"),
            1,
        ),
        (
            "mbus-checksum",
            mbus,
            frame(FIXED).replace("31 65", "31 66"),
            1,
        ),
        ("mbus-truncated", mbus, "68 3D 3D 68 08".into(), 1),
        ("mbus-trailing", mbus, format!("{} E5", frame(FIXED)), 1),
        ("mbus-no-start", mbus, "00 01".into(), 1),
        (
            "mbus-terminal",
            mbus,
            frame("68 00 00 68 08 05 78 0D FD 11 03 6D 32 1B"),
            0,
        ),
    ]);
}

/// A request for two registers could be a header of TCP with a byte behind it; its CRC says that it is not.
#[test]
fn what_a_crc_proves_goes_before_what_a_header_happens_to_say() {
    let request = "01 03 00 00 00 02 C4 0B".to_owned();
    walk(&[("modbus-request-two", &["modbus"], request, 0)]);
}

#[test]
fn frames_of_modbus_are_shown_layer_by_layer() {
    let modbus: &[&str] = &["modbus"];
    walk(&[
        (
            "modbus-request",
            modbus,
            "01 03 00 00 00 0A C5 CD".into(),
            0,
        ),
        (
            "modbus-response",
            modbus,
            "01 03 04 00 2A FF FE 1B 8B".into(),
            0,
        ),
        ("modbus-exception", modbus, "01 83 02 C0 F1".into(), 0),
        ("modbus-coil", modbus, "01 05 00 AC FF 00 4C 1B".into(), 0),
        (
            "modbus-coils-either",
            modbus,
            "01 01 03 00 00 01 FD 8E".into(),
            0,
        ),
        (
            "modbus-coils-response",
            &["modbus", "--response"],
            "01 01 03 00 00 01 FD 8E".into(),
            0,
        ),
        (
            "modbus-tcp",
            modbus,
            "0001 0000 0006 11 03 006B 0003".into(),
            0,
        ),
        (
            "modbus-tcp-json",
            &["modbus", "--json"],
            "0001 0000 0007 11 03 04 0001 FFFF".into(),
            0,
        ),
        ("modbus-crc", modbus, "01 03 00 00 00 0A C5 CE".into(), 1),
        ("modbus-cut", modbus, "01 03 04 00 2A FF".into(), 1),
        (
            "modbus-runs-on",
            modbus,
            "01 03 00 00 00 0A C5 CD FF".into(),
            1,
        ),
        (
            "modbus-tcp-cut",
            &["modbus", "--tcp"],
            "0001 0000 0006 11 03 006B".into(),
            1,
        ),
        (
            "modbus-tcp-protocol",
            &["modbus", "--tcp"],
            "0001 0001 0006 11 03 006B 0003".into(),
            1,
        ),
        (
            "modbus-tcp-length",
            &["modbus", "--tcp"],
            "0001 0000 0001 11 03".into(),
            1,
        ),
        (
            "modbus-function",
            &["modbus", "--tcp"],
            "0001 0000 0002 11 2B".into(),
            1,
        ),
        (
            "modbus-quantity",
            &["modbus", "--tcp"],
            "0001 0000 0006 11 03 0000 0000".into(),
            1,
        ),
    ]);
}

#[test]
fn what_is_no_frame_at_all_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent");
    let long = "00 ".repeat(6_000);
    for (input, due) in [
        ("", "standard input: it is empty"),
        (" \n\n", "it is empty"),
        ("68 0", "half a byte at line 1, column 4"),
        (
            "68 03\n03 6x",
            "`x` at line 2, column 5 is no hexadecimal digit",
        ),
        (&long, "longer than 16384 bytes"),
    ] {
        for protocol in ["mbus", "modbus"] {
            let said = said(&[protocol, "-", "--json"], input.as_bytes());
            assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{said:?}");
            assert!(said.err.contains(due), "{due:?} is missing: {said:?}");
        }
    }
    for (file, due) in [
        (absent.to_str().unwrap(), "there is no such file"),
        (dir.path().to_str().unwrap(), "it is a directory"),
    ] {
        let said = said(&["mbus", file], b"");
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(
            said.err.contains(due) && said.err.contains(file),
            "{said:?}"
        );
    }
    let said = said(&["modbus", "-", "--rtu", "--tcp"], b"");
    assert_eq!(said.code, Some(2), "{said:?}");
}

//= A4.1
#[test]
fn a_fault_is_told_to_programs_with_layer_byte_and_what_would_be_right() {
    let (code, told) = object(&["mbus"], &framed(FIXED).replace("31 65", "31 66"));
    assert_eq!(code, Some(1));
    assert_eq!(told["valid"], false);
    assert_eq!(
        told["records"],
        json!([]),
        "no value out of a frame that does not hold"
    );
    let error = &told["errors"][0];
    assert_eq!(
        (&error["layer"], &error["byte"]),
        (&json!("link"), &json!(23))
    );
    assert_eq!(
        error["expected"],
        told["link"]["checksum"]["computed"]
            .as_str()
            .unwrap()
            .to_owned()
            + "h"
    );
    let (code, told) = object(&["modbus"], "01 03 00 00 00 0A C5 CE");
    assert_eq!(code, Some(1));
    assert_eq!(told["pdu"], Value::Null);
    let error = &told["errors"][0];
    assert_eq!(
        (&error["layer"], &error["byte"]),
        (&json!("rtu"), &json!(6))
    );
    assert_eq!(
        (&error["expected"], &error["found"]),
        (&json!("CDC5"), &json!("CEC5"))
    );
}

#[test]
fn raw_bytes_and_text_give_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("frame");
    for (protocol, text) in [
        ("mbus", framed(WATER)),
        ("mbus", "E5".into()),
        ("modbus", "01 03 00 00 00 0A C5 CD".into()),
        ("modbus", "00 01 00 00 00 06 11 03 00 6B 00 03".into()),
    ] {
        let by_text = said(&[protocol, "-"], text.as_bytes());
        std::fs::write(&file, hex(&text)).unwrap();
        let by_bytes = said(&[protocol, file.to_str().unwrap()], b"");
        assert_eq!((by_text.code, by_text.out), (by_bytes.code, by_bytes.out));
        assert_eq!(by_text.code, Some(0));
    }
}
