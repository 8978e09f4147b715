//! What fails takes only itself down: hangs, loops and floods of one process, a collector that never
//! answers, and resets without end; the others' data is whole, and the log says what happened.

use crate::common::blows::{PATIENCE, crash_loop, held_back, process, running, signal, successor};
use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, fieldnotary, list, now, number, text, wait_until};
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/containment";
/// Readings that show that a node is at work.
const READINGS: u64 = 60;
/// Starts in a row that do not last, and are a storm.
const RESETS: usize = 5;
const METERS: &[&str] = &["m01", "m02", "m03", "m04"];
const METERS_ON_TCP: &[&str] = &["m02", "m04"];

fn contract(street: &Street) -> Contract {
    street.contract_every(Contract::new(ORIGIN, "1MiB", 8), "500ms")
}

/// What the node shows of one process.
fn shown(node: &Node, role: &str) -> Value {
    let status = node.status();
    let all = list(&status, "processes").iter();
    let found = all.clone().find(|process| process["role"] == role);
    found
        .unwrap_or_else(|| panic!("no {role} in {status}"))
        .clone()
}

fn events(data: &Path, code: &str) -> Vec<Value> {
    let rows = about("log", data, &["--kind", "event"]).json_lines();
    rows.into_iter().filter(|row| row["code"] == code).collect()
}

/// An event of that code about that source, with these words in it.
fn has_event(data: &Path, code: &str, source: &str, words: &str) {
    let found = events(data, code);
    assert!(
        found.iter().any(|event| {
            event["source"] == source && event["detail"].as_str().unwrap_or("").contains(words)
        }),
        "no {code} of {source} with {words:?} in {found:#?}"
    );
}

/// Waits until every port is at work; the time of the newest reading.
fn at_work(node: &Node) -> String {
    // A serial line that was just opened is silent first, while the others are read.
    let so_far = number(&node.status(), "readings");
    node.wait_for("readings", so_far + 2 * READINGS);
    let readings = about("log", node.data(), &["--kind", "reading"]).json_lines();
    text(readings.last().unwrap(), "timestamp").to_owned()
}

/// A site that reads and delivers.
struct Site {
    street: Street,
    collector: Collector,
    node: Node,
    data: PathBuf,
    /// When every port was at work.
    from: String,
}

fn site(dir: &Path) -> Site {
    let street = Street::start(dir, 4);
    let keys = Node::keys(&dir.join("node"), ORIGIN);
    let collector = Collector::start(dir, &keys);
    let contract = contract(&street).delivered_to(&collector);
    let node = Node::start(dir, "node", &contract);
    Site {
        from: at_work(&node),
        data: node.data().to_path_buf(),
        street,
        collector,
        node,
    }
}

/// From then until the stop nothing of these meters is missing, and of the others nothing unexplained.
fn complete_since(data: &Path, from: &str, meters: &[&str]) {
    let said = about("gaps", data, &["--from", from]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let gaps = said.json();
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
    assert!(number(&gaps, "due") > 0, "{gaps}");
    for range in list(&gaps, "missing") {
        // Sessions that the stop itself ended, and what was due since.
        let stopped = range["cause"] == "stopped" || range["cause"] == "orderly_stop";
        let open = range["class"] == "OPEN" || range["class"] == "UPLINK_GAP";
        let meter = text(range, "meter_id");
        assert!(
            stopped || open || !meters.contains(&meter),
            "{meter} misses readings: {range}"
        );
    }
    assert_eq!(about("gaps", data, &[]).code, Some(0), "all is explained");
}

//= A2.4
//= R10.2
#[test]
fn who_hangs_is_ended_and_started_again_and_nothing_of_the_others_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let Site {
        street,
        collector,
        node,
        data,
        from,
    } = site(dir.path());
    let roles = ["uplink", "signer", "time"];
    let before = roles.map(|role| running(&data, role));
    before.iter().for_each(|pid| signal(*pid, Signal::STOP));
    for (role, pid) in roles.iter().zip(before) {
        successor(&data, role, pid);
    }
    // Delivery goes on where it was.
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size);
    for role in roles {
        assert_eq!(number(&shown(&node, role), "restarts"), 1, "{role}");
        has_event(&data, "process_hung", role, "no sign of life for 1");
    }
    for role in ["recorder", "io"] {
        assert_eq!(number(&shown(&node, role), "restarts"), 0, "{role}");
    }
    node.stop();
    complete_since(&data, &from, METERS);
    collector.stop();
    street.stop();
}

