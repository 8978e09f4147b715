//! What a port holds until the recorder has acknowledged it, in order and bounded.

use crate::roles::link::RecorderLink;
use evidence::Stream;
use evidence::{Captured, MeterId, Seq, Slot, SourceId};
use io_plane::outputs::Asked;
use io_plane::{Batch, ClockAsked};
use ipc::message::{Lease, Message, MissedFloor, RefuseReason, Submit};
use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
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
enum Item {
    /// Records to be committed.
    Batch {
        stream: Stream,
        seq: Option<Seq>,
        records: Vec<Captured>,
    },
    /// A block of numbers.
    Lease { stream: Stream },
    /// Slots of a meter that its memory may have.
    Missed { meter: MeterId },
}

/// Something from the recorder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A block of numbers of an engine's stream.
    Leased {
        stream: io_plane::Stream,
        next: Seq,
        end: Seq,
    },
    /// Slots of a meter without a reading, and whether there are others.
    Missed {
        meter: MeterId,
        slots: Vec<io_plane::MissedSlot>,
        others: bool,
    },
    /// The queue is full, or has space again.
    Full(bool),
    /// Something that concerns outputs.
    Asked(Asked),
    /// Something that concerns the clocks of meters.
    Clock(ClockAsked),
}

#[derive(Debug, Default)]
struct Shelf {
    items: VecDeque<Item>,
    /// The end of the block that each stream was given last, as the recorder said it.
    held: BTreeMap<Stream, u64>,
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
    ///
    /// A stream whose block is asked for already is not asked for again: the recorder would take the second
    /// request of a stream without a block for that of a new process, and book the block as skipped.
    fn put(&self, item: Item) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Item::Lease { stream } = &item
            && shelf.asks_for(stream)
        {
            return;
        }
        shelf.items.push_back(item);
        if !shelf.full && shelf.items.len() >= self.items_max / 4 * 3 {
            shelf.full = true;
            shelf.news.push(News::Full(true));
            self.ring();
        }
        self.filled.notify_one();
    }

    /// Puts what an engine says of this port or card at the end.
    pub(super) fn put_batch(&self, id: &SourceId, batch: Batch) {
        self.put(Item::Batch {
            stream: named(id, batch.stream),
            seq: batch.seq,
            records: batch.records,
        });
    }

    /// Asks for a block of numbers of an engine's stream.
    pub(super) fn put_lease(&self, id: &SourceId, stream: io_plane::Stream) {
        let stream = named(id, stream);
        self.put(Item::Lease { stream });
    }

    /// Asks which slots of a meter its memory may have.
    pub(super) fn put_missed(&self, meter: MeterId) {
        self.put(Item::Missed { meter });
    }

    /// What came from the recorder since the bell rang.
    pub(super) fn answered(&self, mut bell: &UnixStream) -> Vec<News> {
        // One ring or many: the news are taken all at once.
        let _ = bell.read(&mut [0u8; 64]);
        self.news()
    }

    /// What came from the recorder since the last look.
    fn news(&self) -> Vec<News> {
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
                return Some(request(item, &shelf.held, *number));
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
                if let Ok(stream) = leased.stream.parse::<Stream>() {
                    let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
                    shelf.held.insert(stream.clone(), leased.end);
                    let news = News::Leased {
                        stream: unnamed(stream),
                        next: Seq(leased.next),
                        end: Seq(leased.end),
                    };
                    shelf.news.push(news);
                    self.ring();
                }
                Verdict::Done
            }
            Message::MissedSlots(missed) => {
                let slots = missed.slots.iter().map(|one| io_plane::MissedSlot {
                    slot: Slot {
                        version: one.version,
                        number: one.number,
                    },
                    due: one.due,
                });
                let news = News::Missed {
                    meter: missed.meter,
                    slots: slots.collect(),
                    others: missed.others,
                };
                let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
                shelf.news.push(news);
                self.ring();
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

    /// Something that did not come from this queue.
    pub(super) fn tell(&self, news: News) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.news.push(news);
        self.ring();
    }

    /// Wakes whoever waits for news.
    pub(super) fn ring(&self) {
        // A full pipe has rung already.
        let _ = (&self.bell).write(&[1]);
    }
}

/// An engine's stream by its name in the log: an engine knows no port but its own.
fn named(id: &SourceId, stream: io_plane::Stream) -> Stream {
    match stream {
        io_plane::Stream::Meter(meter) => Stream::Meter(meter),
        io_plane::Stream::Port => Stream::Port(id.clone()),
    }
}

fn unnamed(stream: Stream) -> io_plane::Stream {
    match stream {
        Stream::Meter(meter) => io_plane::Stream::Meter(meter),
        Stream::Port(_) => io_plane::Stream::Port,
    }
}

enum Verdict {
    Done,
    Again,
}

impl Shelf {
    fn asks_for(&self, stream: &Stream) -> bool {
        let mut items = self.items.iter();
        items.any(|item| matches!(item, Item::Lease { stream: asked } if asked == stream))
    }
}

fn request(item: &Item, held: &BTreeMap<Stream, u64>, number: u64) -> Message {
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
        Item::Lease { stream } => Lease {
            stream: stream.to_string(),
            attempted: held.get(stream).copied(),
            count: LEASE_COUNT,
        }
        .into(),
        Item::Missed { meter } => MissedFloor {
            meter: meter.clone(),
        }
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{News, Outbox, PORT_ITEMS_MAX};
    use evidence::{MeterId, Seq, SourceId};
    use io_plane::Stream;
    use ipc::message::{Leased, Message};
    use std::os::unix::net::UnixStream;

    //= A4.2
    #[test]
    fn a_stream_that_waits_for_its_block_asks_once_and_then_goes_on_from_it() {
        let (bell, _ears) = UnixStream::pair().unwrap();
        let outbox = Outbox::new(bell, PORT_ITEMS_MAX);
        let port = SourceId::new("rs485").unwrap();
        let stream = |meter: &str| Stream::Meter(MeterId::new(meter).unwrap());
        let ask = |meter: &str| outbox.put_lease(&port, stream(meter));
        // The recorder is slow, and the engine asks again and again.
        for meter in ["m1", "m1", "m2", "m1", "m2"] {
            ask(meter);
        }
        let mut number = 0;
        let mut grant = |end: u64| {
            let Some(Message::Lease(asked)) = outbox.next_request(&mut number) else {
                panic!("no request");
            };
            let leased = Leased {
                stream: asked.stream.clone(),
                next: end - 10,
                end,
            };
            outbox.take_answer(leased.into(), &port);
            outbox.done();
            (asked.stream, asked.attempted)
        };
        assert_eq!(grant(10), ("meter m1".to_owned(), None));
        assert_eq!(grant(10), ("meter m2".to_owned(), None));
        ask("m1");
        ask("m1");
        assert_eq!(grant(20), ("meter m1".to_owned(), Some(10)));
        let given = |meter: &str, end| News::Leased {
            stream: stream(meter),
            next: Seq(end - 10),
            end: Seq(end),
        };
        assert_eq!(
            outbox.news(),
            [given("m1", 10), given("m2", 10), given("m1", 20)]
        );
        outbox.close();
        assert!(outbox.next_request(&mut number).is_none());
    }
}
