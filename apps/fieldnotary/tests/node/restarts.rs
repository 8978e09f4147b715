//! However a node or one of its processes ends, the log says so: the cause in the epoch, the cause in the
//! downtime, and no downtime where there are readings.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long a process that was ended may take to be gone.
const GONE: Duration = Duration::from_secs(20);
/// Several slots of the schedule.
const SLOTS: Duration = Duration::from_millis(700);
/// Entries that a ring of four small segments cannot hold.
const MORE_THAN_THE_RING: u64 = 1_000;
/// Readings of a run before it is ended.
const READINGS: u64 = 60;

/// The processes of a running node, by role.
fn processes(data: &Path) -> Vec<(String, i32)> {
    let text = std::fs::read_to_string(data.join("run/processes.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    // A process that waits for its restart has no number.
    let pid = |value: &Value| value.as_i64().map(|pid| i32::try_from(pid).unwrap());
    let all = all.as_object().unwrap().iter();
    all.filter_map(|(role, id)| Some((role.clone(), pid(id)?)))
        .collect()
}

fn process(data: &Path, role: &str) -> i32 {
    let all = processes(data);
    let found = all.iter().find(|(name, _)| name == role);
    found.unwrap_or_else(|| panic!("no {role} in {all:?}")).1
}

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Waits until a process runs no more; one that nobody waits for stays as a zombie.
fn gone(pid: i32) {
    wait_until("end of a process", GONE, || {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        let state = state.as_ref().and_then(|stat| stat.rsplit_once(") "));
        state
            .is_none_or(|(_, rest)| rest.starts_with('Z'))
            .then_some(())
    });
}

/// Ends the node, or what is named, and waits until nothing of the node runs.
pub(super) fn end(node: Node, how: &str) {
    let all = processes(node.data());
    match how {
        "stop" => drop(node.stop()),
        "kill supervisor" => signal(process(node.data(), "supervisor"), Signal::KILL),
        "kill all" => all.iter().for_each(|(_, pid)| signal(*pid, Signal::KILL)),
        other => panic!("{other}"),
    }
    all.iter().for_each(|(_, pid)| gone(*pid));
}

fn rows(data: &Path) -> Vec<Value> {
    about("log", data, &[]).json_lines()
}

fn of<'a>(rows: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    rows.iter().filter(move |row| row["kind"] == kind)
}

/// Version and number of a slot.
fn slot(row: &Value) -> (u64, u64) {
    let (version, number) = text(row, "slot").split_once(':').unwrap();
    (version.parse().unwrap(), number.parse().unwrap())
}

/// No downtime claims a slot that has a reading, and everything missing has its entry.
fn sound(data: &Path) {
    let rows = rows(data);
    for down in of(&rows, "downtime") {
        let (version, first) = slot(down);
        let slots = first..first + number(down, "count");
        for reading in of(&rows, "reading").filter(|row| row["source"] == down["source"]) {
            let (of_version, number) = slot(reading);
            let about = down["meter_id"].is_null() || down["meter_id"] == reading["meter_id"];
            assert!(
                !(about && of_version == version && slots.contains(&number)),
                "{down} claims a slot that has a reading: {reading}"
            );
        }
    }
    let said = about("gaps", data, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let gaps = said.json();
    assert_eq!(
        number(&gaps, "missing_explained"),
        number(&gaps, "missing_readings")
    );
    assert!(
        number(&gaps, "due") > 0 && number(&gaps, "duplicates") == 0,
        "{gaps}"
    );
    assert!(list(&gaps, "seq_findings").is_empty(), "{gaps}");
}

//= A4.3
//= A5.2
//= R10.5
#[test]
fn the_log_says_how_the_node_ended() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 3);
    let contract = street.contract(Contract::new("example.org/restarts", "1MiB", 8));
    let mut node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_path_buf();
    let cases = [
        ("kill all", "recovery", "node_restart"),
        ("stop", "orderly_start", "orderly_stop"),
        ("kill supervisor", "recovery", "node_restart"),
        ("stop", "orderly_start", "orderly_stop"),
        ("kill all", "recovery", "node_restart"),
    ];
    for (how, epoch, downtime) in cases {
        node.wait_for("readings", READINGS);
        let before = number(&node.status(), "log_size");
        end(node, how);
        std::thread::sleep(SLOTS);
        node = Node::start(dir.path(), "node", &contract);
        node.wait_for("readings", 1);
        let rows = rows(&data);
        let since: Vec<Value> = rows
            .into_iter()
            .filter(|row| number(row, "commit_id") >= before)
            .collect();
        let epochs: Vec<&str> = of(&since, "epoch").map(|row| text(row, "cause")).collect();
        assert_eq!(epochs, [epoch], "{how}");
        let down: Vec<&str> = of(&since, "downtime")
            .map(|row| text(row, "cause"))
            .collect();
        assert!(!down.is_empty(), "{how}: nothing was missed");
        assert!(
            down.iter().all(|cause| *cause == downtime),
            "{how}: {down:?}"
        );
    }
    node.stop();
    sound(&data);
}

