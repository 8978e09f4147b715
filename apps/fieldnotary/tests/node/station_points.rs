//! The station's own points on a whole node: edges of a recording, channels of a directory, counts that survive.

use crate::common::blows::{running, signal, successor};
use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, fieldnotary, list, number, text, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(30);

fn contract(dir: &Path) -> Contract {
    let (edges, box_dir) = (dir.join("edges.txt"), dir.join("hwmon0"));
    Contract::of(format!(
        "[station]\norigin = \"example.org/points\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n\
         [[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {edges:?}\n\n\
         [[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = {box_dir:?}\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\n[[debounce]]\nid = \"bare\"\nwindow = \"0us\"\n\n\
         [[di]]\nid = \"door\"\ncard = \"dio\"\nline = 4\ndebounce = \"contact\"\n\n\
         [[pulse]]\nid = \"water\"\ncard = \"dio\"\nline = 6\ndebounce = \"bare\"\nschedule = \"second\"\n\
         weight = \"0.01\"\nunit = \"m3\"\n\n\
         [[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"second\"\n\
         sample = \"100ms\"\nscale = \"0.001\"\nunit = \"degC\"\ndeadband = \"0.5\"\ncalibration = \"2026-03\"\n"
    ))
}

/// Appends lines to the recording that the card plays.
fn play(dir: &Path, lines: &[&str]) {
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(dir.join("edges.txt"));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

fn pulses(dir: &Path, count: usize) {
    (0..count).for_each(|_| play(dir, &["now edge 6 rising", "now edge 6 falling"]));
}

fn rows(data: &Path) -> Vec<Value> {
    about("log", data, &[]).json_lines()
}

/// Waits for a row of the log.
fn row(data: &Path, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_until(what, SOON, || {
        rows(data).into_iter().rev().find(|row| fits(row))
    })
}

fn count(data: &Path, at_least: u64, basis: &str) -> Value {
    row(data, &format!("{at_least} pulses, {basis}"), |row| {
        row["kind"] == "pulse_count" && number(row, "count") >= at_least && row["basis"] == basis
    })
}

/// Every number of the card is a record, in a gap or skipped, and no count is smaller than one before.
fn sound(data: &Path) {
    let rows = rows(data);
    let mut next = 0;
    let mut highest = 0;
    for row in &rows {
        let points = ["soe", "pulse_count"].contains(&text(row, "kind"));
        let of_card = row["source"] == "dio" && points;
        let passed = row["meter_id"] == "dio" && row["count"].is_u64() && row["seq"].is_u64();
        if of_card || passed {
            assert_eq!(number(row, "seq"), next, "{row}");
            next += if passed { number(row, "count") } else { 1 };
        }
        if row["kind"] == "pulse_count" {
            let count = number(row, "count");
            assert!(count >= highest, "{count} after {highest}");
            highest = count;
        }
    }
    assert!(next > 0 && highest > 0);
}

//= R1.1
//= R3.1
//= R3.3
//= A3.3
#[test]
fn edges_counts_and_values_are_in_the_log_and_a_count_survives_whatever_ends_the_node() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("hwmon0")).unwrap();
    let temp = dir.path().join("hwmon0/temp1_input");
    std::fs::write(&temp, "21500\n").unwrap();
    std::fs::write(dir.path().join("edges.txt"), "0 level 4 low\n").unwrap();
    let contract = contract(dir.path());
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_owned();
    row(&data, "the door's first state", |row| {
        row["change"] == "initial"
    });
    play(dir.path(), &["now edge 4 rising"]);
    let open = row(&data, "the door", |row| row["change"] == "edge");
    assert_eq!((number(&open, "value"), number(&open, "line")), (1, 4));
    assert_eq!(text(&open, "quality"), "questionable", "it is a recording");
    assert_eq!(text(&open, "debounce"), "contact");
    std::fs::write(&temp, "30000\n").unwrap();
    let moved = row(&data, "the temperature", |row| {
        row["cause"] == "spontaneous"
    });
    assert_eq!(
        (text(&moved, "value"), text(&moved, "calibration")),
        ("30.000", "2026-03")
    );
    play(dir.path(), &["now edge 4 falling 9"]);
    let lost = row(&data, "the loss", |row| row["change"] == "lost");
    assert_eq!(
        (number(&lost, "count"), text(&lost, "loss")),
        (7, "kernel_buffer")
    );
    pulses(dir.path(), 5);
    count(&data, 5, "live");

    // The io process is killed; whatever starts next plays the recording from its beginning.
    std::fs::write(dir.path().join("edges.txt"), "").unwrap();
    let io = running(&data, "io");
    signal(io, Signal::KILL);
    successor(&data, "io", io);
    let restored = row(&data, "the count of before", |row| {
        row["kind"] == "pulse_count" && ["log", "board"].contains(&text(row, "basis"))
    });
    assert_eq!(
        (number(&restored, "count"), number(&restored, "suspect")),
        (5, 1)
    );
    pulses(dir.path(), 2);
    count(&data, 7, "live");
    sound(&data);

    // The node is stopped and its board is gone: the log knows.
    std::fs::write(dir.path().join("edges.txt"), "").unwrap();
    let data = node.stop();
    sound(&data);
    std::fs::remove_file(data.join("markers/dio.fnp")).unwrap();
    let node = Node::start(dir.path(), "node", &contract);
    let restored = count(&data, 7, "log");
    assert_eq!(number(&restored, "count"), 7);
    let said = fieldnotary(["log".as_ref(), data.as_os_str()]).out;
    for words in [
        "door on, questionable (test)",
        "water 7 pulses = 0.07 m3",
        "temp 30.000 degC, good",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let data = node.stop();
    sound(&data);
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}

