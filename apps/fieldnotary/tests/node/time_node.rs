//! A whole node whose time comes from real daemons: what its stamps claim while their source is there,
//! while it is not, and when it is back. It needs root, for the network namespaces.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, length, list, now, wait_until};
use jiff::Timestamp;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use trial_clocks::{Chrony, Ptp, Rig, Side};

const ORIGIN: &str = "example.org/time-node";
/// How long a follower may take to choose its master, and a node to believe it.
pub(super) const SYNCED: Duration = Duration::from_secs(40);
/// How long a node may take to say that a source is gone: its measurements are fresh for a second.
const LOST: Duration = Duration::from_secs(10);
/// What a look at the sources may come late by.
const LOOK: Duration = Duration::from_millis(400);
/// How long ago a correction is that was just made, in seconds: chronyd polls once a second, and corrects by the sample
/// of the poll before.
const CORRECTED_S: f64 = 1.5;
/// The user that Debian's chronyd runs as.
const CHRONY_USER: &str = "_chrony";
/// The site's limit, which the contract says as well.
const LIMIT_NS: u64 = 1_000_000;

/// The daemons of both sides.
pub(super) struct Daemons {
    master: Ptp,
    follower: Ptp,
    server: Chrony,
    client: Chrony,
    rig: Rig,
}

impl Daemons {
    pub(super) fn start() -> Self {
        let rig = Rig::new().unwrap();
        Self {
            master: rig.ptp4l(Side::Master, &[]).unwrap(),
            follower: rig.ptp4l(Side::Follower, &[]).unwrap(),
            server: rig.chronyd(Side::Master, "root").unwrap(),
            client: rig.chronyd(Side::Follower, CHRONY_USER).unwrap(),
            rig,
        }
    }

    /// The sources of time all stop, or go on.
    fn freeze(&self) {
        self.master.process.freeze().unwrap();
        self.server.process.freeze().unwrap();
    }

    /// Waits until chronyd has just corrected its clock: on a busy machine it refuses samples for a while, and a source
    /// that falls silent then is not why the clock is lost.
    fn wait_for_a_correction(&self) {
        let socket = self.client.socket.to_string_lossy();
        let tracking = ["-h", &socket, "-n", "-c", "tracking"];
        wait_until("a correction by chronyd", SYNCED, || {
            let said = self.rig.run(Side::Follower, "chronyc", &tracking).unwrap();
            let at: f64 = said.split(',').nth(3)?.parse().ok()?;
            let age_s = Timestamp::now().as_duration().as_secs_f64() - at;
            (age_s < CORRECTED_S).then_some(())
        });
    }

    fn thaw(&self) {
        self.master.process.thaw().unwrap();
        self.server.process.thaw().unwrap();
    }

    pub(super) fn contract(&self, contract: Contract) -> Contract {
        contract.time(&[
            ("limit", "1ms"),
            ("ptp", &self.follower.socket.to_string_lossy()),
            ("ptp_mode", "free-running"),
            ("chrony", &self.client.socket.to_string_lossy()),
        ])
    }
}

