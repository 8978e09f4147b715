//! A whole node that reads a wired M-Bus of the street: what meters say is what lands in the log, a dead one holds up nobody,
//! and what real meters said is kept to the last digit.

#[path = "../../../../protocols/mbus/tests/corpus/mod.rs"]
pub(crate) mod corpus;

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, fieldnotary, list, number, text, wait_until};
use crate::decode_values::values::xml;
use mbus::record::Value as Said;
use mbus::telegram::Telegram;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(150);

/// A station with one M-Bus, and for each meter of the street the lines and points that `of` gives.
fn contract(street: &Street, baud: u32, every: &str, of: impl Fn(&Value) -> String) -> Contract {
    let ports = list(street.description(), "ports");
    let path = text(&ports[0], "path");
    let mut out = format!(
        "[station]\norigin = \"example.org/mbus\"\n\n[storage]\nsegment_size = \"4MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = {path:?}\nbaud = {baud}\n\
         parity = \"none\"\nlatency = \"100ms\"\npower_up = \"0s\"\n\n[[schedule]]\nid = \"often\"\nevery = {every:?}\n\n"
    );
    for meter in list(street.description(), "meters") {
        let _ = writeln!(
            out,
            "[[meter]]\nid = {:?}\nport = \"bus\"\nschedule = \"often\"\n{}",
            text(meter, "name"),
            of(meter)
        );
    }
    Contract::of(out)
}

/// Lets a node run until each of these meters has a reading of the last session, and gives its log.
fn run(dir: &Path, contract: &Contract, meters: &[&str], sessions: usize) -> Vec<Value> {
    let node = Node::start(dir, "node", contract);
    wait_until("a session of each meter", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let rows = about("log", node.data(), &["--kind", "meter_report"]).json_lines();
        let of = |meter: &str| rows.iter().filter(|row| row["meter_id"] == meter).count();
        meters
            .iter()
            .all(|meter| of(meter) >= sessions)
            .then_some(())
    });
    let data = node.stop();
    let verified = about("verify", &data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let gaps = about("gaps", &data, &[]).json();
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
    assert_eq!(
        number(&gaps, "missing_explained"),
        number(&gaps, "missing_readings"),
        "{gaps}"
    );
    about("log", &data, &[]).json_lines()
}

fn of<'a>(log: &'a [Value], kind: &'a str, meter: &'a str) -> impl Iterator<Item = &'a Value> {
    log.iter()
        .filter(move |row| row["kind"] == kind && row["meter_id"] == meter)
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

//= A3.2
//= A3.7
#[test]
fn an_mbus_is_read_to_the_log_and_a_dead_meter_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let words = ["--meters", "3", "--mbus-baud", "9600"];
    let plan = "[[fault]]\nmeter = \"m02\"\nkind = \"silent\"\n";
    let street = Street::mbus(dir.path(), &words, plan);
    let points = "[[meter.point]]\nid = \"energy\"\nquantity = \"Energy\"\nrecord_unit = \"Wh\"\nscale = \"0.001\"\n\
                  unit = \"kWh\"\n[[meter.point]]\nid = \"volume\"\nrecord = 1\nunit = \"m^3\"\n";
    let contract = contract(&street, 9_600, "4s", |meter| {
        // One by its number, two by their addresses.
        match text(meter, "name") {
            "m03" => format!(
                "secondary = {:?}\n{points}",
                text(&meter["mbus"], "secondary")
            ),
            _ => format!("primary = {}\n{points}", number(meter, "unit")),
        }
    });
    let config = dir.path().join("plan-station.toml");
    std::fs::write(&config, contract.toml()).unwrap();
    let planned = fieldnotary(["bus", "plan", config.to_str().unwrap(), "--json"]).json();
    let port = &list(&planned, "ports")[0];
    assert!(text(port, "line").starts_with("m-bus "), "{planned}");
    let costs = list(port, "meters");
    let selected = costs.iter().find(|one| one["meter_id"] == "m03").unwrap();
    assert_eq!((number(selected, "requests"), costs.len()), (3, 3));
    assert!(number(selected, "silent_ns") > number(selected, "wire_ns"));

    let log = run(dir.path(), &contract, &["m01", "m03"], 3);
    let serial = |name: &str| {
        let mut meters = list(street.description(), "meters").iter();
        let meter = meters.find(|meter| meter["name"] == name).unwrap();
        text(&meter["mbus"], "secondary").to_owned()
    };
    let serials = ["m01", "m03"].map(|name| (name, serial(name)));
    let answers = street.stop();
    for (name, serial) in serials {
        let unserved = ["stopped", "slot_overrun"];
        let mut failed = of(&log, "attempt_failed", name)
            .filter(|row| row["last"] == true && !unserved.contains(&text(row, "reason")));
        assert!(failed.next().is_none(), "{name}");
        let replies = of_street(&answers, name);
        for reading in of(&log, "reading", name) {
            let raw = bytes(text(reading, "raw"));
            let said = replies.iter().filter(|frame| {
                let telegram = Telegram::read(frame);
                telegram.records.iter().any(|record| {
                    let value = match &record.value {
                        Said::Number(number) => number.to_string(),
                        _ => return false,
                    };
                    let due = match text(reading, "point_id") {
                        "energy" => thousandth(&value),
                        _ => value,
                    };
                    record.bytes == raw && due == text(reading, "value")
                })
            });
            assert!(said.count() > 0, "{name} never said {reading}");
        }
        let report = of(&log, "meter_report", name).next().unwrap();
        assert_eq!(text(report, "serial"), serial);
        assert_eq!(text(report, "manufacturer"), "STR");
        // The street's clocks are this machine's: told once, with the bound that our stamps have.
        let lives: Vec<_> = of(&log, "meter_life", name).collect();
        let [clock] = lives.as_slice() else {
            panic!("{name}: {lives:?}");
        };
        assert_eq!(text(clock, "finding"), "clock", "{clock}");
        assert!(
            clock["offset_ns"].as_i64().unwrap().abs() < 60_000_000_000,
            "{clock}"
        );
    }
    assert_eq!(of(&log, "reading", "m02").count(), 0);
    let causes: BTreeSet<&str> = of(&log, "attempt_failed", "m02")
        .map(|row| text(row, "reason"))
        .collect();
    assert!(causes.contains("timeout"), "{causes:?}");
    let known = ["timeout", "quarantined", "stopped", "slot_overrun"];
    assert!(
        causes.iter().all(|cause| known.contains(cause)),
        "{causes:?}"
    );
}

