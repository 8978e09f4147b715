//! The stored tree: hashes from tiles, from holes, and from entries where tiles are not written yet.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use proof::limits::{TILE_WIDTH, TILE_WIDTH_U64};
use proof::tile::{Tile, TileKind, full_tile_hash, tile_hashes};
use proof::tree::{Subtree, leaf_hash, node_hash};
use proof::{Hash, NodeSource};

use super::blocks::{self, Slot};
use super::holes::Holes;
use crate::files;
use crate::limits::TILE_CACHE_MAX;

/// Levels of the tree between two tile levels.
const TILE_HEIGHT: u32 = 8;

/// Level and index of a full tile.
type TileKey = (u8, u64);

/// Full hash tiles never change: those read last.
#[derive(Debug, Default)]
pub(super) struct TileCache(Mutex<HashMap<TileKey, Arc<Vec<Hash>>>>);

impl TileCache {
    fn get(&self, key: TileKey) -> Option<Arc<Vec<Hash>>> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(&key).cloned()
    }

    fn put(&self, key: TileKey, hashes: &Arc<Vec<Hash>>) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= TILE_CACHE_MAX {
            map.clear();
        }
        map.insert(key, Arc::clone(hashes));
    }
}

/// A view of the stored tree up to `end`; partial tiles are those of `mirrored` and of `end`.
pub(super) struct StoredTree<'a> {
    pub(super) dir: &'a Path,
    pub(super) holes: &'a Holes,
    pub(super) cache: &'a TileCache,
    pub(super) mirrored: u64,
    pub(super) end: u64,
}

impl StoredTree<'_> {
    /// The hashes of a tile, at any width stored that is at least `width`.
    fn tile(&self, level: u8, index: u64, width: u64) -> Option<Arc<Vec<Hash>>> {
        if let Some(hashes) = self.cache.get((level, index)) {
            return Some(hashes);
        }
        let bits = u32::from(level).checked_mul(TILE_HEIGHT)?;
        let partial = |size: u64| {
            let count = size.checked_shr(bits)?;
            (count / TILE_WIDTH_U64 == index).then_some(count % TILE_WIDTH_U64)
        };
        let widths = [
            Some(TILE_WIDTH_U64),
            partial(self.end),
            partial(self.mirrored),
        ];
        for stored in widths
            .into_iter()
            .flatten()
            .filter(|stored| *stored >= width)
        {
            let stored = u16::try_from(stored).ok()?;
            let tile = Tile::new(TileKind::Hashes(level), index, stored).ok()?;
            let Ok(Some(bytes)) = files::read(&self.dir.join(tile.to_string())) else {
                continue;
            };
            let hashes = Arc::new(tile_hashes(&tile, &bytes).ok()?);
            if stored == TILE_WIDTH {
                self.cache.put((level, index), &hashes);
            }
            return Some(hashes);
        }
        None
    }

    /// The hash of a subtree from the tile that has its elements.
    fn in_tile(&self, part: Subtree) -> Option<Hash> {
        let level = part.height / TILE_HEIGHT;
        let elements = 1u64.checked_shl(part.height % TILE_HEIGHT)?;
        let first = part.begin.checked_shr(level.checked_mul(TILE_HEIGHT)?)?;
        let (index, offset) = (first / TILE_WIDTH_U64, first % TILE_WIDTH_U64);
        let level = u8::try_from(level).ok()?;
        let width = offset.checked_add(elements)?;
        if let Some(hashes) = self.tile(level, index, width) {
            let range = usize::try_from(offset).ok()?..usize::try_from(width).ok()?;
            return fold(hashes.get(range)?);
        }
        // One element is also the root of a full tile a level below.
        let below = level.checked_sub(1).filter(|_| elements == 1)?;
        full_tile_hash(&self.tile(below, first, TILE_WIDTH_U64)?)
    }

    fn leaf(&self, index: u64) -> Option<Hash> {
        let block = index / TILE_WIDTH_U64;
        let width = blocks::width_at(block, self.end);
        let slots = blocks::read(self.dir, block, width).ok()??;
        match slots.get(usize::try_from(index % TILE_WIDTH_U64).ok()?)? {
            Slot::Leaf(leaf) => Some(leaf_hash(leaf)),
            Slot::Lost => None,
        }
    }
}

/// The root of a complete subtree of a power of two of neighbours.
fn fold(hashes: &[Hash]) -> Option<Hash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, rest) = row.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        row = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    row.first().copied()
}

impl NodeSource for StoredTree<'_> {
    fn subtree(&self, begin: u64, end: u64) -> Option<Hash> {
        let part = Subtree::exact(begin, end)?;
        if end > self.end {
            return None;
        }
        // A hole's hash stays true when the hole is filled.
        if let Some(hash) = self.holes.subtree(begin, end) {
            return Some(hash);
        }
        if let Some(hash) = self.in_tile(part) {
            return Some(hash);
        }
        if part.height == 0 {
            return self.leaf(begin);
        }
        // Tiles of upper levels wait for the commit; those near a hole are never written.
        let middle = begin.checked_add(end.checked_sub(begin)? / 2)?;
        Some(node_hash(
            &self.subtree(begin, middle)?,
            &self.subtree(middle, end)?,
        ))
    }
}
