//! Tiles (C2SP tlog-tiles): the published form of a tree and of its entries, as files of fixed names.

mod bundle;
mod stream;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

pub use bundle::{decode_bundle, encode_bundle};
pub use stream::TileStream;

use crate::limits::{HASH_BYTES, TILE_LEVEL_MAX, TILE_WIDTH, TILE_WIDTH_U64};
use crate::source::{NodeSource, ProofError};
use crate::text::decimal;
use crate::tree::{CompactRange, Hash};

/// Levels of the tree between two tile levels.
const TILE_HEIGHT: u32 = 8;
/// A path element of a tile index counts to here.
const PATH_BASE: u64 = 1000;

/// Why a tile is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileError {
    /// The path is not the one form of a tile's path.
    BadPath,
    /// The level is above [`TILE_LEVEL_MAX`], the width not 1 to 256, or the tile lies past the largest tree.
    OutOfBounds,
    /// The tile holds entries, not hashes.
    NotHashes,
    /// The number of bytes does not fit the width.
    BadLength {
        /// Bytes the width needs.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// The source lacks a hash.
    Proof(ProofError),
}

impl fmt::Display for TileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPath => {
                f.write_str("tile path is not tile/<level or entries>/<x001/.../067>[.p/<width>]")
            }
            Self::OutOfBounds => write!(
                f,
                "tile must have level 0 to {TILE_LEVEL_MAX}, width 1 to {TILE_WIDTH} and lie inside the largest tree"
            ),
            Self::NotHashes => f.write_str("an entry bundle holds no hashes"),
            Self::BadLength { expected, got } => {
                write!(f, "tile has {got} bytes, its width needs {expected}")
            }
            Self::Proof(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TileError {}

impl From<ProofError> for TileError {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Entries, length-prefixed: an entry bundle.
    Entries,
    /// Hashes of subtrees of `256^level` leaves.
    Hashes(u8),
}

/// One tile: kind, index in its level, width. `Display` and `FromStr` are its path under the log's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// A tile, full at width 256, partial below.
    ///
    /// # Errors
    /// [`TileError::OutOfBounds`].
    pub const fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TileError> {
        let level_ok = match kind {
            TileKind::Entries => true,
            TileKind::Hashes(level) => level <= TILE_LEVEL_MAX,
        };
        if level_ok && width >= 1 && width <= TILE_WIDTH {
            Ok(Self { kind, index, width })
        } else {
            Err(TileError::OutOfBounds)
        }
    }

    /// What the tile holds.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Index of the tile within its level.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in the tile.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether the tile has its final width and never changes again.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The leaves `[begin, end)` the tile spans at its width; `None` past the largest tree.
    #[must_use]
    pub fn leaves(&self) -> Option<(u64, u64)> {
        let step = self.step()?;
        let first = self.index.checked_mul(TILE_WIDTH_U64)?;
        let begin = first.checked_mul(step)?;
        let end = first
            .checked_add(u64::from(self.width))?
            .checked_mul(step)?;
        Some((begin, end))
    }

    /// Leaves under one hash or entry of the tile.
    fn step(&self) -> Option<u64> {
        match self.kind {
            TileKind::Entries => Some(1),
            TileKind::Hashes(level) => {
                let bits = u32::from(level).checked_mul(TILE_HEIGHT)?;
                1u64.checked_shl(bits)
            }
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut elements = Vec::from([self.index % PATH_BASE]);
        let mut rest = self.index / PATH_BASE;
        while rest > 0 {
            elements.push(rest % PATH_BASE);
            rest /= PATH_BASE;
        }
        let (last, upper) = elements.split_first().unwrap_or((&0, &[]));
        for element in upper.iter().rev() {
            write!(f, "x{element:03}/")?;
        }
        write!(f, "{last:03}")?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError::BadPath)?;
        let (kind, rest) = rest.split_once('/').ok_or(TileError::BadPath)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => {
                let level = decimal(level).ok_or(TileError::BadPath)?;
                TileKind::Hashes(u8::try_from(level).map_err(|_| TileError::BadPath)?)
            }
        };
        let (elements, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((elements, width)) => {
                let width = decimal(width).ok_or(TileError::BadPath)?;
                (
                    elements,
                    u16::try_from(width).map_err(|_| TileError::BadPath)?,
                )
            }
        };
        let mut index = 0u64;
        for element in elements.split('/') {
            let digits = element.strip_prefix('x').unwrap_or(element);
            let value: u64 = digits.parse().map_err(|_| TileError::BadPath)?;
            index = index
                .checked_mul(PATH_BASE)
                .and_then(|index| index.checked_add(value))
                .ok_or(TileError::BadPath)?;
        }
        let tile = Self::new(kind, index, width).map_err(|_| TileError::BadPath)?;
        // One tile has one path: what would be written otherwise is not read.
        if format!("{tile}") == path {
            Ok(tile)
        } else {
            Err(TileError::BadPath)
        }
    }
}

