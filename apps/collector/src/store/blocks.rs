//! Runs of 256 entries as files: entry bundle and hash tile, or the sidecar where entries are lost.

use std::path::{Path, PathBuf};

use proof::Hash;
use proof::limits::{TILE_WIDTH, TILE_WIDTH_U64};
use proof::tile::{Tile, TileKind, decode_bundle, encode_bundle};
use proof::tree::leaf_hash;

use crate::error::Error;
use crate::files::{self, Access};

/// Folder of the sidecar bundles.
const SIDECAR: &str = "holes";

/// One place of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Leaf(Vec<u8>),
    Lost,
}

impl Slot {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Leaf(leaf) => leaf,
            // No leaf is empty, so an empty entry is free to mean a lost one.
            Self::Lost => &[],
        }
    }
}

/// The bundle, tile and sidecar of a run at a width.
pub(super) struct BlockPaths {
    pub(super) bundle: PathBuf,
    pub(super) tile: PathBuf,
    pub(super) sidecar: PathBuf,
}

impl BlockPaths {
    pub(super) fn of(dir: &Path, index: u64, width: u16) -> Result<Self, Error> {
        let tile = |kind| Tile::new(kind, index, width).map_err(Error::setup);
        let bundle = tile(TileKind::Entries)?.to_string();
        Ok(Self {
            tile: dir.join(tile(TileKind::Hashes(0))?.to_string()),
            sidecar: dir.join(SIDECAR).join(bundle.trim_start_matches("tile/")),
            bundle: dir.join(bundle),
        })
    }
}

/// Width of the run with this index in a log of `size` entries.
pub(super) fn width_at(index: u64, size: u64) -> u16 {
    let begin = index.saturating_mul(TILE_WIDTH_U64);
    let width = size.saturating_sub(begin).min(TILE_WIDTH_U64);
    u16::try_from(width).unwrap_or(TILE_WIDTH)
}

/// Reads a run; `None` where neither file is there.
pub(super) fn read(dir: &Path, index: u64, width: u16) -> Result<Option<Vec<Slot>>, Error> {
    let paths = BlockPaths::of(dir, index, width)?;
    for path in [&paths.bundle, &paths.sidecar] {
        let Some(bytes) = files::read(path)? else {
            continue;
        };
        let entries = decode_bundle(&bytes, width).map_err(|error| Error::damaged(path, error))?;
        let slot = |entry: &&[u8]| match entry.is_empty() {
            true => Slot::Lost,
            false => Slot::Leaf(entry.to_vec()),
        };
        return Ok(Some(entries.iter().map(slot).collect()));
    }
    Ok(None)
}

/// Writes a run and returns the directories to flush.
pub(super) fn write(dir: &Path, index: u64, slots: &[Slot]) -> Result<Vec<PathBuf>, Error> {
    let width = u16::try_from(slots.len()).map_err(Error::setup)?;
    let paths = BlockPaths::of(dir, index, width)?;
    let bundle = encode_bundle(slots.iter().map(Slot::bytes)).map_err(Error::setup)?;
    let hashes: Option<Vec<Hash>> = slots
        .iter()
        .map(|slot| match slot {
            Slot::Leaf(leaf) => Some(leaf_hash(leaf)),
            Slot::Lost => None,
        })
        .collect();
    match hashes {
        Some(hashes) => {
            let tile: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
            let dirs = vec![
                files::place(&paths.bundle, &bundle, Access::Public)?,
                files::place(&paths.tile, &tile, Access::Public)?,
            ];
            if paths.sidecar.exists() {
                // The last entry of a hole is back: the sidecar goes only when its successor stays.
                dirs.iter().try_for_each(|dir| files::flush_dir(dir))?;
                files::remove(&paths.sidecar)?;
            }
            Ok(dirs)
        }
        None => Ok(vec![files::place(&paths.sidecar, &bundle, Access::Public)?]),
    }
}
