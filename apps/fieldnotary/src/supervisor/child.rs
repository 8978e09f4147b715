//! One supervised process: started with its pipes, watched, ended when it must be, restarted.

use super::logs::LogBook;
use super::pipes::{self, Signs};
use super::table::Watch;
use crate::containment::{Career, Failure, Verdict};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

/// How often memory is looked at.
const MEMORY_EVERY_MS: u64 = 1_000;

/// How to start a process.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// Its role, the `source` of the entries about it: `recorder`, `io`, `io/PORT`.
    pub(crate) role: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) watch: Watch,
}

/// What a look at the process found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has ended; what follows is decided.
    Ended {
        pid: Option<u32>,
        failure: Failure,
        verdict: Verdict,
    },
    /// It was started (again).
    Started { pid: u32, restarts: u64 },
    /// Its quarantine is over.
    Released,
}

/// A process and the plan for it.
#[derive(Debug)]
pub(crate) struct Supervised {
    spec: Spec,
    child: Option<Child>,
    signs: Arc<Signs>,
    book: Arc<LogBook>,
    career: Career,
    started_ms: u64,
    restart_at_ms: u64,
    held_back: bool,
    starts: u64,
    memory_at_ms: u64,
    resident_bytes: u64,
    /// Why the supervisor ended it; it is not gone yet.
    ending: Option<Failure>,
    last_failure: Option<Failure>,
}

impl Supervised {
    pub(crate) fn new(spec: Spec, book: Arc<LogBook>) -> Self {
        Self {
            career: Career::new(spec.watch.cool_down_ms),
            spec,
            child: None,
            signs: Arc::default(),
            book,
            started_ms: 0,
            restart_at_ms: 0,
            held_back: false,
            starts: 0,
            memory_at_ms: 0,
            resident_bytes: 0,
            ending: None,
            last_failure: None,
        }
    }

    pub(crate) fn role(&self) -> &str {
        &self.spec.role
    }

