//! The committed commands and tags on their way to the outputs of one card.
//!
//! They come from the committed feed and from nowhere else: what is not in the log moves nothing.

use super::outbox::{News, Outbox};
use crate::roles::link::RecorderLink;
use evidence::{CommitId, Entry, Kind, Payload, SourceId, split_leaf};
use io_plane::outputs::{Asked, Given};
use ipc::message::{FeedBatch, FeedEntry, FeedPull, Message, OutputFloor, OutputStart};
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

/// The thread that follows the log.
pub(super) struct Orders {
    id: SourceId,
    thread: JoinHandle<()>,
    end: Arc<AtomicBool>,
}

impl Orders {
    /// Begins to follow.
    pub(super) fn begin(socket: &Path, id: &SourceId, outbox: &Arc<Outbox>) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let mut follower = Follower {
            link: RecorderLink::for_port(socket, id, &end),
            card: id.clone(),
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
    card: SourceId,
    outbox: Arc<Outbox>,
    end: Arc<AtomicBool>,
}

impl Follower {
    fn run(&mut self) {
        let mut gone = false;
        while !self.end.load(Ordering::Relaxed) {
            let asked = OutputFloor {
                card: self.card.clone(),
            };
            if let Some(Message::OutputStart(start)) = self.link.once(&asked.into(), PATIENCE) {
                gone = false;
                self.follow(start);
            }
            if self.end.load(Ordering::Relaxed) {
                return;
            }
            if !std::mem::replace(&mut gone, true) {
                self.outbox.tell(News::Asked(Asked::RecorderGone));
            }
            std::thread::sleep(AGAIN);
        }
    }

    /// Hands over what is committed, until the recorder is gone.
    fn follow(&mut self, start: OutputStart) {
        let mut cursor = start.from;
        self.outbox.tell(News::Asked(met(start)));
        while !self.end.load(Ordering::Relaxed) {
            let pull = FeedPull {
                cursor,
                kinds: vec![Kind::Command, Kind::Tag],
                max: ENTRIES_MAX,
                wait_ms: WAIT_MS,
            };
            let patience = PATIENCE + Duration::from_millis(WAIT_MS);
            let Some(Message::FeedBatch(batch)) = self.link.once(&pull.into(), patience) else {
                return;
            };
            cursor = batch.next_cursor;
            for asked in orders(batch) {
                self.outbox.tell(News::Asked(asked));
            }
        }
    }
}

fn met(start: OutputStart) -> Asked {
    let open = start.open.into_iter();
    let tags = start.tags.into_iter();
    Asked::Met {
        from: start.from,
        open: open.map(|one| (one.point, one.command)).collect(),
        tags: tags.map(|tag| (tag.point, tag.by)).collect(),
    }
}

fn orders(batch: FeedBatch) -> impl Iterator<Item = Asked> {
    batch.entries.into_iter().filter_map(|entry| order(&entry))
}

/// What an entry asks for; nothing where it does not hold.
fn order(entry: &FeedEntry) -> Option<Asked> {
    let (_, bytes) = split_leaf(&entry.leaf.0)?;
    let read = Entry::decode(bytes).ok()?;
    let id: CommitId = entry.commit_id;
    match read.payload().ok()? {
        Payload::Command(command) => Some(Asked::Command(Given {
            id,
            command,
            stamp: read.stamp,
        })),
        Payload::Tag(tag) => Some(Asked::Tag(tag)),
        _ => None,
    }
}
