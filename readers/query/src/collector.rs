//! A collector's directory as an outsider sees it: C2SP tiles, checkpoints, holes, decoded rows.

use evidence::CommitId;
use proof::limits::{TILE_WIDTH, TILE_WIDTH_U64};
use proof::note::VerifierKey;
use proof::tile::{Tile, bundles_between, decode_bundle};
use proof::{Checkpoint, CompactRange, Hash};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};

/// What the collector keeps of the head that it cosigned last.
const MIRROR_FILE: &str = "state/mirror.json";

/// Why a collector's directory cannot be read.
#[derive(Debug)]
pub struct CollectorError {
    path: PathBuf,
    what: String,
}

impl CollectorError {
    pub(crate) fn new(path: &Path, what: impl fmt::Display) -> Self {
        Self {
            path: path.to_path_buf(),
            what: what.to_string(),
        }
    }
}

impl fmt::Display for CollectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for CollectorError {}

/// A collector's directory.
#[derive(Debug)]
pub struct CollectorDir {
    /// The directory.
    pub root: PathBuf,
    /// Its logs, by origin.
    pub logs: Vec<LogDir>,
    /// Directories that should be logs and cannot be read as one.
    pub unreadable: Vec<CollectorError>,
}

/// One log at a collector.
#[derive(Debug)]
pub struct LogDir {
    /// The log's directory.
    pub path: PathBuf,
    /// Its origin line.
    pub origin: String,
}

/// Entries that the log itself names as lost.
#[derive(Clone, Debug)]
pub struct StoredHole {
    /// First and one past the last entry.
    pub span: (u64, u64),
    /// The hashes of its leaves, as a compact range.
    pub range: CompactRange,
    /// Why they are lost, as the sidecar says.
    pub cause: String,
    /// The LOSS entry that names them, as the sidecar says.
    pub named_by: Option<u64>,
    /// Entries found again since, as the sidecar says.
    pub filled: u64,
}

impl StoredHole {
    /// Whether an entry of `[begin, end)` is in it.
    #[must_use]
    pub fn touches(&self, begin: u64, end: u64) -> bool {
        self.span.0 < end && begin < self.span.1
    }
}

impl CollectorDir {
    /// Whether a directory is certainly a collector's: it says so itself, or holds a log of one.
    #[must_use]
    pub fn is_one(root: &Path) -> bool {
        let held = || {
            std::fs::read_dir(root.join("logs"))
                .into_iter()
                .flatten()
                .flatten()
                .any(|log| log.path().join("origin").is_file())
        };
        root.join("collector.json").is_file() || held()
    }

    /// Opens the directory; `None` if it is not certainly a collector's.
    ///
    /// # Errors
    /// [`CollectorError`] with the file at fault.
    pub fn open(root: &Path) -> Result<Option<Self>, CollectorError> {
        if !Self::is_one(root) {
            return Ok(None);
        }
        let logs = root.join("logs");
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        let names = match std::fs::read_dir(&logs) {
            Ok(names) => Some(names),
            // Before the first delivery there is none.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(CollectorError::new(&logs, error)),
        };
        for name in names.into_iter().flatten() {
            let path = name
                .map_err(|error| CollectorError::new(&logs, error))?
                .path();
            match read_text(&path.join("origin")) {
                Ok(origin) => {
                    let origin = origin.trim_end().to_owned();
                    found.push(LogDir { path, origin });
                }
                // Its writer was ended before the first name was in place.
                Err(_) if only_drafts(&path) => {}
                Err(error) => unreadable.push(error),
            }
        }
        found.sort_by(|a, b| in_order(&a.origin).cmp(&in_order(&b.origin)));
        Ok(Some(Self {
            root: root.to_path_buf(),
            logs: found,
            unreadable,
        }))
    }

    /// The keys under which the collector accepts logs, as it wrote them down itself.
    ///
    /// # Errors
    /// [`CollectorError`] when a line is not a verifier key.
    pub fn log_keys(&self) -> Result<Vec<VerifierKey>, CollectorError> {
        let path = self.root.join("log-keys");
        if !path.is_file() {
            return Ok(Vec::new());
        }
        read_text(&path)?
            .lines()
            .map(|line| {
                line.parse()
                    .map_err(|error| CollectorError::new(&path, error))
            })
            .collect()
    }

    /// The collector's own cosigner key, as `collector.json` gives it.
    #[must_use]
    pub fn cosigner(&self) -> Option<VerifierKey> {
        let text = std::fs::read_to_string(self.root.join("collector.json")).ok()?;
        let about: Value = serde_json::from_str(&text).ok()?;
        about.get("vkey")?.as_str()?.parse().ok()
    }
}

impl LogDir {
    /// Whether a folder is that of a published log: it has a checkpoint, and tiles.
    #[must_use]
    pub fn is_published(path: &Path) -> bool {
        path.join(proof::tile::CHECKPOINT_PATH).is_file() && path.join("tile").is_dir()
    }

