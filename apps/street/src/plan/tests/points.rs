//! Faults of a station's own points.

use super::{check, check_in, three};
use crate::lines::Moments;
use crate::plan::parse;
use crate::points::{AnalogKind, InputKind, ModemKind, Ordered, SupplyKind, Width};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every word that a plan may order of points, each of which is understood as it is meant.
pub(super) fn understood() -> BTreeSet<&'static str> {
    let mut understood = BTreeSet::new();
    for (rest, kind) in of_inputs() {
        let text = format!("[[fault]]\npoint = \"door\"\nkind = \"{rest}");
        let plan = parse(&text, &three()).unwrap();
        assert!(plan.len() == 1 && plan.points.inputs[0].place == 1);
        assert_eq!(plan.points.inputs[0].kind, kind);
        understood.insert(kind.name());
    }
    for (rest, kind) in of_analogs() {
        let text = format!("[[fault]]\npoint = \"level\"\nkind = \"{rest}");
        let plan = parse(&text, &three()).unwrap();
        assert_eq!((plan.len(), plan.points.analogs[0].kind), (1, kind));
        understood.insert(kind.name());
    }
    let plan = parse("[[fault]]\ndevice = \"rio\"\nkind = \"offline\"", &three());
    assert_eq!(plan.unwrap().points.devices.len(), 1);
    understood.insert("offline");
    for (rest, kind) in of_supplies() {
        let text = format!("[[fault]]\nsupply = \"vbat\"\nkind = \"{rest}");
        let plan = parse(&text, &three()).unwrap();
        assert_eq!((plan.len(), plan.points.supplies[0].kind), (1, kind));
        understood.insert(kind.name());
    }
    for (rest, kind) in of_modems() {
        let text = format!("[[fault]]\nmodem = \"plc\"\nkind = \"{rest}");
        let plan = parse(&text, &three()).unwrap();
        assert_eq!((plan.len(), plan.points.modems[0].kind), (1, kind));
        understood.insert(kind.name());
    }
    understood
}