//= A4.3
//= R10.5
#[test]
fn a_process_that_ends_alone_is_no_restart_of_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 3);
    let contract = street.contract(Contract::new("example.org/restarts", "1MiB", 8));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_path_buf();
    node.wait_for("readings", READINGS);
    let (kill, term) = (Signal::KILL, Signal::TERM);
    let blows = [
        ("io", kill),
        ("time", kill),
        ("signer", kill),
        ("recorder", kill),
        // Asked to end by somebody who is not the supervisor: orderly, and still no stop of the node.
        ("recorder", term),
        ("io", kill),
        ("io", term),
    ];
    for (role, blow) in blows {
        let before = process(&data, role);
        signal(before, blow);
        wait_until(&format!("new {role}"), GONE, || {
            let now = processes(&data).into_iter().find(|(name, _)| name == role);
            now.filter(|(_, pid)| *pid != before)
        });
        wait_until("status", GONE, || {
            (about("status", &data, &[]).code == Some(0)).then_some(())
        });
        let so_far = number(&node.status(), "log_size");
        node.wait_for("log_size", so_far + READINGS);
    }
    node.stop();
    let rows = rows(&data);
    let epochs: Vec<&str> = of(&rows, "epoch").map(|row| text(row, "cause")).collect();
    assert_eq!(epochs, ["first_start", "recovery", "orderly_start"]);
    for down in of(&rows, "downtime") {
        assert_eq!(text(down, "cause"), "process_restart", "{down}");
    }
    sound(&data);
}

/// The epoch's own entry is in no segment any more, and still nobody takes the node for restarted.
//= A4.3
//= A5.2
#[test]
fn the_cause_is_known_when_the_start_has_left_the_ring() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 3);
    let contract = street.contract(Contract::new("example.org/restarts", "64KiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_path_buf();
    node.wait_for("log_size", MORE_THAN_THE_RING);
    let before = process(&data, "recorder");
    signal(before, Signal::KILL);
    wait_until("new recorder", GONE, || {
        let now = processes(&data)
            .into_iter()
            .find(|(name, _)| name == "recorder");
        now.filter(|(_, pid)| *pid != before)
    });
    node.wait_for("readings", READINGS);
    node.stop();
    let rows = rows(&data);
    let first_reading = of(&rows, "reading")
        .next()
        .map(|row| number(row, "commit_id"));
    let start = of(&rows, "epoch")
        .next()
        .map(|row| number(row, "commit_id"));
    assert!(
        first_reading > start.map(|id| id + 100),
        "the start is still in a segment"
    );
    let epochs: Vec<&str> = of(&rows, "epoch").map(|row| text(row, "cause")).collect();
    assert_eq!(epochs, ["first_start", "recovery"], "the first is kept");
    for down in of(&rows, "downtime") {
        assert_eq!(text(down, "cause"), "process_restart", "{down}");
    }
}
