//! `fieldnotary journal budget` against a node that runs: what it predicts is what is counted.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{fieldnotary, now, number};
use serde_json::Value;
use std::path::Path;

/// How far a count may be from what was predicted, in percent.
const BAND_PERCENT: u64 = 15;
/// How long a node is watched.
const WATCHED_SECONDS: u64 = 20;
const DAY_MS: u64 = 86_400_000;
/// Bytes of length and check in front of each entry.
const ENTRY_FRAME_BYTES: u64 = 8;
/// What is compared: by its name in the status, and in the budget.
const COMPARED: [(&str, &str); 6] = [
    ("entries", "entries"),
    ("commits", "commits"),
    ("frame_bytes", "frame_bytes"),
    ("volume_flushes", "volume_flushes"),
    ("truth_flushes", "truth_flushes"),
    ("payload_bytes", "entry_bytes"),
];

fn budget(dir: &Path, contract: &Contract) -> Value {
    let config = dir.join("budget.toml");
    std::fs::write(&config, contract.toml()).unwrap();
    let words = [
        "journal",
        "budget",
        config.to_str().unwrap(),
        "--json",
        "--reply-ms",
        "2",
    ];
    let said = fieldnotary(words.map(std::ffi::OsStr::new));
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()
}

/// What a node counted while it was watched.
struct Counted {
    before: Value,
    after: Value,
    watched_ms: u64,
}

fn watch(dir: &Path, contract: &Contract) -> Counted {
    let node = Node::start(dir, "node", contract);
    // What a start writes belongs to no day.
    node.wait_for("readings", 30);
    let (before, began) = (node.status()["journal"].clone(), now());
    std::thread::sleep(std::time::Duration::from_secs(WATCHED_SECONDS));
    let after = node.status()["journal"].clone();
    let watched_ms = u64::try_from(began.elapsed().as_millis()).unwrap();
    node.stop();
    Counted {
        before,
        after,
        watched_ms,
    }
}

/// Where the counts are not those of a budget.
fn differences(counted: &Counted, predicted: &Value) -> Vec<String> {
    let a_day = &predicted["a_day"];
    let wrong = COMPARED.iter().filter_map(|(name, named)| {
        let count = number(&counted.after, name) - number(&counted.before, name);
        let mut due = number(a_day, named);
        if *name == "payload_bytes" {
            due += number(a_day, "entries") * ENTRY_FRAME_BYTES;
        }
        let due = due * counted.watched_ms / DAY_MS;
        let far = count.abs_diff(due) * 100 > due * BAND_PERCENT;
        println!("{name}: {count} counted, {due} predicted");
        far.then(|| format!("{name}: {count} counted, {due} predicted"))
    });
    wrong.collect()
}

/// The budget of the contract is within the band; one of twice the pace is not.
fn compare(meters: u16, every: &str, twice: &str) {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), meters);
    let contract = |every| {
        let contract = Contract::new("example.org/budget", "256KiB", 4);
        street.contract_every(contract, every)
    };
    let counted = watch(dir.path(), &contract(every));
    let wrong = differences(&counted, &budget(dir.path(), &contract(every)));
    assert_eq!(wrong, Vec::<String>::new());
    let wrong = differences(&counted, &budget(dir.path(), &contract(twice)));
    assert!(wrong.len() >= 4, "{wrong:?}");
}

#[test]
fn figures_that_no_flash_has_are_refused() {
    for (option, values) in [
        (
            "--endurance-tbw",
            &["nan", "inf", "-inf", "0", "-1", "1e999", ""][..],
        ),
        ("--pe-cycles", &["0", "-1", "nan"]),
        ("--fram-cycles", &["0", "1.5"]),
        ("--capacity", &["0", "0GiB"]),
        ("--page", &["0"]),
    ] {
        for value in values {
            let words = format!("{option}={value}");
            let said = fieldnotary(["journal", "budget", "station.toml", &words]);
            assert_eq!(said.code, Some(2), "{words}: {said:?}");
            assert!(said.err.contains("write "), "{words}: {said:?}");
        }
    }
}

//= A5.7
#[test]
fn what_is_predicted_for_a_slow_street_is_what_a_node_writes() {
    compare(3, "1s", "500ms");
}

//= A5.7
#[test]
fn what_is_predicted_for_a_fast_street_is_what_a_node_writes() {
    compare(8, "200ms", "100ms");
}
