//! One supervised process: started, watched, restarted with growing patience.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

/// First wait before a restart.
const BACKOFF_MS_MIN: u64 = 100;
/// Longest wait before a restart.
const BACKOFF_MS_MAX: u64 = 5_000;
/// A process that ran this long is taken to have started well: the next wait is short again.
const SETTLED_MS: u64 = 10_000;

/// How to start a process.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// Its role, the `source` of the entries about it.
    pub(crate) role: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It left by itself.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (_, Some(signal)) => Self::Killed(signal),
            (code, None) => Self::Exited(code.unwrap_or(-1)),
        }
    }
}

/// What a look at the process found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing new.
    None,
    /// It has ended; a restart is planned.
    Ended { pid: u32, ending: Ending },
    /// It was started (again).
    Started { pid: u32, restarts: u64 },
}

/// A process and the plan for it.
#[derive(Debug)]
pub(crate) struct Supervised {
    spec: Spec,
    child: Option<Child>,
    started_ms: u64,
    restart_at_ms: u64,
    backoff_ms: u64,
    starts: u64,
}

impl Supervised {
    pub(crate) fn new(spec: Spec) -> Self {
        Self {
            spec,
            child: None,
            started_ms: 0,
            restart_at_ms: 0,
            backoff_ms: BACKOFF_MS_MIN,
            starts: 0,
        }
    }

    pub(crate) fn role(&self) -> &'static str {
        self.spec.role
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Looks after the process: notes its end, starts it when its time has come.
    pub(crate) fn tend(&mut self, now_ms: u64) -> Result<Change, String> {
        if let Some(child) = &mut self.child {
            let ended = child
                .try_wait()
                .map_err(|error| format!("cannot wait for {}: {error}", self.spec.role))?;
            let Some(status) = ended else {
                return Ok(Change::None);
            };
            let pid = child.id();
            self.child = None;
            if now_ms.saturating_sub(self.started_ms) >= SETTLED_MS {
                self.backoff_ms = BACKOFF_MS_MIN;
            }
            self.restart_at_ms = now_ms + self.backoff_ms;
            self.backoff_ms = (self.backoff_ms * 2).min(BACKOFF_MS_MAX);
            return Ok(Change::Ended {
                pid,
                ending: status.into(),
            });
        }
        if now_ms < self.restart_at_ms {
            return Ok(Change::None);
        }
        let child = Command::new(&self.spec.program)
            .args(&self.spec.arguments)
            .stdin(Stdio::null())
            // A group of its own: Ctrl-C is for the supervisor, which stops the others in order.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                format!(
                    "cannot start {} ({}): {error}",
                    self.spec.role,
                    self.spec.program.display()
                )
            })?;
        let pid = child.id();
        self.child = Some(child);
        self.started_ms = now_ms;
        self.starts += 1;
        Ok(Change::Started {
            pid,
            restarts: self.starts - 1,
        })
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // It may have ended meanwhile; then there is nothing to signal.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Whether it has ended; never restarts it.
    pub(crate) fn has_ended(&mut self) -> bool {
        match &mut self.child {
            None => true,
            Some(child) => matches!(child.try_wait(), Ok(Some(_)) | Err(_)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Ending, Spec, Supervised};
    use std::time::Duration;

    fn shell(script: &str) -> Supervised {
        Supervised::new(Spec {
            role: "test",
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
        })
    }

    fn ending(process: &mut Supervised) -> Ending {
        for _ in 0..500 {
            if let Change::Ended { ending, .. } = process.tend(50).unwrap() {
                return ending;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the process did not end");
    }

    //= R10.5
    #[test]
    fn an_ended_process_is_named_and_started_again_after_a_wait() {
        let mut process = shell("exit 3");
        assert!(matches!(
            process.tend(0).unwrap(),
            Change::Started { restarts: 0, .. }
        ));
        assert_eq!(ending(&mut process), Ending::Exited(3));
        assert_eq!(process.tend(60).unwrap(), Change::None, "too early");
        assert!(matches!(
            process.tend(151).unwrap(),
            Change::Started { restarts: 1, .. }
        ));
    }

    #[test]
    fn a_killed_process_is_told_from_one_that_left() {
        let mut process = shell("sleep 60");
        process.tend(0).unwrap();
        process.kill();
        assert_eq!(ending(&mut process), Ending::Killed(9));
    }
}
