//! The time of a whole node, asked of its log: while it runs, after it stopped, and over a restart.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

mod common;

use common::contract::Contract;
use common::sites::{Node, Street};
use common::{Said, fieldnotary, list, number, text};
use std::path::Path;

/// Readings of a run before it is looked at.
const READINGS: u64 = 10;

fn time(verb: &str, dir: &Path, more: &[&str]) -> Said {
    let dir = dir.display().to_string();
    let words = ["time", verb, &dir].into_iter().chain(more.iter().copied());
    fieldnotary(words)
}

//= A8.4
//= R1.2
#[test]
fn a_node_without_a_source_says_so_and_its_restart_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new("example.org/time", "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", READINGS);
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
    assert_eq!(time("why", &data, &["999999"]).code, Some(1));
    assert_eq!(time("why", &data, &[]).code, Some(2));
    assert_eq!(time("now", dir.path(), &[]).code, Some(3));
}
