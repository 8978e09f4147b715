//! `cargo xtask fuzz`: builds the targets of fuzz/ with coverage and runs each for a while.
//!
//! What cargo-fuzz would do, without needing it: libFuzzer is a crate, and the flags that make the
//! compiler report coverage are stable. No address sanitizer: no engine has unsafe code to sanitize.

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;
use crate::{run, setup};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What makes the compiler report coverage and comparisons to libFuzzer.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "--cfg",
    "fuzzing",
];

/// Targets that start from examples, and where those are.
const EXAMPLES: &[(&str, &str)] = &[
    ("chrony_reply", "fuzz/seeds/chrony_reply"),
    ("contract_file", "core/contract/example"),
    ("enrolment_paper", "fuzz/seeds/enrolment_paper"),
    ("io_asking", "fuzz/seeds/io_asking"),
    ("io_port", "fuzz/seeds/io_port"),
    ("journal_keep", "fuzz/seeds/journal_keep"),
    ("journal_salvage", "fuzz/seeds/journal_salvage"),
    ("lines_recording", "fuzz/seeds/lines_recording"),
    ("mbus_master", "fuzz/seeds/mbus_master"),
    ("mbus_records", "fuzz/seeds/mbus_records"),
    ("mbus_telegram", "fuzz/seeds/mbus_telegram"),
    ("modbus_listen", "fuzz/seeds/modbus_listen"),
    ("modbus_pdu", "fuzz/seeds/modbus_pdu"),
    ("modbus_rtu", "fuzz/seeds/modbus_rtu"),
    ("modbus_tcp", "fuzz/seeds/modbus_tcp"),
    ("modem_answer", "fuzz/seeds/modem_answer"),
    ("ptp_management", "fuzz/seeds/ptp_management"),
    ("release_file", "fuzz/seeds/release_file"),
    ("timestamp_token", "fuzz/seeds/timestamp_token"),
    ("tpm_response", "fuzz/seeds/tpm_response"),
    ("trust_answer", "fuzz/seeds/trust_answer"),
];

/// Longest input: above every bound of a message that the targets decode, so that bounds are met.
const INPUT_BYTES_MAX: u32 = 70_000;
/// Seconds after which one input counts as a hang.
const INPUT_SECONDS_MAX: u32 = 10;
/// Memory of one target.
const MEMORY_MIB_MAX: u32 = 1_024;

/// Runs all targets, or the one named, each for so many seconds.
pub(crate) fn fuzz(workspace: &Workspace, seconds: u32, only: Option<&str>) -> Outcome {
    setup::setup(workspace, setup::FOR_FUZZING)?;
    let targets = targets(&workspace.path("fuzz/fuzz_targets"))?;
    if let Some(name) = only
        && !targets.iter().any(|target| target == name)
    {
        return Err(Failure::new(format!(
            "there is no target `{name}`; there are {}",
            targets.join(", ")
        )));
    }
    let chosen: Vec<&String> = targets
        .iter()
        .filter(|target| only.is_none_or(|name| name == *target))
        .collect();
    let binaries = build(workspace, workspace.cargo(), only)?;
    let one = |target: &str| one(workspace, &binaries.join(target), target, seconds);
    // A target keeps one processor busy.
    std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            let mut mine = chosen.iter().skip(half).step_by(2);
            scope.spawn(move || mine.try_for_each(|target| one(target)))
        });
        halves.into_iter().try_for_each(|half| match half.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(format!(
        "{} targets, {seconds} s each, no finding",
        chosen.len()
    ))
}

/// Builds all targets with what the processor has left over.
pub(crate) fn build_aside(workspace: &Workspace) -> Result<(), Failure> {
    build(workspace, workspace.cargo_aside(), None).map(drop)
}

/// Every file of the folder is a target, named after it.
fn targets(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(folder)
        .map_err(|error| Failure::new(format!("fuzz/fuzz_targets: {error}")))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(Failure::new("fuzz/fuzz_targets has no target"));
    }
    Ok(names)
}

/// Builds and gives the folder of the binaries.
fn build(
    workspace: &Workspace,
    mut cargo: Command,
    only: Option<&str>,
) -> Result<PathBuf, Failure> {
    let host = run::output(
        Command::new("rustc")
            .arg("-vV")
            .current_dir(workspace.root()),
    )?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or_else(|| Failure::new("`rustc -vV` does not name the host"))?;
    let folder = workspace.target().join("fuzz");
    // With --target, build scripts and the C++ of libFuzzer are built without these flags.
    cargo
        .args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml"])
        .args(["--target", host, "--target-dir"])
        .arg(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    match only {
        Some(name) => cargo.args(["--bin", name]),
        None => cargo.arg("--bins"),
    };
    run::status(&mut cargo)?;
    Ok(folder.join(host).join("release"))
}

fn one(workspace: &Workspace, binary: &Path, name: &str, seconds: u32) -> Result<(), Failure> {
    let folder = |kind: &str| workspace.target().join("fuzz").join(kind).join(name);
    let (corpus, findings) = (folder("corpus"), folder("findings"));
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    let mut command = Command::new(binary);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg(&corpus)
        .env("RUST_BACKTRACE", "0");
    for (_, examples) in EXAMPLES.iter().filter(|(target, _)| *target == name) {
        command.arg(workspace.path(examples));
    }
    let (text, good) = run::captured(&mut command)?;
    if !good {
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.len().saturating_sub(40);
        let shown = lines.get(tail..).unwrap_or_default().join("\n");
        return Err(Failure::new(format!(
            "{shown}\nfuzz target {name} failed; the input is in {}",
            findings.display()
        )));
    }
    let done = text
        .lines()
        .find(|line| line.starts_with("Done "))
        .unwrap_or("done");
    println!("{name:<20} {done}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, targets};
    use std::path::Path;

    #[test]
    fn every_folder_of_seeds_is_a_targets_and_has_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let targets = targets(&root.join("fuzz/fuzz_targets")).expect("the targets are there");
        for (target, folder) in EXAMPLES {
            assert!(targets.iter().any(|one| one == target), "{target}");
            let files = std::fs::read_dir(root.join(folder)).expect("a folder of the tree");
            assert!(files.count() > 0, "{folder}");
        }
        let seeds = std::fs::read_dir(root.join("fuzz/seeds")).expect("a folder of the tree");
        for folder in seeds
            .filter_map(Result::ok)
            .filter(|one| one.path().is_dir())
        {
            let name = folder.file_name();
            let known = EXAMPLES.iter().any(|(target, _)| **target == *name);
            assert!(
                known,
                "{}: no target begins with these",
                folder.path().display()
            );
        }
    }
}
