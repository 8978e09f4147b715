//! Whoever is asked whether a log holds: ours, and those that have never heard of it.

mod crates;
mod go;
mod library;
mod merkle;
mod openssl;
mod program;

pub(crate) use library::open as open_node;

use crate::maker::Seal;
use proof::note::VerifierKey;
use std::path::{Path, PathBuf};

/// Who verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// `readers/query`, called as a library.
    Library,
    /// `fieldnotary verify`.
    Program,
    /// `sumdb/note` and `sumdb/tlog` of the Go project: the Ed25519 line, tiles, entries, consistency.
    Go,
    /// The crates `signed_note` and `tlog_tiles`: the same, written apart from Go's.
    Crates,
    /// The crate `ct-merkle`: the tree over the entries, consistency; no signature, no tile.
    Merkle,
    /// `openssl dgst`: the P-256 line, and nothing else.
    OpenSsl,
}

impl Who {
    pub(crate) const ALL: [Self; 6] = [
        Self::Library,
        Self::Program,
        Self::Go,
        Self::Crates,
        Self::Merkle,
        Self::OpenSsl,
    ];

    /// The word for programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Program => "program",
            Self::Go => "go_sumdb",
            Self::Crates => "tlog_tiles",
            Self::Merkle => "ct_merkle",
            Self::OpenSsl => "openssl",
        }
    }

    /// Whether it is part of this project.
    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Library | Self::Program)
    }

    /// Whether it can read a log of this form.
    pub(crate) const fn reads(self, form: Form) -> bool {
        self.is_ours() || matches!(form, Form::Tiles)
    }
}

/// What a log is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A node's directory.
    Node,
    /// The published form.
    Tiles,
}

/// A log on trial, and what the verifier got from elsewhere.
pub(crate) struct Exhibit<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) form: Form,
    pub(crate) origin: &'a str,
    /// The log's keys under its base name, pinned; none where the verifier has only what lies beside the log.
    pub(crate) keys: Option<&'a [VerifierKey; 2]>,
    /// A checkpoint kept from earlier, and the file that holds it.
    pub(crate) known: Option<(&'a Seal, &'a Path)>,
    /// Whether every entry was published: a missing file is then a fault.
    pub(crate) complete: bool,
}

/// What a verifier says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing speaks against it.
    Holds,
    /// It does not hold, in words.
    Found(String),
    /// It came to no answer, in words.
    NoAnswer(String),
}

impl Verdict {
    pub(crate) fn of(outcome: Result<(), String>) -> Self {
        match outcome {
            Ok(()) => Self::Holds,
            Err(words) => Self::Found(words),
        }
    }
}

/// A verifier at work.
pub(crate) trait Verifier {
    fn who(&self) -> Who;

    /// Says whether the log holds; an error is one of the trial itself.
    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String>;
}

/// Where the verifiers that are programs are.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) fieldnotary: PathBuf,
    pub(crate) go: PathBuf,
}

/// All of them.
pub(crate) fn all(tools: &Tools) -> Result<Vec<Box<dyn Verifier>>, String> {
    Ok(vec![
        Box::new(library::Library),
        Box::new(program::Program::new(&tools.fieldnotary)),
        Box::new(go::Go::start(&tools.go)?),
        Box::new(crates::Crates),
        Box::new(merkle::Merkle),
        Box::new(openssl::OpenSsl),
    ])
}

/// Ours as a library, alone.
#[cfg(test)]
pub(crate) fn library() -> Box<dyn Verifier> {
    Box::new(library::Library)
}

/// Reads a file of the log; `None` if there is none.
fn read(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(dir.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// The three lines of a checkpoint, read without our own reader of them.
fn head_of(checkpoint: &[u8]) -> Result<(String, u64, String), String> {
    let text = std::str::from_utf8(checkpoint).map_err(|error| error.to_string())?;
    let mut lines = text.lines();
    let mut next = || lines.next().ok_or("the checkpoint is cut short");
    let (origin, size, root) = (next()?.to_owned(), next()?, next()?.to_owned());
    let size = size.parse().map_err(|_| "the size is no number")?;
    Ok((origin, size, root))
}

/// The entries of a bundle, read without our own reader of it.
fn leaves_of(bundle: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut rest = bundle;
    let mut leaves = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (leaf, behind) = behind
            .split_at_checked(length)
            .ok_or("a bundle is cut short")?;
        leaves.push(leaf);
        rest = behind;
    }
    match rest.is_empty() {
        true => Ok(leaves),
        false => Err("a bundle has a byte left".to_owned()),
    }
}

/// The path of an entry bundle, and how many entries it holds, of a log of `size` entries.
fn bundle_at(index: u64, size: u64) -> (String, u64) {
    let width = size.saturating_sub(index * 256).min(256);
    let mut path = format!("{:03}", index % 1_000);
    let mut above = index / 1_000;
    while above > 0 {
        path = format!("x{:03}/{path}", above % 1_000);
        above /= 1_000;
    }
    match width {
        256 => (format!("tile/entries/{path}"), width),
        _ => (format!("tile/entries/{path}.p/{width}"), width),
    }
}
