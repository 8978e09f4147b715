//! Carries events and audit over into the keep-rings before their segments are reused.

use super::journal_file::{read_ring, ring_file, write_ring};
use crate::clock;
use contract::Storage;
use contract::limits::KEEP_BYTES;
use evidence::kinds::Unkept;
use evidence::reasons::UnkeptCause;
use evidence::{CommitId, Generation, Kind, LogId, Payload};
use journal::keep::{KeepRing, Store, Stretch};
use journal::limits::KEEP_STRETCH_BYTES;
use journal::{Finding, Loss, Reader, ReaderFrame, Shape, StoredEntry};
use media::{Access, FileTruth, FileVolume, MediaError};
use std::path::{Path, PathBuf};

/// Segments of a keep-ring: the oldest eighth goes at once.
const KEEP_SEGMENTS: u32 = 8;
/// Entries carried with each commit beside twice its own, so that a lap is done before it is needed.
const AHEAD_ENTRIES: u64 = 64;

/// The keep-rings of the generation that is written.
#[derive(Debug)]
pub(super) struct Keeper {
    rings: Vec<Carried>,
    /// Those that could not be opened: nothing passes by them.
    closed: Vec<Closed>,
    /// Own reader: it goes steadily through entries that nobody else looks at any more.
    reader: Reader<FileVolume, FileTruth>,
    /// Entries below have passed by, though not all of them durably.
    at: u64,
    /// Whether a write failed: each attempt uses up segments, so the next is made when there is no other way.
    resting: bool,
    /// What was found at the opening to have left without passing by, to be told in the log.
    found: Vec<Unkept>,
    /// What was lost of what has passed by, since it was last asked for.
    met: Vec<Loss>,
    /// Ranges that LOSS entries name, once they were looked for.
    named: Option<Vec<(u64, u64)>>,
}

#[derive(Debug)]
struct Carried {
    ring: KeepRing<FileVolume>,
    /// What goes into the next frame; `None` where the tree is not known yet.
    stretch: Option<Stretch>,
    /// Entries below have passed by durably.
    durable: u64,
    /// What the last attempt to write said, where it failed.
    refused: Option<String>,
}

/// A keep-ring that could not be opened.
#[derive(Debug)]
struct Closed {
    store: Store,
    why: String,
    /// Entries below were told of, or left before this run.
    told: u64,
}

impl Keeper {
    /// Opens the keep-rings of a generation, and makes those that are not there. One that cannot be had
    /// is done without, and what does not pass by it is told of: the log waits for none.
    pub(super) fn open(
        directory: &Path,
        storage: &Storage,
        reader: Reader<FileVolume, FileTruth>,
        (log_id, generation): (LogId, Generation),
    ) -> Self {
        let (mut rings, mut closed, mut found) = (Vec::new(), Vec::new(), Vec::new());
        let oldest = reader.oldest().0;
        for (store, bytes) in wanted(storage) {
            let volume = match at_hand(directory, store, bytes, storage) {
                Ok(Some(volume)) => volume,
                Ok(None) => continue,
                Err(why) => {
                    let told = oldest;
                    closed.push(Closed { store, why, told });
                    continue;
                }
            };
            let mut ring = KeepRing::open(volume, log_id, generation, store);
            if let Err(error) = ring.settle() {
                let (told, why) = (oldest, format!("the {} keep-ring: {error}", store.name()));
                closed.push(Closed { store, why, told });
                continue;
            }
            let end = ring.end();
            let cause = match end {
                None => UnkeptCause::Empty,
                Some(_) => UnkeptCause::Behind,
            };
            let end = end.unwrap_or(0);
            found.extend(unkept(store, (end, oldest), cause, None));
            let durable = end.max(oldest).min(reader.size());
            rings.push(Carried {
                stretch: reader.frontier_at(durable).ok().map(Stretch::behind),
                durable,
                ring,
                refused: None,
            });
        }
        let at = rings.iter().map(|one| one.durable).min().unwrap_or(0);
        Self {
            rings,
            closed,
            reader,
            at,
            resting: false,
            found,
            met: Vec::new(),
            named: None,
        }
    }

