//! Holds every acknowledgement outside: the committed feed as it was shown, by somebody who is never killed.

use evidence::{Entry, Payload, SourceId, split_leaf};
use ipc::Channel;
use ipc::message::{FeedPull, Message};
use proof::tree::leaf_hash;
use proof::{CompactRange, Frontier, Hash};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the recorder may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Pause before it is looked for again.
const PAUSE: Duration = Duration::from_millis(50);
/// Entries pulled at once.
const PULL_MAX: u64 = 512;
/// How long the recorder is asked to wait for news.
const WAIT_MS: u64 = 100;
/// Entries that are looked at once more after every new connection.
const AGAIN: u64 = 32;

/// What was shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// The leaf hash of every entry, by its index.
    pub(crate) entries: BTreeMap<u64, Hash>,
    /// Sizes that the collector cosigned, with the root that it cosigned.
    pub(crate) acks: BTreeMap<u64, Hash>,
    /// The newest session's instant of capture, by port.
    pub(crate) sessions_ns: BTreeMap<SourceId, u64>,
    /// What contradicted itself while it was shown.
    pub(crate) contradictions: Vec<String>,
    next: u64,
}

impl Held {
    fn session(&mut self, port: SourceId, at_ns: u64) {
        let newest = self.sessions_ns.entry(port).or_default();
        *newest = at_ns.max(*newest);
    }

    /// Takes a leaf as it was shown.
    pub(crate) fn take(&mut self, index: u64, leaf: &[u8]) {
        let hash = leaf_hash(leaf);
        if let Some(before) = self.entries.insert(index, hash)
            && before != hash
        {
            self.contradictions.push(format!(
                "entry {index} was shown with other bytes than before"
            ));
        }
        let entry = split_leaf(leaf).and_then(|(_, bytes)| Entry::decode(bytes).ok());
        match entry.map(|entry| entry.payload()) {
            Some(Ok(Payload::Reading(reading))) => {
                self.session(reading.source, reading.at.0);
            }
            Some(Ok(Payload::AttemptFailed(failed))) => {
                self.session(failed.source, failed.at.0);
            }
            Some(Ok(Payload::Ack(ack))) => {
                self.acks.insert(ack.size, Hash(ack.root.0));
            }
            _ => {}
        }
    }
}

/// The running subscription; it ends with this value.
pub(crate) struct Holder {
    held: Arc<Mutex<Held>>,
    stop: Arc<AtomicBool>,
}

impl Holder {
    /// Subscribes to the recorder that serves a socket, whenever it does.
    pub(crate) fn start(socket: PathBuf) -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (into, ended) = (Arc::clone(&held), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                if let Some(channel) = trial::connect(&socket, "storm") {
                    follow(&channel, &into, &ended);
                }
                std::thread::sleep(PAUSE);
            }
        });
        Self { held, stop }
    }

    /// What was shown so far.
    pub(crate) fn held(&self) -> Held {
        self.look(Clone::clone)
    }

    /// Whether so many ports have captured after an instant.
    pub(crate) fn captured_since(&self, since_ns: u64, ports: usize) -> bool {
        let of = |held: &Held| {
            held.sessions_ns
                .values()
                .filter(|at| **at > since_ns)
                .count()
        };
        self.look(|held| of(held) >= ports)
    }

    /// The largest size that is cosigned, as the log says.
    pub(crate) fn cosigned(&self) -> u64 {
        self.look(|held| held.acks.keys().next_back().copied().unwrap_or(0))
    }

    /// How many entries were shown.
    pub(crate) fn count(&self) -> u64 {
        self.look(|held| held.next)
    }

    fn look<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn follow(channel: &Channel, into: &Mutex<Held>, ended: &AtomicBool) {
    let lock = || into.lock().unwrap_or_else(PoisonError::into_inner);
    // What was shown last is asked for again: an acknowledgement outlives the recorder.
    let mut cursor = lock().next.saturating_sub(AGAIN);
    while !ended.load(Ordering::Relaxed) {
        let Some(batch) = pull(channel, cursor, WAIT_MS) else {
            return;
        };
        let mut held = lock();
        if batch.commit_ptr.0 < held.next {
            let words = format!(
                "{} entries were acknowledged, and then only {} were there",
                held.next, batch.commit_ptr.0
            );
            held.contradictions.push(words);
            held.next = batch.commit_ptr.0;
        }
        for entry in &batch.entries {
            held.take(entry.commit_id.0, &entry.leaf.0);
        }
        cursor = batch.next_cursor.0;
        held.next = held.next.max(cursor);
    }
}

fn pull(channel: &Channel, cursor: u64, wait_ms: u64) -> Option<ipc::message::FeedBatch> {
    let pull = FeedPull {
        cursor: evidence::CommitId(cursor),
        kinds: Vec::new(),
        max: PULL_MAX,
        wait_ms,
    };
    match channel.ask(&pull.into(), ANSWER) {
        Ok(Message::FeedBatch(batch)) => Some(batch),
        _ => None,
    }
}

/// The whole log as it is now, and the roots of its trees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whole {
    pub(crate) entries: Vec<(u64, Vec<u8>)>,
    /// Index and count of what the log itself names as lost.
    pub(crate) holes: Vec<(u64, u64)>,
    /// The root of every size that somebody may have cosigned.
    pub(crate) roots: BTreeMap<u64, Hash>,
}

impl Whole {
    /// Reads it from the recorder, and the roots at the sizes asked for.
    pub(crate) fn read(socket: &Path, sizes: &BTreeMap<u64, Hash>) -> Result<Self, String> {
        let failed = || format!("the recorder at {} does not show its log", socket.display());
        let channel = trial::connect(socket, "storm").ok_or_else(failed)?;
        let mut whole = Self::default();
        let mut frontier = Frontier::new();
        let mut cursor = 0;
        loop {
            let batch = pull(&channel, cursor, 0).ok_or_else(failed)?;
            let mut holes = batch.holes.iter().peekable();
            for entry in &batch.entries {
                while let Some(hole) = holes.next_if(|hole| hole.first < entry.commit_id) {
                    whole.hole(&mut frontier, hole)?;
                }
                frontier.push(leaf_hash(&entry.leaf.0));
                let size = entry.commit_id.0 + 1;
                if sizes.contains_key(&size) {
                    whole.roots.insert(size, frontier.root());
                }
                whole
                    .entries
                    .push((entry.commit_id.0, entry.leaf.0.clone()));
            }
            for hole in holes {
                whole.hole(&mut frontier, hole)?;
            }
            if batch.next_cursor.0 <= cursor || batch.next_cursor >= batch.commit_ptr {
                return Ok(whole);
            }
            cursor = batch.next_cursor.0;
        }
    }

    fn hole(&mut self, frontier: &mut Frontier, hole: &ipc::message::Hole) -> Result<(), String> {
        let hashes = hole.hashes.iter().map(|hash| Hash(hash.0)).collect();
        let end = hole.first.0.saturating_add(hole.count);
        CompactRange::from_parts(hole.first.0, end, hashes)
            .and_then(|range| frontier.append_range(&range))
            .map_err(|error| format!("the hole at {} carries no tree: {error}", hole.first))?;
        self.holes.push((hole.first.0, hole.count));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    //= A5.6
    #[test]
    fn an_entry_that_is_shown_twice_must_be_the_same() {
        let mut held = Held::default();
        held.take(0, b"one");
        held.take(0, b"one");
        assert!(held.contradictions.is_empty());
        held.take(0, b"two");
        assert_eq!(held.contradictions.len(), 1);
    }
}
