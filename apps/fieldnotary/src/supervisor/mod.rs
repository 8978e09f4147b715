//! Starts, watches and restarts the processes of a node. Parses nothing from a wire.

mod child;
mod reports;
mod table;

use crate::clock;
use crate::paths::DataDir;
use child::{Change, Ending, Supervised};
use evidence::reasons::EventCode;
use reports::Reports;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the processes are looked after.
const LOOK_UP: Duration = Duration::from_millis(20);
/// How long the capturing process may take to end its sessions.
const IO_STOP: Duration = Duration::from_secs(5);
/// How long the last delivery may take before the node stops without it.
const DELIVERY: Duration = Duration::from_secs(10);
/// How long any process may take to end after it was asked to.
const END: Duration = Duration::from_secs(3);

/// Runs a node until it is told to stop.
pub(crate) fn run(config: &Path, data: &DataDir) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let mut processes: Vec<Supervised> = table::specs(config, data)?
        .into_iter()
        .map(Supervised::new)
        .collect();
    let reports = Reports::to(data.recorder_socket());
    while !stop.load(Ordering::Relaxed) {
        for process in &mut processes {
            tend(process, &reports)?;
        }
        write_pids(data, &processes)?;
        std::thread::sleep(LOOK_UP);
    }
    orderly_stop(data, &mut processes);
    Ok(())
}

fn tend(process: &mut Supervised, reports: &Reports) -> Result<(), String> {
    let role = process.role();
    match process.tend(clock::mono().0 / 1_000_000)? {
        Change::None => {}
        Change::Started { pid, restarts } => {
            reports.send(
                EventCode::ProcessStarted,
                role,
                restarts,
                format!("pid {pid}"),
            );
        }
        Change::Ended {
            pid,
            ending: Ending::Killed(signal),
        } => {
            eprintln!(
                "fieldnotary: {role} (pid {pid}) was ended by signal {signal}; restarting it"
            );
            let detail = format!("pid {pid}, signal {signal}");
            reports.send(EventCode::ProcessKilled, role, 1, detail);
        }
        Change::Ended {
            pid,
            ending: Ending::Exited(code),
        } => {
            eprintln!("fieldnotary: {role} (pid {pid}) left with code {code}; restarting it");
            let detail = format!("pid {pid}, exit code {code}");
            reports.send(EventCode::ProcessExited, role, 1, detail);
        }
    }
    Ok(())
}

/// Capture ends first, then the log is sealed and delivered, then everything else ends.
fn orderly_stop(data: &DataDir, processes: &mut [Supervised]) {
    end(processes, &["io"], IO_STOP);
    if let Some(sealed) = reports::stop_recorder(&data.recorder_socket()) {
        let deadline = clock::mono().plus_ns(nanoseconds(DELIVERY));
        while processes.iter().any(|process| process.role() == "uplink")
            && reports::cosigned_size(&data.recorder_socket()).is_some_and(|size| size < sealed)
            && clock::mono() < deadline
            && !crate::commands::delivery_is_hopeless(data)
        {
            std::thread::sleep(LOOK_UP);
        }
    }
    end(processes, &["uplink", "time"], END);
    end(processes, &["recorder"], END);
    end(processes, &["signer"], END);
    // What is left would be a lie: the node is no longer running.
    let _ = std::fs::remove_file(table::pid_file(data));
}

fn end(processes: &mut [Supervised], roles: &[&str], patience: Duration) {
    let mut ending: Vec<&mut Supervised> = processes
        .iter_mut()
        .filter(|process| roles.contains(&process.role()))
        .collect();
    for process in &ending {
        process.terminate();
    }
    let deadline = clock::mono().plus_ns(nanoseconds(patience));
    while ending.iter_mut().any(|process| !process.has_ended()) {
        if clock::mono() > deadline {
            for process in &ending {
                process.kill();
            }
            return;
        }
        std::thread::sleep(LOOK_UP);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Which process is which, for people and for tests that end one of them.
fn write_pids(data: &DataDir, processes: &[Supervised]) -> Result<(), String> {
    let mut pids = serde_json::Map::new();
    pids.insert("supervisor".to_owned(), json!(std::process::id()));
    for process in processes {
        pids.insert(process.role().to_owned(), json!(process.pid()));
    }
    let text = serde_json::Value::Object(pids).to_string();
    let path = table::pid_file(data);
    if std::fs::read_to_string(&path).is_ok_and(|current| current == text) {
        return Ok(());
    }
    let draft = path.with_extension("json.new");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, &path))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
