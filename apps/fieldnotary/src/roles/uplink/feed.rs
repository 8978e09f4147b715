//! The committed feed as the exchange needs it: sealed checkpoints in order, leaves on demand.

use crate::roles::link::RecorderLink;
use evidence::{CommitId, Entry, Kind, Payload, split_leaf};
use exchange::{Head, Hole, Need, Run, Sealed, Supply};
use ipc::message::{FeedBatch, FrontierAt, Message, SealedHead};
use proof::{Frontier, Hash};

/// Entries pulled at once.
const PULL_MAX: u64 = 1_024;

/// A cursor over checkpoint entries.
#[derive(Debug)]
pub(super) struct Feed {
    cursor: CommitId,
}

/// What a look at the feed found.
#[derive(Debug)]
pub(super) struct News {
    pub(super) sealed: Vec<Sealed>,
    /// What keys state of those that follow them.
    pub(super) rotations: Vec<String>,
    pub(super) caught_up: bool,
}

impl Feed {
    /// Starts where the newest acknowledgement left off, and reads that acknowledgement.
    pub(super) fn open(link: &mut RecorderLink) -> Result<(Self, Option<Head>), String> {
        let cosigned = match link.ask(&SealedHead {}.into()) {
            Some(Message::Head(head)) => head.cosigned_size,
            Some(other) => return Err(format!("the recorder did not tell its head: {other:?}")),
            None => 0,
        };
        let mut acked = None;
        let mut cursor = CommitId(cosigned);
        while cosigned > 0 && acked.is_none() {
            let Some(batch) = link.pull(cursor, vec![Kind::Ack], PULL_MAX, 0) else {
                break;
            };
            for payload in batch
                .entries
                .iter()
                .filter_map(|entry| payload(&entry.leaf.0))
            {
                if let Payload::Ack(ack) = payload
                    && ack.size == cosigned
                {
                    acked = Some(Head {
                        size: ack.size,
                        root: Hash(ack.root.0),
                    });
                }
            }
            if batch.next_cursor >= batch.commit_ptr {
                break;
            }
            cursor = batch.next_cursor;
        }
        Ok((
            Self {
                cursor: CommitId(cosigned),
            },
            acked,
        ))
    }

    /// Checkpoints committed since the last look; `None` when told to stop.
    pub(super) fn checkpoints(&mut self, link: &mut RecorderLink, wait_ms: u64) -> Option<News> {
        let kinds = vec![Kind::Checkpoint, Kind::KeyRotation];
        let batch = link.pull(self.cursor, kinds, PULL_MAX, wait_ms)?;
        self.cursor = batch.next_cursor;
        let mut news = News {
            sealed: Vec::new(),
            rotations: Vec::new(),
            caught_up: batch.next_cursor >= batch.commit_ptr,
        };
        for entry in &batch.entries {
            match payload(&entry.leaf.0) {
                Some(Payload::Checkpoint(checkpoint)) => news.sealed.push(Sealed {
                    head: Head {
                        size: checkpoint.size,
                        root: Hash(checkpoint.root.0),
                    },
                    note: checkpoint.note,
                }),
                Some(Payload::KeyRotation(told)) => news.rotations.push(told.statement),
                _ => {}
            }
        }
        Some(news)
    }
}

/// All statements of new keys in the log, the oldest first; `None` when told to stop.
pub(super) fn statements(link: &mut RecorderLink) -> Option<Vec<String>> {
    let (mut all, mut cursor) = (Vec::new(), CommitId(0));
    loop {
        let batch = link.pull(cursor, vec![Kind::KeyRotation], PULL_MAX, 0)?;
        let told = batch
            .entries
            .iter()
            .filter_map(|entry| payload(&entry.leaf.0));
        all.extend(told.filter_map(|payload| match payload {
            Payload::KeyRotation(told) => Some(told.statement),
            _ => None,
        }));
        if batch.next_cursor >= batch.commit_ptr || batch.next_cursor <= cursor {
            return Some(all);
        }
        cursor = batch.next_cursor;
    }
}

/// Reads leaves for the exchange: the outer `None` when told to stop, the error when they are not there
/// just now.
pub(super) fn supply(link: &mut RecorderLink, need: Need) -> Option<Result<Supply, String>> {
    let frontier = match need.frontier.then(|| frontier(link, need.from)) {
        Some(answer) => match answer? {
            Ok(frontier) => Some(frontier),
            Err(reason) => return Some(Err(reason)),
        },
        None => None,
    };
    let max = need.to.saturating_sub(need.from).min(PULL_MAX);
    let batch = link.pull(CommitId(need.from), Vec::new(), max, 0)?;
    Some(runs(need, batch).map(|runs| Supply {
        from: need.from,
        frontier,
        runs,
    }))
}

fn frontier(link: &mut RecorderLink, size: u64) -> Option<Result<Frontier, String>> {
    Some(match link.ask(&FrontierAt { size }.into())? {
        Message::Frontier(frontier) => {
            let hashes = frontier
                .hashes
                .iter()
                .map(|digest| Hash(digest.0))
                .collect();
            Frontier::from_parts(frontier.size, hashes).map_err(|error| error.to_string())
        }
        other => Err(format!("no frontier at {size}: {other:?}")),
    })
}

/// Entries and holes of a batch as neighbours from `need.from` on.
fn runs(need: Need, batch: FeedBatch) -> Result<Vec<Run>, String> {
    let mut runs = Vec::new();
    let mut at = need.from;
    let mut holes = batch.holes.into_iter().peekable();
    let mut entries = batch.entries.into_iter().peekable();
    while at < need.to {
        if let Some(hole) =
            holes.next_if(|hole| hole.first.0 <= at && at < hole.first.0 + hole.count)
        {
            let hashes = hole.hashes.iter().map(|digest| Hash(digest.0)).collect();
            let whole = Hole::new(hole.first.0, hole.count, hole.cause, hashes)
                .map_err(|error| error.to_string())?;
            let part = whole
                .part(at, whole.end())
                .ok_or_else(|| format!("the hole at {} cannot be cut at {at}", hole.first))?;
            at = part.end();
            runs.push(Run::Hole {
                hole: part,
                named_by: hole.named_by,
            });
            continue;
        }
        let Some(entry) = entries.next_if(|entry| entry.commit_id.0 == at) else {
            break;
        };
        runs.push(Run::Leaf(entry.leaf.0));
        at += 1;
    }
    if runs.is_empty() {
        return Err(format!(
            "the recorder has no entry {} and names no loss",
            need.from
        ));
    }
    Ok(runs)
}

fn payload(leaf: &[u8]) -> Option<Payload> {
    let (_, entry) = split_leaf(leaf)?;
    Entry::decode(entry).ok()?.payload().ok()
}