    /// The role without its port.
    pub(crate) fn kind(&self) -> &str {
        let role = self.role();
        role.split_once('/').map_or(role, |(kind, _)| kind)
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub(crate) fn signs(&self) -> &Signs {
        &self.signs
    }

    pub(crate) fn book(&self) -> &LogBook {
        &self.book
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.starts.saturating_sub(1)
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    pub(crate) fn last_failure(&self) -> Option<&Failure> {
        self.last_failure.as_ref()
    }

    /// For how long it is held back, if it is.
    pub(crate) fn held_back_ms(&self, now_ms: u64) -> Option<u64> {
        self.held_back
            .then(|| self.restart_at_ms.saturating_sub(now_ms))
    }

    /// Looks after the process: ends it when it must be, notes its end, starts it when its time has come.
    pub(crate) fn tend(&mut self, now_ms: u64) -> Option<Change> {
        if let Some(child) = &mut self.child {
            return match child.try_wait() {
                Ok(None) => {
                    self.look(now_ms);
                    None
                }
                Ok(Some(status)) => Some(self.ended(now_ms, failure_of(status))),
                // It is gone, and nobody can say how.
                Err(error) => Some(self.ended(now_ms, Failure::Fault(error.to_string()))),
            };
        }
        if now_ms < self.restart_at_ms {
            return None;
        }
        if std::mem::take(&mut self.held_back) {
            return Some(Change::Released);
        }
        Some(match self.start(now_ms) {
            Ok(pid) => Change::Started {
                pid,
                restarts: self.restarts(),
            },
            Err(error) => {
                self.started_ms = now_ms;
                let program = self.spec.program.display();
                self.ended(
                    now_ms,
                    Failure::Fault(format!("cannot start {program}: {error}")),
                )
            }
        })
    }

    /// Ends it when it hangs or holds too much; that it is gone is seen at a later look.
    fn look(&mut self, now_ms: u64) {
        if self.ending.is_some() {
            return;
        }
        let silent_ms = self.signs.silent_ms(now_ms);
        if silent_ms > self.spec.watch.silence_ms_max {
            return self.end_it(Failure::Silent(silent_ms));
        }
        if now_ms.saturating_sub(self.memory_at_ms) >= MEMORY_EVERY_MS {
            self.memory_at_ms = now_ms;
            self.resident_bytes = self.pid().and_then(resident_bytes).unwrap_or(0);
            if self.resident_bytes > self.spec.watch.resident_bytes_max {
                self.end_it(Failure::OverMemory(self.resident_bytes));
            }
        }
    }

    fn end_it(&mut self, failure: Failure) {
        self.ending = Some(failure);
        self.kill();
    }

    fn ended(&mut self, now_ms: u64, failure: Failure) -> Change {
        let pid = self.pid();
        self.child = None;
        self.resident_bytes = 0;
        let failure = self.ending.take().unwrap_or(failure);
        let ran_ms = now_ms.saturating_sub(self.started_ms);
        let verdict = self.career.failed(&failure, ran_ms);
        self.last_failure = Some(failure.clone());
        let wait_ms = match verdict {
            Verdict::Restart { after_ms } => after_ms,
            Verdict::Quarantine { for_ms } => for_ms,
        };
        self.held_back = matches!(verdict, Verdict::Quarantine { .. });
        self.restart_at_ms = now_ms + wait_ms;
        Change::Ended {
            pid,
            failure,
            verdict,
        }
    }

    fn start(&mut self, now_ms: u64) -> std::io::Result<u32> {
        let (words, says) = pipes::words()?;
        let (lines, writes) = std::io::pipe()?;
        let child = Command::new(&self.spec.program)
            .args(&self.spec.arguments)
            .stdin(Stdio::null())
            .stdout(says)
            .stderr(writes)
            // A group of its own: Ctrl-C is for the supervisor, which stops the others in order.
            .process_group(0)
            .spawn()?;
        self.signs = Signs::new(now_ms);
        pipes::listen(words, &self.signs);
        self.book.read(lines);
        let pid = child.id();
        self.child = Some(child);
        self.started_ms = now_ms;
        self.memory_at_ms = now_ms;
        self.starts += 1;
        Ok(pid)
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

fn failure_of(status: ExitStatus) -> Failure {
    match (status.code(), status.signal()) {
        (_, Some(signal)) => Failure::Killed(signal),
        (code, None) => Failure::Exited(code.unwrap_or(-1)),
    }
}

/// Resident memory of a process: the second field of statm, in pages.
fn resident_bytes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    pages.checked_mul(page)
}

#[cfg(test)]
mod tests {
    use super::{Change, Spec, Supervised};
    use crate::containment::{Failure, Verdict};
    use crate::supervisor::logs::LogBook;
    use crate::supervisor::table::Watch;
    use std::time::Duration;

    fn shell(dir: &std::path::Path, script: &str, watch: Watch) -> Supervised {
        let spec = Spec {
            role: "test".to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            watch,
        };
        Supervised::new(spec, LogBook::new(dir, "test"))
    }

    fn watch() -> Watch {
        Watch {
            silence_ms_max: u64::MAX,
            resident_bytes_max: u64::MAX,
            cool_down_ms: &[9_000],
        }
    }

    /// Looks on, at this time, until something has happened.
    fn next(process: &mut Supervised, now_ms: u64) -> Change {
        for _ in 0..500 {
            if let Some(change) = process.tend(now_ms) {
                return change;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nothing happened");
    }

    fn failure(change: &Change) -> &Failure {
        match change {
            Change::Ended { failure, .. } => failure,
            other => panic!("{other:?}"),
        }
    }

    //= R10.5
    #[test]
    fn an_ended_process_is_named_and_started_again_after_a_wait() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "exit 3", watch());
        assert!(matches!(
            process.tend(0),
            Some(Change::Started { restarts: 0, .. })
        ));
        assert_eq!(failure(&next(&mut process, 50)), &Failure::Exited(3));
        assert_eq!(process.tend(60), None, "too early");
        assert!(matches!(
            process.tend(151),
            Some(Change::Started { restarts: 1, .. })
        ));
    }

    #[test]
    fn a_killed_process_is_told_from_one_that_left() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "sleep 60", watch());
        process.tend(0);
        process.kill();
        assert_eq!(failure(&next(&mut process, 50)), &Failure::Killed(9));
    }

    //= R10.2
    #[test]
    fn one_that_gives_no_sign_of_life_is_ended_and_one_that_announces_its_silence_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let bound = Watch {
            silence_ms_max: 1_000,
            ..watch()
        };
        let script = "echo alive; echo busy 5000; exec sleep 60";
        let mut process = shell(dir.path(), script, bound);
        // Words are timed by the real clock.
        let now = crate::clock::mono().0 / 1_000_000;
        process.tend(now);
        for _ in 0..500 {
            if process.signs().silent_ms(now + 4_000) == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(process.tend(now + 4_000), None);
        assert_eq!(process.tend(now + 90_000), None, "it is being ended");
        let change = next(&mut process, now + 90_010);
        assert!(
            matches!(failure(&change), Failure::Silent(ms) if *ms > 1_000),
            "{change:?}"
        );
    }

    //= R10.4
    #[test]
    fn one_that_holds_too_much_memory_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let bound = Watch {
            // Whatever runs has a page.
            resident_bytes_max: 0,
            ..watch()
        };
        let mut process = shell(dir.path(), "sleep 60", bound);
        process.tend(0);
        assert_eq!(process.tend(1_500), None);
        let change = next(&mut process, 1_510);
        assert!(
            matches!(failure(&change), Failure::OverMemory(_)),
            "{change:?}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure_like_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "", watch());
        process.spec.program = "/nowhere/at/all".into();
        let verdicts: Vec<Verdict> = (0..5)
            .map(|turn| match next(&mut process, turn * 3_000) {
                Change::Ended { verdict, .. } => verdict,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(verdicts[0], Verdict::Restart { after_ms: 100 });
        assert_eq!(verdicts[4], Verdict::Quarantine { for_ms: 9_000 });
        assert_eq!(process.held_back_ms(12_000), Some(9_000));
        assert_eq!(process.tend(20_999), None);
        assert_eq!(process.tend(21_000), Some(Change::Released));
    }
}
