//! What the supervisor tells the recorder; it waits for the recorder in a thread of its own.

use crate::clock;
use evidence::kinds::Event;
use evidence::reasons::EventCode;
use evidence::{Captured, SourceId};
use ipc::Channel;
use ipc::message::{Hello, Message, ProcessEvent, SealedHead, Stop};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Events that may wait for a recorder that is down.
const QUEUE_MAX: usize = 256;
/// How long the recorder may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the recorder may take to seal for the last time.
const LAST_SEAL: Duration = Duration::from_secs(10);
/// How long to look for the recorder's socket at a stop.
const CONNECT: Duration = Duration::from_millis(500);

/// Sends events of the processes to the recorder, in order, when it is there.
pub(super) struct Reports {
    queue: SyncSender<Captured>,
}

impl Reports {
    /// Starts the sending thread.
    pub(super) fn to(socket: PathBuf) -> Self {
        let (queue, events) = sync_channel(QUEUE_MAX);
        std::thread::spawn(move || deliver(&socket, &events));
        Self { queue }
    }

    /// Queues an event; a full queue says so, for a recorder that long down is its own evidence.
    pub(super) fn send(&self, code: EventCode, role: &str, count: u64, detail: String) {
        let Ok(source) = SourceId::new(role) else {
            return;
        };
        let event = Event {
            at: clock::mono(),
            code,
            source,
            meter_id: None,
            seq: None,
            about_seq: None,
            count: Some(count),
            detail: Some(detail),
            sample: None,
        };
        if self.queue.try_send(Captured::new(&event.into())).is_err() {
            eprintln!(
                "fieldnotary: {QUEUE_MAX} process events wait for the recorder; one is dropped"
            );
        }
    }
}

fn deliver(socket: &Path, events: &Receiver<Captured>) {
    let mut channel: Option<Channel> = None;
    for (number, event) in (0u64..).zip(events) {
        let report: Message = ProcessEvent {
            submission_id: number,
            event,
        }
        .into();
        loop {
            if channel.is_none() {
                channel = connect(socket, ANSWER);
            }
            let answered = channel.as_ref().is_some_and(|channel| {
                matches!(
                    channel.ask(&report, ANSWER),
                    Ok(Message::Accepted(_) | Message::Refused(_))
                )
            });
            if answered {
                break;
            }
            channel = None;
        }
    }
}

fn connect(socket: &Path, patience: Duration) -> Option<Channel> {
    let channel = Channel::connect(socket, patience).ok()?;
    let hello = Hello {
        role: "supervisor".to_owned(),
        pid: u64::from(std::process::id()),
        incarnation: clock::mono().0,
    };
    channel.ask(&hello.into(), ANSWER).ok()?;
    Some(channel)
}

/// Asks for the last seal; the size that it sealed, or `None` if the recorder does not answer.
pub(super) fn stop_recorder(socket: &Path) -> Option<u64> {
    let channel = connect(socket, CONNECT)?;
    match channel.ask(&Stop {}.into(), LAST_SEAL).ok()? {
        Message::Head(head) => Some(head.size),
        _ => None,
    }
}

/// How far the collector has cosigned.
pub(super) fn cosigned_size(socket: &Path) -> Option<u64> {
    let channel = connect(socket, CONNECT)?;
    match channel.ask(&SealedHead {}.into(), ANSWER).ok()? {
        Message::Head(head) => Some(head.cosigned_size),
        _ => None,
    }
}
