//! Paths, spans and contents of tiles.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::{
    Tile, TileError, TileKind, bundles_between, decode_bundle, encode_bundle, full_tile_hash,
    origin_directory, tile_bytes, tile_hashes, tiles_between,
};
use crate::limits::TREE_SIZE_MAX;
use crate::source::{NodeSource as _, RangeSource};
use crate::tree::{CompactRange, Frontier, Hash, leaf_hash};
use crate::wire::WireError;

#[test]
fn paths_have_one_form() {
    let tile = |kind, index, width| Tile::new(kind, index, width).unwrap();
    let table = [
        ("tile/0/000", tile(TileKind::Hashes(0), 0, 256)),
        (
            "tile/0/x001/x234/067",
            tile(TileKind::Hashes(0), 1_234_067, 256),
        ),
        ("tile/63/999.p/255", tile(TileKind::Hashes(63), 999, 255)),
        (
            "tile/entries/x001/000.p/1",
            tile(TileKind::Entries, 1000, 1),
        ),
        (
            "tile/1/x018/x446/x744/x073/x709/x551/615",
            tile(TileKind::Hashes(1), u64::MAX, 256),
        ),
    ];
    for (path, tile) in table {
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/64/000",
        "tile/data/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/+00",
        "/tile/0/000",
        "tile/0/000/",
        "tile/1/x018/x446/x744/x073/x709/x551/616",
    ] {
        assert_eq!(bad.parse::<Tile>(), Err(TileError::BadPath), "{bad:?}");
    }
}

#[test]
fn spans_follow_level_and_width() {
    let leaves = |kind, index, width| Tile::new(kind, index, width).unwrap().leaves();
    assert_eq!(leaves(TileKind::Entries, 2, 10), Some((512, 522)));
    assert_eq!(leaves(TileKind::Hashes(1), 1, 256), Some((65_536, 131_072)));
    assert_eq!(leaves(TileKind::Hashes(7), 0, 1), Some((0, 1 << 56)));
    assert_eq!(leaves(TileKind::Hashes(8), 0, 1), None);
    assert!(Tile::new(TileKind::Hashes(64), 0, 1).is_err());
    assert!(Tile::new(TileKind::Entries, 0, 257).is_err());
    assert_eq!(tiles_between(TREE_SIZE_MAX - 1, TREE_SIZE_MAX).count(), 1);
    assert_eq!(tiles_between(TREE_SIZE_MAX, TREE_SIZE_MAX).count(), 0);
    assert_eq!(
        bundles_between(255, 513)
            .map(|tile| tile.width())
            .collect::<Vec<_>>(),
        [256, 256, 1]
    );
}

/// A pruned log: tiles after the base can be written, tiles before it are refused, not invented.
//= A5.4
#[test]
fn tiles_come_from_what_the_source_knows() {
    let all: Vec<Hash> = (0..700u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let mut frontier = Frontier::new();
    all[..512].iter().for_each(|leaf| frontier.push(*leaf));
    let mut source = RangeSource::new(&frontier);
    all[512..].iter().for_each(|leaf| source.push_leaf(*leaf));
    for tile in tiles_between(512, 700) {
        match tile.kind() {
            TileKind::Hashes(0) => {
                let hashes = tile_hashes(&tile, &tile_bytes(&source, &tile).unwrap()).unwrap();
                assert_eq!(hashes, all[512..700]);
            }
            kind => panic!("{kind:?} did not change"),
        }
    }
    let before = Tile::new(TileKind::Hashes(0), 0, 256).unwrap();
    assert!(matches!(
        tile_bytes(&source, &before),
        Err(TileError::Proof(_))
    ));
    let bundle = Tile::new(TileKind::Entries, 2, 188).unwrap();
    assert_eq!(tile_bytes(&source, &bundle), Err(TileError::NotHashes));
    assert!(tile_hashes(&before, &[0; 31]).is_err() && tile_hashes(&before, &[0; 33]).is_err());
}

#[test]
fn a_full_tile_is_one_hash_of_the_next_level() {
    let all: Vec<Hash> = (0..256u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let mut range = CompactRange::empty(0);
    all.iter().for_each(|leaf| range.push(*leaf));
    let mut source = RangeSource::new(&Frontier::new());
    source.push_range(&range).unwrap();
    assert_eq!(full_tile_hash(&all), source.subtree(0, 256));
    assert_eq!(full_tile_hash(&all[..255]), None);
}

#[test]
fn bundles_are_exact() {
    let bytes = encode_bundle([&b"ab"[..], b"", b"c"]).unwrap();
    assert_eq!(bytes, b"\x00\x02ab\x00\x00\x00\x01c");
    assert_eq!(decode_bundle(&bytes, 3).unwrap(), [&b"ab"[..], b"", b"c"]);
    assert_eq!(
        decode_bundle(&bytes, 2),
        Err(WireError::Trailing { bytes: 3 })
    );
    assert_eq!(
        decode_bundle(&bytes, 4),
        Err(WireError::Truncated { needed: 2, left: 0 })
    );
    assert_eq!(
        decode_bundle(&[], 0),
        Err(WireError::EntryCount { count: 0 })
    );
    assert_eq!(encode_bundle([]), Err(WireError::EntryCount { count: 0 }));
    let long = alloc::vec![0; 65_536];
    assert_eq!(
        encode_bundle([&long[..]]),
        Err(WireError::EntryTooLong { bytes: 65_536 })
    );
    assert!(encode_bundle([&long[..65_535]]).is_ok());
}

#[test]
fn a_log_has_its_directory() {
    // SHA-256("abc"), FIPS 180-4.
    assert_eq!(
        origin_directory("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
