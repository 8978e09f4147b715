//! What the end-to-end tests share: programs that end with the test, a node, and its answers.

pub(crate) mod blows;
pub(crate) mod contract;
pub(crate) mod damage;
pub(crate) mod layout;
pub(crate) mod sites;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How often somebody who waits looks.
const LOOK_UP: Duration = Duration::from_millis(20);
/// How long a program may take until it is ready; generous, for machines that do much at once.
pub(crate) const READY: Duration = Duration::from_secs(30);
/// How long a program may take to stop.
const STOP: Duration = Duration::from_secs(45);

/// The program of that name.
pub(crate) fn program(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_BIN_EXE_fieldnotary"));
    let path = own.with_file_name(name);
    assert!(
        path.is_file(),
        "{name} is not beside {}; build all programs first: cargo build --bins",
        own.display()
    );
    path
}

/// The Python of the test peers.
fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = std::env::var_os("FIELDNOTARY_PEERS")
        .map_or_else(|| workspace.join("target/peers/venv"), PathBuf::from);
    let python = peers.join("bin/python");
    assert!(
        python.is_file(),
        "{} is not there; install the test peers with: cargo xtask setup",
        python.display()
    );
    python
}

/// The time; only for how long to wait.
#[expect(
    clippy::disallowed_methods,
    reason = "a test that waits for another process has nothing but the clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Looks again and again until there is something or `patience` is over.
pub(crate) fn wait_until<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let began = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < patience,
            "no {what} within {} s",
            patience.as_secs()
        );
        std::thread::sleep(LOOK_UP);
    }
}

/// A program that runs; it ends with this value.
pub(crate) struct Running {
    name: String,
    child: Child,
    words: PathBuf,
}

impl Running {
    /// Starts a program; what it says goes to a file in `dir`. Its standard input stays open as long as
    /// this value lives.
    pub(crate) fn start(name: &str, dir: &Path, command: &mut Command) -> Self {
        let words = dir.join(format!("{name}.log"));
        let out = File::create(&words).unwrap();
        let child = command
            .stdin(Stdio::piped())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Self {
            name: name.to_owned(),
            child,
            words,
        }
    }

    /// Waits for a sign that it is ready; it must not end meanwhile.
    pub(crate) fn ready<T>(&mut self, mut look: impl FnMut() -> Option<T>) -> T {
        let what = format!("ready {}", self.name);
        wait_until(&what, READY, || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} has ended ({status}):\n{}", self.name, self.words());
            }
            look()
        })
    }

    /// What it has said so far.
    pub(crate) fn words(&self) -> String {
        std::fs::read_to_string(&self.words).unwrap_or_default()
    }

    /// Asks it to stop; it must do so in time and orderly.
    pub(crate) fn stop(mut self) {
        self.terminate();
        let what = format!("end of {}", self.name);
        let status = wait_until(&what, STOP, || self.child.try_wait().unwrap());
        assert!(
            status.success(),
            "{} ended with {status}:\n{}",
            self.name,
            self.words()
        );
    }

    fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // It may have ended meanwhile; then there is nothing to signal.
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a command that has ended said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The JSON that it printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON lines that it printed.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        json_lines(&self.out)
    }

    /// The entries among them, without what `log` says is missing.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let mut lines = self.json_lines();
        lines.retain(|line| line.get("missing_first").is_none());
        lines
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs `fieldnotary` to its end.
pub(crate) fn fieldnotary(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
    let mut command = Command::new(program("fieldnotary"));
    command.args(words).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Runs another program to its end, which must be a good one.
pub(crate) fn done(command: &mut Command) -> Said {
    let said = Said::from(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

/// `fieldnotary VERB DIR --json` and more words.
pub(crate) fn about(verb: &str, dir: &Path, more: &[&str]) -> Said {
    let words = [OsStr::new(verb), dir.as_os_str(), OsStr::new("--json")];
    fieldnotary(words.into_iter().chain(more.iter().map(OsStr::new)))
}

/// Every line as JSON.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

/// The text of an item.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key:?} in {value}"))
}

/// The number of an item.
pub(crate) fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("no number {key:?} in {value}"))
}

/// The list of an item.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("no list {key:?} in {value}"))
}

/// A number from the environment, for runs longer than those at the desk.
pub(crate) fn length(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text}: a whole number is due"))
    })
}
