//! Writing runs and tiles: packages laid over what is stored, tiles completed for a new head.

use std::collections::BTreeSet;
use std::path::Path;

use exchange::body::{Part, RunPackage};
use proof::limits::TILE_WIDTH_U64;
use proof::tile::{TileKind, bundles_between, tile_bytes, tiles_between};

use super::FileStore;
use super::blocks::{self, BlockPaths, Slot, width_at};
use crate::error::Error;
use crate::files::{self, Access};

impl FileStore {
    /// A run as far as it is stored.
    pub(super) fn block(&self, index: u64) -> Result<Vec<Slot>, Error> {
        let width = width_at(index, self.next);
        if width == 0 {
            return Ok(Vec::new());
        }
        if let Some(slots) = blocks::read(&self.dir, index, width)? {
            return Ok(slots);
        }
        let begin = index.saturating_mul(TILE_WIDTH_U64);
        if self
            .holes
            .cover(begin, begin.saturating_add(u64::from(width)))
        {
            return Ok(vec![Slot::Lost; usize::from(width)]);
        }
        let paths = BlockPaths::of(&self.dir, index, width)?;
        Err(Error::damaged(&paths.bundle, "it is missing"))
    }

    /// Lays a package over the runs that it touches.
    pub(super) fn overlay(&mut self, package: &RunPackage<'_>) -> Result<(), Error> {
        let extent = package.extent;
        let index = extent.begin / TILE_WIDTH_U64;
        let block_begin = index.saturating_mul(TILE_WIDTH_U64);
        let mut slots = self.block(index)?;
        let mut changed = false;
        let mut at = extent.begin;
        for part in &package.parts {
            match part {
                Part::Entries(entries) => {
                    for entry in entries {
                        changed |= self.lay(&mut slots, block_begin, at, entry)?;
                        at = at.saturating_add(1);
                    }
                }
                Part::Hole(hole) => {
                    let end = hole.end();
                    if at >= self.next {
                        self.holes.add(hole);
                        // A wide hole has no files: its one hash says all there is.
                        let wide = end.saturating_sub(block_begin) > TILE_WIDTH_U64;
                        let count = if wide { 0 } else { end.saturating_sub(at) };
                        slots.extend((0..count).map(|_| Slot::Lost));
                        changed |= !wide;
                    }
                    at = end;
                }
            }
        }
        if changed && slots.iter().any(|slot| *slot != Slot::Lost) {
            self.unflushed
                .extend(blocks::write(&self.dir, index, &slots)?);
        }
        self.next = self.next.max(extent.end);
        Ok(())
    }

    /// Lays one leaf into a run; `false` where it was there.
    fn lay(
        &mut self,
        slots: &mut Vec<Slot>,
        block_begin: u64,
        at: u64,
        entry: &[u8],
    ) -> Result<bool, Error> {
        let place = usize::try_from(at.saturating_sub(block_begin)).map_err(Error::setup)?;
        let lost = match slots.get_mut(place) {
            Some(Slot::Leaf(_)) => return Ok(false),
            Some(slot) => {
                *slot = Slot::Leaf(entry.to_vec());
                true
            }
            None => {
                slots.push(Slot::Leaf(entry.to_vec()));
                false
            }
        };
        if lost {
            self.holes.filled(at);
            let mirrored = self
                .mirrored
                .as_ref()
                .map_or(0, |mirrored| mirrored.sealed.head.size);
            if at < mirrored {
                let row = self.decode(at, entry);
                self.open_rows()?.put(&[row], None)?;
            }
        }
        Ok(true)
    }

    /// Writes every tile that the tree of `size` entries has and that no hole keeps from being whole.
    pub(super) fn complete_tiles(&mut self, size: u64) -> Result<(), Error> {
        let old = self
            .mirrored
            .as_ref()
            .map_or(0, |mirrored| mirrored.sealed.head.size);
        for tile in bundles_between(old, size) {
            self.complete_block(tile.index(), tile.width())?;
        }
        let mut dirs = BTreeSet::new();
        for tile in tiles_between(old, size) {
            let path = self.dir.join(tile.to_string());
            if tile.kind() == TileKind::Hashes(0) || path.exists() {
                continue;
            }
            if let Ok(bytes) = tile_bytes(&self.tree(), &tile) {
                dirs.insert(files::place(&path, &bytes, Access::Public)?);
            }
        }
        dirs.iter().try_for_each(|dir| files::flush_dir(dir))
    }

    /// A run may have grown past a size that is committed only now: its files at that size.
    fn complete_block(&mut self, index: u64, width: u16) -> Result<(), Error> {
        if blocks::read(&self.dir, index, width)?.is_some() {
            return Ok(());
        }
        let mut slots = self.block(index)?;
        slots.truncate(usize::from(width));
        if slots.iter().any(|slot| *slot != Slot::Lost) {
            for dir in blocks::write(&self.dir, index, &slots)? {
                files::flush_dir(&dir)?;
            }
        }
        Ok(())
    }

    /// Removes the partial tiles of those that are full now.
    pub(super) fn remove_partials(&self, old: u64, size: u64) -> Result<(), Error> {
        let tiles = tiles_between(old, size).chain(bundles_between(old, size));
        for tile in tiles.filter(|tile| tile.is_full()) {
            let path = tile.to_string();
            if self.dir.join(&path).exists() {
                files::remove(&self.dir.join(format!("{path}.p")))?;
            }
            if tile.kind() == TileKind::Entries {
                let full = BlockPaths::of(&self.dir, tile.index(), tile.width())?.sidecar;
                let mut partials = full.into_os_string();
                partials.push(".p");
                files::remove(Path::new(&partials))?;
            }
        }
        Ok(())
    }
}
