//! How the node's command line speaks: what it refuses and why, what it says when all is well.

use crate::common::contract::Contract;
use crate::common::damage::Copy;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, about, fieldnotary, list, now, number, program, text};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const ORIGIN: &str = "example.org/manners";

/// That code, and all of these words on one of the two outputs.
fn check(said: &Said, code: i32, words: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing: {said:?}");
    }
    assert!(!all.contains("panicked"), "{said:?}");
}

fn verb(verb: &str, dir: &Path, more: &[&str]) -> Said {
    let words = [verb.as_ref(), dir.as_os_str()];
    fieldnotary(words.into_iter().chain(more.iter().map(AsRef::as_ref)))
}

/// A street and a contract that reads it into a small ring.
fn site(dir: &Path) -> (Street, Contract) {
    let street = Street::start(dir, 2);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 4));
    (street, contract)
}

#[test]
fn only_a_directory_that_is_certainly_one_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let node = Node::grow(dir.path(), "node", &contract, 20);
    std::fs::create_dir(dir.path().join("logs")).unwrap();
    std::fs::write(dir.path().join("logs/node.log"), "words\n").unwrap();
    let mut init = Command::new(program("fieldnotary-collector"));
    init.arg("init").arg("--dir").arg(dir.path().join("empty"));
    init.args(["--name", "collector.example.org", "--host", "127.0.0.1"]);
    crate::common::done(&mut init);
    Node::keys(&dir.path().join("fresh"), ORIGIN);
    let meant = node.display().to_string();
    for name in ["log", "verify", "gaps"] {
        let top = verb(name, dir.path(), &[]);
        check(&top, 3, &["neither a node's", "did you mean", &meant]);
        let inside = verb(name, &node.join("journal"), &[]);
        check(&inside, 3, &["did you mean", &meant]);
        for none in ["empty", "fresh"] {
            let said = verb(name, &dir.path().join(none), &[]);
            check(&said, 3, &["holds no log yet"]);
        }
        check(&verb(name, &node, &[]), 0, &[]);
    }
}

/// A line of the contract, what it becomes, and what the refusal says.
type Change = (&'static str, &'static str, &'static [&'static str]);

const CHANGES: [Change; 7] = [
    (
        "origin = \"example.org/manners\"",
        "origin = \"example.org/others\"",
        &[
            "node.toml:2:",
            "station.origin",
            "example.org/manners",
            "never changes",
        ],
    ),
    (
        "segment_size = \"256KiB\"",
        "segment_size = \"128KiB\"",
        &[
            "storage.segment_size",
            "131072 bytes",
            "262144 bytes",
            "keeps its measures",
        ],
    ),
    (
        "segments = 4",
        "segments = 8",
        &["storage.segments", "this is 8", "made with 4", "--data"],
    ),
    (
        "block = 4096",
        "block = 512",
        &["storage.block", "512 bytes", "4096 bytes"],
    ),
    (
        "block = 4096",
        "block = 4096\ntruth = \"independent\"",
        &["storage.truth", "`truth_dir` is missing"],
    ),
    (
        "block = 4096",
        "block = 4096\ntruth = \"independent\"\ntruth_dir = \"/dev/shm\"",
        &[
            "storage.truth",
            "\"independent\"",
            "made with \"same-device-sync\"",
        ],
    ),
    (
        "[seal]",
        "[uplink]\nurl = \"https://127.0.0.1:1\"\n\
         collector_key = \"collector.example.org+15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599\"\n\
         ca_file = \"/nonexistent/ca.pem\"\ncert_file = \"ring\"\nkey_file = \"ring\"\n\n[seal]",
        &[
            "uplink.ca_file",
            "/nonexistent/ca.pem",
            "uplink.cert_file",
            "issue",
        ],
    ),
];

#[test]
fn a_configuration_that_does_not_fit_the_directory_is_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let node = Node::grow(dir.path(), "node", &contract, 20);
    let before = everything(&node);
    let config = dir.path().join("node.toml");
    for (from, to, words) in CHANGES {
        let text = contract.toml();
        assert!(text.contains(from), "{from:?} is in {text}");
        std::fs::write(&config, text.replacen(from, to, 1)).unwrap();
        let data = [config.as_os_str(), "--data".as_ref(), node.as_os_str()];
        let run = fieldnotary(["run".as_ref()].into_iter().chain(data));
        check(&run, 3, words);
        assert_eq!(run.out, "", "what fails says so on standard error");
        let checked = fieldnotary(["check".as_ref()].into_iter().chain(data));
        check(&checked, 1, words);
        assert_eq!(everything(&node), before, "{to:?} changed the directory");
    }
}

