//! Supplies, environment, reset reason and markers on a whole node: a tree of files as the kernel has them, and a
//! recording.

use crate::common::blows::{running, signal, successor};
use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, fieldnotary, number, text, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(30);
/// What a start says where the recorder alone had ended.
const WENT_ON: &str = "; the node went on";

fn contract(dir: &Path) -> Contract {
    let card = |id: &str, kind: &str, path: &str| {
        format!(
            "[[card]]\nid = {id:?}\nkind = {kind:?}\npath = {:?}\n\n",
            dir.join(path)
        )
    };
    Contract::of(format!(
        "[station]\norigin = \"example.org/surroundings\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n{}{}{}{}\
         [[power]]\nid = \"vbat\"\ncard = \"ina\"\nchannel = \"in1_input\"\nsample = \"20ms\"\n\
         droop = \"11.5\"\nbrownout = \"10.5\"\nuvlo = \"9\"\nhysteresis = \"0.2\"\n\n\
         [[environment]]\nid = \"zone\"\ncard = \"heat\"\nchannel = \"temp\"\nsample = \"50ms\"\nhot = \"85\"\n\n\
         [[reset]]\nid = \"board\"\ncard = \"dog\"\nchannel = \"bootstatus\"\nwatchdog = [\"32\"]\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\n\
         [[di]]\nid = \"arrester\"\ncard = \"dio\"\nline = 4\ndebounce = \"contact\"\nmarker = \"surge\"\n",
        card("ina", "hwmon", "sys/hwmon3"),
        card("heat", "directory", "sys/thermal_zone0"),
        card("dog", "directory", "sys/watchdog0"),
        card("dio", "recording", "play/edges.txt"),
    ))
}

fn say(dir: &Path, file: &str, words: &str) {
    let path = dir.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // A file of the kernel is never half written.
    let whole = path.with_extension("whole");
    std::fs::write(&whole, words).unwrap();
    std::fs::rename(whole, path).unwrap();
}

/// Appends to the recording that is played.
fn play(dir: &Path, words: &str) {
    let file = dir.join("play/edges.txt");
    let file = std::fs::OpenOptions::new().append(true).open(file);
    file.unwrap().write_all(words.as_bytes()).unwrap();
}

/// Waits for a row of the log.
fn row(data: &Path, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_until(what, SOON, || {
        let rows = about("log", data, &[]).json_lines();
        rows.into_iter().rev().find(|row| fits(row))
    })
}

fn band(data: &Path, point: &str, change: &str, band: &str) -> Value {
    row(data, &format!("{point} {change} {band}"), |row| {
        row["kind"] == "excursion"
            && row["point_id"] == point
            && row["change"] == change
            && row["band"] == band
    })
}

/// A chip whose directory comes after the node is met without a restart, and read with no right to write.
//= A7.2
//= A2.5
//= A3.8
#[test]
fn a_droop_a_hot_zone_a_surge_and_the_last_reset_are_on_one_timeline() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    say(dir, "sys/thermal_zone0/temp", "45000\n");
    say(dir, "sys/watchdog0/bootstatus", "32\n");
    say(dir, "play/edges.txt", "0 level 4 low\n");
    let node = Node::start(dir, "node", &contract(dir));
    let data = node.data().to_owned();
    let reset = row(&data, "the reset", |row| row["kind"] == "reset_reason");
    assert_eq!(
        (text(&reset, "cause"), text(&reset, "detail")),
        ("watchdog", "32")
    );
    let lost = row(&data, "the lost card", |row| row["code"] == "port_lost");
    assert_eq!(text(&lost, "source"), "ina");
    assert_eq!(node.status()["anchors"]["power"]["uvlo_cnt"], "unsupported");

    say(dir, "sys/hwmon3/in1_input", "12100\n");
    let found = row(&data, "the supply", |row| {
        row["change"] == "found" && row["source"] == "ina"
    });
    assert_eq!(text(&found, "value"), "12.100");
    assert_eq!(number(&node.status()["anchors"]["power"], "uvlo_cnt"), 0);
    say(dir, "sys/hwmon3/in1_input", "8900\n");
    let began = band(&data, "vbat", "entered", "uvlo");
    assert_eq!(
        (text(&began, "limit"), text(&began, "quality")),
        ("9", "good")
    );
    band(&data, "vbat", "entered", "droop");
    play(dir, "now edge 4 rising\n");
    say(dir, "sys/hwmon3/in1_input", "12000\n");
    let over = band(&data, "vbat", "left", "uvlo");
    assert_eq!(text(&over, "extreme"), "8.900");
    assert!(number(&over, "lasted_ns") > 0);
    say(dir, "sys/thermal_zone0/temp", "90000\n");
    band(&data, "zone", "entered", "hot");
    let power = &node.status()["anchors"]["power"];
    assert_eq!(
        (
            number(power, "uvlo_cnt"),
            number(power, "vbat_droop_cnt"),
            number(power, "vbat_min")
        ),
        (1, 1, 8_900)
    );
    assert_eq!(text(power, "reset_reason"), "watchdog");

    std::fs::remove_dir_all(dir.join("sys/hwmon3")).unwrap();
    let gone = row(&data, "the loss", |row| {
        row["kind"] == "excursion" && row["change"] == "lost" && row["band"].is_null()
    });
    assert_eq!(text(&gone, "reason"), "source_lost");
    assert_eq!(number(&node.status()["anchors"]["power"], "uvlo_cnt"), 1);
    let of_vbat = about("log", &data, &["--point", "vbat"]).json_lines();
    assert!(of_vbat.len() >= 5, "{of_vbat:?}");
    assert!(of_vbat.iter().all(|row| row["point_id"] == "vbat"));
    let said = fieldnotary(["log".as_ref(), data.as_os_str()]).out;
    for words in [
        "vbat 12.100 V is watched",
        "vbat uvlo: 8.900 V (limit 9 V), good",
        "8.900 V at the furthest",
        "zone hot: 90.000 degC",
        "board last reset: watchdog (it says \"32\")",
        "vbat no value any more, invalid (source_lost)",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let data = node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    assert_eq!(about("gaps", &data, &[]).code, Some(0));
}

