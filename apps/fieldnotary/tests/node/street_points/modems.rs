//! PLC modems that the street plays.

use super::{PATIENCE, compared, contract, found_out, street};
use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, list, text, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const MODEMS: &str = "\
[[modem]]
name = \"plc\"
[[input]]
name = \"switching\"
per_s = 0
";

/// What is compared with the report before comes when there are some, and each lasts over a second of the schedule.
const FAULTS_OF_MODEMS: &str = "\
[[fault]]
modem = \"plc\"
kind = \"noise-storm\"
marker = \"switching\"
from_s = 3
for_s = 1.2
[[fault]]
modem = \"plc\"
kind = \"counters-back\"
from_s = 4.2
[[fault]]
modem = \"plc\"
kind = \"mute\"
from_s = 5.3
for_s = 1.1
[[fault]]
modem = \"plc\"
kind = \"garbage\"
from_s = 6.5
for_s = 1.1
";

fn modems_contract(description: &Value) -> Contract {
    let modem = &list(description, "modems")[0];
    let place = |name: &str| text(&modem["places"], name);
    contract(&format!(
        "[[card]]\nid = \"web\"\nkind = \"modem-http\"\npath = {:?}\n\n\
         [[modem]]\nid = \"plc\"\ncard = \"web\"\nschedule = \"second\"\ntimeout = \"500ms\"\nlink = {:?}\n\
         retransmissions = {:?}\nquality = {:?}\nquality_scale = \"0.1\"\nquality_buckets = [\"10\", \"20\"]\n\
         counters = [\"crc={}\"]\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\n\
         [[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {:?}\n\n\
         [[di]]\nid = \"switching\"\ncard = \"dio\"\nline = 0\ndebounce = \"contact\"\nmarker = \"noise\"\n",
        text(modem, "url"),
        place("link"),
        place("retransmissions"),
        place("quality"),
        place("crc"),
        text(&list(description, "inputs")[0], "path"),
    ))
}

//= A3.4
//= A3.8
#[test]
fn a_modem_that_falls_silent_talks_garbage_begins_anew_and_is_disturbed_is_reported_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let street = street(dir, MODEMS, FAULTS_OF_MODEMS);
    let node = Node::start(dir, "node", &modems_contract(street.description()));
    let marker = |row: &Value| row["marker"] == "noise" && row["change"] == "edge";
    wait_until("an answer that is none", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let rows = about("log", node.data(), &[]).json_lines();
        let mut rows = rows.iter();
        rows.any(|row| row["outcome"] == "garbled").then_some(())
    });
    let data = node.stop();
    let said = street.stop();
    let (log, played) = compared(&data, &said);
    assert!(played.reports >= 5, "{played:?}");
    let plc = |row: &&Value| row["kind"] == "modem_report";
    let outcomes: Vec<&str> = log
        .iter()
        .filter(plc)
        .map(|row| text(row, "outcome"))
        .collect();
    for outcome in ["answered", "silent", "garbled"] {
        assert!(outcomes.contains(&outcome), "{outcomes:?}");
    }
    assert_eq!(log.iter().filter(|row| row["restarted"] == true).count(), 1);
    // What was switched stands beside the retransmissions that it cost: one clock, one timeline.
    let ends: Vec<u64> = log
        .iter()
        .filter(|row| marker(row))
        .filter_map(|row| row["mono_ns"].as_u64())
        .collect();
    assert_eq!(ends.len(), 2);
    let stormy = log
        .iter()
        .filter(plc)
        .filter(|row| row["step"].as_u64() >= Some(50));
    let stormy: Vec<u64> = stormy.filter_map(|row| row["mono_ns"].as_u64()).collect();
    let near = ends[0]..ends[1] + 1_000_000_000;
    assert!(
        !stormy.is_empty() && stormy.iter().all(|at| near.contains(at)),
        "{stormy:?} {ends:?}"
    );
    let answered = |row: &Value| row["outcome"] == "answered";
    found_out(
        &said,
        &log,
        answered,
        "retransmissions",
        json!(9_999),
        "it said",
    );
    let silent = |row: &Value| row["outcome"] == "silent";
    found_out(
        &said,
        &log,
        silent,
        "outcome",
        json!("garbled"),
        "under the fault Some(\"mute\")",
    );
    found_out(
        &said,
        &log,
        |row| row["restarted"] == true,
        "restarted",
        json!(false),
        "its counter went back",
    );
}
