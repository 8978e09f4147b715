//! A station's own points that the street plays with faults to order, read by a whole node: what is in the log is what was
//! played, and a log that says otherwise is found out.

mod modems;
mod remote;
mod supplies;

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use trial::{Played, compare_points};

const PATIENCE: Duration = Duration::from_secs(60);

/// One fault of a plan: what it is of and which one, its kind, and its other keys.
type Fault = (&'static str, &'static str, &'static str, &'static str);

/// The plan that orders them.
fn plan(faults: &[Fault]) -> String {
    let one = |(of, name, kind, rest): &Fault| {
        format!("[[fault]]\n{of} = {name:?}\nkind = {kind:?}\n{rest}\n")
    };
    faults.iter().map(one).collect()
}

/// A street of points alone. Its faults begin when a node has started, on a busy machine too.
fn street(dir: &Path, points: &str, faults: &[Fault]) -> Street {
    street_with(dir, &["--meters", "0"], points, faults)
}

/// The same with meters, by these words.
fn street_with(dir: &Path, words: &[&str], points: &str, faults: &[Fault]) -> Street {
    let file = dir.join("points.toml");
    std::fs::write(&file, points).unwrap();
    let words = [words, &["--points", file.to_str().unwrap()]].concat();
    Street::with(dir, &words, &plan(faults))
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

const FAULTS_OF_INPUTS: &[Fault] = &[
    (
        "point",
        "water",
        "glitch",
        "per_s = 20\nwidths_us = [[2, 9, 1], [20, 90, 1], [200, 900, 1], [2000, 9000, 2], [12000, 18000, 1]]",
    ),
    ("point", "gas", "bounce", ""),
    ("point", "gas", "missed", "probability = 0.3"),
    ("point", "steam", "lost-edges", "probability = 0.2"),
    ("point", "steam", "stuck", "from_s = 6\nfor_s = 1"),
    ("point", "door", "chatter", "at_s = [6]\nburst_ms = 800"),
    ("point", "gate", "lost-edges", "probability = 0.2"),
];

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
    assert_eq!((played.histograms, played.unjudged), (5, 0), "{played:?}");
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
    // What the node told last is missed where it is gone; of some edges the last may be too near its end.
    let last = log.iter().enumerate().rev().filter(|(_, row)| edge(row));
    let last: Vec<usize> = last.map(|(place, _)| place).take(4).collect();
    let told = log.iter().enumerate();
    let told = told.filter(|(place, _)| !last.contains(place));
    let told: Vec<Value> = told.map(|(_, row)| row.clone()).collect();
    let played = compare_points(&lines(&said), &told).unwrap();
    let texts = played.findings.texts();
    assert!(
        texts.iter().any(|text| text.contains("are not told")),
        "{texts:?}"
    );
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

const BUSY: &str = "\
[[input]]
name = \"water\"
per_s = 12
width_ms = 30
jitter = 0.5
[[input]]
name = \"gas\"
per_s = 9
[[input]]
name = \"gate\"
per_s = 2
";

//= A3.3
//= R1.1
#[test]
fn every_pulse_before_a_stop_is_in_a_count_and_counts_go_on_behind_it_and_behind_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let street = street(dir, BUSY, &[]);
    let contract = inputs_contract(street.description());
    let (runs, killed) = (6, 3);
    for run in 0..runs {
        let node = Node::start(dir, "node", &contract);
        let size = number(&node.status(), "log_size");
        node.wait_for("log_size", size + 12);
        if run == killed {
            drop(node);
        } else {
            node.stop();
        }
    }
    let data = dir.join("node");
    let (log, played) = compared(&data, &street.stop());
    let opened = log.iter().filter(|row| row["code"] == "port_opened");
    assert_eq!(opened.count(), runs);
    assert!(played.pulses > 20 && played.changes > 10, "{played:?}");
    // At each orderly stop both meters were counted once more, outside of their slots.
    let last = |row: &&Value| row["kind"] == "pulse_count" && row["slot"].is_null();
    assert_eq!(log.iter().filter(last).count(), 2 * (runs - 1));
}
