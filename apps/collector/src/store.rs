//! One log's directory: tiles and entries, the sidecar of holes, rows, state. The layout is that of
//! `spec/exchange-v1.md`.

mod blocks;
mod holes;
mod state;
mod tree;
mod watch;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evidence::CommitId;
use exchange::body::RunPackage;
use exchange::collector::{Fork, MirrorStore, Mirrored, Sample, StaleHead};
use exchange::limits::PENDING_KEPT;
use exchange::{Head, Hole, Sealed};
use proof::limits::TILE_WIDTH_U64;
use proof::source::range_from;
use proof::tile::CHECKPOINT_PATH;
use proof::tree::leaf_hash;
use proof::{CompactRange, Frontier, Hash};
use serde_json::json;

use crate::clock;
use crate::counters::Counters;
use crate::error::Error;
use crate::files::{self, Access};
use crate::limits::{FORKS_KEPT_MAX, ROWS_PER_COMMIT, SAMPLES_KEPT_MAX};
use crate::rows::{Row, Rows};
use blocks::Slot;
use holes::Holes;
use tree::{StoredTree, TileCache};
use watch::Watch;
pub use watch::{Alarm, FollowedBy, ShownBy, follower};

/// File with the origin.
pub const ORIGIN_FILE: &str = "origin";
/// File with the evidence of forks.
pub const CONFLICTS_FILE: &str = "conflicts.jsonl";
/// File with the link to the predecessor.
pub const FOLLOWS_FILE: &str = "follows.json";
/// The sidecar of holes.
pub const HOLES_FILE: &str = "holes.json";
const ROWS_FILE: &str = "rows.redb";
const REJECTED_DIR: &str = "rejected";
const PENDING_FILE: &str = "state/pending.json";
const POSITION_FILE: &str = "state/position.json";
const MIRROR_FILE: &str = "state/mirror.json";

/// Durable storage of one mirrored log.
#[derive(Debug)]
pub struct FileStore {
    dir: PathBuf,
    origin: String,
    pending: Vec<Sealed>,
    mirrored: Option<Mirrored>,
    next: u64,
    durable_next: u64,
    holes: Holes,
    unflushed: BTreeSet<PathBuf>,
    cache: TileCache,
    rows: Option<Rows>,
    forks: BTreeSet<String>,
    samples: usize,
    counters: Arc<Counters>,
    watch: Watch,
    latched: bool,
}

impl FileStore {
    /// Opens a log's directory, which need not exist, and brings lagging rows up to what is mirrored.
    ///
    /// # Errors
    /// What is damaged or cannot be read.
    pub fn open(dir: &Path, origin: &str, counters: Arc<Counters>) -> Result<Self, Error> {
        let next = state::load_next(&dir.join(POSITION_FILE))?;
        let mut store = Self {
            dir: dir.to_path_buf(),
            origin: origin.to_owned(),
            pending: state::load_pending(&dir.join(PENDING_FILE))?,
            mirrored: state::load_mirrored(&dir.join(MIRROR_FILE))?,
            next,
            durable_next: next,
            holes: Holes::load(&dir.join(HOLES_FILE), next)?,
            unflushed: BTreeSet::new(),
            cache: TileCache::default(),
            rows: None,
            forks: kept_forks(&dir.join(CONFLICTS_FILE))?,
            samples: 0,
            counters,
            watch: Watch::load(dir)?,
            latched: false,
        };
        if let Some(size) = store
            .mirrored
            .as_ref()
            .map(|mirrored| mirrored.sealed.head.size)
        {
            store.decode_rows(size)?;
            store.publish()?;
        }
        Ok(store)
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The signed heads that were taken of the log in a directory.
    ///
    /// # Errors
    /// What is damaged or cannot be read.
    pub fn heads(dir: &Path) -> Result<Vec<String>, Error> {
        let mirrored = state::load_mirrored(&dir.join(MIRROR_FILE))?;
        let mut heads = state::load_pending(&dir.join(PENDING_FILE))?;
        heads.extend(mirrored.map(|mirrored| mirrored.sealed));
        Ok(heads.into_iter().map(|sealed| sealed.note).collect())
    }

    /// Whether a directory holds a log's state, so that its origin must stand there as well.
    #[must_use]
    pub fn stands_in(dir: &Path) -> bool {
        [PENDING_FILE, MIRROR_FILE]
            .iter()
            .any(|file| dir.join(file).exists())
    }

    /// The rows; `None` before the first commit.
    #[must_use]
    pub const fn rows(&self) -> Option<&Rows> {
        self.rows.as_ref()
    }

    /// Whether two signed heads of this log were kept that contradict each other.
    #[must_use]
    pub fn has_conflicts(&self) -> bool {
        std::fs::metadata(self.dir.join(CONFLICTS_FILE)).is_ok_and(|file| file.len() > 0)
    }

    /// Writes the link to the predecessor.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_follows(&self, follows: &serde_json::Value) -> Result<(), Error> {
        let path = self.dir.join(FOLLOWS_FILE);
        files::write(&path, format!("{follows}\n").as_bytes(), Access::Public)
    }

