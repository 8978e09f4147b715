//! Plans that are understood, and those that name line and cure.

mod points;

use super::{KINDS, Kind, parse};
use crate::args::Args;
use crate::lines::{Droop, LineKind, Moments};
use crate::points::Layout;
use crate::site::Site;
use crate::turns::Turn;
use clap::Parser;
use std::collections::BTreeSet;
use std::time::Duration;

fn site() -> Site {
    let line = "street --dir d --rtu-port a --tcp 127.0.0.1:0 --meters 4";
    Site::lay_out(
        &Args::parse_from(line.split(' ')),
        Vec::new(),
        Layout::default(),
    )
    .unwrap()
}

//= A3.1
#[test]
fn a_fault_says_when_and_how_often() {
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
    let faults = parse(text, &site()).unwrap().faults;
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0].kind, Kind::Late(Duration::from_millis(800)));
    assert_eq!(faults[0].from, Duration::from_secs(10));
    assert_eq!(faults[0].until, Some(Duration::from_millis(12_500)));
    assert_eq!((faults[1].meter, faults[1].kind), (1, Kind::Disconnect));
    assert_eq!((faults[1].until, faults[1].probability), (None, Some(0.5)));
    assert_eq!(parse("", &site()).unwrap().len(), 0);
}

//= A3.1
#[test]
fn every_kind_is_understood() {
    let of_meters = [
        ("m01", "silent\"", Kind::Silent),
        (
            "m01",
            "late\"\ndelay_ms = 1",
            Kind::Late(Duration::from_millis(1)),
        ),
        ("m01", "corrupt-crc\"", Kind::CorruptCrc),
        ("m01", "wrong-unit\"", Kind::WrongUnit(None)),
        ("m01", "wrong-unit\"\nas_unit = 9", Kind::WrongUnit(Some(9))),
        ("m01", "exception\"\ncode = 6", Kind::Exception(6)),
        ("m01", "truncate\"", Kind::Truncate),
        ("m01", "double\"", Kind::Double),
        ("m01", "flaky\"\nprobability = 0.3", Kind::Flaky),
        ("m03", "disconnect\"", Kind::Disconnect),
        ("m02", "collision\"", Kind::Collision),
        ("m01", "rollover\"", Kind::Turn(Turn::Rollover)),
        ("m01", "replaced\"", Kind::Turn(Turn::Replaced)),
        ("m01", "reset\"", Kind::Turn(Turn::Reset)),
        ("m01", "bad-read\"", Kind::Turn(Turn::BadRead)),
        (
            "m01",
            "clock\"\nahead_s = -90",
            Kind::Turn(Turn::Clock(-90)),
        ),
    ];
    let mut understood = BTreeSet::new();
    for (meter, rest, kind) in of_meters {
        let text = format!("[[fault]]\nmeter = {meter:?}\nkind = \"{rest}");
        assert_eq!(parse(&text, &three()).unwrap().faults[0].kind, kind);
        understood.insert(kind.name());
    }
    for (port, rest, kind) in of_lines() {
        let text = format!("[[fault]]\nport = {port:?}\nkind = \"{rest}");
        let plan = parse(&text, &three()).unwrap();
        assert!(plan.faults.is_empty());
        assert_eq!(plan.lines[0].kind, kind);
        understood.insert(kind.name());
    }
    understood.extend(points::understood());
    assert_eq!(understood, BTreeSet::from(KINDS));
}

/// A street with a line, an M-Bus and TCP.
fn three() -> Site {
    let line = "street --dir d --rtu-port a --mbus-port b --tcp 127.0.0.1:0 --meters 6";
    let points = crate::points::parse(
        "[[input]]\nname = \"water\"\n[[input]]\nname = \"door\"\n\
         [[device]]\nname = \"rio\"\nport = \"io\"\nunit = 3\n\
         [[input]]\nname = \"bit\"\ndevice = \"rio\"\nbit = \"coil:2\"\n\
         [[analog]]\nname = \"level\"\ndevice = \"rio\"\nregister = \"input:3\"\n\
         [[supply]]\nname = \"vbat\"\n[[modem]]\nname = \"plc\"\n",
    );
    Site::lay_out(
        &Args::parse_from(line.split(' ')),
        Vec::new(),
        points.unwrap(),
    )
    .unwrap()
}

