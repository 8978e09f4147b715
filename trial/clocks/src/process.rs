//! A daemon as a process: started, signalled, and killed with its value.

use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Stdio};

/// A daemon that runs until this value goes.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts a program; what it prints goes to `log`. It dies with the thread that starts it, so that
    /// nothing is left of a test that is killed.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        log: std::fs::File,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start {name}: {error}");
        let errors = log.try_clone().map_err(failed)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(failed)?;
        Ok(Self {
            name: name.to_owned(),
            child,
        })
    }

    /// Stops it where it stands: it keeps its sockets and answers nothing.
    ///
    /// # Errors
    ///
    /// If there is no such process any more.
    pub fn freeze(&self) -> Result<(), String> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// If there is no such process any more.
    pub fn thaw(&self) -> Result<(), String> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        Pid::from_raw(self.child.id().cast_signed())
            .ok_or(rustix::io::Errno::SRCH)
            .and_then(|pid| kill_process(pid, signal))
            .map_err(|errno| format!("cannot signal {}: {errno}", self.name))
    }

    /// Kills it and waits for its end; its sockets' files stay.
    pub fn kill(self) {
        drop(self);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
