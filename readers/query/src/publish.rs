//! One generation of a node's log in its published form (C2SP tlog-tiles), handed out file by file.

mod bundles;
mod custody;

pub use custody::custody_told;

use crate::ahead;
use bundles::Bundles;
use evidence::kinds::Loss;
use evidence::{CommitId, Kind, Payload};
use journal::{Finding, RangeError, ReadTruth, ReadVolume, Reader, ReaderFrame, StoredEntry};
use proof::note::Note;
use proof::offline::OfflineProof;
use proof::tile::{CHECKPOINT_PATH, Tile, TileStream};
use proof::tree::KnownJoins;
use proof::{Checkpoint, CompactRange, Hash};
use serde_json::json;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The cause of a hole before the oldest entry: those have left the ring.
pub(crate) const RETIRED: &str = "retired";

/// Takes a path under the log's directory and the bytes that belong there; an error is in words.
pub type WriteFile<'a> = dyn FnMut(&str, &[u8]) -> Result<(), String> + 'a;

/// Why a log cannot be published.
#[derive(Debug)]
pub enum PublishError {
    /// No checkpoint is signed yet.
    NothingSealed,
    /// The ring moved on while it was read.
    MovedOn,
    /// The hashes of lost entries are not known, so no tree can be built across them.
    HashesUnknown {
        /// The first of them.
        first: u64,
        /// One past the last.
        end: u64,
    },
    /// The entries lead to another root than was signed.
    OtherRoot {
        /// Size of the signed tree.
        size: u64,
    },
    /// The entry is not under any signed checkpoint yet.
    NotSealed {
        /// Size of the newest one.
        size: u64,
    },
    /// The entry cannot be read any more, in words.
    Gone(String),
    /// The signed note is no checkpoint.
    BadCheckpoint(String),
    /// The tree cannot be told.
    Range(RangeError),
    /// A file cannot be written, in words.
    Write(String),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingSealed => f.write_str(
                "no checkpoint is signed yet, so there is nothing to prove anything by: a node signs \
                 the first one shortly after its start",
            ),
            Self::MovedOn => f.write_str(
                "the node wrote over the oldest entries while they were read: try again",
            ),
            Self::HashesUnknown { first, end } => write!(
                f,
                "entries {first} to {} are lost, and so are their hashes: no tree can be built across \
                 them",
                end.saturating_sub(1)
            ),
            Self::OtherRoot { size } => write!(
                f,
                "the entries below {size} lead to another root than was signed: one of them was \
                 changed after it was sealed; `fieldnotary verify` says more"
            ),
            Self::NotSealed { size } => write!(
                f,
                "no signed checkpoint covers this entry yet: the newest one is of {size} entries"
            ),
            Self::Gone(words) | Self::BadCheckpoint(words) | Self::Write(words) => {
                f.write_str(words)
            }
            Self::Range(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PublishError {}

impl From<RangeError> for PublishError {
    fn from(error: RangeError) -> Self {
        Self::Range(error)
    }
}

/// Entries that are not among what was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedHole {
    /// First and one past the last entry.
    pub span: (u64, u64),
    /// Why: `retired`, or the cause of the loss.
    pub cause: String,
    /// The LOSS entry of the log that names them.
    pub named_by: Option<u64>,
    range: CompactRange,
}

impl PublishedHole {
    /// Whether nothing in the log explains it.
    #[must_use]
    pub fn is_unexplained(&self) -> bool {
        self.named_by.is_none() && self.cause != RETIRED
    }
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The signed head.
    pub head: Checkpoint,
    /// Entries published.
    pub entries: u64,
    /// Files handed out.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Entries below the head that are not published.
    pub holes: Vec<PublishedHole>,
    /// First and last entry above the head.
    pub unsealed: Option<(u64, u64)>,
    /// First and last of the entries above the head that cannot be read and that no LOSS entry names.
    pub unsealed_lost: Option<(u64, u64)>,
    /// Entries that were signed as the truth store knows it: with a checkpoint above the head, if more than that.
    pub signed: u64,
}

impl Published {
    /// Whether all that was committed is published, or named as lost, or not signed yet.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unsealed_lost.is_none() && !self.holes.iter().any(PublishedHole::is_unexplained)
    }
}

/// A signed head of the log.
struct Seal {
    head: Checkpoint,
    note: Note,
}

/// Hands out every file of the newest signed tree, the checkpoint last: without it, it is no log.
///
/// `write` gets a path under the log's directory and its bytes. The log is read once, and what is kept meanwhile
/// does not grow with it. All threads that this machine has read ahead; the files are handed out in one order.
///
/// # Errors
/// [`PublishError`]; what was handed out by then is no log.
pub fn publish<V: ReadVolume + Sync, T: ReadTruth>(
    reader: &Reader<V, T>,
    progress: &AtomicU64,
    write: &mut WriteFile<'_>,
) -> Result<Published, PublishError> {
    publish_with(ahead::threads(), reader, progress, write)
}

