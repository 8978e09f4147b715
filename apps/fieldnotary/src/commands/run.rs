//! `fieldnotary run`: prepares the data directory, then supervises.

use super::configured::newest_contract;
use super::directory::{check_media, keys_beside, open_found};
use super::journal::look::FoundLog;
use super::misfits::misfits;
use super::site::actor;
use super::{
    Ended, cards, load_contract, own_signer, ports, preflight, read_contract, readiness,
    restore_mark,
};
use crate::cli::{Role, RoleArgs, RunArgs};
use crate::paths::DataDir;
use crate::roles::recorder::{Changed, KeysBeside, Said, newest_generation};
use crate::supervisor::Manner;
use crate::{installed, programs, roles, supervisor};
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

/// What the signer says of keys that another signer holds.
const IN_USE: &str = "another signer works with this directory";
/// Looks at keys that are in use, and the pause between two.
const REMNANT_LOOKS: u32 = 20;
const REMNANT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Runs a node until it is told to stop.
pub(crate) fn run(args: &RunArgs) -> Result<Ended, String> {
    if args.die_with_parent {
        die_with_parent(Signal::TERM)?;
    }
    let (text, contract) = read_contract(&args.config)?;
    let data = DataDir::new(&absolute(&args.data)?);
    preflight::usable(&data)?;
    // A fork of its log until somebody takes the responsibility.
    if let Some(mark) = restore_mark::read(&data)? {
        return Err(mark.refusal(&args.data));
    }
    // Said before anything is made or started: no restart of a process can cure it.
    fits(args, &text, &contract, &data)?;
    for warning in contract.warnings() {
        complain!("warning: {warning}");
    }
    let cards = cards::unreadable(&contract);
    for port in ports::unusable(&contract).into_iter().chain(cards) {
        complain!("warning: {port}");
    }
    for key in crate::papers::open_keys(&contract, Some(data.root())) {
        complain!("warning: {key}");
    }
    make_directories(&data)?;
    // Whoever decides is who starts it, not the user that it becomes.
    let by = actor(args.actor.as_deref())?;
    if become_user(args, &contract, &data)? {
        // Root reads everything; certificates and configuration must be that user's to read as well.
        let (text, contract) = read_contract(&args.config)?;
        fits(args, &text, &contract, &data)?;
    }
    // Taken before anything is started: a second node would poll every meter twice.
    let _only_node = media::WriterLock::take(&data.run()).map_err(|error| {
        let root = data.root().display();
        format!("a node runs on {root} already; stop it first, or give this one a --data of its own ({error})")
    })?;
    let in_force = prepare(&contract, &data, args.signer.as_deref())?;
    let manner = Manner {
        by,
        reason: args.reason.clone(),
        leave_safe_mode: args.leave_safe_mode,
        accept_firmware: args.accept_firmware,
        require_confinement: args.require_confinement,
        starts_signer: args.signer.is_none(),
    };
    if let Some(before) = in_force
        && manner.reason.is_none()
    {
        says_why(args, &before, &contract)?;
    }
    readiness::tell(&contract, &data, args.json)?;
    supervisor::run(&absolute(&args.config)?, &data, &manner)?;
    readiness::tell_stopped(&contract, &data, args.json);
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
    for directory in [
        data.root().to_path_buf(),
        data.run(),
        data.time_sockets(),
        data.markers(),
        // Each process may write in its own directories only, so they must be there before it is.
        data.root().join("journal"),
        data.uplink(),
        data.syslog(),
        data.timestamp(),
        data.supervisor(),
        data.logs(),
    ] {
        builder
            .create(&directory)
            .map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    }
    // Where earlier versions kept it.
    let old = data.root().join("standing.json");
    if old.is_file() && !data.standing().exists() {
        std::fs::rename(&old, data.standing())
            .map_err(|error| format!("cannot move {}: {error}", old.display()))?;
    }
    Ok(())
}

/// Whether configuration and data directory can be run together.
fn fits(args: &RunArgs, text: &str, contract: &Contract, data: &DataDir) -> Result<(), String> {
    let errors = misfits(text, contract, Some(data))?;
    if errors.is_empty() {
        return Ok(());
    }
    Err(
        ContractErrors::new(&args.config.display().to_string(), &errors)
            .on_one_screen()
            .to_string(),
    )
}

/// Started by root with --user, the node belongs to that user and runs as it; whether the user changed.
fn become_user(args: &RunArgs, contract: &Contract, data: &DataDir) -> Result<bool, String> {
    let Some(name) = &args.user else {
        return Ok(false);
    };
    let user = sandbox::user::find(name).map_err(|error| error.to_string())?;
    if user.is_own() {
        return Ok(false);
    }
    let storage = &contract.storage;
    let truth = storage.truth_dir.iter().chain(&storage.truth_device);
    let truth = truth.map(PathBuf::from);
    for path in [data.root().to_path_buf()].into_iter().chain(truth) {
        if path.exists() && rustix::process::geteuid().is_root() {
            user.give(&path)
                .map_err(|error| format!("cannot give {} to {name}: {error}", path.display()))?;
        }
    }
    user.become_it().map_err(|error| error.to_string())?;
    // The kernel forgets it when the user changes.
    if args.die_with_parent {
        die_with_parent(Signal::TERM)?;
    }
    Ok(true)
}

