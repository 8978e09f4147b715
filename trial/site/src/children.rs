//! Programs that are started: watched, and ended with their value.

use crate::clock;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often somebody who waits looks.
const LOOK_UP: Duration = Duration::from_millis(20);
/// How long a program may take to end when the run breaks off.
const BREAK_OFF: Duration = Duration::from_secs(5);
/// Lines of a program's words that an error quotes.
const QUOTED_LINES: usize = 8;

/// A started program; it is ended with this value.
pub struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program whose words go to the end of a file of its own in `logs`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &'static str, command: &mut Command, logs: &Path) -> Result<Self, String> {
        let log = logs.join(format!("{name}.log"));
        let failed = |error| format!("cannot start {name}: {error}");
        let mut open = File::options();
        let out = open.create(true).append(true).open(&log).map_err(failed)?;
        let err = out.try_clone().map_err(failed)?;
        // A group of its own: Ctrl-C is for whoever started it, who then stops the others in order.
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        Ok(Self { name, child, log })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// An error with the program's last words, if it has ended.
    ///
    /// # Errors
    /// Those words.
    pub fn require(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.words(&format!("has ended ({status})"))),
            Err(error) => Err(self.words(&format!("cannot be watched: {error}"))),
        }
    }

    /// What happened to it, and its last words.
    #[must_use]
    pub fn words(&self, what: &str) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(QUOTED_LINES);
        let mut words = format!("the {} {what}; see {}", self.name, self.log.display());
        for line in lines.iter().skip(from) {
            words.push_str("\n  ");
            words.push_str(line);
        }
        words
    }

    /// Asks it to stop, and waits; past `patience` it is ended and that is an error.
    ///
    /// # Errors
    /// Its last words, when it had to be ended.
    pub fn stop(&mut self, patience: Duration) -> Result<ExitStatus, String> {
        self.signal(Signal::TERM);
        match wait_until(patience, || self.child.try_wait().ok().flatten()) {
            Some(status) => Ok(status),
            None => {
                self.signal(Signal::KILL);
                let _ = self.child.wait();
                let what = format!("did not stop within {} s and was ended", patience.as_secs());
                Err(self.words(&what))
            }
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended meanwhile; then there is nothing to signal.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.stop(BREAK_OFF);
        }
    }
}

/// Looks again and again until there is something or `patience` is over.
pub fn wait_until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let patience_ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
    let deadline = clock::mono().plus_ns(patience_ns);
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if clock::mono() > deadline {
            return None;
        }
        std::thread::sleep(LOOK_UP);
    }
}

/// Runs a program to its end; its output, or an error with its words.
///
/// # Errors
/// Those words.
pub fn output(what: &str, command: &mut Command) -> Result<String, String> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start a program to {what}: {error}"))?;
    if done.status.success() {
        return String::from_utf8(done.stdout)
            .map_err(|_| format!("the program to {what} did not answer in text"));
    }
    let words = String::from_utf8_lossy(&done.stderr);
    Err(format!("cannot {what}: {}", words.trim()))
}

#[cfg(test)]
mod tests {
    use super::Running;
    use std::process::Command;
    use std::time::Duration;

    fn shell(name: &'static str, script: &str, logs: &std::path::Path) -> Running {
        Running::start(name, Command::new("/bin/sh").args(["-c", script]), logs).unwrap()
    }

    #[test]
    fn an_ended_program_is_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let mut program = shell("street", "echo no such port >&2; exit 3", dir.path());
        let error = super::wait_until(Duration::from_secs(5), || program.require().err()).unwrap();
        assert!(error.contains("the street has ended"), "{error}");
        assert!(error.contains("\n  no such port"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_stop_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut deaf = shell(
            "node",
            "trap '' TERM; echo up; while :; do sleep 0.1; done",
            dir.path(),
        );
        let up = || {
            std::fs::read_to_string(dir.path().join("node.log"))
                .ok()
                .filter(|t| !t.is_empty())
        };
        super::wait_until(Duration::from_secs(5), up).unwrap();
        let error = deaf.stop(Duration::from_millis(200)).unwrap_err();
        assert!(error.contains("did not stop"), "{error}");
        assert!(deaf.require().is_err());
    }
}