//= A3.8
#[test]
fn a_marker_from_an_input_is_an_entry_that_says_what_it_marks() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    say(dir, "play/edges.txt", "0 level 4 low\n1 edge 4 rising\n");
    let node = Node::start(dir, "node", &contract(dir));
    let data = node.data().to_owned();
    let surge = row(&data, "the surge", |row| {
        row["marker"] == "surge" && row["change"] == "edge"
    });
    assert_eq!(text(&surge, "point_id"), "arrester");
    let said = fieldnotary(["log".as_ref(), data.as_os_str()]).out;
    assert!(said.contains("arrester (surge marker) on"), "{said}");
    node.stop();
}

/// What a commit meets while writes may not be relied upon is beside the brownout, and a start says in what the run before ended.
//= R10.3
#[test]
fn a_brownout_says_how_commits_stood_and_the_next_start_what_became_of_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    say(dir, "play/edges.txt", "0 level 4 low\n");
    say(dir, "sys/hwmon3/in1_input", "12100\n");
    let node = Node::start(dir, "node", &contract(dir));
    let data = node.data().to_owned();
    let event = |code: &'static str| row(&data, code, move |row| row["code"] == code);
    row(&data, "the supply", |row| {
        row["change"] == "found" && row["source"] == "ina"
    });
    say(dir, "sys/hwmon3/in1_input", "10100\n");
    let began = band(&data, "vbat", "entered", "brownout");
    let said = event("commit_in_brownout");
    assert!(
        number(&said, "commit_id") > number(&began, "commit_id"),
        "{said}"
    );
    let detail = text(&said, "detail");
    assert!(detail.starts_with("vbat brownout at 10.1"), "{detail}");
    assert!(detail.contains(" entries are durable, "), "{detail}");
    say(dir, "sys/hwmon3/in1_input", "12000\n");
    let said = event("commit_after_brownout");
    assert!(number(&said, "count") >= 1, "{said}");
    assert!(
        text(&said, "detail").contains("the longest commit took"),
        "{said}"
    );

    say(dir, "sys/hwmon3/in1_input", "8700\n");
    let began = band(&data, "vbat", "entered", "uvlo");
    // The recorder alone ends: the supply is as low as before.
    let recorder = running(&data, "recorder");
    signal(recorder, Signal::KILL);
    successor(&data, "recorder", recorder);
    let said = event("ended_in_brownout");
    assert!(text(&said, "detail").ends_with(WENT_ON), "{said}");
    say(dir, "sys/hwmon3/in1_input", "12000\n");
    let back = row(&data, "the end of the lock-out", |row| {
        row["code"] == "commit_after_brownout" && text(row, "detail").starts_with("vbat uvlo")
    });
    let since = number(&back, "commit_id") - number(&began, "commit_id");
    assert!(number(&back, "count") <= since, "{back}");
    say(dir, "sys/hwmon3/in1_input", "8700\n");
    row(&data, "the second lock-out", |row| {
        row["band"] == "uvlo"
            && row["change"] == "entered"
            && row["commit_id"] != began["commit_id"]
    });
    crate::restarts::end(node, "kill all");
    say(dir, "sys/hwmon3/in1_input", "12000\n");
    let node = Node::start(dir, "node", &contract(dir));
    let said = row(&data, "the end of the node", |row| {
        row["code"] == "ended_in_brownout" && !text(row, "detail").ends_with(WENT_ON)
    });
    let detail = text(&said, "detail");
    assert!(
        detail.contains("vbat was below its limit uvlo at 8.7"),
        "{detail}"
    );
    let became = [
        "; no commit was cut",
        "; the last commit was whole and is taken in: ",
        "; the commit under way was cut and taken back: ",
        " were cut and taken back",
    ];
    assert!(
        became.iter().any(|words| detail.contains(words)),
        "{detail}"
    );
    let data = node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
