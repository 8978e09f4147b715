//! What a port holds until the recorder has acknowledged it, in order and bounded.

use crate::roles::link::RecorderLink;
use evidence::Stream;
use evidence::{Captured, Seq, SourceId};
use ipc::message::{Lease, Message, RefuseReason, Submit};
use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Items of a port that may wait for the recorder; at three quarters it stops to start sessions.
pub(super) const PORT_ITEMS_MAX: usize = 4_096;
/// The same of a card, whose items are batches of many records.
pub(super) const CARD_ITEMS_MAX: usize = 512;
/// Numbers asked for at once.
const LEASE_COUNT: u64 = 1_024;
/// Pause before a refused submission is sent again.
const AGAIN: Duration = Duration::from_millis(200);

/// Something for the recorder.
#[derive(Debug)]
pub(super) enum Item {
    /// Records to be committed.
    Batch {
        stream: Stream,
        seq: Option<Seq>,
        records: Vec<Captured>,
    },
    /// A block of numbers; `held` is the highest that the port was given.
    Lease { stream: Stream, held: Option<u64> },
}

/// Something from the recorder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A block of numbers.
    Leased { stream: Stream, next: Seq, end: Seq },
    /// The queue is full, or has space again.
    Full(bool),
}

#[derive(Debug, Default)]
struct Shelf {
    items: VecDeque<Item>,
    news: Vec<News>,
    full: bool,
    closed: bool,
}

/// The queue between a port's thread and its submitting thread.
#[derive(Debug)]
pub(super) struct Outbox {
    shelf: Mutex<Shelf>,
    filled: Condvar,
    bell: UnixStream,
    /// From three quarters of it on the queue counts as full, from half of it down it has space again.
    items_max: usize,
}

impl Outbox {
    /// An empty queue that rings `bell` when there is news for the port.
    pub(super) fn new(bell: UnixStream, items_max: usize) -> Arc<Self> {
        Arc::new(Self {
            shelf: Mutex::default(),
            filled: Condvar::new(),
            bell,
            items_max,
        })
    }

    /// Puts an item at the end. The engine was told in time to start nothing new when it is full.
    pub(super) fn put(&self, item: Item) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.items.push_back(item);
        if !shelf.full && shelf.items.len() >= self.items_max / 4 * 3 {
            shelf.full = true;
            shelf.news.push(News::Full(true));
            self.ring();
        }
        self.filled.notify_one();
    }

    /// What came from the recorder since the last look.
    pub(super) fn news(&self) -> Vec<News> {
        std::mem::take(
            &mut self
                .shelf
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .news,
        )
    }

    /// No more items will come.
    pub(super) fn close(&self) {
        self.shelf
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.filled.notify_one();
    }

    /// Delivers items in order until the queue is closed and empty, or the link gives up.
    pub(super) fn deliver(&self, link: &mut RecorderLink, port: &SourceId) {
        let mut number = 0;
        while let Some(request) = self.next_request(&mut number) {
            loop {
                let Some(answer) = link.ask(&request) else {
                    return;
                };
                match self.take_answer(answer, port) {
                    Verdict::Done => break,
                    Verdict::Again => std::thread::sleep(AGAIN),
                }
            }
            self.done();
        }
    }

    /// The request for the first item, which stays in the queue until it is done.
    fn next_request(&self, number: &mut u64) -> Option<Message> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(item) = shelf.items.front() {
                *number += 1;
                return Some(request(item, *number));
            }
            if shelf.closed {
                return None;
            }
            shelf = self
                .filled
                .wait(shelf)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.items.pop_front();
        if shelf.full && shelf.items.len() <= self.items_max / 2 {
            shelf.full = false;
            shelf.news.push(News::Full(false));
            self.ring();
        }
    }

    fn take_answer(&self, answer: Message, port: &SourceId) -> Verdict {
        match answer {
            Message::Accepted(_) => Verdict::Done,
            Message::Leased(leased) => {
                if let Ok(stream) = leased.stream.parse() {
                    let news = News::Leased {
                        stream,
                        next: Seq(leased.next),
                        end: Seq(leased.end),
                    };
                    self.shelf
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .news
                        .push(news);
                    self.ring();
                }
                Verdict::Done
            }
            Message::Refused(refused) => match refused.reason {
                RefuseReason::Busy | RefuseReason::Storage => Verdict::Again,
                // The recorder has kept a sample with the reason; sending it again changes nothing.
                reason => {
                    eprintln!("io: {port}: records refused: {reason}: {}", refused.detail);
                    Verdict::Done
                }
            },
            other => {
                eprintln!("io: {port}: the recorder answered {other:?}");
                Verdict::Again
            }
        }
    }

    fn ring(&self) {
        // A full pipe has rung already.
        let _ = (&self.bell).write(&[1]);
    }
}

enum Verdict {
    Done,
    Again,
}

fn request(item: &Item, number: u64) -> Message {
    match item {
        Item::Batch {
            stream,
            seq,
            records,
        } => Submit {
            submission_id: number,
            stream: stream.to_string(),
            stream_seq: seq.map(|seq| seq.0),
            records: records.clone(),
        }
        .into(),
        Item::Lease { stream, held } => Lease {
            stream: stream.to_string(),
            attempted: *held,
            count: LEASE_COUNT,
        }
        .into(),
    }
}