    /// A stored leaf.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn leaf(&self, index: u64) -> Result<Option<Vec<u8>>, Error> {
        let mut found = None;
        self.leaves(index, index.saturating_add(1), &mut |_, leaf| {
            found = Some(leaf.to_vec());
        })?;
        Ok(found)
    }

    fn tree(&self) -> StoredTree<'_> {
        StoredTree {
            dir: &self.dir,
            holes: &self.holes,
            cache: &self.cache,
            mirrored: self
                .mirrored
                .as_ref()
                .map_or(0, |mirrored| mirrored.sealed.head.size),
            end: self.next,
        }
    }

    fn decode(&self, index: u64, leaf: &[u8]) -> Row {
        let row = Row::of_leaf(index, leaf);
        if !row.record_crc_ok() {
            self.counters.record_crc_failed();
        }
        row
    }

    fn open_rows(&mut self) -> Result<&Rows, Error> {
        if self.rows.is_none() {
            files::create_dir(&self.dir)?;
            let path = self.dir.join(ROWS_FILE);
            self.rows = Some(Rows::open(&path).map_err(|error| Error::RowsFile {
                path,
                error: Box::new(error),
            })?);
            files::flush_dir(&self.dir)?;
        }
        self.rows.as_ref().ok_or(Error::Latched)
    }

    /// Decodes what the rows lack up to `size`.
    fn decode_rows(&mut self, size: u64) -> Result<(), Error> {
        let mut at = self.open_rows()?.end()?;
        while at < size {
            let end = size.min(at.saturating_add(ROWS_PER_COMMIT));
            let mut rows = Vec::new();
            self.leaves(at, end, &mut |index, leaf| {
                rows.push(self.decode(index, leaf))
            })?;
            self.open_rows()?.put(&rows, Some(end))?;
            at = end;
        }
        Ok(())
    }

    /// Writes `checkpoint`: the log's note and our line, once there is one.
    fn publish(&self) -> Result<(), Error> {
        let Some(Mirrored {
            sealed,
            cosignature: Some(lines),
        }) = &self.mirrored
        else {
            return Ok(());
        };
        let path = self.dir.join(CHECKPOINT_PATH);
        let text = format!("{}{lines}", sealed.note);
        if files::read(&path)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        files::write(&path, text.as_bytes(), Access::Public)
    }

    /// Runs a write; after a failed one nothing more is written until the next start.
    fn write<T>(&mut self, write: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.latched {
            return Err(Error::Latched);
        }
        let written = write(self);
        self.latched = written.is_err();
        written
    }

    fn write_sync(&mut self) -> Result<(), Error> {
        for dir in std::mem::take(&mut self.unflushed) {
            files::flush_dir(&dir)?;
        }
        self.holes.store(&self.dir.join(HOLES_FILE))?;
        if self.next != self.durable_next {
            state::store_next(&self.dir.join(POSITION_FILE), self.next)?;
            self.durable_next = self.next;
        }
        Ok(())
    }

    fn write_commit(&mut self, sealed: &Sealed, named: &[(Hole, CommitId)]) -> Result<(), Error> {
        let old = self
            .mirrored
            .as_ref()
            .map_or(0, |mirrored| mirrored.sealed.head.size);
        let size = sealed.head.size;
        for (hole, id) in named {
            self.holes.name(hole, *id);
        }
        self.holes.store(&self.dir.join(HOLES_FILE))?;
        self.complete_tiles(size)?;
        self.decode_rows(size)?;
        let mirrored = Mirrored {
            sealed: sealed.clone(),
            cosignature: None,
        };
        state::store_mirrored(&self.dir.join(MIRROR_FILE), &mirrored)?;
        self.mirrored = Some(mirrored);
        self.remove_partials(old, size)
    }
}

impl MirrorStore for FileStore {
    type Error = Error;

    fn pending(&self) -> &[Sealed] {
        &self.pending
    }

    fn mirrored(&self) -> Option<&Mirrored> {
        self.mirrored.as_ref()
    }

    fn next_entry(&self) -> u64 {
        self.next
    }

    fn stored_range(&self, begin: u64, end: u64) -> Result<Option<CompactRange>, Error> {
        let mut range = CompactRange::empty(begin);
        if begin >= end {
            return Ok(Some(range));
        }
        let slots = self.block(begin / TILE_WIDTH_U64)?;
        while range.end() < end {
            let at = range.end();
            if let Some((lost_end, hash)) = self.holes.subtree_within(at, end) {
                let lost = CompactRange::from_parts(at, lost_end, vec![hash]);
                let joined = lost.and_then(|lost| range.append(&lost));
                joined.map_err(Error::setup)?;
                continue;
            }
            let place = usize::try_from(at.saturating_sub(begin)).map_err(Error::setup)?;
            match slots.get(place) {
                Some(Slot::Leaf(leaf)) => range.push(leaf_hash(leaf)),
                Some(Slot::Lost) | None => return Ok(None),
            }
        }
        Ok(Some(range))
    }

