//! A PLC modem that the street plays, and an M-Bus whose converter is overloaded.

use super::{Fault, PATIENCE, compared, contract, found_out, street_with};
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
[[input]]
name = \"converter\"
per_s = 0
";

/// What is compared with the report before comes when there are some, and each lasts over a second of the schedule.
const FAULTS_OF_MODEMS: &[Fault] = &[
    (
        "modem",
        "plc",
        "noise-storm",
        "marker = \"switching\"\nfrom_s = 7\nfor_s = 1.2",
    ),
    ("modem", "plc", "counters-back", "from_s = 8.2"),
    ("modem", "plc", "mute", "from_s = 9.3\nfor_s = 1.1"),
    ("modem", "plc", "garbage", "from_s = 10.5\nfor_s = 1.1"),
    (
        "port",
        "bus",
        "overload",
        "marker = \"converter\"\nfrom_s = 7\nfor_s = 2",
    ),
];

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
         [[di]]\nid = \"switching\"\ncard = \"dio\"\nline = 0\ndebounce = \"contact\"\nmarker = \"noise\"\n\n\
         [[di]]\nid = \"converter\"\ncard = \"dio\"\nline = 1\ndebounce = \"contact\"\n\n\
         [[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = {:?}\nbaud = 9600\nparity = \"none\"\nlatency = \"100ms\"\n\
         power_up = \"500ms\"\noverload = \"converter on\"\n\n\
         [[meter]]\nid = \"m01\"\nport = \"bus\"\nschedule = \"second\"\nprimary = 1\n\
         [[meter.point]]\nid = \"volume\"\nrecord = 1\nunit = \"m^3\"\n",
        text(modem, "url"),
        place("link"),
        place("retransmissions"),
        place("quality"),
        place("crc"),
        text(&list(description, "inputs")[0], "path"),
        text(&list(description, "ports")[0], "path"),
    ))
}

//= A3.4
//= A3.7
//= A3.8
#[test]
fn a_modem_that_falls_silent_talks_garbage_begins_anew_and_is_disturbed_is_reported_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let bus = ["--meters", "1", "--mbus-port", "bus", "--mbus-baud", "9600"];
    let street = street_with(dir, &bus, MODEMS, FAULTS_OF_MODEMS);
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
    let counts: Vec<u64> = said
        .iter()
        .filter(|row| row["event"] == "modem")
        .filter_map(|row| row["count"].as_u64())
        .collect();
    let back = counts.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert_eq!(
        log.iter().filter(|row| row["restarted"] == true).count(),
        back
    );
    // What was switched stands beside the retransmissions that it cost: one clock, one timeline.
    let ends = said
        .iter()
        .filter(|row| row["event"] == "edge" && row["point"] == "switching");
    let ends: Vec<u64> = ends.filter_map(|row| row["mono_ns"].as_u64()).collect();
    let marked = log.iter().filter(|row| marker(row));
    assert!(
        marked
            .filter_map(|row| row["mono_ns"].as_u64())
            .any(|at| at == ends[1])
    );
    let stormy = log
        .iter()
        .filter(plc)
        .filter(|row| row["step"].as_u64() >= Some(50));
    let mut stormy = stormy.filter_map(|row| row["mono_ns"].as_u64());
    assert!(
        stormy.all(|at| (ends[0]..ends[1] + 1_000_000_000).contains(&at)),
        "{ends:?}"
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
    overload(&log, &said);
}

/// It began and ended as the converter said, and no meter is blamed for what it did not answer.
fn overload(log: &[Value], said: &[Value]) {
    let at = |rows: &[Value], fits: &dyn Fn(&&Value) -> bool| {
        let found = rows.iter().find(fits);
        found.and_then(|row| row["mono_ns"].as_u64()).unwrap()
    };
    let edge = |rising: bool| {
        at(said, &|row| {
            row["point"] == "converter" && row["rising"] == rising
        })
    };
    let event = |code: &str| at(log, &|row| row["code"] == code);
    let (began, over) = (event("bus_overload"), event("bus_overload_over"));
    assert!((edge(true)..edge(false)).contains(&began), "{began}");
    let over_by = edge(false)..edge(false) + 1_000_000_000;
    assert!(over_by.contains(&over), "{over}");
    let of_meter = |kind: &'static str| {
        log.iter()
            .filter(move |row| row["kind"] == kind && row["meter_id"] == "m01")
    };
    assert!(of_meter("reading").count() > 0);
    let causes: Vec<&str> = of_meter("attempt_failed")
        .map(|row| text(row, "reason"))
        .collect();
    assert!(causes.contains(&"bus_overload"), "{causes:?}");
    let allowed = ["bus_overload", "slot_overrun", "stopped"];
    assert!(
        causes.iter().all(|cause| allowed.contains(cause)),
        "{causes:?}"
    );
    assert!(!log.iter().any(|row| row["code"] == "bus_silent"));
}
