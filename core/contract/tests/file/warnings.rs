//! What is allowed, and yet most likely not meant.

use crate::common::{BASE, with};
use fieldnotary_contract::parse;

fn check(text: &str, expected: &[&str]) {
    let contract = parse(text).expect("sound");
    let found: Vec<String> = contract
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} says {expected}");
    }
}

const SPARE: &str = "port \"spare\" has no meters";

//= R6.2
#[test]
fn what_is_most_likely_not_meant_is_said() {
    check(BASE, &[SPARE]);
    check("[station]\norigin = \"a\"", &["no meters"]);
    check(
        &with("every = \"15min\"", "every = \"7min\""),
        &[SPARE, "7min does not divide a day"],
    );
    check(
        &with("register = \"holding:100\"", "register = \"holding:40101\""),
        &[
            SPARE,
            "meter \"m2\", point \"volt\": addresses count from 0, and holding:40101 looks like the old numbering, in which it is \"holding:100\"",
        ],
    );
    let unused = format!("{BASE}[[schedule]]\nid = \"x\"\nevery = \"1h\"\n");
    check(&unused, &[SPARE, "schedule \"x\" has no meters"]);
    let again = format!(
        "{BASE}[[port]]\nid = \"lan2\"\nkind = \"modbus-tcp\"\naddress = \"10.0.0.5:502\"\n"
    );
    check(&again, &["same address", "\"lan2\" has no meters", SPARE]);
    let time = "[station]\norigin = \"a\"\n[time]\nlimit = \"1ms\"\nchrony = \"/run/chrony/chronyd.sock\"\n";
    let ptp = format!("{time}ptp_domain = 24\nptp_timestamping = \"software\"\n");
    let nowhere = "`ptp_domain`, `ptp_timestamping` and no `ptp`";
    check(&ptp, &["no meters", nowhere]);
    check(&format!("{ptp}ptp = \"/var/run/ptp4l\"\n"), &["no meters"]);
    let offered = format!("{time}\n[[time.offered]]\nid = \"head-end\"\n");
    check(&offered, &["no meters", "nobody offers the time"]);
    let strange = with(
        "[[port]]",
        "[time]\nlimit = \"1ms\"\n\n[[time.offered]]\nid = \"headend\"\n\n[[port]]",
    );
    let says = "\"headend\": nobody of this name offers the time; the collector of [uplink] is \"head-end\"";
    check(&strange, &[says, SPARE]);
}

/// A line at 300 baud with one meter: 8E1 makes 11 bits a character, two reads of two and one registers.
//= R5.2
#[test]
fn a_line_that_cannot_keep_its_schedule_is_named() {
    let slow = with("baud = 9600", "baud = 300\ntimeout = \"500ms\"");
    // Two requests of 8 characters, replies of 9 and 7, 3 characters of silence after each: 44 characters
    // are 1.61 s.
    check(
        &slow.replace("15min", "2s"),
        &["if its meters fall silent", SPARE],
    );
    check(
        &slow.replace("15min", "1s"),
        &["if its meters fall silent", "its reads need 161 %", SPARE],
    );
    check(&slow.replace("15min", "1min"), &[SPARE]);
    // Over TCP only the timeouts count: one read, two attempts of 1 s.
    let quick = with(
        "[[schedule]]",
        "[[schedule]]\nid = \"quick\"\nevery = \"1s\"\n[[schedule]]",
    );
    let quick = quick.replacen(
        "unit = 1\nschedule = \"quarter\"",
        "unit = 1\nschedule = \"quick\"",
        1,
    );
    check(
        &quick,
        &[
            "if its meters fall silent, waiting for them needs 200 %",
            SPARE,
        ],
    );
}
