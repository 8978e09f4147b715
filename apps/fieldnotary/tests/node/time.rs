//! The time of a whole node, asked of its log: while it runs, after it stopped, and over a restart.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{Said, fieldnotary, list, number, text};
use serde_json::Value;
use std::path::Path;

/// Readings of a run before it is looked at.
const READINGS: u64 = 10;

fn time(verb: &str, dir: &Path, more: &[&str]) -> Said {
    let dir = dir.display().to_string();
    let words = ["time", verb, &dir].into_iter().chain(more.iter().copied());
    fieldnotary(words)
}

/// The day of a node that ran for some seconds, in slots of one: of each point most are empty, and nothing but the
/// log's beginning, its end and what a gap names is said to be why.
fn slots(data: &Path, at: &str) {
    let day = at.split_once('T').unwrap().0;
    let ask = |more: &[&str]| time("slots", data, &[&["--day", day], more].concat());
    let said = ask(&["--every", "1s", "--tolerance", "400ms", "--json"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let report = said.json();
    assert_eq!(number(&report, "slots"), 86_400);
    assert!(
        list(&report, "crossings").is_empty(),
        "{}",
        report["crossings"]
    );
    let log = fieldnotary([
        "log",
        "--json",
        "--kind",
        "reading",
        &data.display().to_string(),
    ]);
    let (rows, mut filled) = (log.json_lines(), 0);
    let points = list(&report, "points");
    assert_eq!(points.len(), 6, "two meters of three points");
    for point in points {
        let sum: u64 = ["filled", "early", "late", "empty", "to_come", "before_log"]
            .map(|state| number(point, state))
            .iter()
            .sum();
        assert_eq!(sum, 86_400, "{point}");
        // A line that is slow may not come to each meter in so short a run; what was read is in a slot.
        let name = |key: &str| text(point, key);
        let of_it = |row: &&Value| {
            row["meter_id"] == name("meter_id")
                && row["point_id"] == name("point_id")
                && text(row, "timestamp").starts_with(day)
        };
        let readings = rows.iter().filter(of_it).count();
        let read: u64 = ["filled", "early", "late"]
            .map(|state| number(point, state))
            .iter()
            .sum();
        assert_eq!(read > 0, readings > 0, "{point}");
        filled += number(point, "filled");
        assert_eq!(number(point, "unbounded"), read, "{point}");
        let causes: Vec<_> = list(point, "stretches")
            .iter()
            .filter(|one| ["to come", "before the log"].contains(&text(one, "state")))
            .map(|one| one["class"].as_str().unwrap_or("none"))
            .collect();
        // A run over midnight has but one of the two in its day.
        let outside = ["LOG_ENDS_BEFORE", "LOG_BEGINS_LATER"];
        assert!(
            !causes.is_empty() && causes.iter().all(|cause| outside.contains(cause)),
            "{causes:?}"
        );
    }
    assert!(filled > 0, "{} readings", rows.len());
    for (more, code, word) in [
        (
            &["--zone", "Europe/Berlin", "--every", "1h"][..],
            1,
            "in Europe/Berlin: 24 slots of 60 min",
        ),
        (&["--meter", "m99"], 1, "its meters are: m01, m02"),
        (&["--zone", "Middle/Earth"], 3, "Europe/Berlin"),
        (&["--every", "7min"], 3, "such as 15min"),
        (&["--every", "soon"], 2, "such as 15min"),
        (&["--tolerance", "8min"], 3, "less than half of a slot"),
    ] {
        let said = ask(more);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(
            format!("{}{}", said.out, said.err).contains(word),
            "{word}: {said:?}"
        );
    }
    for (day, zone, slots) in [
        ("2026-03-29", "Europe/Berlin", 92),
        ("2026-10-25", "Europe/Berlin", 100),
    ] {
        let said = time("slots", data, &["--day", day, "--zone", zone, "--json"]);
        assert_eq!(number(&said.json(), "slots"), slots, "{said:?}");
    }
}

/// What is asked amiss, or of what is not there.
fn questions_with_no_answer(data: &Path, dir: &Path) {
    let missing = time("why", data, &["999999"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.err.contains("has not come to entry 999999"),
        "{missing:?}"
    );
    let neither = time("why", data, &[]);
    assert_eq!(neither.code, Some(2));
    assert!(neither.err.contains("--at"), "{neither:?}");
    let of_nothing = time("history", data, &["--to", "2001-01-01"]);
    assert_eq!(of_nothing.code, Some(1), "{of_nothing:?}");
    let reversed = time("history", data, &["--from", "-1h", "--to", "-2h"]);
    assert_eq!(reversed.code, Some(3), "{reversed:?}");
    let nowhere = dir.join("none/t.svg").display().to_string();
    let nowhere = time("history", data, &["--svg", &nowhere]);
    assert!(nowhere.err.contains("make its folder first"), "{nowhere:?}");
    let stopped = time("now", data, &[]);
    assert!(stopped.out.contains("no node runs here"), "{stopped:?}");
    // Behind an orderly stop that is the answer, with what was known last.
    let ahead = time("why", data, &["--at", "-0s"]);
    assert_eq!(ahead.code, Some(0), "{ahead:?}");
    for words in [
        "the node did not run any more: orderly_stop",
        "its last stamps said RTC_ONLY",
    ] {
        assert!(ahead.out.contains(words), "{ahead:?}");
    }
    let of_none = time("why", data, &["9:1"]);
    assert!(of_none.err.contains("has no generation 9"), "{of_none:?}");
}

//= A8.4
//= U1
//= R1.2
#[test]
fn a_node_without_a_source_says_so_and_its_restart_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new("example.org/time", "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", READINGS);
    // A node that runs is answered as of its newest entry.
    let ahead = time("why", node.data(), &["--at", "-0s"]);
    assert_eq!(ahead.code, Some(0), "{ahead:?}");
    let now = time("now", node.data(), &["--json"]);
    assert_eq!(now.code, Some(1), "{now:?}");
    assert_eq!(text(&now.json()["stamp"], "time_quality"), "RTC_ONLY");
    let data = node.stop();
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", READINGS);
    node.stop();

    let history = time("history", &data, &["--json"]);
    assert_eq!(history.code, Some(0), "{history:?}");
    let history = history.json();
    assert_eq!(number(&history["totals"], "restarts"), 1, "{history}");
    assert!(list(&history, "jumps").is_empty(), "{history}");
    let covers: Vec<&str> = list(&history, "stretches")
        .iter()
        .map(|one| text(one, "cover"))
        .collect();
    assert_eq!(
        covers
            .iter()
            .filter(|cover| **cover == "not running")
            .count(),
        1,
        "{covers:?}"
    );
    assert!(
        covers
            .iter()
            .all(|cover| ["RTC_ONLY", "not running"].contains(cover)),
        "{covers:?}"
    );

    let down = list(&history, "stretches")
        .iter()
        .find(|one| one["cover"] == "not running")
        .unwrap();
    let at = text(&down["begin"], "utc");
    let why = time("why", &data, &["--at", at, "--json"]).json();
    assert_eq!(
        why["moments"][0]["stretch"]["cover"], "not running",
        "{why}"
    );
    assert_eq!(why["restarts"][0]["same_boot"], true, "{why}");
    assert!(why["jump_before"].is_null(), "{why}");

    let words = time(
        "history",
        &data,
        &["--svg", &dir.path().join("t.svg").display().to_string()],
    );
    assert!(
        words.out.lines().take(24).all(|line| line.len() <= 200),
        "{words:?}"
    );
    assert!(words.out.contains("RTC_ONLY 100.0 %"), "{words:?}");
    let svg = std::fs::read_to_string(dir.path().join("t.svg")).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    slots(&data, text(&down["begin"], "utc"));
    questions_with_no_answer(&data, dir.path());
    assert_eq!(time("now", dir.path(), &[]).code, Some(3));
}
