//! A station's own points that the street plays with faults to order, read by a whole node: what is in the log is what was
//! played, and a log that says otherwise is found out.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use trial::{Played, compare_points};

const PATIENCE: Duration = Duration::from_secs(60);

/// A street of points alone.
fn street(dir: &Path, points: &str, plan: &str) -> Street {
    let file = dir.join("points.toml");
    std::fs::write(&file, points).unwrap();
    let words = ["--meters", "0", "--points", file.to_str().unwrap()];
    Street::with(dir, &words, plan)
}

fn contract(rest: &str) -> Contract {
    Contract::of(format!(
        "[station]\norigin = \"example.org/street-points\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 8\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n{rest}"
    ))
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// The log of a node that has stopped, and what of it is what was played.
fn compared(data: &Path, said: &[Value]) -> (Vec<Value>, Played) {
    assert_eq!(about("verify", data, &[]).code, Some(0));
    let log = about("log", data, &[]).json_lines();
    let played = compare_points(&lines(said), &log).unwrap();
    assert!(played.findings.is_empty(), "{:?}", played.findings.texts());
    (log, played)
}

/// With one row changed there is a finding that says this.
fn found_out(
    said: &[Value],
    log: &[Value],
    fits: impl Fn(&Value) -> bool,
    key: &str,
    to: Value,
    part: &str,
) {
    let mut log = log.to_vec();
    let row = log.iter_mut().rev().find(|row| fits(row)).unwrap();
    row[key] = to;
    let played = compare_points(&lines(said), &log).unwrap();
    let texts = played.findings.texts();
    assert!(
        texts.iter().any(|text| text.contains(part)),
        "{part}: {texts:?}"
    );
}

const INPUTS: &str = "\
[[input]]
name = \"water\"
per_s = 5
width_ms = 60
jitter = 0.5
[[input]]
name = \"gas\"
per_s = 4
[[input]]
name = \"steam\"
per_s = 4
[[input]]
name = \"door\"
per_s = 0.5
[[input]]
name = \"gate\"
per_s = 3
";

const FAULTS_OF_INPUTS: &str = "\
[[fault]]
point = \"water\"
kind = \"glitch\"
per_s = 20
widths_us = [[2, 9, 1], [20, 90, 1], [200, 900, 1], [2000, 9000, 2], [12000, 18000, 1]]
[[fault]]
point = \"gas\"
kind = \"bounce\"
[[fault]]
point = \"gas\"
kind = \"missed\"
probability = 0.3
[[fault]]
point = \"steam\"
kind = \"lost-edges\"
probability = 0.2
[[fault]]
point = \"steam\"
kind = \"stuck\"
from_s = 2
for_s = 1
[[fault]]
point = \"door\"
kind = \"chatter\"
at_s = [2]
burst_ms = 800
[[fault]]
point = \"gate\"
kind = \"lost-edges\"
probability = 0.2
";

fn inputs_contract(description: &Value) -> Contract {
    let inputs = list(description, "inputs");
    let mut rest = format!(
        "[[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {:?}\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"10ms\"\nchatter_on = 20\nchatter_off = 2\n\n",
        text(&inputs[0], "path")
    );
    for input in inputs {
        let (name, line) = (text(input, "name"), text(input, "line"));
        let (kind, more) = match name {
            "door" | "gate" => ("di", ""),
            _ => ("pulse", "schedule = \"second\"\n"),
        };
        let _ = writeln!(
            rest,
            "[[{kind}]]\nid = {name:?}\ncard = \"dio\"\nline = {line}\ndebounce = \"contact\"\n{more}"
        );
    }
    contract(&rest)
}

//= A3.3
//= R3.1
#[test]
fn pulses_that_glitch_bounce_stick_and_are_missed_are_counted_as_they_were_played() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let street = street(dir, INPUTS, FAULTS_OF_INPUTS);
    let node = Node::start(dir, "node", &inputs_contract(street.description()));
    wait_until(
        "a door that is calm again, and some seconds",
        PATIENCE,
        || {
            std::thread::sleep(Duration::from_millis(500));
            let rows = about("log", node.data(), &["--kind", "soe"]).json_lines();
            let mut kept = rows.iter().filter(|row| row["point_id"] == "door");
            kept.any(|row| row["loss"] == "chatter" && row["reason"] != "chatter")
                .then_some(())
        },
    );
    std::thread::sleep(Duration::from_secs(1));
    let data = node.stop();
    let said = street.stop();
    let (log, played) = compared(&data, &said);
    assert!(played.counts >= 9 && played.pulses > 25, "{played:?}");
    assert!(
        played.glitches > 40 && played.lost > 0 && played.frozen == 1,
        "{played:?}"
    );
    let of = |point: &'static str, fault: &'static str| {
        let struck = said.iter().filter(|row| row["point"] == point);
        struck.filter(|row| row["fault"] == fault).count()
    };
    for (point, fault) in [
        ("gas", "missed"),
        ("steam", "stuck"),
        ("steam", "lost-edges"),
        ("door", "chatter"),
    ] {
        assert!(of(point, fault) > 0, "{point} {fault}");
    }
    let water = |row: &Value| row["point_id"] == "water" && row["basis"] == "live";
    found_out(&said, &log, water, "count", json!(100_000), "were played");
    let edge = |row: &Value| row["point_id"] == "gate" && row["change"] == "edge";
    found_out(&said, &log, edge, "mono_ns", json!(1), "was not played");
    // Of a street that had played something else this is not the log.
    let place = said
        .iter()
        .rposition(|row| row["point"] == "gas" && row["fault"] == "missed");
    let other: Vec<Value> = said
        .iter()
        .filter(|row| row["event"] != "edge" || row["point"] != "gas")
        .cloned()
        .collect();
    assert!(
        place.is_some()
            && !compare_points(&lines(&other), &log)
                .unwrap()
                .findings
                .is_empty()
    );
}

