//! A role's connection to the recorder: it waits out a recorder that is down.

use crate::clock;
use evidence::{Captured, CommitId, Kind, Payload, SourceId};
use ipc::message::{AckReport, FeedBatch, FeedPull, Hello, Message, Welcome};
use ipc::{Channel, IpcError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One try to connect; between tries the role looks whether it is to stop.
const CONNECT: Duration = Duration::from_millis(200);
/// How long the recorder may take for one answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Pause where the recorder cannot serve just now.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection that is made again whenever it breaks.
pub(crate) struct RecorderLink {
    socket: PathBuf,
    role: String,
    incarnation: u64,
    stop: Arc<AtomicBool>,
    channel: Option<(Channel, Welcome)>,
    /// Reports that were handed over, each under a number of its own.
    reports: u64,
}

impl RecorderLink {
    /// Not connected yet. `role` is the name under which the process introduces itself.
    pub(crate) fn new(socket: &Path, role: &str, stop: &Arc<AtomicBool>) -> Self {
        Self {
            socket: socket.to_path_buf(),
            role: role.to_owned(),
            incarnation: clock::mono().0,
            stop: Arc::clone(stop),
            channel: None,
            reports: 0,
        }
    }

    /// A link for one port of the io role.
    pub(crate) fn for_port(socket: &Path, port: &SourceId, stop: &Arc<AtomicBool>) -> Self {
        Self::new(socket, &format!("io/{port}"), stop)
    }

    /// What the recorder said when it was met; `None` when told to stop before that.
    pub(crate) fn welcome(&mut self) -> Option<Welcome> {
        self.connected().map(|(_, welcome)| welcome.clone())
    }

    /// Asks until there is an answer, over as many connections as it takes; `None` when told to stop.
    pub(crate) fn ask(&mut self, request: &Message) -> Option<Message> {
        loop {
            // Waiting for a recorder that is down is no hang.
            sandbox::pulse::alive();
            let (channel, _) = self.connected()?;
            match channel.ask(request, ANSWER) {
                Ok(answer) => return Some(answer),
                Err(IpcError::Peer { code, text, .. }) => return Some(Message::error(code, text)),
                Err(_) => self.channel = None,
            }
        }
    }

    /// Entries of the log from a place on, of some kinds or of all where none is named; `None` when told to stop.
    pub(crate) fn pull(
        &mut self,
        cursor: CommitId,
        kinds: Vec<Kind>,
        max: u64,
        wait_ms: u64,
    ) -> Option<FeedBatch> {
        let request = Message::from(FeedPull {
            cursor,
            kinds,
            max,
            wait_ms,
        });
        loop {
            match self.ask(&request)? {
                Message::FeedBatch(batch) => return Some(batch),
                other => {
                    eprintln!("{}: the recorder answered {other:?}", self.role);
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Hands a report over to be committed; whether it was taken, and `None` when told to stop.
    pub(crate) fn report(&mut self, payload: &Payload) -> Option<bool> {
        self.reports += 1;
        let report = AckReport {
            submission_id: self.reports,
            report: Captured::new(payload),
        };
        match self.ask(&report.into())? {
            Message::Accepted(_) => Some(true),
            other => {
                eprintln!(
                    "{}: the recorder did not take a report: {other:?}",
                    self.role
                );
                Some(false)
            }
        }
    }

    /// Asks once; `None` where the recorder is not there, does not answer in this time, or the role is to stop.
    pub(crate) fn once(&mut self, request: &Message, patience: Duration) -> Option<Message> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        if self.channel.is_none() {
            self.channel = self.introduce();
        }
        let (channel, _) = self.channel.as_ref()?;
        match channel.ask(request, patience) {
            Ok(answer) => Some(answer),
            Err(IpcError::Peer { code, text, .. }) => Some(Message::error(code, text)),
            Err(_) => {
                self.channel = None;
                None
            }
        }
    }

    fn connected(&mut self) -> Option<&(Channel, Welcome)> {
        while self.channel.is_none() {
            sandbox::pulse::alive();
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            self.channel = self.introduce();
        }
        self.channel.as_ref()
    }

    fn introduce(&self) -> Option<(Channel, Welcome)> {
        let channel = Channel::connect(&self.socket, CONNECT).ok()?;
        let hello = Hello {
            role: self.role.clone(),
            pid: u64::from(std::process::id()),
            incarnation: self.incarnation,
        };
        match channel.ask(&hello.into(), ANSWER).ok()? {
            Message::Welcome(welcome) => Some((channel, welcome)),
            _ => None,
        }
    }
}
