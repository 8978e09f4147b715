//! Bodies of `add-entries`: the standard package, and the extension in which a package may have holes.

use alloc::vec::Vec;
use core::fmt;
use evidence::reasons::LossCause;
use proof::Hash;
use proof::limits::{PROOF_HASHES_MAX, TILE_WIDTH_U64};
use proof::wire::{Reader, WireError, put_entry, put_proof};

use crate::hole::{Hole, HoleError};
use crate::limits::{HOLE_HASHES_MAX, PACKAGE_HEIGHT, PACKAGE_RUNS_MAX};

/// Content type of the standard body (tlog-mirror).
pub const ENTRIES_CONTENT_TYPE: &str = "application/octet-stream";
/// Content type of the body whose packages are runs of entries and holes.
pub const RUNS_CONTENT_TYPE: &str = "application/vnd.fieldnotary.entries-v1";

/// First byte of a run of entries.
const RUN_ENTRIES: u8 = 0;
/// First byte of a hole.
const RUN_HOLE: u8 = 1;

/// Which of the two bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// tlog-mirror as it stands.
    Standard,
    /// Packages as runs of entries and holes.
    Runs,
}

impl Format {
    /// Its content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Standard => ENTRIES_CONTENT_TYPE,
            Self::Runs => RUNS_CONTENT_TYPE,
        }
    }

    /// The format of a content type; parameters after a semicolon are ignored.
    #[must_use]
    pub fn from_content_type(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim();
        [Self::Standard, Self::Runs]
            .into_iter()
            .find(|format| essence.eq_ignore_ascii_case(format.content_type()))
    }
}

/// Why a package is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// A piece breaks the form; [`WireError::Truncated`] while more bytes may make it whole.
    Wire(WireError),
    /// A hole is none.
    Hole(HoleError),
    /// A run is neither entries nor hole.
    UnknownRun {
        /// Its first byte.
        kind: u8,
    },
    /// The cause of a hole is not one this version knows.
    UnknownCause {
        /// Its number.
        cause: u8,
    },
    /// A run is empty, does not begin where the one before ended, or passes the end of the package.
    Misplaced {
        /// Where it had to begin.
        expected: u64,
        /// Where it begins.
        got: u64,
    },
    /// More than [`PACKAGE_RUNS_MAX`] runs or [`HOLE_HASHES_MAX`] hashes.
    TooMany,
}

impl BodyError {
    /// Whether more bytes may cure it.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        matches!(self, Self::Wire(WireError::Truncated { .. }))
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(error) => error.fmt(f),
            Self::Hole(error) => error.fmt(f),
            Self::UnknownRun { kind } => write!(f, "run of kind {kind}, 0 and 1 are known"),
            Self::UnknownCause { cause } => write!(f, "loss cause {cause} is not known"),
            Self::Misplaced { expected, got } => {
                write!(
                    f,
                    "run at {got} does not continue the package at {expected}"
                )
            }
            Self::TooMany => write!(
                f,
                "more than {PACKAGE_RUNS_MAX} runs or {HOLE_HASHES_MAX} hashes of a hole"
            ),
        }
    }
}

impl core::error::Error for BodyError {}

impl From<WireError> for BodyError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// Neighbours in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Leaves in order.
    Entries(Vec<&'a [u8]>),
    /// Lost entries.
    Hole(Hole),
}

impl Part<'_> {
    /// How many entries it stands for.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Entries(entries) => entries.len() as u64,
            Self::Hole(hole) => hole.count(),
        }
    }
}

/// Which entries a package speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Begin of the subtree that is proven.
    pub subtree_begin: u64,
    /// First entry.
    pub begin: u64,
    /// Index after the last entry, and end of the subtree.
    pub end: u64,
}

impl Extent {
    /// The standard package that begins here in an upload that ends at `upload_end`.
    #[must_use]
    pub const fn standard(begin: u64, upload_end: u64) -> Self {
        let subtree_begin = begin.saturating_sub(begin % TILE_WIDTH_U64);
        let next = subtree_begin.saturating_add(TILE_WIDTH_U64);
        Self {
            subtree_begin,
            begin,
            end: if next < upload_end { next } else { upload_end },
        }
    }

    /// The wide package of a hole: its one hash stands for more entries than a standard package has.
    /// `None` where the hole has no such hash at `begin`.
    #[must_use]
    pub fn wide(hole: &Hole, begin: u64, upload_end: u64) -> Option<Self> {
        let (part, _) = hole.subtree_at(begin)?;
        (part.height > PACKAGE_HEIGHT && part.end() <= upload_end).then(|| Self {
            subtree_begin: begin,
            begin,
            end: part.end(),
        })
    }
}

/// One package, read or to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPackage<'a> {
    /// What it speaks of.
    pub extent: Extent,
    /// Its runs, which fill `begin..end`.
    pub parts: Vec<Part<'a>>,
    /// The subtree consistency proof.
    pub proof: Vec<Hash>,
}

