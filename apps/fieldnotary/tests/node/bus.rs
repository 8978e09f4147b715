//! A line asked by hand: who is on it, what one meter says, what the configuration asks of it.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer, Street};
use crate::common::{READY, Said, about, fieldnotary, list, number, text, wait_until};
use serde_json::Value;
use std::path::Path;

fn bus(words: &[&str]) -> Said {
    fieldnotary([&["bus"], words].concat())
}

fn units(found: &Value) -> Vec<u64> {
    let found = list(found, "found").iter();
    found.map(|one| number(one, "unit")).collect()
}

/// A station with one meter on each of a serial line and a TCP server, and one that is not there.
fn station(dir: &Path, peer: &Peer) -> String {
    let meter = |id: &str, port: &str, unit: u64| {
        format!(
            "[[meter]]\nid = {id:?}\nport = {port:?}\nunit = {unit}\nschedule = \"s\"\nprofile = \"p\"\n\
             timeout = \"300ms\"\nretries = 1\n\n"
        )
    };
    let file = dir.join("station.toml");
    let text = format!(
        "[station]\norigin = \"example.org/bus\"\n\n[[port]]\nid = \"line\"\nkind = \"modbus-rtu\"\ndevice = {:?}\n\
         parity = \"none\"\nbaud = 115200\ntimeout = \"300ms\"\nlate_reply = \"300ms\"\n\n[[port]]\nid = \"lan\"\n\
         kind = \"modbus-tcp\"\naddress = {:?}\n\n[[schedule]]\nid = \"s\"\nevery = \"1s\"\n\n[[profile]]\nid = \"p\"\n\n\
         [[profile.point]]\nid = \"wide\"\nregister = \"holding:4\"\ntype = \"u32\"\n\n[[profile.point]]\nid = \"flags\"\n\
         register = \"holding:6\"\ntype = \"u16\"\nbits = \"4-11\"\n\n{}{}{}",
        peer.device(),
        peer.address(),
        meter("m-line", "line", 7),
        meter("m-lan", "lan", 2),
        meter("m-gone", "line", 5),
    );
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// What the probe shows is what an independent server answered.
fn as_answered(said: &Said, answers: &[Value], carrier: &str) {
    let report = said.json();
    let unit = number(&report, "unit");
    let of_it = |one: &&Value| one["carrier"] == carrier && number(one, "unit") == unit;
    let answer = answers.iter().rfind(of_it).unwrap();
    assert_eq!(number(answer, "address"), 4, "{answer}");
    let words: Vec<u64> = list(answer, "values")
        .iter()
        .map(|word| word.as_u64().unwrap())
        .collect();
    let records = list(&report, "records");
    let value = |id: &str| {
        let of_point = records.iter().find(|one| one["point_id"] == id);
        text(of_point.unwrap(), "value").to_owned()
    };
    assert_eq!(value("wide"), (words[0] << 16 | words[1]).to_string());
    assert_eq!(value("flags"), (words[2] >> 4 & 0xff).to_string());
    let frames = list(&report, "frames");
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert!(frames.iter().all(|frame| frame["decoded"]["valid"] == true));
}

fn nobody_there(peer: &Peer, line: &[&str]) {
    let nobody = bus(&[line, &["--units", "20-22", "--timeout", "50ms"][..]].concat());
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(
        nobody.out.contains("look at wiring, speed and parity"),
        "{nobody:?}"
    );
    let nobody = bus(&[
        "scan",
        "--tcp",
        peer.address(),
        "--units",
        "20-21",
        "--timeout",
        "50ms",
    ]);
    assert!(
        nobody.out.contains("nobody answered behind this address"),
        "{nobody:?}"
    );
}

fn bad_words(peer: &Peer, file: &str) {
    for (words, code, due) in [
        (
            &["probe", file, "m-none"][..],
            3,
            "its meters are: m-gone, m-lan, m-line",
        ),
        (
            &["scan", "--config", file, "--port", "x"],
            3,
            "its ports are: lan, line",
        ),
        (&["scan", "--tcp", "127.0.0.1:1"], 3, "cannot connect"),
        (
            &["scan", "--tcp", "127.0.0.1"],
            2,
            "'--tcp <HOST:PORT>': \"127.0.0.1\" has no port",
        ),
        (
            &["scan", "--rtu", "no/such"],
            3,
            "/no/such; plug it in, or look",
        ),
        (
            &["scan", "--rtu", peer.device(), "--parity", "evn"],
            2,
            "did you mean \"even\"?",
        ),
        (
            &["failing", "node", "m", "--last", "x"],
            2,
            "write a whole number, such as 20",
        ),
        (&["scan"], 2, "--tcp"),
        (
            &["scan", "--tcp", "x:1", "--units", "9-2"],
            2,
            "such as 1-32",
        ),
        (
            &["scan", "--rtu", peer.device(), "--units", "0-9"],
            3,
            "1 to 247",
        ),
        (
            &["scan", "--tcp", "x:1", "--register", "coils:1"],
            3,
            "--register",
        ),
    ] {
        let said = bus(words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        assert!(said.err.contains(due), "{due}: {said:?}");
    }
}

//= R5.2
//= U6
#[test]
fn a_line_is_scanned_and_a_meter_is_read_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(dir.path(), "1,2,7", &[]);
    // Whoever is silent before a meter does not hide it.
    let all = ["--units", "1-40", "--timeout", "80ms", "--json"];
    let of_all = bus(&[&["scan", "--tcp", peer.address()], &all[..]].concat());
    assert_eq!(of_all.code, Some(0), "{of_all:?}");
    assert_eq!(units(&of_all.json()), [1, 2, 7], "{of_all:?}");
    assert!(list(&of_all.json(), "unasked").is_empty(), "{of_all:?}");
    let quick = ["--units", "1-9", "--timeout", "150ms", "--json"];
    let by_tcp = bus(&[&["scan", "--tcp", peer.address()], &quick[..]].concat());
    assert_eq!(by_tcp.code, Some(0), "{by_tcp:?}");
    assert_eq!(units(&by_tcp.json()), [1, 2, 7]);
    let line = [
        "scan",
        "--rtu",
        peer.device(),
        "--parity",
        "none",
        "--baud",
        "115200",
    ];
    let by_line = bus(&[&line, &quick[..]].concat());
    assert_eq!(by_line.code, Some(0), "{by_line:?}");
    assert_eq!(units(&by_line.json()), [1, 2, 7]);
    nobody_there(&peer, &line);

    let file = station(dir.path(), &peer);
    let (line, lan, gone) = (
        bus(&["probe", &file, "m-line", "--json"]),
        bus(&["probe", &file, "m-lan", "--json"]),
        bus(&["probe", &file, "m-gone"]),
    );
    assert_eq!(
        (line.code, lan.code, gone.code),
        (Some(0), Some(0), Some(1)),
        "{line:?} {lan:?} {gone:?}"
    );
    assert_eq!(
        gone.out.matches("  timeout  ").count(),
        2,
        "one retry: {gone:?}"
    );
    bad_words(&peer, &file);
    let answers = peer.answered();
    as_answered(&line, &answers, "rtu");
    as_answered(&lan, &answers, "tcp");
}

/// What each meter took stands beside what it was planned to, those that took most first.
fn measured_meters(port: &Value) {
    let meters = list(port, "meters");
    assert!(!meters.is_empty(), "{port}");
    let takes: Vec<u64> = meters
        .iter()
        .map(|meter| number(meter, "measured_ns_mean"))
        .collect();
    assert!(takes.is_sorted_by(|one, next| one >= next), "{takes:?}");
    for meter in meters {
        let (busy, sessions) = (number(meter, "bus_busy_ms"), number(meter, "sessions"));
        assert!(sessions > 10, "{meter}");
        let mean = number(meter, "measured_ns_mean");
        assert_eq!(mean, busy * 1_000_000 / sessions, "{meter}");
        // No reply took longer than all of them together had the line.
        assert!(number(meter, "reply_ms_max") <= busy + sessions, "{meter}");
    }
}

//= R5.2
#[test]
fn what_a_node_measured_stands_beside_the_plan() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new("example.org/plan", "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    // Ports tell their counters ten seconds after they began.
    wait_until("counters of both ports", READY, || {
        let log = about("log", node.data(), &["--kind", "counter_snapshot"]);
        let told = log
            .out
            .lines()
            .filter(|row| row.contains("cycle_measured_ms"));
        (told.count() >= 2).then_some(())
    });
    let data = node.stop();
    let config = dir.path().join("node.toml");
    let plan = |more: &[&str]| {
        let config = config.display().to_string();
        bus(&[&["plan", &config], more].concat())
    };
    let said = plan(&["--data", &data.display().to_string(), "--json"]);
    let report = said.json();
    let ports = list(&report, "ports");
    assert!(!ports.is_empty(), "{report}");
    for port in ports {
        for schedule in list(port, "schedules") {
            // A pseudo-terminal has no speed: what was measured is only there.
            let _ = number(schedule, "cycle_measured_ms_max");
            let one_silent = number(schedule, "cycle_one_silent_ns");
            assert!(one_silent > number(schedule, "cycle_ns"), "{schedule}");
            assert_eq!(schedule["fits"], one_silent <= number(schedule, "slot_ns"));
        }
        measured_meters(port);
    }
    let words = plan(&["--data", &data.display().to_string()]);
    for due in ["measured, mean", "longest reply"] {
        assert!(words.out.contains(due), "{words:?}");
    }
    let words = plan(&[]);
    assert!(!words.out.contains("longest reply"), "{words:?}");
    assert!(words.out.contains("if silent"), "{words:?}");
    assert!(words.out.contains("not known ahead"), "{words:?}");
    assert!(!words.out.contains(" 0 ns"), "{words:?}");
    assert_eq!(
        list(&ports[1], "schedules")[0]["known_ahead"],
        false,
        "{report}"
    );
}