const REMOTE: &str = "\
[[device]]
name = \"rio\"
port = \"rio-line\"
unit = 3
[[input]]
name = \"valve\"
device = \"rio\"
bit = \"discrete:5\"
per_s = 0.8
[[analog]]
name = \"level\"
device = \"rio\"
register = \"input:3\"
period_s = 20
[[analog]]
name = \"flow\"
device = \"rio\"
register = \"holding:7\"
mean = -100
swing = 50
[[analog]]
name = \"pressure\"
device = \"rio\"
register = \"input:9\"
swing = 100
";

const FAULTS_OF_REMOTE: &str = "\
[[fault]]
point = \"level\"
kind = \"open-wire\"
raw = 12
from_s = 1.8
for_s = 0.8
[[fault]]
point = \"level\"
kind = \"out-of-range\"
raw = 30000
from_s = 3.2
for_s = 0.8
[[fault]]
point = \"flow\"
kind = \"noise\"
by = 400
from_s = 1.8
for_s = 1.5
[[fault]]
point = \"flow\"
kind = \"refused\"
from_s = 4.2
for_s = 0.8
[[fault]]
point = \"pressure\"
kind = \"jump\"
by = 3000
from_s = 2
for_s = 2
[[fault]]
point = \"pressure\"
kind = \"stuck\"
from_s = 4.2
for_s = 0.8
[[fault]]
device = \"rio\"
kind = \"offline\"
from_s = 5
for_s = 3.5
";

fn remote_contract(description: &Value) -> Contract {
    let device = &list(description, "devices")[0];
    let port = list(description, "ports").iter();
    let mut port = port.filter(|port| port["name"] == device["port"]);
    let path = text(port.next().unwrap(), "path");
    let mut rest = format!(
        "[[port]]\nid = \"rio-line\"\nkind = \"modbus-rtu\"\ndevice = {path:?}\nbaud = 115200\nparity = \"none\"\n\
         timeout = \"600ms\"\nretries = 0\nlate_reply = \"700ms\"\n\n\
         [[debounce]]\nid = \"look\"\nwindow = \"5ms\"\n\n\
         [[card]]\nid = \"rio\"\nkind = \"modbus\"\nport = \"rio-line\"\nunit = {}\npoll = \"50ms\"\n\n\
         [[di]]\nid = \"valve\"\ncard = \"rio\"\nline = {:?}\ndebounce = \"look\"\n\n",
        number(device, "unit"),
        text(&list(description, "inputs")[0], "line"),
    );
    for analog in list(description, "analogs") {
        let (name, channel) = (text(analog, "name"), text(analog, "channel"));
        let more = match name {
            "level" => "open_below = \"3600\"\nshort_above = \"21000\"\n",
            "flow" => "noise = \"150\"\n",
            _ => "rate_max = \"2000\"\n",
        };
        let _ = writeln!(
            rest,
            "[[ai]]\nid = {name:?}\ncard = \"rio\"\nchannel = \"{channel} i16\"\nschedule = \"second\"\n\
             sample = \"100ms\"\n{more}"
        );
    }
    contract(&rest)
}

