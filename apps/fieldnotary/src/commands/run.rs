//! `fieldnotary run`: prepares the data directory, then supervises.

use super::directory::{check_media, keys_beside};
use super::misfits::misfits;
use super::{Ended, load_contract, read_contract, readiness};
use crate::cli::{Role, RoleArgs, RunArgs};
use crate::paths::DataDir;
use crate::roles::recorder::newest_generation;
use crate::{programs, roles, supervisor};
use contract::{Contract, ContractErrors};
use evidence::{LogId, MonoNs};
use rustix::process::Signal;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Directories of a node are its user's alone.
const DIRECTORY_MODE: u32 = 0o700;

/// Runs a node until it is told to stop.
pub(crate) fn run(args: &RunArgs) -> Result<Ended, String> {
    if args.die_with_parent {
        die_with_parent(Signal::TERM)?;
    }
    let (text, contract) = read_contract(&args.config)?;
    let data = DataDir::new(&absolute(&args.data)?);
    // Said before anything is made or started: no restart of a process can cure it.
    let errors = misfits(&text, &contract, Some(&data))?;
    if !errors.is_empty() {
        return Err(ContractErrors::new(&args.config.display().to_string(), &errors).to_string());
    }
    for warning in contract.warnings() {
        complain!("warning: {warning}");
    }
    make_directories(&data)?;
    // Taken before anything is started: a second node would poll every meter twice.
    let _only_node = media::WriterLock::take(&data.run()).map_err(|error| {
        let root = data.root().display();
        format!("a node runs on {root} already; stop it first, or give this one a --data of its own ({error})")
    })?;
    prepare(&contract, &data)?;
    readiness::tell(&contract, &data)?;
    supervisor::run(&absolute(&args.config)?, &data)?;
    readiness::tell_stopped(&contract, &data);
    Ok(Ended::Well)
}

/// Ends this process with a signal when the one that started it ends.
fn die_with_parent(signal: Signal) -> Result<(), String> {
    rustix::process::set_parent_process_death_signal(Some(signal))
        .map_err(|error| format!("cannot follow the parent process: {error}"))
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn make_directories(data: &DataDir) -> Result<(), String> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(DIRECTORY_MODE);
    for directory in [data.root().to_path_buf(), data.run(), data.markers()] {
        builder
            .create(&directory)
            .map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    }
    Ok(())
}

/// Keys and the log's identity; nothing that exists is overwritten.
fn prepare(contract: &Contract, data: &DataDir) -> Result<(), String> {
    if !data.identity().join("keys.vkey").exists() {
        let origin = &contract.station.origin;
        signer(data, &["init", "--origin", origin])?;
    }
    log_id(data)?;
    // What no restart of a process can cure is said before any is started.
    keys_beside(data)?;
    signer(data, &["check"])?;
    let generation = newest_generation(data)?;
    if data.journal(generation.0).join("ring.json").is_file() {
        check_media(data, generation)?;
    }
    Ok(())
}

/// Has the signer do one thing with the node's keys.
fn signer(data: &DataDir, words: &[&str]) -> Result<(), String> {
    let done = Command::new(programs::sibling("fieldnotary-signer")?)
        .args(words)
        .arg("--identity")
        .arg(data.identity())
        .output()
        .map_err(|error| format!("cannot start the signer: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&done.stderr);
    Err(format!(
        "the node's keys: {}",
        words.trim().trim_start_matches("fieldnotary-signer: ")
    ))
}

/// The log's random identity, made once.
fn log_id(data: &DataDir) -> Result<LogId, String> {
    let path = data.log_id();
    match std::fs::read_to_string(&path) {
        Ok(text) => parse_log_id(text.trim()).ok_or_else(|| {
            format!(
                "{} does not hold 32 hexadecimal digits; restore it from a backup",
                path.display()
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut id = [0u8; 16];
            getrandom::fill(&mut id).map_err(|error| format!("no randomness: {error}"))?;
            let id = LogId(id);
            crate::files::write_durably(&path, &format!("{id}\n"))?;
            Ok(id)
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

pub(super) fn parse_log_id(text: &str) -> Option<LogId> {
    let mut id = [0u8; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(LogId(id))
}

/// One process of a node.
pub(crate) fn run_role(args: &RoleArgs) -> Result<Ended, String> {
    // Not orderly: a node that loses its supervisor has crashed, and its log must say so.
    die_with_parent(Signal::KILL)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let data = DataDir::new(&args.data);
    let contract = load_contract(&args.config)?;
    match args.role {
        Role::Recorder => {
            let node_started = MonoNs(args.node_started);
            roles::recorder::run(contract, &data, log_id(&data)?, node_started, &stop)?;
        }
        Role::Time => roles::time::run(&data, &stop)?,
        Role::Io => roles::io::run(&contract, &data, &stop)?,
        Role::Uplink => roles::uplink::run(&contract, &data, &stop)?,
    }
    Ok(Ended::Well)
}
