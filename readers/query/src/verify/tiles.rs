//! The tiles and bundles of a collector, compared with the tree that the checkpoint speaks of.

use super::report::{FindingKind, Report};
use crate::collector::{CollectorError, LogDir, StoredHole};
use proof::RangeSource;
use proof::limits::{HASH_BYTES, TILE_WIDTH, TILE_WIDTH_U64};
use proof::tile::{Tile, TileKind, decode_bundle, tile_bytes, tiles_between};

/// Ending of a file that is not in its place yet.
const DRAFT: &str = ".tmp";

/// Every tile that the size demands is there, and every tile that is there is right below it. What
/// reaches above it was stored and is not cosigned yet, or its cosignature was under way.
pub(super) fn verify_tiles(
    log: &LogDir,
    size: u64,
    tree: &RangeSource,
    holes: &[StoredHole],
    report: &mut Report,
) -> Result<(), CollectorError> {
    let present = log.tile_files()?;
    for tile in tiles_between(0, size) {
        let name = tile.to_string();
        // Once a tile is full its partial ones go, which may be before the checkpoint says so.
        let full = Tile::new(tile.kind(), tile.index(), TILE_WIDTH)
            .is_ok_and(|full| present.contains(&full.to_string()));
        // A tile that touches a hole is not published.
        if !full && !present.contains(&name) && !touches(&tile, holes) {
            let words = format!("{name} is missing");
            report.find(FindingKind::File, span_of(&tile, size), words);
        }
    }
    let mut seen_to = size;
    // A writer that was ended leaves a draft beside its place, which nobody reads.
    for name in present.iter().filter(|name| !name.ends_with(DRAFT)) {
        let Ok(tile) = name.parse::<Tile>() else {
            let words = format!("{name} is not a tile's name");
            report.find(FindingKind::File, None, words);
            continue;
        };
        seen_to = seen_to.max(tile.leaves().map_or(0, |(_, end)| end));
        let bytes = match std::fs::read(log.path.join(name)) {
            Ok(bytes) => bytes,
            // A collector that runs has put a fuller one in its place meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !tile.is_full() => {
                continue;
            }
            Err(error) => return Err(CollectorError::new(&log.path.join(name), error)),
        };
        let below = Below { size, tree, holes };
        match tile.kind() {
            TileKind::Entries => below.check_bundle(&tile, &bytes, report),
            TileKind::Hashes(_) => below.check_hashes(&tile, &bytes, report),
        }
    }
    if seen_to > size {
        let words = "stored above the checkpoint and not cosigned yet: nothing is said of them";
        report.find(FindingKind::NotCovered, Some((size, seen_to - 1)), words);
    }
    Ok(())
}

/// What a checkpoint speaks of.
struct Below<'a> {
    size: u64,
    tree: &'a RangeSource,
    holes: &'a [StoredHole],
}

impl Below<'_> {
    /// The hashes of complete subtrees below the size are those of the tree.
    fn check_hashes(&self, tile: &Tile, bytes: &[u8], report: &mut Report) {
        let span = span_of(tile, self.size);
        let wrong = |words: String| (FindingKind::File, span, format!("{tile}: {words}"));
        let width = self.width_of(tile);
        let known = match Tile::new(tile.kind(), tile.index(), width) {
            Ok(part) if width > 0 => tile_bytes(self.tree, &part),
            _ => return,
        };
        let due = HASH_BYTES * usize::from(tile.width());
        let found = match known {
            Ok(_) if bytes.len() != due => wrong(format!("{} bytes, {due} are due", bytes.len())),
            Ok(known) if bytes.starts_with(&known) => return,
            Ok(_) => wrong("differs from the hashes of the stored entries".to_owned()),
            // A tile across a hole holds what is known; its hashes cannot all be derived.
            Err(_) if touches(tile, self.holes) => return,
            Err(error) => wrong(error.to_string()),
        };
        report.find(found.0, found.1, found.2);
    }

    /// How many hashes of a tile stand for subtrees that are complete below the size.
    fn width_of(&self, tile: &Tile) -> u16 {
        let Some((begin, end)) = tile.leaves() else {
            return 0;
        };
        if end <= self.size {
            return tile.width();
        }
        let step = (end - begin) / u64::from(tile.width()).max(1);
        let complete = self.size.saturating_sub(begin) / step.max(1);
        u16::try_from(complete).unwrap_or(0)
    }

    /// A bundle, an older partial one as well, holds the same leaves as the tree.
    fn check_bundle(&self, tile: &Tile, bytes: &[u8], report: &mut Report) {
        let leaves = match decode_bundle(bytes, tile.width()) {
            Ok(leaves) => leaves,
            Err(error) => {
                let span = span_of(tile, self.size);
                report.find(FindingKind::File, span, format!("{tile}: {error}"));
                return;
            }
        };
        let first = tile.index().saturating_mul(TILE_WIDTH_U64);
        for (id, leaf) in (first..self.size).zip(leaves) {
            let lost = self.holes.iter().any(|hole| hole.touches(id, id + 1));
            let known = proof::NodeSource::subtree(self.tree, id, id + 1);
            if !lost && known != Some(proof::tree::leaf_hash(leaf)) {
                let words = format!("{tile}: this leaf is not the one in the tree");
                report.find(FindingKind::File, Some((id, id)), words);
            }
        }
    }
}

/// The entries under a tile that the checkpoint speaks of.
fn span_of(tile: &Tile, size: u64) -> Option<(u64, u64)> {
    let (begin, end) = tile.leaves()?;
    let end = end.min(size);
    (begin < end).then(|| (begin, end - 1))
}

fn touches(tile: &Tile, holes: &[StoredHole]) -> bool {
    tile.leaves()
        .is_some_and(|(begin, end)| holes.iter().any(|hole| hole.touches(begin, end)))
}
