//! The entry bundles of a log that is read once: 256 entries at a time, those with holes in the sidecar.

use proof::limits::TILE_WIDTH_U64;
use proof::tile::{Tile, TileKind, encode_bundle};

/// A file: its path under the log's directory, and its bytes.
type File = (String, Vec<u8>);

/// The bundle that is being filled.
#[derive(Debug, Default)]
pub(super) struct Bundles {
    next: u64,
    /// Leaves of the bundle under way; those that are gone are empty.
    leaves: Vec<Vec<u8>>,
    holes: u64,
}

impl Bundles {
    /// Takes the next leaf; gives the bundle that it completes.
    pub(super) fn leaf(&mut self, leaf: Vec<u8>) -> Option<File> {
        self.leaves.push(leaf);
        self.next += 1;
        if self.next.is_multiple_of(TILE_WIDTH_U64) {
            self.finish()
        } else {
            None
        }
    }

    /// Takes so many leaves that are gone; gives the bundles that end in them.
    pub(super) fn hole(&mut self, count: u64) -> Vec<File> {
        let end = self.next.saturating_add(count);
        let mut files = Vec::new();
        while self.next < end {
            self.leaves.push(Vec::new());
            self.holes += 1;
            self.next += 1;
            if self.next.is_multiple_of(TILE_WIDTH_U64) {
                files.extend(self.finish());
            }
        }
        files
    }

    /// The bundle under way as it is; one without any entry is no file.
    pub(super) fn finish(&mut self) -> Option<File> {
        let leaves = std::mem::take(&mut self.leaves);
        let holes = std::mem::take(&mut self.holes);
        let width = u16::try_from(leaves.len()).ok()?;
        let index = self.next.checked_sub(1)? / TILE_WIDTH_U64;
        let tile = Tile::new(TileKind::Entries, index, width).ok()?;
        if holes >= u64::from(width) {
            return None;
        }
        let path = match holes {
            0 => tile.to_string(),
            _ => format!("holes/{}", tile.to_string().trim_start_matches("tile/")),
        };
        let bytes = encode_bundle(leaves.iter().map(Vec::as_slice)).ok()?;
        Some((path, bytes))
    }
}