/// Writes a package.
///
/// # Errors
/// An entry or proof that is too long; a hole under [`Format::Standard`].
pub fn put_package(
    out: &mut Vec<u8>,
    format: Format,
    package: &RunPackage<'_>,
) -> Result<(), BodyError> {
    for part in &package.parts {
        match (part, format) {
            (Part::Entries(entries), Format::Standard) => put_entries(out, entries)?,
            (Part::Entries(entries), Format::Runs) => {
                let count = u16::try_from(entries.len()).map_err(|_| BodyError::TooMany)?;
                out.push(RUN_ENTRIES);
                out.extend_from_slice(&count.to_be_bytes());
                put_entries(out, entries)?;
            }
            (Part::Hole(hole), Format::Runs) => put_hole(out, hole)?,
            (Part::Hole(hole), Format::Standard) => {
                return Err(BodyError::Misplaced {
                    expected: package.extent.begin,
                    got: hole.first(),
                });
            }
        }
    }
    Ok(put_proof(out, &package.proof)?)
}

fn put_entries(out: &mut Vec<u8>, entries: &[&[u8]]) -> Result<(), WireError> {
    entries.iter().try_for_each(|entry| put_entry(out, entry))
}

fn put_hole(out: &mut Vec<u8>, hole: &Hole) -> Result<(), BodyError> {
    let hashes = hole.range().hashes();
    let count = u8::try_from(hashes.len())
        .ok()
        .filter(|_| hashes.len() <= HOLE_HASHES_MAX)
        .ok_or(BodyError::TooMany)?;
    out.push(RUN_HOLE);
    out.extend_from_slice(&hole.first().to_be_bytes());
    out.extend_from_slice(&hole.count().to_be_bytes());
    out.push(u8::try_from(hole.cause().code()).unwrap_or(u8::MAX));
    out.push(count);
    for hash in hashes {
        out.extend_from_slice(hash.as_bytes());
    }
    Ok(())
}

/// Reads the package that begins at `begin` and leaves the reader behind it.
///
/// # Errors
/// [`BodyError::is_truncated`] while bytes are missing, otherwise what breaks the form.
pub fn read_package<'a>(
    reader: &mut Reader<'a>,
    format: Format,
    begin: u64,
    upload_end: u64,
) -> Result<RunPackage<'a>, BodyError> {
    let mut extent = Extent::standard(begin, upload_end);
    let mut parts = Vec::new();
    let mut at = begin;
    while at < extent.end {
        if parts.len() >= PACKAGE_RUNS_MAX {
            return Err(BodyError::TooMany);
        }
        let left = extent.end.saturating_sub(at);
        let part = match format {
            Format::Standard => read_entries(reader, left)?,
            Format::Runs => read_run(reader, left, at)?,
        };
        if let Part::Hole(hole) = &part
            && at == begin
            && let Some(wide) = Extent::wide(hole, begin, upload_end)
            && wide.end == hole.end()
        {
            extent = wide;
        }
        let end = at.saturating_add(part.count());
        if end > extent.end || end == at {
            return Err(BodyError::Misplaced {
                expected: extent.end,
                got: end,
            });
        }
        at = end;
        parts.push(part);
    }
    let proof = reader.proof()?;
    debug_assert!(proof.len() <= PROOF_HASHES_MAX);
    Ok(RunPackage {
        extent,
        parts,
        proof,
    })
}

fn read_entries<'a>(reader: &mut Reader<'a>, count: u64) -> Result<Part<'a>, BodyError> {
    let entries = (0..count)
        .map(|_| reader.entry())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Part::Entries(entries))
}

fn read_run<'a>(reader: &mut Reader<'a>, left: u64, at: u64) -> Result<Part<'a>, BodyError> {
    match reader.u8()? {
        RUN_ENTRIES => {
            let count = u64::from(reader.u16()?);
            if count == 0 || count > left {
                return Err(BodyError::Misplaced {
                    expected: at.saturating_add(left),
                    got: at.saturating_add(count),
                });
            }
            read_entries(reader, count)
        }
        RUN_HOLE => {
            let (first, count, cause) = (reader.u64()?, reader.u64()?, reader.u8()?);
            let hashes = usize::from(reader.u8()?);
            if hashes > HOLE_HASHES_MAX {
                return Err(BodyError::TooMany);
            }
            let hashes = (0..hashes)
                .map(|_| reader.hash())
                .collect::<Result<Vec<_>, _>>()?;
            if first != at {
                return Err(BodyError::Misplaced {
                    expected: at,
                    got: first,
                });
            }
            let cause =
                LossCause::from_code(u64::from(cause)).ok_or(BodyError::UnknownCause { cause })?;
            let hole = Hole::new(first, count, cause, hashes).map_err(BodyError::Hole)?;
            Ok(Part::Hole(hole))
        }
        kind => Err(BodyError::UnknownRun { kind }),
    }
}

#[cfg(test)]
mod tests;