    /// The log in its published form that a directory holds; `None` if it is not certainly one.
    ///
    /// # Errors
    /// [`CollectorError`] when its checkpoint is none.
    pub fn published(path: &Path) -> Result<Option<Self>, CollectorError> {
        let checkpoint = path.join(proof::tile::CHECKPOINT_PATH);
        if !Self::is_published(path) {
            return Ok(None);
        }
        let bytes =
            std::fs::read(&checkpoint).map_err(|error| CollectorError::new(&checkpoint, error))?;
        let head = proof::note::Note::parse(&bytes)
            .map_err(proof::checkpoint::CheckpointError::Note)
            .and_then(|note| Checkpoint::parse(note.text()))
            .map_err(|error| CollectorError::new(&checkpoint, error))?;
        Ok(Some(Self {
            path: path.to_path_buf(),
            origin: head.origin,
        }))
    }

    /// The bytes of its checkpoint with all signature lines.
    ///
    /// # Errors
    /// [`CollectorError`].
    pub fn checkpoint_note(&self) -> Result<Vec<u8>, CollectorError> {
        let path = self.path.join(proof::tile::CHECKPOINT_PATH);
        std::fs::read(&path).map_err(|error| CollectorError::new(&path, error))
    }

    /// Whether no head of the log was ever cosigned: neither its checkpoint is there, nor what the collector
    /// keeps of it.
    #[must_use]
    pub fn is_uncosigned(&self) -> bool {
        let there = |name: &str| self.path.join(name).exists();
        !there(proof::tile::CHECKPOINT_PATH) && !there(MIRROR_FILE)
    }

    /// The checkpoint of a size as the collector keeps it for itself, where it keeps that one.
    pub(crate) fn kept_checkpoint(&self, size: u64) -> Option<String> {
        let text = std::fs::read_to_string(self.path.join(MIRROR_FILE)).ok()?;
        let kept: Value = serde_json::from_str(&text).ok()?;
        let word = |name: &str| kept.get(name).and_then(Value::as_str);
        let same = kept.get("size").and_then(Value::as_u64) == Some(size);
        same.then_some(word("note")?.to_owned() + word("cosignature")?)
    }

