//! Inputs that mark what happened, and a measurement of a person, on one timeline: every kind of marker through a whole node.

use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, fieldnotary, list, number, text, wait_until};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(30);

/// Input, line, word of the contract, word of the log, counter.
const MARKERS: [(&str, u32, &str, &str, &str); 4] = [
    ("arrester", 1, "surge", "surge", "surge_event_marker"),
    (
        "insulation",
        2,
        "isolation-fault",
        "isolation_fault",
        "iso_fault_marker",
    ),
    ("detector", 3, "noise", "noise", "noise_marker"),
    (
        "cabinet",
        4,
        "maintenance",
        "maintenance",
        "maintenance_marker",
    ),
];

fn contract(edges: &Path) -> Contract {
    let inputs: String = MARKERS
        .iter()
        .map(|(id, line, marker, ..)| {
            format!(
                "[[di]]\nid = {id:?}\ncard = \"dio\"\nline = {line}\ndebounce = \"contact\"\nmarker = {marker:?}\n\n"
            )
        })
        .collect();
    Contract::of(format!(
        "[station]\norigin = \"example.org/markers\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {edges:?}\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\n{inputs}"
    ))
}

/// The entry of a marker that was set.
fn set(data: &Path, marker: &str) -> Value {
    wait_until(marker, SOON, || {
        let rows = about("log", data, &["--kind", "soe"]).json_lines();
        let mut rows = rows.into_iter().rev();
        rows.find(|row| row["marker"] == marker && row["change"] == "edge" && row["value"] == 1)
    })
}

//= A3.6
//= A3.8
#[test]
fn every_marker_and_the_measurement_that_followed_are_on_one_timeline() {
    let dir = tempfile::tempdir().unwrap();
    let edges = dir.path().join("edges.txt");
    std::fs::write(&edges, "0 level 1 low\n").unwrap();
    let node = Node::start(dir.path(), "node", &contract(&edges));
    let data = node.data().to_owned();
    // An edge that is played before its card is open is its first state.
    wait_until("the first states", SOON, || {
        let rows = about("log", &data, &["--kind", "soe"]).json_lines();
        let first = rows.iter().filter(|row| row["change"] == "initial");
        (first.count() == MARKERS.len()).then_some(())
    });
    let mut order = Vec::new();
    for (id, line, _, marker, _) in MARKERS {
        let mut file = std::fs::OpenOptions::new().append(true).open(&edges);
        let file = file.as_mut().unwrap();
        file.write_all(format!("now edge {line} rising\n").as_bytes())
            .unwrap();
        let entry = set(&data, marker);
        assert_eq!(text(&entry, "point_id"), id);
        assert_eq!(number(&entry, "line"), u64::from(line));
        order.push(number(&entry, "commit_id"));
    }
    let picture = dir.path().join("scope.png");
    std::fs::write(&picture, b"what the oscilloscope showed").unwrap();
    let place = data.to_str().unwrap();
    let words = [
        "annotate",
        place,
        "--probe",
        "TP_IF_DIFF",
        "--value",
        "1.82",
        "--unit",
        "V",
        "--file",
        picture.to_str().unwrap(),
        "--actor",
        "ada",
        "--json",
    ];
    let said = fieldnotary(words);
    assert_eq!(said.code, Some(0), "{said:?}");
    let measured = number(&said.json(), "commit_id");
    order.push(measured);
    assert!(order.is_sorted(), "one log, one order: {order:?}");

    let data = node.stop();
    let rows = about("log", &data, &[]).json_lines();
    let probe = rows.iter().find(|row| row["kind"] == "probe").unwrap();
    assert_eq!(number(probe, "commit_id"), measured);
    let theirs = std::process::Command::new("sha256sum")
        .arg(&picture)
        .output()
        .unwrap();
    let theirs = String::from_utf8(theirs.stdout).unwrap();
    assert_eq!(theirs.split(' ').next(), Some(text(probe, "file")));
    // Each was counted once, at its own input and under its own name.
    let sheets = rows.iter().filter(|row| row["kind"] == "counter_snapshot");
    let counted: Vec<&Value> = sheets.flat_map(|row| list(row, "counters")).collect();
    for (id, _, _, _, counter) in MARKERS {
        let last = counted
            .iter()
            .rfind(|one| one["name"] == counter && one["label"] == id);
        assert_eq!(last.map(|one| number(one, "value")), Some(1), "{counter}");
        let others = MARKERS.iter().filter(|(other, ..)| *other != id);
        for (other, ..) in others {
            let wrong = |one: &&&Value| one["name"] == counter && one["label"] == *other;
            assert!(!counted.iter().any(|one| wrong(&one)), "{counter} {other}");
        }
    }
    let shown = fieldnotary(["log".as_ref(), data.as_os_str()]).out;
    for words in [
        "arrester (surge marker) on",
        "insulation (isolation_fault marker) on",
        "detector (noise marker) on",
        "cabinet (maintenance marker) on",
        "TP_IF_DIFF",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
