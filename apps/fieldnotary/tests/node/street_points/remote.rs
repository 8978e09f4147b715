//! Remote I/O that the street plays.

use super::{Fault, PATIENCE, compared, contract, found_out, street};
use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, list, number, text, wait_until};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

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

const FAULTS_OF_REMOTE: &[Fault] = &[
    (
        "point",
        "level",
        "open-wire",
        "raw = 12\nfrom_s = 5.8\nfor_s = 0.8",
    ),
    (
        "point",
        "level",
        "out-of-range",
        "raw = 30000\nfrom_s = 7.2\nfor_s = 0.8",
    ),
    (
        "point",
        "flow",
        "noise",
        "by = 400\nfrom_s = 5.6\nfor_s = 1.5",
    ),
    ("point", "flow", "refused", "from_s = 7.1\nfor_s = 1.1"),
    (
        "point",
        "pressure",
        "jump",
        "by = 3000\nfrom_s = 6\nfor_s = 2",
    ),
    ("point", "pressure", "stuck", "from_s = 8\nfor_s = 0.4"),
    ("device", "rio", "offline", "from_s = 8.5\nfor_s = 2.4"),
];

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
    assert!(played.values > 30 && played.changes >= 5, "{played:?}");
    // Whatever struck several samples has its reason, however late the node began to look.
    for (point, fault, reason) in [
        ("level", "open-wire", "open_wire"),
        ("level", "out-of-range", "short_circuit"),
        ("flow", "noise", "noise"),
        ("flow", "refused", "source_lost"),
        ("pressure", "jump", "rate_of_change"),
    ] {
        let struck = said
            .iter()
            .filter(|row| row["event"] == "read" && row["point"] == point);
        let struck = struck.filter(|row| row["fault"] == fault).count();
        let mut told = log
            .iter()
            .filter(|row| row["kind"] == "analog" && row["point_id"] == point);
        assert!(
            struck < 5 || told.any(|row| row["reason"] == reason),
            "{point}: {reason}"
        );
    }
    others_keep_values(&log, &said);
    let level = |row: &Value| row["point_id"] == "level" && row["reason"] == "short_circuit";
    found_out(
        &said,
        &log,
        level,
        "raw",
        json!("13"),
        "says 13; the device answered 30000",
    );
    found_out(
        &said,
        &log,
        level,
        "reason",
        json!("none"),
        "under the fault \"out-of-range\"",
    );
    found_out(
        &said,
        &log,
        level,
        "raw",
        Value::Null,
        "every read was answered",
    );
    let valve = |row: &Value| row["point_id"] == "valve" && row["change"] == "edge";
    found_out(&said, &log, valve, "mono_ns", json!(1), "no answer showed");
}

/// While one register is refused, the others of its card are asked and have their values.
fn others_keep_values(log: &[Value], said: &[Value]) {
    let refused = said
        .iter()
        .filter(|row| row["event"] == "read" && row["fault"] == "refused");
    let refused: Vec<u64> = refused.map(|row| number(row, "mono_ns")).collect();
    let (Some(first), Some(last)) = (refused.first(), refused.last()) else {
        panic!("flow was not asked while it was refused");
    };
    for point in ["level", "pressure"] {
        let during: Vec<&Value> = log
            .iter()
            .filter(|row| row["kind"] == "analog" && row["point_id"] == point)
            .filter(|row| (*first..*last).contains(&number(row, "mono_ns")))
            .collect();
        assert!(!during.is_empty(), "{point}");
        assert!(
            during.iter().all(|row| row["raw"].is_string()),
            "{point}: {during:?}"
        );
    }
}