fn of_lines() -> [(&'static str, &'static str, LineKind); 7] {
    let ms = Duration::from_millis;
    let droop = |beyond, power_up, step| {
        LineKind::Droop(Droop {
            name: "droop",
            beyond,
            power_up: ms(power_up),
            step: ms(step),
        })
    };
    [
        (
            "a",
            "termination\"\nseverity = 1.0\nbaud = 115200",
            LineKind::Termination {
                severity: 1.0,
                baud: 115_200,
            },
        ),
        (
            "a",
            "bias-chatter\"\nper_s = 4\nprobability = 0.1",
            LineKind::BiasChatter {
                every: ms(250),
                share: 0.1,
            },
        ),
        (
            "b",
            "common-mode\"\nevery_s = 2\nburst_ms = 40",
            LineKind::CommonMode(Moments::Every {
                period: ms(2_000),
                length: ms(40),
            }),
        ),
        (
            "a",
            "common-mode\"\nat_s = [5.5, 1.0]\nburst_ms = 40",
            LineKind::CommonMode(Moments::At {
                moments: vec![ms(1_000), ms(5_500)],
                length: ms(40),
            }),
        ),
        ("b", "droop\"\nbeyond = 0", droop(0, 300, 100)),
        (
            "b",
            "overload\"\npower_up_ms = 50",
            LineKind::Droop(Droop {
                name: "overload",
                beyond: 0,
                power_up: ms(50),
                step: ms(0),
            }),
        ),
        (
            "a",
            "droop\"\nbeyond = 2\npower_up_ms = 500\nstep_ms = 20",
            droop(2, 500, 20),
        ),
    ]
}

fn check(rest: &str, expected: &[&str]) {
    check_in(&site(), rest, expected);
}

fn check_in(site: &Site, rest: &str, expected: &[&str]) {
    let error = parse(&format!("# a plan\n[[fault]]\n{rest}"), site).unwrap_err();
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
        &["line 5", "no key `form_s`", "`from_s`"],
    );
    check(
        "meter = \"m01\"\nkind = \"clock\"",
        &["line 4", "add ahead_s"],
    );
    check(
        "meter = \"m01\"\nkind = \"reset\"\nprobability = 0.5",
        &["line 5", "probability", "leave it out"],
    );
    check(
        "meter = \"m01\"\nkind = silent",
        &["line 4", "the file is TOML"],
    );
    check(
        "meter = \"m01\"\nkind = \"silent\"\nfrom_s = \"ten\"",
        &[
            "line 5",
            "`from_s` is the text \"ten\"",
            "a number without quotes",
        ],
    );
    check("kind = \"silent\"", &["line 3", "needs meter", "m01"]);
}

//= A3.1
#[test]
fn a_wrong_fault_of_a_line_names_line_and_cure() {
    check("kind = \"droop\"", &["line 3", "needs beyond"]);
    check(
        "port = \"a\"\nkind = \"overload\"",
        &["line 3", "no such trouble", "overload an M-Bus"],
    );
    check("kind = \"termination\"", &["line 3", "needs port"]);
    check(
        "port = \"x\"\nkind = \"termination\"",
        &["line 3", "\"x\"", "a, tcp"],
    );
    check(
        "port = \"tcp\"\nkind = \"common-mode\"\nat_s = [1]\nburst_ms = 4",
        &["line 3", "no such trouble", "M-Bus"],
    );
    check(
        "port = \"a\"\nkind = \"common-mode\"\nburst_ms = 4",
        &["line 4", "every_s or at_s"],
    );
    check(
        "port = \"a\"\nkind = \"common-mode\"\nevery_s = 0.01\nburst_ms = 40",
        &["line 5", "longer than burst_ms"],
    );
    check(
        "port = \"a\"\nkind = \"bias-chatter\"\nper_s = 0",
        &["line 5", "0.01 to 1000"],
    );
    check(
        "port = \"a\"\nkind = \"bias-chatter\"\nbaud = 9600",
        &["line 5", "baud", "termination"],
    );
    check(
        "port = \"a\"\nmeter = \"m01\"\nkind = \"bias-chatter\"",
        &["line 4", "whole line"],
    );
    check(
        "port = \"a\"\nmeter = \"m01\"\nkind = \"silent\"",
        &["line 3", "one meter"],
    );
}
