//! Blows against the processes of a running node, and what the node shows of them.

use super::{list, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Longer than any bound of the supervisor.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// Ends right after the start that are surely a crash loop.
const LOOP_MAX: usize = 10;

/// The process of a role; `None` while there is none.
pub(crate) fn process(data: &Path, role: &str) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("run/processes.json")).ok()?;
    let all: Value = serde_json::from_str(&text).ok()?;
    Pid::from_raw(i32::try_from(all[role].as_i64()?).ok()?)
}

pub(crate) fn running(data: &Path, role: &str) -> Pid {
    wait_until(role, PATIENCE, || process(data, role))
}

/// Another process of that role than this one.
pub(crate) fn successor(data: &Path, role: &str, of: Pid) -> Pid {
    let what = format!("successor of {role}");
    wait_until(&what, PATIENCE, || {
        process(data, role).filter(|pid| *pid != of)
    })
}

pub(crate) fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).unwrap();
}

/// Ends a process right after each of its starts, until this has come of it; how often.
pub(crate) fn crash_loop(data: &Path, role: &str, come: impl Fn() -> bool) -> usize {
    let mut pid = running(data, role);
    for turn in 1..=LOOP_MAX {
        signal(pid, Signal::KILL);
        let next = wait_until("what follows", PATIENCE, || {
            let next = process(data, role).filter(|next| *next != pid);
            (next.is_some() || come()).then_some(next)
        });
        let Some(next) = next else { return turn };
        pid = next;
    }
    panic!("{role} is not held back");
}

/// Whether the node holds a process back.
pub(crate) fn held_back(data: &Path, role: &str) -> bool {
    let text = std::fs::read_to_string(data.join("run/supervision.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let mut all = list(&all, "processes").iter();
    all.any(|process| process["role"] == role && process["state"] == "quarantined")
}
