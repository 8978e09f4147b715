//! Every type, word order and table, read from servers that are not ours: the value is what the server encoded.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Peer};
use crate::common::{about, list, number, text, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
const CARRIERS: [&str; 2] = ["rtu", "tcp"];
/// Sessions of each meter at least: each is a number of each point that was not there before.
const SESSIONS: u64 = 12;

fn contract(peer: &Peer) -> Contract {
    let points: Vec<_> = list(peer.ready(), "points")
        .iter()
        .map(|point| {
            let key = |name: &str| {
                let word = point[name].as_str();
                word.map_or_else(String::new, |word| format!("{name} = {word:?}\n"))
            };
            let more = key("word_order") + &key("bits");
            (
                text(point, "id"),
                text(point, "register"),
                text(point, "type"),
                more,
            )
        })
        .collect();
    let points: Vec<_> = points
        .iter()
        .map(|(id, register, kind, more)| (*id, *register, *kind, more.as_str()))
        .collect();
    let mut contract = Contract::new("example.org/typed", "4MiB", 4)
        .port("rtu", Port::Rtu(peer.device()), "2s", "2s")
        .port("tcp", Port::Tcp(peer.address()), "2s", "2s")
        .schedule("often", "500ms")
        .profile("all", &points);
    for carrier in CARRIERS {
        contract = contract.meter(carrier, carrier, 1, "often", "all");
    }
    contract
}

/// Whether a value is the number that was encoded. Floating-point numbers have many spellings.
fn is_same(kind: &str, value: &str, encoded: &str) -> bool {
    match kind {
        "f32" => value.parse::<f32>().unwrap() == encoded.parse::<f32>().unwrap(),
        "f64" => value.parse::<f64>().unwrap() == encoded.parse::<f64>().unwrap(),
        _ => value == encoded,
    }
}

/// Every reading of a point is what its server answered, in that order; how many there are.
fn compare(rows: &[Value], answers: &[Value], carrier: &str, point: &Value) -> u64 {
    let (id, kind) = (text(point, "id"), text(point, "type"));
    let mut mine = answers
        .iter()
        .filter(|answer| answer["carrier"] == carrier && answer["points"][id].is_object());
    let mut count = 0;
    let of_it = |row: &&Value| row["meter_id"] == carrier && row["point_id"] == id;
    for reading in rows.iter().filter(of_it) {
        let (raw, value) = (text(reading, "raw"), text(reading, "value"));
        let found = mine.find(|answer| {
            let said = &answer["points"][id];
            said["raw"] == raw && is_same(kind, value, text(said, "value"))
        });
        assert!(
            found.is_some(),
            "{carrier}: never encoded, or not after the one before: {reading}"
        );
        count += 1;
    }
    count
}

fn every_type_is_read(script: &str) {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::of(dir.path(), script, &["--units", "1", "--typed"]);
    let points = list(peer.ready(), "points").to_vec();
    let node = Node::start(dir.path(), "node", &contract(&peer));
    let wanted = 2 * SESSIONS * points.len() as u64;
    wait_until("readings of every point", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        (number(&node.status(), "readings") >= wanted).then_some(())
    });
    let data = node.stop();
    let rows = about("log", &data, &["--kind", "reading"]).json_lines();
    let answers = peer.answers();
    for carrier in CARRIERS {
        for point in &points {
            let count = compare(&rows, &answers, carrier, point);
            assert!(count >= SESSIONS / 2, "{carrier}: {count} of {point}");
        }
    }
    // None is left out: the table of types, and that of tables and orders.
    let all = |name: &str| -> BTreeSet<&str> {
        points
            .iter()
            .filter_map(|point| point[name].as_str())
            .collect()
    };
    let kinds = [
        "bcd16", "bcd32", "bcd64", "bit", "f32", "f64", "i16", "i32", "i64", "u16", "u32", "u64",
    ];
    assert_eq!(all("type"), BTreeSet::from(kinds));
    assert_eq!(all("word_order").len(), 4);
    assert!(all("bits").len() >= 4);
}

//= R6.1
//= A3.7
#[test]
fn every_type_in_every_order_is_what_pymodbus_encoded() {
    every_type_is_read("modbus_meters.py");
}

//= R6.1
//= A3.7
#[test]
fn every_type_in_every_order_is_what_libmodbus_encoded() {
    every_type_is_read("libmodbus_meters.py");
}