//= A2.4
//= R10.5
#[test]
fn who_ends_again_and_again_is_held_back_and_nothing_of_the_others_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let Site {
        street,
        collector,
        node,
        data,
        from,
    } = site(dir.path());
    let ends = ["uplink", "signer"].map(|role| crash_loop(&data, role, || held_back(&data, role)));
    let so_far = number(&node.status(), "readings");
    node.wait_for("readings", so_far + READINGS);
    // After the cool-down each is tried again, and delivers.
    running(&data, "signer");
    running(&data, "uplink");
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size);
    node.stop();
    for role in ["uplink", "signer"] {
        has_event(&data, "process_killed", role, "signal 9");
        has_event(
            &data,
            "process_quarantined",
            role,
            "held back for 15 s, last: signal 9",
        );
        has_event(&data, "process_released", role, "");
    }
    complete_since(&data, &from, METERS);
    let ledger = std::fs::read_to_string(data.join("supervisor/restarts.json")).unwrap();
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    assert_eq!(ledger["totals"]["uplink"], ends[0], "{ledger}");
    assert_eq!(list(&ledger, "starts")[0]["ended"], "orderly");
    collector.stop();
    street.stop();
}

//= R10.5
#[test]
fn one_port_is_held_back_alone() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let node = Node::start(dir.path(), "node", &contract(&street));
    let data = node.data().to_path_buf();
    node.wait_for("readings", READINGS);
    crash_loop(&data, "io", || process(&data, "io/tcp").is_some());
    // Each port has a process of its own now.
    let tcp = running(&data, "io/tcp");
    running(&data, "io/rs485");
    let from = at_work(&node);
    crash_loop(&data, "io/rs485", || held_back(&data, "io/rs485"));
    let so_far = number(&node.status(), "readings");
    node.wait_for("readings", so_far + READINGS);
    assert_eq!(
        process(&data, "io/tcp"),
        Some(tcp),
        "the other port goes on"
    );
    assert_eq!(number(&shown(&node, "io/tcp"), "restarts"), 0);
    running(&data, "io/rs485");
    node.stop();
    has_event(&data, "ports_separated", "io", "signal 9");
    has_event(
        &data,
        "process_quarantined",
        "io/rs485",
        "held back for 15 s",
    );
    complete_since(&data, &from, METERS_ON_TCP);
    street.stop();
}

//= R10.4
#[test]
fn who_runs_out_of_memory_takes_nobody_along() {
    let dir = tempfile::tempdir().unwrap();
    let Site {
        street,
        collector,
        node,
        data,
        from,
    } = site(dir.path());
    let pid = running(&data, "uplink");
    let none = Rlimit {
        current: Some(1 << 20),
        maximum: Some(1 << 20),
    };
    prlimit(Some(pid), Resource::As, none).unwrap();
    successor(&data, "uplink", pid);
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size);
    node.stop();
    has_event(&data, "process_killed", "uplink", "signal");
    complete_since(&data, &from, METERS);
    collector.stop();
    street.stop();
}

//= A2.4
#[test]
fn a_collector_that_accepts_and_never_answers_costs_nothing_but_delivery() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let contract = contract(&street).uplink(&address, &collector.key, &collector.tls);
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_path_buf();
    let from = at_work(&node);
    // Far beyond the bound of silence: a request that is under way is no hang.
    let began = now();
    while began.elapsed() < Duration::from_secs(25) {
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(number(&shown(&node, "uplink"), "restarts"), 0);
    }
    assert!(number(&node.status(), "readings") > READINGS);
    node.stop();
    has_event(&data, "uplink_down", "uplink", "time");
    complete_since(&data, &from, METERS);
    collector.stop();
    street.stop();
}

