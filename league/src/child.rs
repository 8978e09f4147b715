//! This program run again as a child: an engine may panic or hang there, and takes nobody with it.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::engine::{Failed, Place};

/// A child that runs, and the lines that it writes.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// How a line was waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Line(String),
    /// The child has ended; with success or without.
    Ended(bool),
    /// Nothing came in time, and the child was killed.
    TimedOut,
}

impl Running {
    /// Starts a verb on an engine in a place.
    pub(crate) fn start(
        verb: &str,
        engine: &str,
        place: &Place,
        more: &[(&str, u64)],
    ) -> Result<Self, Failed> {
        let mut words: Vec<OsString> = vec![verb.into(), engine.into()];
        words.extend([place.data.clone().into(), place.truth.clone().into()]);
        for (name, value) in more {
            words.push(format!("--{name}={value}").into());
        }
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a peer prints while it falls is its own affair.
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let (to, lines) = channel();
        thread::spawn(move || {
            for line in output
                .into_iter()
                .flat_map(|pipe| BufReader::new(pipe).lines())
            {
                let Ok(line) = line else { break };
                if to.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    /// The next line, or how the child ended.
    pub(crate) fn hear(&mut self, within: Duration) -> Result<Heard, Failed> {
        match self.lines.recv_timeout(within) {
            Ok(line) => Ok(Heard::Line(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(Heard::Ended(self.child.wait()?.success())),
            Err(RecvTimeoutError::Timeout) => {
                self.kill()?;
                Ok(Heard::TimedOut)
            }
        }
    }

    /// The next line, which must come.
    pub(crate) fn expect(&mut self, within: Duration) -> Result<String, Failed> {
        match self.hear(within)? {
            Heard::Line(line) => Ok(line),
            Heard::Ended(_) => Err(Failed("the child ended before it was done".into())),
            Heard::TimedOut => Err(Failed("the child was not done in time".into())),
        }
    }

    /// Gives the child a line.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), Failed> {
        match &mut self.input {
            Some(input) => Ok(writeln!(input, "{line}")?),
            None => Err(Failed("the child has no input".into())),
        }
    }

    /// Kills the child, as it would be by `kill -9`.
    pub(crate) fn kill(&mut self) -> Result<(), Failed> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