/// The path of a log's checkpoint (tlog-tiles "Checkpoints").
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// The hash tiles to write when a tree grows: those completed since `old_size`, then the partial one, level by level.
/// From 0 these are all tiles of a tree. A partial tile that did not change is not repeated.
pub fn tiles_between(old_size: u64, new_size: u64) -> impl Iterator<Item = Tile> {
    (0..TILE_HEIGHT).flat_map(move |level| {
        let bits = level.saturating_mul(TILE_HEIGHT);
        let kind = u8::try_from(level).map_or(TileKind::Entries, TileKind::Hashes);
        row_between(kind, old_size >> bits, new_size >> bits)
    })
}

/// The entry bundles to write when a tree grows; see [`tiles_between`].
pub fn bundles_between(old_size: u64, new_size: u64) -> impl Iterator<Item = Tile> {
    row_between(TileKind::Entries, old_size, new_size)
}

fn row_between(kind: TileKind, old_count: u64, new_count: u64) -> impl Iterator<Item = Tile> {
    let full = (old_count / TILE_WIDTH_U64)..(new_count / TILE_WIDTH_U64);
    let partial = u16::try_from(new_count % TILE_WIDTH_U64)
        .ok()
        .filter(|width| *width > 0 && old_count < new_count)
        .map(|width| (new_count / TILE_WIDTH_U64, width));
    full.map(|index| (index, TILE_WIDTH))
        .chain(partial)
        .map(move |(index, width)| Tile { kind, index, width })
}

/// The contents of a hash tile from a source that knows the subtrees under it (tlog-tiles "Merkle Tree").
///
/// # Errors
/// [`TileError::NotHashes`], [`TileError::OutOfBounds`], or [`TileError::Proof`] when the source lacks a hash.
pub fn tile_bytes<S: NodeSource + ?Sized>(source: &S, tile: &Tile) -> Result<Vec<u8>, TileError> {
    if tile.kind == TileKind::Entries {
        return Err(TileError::NotHashes);
    }
    let (mut begin, end) = tile.leaves().ok_or(TileError::OutOfBounds)?;
    let step = tile.step().ok_or(TileError::OutOfBounds)?;
    let mut bytes = Vec::with_capacity(usize::from(tile.width).saturating_mul(HASH_BYTES));
    while begin < end {
        let next = begin.saturating_add(step);
        let hash = source
            .subtree(begin, next)
            .ok_or(ProofError::HashUnknown { begin, end: next })?;
        bytes.extend_from_slice(&hash.0);
        begin = next;
    }
    Ok(bytes)
}

/// The hashes of a tile's bytes.
///
/// # Errors
/// [`TileError::NotHashes`] or [`TileError::BadLength`].
pub fn tile_hashes(tile: &Tile, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
    if tile.kind == TileKind::Entries {
        return Err(TileError::NotHashes);
    }
    let expected = usize::from(tile.width).saturating_mul(HASH_BYTES);
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if bytes.len() != expected || !rest.is_empty() {
        return Err(TileError::BadLength {
            expected,
            got: bytes.len(),
        });
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

/// The hash of a full tile in the level above it; `None` when the tile is partial.
#[must_use]
pub fn full_tile_hash(hashes: &[Hash]) -> Option<Hash> {
    if hashes.len() != usize::from(TILE_WIDTH) {
        return None;
    }
    let mut range = CompactRange::empty(0);
    hashes.iter().for_each(|hash| range.push(*hash));
    range.root().ok()
}

/// The directory of a log under a mirror's monitoring prefix: the SHA-256 of the origin in lowercase hex
/// (tlog-mirror "Introduction").
#[must_use]
pub fn origin_directory(origin: &str) -> String {
    use sha2::Digest as _;
    let digest: [u8; HASH_BYTES] = sha2::Sha256::digest(origin.as_bytes()).into();
    format!("{:?}", Hash(digest))
}

#[cfg(test)]
mod tests;