/// Every file with its bytes.
fn everything(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

//= A5.9
#[test]
fn a_truth_store_is_independent_only_on_another_device() {
    let dir = tempfile::tempdir().unwrap();
    let medium = tempfile::tempdir_in("/dev/shm").unwrap();
    let (_street, contract) = site(dir.path());
    let data = dir.path().join("node");
    let config = dir.path().join("node.toml");
    let with = |place: &Path| {
        let place = place.display();
        let lines = format!("block = 4096\ntruth = \"independent\"\ntruth_dir = \"{place}\"");
        contract.toml().replacen("block = 4096", &lines, 1)
    };
    let run = || {
        let words = [
            "run".as_ref(),
            config.as_os_str(),
            "--data".as_ref(),
            data.as_os_str(),
        ];
        fieldnotary(words)
    };
    std::fs::write(&config, with(dir.path())).unwrap();
    check(&run(), 3, &["storage.truth_dir", "same device", "breaks"]);
    std::fs::write(&config, with(&dir.path().join("absent"))).unwrap();
    check(&run(), 3, &["storage.truth_dir", "cannot use", "mount"]);
    assert!(!data.exists(), "nothing is made for a node that cannot run");
    let device = |path: &Path| std::fs::metadata(path).unwrap().dev();
    if device(medium.path()) == device(dir.path()) {
        std::fs::write(&config, with(medium.path())).unwrap();
        check(&run(), 3, &["same device"]);
        return;
    }
    let data = Node::grow(dir.path(), "node", &Contract::of(with(medium.path())), 20);
    let verified = about("verify", &data, &[]);
    check(&verified, 0, &["independent"]);
    assert_eq!(std::fs::read_dir(medium.path()).unwrap().count(), 1);
    assert!(!data.join("journal/g000001/truth.fnt").exists());
}

//= A2.5
#[test]
fn a_node_says_when_it_is_ready_how_to_look_and_how_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("sealed_size", 10);
    let words = node.words();
    for word in [
        "ready      example.org/manners/g1",
        "log id     ",
        "vkey       example.org/manners+",
        "software keys",
        "port       rs485, RTU ",
        "schedule   often, every 100 ms",
        "collector  none",
        "look       fieldnotary status ",
        "stop       Ctrl-C",
    ] {
        assert!(words.contains(word), "{word:?} is missing:\n{words}");
    }
    assert!(words.lines().count() <= 20, "one screen:\n{words}");
    let status = crate::common::wait_until("answers of all meters", crate::common::READY, || {
        let status = node.status();
        let meters = list(&status, "meter_states");
        let all = meters.iter().all(|meter| meter["state"] == "answering");
        all.then_some(status)
    });
    assert_eq!(status["running"], true);
    assert_eq!(list(&status, "meter_states").len(), 2, "{status}");
    for meter in list(&status, "meter_states") {
        assert_eq!(text(meter, "state"), "answering", "{meter}");
        assert!(number(&meter["reading"], "age_ms") < 60_000, "{meter}");
    }
    for last in ["reading", "commit", "seal"] {
        assert!(
            status["last"][last]["timestamp"].is_string(),
            "{last}: {status}"
        );
    }
    assert!(number(&status["ring"], "used_bytes") > 0, "{status}");
    let screen = verb("status", node.data(), &[]);
    check(
        &screen,
        0,
        &[
            "example.org/manners/g1: running",
            "reading",
            "time status",
            "m01",
            "unsupported",
            "KiB",
        ],
    );
    let log = dir.path().join("node.log");
    let data = node.stop();
    let words = std::fs::read_to_string(log).unwrap();
    assert!(
        words.contains("stopping: last readings, last seal"),
        "{words}"
    );
    assert!(words.contains("stopped: "), "{words}");
    let stopped = about("status", &data, &[]);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert_eq!(stopped.json()["running"], false);
    assert!(number(&stopped.json(), "log_size") > 10);
    check(
        &verb("status", &data, &[]),
        1,
        &["NOT RUNNING, stopped orderly", "fieldnotary run"],
    );
}

#[test]
fn a_collector_out_of_reach_is_named_with_its_cause_and_keeps_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let (key, tls, address) = (
        collector.key.clone(),
        collector.tls.clone(),
        collector.address.clone(),
    );
    collector.stop();
    let node = Node::start(dir.path(), "node", &contract.uplink(&address, &key, &tls));
    node.wait_for("sealed_size", 10);
    let link = crate::common::wait_until("word of the link", crate::common::READY, || {
        let link = node.status()["uplink"].clone();
        (link["state"] == "down").then_some(link)
    });
    let cause = text(&link, "cause").to_lowercase();
    assert!(cause.contains("connection refused"), "{link}");
    assert!(cause.contains(&address), "{link}");
    let screen = verb("status", node.data(), &[]);
    check(
        &screen,
        0,
        &["NOT REACHED", "refused", "not cosigned", "given up"],
    );
    let began = now();
    node.stop();
    assert!(began.elapsed() < Duration::from_secs(8), "waited in vain");
}