    /// Losses among what passed by that no LOSS entry of the log names: their segment is about to be reused, and
    /// nothing would tell of them then. The log is searched for names once, and only where something is lost.
    pub(super) fn unnamed(&mut self) -> Vec<Loss> {
        let met = std::mem::take(&mut self.met);
        let Some(first) = met.first() else {
            return met;
        };
        let named = match self.named.take() {
            Some(named) => named,
            None => {
                // What this run has named is durable by now; what cannot be looked at is named once more.
                let _as_it_was = self.reader.refresh();
                named_behind(&self.reader, first.first)
            }
        };
        let is_named = |loss: &Loss| {
            let covers = |(first, end): &(u64, u64)| *first <= loss.first.0 && *end >= loss.end();
            named.iter().any(covers)
        };
        let unnamed = met.into_iter().filter(|loss| !is_named(loss)).collect();
        self.named = Some(named);
        unnamed
    }

    /// What was found at the opening to have left without passing by; given out once.
    pub(super) fn found(&mut self) -> Vec<Unkept> {
        std::mem::take(&mut self.found)
    }

    /// Below this size everything has passed by; all has where there is no keep-ring.
    pub(super) fn kept_size(&self) -> u64 {
        let told = self.closed.iter().map(|one| one.told).min();
        let told = told.unwrap_or(u64::MAX);
        self.carried_size().min(told)
    }

    /// Below this size everything has passed by the keep-rings that are open.
    fn carried_size(&self) -> u64 {
        let sizes = self.rings.iter().map(|one| one.durable);
        sizes.min().unwrap_or(u64::MAX)
    }

    /// Carries a share of what has to pass by before the next segment is reused: somewhat more than was
    /// just committed, so that the pace of the log is kept and no commit waits for all of it.
    pub(super) fn keep_pace(&mut self, to: u64, committed: u64) -> Result<(), String> {
        if self.resting {
            return Ok(());
        }
        self.carry(
            to,
            committed.saturating_mul(2).saturating_add(AHEAD_ENTRIES),
        )
    }

    /// Carries all of it.
    pub(super) fn catch_up(&mut self, to: u64) -> Result<(), String> {
        self.resting = false;
        self.carry(to, u64::MAX)
    }

    /// Lets keep-rings that failed, and those that were never open, go on behind what they did not take: what that is.
    pub(super) fn pass_over(&mut self, to: u64) -> Vec<Unkept> {
        let mut passed_over = Vec::new();
        for one in self.rings.iter_mut().filter(|one| one.durable < to) {
            let (store, says) = (one.ring.store(), one.refused.take());
            passed_over.extend(unkept(store, (one.durable, to), UnkeptCause::Refused, says));
            one.stretch = None;
            one.durable = to;
        }
        self.at = self.at.max(to);
        for one in self.closed.iter_mut().filter(|one| one.told < to) {
            let says = Some(one.why.clone());
            passed_over.extend(unkept(
                one.store,
                (one.told, to),
                UnkeptCause::Unopened,
                says,
            ));
            one.told = to;
        }
        passed_over
    }

    fn carry(&mut self, to: u64, most: u64) -> Result<(), String> {
        if self.carried_size() >= to {
            return Ok(());
        }
        if self.reader.size() < to {
            self.reader.refresh().map_err(|error| error.to_string())?;
        }
        let mut failures = Vec::new();
        let end = to.min(self.at.saturating_add(most));
        for item in self.reader.frames(CommitId(self.at)) {
            if self.at >= end {
                break;
            }
            for one in &mut self.rings {
                failures.extend(one.take(&item).err());
            }
            if let Err(Finding::Lost(loss)) = &item {
                self.met.push(loss.clone());
            }
            self.at = self.at.max(behind(&item));
        }
        if self.at >= to {
            for one in &mut self.rings {
                failures.extend(one.flush().err());
            }
        }
        match failures.is_empty() {
            true => Ok(()),
            false => {
                // Whatever was not written is still in the ring: the walk begins again there.
                self.at = self.carried_size();
                self.resting = true;
                Err(failures.join("; "))
            }
        }
    }
}

