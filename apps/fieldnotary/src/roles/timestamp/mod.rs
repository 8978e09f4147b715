//! The timestamp role: asks a timestamp authority about the newest checkpoint, once a day (RFC 3161), and hands what it
//! says to the recorder. Nobody waits for it; what it cannot have is an entry with the reason, and tried again.

mod ask;
mod judged;
mod place;
#[cfg(test)]
mod tests;
mod tries;

use crate::clock;
use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use ask::Authority;
pub(crate) use ask::trusted;
use contract::Contract;
use evidence::kinds::{Checkpoint, TimestampFailed};
use evidence::reasons::StampFault;
use evidence::{CommitId, Entry, Kind, MonoNs, Payload, Stamp, split_leaf};
use place::Place;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tries::Tries;

/// Checkpoints that are looked at at once; only the newest is of use.
const PULL_MAX: u64 = 64;
/// Longest wait for a new one, in milliseconds.
const FEED_WAIT_MS: u64 = 500;
/// Longest detail of a failure, in characters.
const DETAIL_CHARS_MAX: usize = 400;

/// Asks until it is told to stop.
pub(crate) fn run(
    contract: &Contract,
    data: &DataDir,
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let timestamp = contract.timestamp.as_ref();
    let timestamp = timestamp.ok_or("the contract has no [timestamp]")?;
    let mut link = RecorderLink::new(&data.recorder_socket(), "timestamp", stop);
    let Some(welcome) = link.welcome() else {
        return Ok(());
    };
    let mut role = Role {
        authority: Authority::new(timestamp, data.root()),
        place: Place::open(&data.stamped()),
        every_ms: timestamp.every_ms,
        // Those of this run alone: an older one has a monotonic time of another boot.
        cursor: welcome.commit_ptr,
        newest: None,
        tries: Tries::default(),
        link,
    };
    let patience = Duration::from_millis(timestamp.timeout_ms);
    while !stop.load(Ordering::Relaxed) {
        sandbox::pulse::busy(patience * 2);
        if role.turn().is_none() {
            break;
        }
    }
    Ok(())
}

/// A checkpoint, and what the node's own time was when it was signed.
#[derive(Clone, Debug)]
struct Sealed {
    checkpoint: Checkpoint,
    stamp: Stamp,
}

/// Why there is no timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failed {
    fault: StampFault,
    words: String,
}

impl Failed {
    fn new(fault: StampFault, words: impl Into<String>) -> Self {
        let words: String = words.into();
        Self {
            fault,
            words: words.chars().take(DETAIL_CHARS_MAX).collect(),
        }
    }
}

struct Role {
    authority: Authority,
    place: Place,
    every_ms: u64,
    cursor: CommitId,
    newest: Option<Sealed>,
    tries: Tries,
    link: RecorderLink,
}

impl Role {
    /// One look; `None` when told to stop.
    fn turn(&mut self) -> Option<()> {
        self.look()?;
        let now = clock::mono();
        if !self.place.is_due(clock::utc(), self.every_ms) || !self.tries.is_due(now) {
            return Some(());
        }
        let Some(sealed) = self.newest.clone() else {
            return Some(());
        };
        match self.authority.stamped(&sealed) {
            Ok(timestamp) => {
                if !self.link.report(&timestamp.into())? {
                    // Nothing is in the log: as if it had not been had, and the recorder would take no word of that either.
                    self.tries.put_off(clock::mono());
                    return Some(());
                }
                self.tries = Tries::default();
                // A place that is not noted costs one more timestamp behind a restart.
                if let Err(error) = self.place.note(clock::utc()) {
                    eprintln!("timestamp: {error}");
                }
                Some(())
            }
            Err(failed) => self.failed(&sealed, failed),
        }
    }

    fn look(&mut self) -> Option<()> {
        let kinds = vec![Kind::Checkpoint];
        let batch = self.link.pull(self.cursor, kinds, PULL_MAX, FEED_WAIT_MS)?;
        self.cursor = batch.next_cursor;
        let mut found = batch.entries.iter().rev();
        if let Some(newest) = found.find_map(|one| sealed(&one.leaf.0)) {
            self.newest = Some(newest);
        }
        Some(())
    }

    fn failed(&mut self, sealed: &Sealed, failed: Failed) -> Option<()> {
        let now = clock::mono();
        let Some(count) = self.tries.failed(now, failed.fault) else {
            return Some(());
        };
        let told = TimestampFailed {
            at: now,
            size: sealed.checkpoint.size,
            fault: failed.fault,
            count,
            retry_ms: self.tries.wait_ms(),
            detail: failed.words,
        };
        self.link.report(&told.into()).map(drop)
    }
}

fn sealed(leaf: &[u8]) -> Option<Sealed> {
    let (_, entry) = split_leaf(leaf)?;
    let entry = Entry::decode(entry).ok()?;
    match entry.payload().ok()? {
        Payload::Checkpoint(checkpoint) => Some(Sealed {
            checkpoint,
            stamp: entry.stamp,
        }),
        _ => None,
    }
}

/// Between two instants of the monotonic clock the question was answered.
#[derive(Clone, Copy, Debug)]
struct Span {
    sent: MonoNs,
    answered: MonoNs,
}
