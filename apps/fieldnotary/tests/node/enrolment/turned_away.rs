//! An enrolled node is taken back: it hears since when, by whom and why, and goes on with new keys.

use super::delivering;
use super::papers::{ORIGIN, Papers, well};
use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{READY, about, fieldnotary, number, text, wait_until};
use serde_json::Value;
use std::path::Path;

fn enrol(papers: &Papers<'_>, more: &[&str]) {
    well(&papers.request("request"));
    let paths = [("--request", "request"), ("--out", "challenge")];
    well(&papers.at_the_collector("challenge", &["--self-asserted"], &paths));
    well(&papers.answer("challenge"));
    let words = [
        "--reason",
        "commissioning",
        "--node",
        "station-7",
        "--origin",
        ORIGIN,
    ];
    let paths = [("--answer", "answer"), ("--out", "receipt")];
    well(&papers.at_the_collector("register", &[&words[..], more].concat(), &paths));
    well(&papers.accept("receipt", "node-tls"));
}

/// What a node says that was revoked.
fn hears(node: &Node) {
    let link = wait_until("the refusal", READY, || {
        let link = node.status()["uplink"].clone();
        (text(&link, "state") == "refused").then_some(link)
    });
    let cause = text(&link, "cause");
    for words in [
        "answered 403: this node's certificate was revoked here on 20",
        " by grace (uid ",
        "): the machine was stolen",
        "the node needs new keys, enrolled there",
    ] {
        assert!(cause.contains(words), "{words}: {cause}");
    }
    let screen = fieldnotary(["status", node.data().to_str().unwrap()]).out;
    for words in [
        "REFUSES",
        "revoked here on 20",
        "the machine was stolen",
        "; REVOKED, as the collector says",
    ] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
}

/// As the page says: a copy without keys gets new ones and a new generation.
fn given_new_keys(dir: &Path, data: &Path) {
    let (kept, old) = (dir.join("kept"), dir.join("old"));
    let (kept, to) = (kept.display().to_string(), data.display().to_string());
    let verb = |verb: &str, place: &str, words: &[&str]| {
        well(&about(verb, place.as_ref(), words));
    };
    verb("backup", &to, &["--to", &kept]);
    std::fs::rename(data, old).unwrap();
    verb(
        "restore",
        &kept,
        &["--data", &to, "--reason", "ticket 4711"],
    );
    verb(
        "adopt",
        &to,
        &["--cause", "replaced", "--reason", "ticket 4711"],
    );
}

//= R8.2
//= R8.4
//= U4
#[test]
fn an_enrolled_node_that_is_revoked_hears_since_when_by_whom_and_why_and_goes_on_with_new_keys() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let log_keys = Node::keys(&dir.join("node"), ORIGIN);
    let mut collector = Collector::start(dir, &log_keys);
    let node = Node::start(
        dir,
        "node",
        &street.contract(Contract::new(ORIGIN, "256KiB", 16)),
    );
    let (own, at) = (node.data().to_path_buf(), collector.dir().to_path_buf());
    let registrar = collector.key.clone();
    let papers = Papers {
        folder: dir,
        node: &own,
        collector: &at,
        registrar: &registrar,
    };
    enrol(&papers, &[]);
    node.stop();
    let node = delivering(dir, &street, &mut collector, 50);
    let key = [
        "--log-key",
        &log_keys[0],
        "--by",
        "grace",
        "--reason",
        "the machine was stolen",
    ];
    well(&papers.at_the_collector("revoke", &key, &[]));
    collector.leave();
    collector.come_back(&[]);
    hears(&node);
    // It is told once, however often the node tries again, and goes on recording.
    let size = number(&node.status(), "log_size");
    node.wait_for("log_size", size + 100);
    let cosigned = number(&node.status(), "cosigned_size");
    let data = node.stop();
    let told = about("log", &data, &["--kind", "event"]).entries();
    let is_it = |event: &&Value| event["detail"].to_string().contains("revoked here");
    assert_eq!(told.iter().filter(is_it).count(), 1, "{told:?}");
    given_new_keys(dir, &data);
    let node = Node::start(
        dir,
        "node",
        &street.contract(Contract::new(ORIGIN, "256KiB", 16)),
    );
    enrol(&papers, &["--new-keys"]);
    node.stop();
    let node = delivering(dir, &street, &mut collector, 50);
    assert!(cosigned >= 50 && text(&node.status()["uplink"], "state") == "reached");
    node.stop();
}