fn of_modems() -> [(&'static str, ModemKind); 5] {
    let storm = |step, less| ModemKind::NoiseStorm { step, less };
    [
        ("mute\"", ModemKind::Mute),
        ("garbage\"", ModemKind::Garbage),
        ("counters-back\"", ModemKind::CountersBack),
        ("noise-storm\"", storm(50, 120)),
        (
            "noise-storm\"\nretries = 7\nless = 9\nmarker = \"door\"",
            storm(7, 9),
        ),
    ]
}

fn of_supplies() -> [(&'static str, SupplyKind); 4] {
    let falls = |name, to_mv, over| SupplyKind::Falls {
        name,
        to_mv,
        over: Duration::from_millis(over),
    };
    [
        ("sag\"", falls("sag", 11_040, 0)),
        ("brownout\"\nfall_ms = 20", falls("brownout", 10_200, 20)),
        ("uvlo\"\nto_mv = 0", falls("uvlo", 0, 0)),
        ("loss\"", SupplyKind::Loss),
    ]
}

fn of_analogs() -> [(&'static str, AnalogKind); 6] {
    [
        ("open-wire\"\nraw = -7", AnalogKind::OpenWire(-7)),
        ("out-of-range\"", AnalogKind::OutOfRange(32_767)),
        ("noise\"\nby = -50", AnalogKind::Noise(50)),
        ("jump\"\nby = -50", AnalogKind::Jump(-50)),
        ("refused\"\ncode = 2", AnalogKind::Refused(2)),
        ("stuck\"", AnalogKind::Frozen),
    ]
}

fn of_inputs() -> Vec<(&'static str, InputKind)> {
    let us = Duration::from_micros;
    let width = |from, to, weight| Width {
        from: us(from),
        to: us(to),
        weight,
    };
    let glitch = |every, widths| InputKind::Glitch {
        every: us(every),
        widths,
    };
    vec![
        (
            "glitch\"\nper_s = 4\nwidths_us = [[3, 9, 1], [0.5, 900, 2.5]]",
            glitch(
                250_000,
                vec![
                    width(3, 9, 1.0),
                    Width {
                        from: Duration::from_nanos(500),
                        ..width(0, 900, 2.5)
                    },
                ],
            ),
        ),
        (
            "bounce\"\nbounces = 5\nspread_ms = 0.5",
            InputKind::Bounce {
                most: 5,
                within: us(500),
            },
        ),
        (
            "chatter\"\nat_s = [1]\nburst_ms = 500\nper_s = 100",
            InputKind::Chatter {
                moments: Moments::At {
                    moments: vec![Duration::from_secs(1)],
                    length: us(500_000),
                },
                every: us(10_000),
            },
        ),
        ("missed\"", InputKind::Missed { share: 0.1 }),
        (
            "lost-edges\"\nprobability = 0.5\nedges = 2",
            InputKind::LostEdges {
                share: 0.5,
                most: 2,
            },
        ),
        ("stuck\"", InputKind::Stuck),
    ]
}

//= A3.1
#[test]
fn a_wrong_fault_of_an_input_names_line_and_cure() {
    check("kind = \"glitch\"", &["line 3", "needs point", "--points"]);
    check(
        "point = \"water\"\nkind = \"stuck\"",
        &["line 3", "no input \"water\"", "lays out no input"],
    );
    check(
        "point = \"water\"\nkind = \"silent\"",
        &["line 4", "needs meter"],
    );
    check(
        "point = \"water\"\nmeter = \"m01\"\nkind = \"stuck\"",
        &["line 4", "one input", "point alone"],
    );
    check(
        "point = \"water\"\nkind = \"glitch\"\nwidths_us = [[9, 3, 1]]",
        &["line 5", "classes of widths", "[from, to, how often]"],
    );
    check(
        "point = \"water\"\nkind = \"bounce\"\nbounces = 0",
        &["line 5", "give 1 to 100"],
    );
    check(
        "point = \"water\"\nkind = \"bounce\"\nspread_ms = -1",
        &["line 5", "more than 0"],
    );
    check(
        "point = \"water\"\nkind = \"chatter\"\nat_s = [1]",
        &["line 4", "needs burst_ms"],
    );
    check(
        "point = \"water\"\nkind = \"missed\"\nedges = 2",
        &["line 5", "edges does nothing", "\"lost-edges\""],
    );
}

//= A3.1
#[test]
fn a_wrong_fault_of_remote_io_or_a_supply_names_line_and_cure() {
    let check = |rest: &str, expected: &[&str]| check_in(&three(), rest, expected);
    check(
        "point = \"water\"\nkind = \"open-wire\"",
        &["line 3", "no analog input \"water\"", "has level"],
    );
    check(
        "point = \"level\"\nkind = \"glitch\"",
        &["line 3", "no input", "water, door, bit"],
    );
    check(
        "point = \"level\"\nkind = \"jump\"",
        &["line 4", "needs by"],
    );
    check(
        "point = \"level\"\nkind = \"open-wire\"\nraw = 70000",
        &["line 5", "-32768 to 65535"],
    );
    check(
        "point = \"level\"\nkind = \"noise\"\nraw = 7",
        &["line 5", "raw does nothing", "\"open-wire\""],
    );
    check("kind = \"offline\"", &["line 3", "needs device"]);
    check(
        "point = \"level\"\ndevice = \"rio\"\nkind = \"offline\"",
        &["line 3", "one device"],
    );
    check(
        "kind = \"sag\"",
        &["line 3", "needs supply", "they are vbat"],
    );
    check(
        "supply = \"vbat\"\nkind = \"sag\"\nto_mv = 12001",
        &["line 5", "give 0 to 12000"],
    );
    check(
        "supply = \"vbat\"\nkind = \"loss\"\nto_mv = 1",
        &["line 5", "to_mv does nothing", "\"sag\" or"],
    );
    check(
        "supply = \"level\"\nkind = \"loss\"",
        &["line 3", "no supply", "has vbat"],
    );
    check(
        "point = \"bit\"\nkind = \"lost-edges\"",
        &["line 3", "no numbers", "recording"],
    );
}

//= A3.1
#[test]
fn a_noise_storm_holds_its_marker_and_a_wrong_one_is_named() {
    let text = "[[fault]]\nmodem = \"plc\"\nkind = \"noise-storm\"\nmarker = \"door\"\nfrom_s = 2\nfor_s = 1";
    let plan = parse(text, &three()).unwrap();
    let held = Ordered {
        place: 1,
        kind: InputKind::Held("noise-storm"),
        from: Duration::from_secs(2),
        until: Some(Duration::from_secs(3)),
    };
    assert_eq!(plan.points.inputs, [held]);
    let text = "[[fault]]\nport = \"b\"\nkind = \"overload\"\nmarker = \"door\"";
    let plan = parse(text, &three()).unwrap();
    assert_eq!((plan.len(), plan.lines.len()), (1, 1));
    assert_eq!(plan.points.inputs[0].kind, InputKind::Held("overload"));
    let check = |rest: &str, expected: &[&str]| check_in(&three(), rest, expected);
    check(
        "modem = \"plc\"\nkind = \"noise-storm\"\nmarker = \"level\"",
        &["line 5", "no input \"level\"", "water, door, bit"],
    );
    check(
        "modem = \"plc\"\nkind = \"mute\"\nmarker = \"door\"",
        &["line 5", "marker does nothing", "\"noise-storm\""],
    );
    check("kind = \"garbage\"", &["line 3", "needs modem"]);
    check(
        "modem = \"plc\"\nkind = \"silent\"",
        &["line 4", "needs meter"],
    );
}