/// Who puts another configuration in force says why: the log has it beside what changed.
fn says_why(args: &RunArgs, before: &Contract, now: &Contract) -> Result<(), String> {
    let changes = contract::changes(before, now);
    if changes.is_empty() {
        return Ok(());
    }
    let config = args.config.display();
    let user = args.user.iter().map(|user| format!(" --user {user}"));
    let signer = args.signer.iter();
    let signer = signer.map(|socket| format!(" --signer {}", socket.display()));
    let same: String = user.chain(signer).collect();
    Err(format!(
        "{config} is another configuration than the one in force: {changes}\n\
         say why, for the log: fieldnotary run {config} --data {}{same} --reason TEXT",
        args.data.display()
    ))
}

/// Keys and the log's identity; nothing that exists is overwritten. Gives the configuration that the log has in force.
fn prepare(
    contract: &Contract,
    data: &DataDir,
    own_signer: Option<&Path>,
) -> Result<Option<Contract>, String> {
    let origin = &contract.station.origin;
    if let Some(socket) = own_signer {
        // Keys that followed those beside the log stand there before the log is held against them.
        own_signer::take(data, origin, socket, own_signer::Purpose::Start)?;
    }
    preflight::whole(contract, data)?;
    if own_signer.is_none() {
        own_signer::leave(data)?;
        if !data.identity().join("keys.vkey").exists() {
            signer(data, &["init", "--origin", origin])?;
        }
    }
    log_id(data)?;
    // What no restart of a process can cure is said before any is started.
    keys_beside(data)?;
    if own_signer.is_none() {
        keys_checked(data)?;
    }
    let generation = newest_generation(data)?;
    if data.journal(generation.0).join("ring.json").is_file() {
        check_media(data, generation)?;
        // What cannot be read here is met, and said, by the recorder.
        let found = open_found(data, generation).ok();
        found.iter().for_each(FoundLog::tell_old_truth);
        return Ok(found.and_then(|found| newest_contract(&found.reader)));
    }
    Ok(None)
}

/// Has the signer check the keys. A node that was killed leaves its signer behind for an instant, until
/// the kernel has ended it: that one is waited out.
fn keys_checked(data: &DataDir) -> Result<(), String> {
    for _ in 0..REMNANT_LOOKS {
        match signer(data, &["check", "--files-only"]) {
            Err(words) if words.contains(IN_USE) => std::thread::sleep(REMNANT_PAUSE),
            done => return done,
        }
    }
    signer(data, &["check", "--files-only"])
}

/// Has the signer do one thing with the node's keys.
pub(super) fn signer(data: &DataDir, words: &[&str]) -> Result<(), String> {
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
    let words = words.trim().trim_start_matches("fieldnotary-signer: ");
    if words.contains("/last-signed: damaged") {
        return Err(format!(
            "the node's keys: {words}\n{}",
            preflight::last_signed_cure(data)
        ));
    }
    // What names a command says enough; what is damaged has to come back.
    let cure = match [": chmod", "stop it first", "create them with", "runs as"]
        .iter()
        .any(|cure| words.contains(cure))
    {
        true => String::new(),
        false => format!("\n{}", preflight::backup_cure(data)),
    };
    Err(format!("the node's keys: {words}{cure}"))
}

/// The log's random identity, made once.
fn log_id(data: &DataDir) -> Result<LogId, String> {
    let path = data.log_id();
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|_| {
            format!(
                "{} does not hold 32 hexadecimal digits\n{}",
                path.display(),
                preflight::backup_cure(data)
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut id = [0u8; 16];
            getrandom::fill(&mut id).map_err(|error| format!("no randomness: {error}"))?;
            let id = LogId(id);
            crate::files::write_durably(&path, format!("{id}\n"))?;
            Ok(id)
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
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
    // Found before the sandbox closes; what it says can be read in there.
    let device = media::HealthSource::of_directory(data.root());
    let found = installed::look(&contract, installed::of_words(&args.program));
    // Of these a change of keys puts others in their places, which the sandbox was not told of.
    let keys = KeysBeside::read(&data);
    roles::confine(args.role, &contract, &data, &device)?;
    match args.role {
        Role::Recorder => {
            let node_started = MonoNs(args.node_started);
            let log_id = log_id(&data)?;
            let said = Said {
                changed: Changed::of(&args.changed),
                found,
                accept_firmware: args.accept_firmware,
                keys,
            };
            roles::recorder::run(contract, &data, log_id, node_started, device, said, &stop)?;
        }
        Role::Time => roles::time::run(&contract, &data, &stop)?,
        Role::Io => roles::io::run(&contract, &data, &args.port, &stop)?,
        Role::Uplink => roles::uplink::run(&contract, &data, &stop)?,
        Role::Syslog => roles::syslog::run(&contract, &data, &stop)?,
        Role::Timestamp => roles::timestamp::run(&contract, &data, &stop)?,
    }
    Ok(Ended::Well)
}
