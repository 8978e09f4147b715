//! How long a commit takes while something else fails, beside an idle node of the same run.
//!
//! `FIELDNOTARY_LATENCY_S` seconds for each row; short by default, when only the going on is looked at.

use crate::common::blows::{crash_loop, process, running};
use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{length, list, now, number};
use rustix::process::{Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

const ORIGIN: &str = "example.org/latency";
/// How often a blow is struck again.
const EVERY: Duration = Duration::from_millis(100);

/// What is done all the while.
#[derive(Clone, Copy)]
enum Blow {
    Nothing,
    Stop(&'static str),
    Kill(&'static str),
    Starve(&'static str),
    Deaf,
}

const ROWS: &[(&str, Blow)] = &[
    ("idle", Blow::Nothing),
    ("uplink hangs", Blow::Stop("uplink")),
    ("uplink crash-loops", Blow::Kill("uplink")),
    ("uplink without memory", Blow::Starve("uplink")),
    ("signer hangs", Blow::Stop("signer")),
    ("signer crash-loops", Blow::Kill("signer")),
    ("collector accepts, never answers", Blow::Deaf),
    ("idle", Blow::Nothing),
    ("one io port crash-loops", Blow::Kill("io/rs485")),
    ("one io port hangs", Blow::Stop("io/rs485")),
    ("idle", Blow::Nothing),
];

fn strike(data: &Path, blow: Blow) {
    let (Blow::Stop(role) | Blow::Kill(role) | Blow::Starve(role)) = blow else {
        return;
    };
    let Some(pid) = process(data, role) else {
        return;
    };
    let none = Rlimit {
        current: Some(1 << 20),
        maximum: Some(1 << 20),
    };
    let struck = match blow {
        Blow::Stop(_) => kill_process(pid, Signal::STOP),
        Blow::Starve(_) => prlimit(Some(pid), Resource::As, none).map(drop),
        Blow::Kill(_) | Blow::Nothing | Blow::Deaf => kill_process(pid, Signal::KILL),
    };
    // It may have ended meanwhile: then there was nothing to strike.
    let _ = struck;
}

fn counter(status: &Value, name: &str) -> u64 {
    let mut all = list(status, "counters").iter();
    let found = all.find(|counter| counter["name"] == name);
    found.map_or(0, |counter| number(counter, "value"))
}

/// Commits, and their p50 and p99, of a node that is struck all the while.
fn row(dir: &Path, street: &Street, blow: Blow, span: Duration) -> (u64, u64, u64) {
    let keys = Node::keys(&dir.join("node"), ORIGIN);
    let collector = Collector::start(dir, &keys);
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = match blow {
        Blow::Deaf => deaf.local_addr().unwrap().to_string(),
        _ => collector.address.clone(),
    };
    let contract = street
        .contract_every(Contract::new(ORIGIN, "4MiB", 8), "100ms")
        .uplink(&address, &collector.key, &collector.tls);
    let node = Node::start(dir, "node", &contract);
    if matches!(blow, Blow::Kill(role) | Blow::Stop(role) if role.starts_with("io/")) {
        crash_loop(node.data(), "io", || {
            process(node.data(), "io/tcp").is_some()
        });
        running(node.data(), "io/tcp");
    }
    node.wait_for("readings", 60);
    let before = number(&node.status()["journal"], "commits");
    let began = now();
    while began.elapsed() < span {
        strike(node.data(), blow);
        std::thread::sleep(EVERY);
    }
    let status = node.status();
    let commits = number(&status["journal"], "commits") - before;
    let [p50, p99] =
        ["commit_latency_p50", "commit_latency_p99"].map(|name| counter(&status, name));
    node.stop();
    collector.stop();
    (commits, p50, p99)
}

//= A2.4
//= A5.5
#[test]
fn commits_go_on_whatever_else_fails() {
    let seconds = length("FIELDNOTARY_LATENCY_S", 2);
    let span = Duration::from_secs(u64::try_from(seconds).unwrap());
    let site = tempfile::tempdir().unwrap();
    let street = Street::start(site.path(), 4);
    println!("| what fails | commits | commit p50 us | p99 us | p99 against the slowest idle |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let rows: Vec<_> = ROWS
        .iter()
        .map(|(name, blow)| {
            let dir = tempfile::tempdir().unwrap();
            let row = row(dir.path(), &street, *blow, span);
            assert!(row.0 > 10, "{name}: {} commits in {seconds} s", row.0);
            (name, row)
        })
        .collect();
    let idle = rows.iter().filter(|(name, _)| **name == "idle");
    let idle = idle.map(|(_, (_, _, p99))| *p99).max().unwrap().max(1);
    for (name, (commits, p50, p99)) in rows {
        let ratio = p99 * 100 / idle;
        let (p50, p99) = (p50 / 1_000, p99 / 1_000);
        println!(
            "| {name} | {commits} | {p50} | {p99} | {}.{:02} |",
            ratio / 100,
            ratio % 100
        );
    }
    street.stop();
}
