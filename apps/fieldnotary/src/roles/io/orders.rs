//! What is committed to be done in the field, on its way to one card or port: commands and tags of outputs, orders to
//! set the clocks of meters.
//!
//! It comes from the committed feed and from nowhere else: what is not in the log moves nothing.

use super::outbox::{News, Outbox};
use crate::roles::link::RecorderLink;
use evidence::{CommitId, Entry, Kind, Payload, SourceId, split_leaf};
use io_plane::ClockAsked;
use io_plane::outputs::{Asked, Given};
use ipc::message::{
    ClockFloor, ClockStart, FeedBatch, FeedEntry, FeedPull, Message, OutputFloor, OutputStart,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the recorder may wait for something to tell.
const WAIT_MS: u64 = 500;
/// How long an answer may take beyond that before the recorder counts as gone.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause before a recorder that is gone is looked for again.
const AGAIN: Duration = Duration::from_millis(200);
/// Entries of one pull.
const ENTRIES_MAX: u64 = 64;

/// What is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The outputs of a card.
    Outputs,
    /// The clocks of a port's meters.
    Clocks,
}

/// The thread that follows the log.
pub(super) struct Orders {
    id: SourceId,
    thread: JoinHandle<()>,
    end: Arc<AtomicBool>,
}

impl Orders {
    /// Begins to follow.
    pub(super) fn begin(socket: &Path, about: About, id: &SourceId, outbox: &Arc<Outbox>) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let mut follower = Follower {
            link: RecorderLink::for_port(socket, id, &end),
            about,
            id: id.clone(),
            outbox: Arc::clone(outbox),
            end: Arc::clone(&end),
        };
        Self {
            id: id.clone(),
            thread: std::thread::spawn(move || follower.run()),
            end,
        }
    }

    /// Ends it, within one pull.
    pub(super) fn end(self) -> Result<(), String> {
        self.end.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| format!("{}: its commands ended by a fault of this program", self.id))
    }
}

struct Follower {
    link: RecorderLink,
    about: About,
    id: SourceId,
    outbox: Arc<Outbox>,
    end: Arc<AtomicBool>,
}

impl About {
    /// Asks the recorder what is open.
    fn floor(self, id: &SourceId) -> Message {
        match self {
            Self::Outputs => OutputFloor { card: id.clone() }.into(),
            Self::Clocks => ClockFloor { port: id.clone() }.into(),
        }
    }

    fn kinds(self) -> Vec<Kind> {
        match self {
            Self::Outputs => vec![Kind::Command, Kind::Tag],
            Self::Clocks => vec![Kind::ClockOrder],
        }
    }
}

impl Follower {
    fn run(&mut self) {
        let mut gone = false;
        while !self.end.load(Ordering::Relaxed) {
            let floor = self.about.floor(&self.id);
            if let Some((from, start)) = self.link.once(&floor, PATIENCE).and_then(met) {
                gone = false;
                self.outbox.tell(start);
                self.follow(from);
            }
            if self.end.load(Ordering::Relaxed) {
                return;
            }
            if !std::mem::replace(&mut gone, true) && self.about == About::Outputs {
                self.outbox.tell(News::Asked(Asked::RecorderGone));
            }
            std::thread::sleep(AGAIN);
        }
    }

    /// Hands over what is committed, until the recorder is gone.
    fn follow(&mut self, from: CommitId) {
        let mut cursor = from;
        while !self.end.load(Ordering::Relaxed) {
            let pull = FeedPull {
                cursor,
                kinds: self.about.kinds(),
                max: ENTRIES_MAX,
                wait_ms: WAIT_MS,
            };
            let patience = PATIENCE + Duration::from_millis(WAIT_MS);
            let Some(Message::FeedBatch(batch)) = self.link.once(&pull.into(), patience) else {
                return;
            };
            cursor = batch.next_cursor;
            orders(batch).for_each(|order| self.outbox.tell(order));
        }
    }
}

/// From where on the feed is to be followed, and what the log has open below.
fn met(start: Message) -> Option<(CommitId, News)> {
    match start {
        Message::OutputStart(start) => Some((start.from, News::Asked(of_outputs(start)))),
        Message::ClockStart(start) => Some((start.from, News::Clock(of_clocks(start)))),
        _ => None,
    }
}

fn of_clocks(start: ClockStart) -> ClockAsked {
    let open = start.open.into_iter();
    ClockAsked::Met {
        from: start.from,
        open: open.map(|one| (one.meter, one.order)).collect(),
    }
}

fn of_outputs(start: OutputStart) -> Asked {
    let open = start.open.into_iter();
    let tags = start.tags.into_iter();
    Asked::Met {
        from: start.from,
        open: open.map(|one| (one.point, one.command)).collect(),
        tags: tags.map(|tag| (tag.point, tag.by)).collect(),
    }
}

fn orders(batch: FeedBatch) -> impl Iterator<Item = News> {
    batch.entries.into_iter().filter_map(|entry| order(&entry))
}

/// What an entry asks for; nothing where it does not hold.
fn order(entry: &FeedEntry) -> Option<News> {
    let (_, bytes) = split_leaf(&entry.leaf.0)?;
    let read = Entry::decode(bytes).ok()?;
    let id: CommitId = entry.commit_id;
    match read.payload().ok()? {
        Payload::Command(command) => Some(News::Asked(Asked::Command(Given {
            id,
            command,
            stamp: read.stamp,
        }))),
        Payload::Tag(tag) => Some(News::Asked(Asked::Tag(tag))),
        Payload::ClockOrder(order) => Some(News::Clock(ClockAsked::Order {
            id,
            order,
            stamp: read.stamp,
        })),
        _ => None,
    }
}
