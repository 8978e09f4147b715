//! Ports of a running node that are watched beside it: what meters that are not ours were asked and answered, frame by frame.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Peer, Street};
use crate::common::{
    READY, about, fieldnotary, json_lines, list, number, program, text, wait_until,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Two units on a serial line and two behind a TCP address, each read more than twice a second.
fn contract(peer: &Peer) -> Contract {
    let points = [
        ("energy", "holding:0", "u32", ""),
        ("flow", "input:4", "u16", ""),
    ];
    let mut contract = Contract::new("example.org/watched", "1MiB", 4)
        .port("rtu", Port::Rtu(peer.device()), "500ms", "1s")
        .port("tcp", Port::Tcp(peer.address()), "500ms", "1s")
        .schedule("often", "400ms")
        .profile("all", &points);
    for (carrier, unit) in [("rtu", 1), ("rtu", 2), ("tcp", 1), ("tcp", 2)] {
        contract = contract.meter(&format!("{carrier}-{unit}"), carrier, unit, "often", "all");
    }
    contract
}

fn watched(data: &Path, port: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let data = data.display().to_string();
    let said = fieldnotary([&["bus", "watch", "--data", &data, "--port", port], more].concat());
    assert!(said.err.is_empty(), "{said:?}");
    (said.code, json_lines(&said.out))
}

/// Carrier, unit, function and registers of a response, as the peer writes them down.
fn answer(carrier: &str, row: &Value) -> Answer {
    let bytes: Vec<u64> = text(row, "bytes")
        .split(' ')
        .map(|pair| u64::from_str_radix(pair, 16).unwrap())
        .collect();
    let pdu = match carrier {
        "rtu" => &bytes[1..bytes.len() - 2],
        _ => &bytes[7..],
    };
    let registers = pdu[2..].chunks(2).map(|pair| pair[0] << 8 | pair[1]);
    (
        carrier.to_owned(),
        number(row, "unit"),
        pdu[0],
        registers.collect(),
    )
}

type Answer = (String, u64, u64, Vec<u64>);

/// Watches a port for forty frames: every answer, as the peer writes them down.
fn answers_on(data: &Path, carrier: &str) -> Vec<Answer> {
    let (code, rows) = watched(data, carrier, &["--json", "--count", "40"]);
    assert_eq!(code, Some(0), "{rows:?}");
    let (summary, frames) = rows.split_last().unwrap();
    assert_eq!(summary["summary"]["passed_over"], 0, "{summary}");
    assert_eq!(summary["summary"]["damaged"], 0, "{summary}");
    assert_eq!(frames.len(), 40);
    let is = |row: &&Value, direction: &str| row["direction"] == direction;
    for unit in [1, 2] {
        let of = frames.iter().filter(|row| number(row, "unit") == unit);
        assert!(
            of.filter(|row| is(row, "request")).count() > 5,
            "unit {unit}"
        );
    }
    let responses = frames.iter().filter(|row| is(row, "response"));
    let responses: Vec<&Value> = responses.collect();
    // The first one may belong to a request of before, and on a busy machine one may be late.
    let paired = responses.iter().filter(|row| row["paired"] == true).count();
    assert!(paired >= 12, "{paired} of {}", responses.len());
    assert!(frames.iter().all(|row| row["decoded"]["valid"] == true));
    let answers = responses.into_iter().map(|row| answer(carrier, row));
    answers.collect()
}

//= A3.1
#[test]
fn a_port_that_a_node_reads_is_watched_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(dir.path(), "1,2", &[]);
    let node = Node::start(dir.path(), "node", &contract(&peer));
    node.wait_for("readings", 20);
    let before = number(&node.status(), "readings");
    let ports = ["rtu", "tcp"].iter();
    let seen: Vec<_> = ports
        .flat_map(|carrier| answers_on(node.data(), carrier))
        .collect();
    // Two at once; and nobody is held up by them.
    let data = node.data().to_owned();
    let others: Vec<_> = (0..2)
        .map(|_| {
            let data = data.clone();
            std::thread::spawn(move || watched(&data, "tcp", &["--json", "--for", "3s"]))
        })
        .collect();
    for other in others {
        let (code, rows) = other.join().unwrap();
        assert_eq!(code, Some(0), "{rows:?}");
        assert!(rows.len() > 10, "{}", rows.len());
    }
    let screen = fieldnotary([
        "bus",
        "watch",
        "--data",
        &data.display().to_string(),
        "--port",
        "rtu",
        "--count",
        "12",
    ]);
    for due in [
        "port rtu of the node: modbus-rtu",
        "request, function 3",
        "passed over; what the UART",
    ] {
        assert!(screen.out.contains(due), "{due}: {screen:?}");
    }
    node.wait_for("readings", before + 100);
    let data = node.stop();
    let gaps = about("gaps", &data, &[]).json();
    assert_eq!(
        number(&gaps, "missing_readings"),
        number(&gaps, "missing_explained"),
        "{gaps}"
    );
    // What was shown is what the meters say that they answered.
    let answered: Vec<_> = peer
        .answers()
        .iter()
        .map(|one| {
            let values = list(one, "values")
                .iter()
                .map(|value| value.as_u64().unwrap());
            let (unit, function) = (number(one, "unit"), number(one, "function"));
            (
                text(one, "carrier").to_owned(),
                unit,
                function,
                values.collect(),
            )
        })
        .collect();
    for one in seen {
        assert!(answered.contains(&one), "no meter answered {one:?}");
    }
}