    fn root_at(&self, size: u64) -> Result<Option<Hash>, Error> {
        let range = range_from(&self.tree(), 0, size).ok();
        let frontier =
            range.and_then(|range| Frontier::from_parts(size, range.hashes().to_vec()).ok());
        Ok(frontier.map(|frontier| frontier.root()))
    }

    fn unnamed_holes(&self) -> Vec<Hole> {
        self.holes.unnamed()
    }

    fn leaves(&self, begin: u64, end: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), Error> {
        let end = end.min(self.next);
        let mut at = begin;
        while at < end {
            let index = at / TILE_WIDTH_U64;
            let block_begin = index.saturating_mul(TILE_WIDTH_U64);
            for (place, slot) in (block_begin..end).zip(self.block(index)?) {
                if let Slot::Leaf(leaf) = slot
                    && place >= begin
                {
                    visit(place, &leaf);
                }
            }
            at = block_begin.saturating_add(TILE_WIDTH_U64);
        }
        Ok(())
    }

    fn put_pending(&mut self, sealed: Sealed) -> Result<(), Error> {
        self.write(|store| {
            let origin = store.dir.join(ORIGIN_FILE);
            if !origin.exists() {
                files::write(
                    &origin,
                    format!("{}\n", store.origin).as_bytes(),
                    Access::Public,
                )?;
            }
            let mut pending = store.pending.clone();
            pending.push(sealed);
            let surplus = pending.len().saturating_sub(PENDING_KEPT);
            pending.drain(..surplus);
            state::store_pending(&store.dir.join(PENDING_FILE), &pending)?;
            store.pending = pending;
            Ok(())
        })
    }

    fn save(&mut self, package: &RunPackage<'_>) -> Result<(), Error> {
        self.write(|store| store.overlay(package))?;
        steps::pass("package.stored");
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.write(Self::write_sync)
    }

    fn commit(
        &mut self,
        expected: Option<Head>,
        sealed: &Sealed,
        named: &[(Hole, CommitId)],
    ) -> Result<bool, Error> {
        let found = self.mirrored.as_ref().map(|mirrored| mirrored.sealed.head);
        if found != expected {
            return Ok(false);
        }
        self.write(|store| store.write_commit(sealed, named))?;
        Ok(true)
    }

    fn put_cosignature(&mut self, lines: &str) -> Result<(), Error> {
        self.write(|store| {
            let Some(mirrored) = &store.mirrored else {
                return Ok(());
            };
            let mirrored = Mirrored {
                sealed: mirrored.sealed.clone(),
                cosignature: Some(lines.to_owned()),
            };
            steps::pass("cosign.before");
            state::store_mirrored(&store.dir.join(MIRROR_FILE), &mirrored)?;
            steps::pass("cosign.durable");
            store.mirrored = Some(mirrored);
            store.counters.cosigned();
            store.publish()
        })
    }

    fn keep_fork(&mut self, fork: &Fork) -> Result<(), Error> {
        self.fork_alarm(fork)?;
        if self.forks.len() >= FORKS_KEPT_MAX || !self.forks.insert(fork.offered.clone()) {
            return Ok(());
        }
        self.counters.conflict();
        let line = json!({
            "at_ms": clock::utc_ms(),
            "kind": fork.kind.name(),
            "detail": fork.detail,
            "held": fork.held,
            "offered": fork.offered,
        });
        self.write(|store| files::append_line(&store.dir.join(CONFLICTS_FILE), &line.to_string()))
    }

    fn keep_stale(&mut self, head: StaleHead) -> Result<(), Error> {
        self.stale_alarm(head)
    }

    fn keep_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        self.counters.batch_hash_failed();
        let about = json!({
            "at_ms": clock::utc_ms(),
            "begin": sample.begin,
            "upload_end": sample.upload_end,
            "detail": sample.detail,
            "bytes": files::hex(&sample.bytes),
        });
        // A ring: the newest samples tell most.
        let place = self.samples % SAMPLES_KEPT_MAX;
        self.samples = self.samples.wrapping_add(1);
        let path = self.dir.join(REJECTED_DIR).join(format!("{place:02}.json"));
        self.write(|_| files::write(&path, format!("{about}\n").as_bytes(), Access::Public))
    }
}

/// The notes offered in the forks kept so far.
fn kept_forks(path: &Path) -> Result<BTreeSet<String>, Error> {
    let bytes = files::read(path)?.unwrap_or_default();
    let lines = String::from_utf8_lossy(&bytes).into_owned();
    let offered = |line: &str| {
        let fork: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(fork.get("offered")?.as_str()?.to_owned())
    };
    Ok(lines.lines().filter_map(offered).collect())
}
