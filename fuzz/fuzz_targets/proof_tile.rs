//! Paths of tiles and bundles of entries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::tile::{Tile, decode_bundle, tile_hashes};

fuzz_target!(|data: &[u8]| {
    if let Ok(path) = core::str::from_utf8(data)
        && let Ok(tile) = path.parse::<Tile>()
    {
        assert_eq!(tile.to_string(), path);
        let _ = tile.leaves();
        let _ = tile_hashes(&tile, data);
    }
    let Some((width, bundle)) = data.split_first() else {
        return;
    };
    let width = u16::from(*width) + 1;
    if let Ok(entries) = decode_bundle(bundle, width) {
        assert_eq!(entries.len(), usize::from(width));
        let bytes: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        assert_eq!(bytes, bundle.len());
    }
});
