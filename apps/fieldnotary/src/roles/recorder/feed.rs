//! The one committed feed: entries up to the committed end, pulled with a cursor and a filter.

use super::given_up::GivenUp;
use super::work::Work;
use evidence::{CommitId, Digest, Entry, Payload};
use ipc::limits::FEED_BYTES_MAX;
use ipc::message::{ErrorCode, FeedBatch, FeedEntry, FeedPull, Frontier, Hole, Leaf, Message};
use journal::{Finding, Loss, Reader};
use media::{FileTruth, FileVolume};
use proof::Frontier as Tree;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Entries that one pull looks at, whatever its filter lets through.
const LOOKED_AT_MAX: u64 = 16_384;
/// Longest wait for new entries.
const WAIT_MS_MAX: u64 = 2_000;

/// Serves every subscriber; the committer moves its end.
#[derive(Debug)]
pub(super) struct Feed {
    end: Mutex<u64>,
    moved: Condvar,
    reader: Mutex<Reader<FileVolume, FileTruth>>,
    given_up: Mutex<GivenUp>,
    work: SyncSender<Work>,
}

impl Feed {
    /// A feed over the journal's own files, opened for reading. Losses that it meets and that no entry
    /// names yet are reported as `work`.
    pub(super) fn new(reader: Reader<FileVolume, FileTruth>, work: SyncSender<Work>) -> Self {
        Self {
            end: Mutex::new(reader.size()),
            moved: Condvar::new(),
            reader: Mutex::new(reader),
            given_up: Mutex::default(),
            work,
        }
    }