/// Bursts strike whoever speaks, and the supply falls beyond the first of three meters: what is read is what was meant,
/// and the meter that keeps its power keeps its place.
//= A3.2
//= A3.7
#[test]
fn an_mbus_under_bursts_that_droops_loses_readouts_and_no_digit() {
    const ALL: [&str; 3] = ["m01", "m02", "m03"];
    let dir = tempfile::tempdir().unwrap();
    let words = ["--meters", "3", "--mbus-baud", "9600"];
    let plan = "[[fault]]\nport = \"bus\"\nkind = \"common-mode\"\nevery_s = 0.9\nburst_ms = 60\n\
                [[fault]]\nport = \"bus\"\nkind = \"droop\"\nbeyond = 1\nfrom_s = 8\nfor_s = 5\nstep_ms = 2000\n";
    let street = Street::mbus(dir.path(), &words, plan);
    let points = "[[meter.point]]\nid = \"energy\"\nrecord = 0\nunit = \"Wh\"\n";
    let contract = contract(&street, 9_600, "2s", |meter| {
        format!("primary = {}\n{points}", number(meter, "unit"))
    });
    let node = Node::start(dir.path(), "node", &contract);
    // Whether a burst meets an answer hangs on how the schedule lies against the bursts: both are waited for.
    wait_until("a burst, and the farthest meter back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let rows = about("log", node.data(), &[]).json_lines();
        let failed = |row: &Value| row["meter_id"] == "m03" && row["reason"] == "timeout";
        let failed = rows.iter().rposition(failed)?;
        let mut back = rows.iter().skip(failed);
        let back = back.any(|row| row["kind"] == "reading" && row["meter_id"] == "m03");
        let said = street.said();
        let of = |fault| ALL.into_iter().any(|meter| struck(&said, meter, fault) > 0);
        (back && of("common-mode") && of("droop")).then_some(())
    });
    let data = node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    let log = about("log", &data, &[]).json_lines();
    let said = street.stop();
    for name in ALL {
        let frames = of_street(&said, name);
        for reading in of(&log, "reading", name) {
            let raw = bytes(text(reading, "raw"));
            let meant = frames.iter().any(|frame| {
                let telegram = Telegram::read(frame);
                let mut records = telegram.records.iter();
                records.any(|record| record.bytes == raw)
            });
            assert!(meant, "{name} never said {reading}");
        }
        assert!(of(&log, "reading", name).count() > 0, "{name}");
        let causes: BTreeSet<&str> = of(&log, "attempt_failed", name)
            .map(|row| text(row, "reason"))
            .collect();
        let known = [
            "crc",
            "collision",
            "bus_busy",
            "framing",
            "timeout",
            "quarantined",
            "stopped",
            "slot_overrun",
        ];
        assert!(
            causes.iter().all(|cause| known.contains(cause)),
            "{name}: {causes:?}"
        );
        assert_eq!(struck(&said, name, "droop") > 0, name != "m01", "{name}");
    }
}

/// How many of a meter's answers this fault met.
fn struck(said: &[Value], meter: &str, fault: &str) -> usize {
    let of = |row: &&Value| row["meter"] == meter && row["fault"] == fault;
    let of = said.iter().filter(of);
    of.filter(|row| row["event"] != "disturbance").count()
}

/// The data frames that the street says a meter sent.
fn of_street(answers: &[Value], meter: &str) -> Vec<Vec<u8>> {
    answers
        .iter()
        .filter(|line| line["event"] == "reply" && line["meter"] == meter)
        .map(|line| bytes(text(line, "bytes")))
        .collect()
}