/// The same with so many threads; what is handed out does not depend on their number.
///
/// # Errors
/// As [`publish`].
pub fn publish_with<V: ReadVolume + Sync, T: ReadTruth>(
    threads: usize,
    reader: &Reader<V, T>,
    progress: &AtomicU64,
    write: &mut WriteFile<'_>,
) -> Result<Published, PublishError> {
    let seal = newest_seal(reader)?;
    let mut out = Output {
        write,
        files: 0,
        bytes: 0,
    };
    let size = seal.head.size;
    let mut walk = Walk::default();
    let oldest = reader.oldest().0.min(size);
    if oldest > 0 {
        let before = reader.frontier_at(oldest)?;
        walk.hole(before.as_range().clone(), RETIRED, &mut out)?;
    }
    let nothing = |_: &[StoredEntry]| ();
    ahead::with_threads(reader, threads, nothing, |ahead, _| {
        let from = CommitId(oldest);
        let frames = match ahead {
            Some(ahead) => reader.frames_ahead(from, ahead),
            None => reader.frames(from),
        };
        walk.frames(frames, from, size, progress, &mut out)
    })?;
    walk.finish(&seal, &mut out)?;
    let end = reader.size();
    let unsealed_lost = lost_behind(reader, size);
    Ok(Published {
        unsealed_lost,
        signed: reader.sealed_size(),
        head: seal.head,
        entries: walk.entries,
        files: out.files,
        bytes: out.bytes,
        holes: walk.holes,
        unsealed: (size < end).then(|| (size, end.saturating_sub(1))),
    })
}

/// First and last entry of what is lost from `size` on and not named by an entry there.
fn lost_behind<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    size: u64,
) -> Option<(u64, u64)> {
    let (mut lost, mut named) = (Vec::new(), Vec::new());
    for item in reader.entries(CommitId(size)) {
        match item {
            Ok(stored) if stored.kind() == Some(Kind::Loss) => {
                if let Ok(entry) = stored.entry()
                    && let Ok(Payload::Loss(loss)) = entry.payload()
                {
                    named.push((loss.first.0, loss.first.0.saturating_add(loss.count)));
                }
            }
            Err(Finding::Lost(loss)) => lost.push((loss.first.0.max(size), loss.end())),
            Ok(_) | Err(_) => {}
        }
    }
    lost.retain(|(first, end)| !named.iter().any(|(from, to)| from <= first && end <= to));
    let first = lost.iter().map(|(first, _)| *first).min()?;
    let end = lost.iter().map(|(_, end)| *end).max()?;
    (end > first).then(|| (first, end - 1))
}

/// One entry and what proves it under the newest signed head, as one file.
///
/// # Errors
/// [`PublishError`].
pub fn prove<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    id: CommitId,
) -> Result<OfflineProof, PublishError> {
    let seal = newest_seal(reader)?;
    if id.0 >= seal.head.size {
        let size = seal.head.size;
        return Err(PublishError::NotSealed { size });
    }
    let stored = match reader.entry(id) {
        Some(Ok(stored)) => stored,
        Some(Err(finding)) => return Err(PublishError::Gone(finding.to_string())),
        None => return Err(PublishError::MovedOn),
    };
    // What lies left of the entry is known from the tree in front of it.
    let source = reader.proof_source(id.0)?;
    let size = seal.head.size;
    if source.frontier_at(size).map_err(RangeError::Proof)?.root() != seal.head.root {
        return Err(PublishError::OtherRoot { size });
    }
    let hashes =
        proof::inclusion::build_inclusion_proof(&source, id.0, size).map_err(RangeError::Proof)?;
    Ok(OfflineProof {
        leaf: Some(stored.leaf_data()),
        index: id.0,
        hashes,
        note: seal.note,
    })
}

/// The newest signed head. It stands behind what it seals, so the search begins there.
fn newest_seal<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>) -> Result<Seal, PublishError> {
    let sealed = CommitId(reader.sealed_size()).max(reader.oldest());
    let newest = [sealed, reader.oldest()]
        .into_iter()
        .find_map(|from| newest_checkpoint(reader, from))
        .ok_or(PublishError::NothingSealed)?;
    let bad = |error: &dyn fmt::Display| {
        PublishError::BadCheckpoint(format!("the newest checkpoint in the log: {error}"))
    };
    let note = Note::parse(newest.note.as_bytes()).map_err(|error| bad(&error))?;
    let head = Checkpoint::parse_exact(note.text()).map_err(|error| bad(&error))?;
    Ok(Seal { head, note })
}

/// The newest checkpoint from an entry on.
fn newest_checkpoint<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    from: CommitId,
) -> Option<evidence::kinds::Checkpoint> {
    let payload = |stored: journal::StoredEntry| stored.entry().ok()?.payload().ok();
    let all = reader.entries(from).flatten().filter_map(payload);
    let checkpoints = all.filter_map(|payload| match payload {
        Payload::Checkpoint(checkpoint) => Some(checkpoint),
        _ => None,
    });
    checkpoints.last()
}

