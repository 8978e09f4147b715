//! A whole node to which its collector, and others, offer the time. It needs root, for the network namespaces.

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, fieldnotary, wait_until};
use evidence::{MonoNs, SourceId, UtcNs};
use ipc::Channel;
use ipc::message::{ErrorCode, Hello, Message, TimeOffer};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use trial_clocks::{Rig, Side};

const ORIGIN: &str = "example.org/time-offered";
/// How long the collector's time may take to be offered: it is gathered for two seconds, every ten.
const OFFERED: Duration = Duration::from_secs(40);
/// The user that Debian's chronyd runs as.
const CHRONY_USER: &str = "_chrony";
const YEAR_NS: i64 = 365 * 86_400 * 1_000_000_000;

/// The newest event of this code and source.
fn event(data: &Path, code: &str, source: &str) -> Option<Value> {
    let all = about("log", data, &["--kind", "event"]).json_lines();
    let mut of_it = all.into_iter().rev();
    of_it.find(|row| row["code"] == code && row["source"] == source)
}

fn wait_for(node: &Node, code: &str, source: &str) -> Value {
    wait_until(&format!("{code} of {source}"), OFFERED, || {
        std::thread::sleep(Duration::from_millis(300));
        event(node.data(), code, source)
    })
}

/// What `time now` says of a sender.
fn verdict(data: &Path, from: &str) -> Option<String> {
    let data = data.to_string_lossy();
    let now = fieldnotary(["time", "now", &*data, "--json"]);
    let now = now.json();
    let mut all = now["offered"].as_array().unwrap().iter();
    let one = all.find(|one| one["from"] == from)?;
    Some(one["verdict"].as_str().unwrap().to_owned())
}

/// A process that has got into the node's user, as this role.
fn intruder(data: &Path, role: &str) -> Channel {
    let socket = data.join("run/recorder.sock");
    let channel = Channel::connect(&socket, Duration::from_secs(2)).unwrap();
    let hello = Hello {
        role: role.to_owned(),
        pid: std::process::id().into(),
        incarnation: 1,
    };
    let answer = channel.ask(&hello.into(), Duration::from_secs(5)).unwrap();
    assert!(matches!(answer, Message::Welcome(_)));
    channel
}

fn offer(from: &str, ahead_ns: i64) -> Message {
    let now = clocks::compare().sample;
    TimeOffer {
        submission_id: 1,
        from: SourceId::new(from).unwrap(),
        at: MonoNs(now.mono.0),
        utc: UtcNs(now.utc.0 + ahead_ns),
        uncertainty_ns: 1_000_000,
    }
    .into()
}

fn ask(channel: &Channel, message: &Message) -> Result<Message, ErrorCode> {
    match channel.ask(message, Duration::from_secs(5)) {
        Ok(answer) => Ok(answer),
        Err(ipc::IpcError::Peer { code, .. }) => Err(code),
        Err(error) => panic!("{error}"),
    }
}

//= R6.8
#[test]
fn the_collectors_time_is_refused_by_default_and_goes_to_chronyd_where_the_contract_trusts_it() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new().unwrap();
    let chrony = rig
        .chronyd_fed(CHRONY_USER, "refid FNTY poll 2 filter 1 delay 0.2")
        .unwrap();
    let street = Street::start(dir.path(), 1);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let contract = |time: &dyn Fn(Contract) -> Contract| {
        let contract = street.contract_every(Contract::new(ORIGIN, "1MiB", 8), "1s");
        time(contract.delivered_to(&collector))
    };

    // Nobody is trusted, not even where nothing is said of time at all.
    let node = Node::start(dir.path(), "node", &contract(&|contract| contract));
    let refused = wait_for(&node, "sync_request_refused", "head-end");
    assert_eq!(refused["time_cause"], "offer_untrusted", "{refused}");
    assert_eq!(
        verdict(node.data(), "head-end").as_deref(),
        Some("offer_untrusted")
    );
    let data = node.stop();
    assert_eq!(event(&data, "offer_taken", "head-end"), None);

    let (socket, refclock) = (&chrony.socket, &chrony.reference_clock);
    let trusting = contract(&|contract| {
        let time = [
            ("limit", "1s"),
            ("chrony", &*socket.to_string_lossy()),
            ("refclock", &*refclock.to_string_lossy()),
        ];
        contract
            .time(&time)
            .offered("head-end", &[("interval", "20s")])
            .offered("scada-1", &[])
    });
    let node = Node::start(dir.path(), "node", &trusting);
    wait_for(&node, "offer_taken", "head-end");
    assert_eq!(verdict(node.data(), "head-end").as_deref(), Some("taken"));
    // chronyd has it: its own client says so.
    wait_until("a sample at chronyd", OFFERED, || {
        std::thread::sleep(Duration::from_millis(300));
        let arguments = ["-h", &*socket.to_string_lossy(), "-n", "-c", "sources"];
        let sources = rig.run(Side::Follower, "chronyc", &arguments).unwrap();
        let line = sources.lines().find(|line| line.starts_with('#'))?;
        let reach = line.split(',').nth(5)?;
        (reach != "0").then_some(())
    });

    // Another sender is trusted too, and lies by years; somebody speaks in the head-end's name.
    let lies = intruder(node.data(), "scada-1");
    ask(&lies, &offer("scada-1", 3 * YEAR_NS)).unwrap();
    let refused = wait_for(&node, "sync_request_refused", "scada-1");
    assert_eq!(refused["time_cause"], "offer_too_far", "{refused}");
    let forged = ask(&lies, &offer("head-end", 0));
    assert_eq!(forged, Err(ErrorCode::NotAllowed));
    let entry = refused["commit_id"].to_string();
    let lies_in = node.data().to_string_lossy();
    let why = fieldnotary(["time", "why", &*lies_in, &entry]).out;
    assert!(why.contains("scada-1: refused (offer_too_far)"), "{why}");
    let data = node.stop();
    assert_eq!(event(&data, "time_step", "time"), None);
    assert_eq!(event(&data, "refclock_fault", "time"), None);
}

#[test]
fn a_chronyd_whose_folder_comes_after_the_node_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract_every(Contract::new(ORIGIN, "1MiB", 8), "1s");
    let socket = rig.path("chronyd-follower").join("command.sock");
    let contract = contract.time(&[("chrony", &*socket.to_string_lossy())]);
    Node::keys(&dir.path().join("node"), ORIGIN);
    let node = Node::start(dir.path(), "node", &contract);
    wait_for(&node, "time_source_fault", "time");
    let _master = rig.chronyd(Side::Master, "root").unwrap();
    let _chrony = rig.chronyd(Side::Follower, CHRONY_USER).unwrap();
    wait_for(&node, "sync_acquired", "time");
    let data = node.stop();
    // Once, and told.
    let ended = event(&data, "process_exited", "time").unwrap();
    assert_eq!(ended["count"], 1, "{ended}");
}