/// A whole number times 0.001.
fn thousandth(number: &str) -> String {
    let padded = format!("{number:0>4}");
    let (whole, rest) = padded.split_at(padded.len() - 3);
    format!("{whole}.{rest}")
}

/// Equal to the last of the six places that the corpus prints.
fn equal(ours: &str, theirs: &str) -> bool {
    let (ours, theirs): (f64, f64) = (ours.parse().unwrap(), theirs.parse().unwrap());
    (ours - theirs).abs() <= 5.1e-7 + theirs.abs() * 1e-15
}

//= A3.2
//= A2.1
#[test]
fn what_real_meters_said_is_what_lands_in_the_log() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let telegrams = folder.display().to_string();
    let words = [
        "--meters",
        "0",
        "--mbus-baud",
        "38400",
        "--mbus-telegrams",
        &telegrams,
    ];
    let street = Street::mbus(dir.path(), &words, "");
    let meters = list(street.description(), "meters").to_vec();
    assert_eq!(meters.len(), corpus::telegrams(&folder).len());
    let frame = |meter: &Value| {
        let file = text(&meter["mbus"], "telegram");
        corpus::bytes_of(&folder.join(format!("{file}.hex")))
    };
    let contract = contract(&street, 38_400, "30s", |meter| {
        let mut out = format!("primary = {}\n", number(meter, "unit"));
        for (place, record) in Telegram::read(&frame(meter)).records.iter().enumerate() {
            if let Said::Number(_) = record.value {
                let _ = write!(
                    out,
                    "[[meter.point]]\nid = \"r{place}\"\nrecord = {place}\n"
                );
            }
        }
        out
    });
    let names: Vec<&str> = meters.iter().map(|meter| text(meter, "name")).collect();
    let log = run(dir.path(), &contract, &names, 1);
    drop(street);
    let mut compared = 0;
    for meter in &meters {
        let (name, file) = (text(meter, "name"), text(&meter["mbus"], "telegram"));
        let (_, due) = xml::read(&folder.join(format!("{file}.norm.xml")));
        let frame = frame(meter);
        let records = Telegram::read(&frame).records;
        for reading in of(&log, "reading", name) {
            let place: usize = text(reading, "point_id")[1..].parse().unwrap();
            assert_eq!(
                bytes(text(reading, "raw")),
                records[place].bytes,
                "{file} {place}"
            );
            let (id, theirs) = (&due[place].id, due[place].text("Value").unwrap());
            assert_eq!(*id, Some(place.to_string()), "{file}");
            assert!(
                equal(text(reading, "value"), &theirs),
                "{file} {place}: {reading} | {theirs}"
            );
            compared += 1;
        }
        assert!(of(&log, "meter_report", name).count() > 0, "{file}");
    }
    println!("{compared} values of {} real meters", meters.len());
    assert!(compared >= 250, "{compared}");
}

/// Two points that no record fits: by hand and from the log it is said of each what was found instead, with the telegram.
//= A3.2
//= U6
#[test]
fn what_was_found_instead_of_a_record_stands_beside_the_attempt() {
    let dir = tempfile::tempdir().unwrap();
    let words = ["--meters", "1", "--mbus-baud", "9600"];
    let street = Street::mbus(dir.path(), &words, "");
    let points = "[[meter.point]]\nid = \"energy\"\nquantity = \"Energy\"\nunit = \"J\"\n\
                  [[meter.point]]\nid = \"x\"\nquantity = \"Volumen\"\n\
                  [[meter.point]]\nid = \"volume\"\nquantity = \"Volume\"\n";
    let contract = contract(&street, 9_600, "4s", |_| format!("primary = 1\n{points}"));
    let config = dir.path().join("probe-station.toml");
    std::fs::write(&config, contract.toml()).unwrap();
    let config = config.to_str().unwrap();
    let checked = fieldnotary(["check", config]);
    assert!(
        checked.out.contains("did you mean \"Volume\"?"),
        "{checked:?}"
    );
    let found = [
        "point energy: the record is in Wh, the contract says J",
        "point x: no record of the readout is what the contract says",
    ];
    let probed = fieldnotary(["bus", "probe", config, "m01"]);
    assert_eq!(probed.code, Some(1), "{probed:?}");
    for words in found
        .into_iter()
        .chain(["the records that are there:", " Wh"])
    {
        assert!(probed.out.contains(words), "{words}: {probed:?}");
    }
    run(dir.path(), &contract, &["m01"], 2);
    let data = dir.path().join("node");
    let data = data.to_str().unwrap();
    let failing = fieldnotary(["bus", "failing", data, "m01", "--last", "2"]);
    for words in found.into_iter().chain(["RSP_UD, address 1, "]) {
        assert_eq!(failing.out.matches(words).count(), 2, "{failing:?}");
    }
    assert!(!failing.out.contains("nothing was on the wire"));
    let last = fieldnotary(["bus", "failing", data, "m01", "--last", "1", "--json"]).json();
    assert_eq!(list(&last, "found").len(), 2, "{last}");
    assert_eq!(last["decoded"]["valid"], true, "{last}");
}
