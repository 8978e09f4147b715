//! Slots that were missed, filled from the meters' own memories under a whole node: after a meter was silent, and after the
//! node was down. Nothing is filled twice, nothing that was read, and the live sessions go on as if nothing were.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(150);
/// Seconds from slot to slot, and from record to record.
const EVERY_S: u64 = 2;
/// The meter that is silent, from when on and for how long, in seconds after the street's readiness.
const SILENT: &str = "m01";
const SILENT_FROM_S: u64 = 20;
const SILENT_FOR_S: u64 = 10;

fn contract(street: &Street) -> Contract {
    let points = [
        (
            "energy",
            "holding:0",
            "u32",
            "memory_offset = 2\nrole = \"counter\"",
        ),
        ("voltage", "holding:2", "u16", ""),
    ];
    let mut contract = Contract::new("example.org/memory", "4MiB", 4)
        .schedule("slots", &format!("{EVERY_S}s"))
        .profile("meter", &points);
    for port in list(street.description(), "ports") {
        let wire = match text(port, "carrier") {
            "rtu" => Port::Rtu(text(port, "path")),
            _ => Port::Tcp(text(port, "address")),
        };
        contract = contract.port(text(port, "name"), wire, "200ms", "400ms");
    }
    let mut text_of = contract.toml().to_owned();
    for meter in list(street.description(), "meters") {
        let (name, port) = (text(meter, "name"), text(meter, "port"));
        text_of += &format!(
            "[[meter]]\nid = {name:?}\nport = {port:?}\nunit = {}\nschedule = \"slots\"\nprofile = \"meter\"\n\
             memory = \"input:1000\"\nmemory_records = 96\nmemory_width = 4\nmemory_every = \"{EVERY_S}s\"\n\n",
            number(meter, "unit")
        );
    }
    Contract::of(text_of)
}

/// Backfills that found something, by meter and slot.
fn fills(log: &[Value]) -> BTreeMap<(String, String), &Value> {
    let mut fills = BTreeMap::new();
    for row in log
        .iter()
        .filter(|row| row["kind"] == "backfill" && row["outcome"] == "found")
    {
        let key = (
            text(row, "meter_id").to_owned(),
            text(row, "slot").to_owned(),
        );
        assert_eq!(text(row, "point_id"), "energy", "{row}");
        assert!(fills.insert(key, row).is_none(), "twice: {row}");
    }
    fills
}

fn energy(row: &Value) -> u64 {
    text(row, "value").parse().unwrap()
}

fn slot_number(row: &Value) -> u64 {
    text(row, "slot")
        .split_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap()
}

//= U3
//= A4.3
#[test]
fn what_was_missed_live_is_filled_from_the_meters_memory_and_never_twice() {
    let dir = tempfile::tempdir().unwrap();
    let every = format!("{EVERY_S}s");
    let words = [
        "--rtu-port",
        "rs485",
        "--tcp",
        "127.0.0.1:0",
        "--meters",
        "4",
        "--memory-every",
        &every,
    ];
    let plan = format!(
        "[[fault]]\nmeter = {SILENT:?}\nkind = \"silent\"\nfrom_s = {SILENT_FROM_S}\nfor_s = {SILENT_FOR_S}\n"
    );
    let street = Street::with(dir.path(), &words, &plan);
    let contract = contract(&street);
    let node = Node::start(dir.path(), "node", &contract);
    let filled = |data: &std::path::Path, meter: &str, least: usize| {
        std::thread::sleep(Duration::from_secs(1));
        let log = about("log", data, &["--kind", "backfill"]).json_lines();
        let of = fills(&log).keys().filter(|(of, _)| of == meter).count();
        (of >= least).then_some(())
    };
    wait_until("what the silent meter missed", PATIENCE, || {
        filled(node.data(), SILENT, 3)
    });
    let data = node.stop();
    std::thread::sleep(Duration::from_secs(4 * EVERY_S));
    let node = Node::start(dir.path(), "node", &contract);
    for meter in ["m02", "m03", "m04"] {
        wait_until("what all missed while the node was down", PATIENCE, || {
            filled(&data, meter, 3)
        });
    }
    let data = node.stop();
    drop(street);

    the_log_holds(&about("log", &data, &[]).json_lines());
    the_gaps_stay(&data);
}

/// Each fill is of a slot that was not read, of its time, and between its neighbours; no live session was too late.
fn the_log_holds(log: &[Value]) {
    let fills = fills(log);
    let readings: Vec<&Value> = log
        .iter()
        .filter(|row| row["kind"] == "reading" && row["point_id"] == "energy")
        .collect();
    let read: BTreeSet<(String, String)> = readings
        .iter()
        .map(|row| {
            (
                text(row, "meter_id").to_owned(),
                text(row, "slot").to_owned(),
            )
        })
        .collect();
    for ((meter, slot), row) in &fills {
        assert!(
            !read.contains(&(meter.clone(), slot.clone())),
            "read and filled: {row}"
        );
        let due_s = slot_number(row) * EVERY_S;
        assert_eq!(number(row, "meter_time_s"), due_s, "{row}");
        // What the meter remembers lies between what was read before and behind.
        let of = readings.iter().filter(|one| text(one, "meter_id") == meter);
        let (before, behind): (Vec<&&Value>, Vec<&&Value>) =
            of.partition(|one| slot_number(one) < slot_number(row));
        let before = before.iter().map(|one| energy(one)).max().unwrap_or(0);
        let behind = behind.iter().map(|one| energy(one)).min().unwrap();
        assert!(
            (before..=behind).contains(&energy(row)),
            "{before} {row} {behind}"
        );
    }
    // No live session was too late because of it.
    let late = |row: &&Value| {
        let causes = ["slot_overrun", "late_reply_window"];
        row["kind"] == "attempt_failed" && causes.contains(&text(row, "reason"))
    };
    let overrun: Vec<&Value> = log
        .iter()
        .filter(late)
        .filter(|row| text(row, "meter_id") != SILENT)
        .collect();
    assert!(overrun.is_empty(), "{overrun:?}");
}

/// What was filled is missing all the same, with the entries that fill it.
fn the_gaps_stay(data: &std::path::Path) {
    let log = about("log", data, &["--kind", "backfill"]).json_lines();
    let fills = fills(&log);
    let gaps = about("gaps", data, &[]).json();
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
    assert_eq!(
        number(&gaps, "missing_backfilled"),
        fills.len() as u64,
        "{gaps}"
    );
    assert!(
        number(&gaps, "missing_readings") >= 2 * fills.len() as u64,
        "a gap stays one: {gaps}"
    );
    let named = list(&gaps, "missing")
        .iter()
        .filter(|row| row["backfill_event_id"].is_string());
    for row in named {
        assert_eq!(row["points"], serde_json::json!(["energy"]), "{row}");
    }
    let shown = crate::common::fieldnotary(["gaps", data.to_str().unwrap()]);
    assert!(shown.out.contains("; backfilled by entr"), "{}", shown.out);
    assert_eq!(about("verify", data, &[]).code, Some(0));
}
