//! The tiles of a tree while it is read once, leaf by leaf: what is complete goes out at once.

use alloc::vec::Vec;

use super::{TILE_HEIGHT, Tile, TileKind};
use crate::limits::{HASH_BYTES, TILE_WIDTH, TILE_WIDTH_U64};
use crate::tree::{CompactRange, Hash, KnownJoins, Subtree, TreeError, empty_root, node_hash};

/// Makes the hash tiles of a tree from its leaves and from ranges that are known by their hashes alone.
///
/// It keeps one left sibling for each height and one tile for each level, whatever the size of the tree. A tile that
/// lies on a hash nobody knows is not made.
#[derive(Clone, Debug, Default)]
pub struct TileStream {
    end: u64,
    /// The newest node of each height, by its index there.
    newest: Vec<Option<(u64, Hash)>>,
    rows: Vec<Row>,
    done: Vec<(Tile, Vec<u8>)>,
}

/// The tile of one level that is being filled.
#[derive(Clone, Debug, Default)]
struct Row {
    index: u64,
    bytes: Vec<u8>,
}

impl TileStream {
    /// The stream of an empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Size of the tree so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.end
    }

    /// Adds one leaf.
    pub fn push_leaf(&mut self, leaf: Hash) {
        self.push_complete(0, leaf, node_hash);
    }

    /// Adds one leaf; what was joined before for another tree of the same leaves is not hashed again.
    pub fn push_leaf_known(&mut self, leaf: Hash, known: &mut KnownJoins<'_>) {
        self.push_complete(0, leaf, |left, right| known.make(left, right));
    }

    /// Adds leaves known only by their compact range.
    ///
    /// # Errors
    /// [`TreeError::NotAdjacent`] when the range does not begin at [`Self::size`].
    pub fn push_range(&mut self, range: &CompactRange) -> Result<(), TreeError> {
        if range.begin() != self.end {
            return Err(TreeError::NotAdjacent {
                expected: self.end,
                got: range.begin(),
            });
        }
        for (part, hash) in range.subtrees() {
            self.push_complete(part.height, hash, node_hash);
        }
        Ok(())
    }

    /// The tiles that became full since the last call.
    pub fn take_full(&mut self) -> Vec<(Tile, Vec<u8>)> {
        core::mem::take(&mut self.done)
    }

    /// The root of the tree so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let complete = (0u32..).zip(&self.newest);
        let frontier = complete
            .filter(|(height, _)| self.end.checked_shr(*height).is_some_and(|n| n % 2 == 1));
        let hashes = frontier.filter_map(|(_, node)| node.map(|(_, hash)| hash));
        hashes
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }

    /// The tiles that stay partial at the size so far, and those full ones that nobody has taken.
    #[must_use]
    pub fn finish(mut self) -> Vec<(Tile, Vec<u8>)> {
        for (level, row) in (0u8..).zip(&self.rows) {
            let bits = u32::from(level).saturating_mul(TILE_HEIGHT);
            let count = self.end.checked_shr(bits).unwrap_or(0);
            let width = u16::try_from(count % TILE_WIDTH_U64).unwrap_or(0);
            let whole = row.index == count / TILE_WIDTH_U64
                && row.bytes.len() == usize::from(width).saturating_mul(HASH_BYTES);
            if let Ok(tile) = Tile::new(TileKind::Hashes(level), row.index, width)
                && whole
            {
                self.done.push((tile, row.bytes.clone()));
            }
        }
        self.done
    }

    fn push_complete(
        &mut self,
        height: u32,
        hash: Hash,
        mut join: impl FnMut(&Hash, &Hash) -> Hash,
    ) {
        let (mut at, mut height, mut hash) = (self.end, height, hash);
        self.end = Subtree { begin: at, height }.end();
        while let Some(index) = at.checked_shr(height)
            && let Ok(place) = usize::try_from(height)
        {
            self.put(height, index, hash);
            if self.newest.len() <= place {
                self.newest.resize(place.saturating_add(1), None);
            }
            let Some(newest) = self.newest.get_mut(place) else {
                return;
            };
            let before = newest.replace((index, hash));
            match before {
                Some((left, left_hash)) if index % 2 == 1 && left == index.saturating_sub(1) => {
                    hash = join(&left_hash, &hash);
                    at = at.saturating_sub(1 << height);
                    height = height.saturating_add(1);
                }
                _ => return,
            }
        }
    }

    /// A node at the height of a tile's hashes takes its place there.
    fn put(&mut self, height: u32, index: u64, hash: Hash) {
        let Ok(level) = u8::try_from(height / TILE_HEIGHT) else {
            return;
        };
        if !height.is_multiple_of(TILE_HEIGHT) {
            return;
        }
        if self.rows.len() <= usize::from(level) {
            self.rows
                .resize_with(usize::from(level).saturating_add(1), Row::default);
        }
        let Some(row) = self.rows.get_mut(usize::from(level)) else {
            return;
        };
        let tile = index / TILE_WIDTH_U64;
        if tile != row.index {
            *row = Row {
                index: tile,
                bytes: Vec::new(),
            };
        }
        let place = usize::try_from(index % TILE_WIDTH_U64).unwrap_or(usize::MAX);
        // Behind a hash that nobody knows, nothing of this tile finds its place any more.
        if row.bytes.len() != place.saturating_mul(HASH_BYTES) {
            return;
        }
        row.bytes.extend_from_slice(&hash.0);
        if let Ok(full) = Tile::new(TileKind::Hashes(level), tile, TILE_WIDTH)
            && row.bytes.len() == usize::from(TILE_WIDTH).saturating_mul(HASH_BYTES)
        {
            self.done.push((full, core::mem::take(&mut row.bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use super::TileStream;
    use crate::source::{RangeSource, range_from};
    use crate::tile::{Tile, tile_bytes, tiles_between};
    use crate::tree::{CompactRange, Frontier, Hash, leaf_hash};

    fn leaf(n: u64) -> Hash {
        leaf_hash(&n.to_be_bytes())
    }

    /// Streams a tree of `size` leaves of which `hole` is known by its hashes alone.
    fn check(size: u64, hole: (u64, u64)) {
        let mut whole = RangeSource::new(&Frontier::new());
        (0..size).for_each(|n| whole.push_leaf(leaf(n)));
        let mut known = RangeSource::new(&Frontier::new());
        let mut stream = TileStream::new();
        let mut found: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
        let mut at = 0;
        while at < size {
            if at == hole.0 && hole.1 > at {
                let range: CompactRange = range_from(&whole, hole.0, hole.1).unwrap();
                stream.push_range(&range).unwrap();
                known.push_range(&range).unwrap();
                at = hole.1;
            } else {
                stream.push_leaf(leaf(at));
                known.push_leaf(leaf(at));
                at += 1;
            }
            found.extend(stream.take_full());
        }
        assert_eq!(stream.size(), size);
        assert_eq!(
            stream.root(),
            whole.frontier().unwrap().root(),
            "{size} {hole:?}"
        );
        found.extend(stream.finish());
        let due =
            tiles_between(0, size).filter_map(|tile| Some((tile, tile_bytes(&known, &tile).ok()?)));
        assert_eq!(found, due.collect(), "{size} {hole:?}");
    }

    #[test]
    fn the_stream_makes_the_tiles_that_the_whole_tree_has() {
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 700, 65_536, 66_000] {
            check(size, (0, 0));
        }
    }

    #[test]
    fn tiles_on_unknown_hashes_are_not_made_and_all_others_are() {
        for hole in [
            (0, 1),
            (0, 300),
            (3, 4),
            (255, 257),
            (256, 512),
            (256, 768),
            (300, 700),
            (512, 1_024),
        ] {
            for size in [700, 768, 1_024, 1_300] {
                if hole.1 <= size {
                    check(size, hole);
                }
            }
        }
        check(70_000, (0, 65_536));
        check(70_000, (100, 66_000));
    }
}
