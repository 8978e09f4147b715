//! A backup as files with names, in a directory or in one tar file, and the digests of all of them.

use super::backup_tar::{TAR_BLOCK, TAR_BLOCK_U64, list_tar, tar_header};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file that lists the digests of all others, as `sha256sum --check` reads it.
pub(super) const SUMS_FILE: &str = "SHA256SUMS";
/// A name that ends so is a tar file; any other is a directory.
const TAR_ENDING: &str = "tar";
/// Bytes read and written at once.
const CHUNK_BYTES: usize = 1 << 20;
const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Whether a path names a tar file.
pub(super) fn is_tar(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == TAR_ENDING)
}

/// A backup that is being written.
pub(super) struct Writer {
    root: PathBuf,
    tar: Option<File>,
    lines: Vec<Line>,
}

/// A place in a backup that is being written, to come back to.
pub(super) struct Place {
    lines: usize,
    tar_bytes: u64,
}

impl Writer {
    /// Begins; nothing that exists is overwritten.
    pub(super) fn create(root: &Path, tar: bool) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot create {}: {error}", root.display());
        let tar = if tar {
            Some(new_file(root, PRIVATE_FILE).map_err(failed)?)
        } else {
            DirBuilder::new()
                .mode(PRIVATE_DIR)
                .create(root)
                .map_err(failed)?;
            None
        };
        Ok(Self {
            root: root.to_path_buf(),
            tar,
            lines: Vec::new(),
        })
    }

    /// The files so far.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Where it stands.
    pub(super) fn place(&mut self) -> Result<Place, String> {
        let tar_bytes = match &mut self.tar {
            Some(tar) => tar
                .stream_position()
                .map_err(|error| self_failed(&self.root, &error))?,
            None => 0,
        };
        Ok(Place {
            lines: self.lines.len(),
            tar_bytes,
        })
    }

    /// Forgets what was put since.
    pub(super) fn back_to(&mut self, place: &Place) -> Result<(), String> {
        let failed = |error: std::io::Error| self_failed(&self.root, &error);
        if let Some(tar) = &mut self.tar {
            tar.set_len(place.tar_bytes).map_err(failed)?;
            tar.seek(SeekFrom::Start(place.tar_bytes)).map_err(failed)?;
        }
        for line in self.lines.drain(place.lines.min(self.lines.len())..) {
            if self.tar.is_none() {
                std::fs::remove_file(self.root.join(line.name)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Puts a file: exactly so many bytes of the source, each chunk told to `progress`.
    pub(super) fn put(
        &mut self,
        name: &str,
        mode: u32,
        bytes: u64,
        source: &mut impl Read,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("cannot write {name} of the backup: {error}");
        let mut own;
        let out = match &mut self.tar {
            Some(tar) => {
                let header = tar_header(name, mode, bytes)
                    .ok_or_else(|| format!("{name} does not fit a tar file: name or size"))?;
                tar.write_all(&header).map_err(failed)?;
                tar
            }
            None => {
                let path = self.root.join(name);
                if let Some(parent) = path.parent() {
                    let mut builder = DirBuilder::new();
                    builder.recursive(true).mode(PRIVATE_DIR);
                    builder.create(parent).map_err(failed)?;
                }
                own = new_file(&path, mode).map_err(failed)?;
                &mut own
            }
        };
        let mut digest = Sha256::new();
        let mut left = bytes;
        let mut chunk = vec![0u8; CHUNK_BYTES];
        while left > 0 {
            let size = usize::try_from(left)
                .unwrap_or(CHUNK_BYTES)
                .min(CHUNK_BYTES);
            let part = chunk.get_mut(..size).unwrap_or_default();
            source
                .read_exact(part)
                .map_err(|error| format!("cannot read what becomes {name}: {error}"))?;
            digest.update(&*part);
            out.write_all(part).map_err(failed)?;
            let size = u64::try_from(size).unwrap_or(0);
            left -= size;
            progress(size);
        }
        if self.tar.is_some() {
            let padding = usize::try_from(bytes.next_multiple_of(TAR_BLOCK_U64) - bytes);
            let zeros = [0u8; TAR_BLOCK];
            let zeros = zeros.get(..padding.unwrap_or(0)).unwrap_or_default();
            if let Some(tar) = &mut self.tar {
                tar.write_all(zeros).map_err(failed)?;
            }
        } else {
            out_of(&self.root, name)
                .and_then(|file| file.sync_all())
                .map_err(failed)?;
        }
        self.lines.push(Line {
            name: name.to_owned(),
            bytes,
            sha256: hex(&digest.finalize()),
        });
        Ok(())
    }

    /// Puts a text.
    pub(super) fn put_text(&mut self, name: &str, mode: u32, text: &[u8]) -> Result<(), String> {
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.put(name, mode, bytes, &mut &*text, &mut |_| {})
    }

    /// Writes the list of digests, and makes everything durable.
    pub(super) fn finish(mut self) -> Result<(), String> {
        let mut sums = String::new();
        for line in &self.lines {
            let _ = writeln!(sums, "{}  {}", line.sha256, line.name);
        }
        self.put_text(SUMS_FILE, 0o644, sums.as_bytes())?;
        let failed = |error: std::io::Error| self_failed(&self.root, &error);
        match &mut self.tar {
            Some(tar) => {
                tar.write_all(&[0u8; 2 * TAR_BLOCK]).map_err(failed)?;
                tar.sync_all().map_err(failed)
            }
            None => sync_directories(&self.root),
        }
    }
}

fn self_failed(root: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", root.display())
}

fn out_of(root: &Path, name: &str) -> std::io::Result<File> {
    File::open(root.join(name))
}

/// Creates a file that is not there yet.
pub(super) fn new_file(path: &Path, mode: u32) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).open(path)
}

/// Makes the names in a directory and in those below it durable.
pub(super) fn sync_directories(root: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| self_failed(root, &error);
    for entry in std::fs::read_dir(root).map_err(failed)?.flatten() {
        if entry.path().is_dir() {
            sync_directories(&entry.path())?;
        }
    }
    File::open(root)
        .and_then(|dir| dir.sync_all())
        .map_err(failed)
}

/// Where a file of a backup lies.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// A backup as it lies there.
#[derive(Debug)]
pub(super) struct Archive {
    root: PathBuf,
    parts: BTreeMap<String, Part>,
}

impl Archive {
    /// Looks what is there; nothing is believed yet.
    pub(super) fn open(root: &Path) -> Result<Self, String> {
        let mut parts = BTreeMap::new();
        if root.is_dir() {
            list(root, root, &mut parts)?;
        } else {
            list_tar(root, &mut parts)?;
        }
        Ok(Self {
            root: root.to_path_buf(),
            parts,
        })
    }

    /// Bytes of a file, if it is there.
    pub(super) fn bytes(&self, name: &str) -> Option<u64> {
        self.parts.get(name).map(|part| part.bytes)
    }

    /// The names of all files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }

    /// Fills `into` from a place in a file; what lies behind its end reads as zeros.
    pub(super) fn read_at(&self, name: &str, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        let part = self.parts.get(name).ok_or(std::io::ErrorKind::NotFound)?;
        let there = usize::try_from(part.bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        let (read, behind) = into.split_at_mut(there.min(into.len()));
        behind.fill(0);
        if read.is_empty() {
            return Ok(());
        }
        File::open(&part.path)?.read_exact_at(read, part.offset + at)
    }

    /// A whole file that must be small.
    pub(super) fn text(&self, name: &str, bytes_max: u64) -> Result<String, String> {
        let shown = self.root.display();
        let bytes = self
            .bytes(name)
            .ok_or_else(|| format!("{shown} is no whole backup: it has no {name}"))?;
        if bytes > bytes_max {
            return Err(format!(
                "{shown}: {name} has {bytes} bytes, more than {bytes_max}"
            ));
        }
        let mut text = vec![0u8; usize::try_from(bytes).unwrap_or(0)];
        self.read_at(name, 0, &mut text)
            .map_err(|error| format!("{shown}: cannot read {name}: {error}"))?;
        String::from_utf8(text).map_err(|_| format!("{shown}: {name} is not text"))
    }

    /// Hands a file's bytes on, chunk by chunk.
    pub(super) fn each_chunk(
        &self,
        name: &str,
        mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let bytes = self.bytes(name).unwrap_or(0);
        let mut chunk = vec![0u8; CHUNK_BYTES];
        let mut at = 0;
        while at < bytes {
            let size = usize::try_from(bytes - at)
                .unwrap_or(CHUNK_BYTES)
                .min(CHUNK_BYTES);
            let part = chunk.get_mut(..size).unwrap_or_default();
            self.read_at(name, at, part)?;
            take(part)?;
            at += u64::try_from(size).unwrap_or(0);
        }
        Ok(())
    }

    /// Compares every file with the list of digests. The error names the first that differs.
    pub(super) fn check(&self, progress: &mut impl FnMut(u64)) -> Result<(), String> {
        let shown = self.root.display();
        let sums = self.text(SUMS_FILE, SUMS_BYTES_MAX)?;
        let mut listed = vec![SUMS_FILE];
        for line in sums.lines() {
            let (sum, name) = line.split_once("  ").ok_or_else(|| {
                format!("{shown}: {SUMS_FILE} is damaged: it must list digests and names")
            })?;
            if !self.parts.contains_key(name) {
                return Err(format!("{shown} is refused: {name} is missing"));
            }
            let mut digest = Sha256::new();
            self.each_chunk(name, |chunk| {
                digest.update(chunk);
                progress(u64::try_from(chunk.len()).unwrap_or(0));
                Ok(())
            })
            .map_err(|error| format!("{shown}: cannot read {name}: {error}"))?;
            if hex(&digest.finalize()) != sum {
                return Err(format!(
                    "{shown} is refused: {name} is not as it was backed up (its SHA-256 differs from {SUMS_FILE})"
                ));
            }
            listed.push(name);
        }
        match self.names().find(|name| !listed.contains(name)) {
            Some(name) => Err(format!(
                "{shown} is refused: {name} is no part of the backup ({SUMS_FILE} does not list it)"
            )),
            None => Ok(()),
        }
    }
}

/// Bytes that the list of digests may have: a ring has at most 65,536 segments.
const SUMS_BYTES_MAX: u64 = 16 << 20;

fn list(root: &Path, dir: &Path, parts: &mut BTreeMap<String, Part>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", dir.display());
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            list(root, &path, parts)?;
            continue;
        }
        let bytes = std::fs::metadata(&path).map_err(failed)?.len();
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let part = Part {
            path,
            offset: 0,
            bytes,
        };
        parts.insert(name, part);
    }
    Ok(())
}

/// Lowercase hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