#[test]
fn a_certificate_that_is_refused_is_named_with_who_refuses_it() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let other = Collector::start(elsewhere.path(), &keys);
    let uplink = contract.delivered_to(&collector);
    let (tls, others) = (
        collector.tls.display().to_string(),
        other.tls.display().to_string(),
    );
    let swapped = |name: &str, text: &str| {
        text.replace(&format!("{tls}/{name}"), &format!("{others}/{name}"))
    };
    let authority = swapped("ca.pem", uplink.toml());
    let client = swapped("node.pem", &swapped("node.key", uplink.toml()));
    for (text, says) in [
        (authority, "is not signed by the authority in `ca_file`"),
        (client, "this node's certificate in `cert_file`"),
    ] {
        let node = Node::start(dir.path(), "node", &Contract::of(text));
        let cause = crate::common::wait_until("a cause", crate::common::READY, || {
            let link = node.status()["uplink"].clone();
            let down = link["state"] == "down" && link["contacted_since_start"] == true;
            down.then(|| text_of(&link, "cause"))
        });
        assert!(cause.contains(says), "{cause}");
        node.stop();
    }
}

fn text_of(value: &serde_json::Value, key: &str) -> String {
    text(value, key).to_owned()
}

#[test]
fn the_log_speaks_in_words_with_units() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let node = Node::grow(dir.path(), "node", &contract, 60);
    let log = verb("log", &node, &[]);
    check(
        &log,
        0,
        &["example.org/manners: 2 ports, 2 meters", "every 100 ms"],
    );
    let energy = log
        .out
        .lines()
        .find(|line| line.contains("/energy "))
        .unwrap();
    assert!(energy.contains(" Wh, good"), "{energy}");
    let time = energy.split_whitespace().next().unwrap();
    assert_eq!(time.len(), "2026-01-01T00:00:00.000Z".len(), "{energy}");
    let rows = about("log", &node, &["--kind", "reading"]).json_lines();
    assert!(
        rows.iter().any(|row| row["unit"] == "Wh"),
        "{:?}",
        rows.first()
    );
    let configured = about("log", &node, &["--kind", "configuration"]).json_lines();
    assert_eq!(list(&configured[0]["content"], "meters").len(), 2);
    let unknown = verb("log", &node, &["--meter", "m99"]);
    check(&unknown, 1, &["no meter \"m99\"", "m01", "m02"]);
    assert_eq!(about("log", &node, &["--meter", "m99"]).out, "");
    check(
        &verb("log", &node, &["--kind", "probe"]),
        0,
        &["no entry is of kind"],
    );
}

#[test]
fn a_long_list_of_findings_is_counted_and_the_first_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let contract = contract.delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 600);
    let data = node.stop();
    let stored = collector.stop();
    check(&verb("verify", &stored, &[]), 0, &["VERIFIED"]);
    let copy = Copy::of(&stored);
    let log = std::fs::read_dir(copy.path().join("logs")).unwrap();
    let bundle = log.last().unwrap().unwrap().path().join("tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let short = verb("verify", copy.path(), &[]);
    check(
        &short,
        1,
        &[
            "NOT VERIFIED: ",
            "\nagainst    UNANCHORED",
            "count",
            "--all lists",
        ],
    );
    assert!(short.out.lines().count() < 24, "{}", short.out);
    let all = verb("verify", copy.path(), &["--all"]);
    assert!(
        all.out.lines().count() > short.out.lines().count(),
        "{}",
        all.out
    );
    // A key of somebody else: nothing is sealed, and nothing is said to hold.
    let other = Node::keys(&dir.path().join("other"), "example.org/somebody").remove(0);
    let wrong = verb("verify", &data, &["--anchor", &other]);
    check(&wrong, 1, &["sealed     none", "example.org/somebody"]);
    assert!(
        !wrong.out.contains("checkpoint that holds"),
        "{}",
        wrong.out
    );
}

#[test]
fn a_reader_that_leaves_ends_the_printing_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path());
    let node = Node::grow(dir.path(), "node", &contract, 400);
    for words in [
        &["log"][..],
        &["log", "--json"],
        &["verify"],
        &["verify", "--json"],
        &["gaps"],
        &["status"],
        &["--help"],
    ] {
        for look in [true, false] {
            let mut command = Command::new(program("fieldnotary"));
            command.args(words).arg(&node);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            if look {
                out.read_line(&mut String::new()).unwrap();
            }
            drop(out);
            let mut err = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut err)
                .unwrap();
            let code = child.wait().unwrap().code();
            assert_ne!(code, Some(101), "{words:?}: {err}");
            assert!(
                code.is_some() && !err.contains("panicked"),
                "{words:?}: {err}"
            );
        }
    }
}

#[test]
fn every_verb_tells_its_exit_codes() {
    check(
        &fieldnotary(["--help"]),
        0,
        &["Exit codes", "the answer is no"],
    );
    for verb in ["run", "check", "status", "log", "verify", "gaps"] {
        let said = fieldnotary([verb, "--help"]);
        check(&said, 0, &["Exit codes", "  0  ", "  2  ", "  3  "]);
    }
    check(
        &fieldnotary(["verify", "--help"]),
        0,
        &["fieldnotary-signer vkey"],
    );
}
