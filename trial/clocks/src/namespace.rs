//! A network namespace of a name that tells whose it is, so that what a killed test left is removed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "fn-clocks";
/// Where `ip netns` keeps them.
const NAMED: &str = "/run/netns";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A namespace that goes with this value.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn make(what: &str) -> Result<Self, String> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}-{what}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]))?;
        let namespace = Self { name };
        run(&mut namespace.ip(&["link", "set", "lo", "up"]))?;
        Ok(namespace)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> PathBuf {
        Path::new(NAMED).join(&self.name)
    }

    /// `ip` on this namespace.
    pub(crate) fn ip(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name]).args(arguments);
        command
    }

    /// A program in this namespace, killed when the thread that starts it ends.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).args([
            "setpriv",
            "--pdeathsig",
            "KILL",
            program,
        ]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = run(Command::new("ip").args(["netns", "delete", &self.name]));
    }
}

/// Removes the namespaces of processes that are no more, and what still runs there: a daemon that changed
/// its user outlives a test that was killed.
pub(crate) fn remove_left() {
    let Ok(entries) = std::fs::read_dir(NAMED) else {
        return;
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    for name in names {
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix('-')?.split('-').next())
            .and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let inside = run(Command::new("ip").args(["netns", "pids", &name]));
            for pid in inside.iter().flat_map(|pids| pids.split_whitespace()) {
                let _ = run(Command::new("kill").args(["-KILL", pid]));
            }
            let _ = run(Command::new("ip").args(["netns", "delete", &name]));
        }
    }
}

/// Runs a command to its end and gives what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words = words.join(" ");
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("`{words}`: {error}; `cargo xtask setup` installs it"))?;
    if !status.success() {
        let stderr = String::from_utf8_lossy(&stderr);
        return Err(format!("`{words}`: {status}: {}", stderr.trim()));
    }
    String::from_utf8(stdout).map_err(|_| format!("`{words}` printed no text"))
}