/// The entry that tells of a range, first id and the one behind the last, that did not pass by.
fn unkept(
    store: Store,
    (first, end): (u64, u64),
    cause: UnkeptCause,
    says: Option<String>,
) -> Option<Unkept> {
    let count = end.checked_sub(first).filter(|count| *count > 0)?;
    Some(Unkept {
        at: clock::mono(),
        store: store.into(),
        first: CommitId(first),
        count,
        cause,
        says,
    })
}

/// What the LOSS entries from an entry on name: first entry and the one behind the last.
fn named_behind(reader: &Reader<FileVolume, FileTruth>, from: CommitId) -> Vec<(u64, u64)> {
    let entries = reader.entries(from).flatten();
    let losses = entries.filter(|stored| stored.kind() == Some(Kind::Loss));
    let named = losses.filter_map(|stored| match stored.entry().ok()?.payload().ok()? {
        Payload::Loss(loss) => Some((loss.first.0, loss.first.0.saturating_add(loss.count))),
        _ => None,
    });
    named.collect()
}

/// The id behind what was read.
fn behind(item: &Result<ReaderFrame, Finding>) -> u64 {
    match item {
        Ok(frame) => frame_end(frame),
        Err(Finding::Lost(loss)) => loss.end(),
        Err(Finding::Retired { to, .. }) => to.0,
        Err(_) => 0,
    }
}

fn frame_end(frame: &ReaderFrame) -> u64 {
    frame.first.0.saturating_add(frame.entries.len() as u64)
}

