//! What a node says when its collector does not take the log: whose key is wrong, and what to do.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{READY, about, done, program, text, wait_until};
use std::path::Path;
use std::process::Command;

const ORIGIN: &str = "example.org/words";

/// Waits until an event of the uplink has all of these words.
fn heard(data: &Path, code: &str, words: &[&str]) {
    let mut last = String::new();
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_until(code, READY, || {
            let said = about("log", data, &["--kind", "event"]);
            let events = said.json_lines();
            let of_it = events
                .iter()
                .filter(|event| event["code"].as_str() == Some(code));
            let details: Vec<String> = of_it.map(|event| event["detail"].to_string()).collect();
            last = details.join("\n");
            let all = |detail: &&String| words.iter().all(|word| detail.contains(word));
            details.iter().any(|detail| all(&detail)).then_some(())
        });
    }));
    assert!(found.is_ok(), "{words:?} are not in:\n{last}");
}

//= A4.3
#[test]
fn a_wrong_collector_key_is_named_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let mut init = Command::new(program("fieldnotary-collector"));
    init.arg("init")
        .arg("--dir")
        .arg(dir.path().join("another"));
    init.args(["--name", "collector.example.org", "--host", "127.0.0.1"]);
    let other = done(&mut init).out;
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 4)).uplink(
        &collector.address,
        other.trim(),
        &collector.tls,
    );
    let node = Node::start(dir.path(), "node", &contract);
    heard(
        node.data(),
        "uplink_refused",
        &["not by the key of uplink.collector_key", "collector.json"],
    );
    let data = node.stop();
    let said = about("log", &data, &["--kind", "event"]).out;
    assert!(!said.contains("answered 200"), "{said}");
}

//= U4
#[test]
fn a_log_that_the_collector_was_not_told_of_is_named_with_the_option() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    Node::keys(&dir.path().join("node"), ORIGIN);
    let others = Node::keys(&dir.path().join("other"), "example.org/other");
    let collector = Collector::start(dir.path(), &others);
    let contract = street
        .contract(Contract::new(ORIGIN, "256KiB", 4))
        .delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    let origin = format!("{ORIGIN}/g1");
    let words = [
        "answered 404",
        "--log-key VKEY",
        "keys.vkey",
        origin.as_str(),
    ];
    heard(node.data(), "uplink_refused", &words);
    node.stop();
}

//= A5.4
#[test]
fn an_older_copy_is_told_what_it_is_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let contract = street
        .contract(Contract::new(ORIGIN, "256KiB", 4))
        .delivered_to(&collector);
    let data = Node::grow(dir.path(), "node", &contract, 20);
    let older = dir.path().join("older");
    std::fs::create_dir(&older).unwrap();
    copy_into(&data, &older);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 400);
    node.stop();
    let copy = Node::start(dir.path(), "older", &contract);
    let words = [
        "delivery stops (ahead)",
        "it holds more of this log than is here",
        "an older copy",
        "fieldnotary adopt",
    ];
    heard(copy.data(), "uplink_conflict", &words);
    copy.stop();
    // What the collector has is sound, and the alarm stands: nobody has put the newest disk back or adopted.
    let kept = about("verify", &collector.stop(), &[]);
    assert_eq!(kept.code, Some(1), "{kept:?}");
    let verdict = kept.json();
    let failing = verdict["findings"].as_array().unwrap().iter();
    let kinds: Vec<&str> = failing.map(|one| text(one, "kind")).collect();
    assert!(kinds.contains(&"rollback"), "{verdict}");
}
