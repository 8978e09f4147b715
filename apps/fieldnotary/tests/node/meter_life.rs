//! Meters that roll over, are reset or replaced, read badly or run ahead, under a whole node: each told as what it was, also
//! what happened while the node was down, and no reading changed.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Street};
use crate::common::{about, list, now, number, text, wait_until};
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
/// Seconds after the street's readiness at which something becomes of its meters, and of one more.
const TURN_S: u64 = 20;
const LATER_S: u64 = 50;

const POINTS: [(&str, &str, &str, &str); 3] = [
    ("energy", "holding:0", "u32", "role = \"counter\""),
    ("serial", "holding:6", "u32", "role = \"serial\""),
    ("clock", "holding:9", "u32", "role = \"clock\""),
];

fn plan() -> String {
    let turns = [
        ("m01", "rollover", TURN_S, ""),
        ("m02", "replaced", TURN_S, ""),
        ("m03", "reset", TURN_S, ""),
        ("m04", "bad-read", TURN_S, ""),
        ("m05", "clock", TURN_S, "ahead_s = 90"),
        ("m06", "replaced", LATER_S, ""),
    ];
    let fault = |(meter, kind, from, more)| {
        format!("[[fault]]\nmeter = {meter:?}\nkind = {kind:?}\nfrom_s = {from}\n{more}\n")
    };
    turns.map(fault).concat()
}

fn contract(street: &Street) -> Contract {
    let mut contract = Contract::new("example.org/life", "4MiB", 4)
        .schedule("second", "1s")
        .profile("meter", &POINTS);
    for port in list(street.description(), "ports") {
        let wire = match text(port, "carrier") {
            "rtu" => Port::Rtu(text(port, "path")),
            _ => Port::Tcp(text(port, "address")),
        };
        contract = contract.port(text(port, "name"), wire, "500ms", "1s");
    }
    for meter in list(street.description(), "meters") {
        let (name, port) = (text(meter, "name"), text(meter, "port"));
        contract = contract.meter(name, port, number(meter, "unit"), "second", "meter");
    }
    contract
}

fn lives(data: &std::path::Path) -> Vec<Value> {
    about("log", data, &["--kind", "meter_life"]).json_lines()
}

/// `energy rollover`, in order, of a meter.
fn said(lives: &[Value], meter: &str) -> Vec<String> {
    let of = lives.iter().filter(|row| row["meter_id"] == meter);
    let words = |row: &Value| {
        let point = row["point_id"].as_str().unwrap_or("-");
        format!("{point} {}", text(row, "finding"))
    };
    of.map(words).collect()
}

//= U2
//= U6
#[test]
fn what_becomes_of_a_meter_is_told_and_no_reading_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start_with(dir.path(), 6, &plan());
    let ready = now();
    let contract = contract(&street);
    let node = Node::start(dir.path(), "node", &contract);
    wait_until("a finding on each meter", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let lives = lives(node.data());
        let last = [
            ("m01", "energy rollover"),
            ("m02", "energy replaced"),
            ("m03", "energy reset"),
            ("m04", "energy bad_read"),
        ];
        let told = |(meter, due): (&str, &str)| said(&lives, meter).iter().any(|one| one == due);
        let clock = said(&lives, "m05").len() >= 2;
        (clock && last.into_iter().all(told)).then_some(())
    });
    let data = node.stop();
    let before = lives(&data);
    // Each meter's clock is told when it is first known.
    let due: [(&str, &[&str]); 6] = [
        ("m01", &["- clock", "energy rollover"]),
        ("m02", &["- clock", "- replaced", "energy replaced"]),
        ("m03", &["- clock", "energy doubted", "energy reset"]),
        ("m04", &["- clock", "energy doubted", "energy bad_read"]),
        ("m05", &["- clock", "- clock"]),
        ("m06", &["- clock"]),
    ];
    for (meter, due) in due {
        assert_eq!(said(&before, meter), due, "{meter}: {before:?}");
    }
    let bad = before
        .iter()
        .find(|row| row["finding"] == "bad_read")
        .unwrap();
    assert_eq!(text(bad, "about_value"), "0", "{bad}");

    // While nobody looks another meter takes the place of m06.
    let left = Duration::from_secs(LATER_S + 1).saturating_sub(ready.elapsed());
    std::thread::sleep(left);
    let node = Node::start(dir.path(), "node", &contract);
    let swapped = wait_until("the swap that nobody saw", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let lives = lives(node.data());
        let of = said(&lives, "m06");
        (of.last().map(String::as_str) == Some("energy replaced")).then_some(lives)
    });
    let data = node.stop();
    let known = |row: &&Value| row["meter_id"] != "m06";
    assert_eq!(
        swapped.iter().filter(known).count(),
        before.iter().filter(known).count(),
        "a restart finds nothing anew: {swapped:?}"
    );
    let log = about("log", &data, &[]).json_lines();
    the_swap(&swapped, &log);
    nothing_is_changed(&street.stop(), &log, &data);
}

/// The final and the first reading, and both numbers, are those of the sessions that are named.
fn the_swap(swapped: &[Value], log: &[Value]) {
    let told = said(swapped, "m06");
    assert_eq!(told, ["- clock", "- replaced", "energy replaced"]);
    let last = swapped.last().unwrap();
    let read = |seq: &Value, point: &str| {
        let one = |row: &&Value| {
            row["kind"] == "reading"
                && row["meter_id"] == "m06"
                && row["point_id"] == point
                && row["seq"] == *seq
        };
        text(log.iter().find(one).unwrap(), "value").to_owned()
    };
    assert_eq!(read(&last["before_seq"], "energy"), text(last, "before"));
    assert_eq!(read(&last["seq"], "energy"), text(last, "value"));
    assert_eq!(
        read(&last["before_seq"], "serial"),
        text(last, "serial_before")
    );
    assert_eq!(read(&last["seq"], "serial"), text(last, "serial"));
    assert_ne!(text(last, "serial"), text(last, "serial_before"));
}

/// What the meters said is what was committed, the wrong reading too.
fn nothing_is_changed(answers: &[Value], log: &[Value], data: &std::path::Path) {
    let zero = answers.iter().any(|row| {
        row["event"] == "reply"
            && row["meter"] == "m04"
            && row["values"][0] == 0
            && row["values"][1] == 0
    });
    let kept = log
        .iter()
        .any(|row| row["kind"] == "reading" && row["meter_id"] == "m04" && row["value"] == "0");
    assert!(zero && kept);
    let verified = about("verify", data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let gaps = about("gaps", data, &[]).json();
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
}
