//! Events for the recorder from a process that it does not read a wire for: queued, bounded, by priority.

use crate::clock;
use evidence::kinds::{Audit, Event};
use evidence::reasons::EventCode;
use evidence::{Captured, Payload, Priority, SourceId};
use ipc::Channel;
use ipc::message::{Hello, Message, ProcessEvent, SealedHead, Stop};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Events that may wait for a recorder that is down.
const QUEUE_MAX: usize = 256;
/// How long the recorder may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the recorder may take to seal for the last time.
const LAST_SEAL: Duration = Duration::from_secs(10);
/// How long to look for the recorder's socket at a stop.
const CONNECT: Duration = Duration::from_millis(500);

/// Sends events to the recorder, in order, when it is there.
#[derive(Clone, Debug)]
pub(crate) struct Reports(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

/// What waits; when it is full the least important goes first, and is counted by name.
#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<(Priority, &'static str, Captured)>,
    dropped: Vec<(&'static str, u64)>,
}

impl Waiting {
    fn put(&mut self, priority: Priority, name: &'static str, event: Captured) {
        if self.events.len() >= QUEUE_MAX {
            let each = self.events.iter().enumerate();
            let least = each
                .map(|(place, (priority, ..))| (*priority, place))
                .min()
                .filter(|(least, _)| *least <= priority);
            let Some((_, place)) = least else {
                return self.count(name);
            };
            if let Some((_, name, _)) = self.events.remove(place) {
                self.count(name);
            }
        }
        self.events.push_back((priority, name, event));
    }

    fn count(&mut self, name: &'static str) {
        match self.dropped.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => self.dropped.push((name, 1)),
        }
    }

    /// The next event; behind the last one, what was dropped.
    fn take(&mut self, role: &str) -> Option<Captured> {
        if let Some((_, _, event)) = self.events.pop_front() {
            return Some(event);
        }
        let dropped = std::mem::take(&mut self.dropped);
        let named: Vec<String> = dropped
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let total: u64 = dropped.iter().map(|(_, count)| count).sum();
        let words = format!("waiting for the recorder, dropped: {}", named.join(", "));
        (total > 0)
            .then(|| event(EventCode::QueueOverflow, role, Some(total), words))
            .flatten()
    }
}

impl Reports {
    /// Starts the sending thread; `role` is how it introduces itself.
    pub(crate) fn to(socket: PathBuf, role: &'static str) -> Self {
        let queue = Arc::new(Queue::default());
        let reports = Self(Arc::clone(&queue));
        std::thread::spawn(move || deliver(&socket, role, &queue));
        reports
    }

    /// Queues an event.
    pub(crate) fn send(&self, code: EventCode, role: &str, count: u64, detail: String) {
        if let Some(event) = event(code, role, Some(count), detail) {
            self.put(code.priority(), code.name(), event);
        }
    }

    /// Queues what somebody did; it is dropped last.
    pub(crate) fn audit(&self, audit: Audit) {
        let audit = Captured::new(&Payload::from(audit));
        self.put(Priority::Evidence, "audit", audit);
    }

    fn put(&self, priority: Priority, name: &'static str, event: Captured) {
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.put(priority, name, event);
        self.0.filled.notify_one();
    }
}

fn event(code: EventCode, role: &str, count: Option<u64>, mut detail: String) -> Option<Captured> {
    while detail.len() > evidence::limits::TEXT_BYTES_MAX {
        detail.pop();
    }
    let event = Event {
        count,
        detail: Some(detail),
        ..Event::new(clock::mono(), code, SourceId::new(role).ok()?)
    };
    Some(Captured::new(&event.into()))
}

fn deliver(socket: &Path, role: &'static str, queue: &Queue) {
    let mut channel: Option<Channel> = None;
    for number in 0u64.. {
        let event = next(queue, role);
        let report: Message = ProcessEvent {
            submission_id: number,
            event,
        }
        .into();
        loop {
            if channel.is_none() {
                channel = connect(socket, role, ANSWER);
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

fn next(queue: &Queue, role: &str) -> Captured {
    let mut waiting = queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(event) = waiting.take(role) {
            return event;
        }
        waiting = queue
            .filled
            .wait(waiting)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

pub(super) fn connect(socket: &Path, role: &str, patience: Duration) -> Option<Channel> {
    let channel = Channel::connect(socket, patience).ok()?;
    let hello = Hello {
        role: role.to_owned(),
        pid: u64::from(std::process::id()),
        incarnation: clock::mono().0,
    };
    channel.ask(&hello.into(), ANSWER).ok()?;
    Some(channel)
}

/// Asks for the last seal; the size that it sealed, or `None` if the recorder does not answer.
pub(super) fn stop_recorder(socket: &Path) -> Option<u64> {
    let channel = connect(socket, "supervisor", CONNECT)?;
    match channel.ask(&Stop {}.into(), LAST_SEAL).ok()? {
        Message::Head(head) => Some(head.size),
        _ => None,
    }
}

/// How far the collector has cosigned.
pub(super) fn cosigned_size(socket: &Path) -> Option<u64> {
    let channel = connect(socket, "supervisor", CONNECT)?;
    match channel.ask(&SealedHead {}.into(), ANSWER).ok()? {
        Message::Head(head) => Some(head.cosigned_size),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{QUEUE_MAX, Waiting, event};
    use evidence::reasons::EventCode;
    use evidence::{Captured, Payload};

    fn put(waiting: &mut Waiting, code: EventCode) {
        let event = event(code, "test", None, String::new()).unwrap();
        waiting.put(code.priority(), code.name(), event);
    }

    fn taken(waiting: &mut Waiting) -> Vec<(EventCode, Option<String>)> {
        std::iter::from_fn(|| waiting.take("supervisor"))
            .map(|captured: Captured| match captured.payload().unwrap() {
                Payload::Event(event) => (event.code, event.detail),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    //= R4.4
    //= R10.4
    #[test]
    fn what_matters_least_goes_first_and_what_went_is_named() {
        let mut waiting = Waiting::default();
        put(&mut waiting, EventCode::SafeModeEntered);
        for _ in 0..QUEUE_MAX {
            put(&mut waiting, EventCode::ProcessStarted);
        }
        put(&mut waiting, EventCode::ProcessQuarantined);
        put(&mut waiting, EventCode::OutputDropped);
        let found = taken(&mut waiting);
        assert_eq!(found.len(), QUEUE_MAX + 1);
        assert_eq!(found[0].0, EventCode::SafeModeEntered);
        assert_eq!(found[QUEUE_MAX - 1].0, EventCode::ProcessQuarantined);
        let (code, words) = found.last().unwrap();
        assert_eq!(*code, EventCode::QueueOverflow);
        let words = words.as_deref().unwrap();
        assert!(
            words.contains("2 process_started") && words.contains("1 output_dropped"),
            "{words}"
        );
    }
}
