//! Plans that are understood, and those that name line and cure.

use super::{Kind, parse};
use crate::args::Args;
use crate::site::Site;
use crate::turns::Turn;
use clap::Parser;
use std::time::Duration;

fn site() -> Site {
    let line = "street --dir d --rtu-port a --tcp 127.0.0.1:0 --meters 4";
    Site::lay_out(&Args::parse_from(line.split(' ')), Vec::new()).unwrap()
}

//= A3.1
#[test]
fn every_kind_is_understood() {
    let text = r#"
        [[fault]]
        meter = "m01"
        kind = "late"
        delay_ms = 800
        from_s = 10
        for_s = 2.5
        [[fault]]
        meter = "m02"
        kind = "disconnect"
        probability = 0.5
    "#;
    let faults = parse(text, &site()).unwrap();
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0].kind, Kind::Late(Duration::from_millis(800)));
    assert_eq!(faults[0].from, Duration::from_secs(10));
    assert_eq!(faults[0].until, Some(Duration::from_millis(12_500)));
    assert_eq!((faults[1].meter, faults[1].kind), (1, Kind::Disconnect));
    assert_eq!((faults[1].until, faults[1].probability), (None, Some(0.5)));
    for (rest, kind) in [
        ("silent\"", Kind::Silent),
        ("corrupt-crc\"", Kind::CorruptCrc),
        ("wrong-unit\"", Kind::WrongUnit(None)),
        ("wrong-unit\"\nas_unit = 9", Kind::WrongUnit(Some(9))),
        ("exception\"\ncode = 6", Kind::Exception(6)),
        ("truncate\"", Kind::Truncate),
        ("double\"", Kind::Double),
        ("flaky\"\nprobability = 0.3", Kind::Flaky),
        ("rollover\"", Kind::Turn(Turn::Rollover)),
        ("replaced\"", Kind::Turn(Turn::Replaced)),
        ("reset\"", Kind::Turn(Turn::Reset)),
        ("bad-read\"", Kind::Turn(Turn::BadRead)),
        ("clock\"\nahead_s = -90", Kind::Turn(Turn::Clock(-90))),
    ] {
        let text = format!("[[fault]]\nmeter = \"m01\"\nkind = \"{rest}");
        assert_eq!(parse(&text, &site()).unwrap()[0].kind, kind);
        assert!(super::KINDS.contains(kind.name()));
    }
    assert!(parse("", &site()).unwrap().is_empty());
}

fn check(rest: &str, expected: &[&str]) {
    let error = parse(&format!("# a plan\n[[fault]]\n{rest}"), &site()).unwrap_err();
    let message = error.to_string();
    for part in expected {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

//= A3.1
#[test]
fn a_wrong_plan_names_line_and_cure() {
    check(
        "meter = \"m09\"\nkind = \"silent\"",
        &["line 3", "m09", "end with m04"],
    );
    check(
        "meter = \"m01\"\nkind = \"sleepy\"",
        &["line 4", "sleepy", "silent, late"],
    );
    check(
        "meter = \"m01\"\nkind = \"late\"",
        &["line 4", "needs delay_ms", "add delay_ms"],
    );
    check(
        "meter = \"m01\"\nkind = \"exception\"",
        &["line 4", "add code"],
    );
    check(
        "meter = \"m01\"\nkind = \"flaky\"",
        &["line 4", "add probability"],
    );
    check(
        "meter = \"m02\"\nkind = \"corrupt-crc\"",
        &["line 4", "no CRC", "truncate"],
    );
    check(
        "meter = \"m01\"\nkind = \"disconnect\"",
        &["line 4", "serial line", "silent"],
    );
    check(
        "meter = \"m01\"\nkind = \"collision\"",
        &["line 4", "not on an M-Bus", "corrupt-crc"],
    );
    check(
        "meter = \"m01\"\nkind = \"silent\"\ncode = 6",
        &["line 5", "code", "leave it out"],
    );
    check(
        "meter = \"m01\"\nkind = \"silent\"\nfrom_s = -1",
        &["line 5", "0 or more"],
    );
    check(
        "meter = \"m01\"\nkind = \"flaky\"\nprobability = 2",
        &["line 5", "0 to 1"],
    );
    check(
        "meter = \"m01\"\nkind = \"silent\"\nform_s = 1",
        &["line 5", "form_s", "--help"],
    );
    check(
        "meter = \"m01\"\nkind = \"clock\"",
        &["line 4", "add ahead_s"],
    );
    check(
        "meter = \"m01\"\nkind = \"reset\"\nprobability = 0.5",
        &["line 5", "probability", "leave it out"],
    );
    check("meter = \"m01\"\nkind = silent", &["line 4", "--help"]);
    check("kind = \"silent\"", &["line 2", "meter", "--help"]);
}