//= R10.2
//= R9.5
#[test]
fn a_storm_of_resets_ends_in_safe_mode_until_somebody_says_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = contract(&street);
    let data = dir.path().join("node");
    for _ in 0..RESETS {
        let node = Node::start(dir.path(), "node", &contract);
        let all = ["recorder", "signer", "time", "io"].map(|role| running(&data, role));
        signal(running(&data, "supervisor"), Signal::KILL);
        for pid in all {
            wait_until("end", PATIENCE, || {
                rustix::process::test_kill_process(pid)
                    .is_err()
                    .then_some(())
            });
        }
        drop(node);
    }
    // Also after an orderly stop: nobody has said that it may leave it.
    for _ in 0..2 {
        let node = Node::start(dir.path(), "node", &contract);
        let status = node.status();
        assert!(
            text(&status["safe_mode"], "why").contains("in a row"),
            "{status}"
        );
        let roles: Vec<&str> = list(&status, "processes")
            .iter()
            .map(|one| text(one, "role"))
            .collect();
        assert_eq!(roles, ["signer", "recorder", "time"]);
        let screen = fieldnotary(["status".as_ref(), data.as_os_str()]).out;
        assert!(screen.contains("SAFE MODE"), "{screen}");
        node.wait_for("sealed_size", number(&status, "log_size"));
        assert_eq!(number(&node.status(), "readings"), 0);
        node.stop();
    }
    has_event(
        &data,
        "safe_mode_entered",
        "supervisor",
        "io and uplink do not run",
    );
    let words = ["--leave-safe-mode", "--reason", "the supply was replaced"];
    let node = Node::start_with(dir.path(), "node", &contract, &words);
    node.wait_for("readings", READINGS);
    assert!(node.status()["safe_mode"].is_null());
    node.stop();
    has_event(
        &data,
        "safe_mode_left",
        "supervisor",
        "the supply was replaced",
    );
    let audits = about("log", &data, &["--kind", "audit"]).json_lines();
    assert!(
        audits.iter().any(|audit| {
            audit["action"] == "leave safe mode" && audit["reason"] == "the supply was replaced"
        }),
        "{audits:?}"
    );
    let gaps = about("gaps", &data, &[]);
    assert_eq!(gaps.code, Some(0), "all is explained");
    // What passed in safe mode, where anything was captured before, is not blamed on the stop that ended it.
    assert!(!gaps.out.contains("orderly_stop"), "{gaps:?}");
    street.stop();
}

//= R10.4
#[test]
fn who_asks_the_recorder_for_too_much_waits_and_the_log_says_so() {
    use ipc::message::{Hello, Message, SealedHead};
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let node = Node::start(dir.path(), "node", &contract(&street));
    let data = node.data().to_path_buf();
    let from = at_work(&node);
    let channel = ipc::Channel::connect(&data.join("run/recorder.sock"), PATIENCE).unwrap();
    let hello = Hello {
        role: "io/flood".to_owned(),
        pid: 1,
        incarnation: 1,
    };
    channel.ask(&hello.into(), PATIENCE).unwrap();
    let ask = || {
        let answer = channel.ask(&SealedHead {}.into(), PATIENCE).unwrap();
        assert!(matches!(answer, Message::Head(_)), "{answer:?}");
    };
    // Reckoned from the first: on a slow machine the allowance grows while the burst is still being asked.
    let began = now();
    (0..8_492).for_each(|_| ask());
    assert!(
        began.elapsed() > Duration::from_secs(2),
        "300 requests more than the burst took {:?}",
        began.elapsed()
    );
    node.stop();
    has_event(&data, "process_throttled", "flood", "requests a second");
    complete_since(&data, &from, METERS);
    street.stop();
}

//= A2.4
#[test]
fn the_log_and_the_screen_say_how_every_process_is_confined() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let node = Node::start(dir.path(), "node", &contract(&street));
    let data = node.data().to_path_buf();
    node.wait_for("readings", READINGS);
    let screen = fieldnotary(["status".as_ref(), data.as_os_str()]).out;
    for role in ["signer", "recorder", "time", "io"] {
        let confined = &shown(&node, role)["confined_by"];
        let by = |measure| {
            confined
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one == measure)
        };
        assert!(by("quotas") && by("calls"), "{role}: {confined}");
        assert!(
            screen
                .lines()
                .any(|line| line.starts_with(role) && line.contains("respect")),
            "{screen}"
        );
    }
    node.stop();
    for role in ["signer", "recorder", "time", "io"] {
        has_event(&data, "process_confined", role, "quotas");
    }
    street.stop();
}