fn rows(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

/// The first event of this code behind the entry.
fn event(data: &Path, code: &str, behind: u64) -> Option<Value> {
    let all = rows(data, "event");
    let mut later = all
        .into_iter()
        .filter(|row| row["commit_id"].as_u64() > Some(behind));
    later.find(|row| row["code"] == code)
}

/// Waits for the event, and gives it.
fn wait_for(node: &Node, daemons: &Daemons, code: &str, behind: u64, patience: Duration) -> Value {
    let mut found = None;
    let what = format!(
        "{code}: {:?}\n{}",
        rows(node.data(), "event"),
        daemons.rig.log("ptp4l-follower")
    );
    wait_until(&what, patience, || {
        std::thread::sleep(Duration::from_millis(200));
        found = event(node.data(), code, behind);
        found.clone()
    })
}

fn id(row: &Value) -> u64 {
    row["commit_id"].as_u64().unwrap()
}

/// When it was captured: the log's order is that of commitment, where a reading may overtake an event.
fn captured(row: &Value) -> Timestamp {
    row["timestamp"].as_str().unwrap().parse().unwrap()
}

/// The readings captured between two entries, at least five.
fn readings(data: &Path, from: &Value, to: &Value) -> Vec<Value> {
    let mut between = rows(data, "reading");
    between.retain(|row| (captured(from)..captured(to)).contains(&captured(row)));
    assert!(
        between.len() >= 5,
        "{} readings between {from} and {to}",
        between.len()
    );
    between
}

/// What the time process has used of a processor so far, in hundredths of a second.
fn used_cs(data: &Path) -> u64 {
    let text = std::fs::read_to_string(data.join("run/processes.json")).unwrap();
    let pid = serde_json::from_str::<Value>(&text).unwrap()["time"].clone();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name: state is the first, time in user mode the twelfth, in the kernel the thirteenth.
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = rest.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

//= A8.2
//= A8.3
//= A8.4
//= R7.1
//= R7.2
//= R11.3
#[test]
fn readings_are_synced_while_the_source_is_there_and_in_holdover_while_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let daemons = Daemons::start();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract_every(Contract::new(ORIGIN, "1MiB", 8), "200ms");
    Node::keys(&dir.path().join("node"), ORIGIN);
    let node = Node::start(dir.path(), "node", &daemons.contract(contract));

    let acquired = wait_for(&node, &daemons, "sync_acquired", 0, SYNCED);
    std::thread::sleep(Duration::from_secs(3));
    daemons.wait_for_a_correction();
    daemons.freeze();
    let lost = wait_for(&node, &daemons, "sync_lost", id(&acquired), LOST);
    // ptp4l's measurement is good for a second, chronyd's for five of its polls: it held the clock last.
    // On a busy machine it may have refused noisy samples already: the matrix of faults names causes one by one.
    let cause = lost["time_cause"].as_str().unwrap();
    assert!(
        ["source_silent", "samples_refused"].contains(&cause),
        "{lost}"
    );
    for reading in readings(node.data(), &acquired, &lost) {
        // A claim runs out by itself, and the next look says so.
        let ended = captured(&reading) + LOOK > captured(&lost);
        let quality = reading["time_quality"].as_str().unwrap();
        assert!(quality == "SYNCED" || ended, "{reading}\n{lost}");
        let bound_ns = reading["time_bound_ns"].as_u64().unwrap();
        assert!((1..=LIMIT_NS).contains(&bound_ns), "{reading}");
    }

    std::thread::sleep(Duration::from_secs(3));
    daemons.thaw();
    let ended = wait_for(&node, &daemons, "holdover_ended", id(&lost), SYNCED);
    let held = readings(node.data(), &lost, &ended);
    let bounds: Vec<u64> = held
        .iter()
        .map(|row| row["time_bound_ns"].as_u64().unwrap())
        .collect();
    assert!(
        held.iter().all(|row| row["time_quality"] == "HOLDOVER"),
        "{held:?}"
    );
    // Until measurements come again, from which it shrinks.
    assert!(
        bounds.iter().max() > bounds.first(),
        "the bound grows: {bounds:?}"
    );
    let watched_s = u64::try_from(length("FIELDNOTARY_TIME_NODE_S", 2)).unwrap();
    let (before_cs, began) = (used_cs(node.data()), now());
    std::thread::sleep(Duration::from_secs(watched_s));
    let used_cs = used_cs(node.data()) - before_cs;
    println!(
        "the time process: {used_cs}0 ms of a processor in {} ms",
        began.elapsed().as_millis()
    );
    // What came and went is no step, and each counts under its own name.
    let status = node.status();
    let counter = |name: &str| {
        let found = list(&status, "counters")
            .iter()
            .find(|of| of["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {status}"))["value"].clone()
    };
    assert_eq!(counter("step_adjust_cnt"), 0);
    assert_eq!(counter("sync_acquired_cnt"), 2);
    assert_eq!(counter("sync_lost_cnt"), 1);
    assert_eq!(counter("holdover_enter_cnt"), 1);
    assert!(counter("holdover_duration").as_u64() >= Some(3));
    assert!(counter("last_sync_age").as_u64() <= Some(1));
    // What ptp4l shows stands beside them: it measures alone, so its servo holds nothing.
    assert_eq!(counter("servo_lock"), 0);
    assert_eq!(counter("hw_timestamping"), 0);
    assert_eq!(counter("domain"), 0);
    assert!(counter("jitter").as_u64() < Some(1_000_000));
    assert!(counter("path_delay").as_u64() < Some(1_000_000));
    assert!(counter("osc_quality").as_u64() > Some(0));
    let data = node.stop();
    let again = rows(&data, "reading");
    // It spoke all the time.
    let silent = |row: &&Value| row["holdover_reason"] == "time_plane_silent";
    assert_eq!(again.iter().find(silent), None);
    assert_eq!(again.last().unwrap()["time_quality"], "SYNCED");
    // The supervisor restarted nobody for it, and no clock was stepped.
    assert_eq!(event(&data, "time_step", 0), None);
}
