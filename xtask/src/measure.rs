//! `cargo xtask measure`: what the demonstration costs, process by process, as rows for docs/measurements.md.

use crate::failure::{Failure, Outcome};
use crate::usage::{TICKS_PER_S, Usage, usage};
use crate::workspace::Workspace;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How often processes and recorder are asked.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Runs the demonstration for `seconds` and prints what it used.
pub(crate) fn measure(workspace: &Workspace, seconds: u32) -> Outcome {
    crate::demo::build_release(workspace)?;
    let folder = workspace.path("target/measure");
    let failed = |error| Failure::new(format!("target/measure: {error}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    let program = workspace.target().join("release/fieldnotary");
    let mut demo = Command::new(&program)
        .args(["demo", "--json", "--for", &format!("{seconds}s"), "--dir"])
        .arg(&folder)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(format!("the demo cannot be started: {error}")))?;
    let (usages, status) = watch(&mut demo, &program, &folder)?;
    let report = demo
        .wait_with_output()
        .map_err(|error| Failure::new(format!("the demo: {error}")))?;
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    print_processes(&usages, seconds);
    print_journal(&status);
    let verified = report
        .lines()
        .last()
        .is_some_and(|line| line.contains("\"verified\":true"));
    if verified {
        Ok("the run was verified".to_owned())
    } else {
        Err(Failure::new(format!("the run was not verified:\n{report}")))
    }
}

/// Samples until the demonstration ends; the last status of the recorder is kept.
fn watch(
    demo: &mut Child,
    program: &Path,
    folder: &Path,
) -> Result<(BTreeMap<String, Usage>, Value), Failure> {
    let mut by_pid: BTreeMap<u64, (String, Usage)> = BTreeMap::new();
    let mut status = Value::Null;
    loop {
        let ended = demo
            .try_wait()
            .map_err(|error| Failure::new(format!("the demo: {error}")))?;
        if ended.is_some() {
            break;
        }
        for (role, pid) in processes(folder, u64::from(demo.id())) {
            if let Some(usage) = usage(pid) {
                by_pid.insert(pid, (role, usage));
            }
        }
        let asked = Command::new(program)
            .args(["status", "--json"])
            .arg(folder.join("node"))
            .stderr(Stdio::null())
            .output();
        if let Ok(output) = asked
            && let Ok(found) = serde_json::from_slice(&output.stdout)
        {
            status = found;
        }
        sleep(SAMPLE_EVERY);
    }
    let mut by_role: BTreeMap<String, Usage> = BTreeMap::new();
    for (role, usage) in by_pid.into_values() {
        let sum = by_role.entry(role).or_default();
        sum.resident_kib_max = sum.resident_kib_max.max(usage.resident_kib_max);
        sum.cpu_ticks += usage.cpu_ticks;
    }
    Ok((by_role, status))
}

/// The node's processes from its own list, and the demonstration's other children by name.
fn processes(folder: &Path, demo: u64) -> Vec<(String, u64)> {
    let mut found = vec![("demo".to_owned(), demo)];
    if let Ok(text) = fs::read_to_string(folder.join("node/run/processes.json"))
        && let Ok(Value::Object(pids)) = serde_json::from_str(&text)
    {
        found.extend(
            pids.iter()
                .filter_map(|(role, pid)| Some((role.clone(), pid.as_u64()?))),
        );
    }
    let children = format!("/proc/{demo}/task/{demo}/children");
    for pid in fs::read_to_string(children)
        .unwrap_or_default()
        .split_whitespace()
    {
        let name = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        for role in ["collector", "street"] {
            if name.contains(&format!("fieldnotary-{role}"))
                && let Ok(pid) = pid.parse()
            {
                found.push((role.to_owned(), pid));
            }
        }
    }
    found
}

fn print_processes(usages: &BTreeMap<String, Usage>, seconds: u32) {
    println!("| process | peak resident MiB | CPU ms | CPU % of one core |");
    println!("| --- | ---: | ---: | ---: |");
    for (role, usage) in usages {
        let cpu_ms = usage.cpu_ticks * 1_000 / TICKS_PER_S;
        let permille = cpu_ms / u64::from(seconds.max(1));
        println!(
            "| {role} | {}.{} | {cpu_ms} | {}.{} |",
            usage.resident_kib_max / 1_024,
            usage.resident_kib_max % 1_024 * 10 / 1_024,
            permille / 10,
            permille % 10
        );
    }
}

fn print_journal(status: &Value) {
    let number = |path: &str| status.pointer(path).and_then(Value::as_u64);
    let ratio = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) if b > 0 => format!("{}.{:02}", a / b, a % b * 100 / b),
        _ => "-".to_owned(),
    };
    let commits = number("/journal/commits");
    let readings = number("/readings");
    println!("\n| figure (since the last start of the recorder) | value |\n| --- | ---: |");
    for (name, value) in [
        (
            "group commits",
            number("/journal/commits").map_or("-".into(), |n| n.to_string()),
        ),
        (
            "entries per commit",
            ratio(number("/journal/entries"), commits),
        ),
        (
            "flushes of the volume per commit",
            ratio(number("/journal/volume_flushes"), commits),
        ),
        (
            "flushes of the truth store per commit",
            ratio(number("/journal/truth_flushes"), commits),
        ),
        (
            "frame bytes per encoded byte",
            ratio(
                number("/journal/frame_bytes"),
                number("/journal/payload_bytes"),
            ),
        ),
        (
            "frame bytes on the volume per reading",
            ratio(number("/journal/frame_bytes"), readings),
        ),
    ] {
        println!("| {name} | {value} |");
    }
    for span in ["capture_to_durable_ns", "capture_to_cosigned_ns"] {
        for percentile in ["p50", "p99"] {
            let us = number(&format!("/{span}/{percentile}")).map(|ns| ns / 1_000);
            let name = span.replace("_ns", "").replace('_', " ");
            println!("| {name}, {percentile}, ms | {} |", ratio(us, Some(1_000)));
        }
    }
}