//= R3.1
//= R3.3
#[test]
fn registers_and_bits_of_remote_io_are_what_the_device_answered_or_say_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let street = street(dir, REMOTE, FAULTS_OF_REMOTE);
    let node = Node::start(dir, "node", &remote_contract(street.description()));
    wait_until("a device that is back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let rows = about("log", node.data(), &[]).json_lines();
        let valve: Vec<&Value> = rows
            .iter()
            .filter(|row| row["point_id"] == "valve")
            .collect();
        let lost = valve
            .iter()
            .position(|row| row["reason"] == "source_lost")?;
        let mut behind = valve.iter().skip(lost);
        behind.any(|row| row["change"] == "edge").then_some(())
    });
    let data = node.stop();
    let said = street.stop();
    let (log, played) = compared(&data, &said);
    assert!(played.values > 30 && played.changes > 8, "{played:?}");
    let reasons = |point: &str| {
        let of = log
            .iter()
            .filter(|row| row["kind"] == "analog" && row["point_id"] == point);
        of.map(|row| text(row, "reason").to_owned())
            .collect::<BTreeSet<String>>()
    };
    let has = |point: &str, due: &[&str]| {
        let found = reasons(point);
        assert!(
            due.iter().all(|reason| found.contains(*reason)),
            "{point}: {found:?}"
        );
    };
    has(
        "level",
        &["none", "open_wire", "short_circuit", "source_lost"],
    );
    has("flow", &["none", "noise", "source_lost"]);
    has("pressure", &["none", "rate_of_change", "source_lost"]);
    let level = |row: &Value| row["point_id"] == "level" && row["reason"] == "open_wire";
    found_out(
        &said,
        &log,
        level,
        "raw",
        json!("13"),
        "says 13; the device answered 12",
    );
    found_out(
        &said,
        &log,
        level,
        "reason",
        json!("none"),
        "under the fault \"open-wire\"",
    );
    let valve = |row: &Value| row["point_id"] == "valve" && row["change"] == "edge";
    found_out(&said, &log, valve, "mono_ns", json!(1), "no answer showed");
}

const SUPPLIES: &str = "\
[[supply]]
name = \"vbat\"
[[supply]]
name = \"v5\"
mv = 5000
ripple_mv = 5
";

/// Each longer than a busy node takes to look.
const FAULTS_OF_SUPPLIES: &str = "\
[[fault]]
supply = \"vbat\"
kind = \"sag\"
fall_ms = 200
from_s = 1.5
for_s = 1
[[fault]]
supply = \"vbat\"
kind = \"brownout\"
from_s = 3.5
for_s = 1
[[fault]]
supply = \"vbat\"
kind = \"uvlo\"
to_mv = 8000
from_s = 5.5
for_s = 1
[[fault]]
supply = \"v5\"
kind = \"loss\"
from_s = 4
for_s = 1
";

fn supplies_contract(description: &Value) -> Contract {
    let mut rest = String::new();
    for supply in list(description, "supplies") {
        let (name, path, channel) = (
            text(supply, "name"),
            text(supply, "path"),
            text(supply, "channel"),
        );
        let limits = match name {
            "vbat" => "droop = \"11.5\"\nbrownout = \"10.5\"\nuvlo = \"9\"\nhysteresis = \"0.2\"\n",
            _ => "droop = \"4.8\"\n",
        };
        let _ = writeln!(
            rest,
            "[[card]]\nid = \"card-{name}\"\nkind = \"hwmon\"\npath = {path:?}\n\n\
             [[power]]\nid = {name:?}\ncard = \"card-{name}\"\nchannel = {channel:?}\nsample = \"20ms\"\n{limits}"
        );
    }
    contract(&rest)
}

//= A7.2
#[test]
fn supplies_that_sag_brown_out_and_are_lost_have_the_excursions_that_were_played() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let street = street(dir, SUPPLIES, FAULTS_OF_SUPPLIES);
    let node = Node::start(dir, "node", &supplies_contract(street.description()));
    wait_until("a supply that is back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        let rows = about("log", node.data(), &["--kind", "excursion"]).json_lines();
        let mut rows = rows.iter();
        rows.any(|row| row["change"] == "left" && row["band"] == "uvlo")
            .then_some(())
    });
    let data = node.stop();
    let said = street.stop();
    let (log, played) = compared(&data, &said);
    let of = |point: &str, change: &str| {
        let rows = log
            .iter()
            .filter(|row| row["point_id"] == point && row["change"] == change);
        rows.filter_map(|row| row["band"].as_str().or(Some("-")))
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    assert!(played.excursions >= 15, "{played:?}");
    let mut entered = of("vbat", "entered");
    entered.sort();
    assert_eq!(
        entered,
        ["brownout", "brownout", "droop", "droop", "droop", "uvlo"]
    );
    assert_eq!(
        (of("v5", "lost"), of("v5", "entered")),
        (vec!["-".to_owned()], vec![])
    );
    let left =
        |row: &Value| row["point_id"] == "vbat" && row["change"] == "left" && row["band"] == "uvlo";
    found_out(
        &said,
        &log,
        left,
        "extreme",
        json!("8.900"),
        "at the furthest",
    );
    let entered = |row: &Value| row["point_id"] == "vbat" && row["change"] == "entered";
    found_out(
        &said,
        &log,
        entered,
        "value",
        json!("7.000"),
        "did not stand there",
    );
}