impl Carried {
    fn take(&mut self, item: &Result<ReaderFrame, Finding>) -> Result<(), String> {
        match item {
            Ok(frame) => self.take_frame(frame),
            Err(Finding::Lost(loss)) => self.take_loss(loss),
            Err(Finding::Retired { to, .. }) => {
                self.go_on_at(to.0);
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    fn take_frame(&mut self, frame: &ReaderFrame) -> Result<(), String> {
        let durable = self.durable;
        // The tree behind these is not known, and they have passed by: a stretch that began among them
        // would keep what follows twice.
        if self.stretch.is_none() && frame_end(frame) <= durable {
            return Ok(());
        }
        self.stretch.get_or_insert_with(|| {
            let mut tree = frame.frontier.clone();
            let before = frame
                .entries
                .iter()
                .filter(|entry| entry.commit_id.0 < durable);
            before.for_each(|entry| tree.push(entry.leaf_hash));
            Stretch::behind(tree)
        });
        for entry in &frame.entries {
            let keep = keeps(self.ring.store(), entry);
            if let Some(stretch) = &mut self.stretch {
                stretch.push(entry.clone(), keep);
            }
            if self
                .stretch
                .as_ref()
                .is_some_and(|stretch| stretch.bytes() >= KEEP_STRETCH_BYTES)
            {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// What is lost in the ring already is let go with its hashes; without hashes the tree begins anew
    /// behind it.
    fn take_loss(&mut self, loss: &Loss) -> Result<(), String> {
        if let (Some(stretch), Some(range)) = (&mut self.stretch, loss.range()) {
            stretch.push_range(&range);
        }
        if self
            .stretch
            .as_ref()
            .is_none_or(|stretch| stretch.end() < loss.end())
        {
            self.flush()?;
            self.go_on_at(loss.end());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        let Some(stretch) = &self.stretch else {
            return Ok(());
        };
        self.refused = self
            .ring
            .append(stretch)
            .err()
            .map(|error| error.to_string());
        if let Some(why) = &self.refused {
            return Err(format!("keep-{}: {why}", self.ring.store().name()));
        }
        self.durable = self.durable.max(stretch.end());
        self.stretch = Some(Stretch::behind(stretch.after().clone()));
        Ok(())
    }

    fn go_on_at(&mut self, at: u64) {
        if self
            .stretch
            .as_ref()
            .is_none_or(|stretch| stretch.end() < at)
        {
            self.stretch = None;
        }
        self.durable = self.durable.max(at);
    }
}

fn keeps(store: Store, entry: &StoredEntry) -> bool {
    entry.kind().is_some_and(|kind| store.keeps(kind))
}

/// Where a keep-ring of a generation lies.
pub(crate) fn place(directory: &Path, store: Store) -> PathBuf {
    directory.join(format!("keep-{}", store.name()))
}

/// The keep-rings with the bytes that the storage has for each.
fn wanted(storage: &Storage) -> [(Store, u64); 2] {
    [
        (Store::Soe, storage.keep_soe_bytes),
        (Store::Audit, storage.keep_audit_bytes),
    ]
    .map(|(store, bytes)| (store, bytes.unwrap_or(KEEP_BYTES)))
}

/// Whether entries must pass by a keep-ring before their segment is reused: one is there or wanted.
pub(super) fn is_keeping(directory: &Path, storage: &Storage) -> bool {
    wanted(storage).iter().any(|(_, bytes)| *bytes > 0) || !keep_places(directory).is_empty()
}

/// The volume of a keep-ring, made where it is wanted and not there; `None` where there is none.
fn at_hand(
    directory: &Path,
    store: Store,
    bytes: u64,
    storage: &Storage,
) -> Result<Option<FileVolume>, String> {
    let ring = place(directory, store);
    if bytes > 0 && !ring_file(&ring).exists() {
        make(&ring, bytes, storage)?;
    }
    volume(directory, store, Access::ReadWrite)
}

fn make(ring: &Path, bytes: u64, storage: &Storage) -> Result<(), String> {
    let block = u64::from(storage.block_bytes.max(1));
    let segment_bytes = bytes / u64::from(KEEP_SEGMENTS);
    let shape = Shape {
        segment_bytes: segment_bytes - segment_bytes % block,
        segments: KEEP_SEGMENTS,
        block_bytes: storage.block_bytes,
    };
    FileVolume::provision(ring, shape, |_| {}).map_err(|error| failed(&error))?;
    write_ring(ring, shape, None)
}

/// The volume of a keep-ring; `None` where there is none.
fn volume(directory: &Path, store: Store, access: Access) -> Result<Option<FileVolume>, String> {
    let ring = place(directory, store);
    if !ring_file(&ring).exists() {
        return Ok(None);
    }
    let shape = read_ring(&ring)?;
    FileVolume::open(&ring, shape, access)
        .map(Some)
        .map_err(|error| failed(&error))
}

/// Where the keep-rings of a generation lie that there are.
pub(crate) fn keep_places(directory: &Path) -> Vec<PathBuf> {
    let all = Store::ALL.map(|store| place(directory, store));
    all.into_iter()
        .filter(|place| ring_file(place).exists())
        .collect()
}

/// The keep-rings of a generation, to read.
pub(crate) fn kept(
    directory: &Path,
    log_id: LogId,
    generation: Generation,
) -> Result<Vec<KeepRing<FileVolume>>, String> {
    let mut rings = Vec::new();
    for store in Store::ALL {
        let volume = volume(directory, store, Access::ReadOnly)?;
        rings.extend(volume.map(|volume| KeepRing::open(volume, log_id, generation, store)));
    }
    Ok(rings)
}

fn failed(error: &MediaError) -> String {
    format!("a keep-ring: {error}")
}

#[cfg(test)]
mod tests;