/// A card that cannot be opened is said before the run and does not hold up the others.
//= U3
//= R10.5
#[test]
fn a_card_that_is_not_there_is_said_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("hwmon0")).unwrap();
    std::fs::write(dir.path().join("hwmon0/temp1_input"), "21500\n").unwrap();
    let node = Node::start(dir.path(), "node", &contract(dir.path()));
    let data = node.data().to_owned();
    let lost = row(&data, "the lost card", |row| row["code"] == "port_lost");
    assert_eq!(text(&lost, "source"), "dio");
    assert!(
        text(&lost, "detail").contains("edges.txt; look for its name with: ls"),
        "{lost}"
    );
    row(&data, "the other card", |row| {
        row["kind"] == "analog" && row["value"] == "21.500"
    });
    let count = count(&data, 0, "fresh");
    assert_eq!(text(&count, "reason"), "source_lost");
    // It is plugged in.
    std::fs::write(dir.path().join("edges.txt"), "0 level 4 high\n").unwrap();
    let found = row(&data, "the door", |row| row["change"] == "initial");
    assert_eq!(number(&found, "value"), 1);
    node.stop();
    asked_for_by_name(&data);

    // It is gone again when the node comes back: what its points said before stands no more.
    std::fs::remove_file(dir.path().join("edges.txt")).unwrap();
    let node = Node::start(dir.path(), "node", &contract(dir.path()));
    let card = wait_until("the loss", SOON, || {
        let status = node.status();
        let mut cards = list(&status, "cards").iter();
        let lost = cards.any(|card| card["id"] == "dio" && card["state"] == "lost");
        lost.then_some(status)
    });
    let door = list(&card, "points").iter().find(|one| one["id"] == "door");
    let door = door.unwrap();
    assert!(door["value"].is_null(), "{door}");
    assert_eq!(text(door, "reason"), "source_lost");
    let screen = fieldnotary(["status".as_ref(), data.as_os_str()]).out;
    assert!(screen.contains("card dio  LOST: "), "{screen}");
    node.stop();
}

/// A point of a card is asked for as one of a meter is.
fn asked_for_by_name(data: &Path) {
    for name in ["door", "dio/door"] {
        let said = about("log", data, &["--point", name]);
        let rows = said.json_lines();
        assert!(!rows.is_empty(), "{said:?}");
        assert!(rows.iter().all(|row| row["point_id"] == "door"), "{said:?}");
    }
    let card = about("log", data, &["--meter", "dio"]);
    assert_eq!(card.code, Some(1));
    assert!(card.err.contains("is a card and no meter"), "{card:?}");
}

/// A chip whose driver is loaded later, or that is plugged in, is a directory that nobody could name at the start.
//= R10.5
//= R3.3
#[test]
fn a_directory_of_channels_that_comes_after_the_start_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::create_dir(dir.join("sys")).unwrap();
    let path = dir.join("sys/hwmon7");
    let node = Node::start(
        dir,
        "node",
        &Contract::of(format!(
            "[station]\norigin = \"example.org/later\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
             [[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n\
             [[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = {path:?}\n\n\
             [[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"second\"\n\
             sample = \"100ms\"\nscale = \"0.001\"\n"
        )),
    );
    let data = node.data().to_owned();
    row(&data, "a slot without a value", |row| {
        row["cause"] == "cyclic" && row["reason"] == "source_lost"
    });
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("temp1_input"), "21500\n").unwrap();
    row(&data, "the value", |row| {
        row["cause"] == "cyclic" && row["value"] == "21.500"
    });
    let data = node.stop();
    // Its slots are due like a meter's, and those that had no value have their cause.
    let gaps = about("gaps", &data, &[]);
    let said = format!("{gaps:?}");
    assert!(
        said.contains("source_lost") && said.contains("IF_ERR"),
        "{said}"
    );
}