/// Who stops listening loses what was said meanwhile, hears how much that was, and nobody waits for him.
//= A3.1
#[test]
fn a_watcher_that_falls_behind_is_told_how_much_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(dir.path(), "1,2", &[]);
    let node = Node::start(dir.path(), "node", &contract(&peer));
    node.wait_for("readings", 20);
    let watcher = Command::new(program("fieldnotary"))
        .args([
            "bus", "watch", "--json", "--for", "12s", "--port", "tcp", "--data",
        ])
        .arg(node.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&watcher);
    std::thread::sleep(Duration::from_secs(3));
    kill_process(pid, Signal::STOP).unwrap();
    let before = number(&node.status(), "readings");
    std::thread::sleep(Duration::from_secs(5));
    node.wait_for("readings", before + 20);
    kill_process(pid, Signal::CONT).unwrap();
    let said = watcher.wait_with_output().unwrap();
    let rows = json_lines(&String::from_utf8(said.stdout).unwrap());
    let told = |row: &Value| row.get("passed_over").and_then(Value::as_u64);
    let passed = rows.iter().position(|row| told(row).is_some());
    let passed = passed.expect("what was missed is told");
    let count: u64 = rows.iter().filter_map(told).sum();
    // Ten requests a second, and their answers, for five seconds and what the wait took.
    assert!((20..1_000).contains(&count), "{count}");
    let frames = |rows: &[Value]| rows.iter().filter(|row| row.get("bytes").is_some()).count();
    assert!(
        frames(&rows[..passed]) > 0 && frames(&rows[passed..]) > 0,
        "{rows:?}"
    );
    let summary = &rows.last().unwrap()["summary"];
    assert_eq!(number(summary, "passed_over"), count, "{summary}");
    assert_eq!(number(summary, "damaged"), 0, "{summary}");
    node.stop();
}

//= A3.1
#[test]
fn an_mbus_is_watched_and_what_cannot_be_is_told_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::mbus(dir.path(), &["--meters", "2", "--mbus-baud", "9600"], "");
    let ports = list(street.description(), "ports");
    let meters = list(street.description(), "meters").iter();
    let meters: String = meters
        .map(|meter| {
            format!(
                "[[meter]]\nid = {:?}\nport = \"bus\"\nschedule = \"often\"\nprimary = {}\n\
                 [[meter.point]]\nid = \"volume\"\nrecord = 1\nunit = \"m^3\"\n",
                text(meter, "name"),
                number(meter, "unit")
            )
        })
        .collect();
    let contract = Contract::of(format!(
        "[station]\norigin = \"example.org/mbus\"\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\
         [seal]\nevery = \"1s\"\n[[schedule]]\nid = \"often\"\nevery = \"2s\"\n\
         [[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = {:?}\nbaud = 9600\nparity = \"none\"\nlatency = \"100ms\"\npower_up = \"0s\"\n\
         [[port]]\nid = \"rio-line\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:9\"\n\
         [[card]]\nid = \"rio\"\nkind = \"modbus\"\nport = \"rio-line\"\n{meters}",
        text(&ports[0], "path"),
    ));
    let node = Node::start(dir.path(), "node", &contract);
    let rows = wait_until("frames of the bus", READY * 2, || {
        let (_, rows) = watched(node.data(), "bus", &["--json", "--for", "5s"]);
        let told = rows
            .iter()
            .any(|row| row["direction"] == "response" && row["paired"] == true);
        told.then_some(rows)
    });
    let asked = rows
        .iter()
        .find(|row| row["direction"] == "request")
        .unwrap();
    assert!(
        asked["unit"].is_number() && asked["function"].is_null(),
        "{asked}"
    );
    assert!(
        rows.iter()
            .any(|row| row["decoded"].to_string().contains("records")),
        "{rows:?}"
    );
    let data = node.data().display().to_string();
    for (words, code, due) in [
        (
            &["--data", &data, "--port", "nowhere"][..],
            3,
            "its ports are: bus, rio-line",
        ),
        (&["--data", &data], 2, "--port"),
        (&["--port", "bus"], 2, "--config"),
    ] {
        let said = fieldnotary([&["bus", "watch"], words].concat());
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        assert!(said.err.contains(due), "{due}: {said:?}");
    }
    node.stop();
    let said = fieldnotary(["bus", "watch", "--data", &data, "--port", "bus"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("no node runs on"), "{said:?}");
}