/// Where the files go, and how much went there.
struct Output<'a> {
    write: &'a mut WriteFile<'a>,
    files: u64,
    bytes: u64,
}

impl Output<'_> {
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), PublishError> {
        (self.write)(path, bytes).map_err(PublishError::Write)?;
        self.files += 1;
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn put_all(&mut self, tiles: Vec<(Tile, Vec<u8>)>) -> Result<(), PublishError> {
        tiles
            .into_iter()
            .try_for_each(|(tile, bytes)| self.put(&tile.to_string(), &bytes))
    }
}

/// The way through the log.
#[derive(Default)]
struct Walk {
    tiles: TileStream,
    bundles: Bundles,
    entries: u64,
    holes: Vec<PublishedHole>,
    named: Vec<(u64, Loss)>,
}

impl Walk {
    /// Takes everything below `size`.
    fn frames(
        &mut self,
        frames: impl Iterator<Item = Result<ReaderFrame, Finding>>,
        from: CommitId,
        size: u64,
        progress: &AtomicU64,
        out: &mut Output<'_>,
    ) -> Result<(), PublishError> {
        for item in frames {
            match item {
                Ok(_) if self.tiles.size() >= size => break,
                Ok(frame) => {
                    let mut known = frame.joins.known();
                    let entries = frame.entries.iter();
                    for stored in entries.filter(|stored| stored.commit_id >= from) {
                        if self.tiles.size() >= size {
                            return Ok(());
                        }
                        self.entry(stored, &mut known, out)?;
                        progress.store(self.entries, Ordering::Relaxed);
                    }
                }
                Err(Finding::Lost(loss)) if loss.first.0 < size => {
                    let unknown = PublishError::HashesUnknown {
                        first: loss.first.0,
                        end: loss.end(),
                    };
                    let range = loss.range().filter(|range| range.end() <= size);
                    self.hole(range.ok_or(unknown)?, loss.cause.name(), out)?;
                }
                Err(Finding::Retired { .. }) => return Err(PublishError::MovedOn),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        stored: &StoredEntry,
        known: &mut KnownJoins<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), PublishError> {
        if stored.commit_id.0 != self.tiles.size() {
            return Err(PublishError::MovedOn);
        }
        self.tiles.push_leaf_known(stored.leaf_hash, known);
        out.put_all(self.tiles.take_full())?;
        if let Some((path, bytes)) = self.bundles.leaf(stored.leaf_data()) {
            out.put(&path, &bytes)?;
        }
        self.entries += 1;
        if stored.kind() == Some(Kind::Loss)
            && let Ok(entry) = stored.entry()
            && let Ok(Payload::Loss(loss)) = entry.payload()
        {
            self.named.push((stored.commit_id.0, loss));
        }
        Ok(())
    }

    fn hole(
        &mut self,
        range: CompactRange,
        cause: &str,
        out: &mut Output<'_>,
    ) -> Result<(), PublishError> {
        let span = (range.begin(), range.end());
        if self.tiles.push_range(&range).is_err() {
            return Err(PublishError::MovedOn);
        }
        out.put_all(self.tiles.take_full())?;
        for (path, bytes) in self.bundles.hole(span.1 - span.0) {
            out.put(&path, &bytes)?;
        }
        self.holes.push(PublishedHole {
            span,
            cause: cause.to_owned(),
            named_by: None,
            range,
        });
        Ok(())
    }

    fn finish(&mut self, seal: &Seal, out: &mut Output<'_>) -> Result<(), PublishError> {
        let size = seal.head.size;
        if self.tiles.size() != size || self.tiles.root() != seal.head.root {
            return Err(PublishError::OtherRoot { size });
        }
        out.put_all(std::mem::take(&mut self.tiles).finish())?;
        if let Some((path, bytes)) = self.bundles.finish() {
            out.put(&path, &bytes)?;
        }
        for hole in self.holes.iter_mut().filter(|hole| hole.cause != RETIRED) {
            let (first, end) = hole.span;
            let names = |loss: &Loss| {
                loss.first.0 <= first && end <= loss.first.0.saturating_add(loss.count)
            };
            let named = self.named.iter().find(|(_, loss)| names(loss));
            hole.named_by = named.map(|(id, _)| *id);
        }
        if !self.holes.is_empty() {
            out.put(
                "holes.json",
                format!("{}\n", sidecar(&self.holes)).as_bytes(),
            )?;
        }
        out.put(CHECKPOINT_PATH, &seal.note.to_bytes())
    }
}

/// The list of holes as spec/exchange-v1.md has it.
fn sidecar(holes: &[PublishedHole]) -> serde_json::Value {
    let hole = |hole: &PublishedHole| {
        let hashes: Vec<String> = hole.range.hashes().iter().map(Hash::to_string).collect();
        json!({
            "first": hole.span.0,
            "count": hole.span.1 - hole.span.0,
            "cause": hole.cause,
            "named_by": hole.named_by,
            "filled": 0,
            "hashes": hashes,
        })
    };
    json!({ "holes": holes.iter().map(hole).collect::<Vec<_>>() })
}