    /// The committed end is here now.
    pub(super) fn moved(&self, end: u64) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        self.moved.notify_all();
    }

    /// What is given up, as the newest entries name it.
    pub(super) fn gives_up(&self, given_up: &GivenUp) {
        let mut known = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone_from(given_up);
    }

    /// A copy, mostly of nothing: the committer must not wait for a subscriber that reads.
    fn given_up(&self) -> GivenUp {
        let known = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Reads the log with the feed's own reader.
    pub(super) fn with_reader<T>(
        &self,
        read: impl FnOnce(&mut Reader<FileVolume, FileTruth>) -> T,
    ) -> T {
        read(&mut self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Entries from a cursor on; waits a while when there are none.
    pub(super) fn pull(&self, pull: &FeedPull) -> Message {
        let end = self.wait_past(pull.cursor, pull.wait_ms);
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.size() < end
            && let Err(error) = reader.refresh()
        {
            return Message::error(ErrorCode::Unavailable, error);
        }
        let (batch, unnamed) = collect(&reader, &self.given_up(), pull);
        if let Some(loss) = unnamed {
            // The committer names it; whoever pulls again finds the hole.
            let _ = self.work.try_send(Work::Lost(loss));
        }
        batch.into()
    }

    /// The committed end, once it is past the cursor or the wait is over. The end is not held while
    /// entries are read: the committer waits for a reader only when it has to read the log itself.
    fn wait_past(&self, cursor: CommitId, wait_ms: u64) -> u64 {
        let wait = Duration::from_millis(wait_ms.min(WAIT_MS_MAX));
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (end, _) = self
            .moved
            .wait_timeout_while(end, wait, |end| *end <= cursor.0)
            .unwrap_or_else(PoisonError::into_inner);
        *end
    }

    /// The root of the tree at a size.
    pub(super) fn root_at(&self, size: u64) -> Result<Digest, String> {
        let tree = self.tree_at(size).map_err(|(_, error)| error)?;
        Ok(Digest(tree.root().0))
    }

    fn tree_at(&self, size: u64) -> Result<Tree, (ErrorCode, String)> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader
            .refresh()
            .map_err(|error| (ErrorCode::Unavailable, error.to_string()))?;
        let tree = reader.frontier_at(size);
        tree.or_else(|error| self.given_up().frontier_at(size).ok_or(error))
            .map_err(|error| (ErrorCode::Unknown, error.to_string()))
    }

    /// The frontier of the tree at a size.
    pub(super) fn frontier(&self, size: u64) -> Message {
        match self.tree_at(size) {
            Ok(frontier) => {
                let hashes = frontier
                    .hashes()
                    .iter()
                    .map(|hash| Digest(hash.0))
                    .collect();
                Frontier { size, hashes }.into()
            }
            Err((code, error)) => Message::error(code, error),
        }
    }
}

/// The batch, and a loss at its end that no entry names yet.
fn collect(
    reader: &Reader<FileVolume, FileTruth>,
    given_up: &GivenUp,
    pull: &FeedPull,
) -> (FeedBatch, Option<Loss>) {
    let mut unnamed = None;
    let mut batch = FeedBatch {
        entries: Vec::new(),
        next_cursor: pull.cursor,
        commit_ptr: CommitId(reader.size()),
        holes: Vec::new(),
    };
    let mut bytes = 0usize;
    for read in reader.entries(pull.cursor) {
        let (next, looked_at) = match read {
            Ok(stored) => {
                let next = stored.commit_id.next();
                if passes(&stored, pull) {
                    let entry = FeedEntry {
                        commit_id: stored.commit_id,
                        leaf: Leaf(stored.leaf_data()),
                    };
                    bytes = bytes.saturating_add(entry.wire_bytes_max());
                    if bytes > FEED_BYTES_MAX {
                        break;
                    }
                    batch.entries.push(entry);
                }
                (next, next.0.saturating_sub(pull.cursor.0))
            }
            Err(Finding::Lost(loss)) => {
                let Some(hole) = named_hole(reader, &loss) else {
                    unnamed = Some(loss);
                    break;
                };
                bytes = bytes.saturating_add(hole.wire_bytes_max());
                if bytes > FEED_BYTES_MAX {
                    break;
                }
                batch.holes.push(hole);
                (CommitId(loss.end()), 1)
            }
            Err(Finding::Retired { from, to }) => {
                let mut next = from;
                for hole in given_up.holes(from.0, to.0) {
                    bytes = bytes.saturating_add(hole.wire_bytes_max());
                    if bytes > FEED_BYTES_MAX {
                        break;
                    }
                    next = CommitId(hole.first.0.saturating_add(hole.count));
                    batch.holes.push(hole);
                }
                // What nobody was promised is passed over without a word.
                (if next == from { to } else { next }, 0)
            }
            Err(_) => continue,
        };
        batch.next_cursor = batch.next_cursor.max(next);
        let full = batch.entries.len() as u64 >= pull.max.max(1);
        if full || looked_at >= LOOKED_AT_MAX {
            break;
        }
    }
    (batch, unnamed)
}

fn passes(stored: &journal::StoredEntry, pull: &FeedPull) -> bool {
    pull.kinds.is_empty()
        || Entry::decode(&stored.bytes).is_ok_and(|entry| pull.kinds.contains(&entry.header.kind))
}

/// The hole as the LOSS entry names it, by the rule that the collector has: same cause, same hashes. What was the
/// cause when it was named may look like another since: a file that was cut short has been made whole. A loss that no
/// entry names yet is not handed out.
fn named_hole(reader: &Reader<FileVolume, FileTruth>, loss: &Loss) -> Option<Hole> {
    let hashes = loss.hashes.as_ref()?;
    let names = |payload: Payload| {
        let Payload::Loss(named) = payload else {
            return None;
        };
        let cause = named.cause;
        let lost = exchange::Hole::new(loss.first.0, loss.count, cause, hashes.clone()).ok()?;
        let named = exchange::Hole::from_loss(&named).ok()?;
        lost.is_named_by(&named).then_some(cause)
    };
    let (named_by, cause) = reader
        .entries(CommitId(loss.end()))
        .flatten()
        .find_map(|stored| {
            let cause = names(stored.entry().ok()?.payload().ok()?)?;
            Some((stored.commit_id, cause))
        })?;
    Some(Hole {
        first: loss.first,
        count: loss.count,
        cause,
        hashes: hashes.iter().map(|hash| Digest(hash.0)).collect(),
        named_by,
    })
}