    /// The generation that its origin names, if it names one.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        Some(in_order(&self.origin).1).filter(|number| *number > 0)
    }

    /// How the collector found the predecessor that the first entry names, in the word of `follows.json`.
    #[must_use]
    pub fn link(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.path.join("follows.json")).ok()?;
        let follows: Value = serde_json::from_str(&text).ok()?;
        Some(follows.get("link")?.as_str()?.to_owned())
    }

    /// The size that its checkpoint states, unverified.
    ///
    /// # Errors
    /// [`CollectorError`].
    pub fn size(&self) -> Result<u64, CollectorError> {
        let path = self.path.join(proof::tile::CHECKPOINT_PATH);
        let note = proof::note::Note::parse(&self.checkpoint_note()?)
            .map_err(|error| CollectorError::new(&path, error))?;
        Checkpoint::parse(note.text())
            .map(|head| head.size)
            .map_err(|error| CollectorError::new(&path, error))
    }

    /// Entries that are not stored because the log names them as lost, ascending.
    ///
    /// # Errors
    /// [`CollectorError`].
    pub fn holes(&self) -> Result<Vec<StoredHole>, CollectorError> {
        let path = self.path.join("holes.json");
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let bad = |what: &str| CollectorError::new(&path, what);
        let json: Value = serde_json::from_str(&read_text(&path)?)
            .map_err(|error| CollectorError::new(&path, error))?;
        let mut holes = Vec::new();
        for hole in json
            .get("holes")
            .and_then(Value::as_array)
            .ok_or_else(|| bad("no list of holes"))?
        {
            let number = |name: &str| {
                hole.get(name)
                    .and_then(Value::as_u64)
                    .ok_or_else(|| bad("a hole without its place"))
            };
            let (first, count) = (number("first")?, number("count")?);
            let hashes = hole
                .get("hashes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let hashes: Option<Vec<Hash>> = hashes
                .map(|hash| Hash::from_base64(hash.as_str()?))
                .collect();
            let end = first
                .checked_add(count)
                .ok_or_else(|| bad("a hole past the largest tree"))?;
            let range = hashes
                .and_then(|hashes| CompactRange::from_parts(first, end, hashes).ok())
                .ok_or_else(|| bad("a hole whose hashes do not fit it"))?;
            holes.push(StoredHole {
                span: (first, end),
                range,
                cause: hole
                    .get("cause")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                named_by: hole.get("named_by").and_then(Value::as_u64),
                filled: number("filled")?,
            });
        }
        Ok(holes)
    }

    /// Shows every place from an index on: its leaf, or `None` where the leaf is lost.
    ///
    /// # Errors
    /// [`CollectorError`] with the bundle at fault.
    pub fn each_place(
        &self,
        from: u64,
        mut show: impl FnMut(CommitId, Option<&[u8]>),
    ) -> Result<(), CollectorError> {
        let (size, holes) = (self.size()?, self.holes()?);
        for bundle in bundles_between(0, size) {
            let first = bundle.index() * TILE_WIDTH_U64;
            if first + u64::from(bundle.width()) <= from {
                continue;
            }
            self.leaves_of(&bundle, &holes, |id, leaf| {
                if id >= from {
                    show(CommitId(id), leaf);
                }
            })?;
        }
        Ok(())
    }

    /// Shows every place of one bundle: its leaf, or `None` where the leaf is lost.
    ///
    /// A run that touches a hole has no bundle but one in the sidecar, where a lost leaf is empty; a run
    /// that is lost whole has neither.
    ///
    /// # Errors
    /// [`CollectorError`] with the bundle at fault.
    pub fn leaves_of(
        &self,
        bundle: &Tile,
        holes: &[StoredHole],
        mut show: impl FnMut(u64, Option<&[u8]>),
    ) -> Result<(), CollectorError> {
        let first = bundle.index() * TILE_WIDTH_U64;
        let end = first + u64::from(bundle.width());
        let touched = holes.iter().any(|hole| hole.touches(first, end));
        let mut stored = self.place_of(bundle, touched);
        if !stored.1.is_file()
            && let Some(full) = self.full_of(bundle)
        {
            stored = full;
        }
        let (width, path) = stored;
        if touched && !path.is_file() && lost_whole(holes, first, end) {
            (first..end).for_each(|id| show(id, None));
            return Ok(());
        }
        let bytes = std::fs::read(&path).map_err(|error| CollectorError::new(&path, error))?;
        let leaves =
            decode_bundle(&bytes, width).map_err(|error| CollectorError::new(&path, error))?;
        for (id, leaf) in (first..end).zip(leaves) {
            show(id, (!leaf.is_empty()).then_some(leaf));
        }
        Ok(())
    }

    /// Where a bundle lies, and its width: among the tiles, or in the sidecar.
    fn place_of(&self, bundle: &Tile, in_sidecar: bool) -> (u16, PathBuf) {
        let name = bundle.to_string();
        let path = match in_sidecar {
            true => self
                .path
                .join("holes")
                .join(name.trim_start_matches("tile/")),
            false => self.path.join(name),
        };
        (bundle.width(), path)
    }

    /// The full bundle that took the place of a partial one: it does so before the checkpoint grows.
    fn full_of(&self, bundle: &Tile) -> Option<(u16, PathBuf)> {
        let full = Tile::new(bundle.kind(), bundle.index(), TILE_WIDTH).ok()?;
        let places = [false, true].map(|in_sidecar| self.place_of(&full, in_sidecar));
        places.into_iter().find(|(_, path)| path.is_file())
    }

    /// Every tile and bundle file that lies there, by its path in the log's directory.
    ///
    /// # Errors
    /// [`CollectorError`].
    pub fn tile_files(&self) -> Result<Vec<String>, CollectorError> {
        let mut files = Vec::new();
        let mut open = vec![self.path.join("tile")];
        while let Some(directory) = open.pop() {
            let Ok(names) = std::fs::read_dir(&directory) else {
                continue;
            };
            for name in names {
                let path = name
                    .map_err(|error| CollectorError::new(&directory, error))?
                    .path();
                if path.is_dir() {
                    open.push(path);
                } else if let Ok(inside) = path.strip_prefix(&self.path) {
                    files.push(inside.display().to_string());
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Generations of one log stand one after the other, by number.
fn in_order(origin: &str) -> (&str, u64) {
    let numbered = origin
        .rsplit_once("/g")
        .and_then(|(base, number)| Some((base, number.parse().ok()?)));
    numbered.unwrap_or((origin, 0))
}

fn read_text(path: &Path) -> Result<String, CollectorError> {
    std::fs::read_to_string(path).map_err(|error| CollectorError::new(path, error))
}

/// Whether a directory holds nothing but files that are not in their place yet.
fn only_drafts(path: &Path) -> bool {
    let names = std::fs::read_dir(path).into_iter().flatten();
    path.is_dir()
        && names
            .map(|name| name.map(|name| name.file_name()))
            .all(|name| name.is_ok_and(|name| name.to_string_lossy().ends_with(".tmp")))
}

/// Whether holes, one after the other, hold every entry of a range; they are in ascending order.
fn lost_whole(holes: &[StoredHole], first: u64, end: u64) -> bool {
    let mut at = first;
    for hole in holes.iter().filter(|hole| hole.touches(first, end)) {
        if hole.span.0 > at {
            return false;
        }
        at = at.max(hole.span.1);
    }
    at >= end
}
