//! The published directory of a log, compared with the log file by file.

use std::path::Path;

use proof::Frontier;
use proof::note::VerifierKey;
use proof::tree::leaf_hash;

use super::{Log, ix};

/// Rebuilds the log from its published files as any reader of tiles does.
pub(crate) fn check_directory(dir: &Path, log: &Log, cosigner: &VerifierKey) {
    use proof::limits::TILE_WIDTH_U64;
    use proof::tile::{Tile, TileKind, decode_bundle, tiles_between};
    let note = std::fs::read(dir.join("checkpoint")).unwrap();
    let keys = [log.vkey(), cosigner.clone()];
    let signed = proof::SignedCheckpoint::open(&note, &keys).unwrap();
    assert!(signed.verified().has_key(0) && signed.verified().has_key(1));
    let size = log.size();
    assert_eq!(signed.checkpoint().size, size);
    assert_eq!(signed.checkpoint().root, log.frontier(size).root());
    let mut source = proof::RangeSource::new(&Frontier::new());
    log.leaves
        .iter()
        .for_each(|leaf| source.push_leaf(leaf_hash(leaf)));
    for tile in tiles_between(0, size) {
        let (begin, end) = tile.leaves().unwrap();
        let path = dir.join(tile.to_string());
        let touched = (begin..end).any(|index| log.is_lost(index));
        match std::fs::read(&path) {
            Ok(bytes) => assert_eq!(bytes, proof::tile::tile_bytes(&source, &tile).unwrap()),
            Err(_) => assert!(touched, "{tile} is missing"),
        }
    }
    for index in 0..size.div_ceil(TILE_WIDTH_U64) {
        let begin = index * TILE_WIDTH_U64;
        let width = u16::try_from((size - begin).min(TILE_WIDTH_U64)).unwrap();
        let tile = Tile::new(TileKind::Entries, index, width)
            .unwrap()
            .to_string();
        let sidecar = format!("holes/{}", tile.trim_start_matches("tile/"));
        let bytes = std::fs::read(dir.join(&tile)).or_else(|_| std::fs::read(dir.join(sidecar)));
        let Ok(bytes) = bytes else {
            assert!(
                (begin..begin + u64::from(width)).all(|at| log.is_lost(at)),
                "{tile}"
            );
            continue;
        };
        for (at, entry) in (begin..).zip(decode_bundle(&bytes, width).unwrap()) {
            let expected = if log.is_lost(at) {
                &[][..]
            } else {
                &log.leaves[ix(at)]
            };
            assert_eq!(entry, expected, "entry {at}");
        }
    }
}
