//! Arbitrary bytes never panic, and what is written reads back the same.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::naive::{self, leaves};
use crate::consistency::{verify_consistency, verify_range, verify_subtree_consistency};
use crate::inclusion::root_from_inclusion_proof;
use crate::limits::TREE_SIZE_MAX;
use crate::note::{Algorithm, Note, SignatureLine, VerifierKey};
use crate::tile::{Tile, TileKind, decode_bundle, encode_bundle};
use crate::tree::{CompactRange, Frontier, Hash, compact_range_len};
use crate::wire::{
    AddCheckpoint, AddEntriesHeader, MirrorInfo, Reader, canonical_packages, decode_package,
    decode_size, encode_package, encode_size,
};
use crate::{Checkpoint, SignedCheckpoint};

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![0..2000u64, 0..=TREE_SIZE_MAX, Just(TREE_SIZE_MAX)]
}

fn name() -> impl Strategy<Value = String> {
    "[a-z\u{e9}\u{20ac}][a-z0-9./\u{e9}\u{20ac}-]{0,40}"
}

fn line() -> impl Strategy<Value = SignatureLine> {
    (name(), any::<u32>(), vec(any::<u8>(), 1..90))
        .prop_map(|(name, id, bytes)| SignatureLine::new(&name, id, bytes).unwrap())
}

/// Bytes near a real note: mutated, cut, or free.
fn notelike() -> impl Strategy<Value = Vec<u8>> {
    let real = "a.example\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} a.example Az3grlgtzPICa5OS8npVmQ==\n";
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "(old [0-9]{1,4}\n)?([a-z ]{0,5}\n){0,4}\n?(\u{2014} [a-z]{1,3} [A-Za-z0-9+/=]{0,12}\n){0,3}"
            .prop_map(String::into_bytes),
        (any::<proptest::sample::Index>(), any::<u8>()).prop_map(move |(at, byte)| {
            let mut bytes = real.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        }),
    ]
}

proptest! {
    #[test]
    fn text_parsers_take_any_bytes(bytes in notelike()) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_bytes(), bytes.clone());
            if let Ok(checkpoint) = Checkpoint::parse_exact(note.text()) {
                prop_assert_eq!(checkpoint.body().unwrap(), note.text());
            }
            prop_assert!(note.verify(&[]).is_err());
        }
        prop_assert!(SignedCheckpoint::open(&bytes, &[]).is_err());
        if let Ok(request) = AddCheckpoint::decode(&bytes) {
            prop_assert_eq!(request.encode().unwrap().into_bytes(), bytes.clone());
        }
        if let Ok(info) = MirrorInfo::decode(&bytes) {
            prop_assert_eq!(info.encode().unwrap().into_bytes(), bytes.clone());
        }
        if let Ok(size) = decode_size(&bytes) {
            prop_assert_eq!(encode_size(size).into_bytes(), bytes.clone());
        }
        if let Ok(text) = core::str::from_utf8(&bytes) {
            if let Ok(key) = text.parse::<VerifierKey>() {
                prop_assert_eq!(key.to_string(), text);
            }
            if let Ok(tile) = text.parse::<Tile>() {
                prop_assert_eq!(tile.to_string(), text);
            }
        }
    }

    #[test]
    fn keys_and_paths_take_any_text(
        key in "[a-z]{1,3}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]{0,48}={0,2}",
        path in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,8}[0-9]{3}(\\.p/[0-9]{1,3})?",
    ) {
        let _ = key.parse::<VerifierKey>();
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path);
        }
    }

    #[test]
    fn binary_parsers_take_any_bytes(bytes in vec(any::<u8>(), 0..600), width in any::<u16>()) {
        if let Ok(entries) = decode_bundle(&bytes, width) {
            prop_assert_eq!(encode_bundle(entries.iter().copied()).unwrap(), bytes.clone());
        }
        let mut reader = Reader::new(&bytes);
        if let Ok(package) = decode_package(&mut reader, width) {
            let mut again = Vec::new();
            encode_package(&mut again, package.entries.iter().copied(), &package.proof).unwrap();
            prop_assert_eq!(&again[..], &bytes[..reader.consumed()]);
        }
        let mut reader = Reader::new(&bytes);
        if let Ok(header) = AddEntriesHeader::decode(&mut reader) {
            prop_assert_eq!(&header.encode().unwrap()[..], &bytes[..reader.consumed()]);
        }
    }

    #[test]
    fn verifiers_take_any_numbers(
        (a, b, c) in (any::<u64>(), any::<u64>(), any::<u64>()),
        (x, y) in (hash(), hash()),
        proof in vec(hash(), 0..70),
    ) {
        for (a, b, c) in [(a, b, c), (a % 64, b % 64, c % 64), (0, b, c), (a, a.saturating_add(1), c)] {
            let _ = root_from_inclusion_proof(&x, a, b, &proof);
            prop_assert!(verify_subtree_consistency(a, b, c, &x, &proof, &y).is_err());
            if a > 0 {
                prop_assert!(verify_consistency(a, b, &x, &y, &proof).is_err());
            }
        }
        if let Ok(range) = CompactRange::from_parts(a, b, proof.clone()) {
            let _ = verify_range(&range, c, &proof, &x);
        }
    }

    #[test]
    fn notes_round_trip(text in "([a-z \u{e9}\u{20ac}+]{0,20}\n){1,6}", lines in vec(line(), 1..20)) {
        let mut note = Note::new(text).unwrap();
        for line in lines {
            note.add(line).unwrap();
        }
        prop_assert_eq!(Note::parse(&note.to_bytes()).unwrap(), note);
    }

    #[test]
    fn keys_round_trip(name in name(), seed in any::<[u8; 32]>()) {
        let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
        for algorithm in [Algorithm::Ed25519, Algorithm::CosignatureEd25519] {
            let key = VerifierKey::ed25519(&name, public.as_bytes(), algorithm).unwrap();
            prop_assert_eq!(key.to_string().parse::<VerifierKey>(), Ok(key));
        }
    }

    #[test]
    fn checkpoints_round_trip(origin in "[a-z \u{e9}\u{20ac}+/.]{1,40}", size in 1..=TREE_SIZE_MAX, root in hash()) {
        let checkpoint = Checkpoint::new(&origin, size, root).unwrap();
        let body = checkpoint.body().unwrap();
        prop_assert_eq!(Checkpoint::parse_exact(&body), Ok(checkpoint.clone()));
        prop_assert_eq!(Checkpoint::parse(&(body + "extension\n")), Ok(checkpoint));
    }

    #[test]
    fn requests_round_trip(
        old_size in size(),
        proof in vec(hash(), 0..=63),
        next_entry in size(),
        ticket in vec(any::<u8>(), 0..100),
        origin in name(),
    ) {
        let request = AddCheckpoint { old_size, proof, checkpoint: "a\n1\n\n\u{2014} a AAAAAAA=\n".into() };
        prop_assert_eq!(AddCheckpoint::decode(request.encode().unwrap().as_bytes()), Ok(request));
        let info = MirrorInfo { tree_size: old_size, next_entry, ticket: ticket.clone() };
        prop_assert_eq!(MirrorInfo::decode(info.encode().unwrap().as_bytes()), Ok(info));
        let (upload_start, upload_end) = (old_size.min(next_entry), old_size.max(next_entry));
        let header = AddEntriesHeader { origin, upload_start, upload_end, ticket };
        let bytes = header.encode().unwrap();
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(AddEntriesHeader::decode(&mut reader), Ok(header));
        prop_assert!(reader.finish().is_ok());
    }

    #[test]
    fn packages_round_trip(entries in vec(vec(any::<u8>(), 0..40), 1..=256), proof in vec(hash(), 0..=63)) {
        let mut bytes = Vec::new();
        encode_package(&mut bytes, entries.iter().map(Vec::as_slice), &proof).unwrap();
        let count = u16::try_from(entries.len()).unwrap();
        let mut reader = Reader::new(&bytes);
        let package = decode_package(&mut reader, count).unwrap();
        prop_assert!(package.entries.iter().eq(entries.iter()));
        prop_assert_eq!(package.proof, proof);
        prop_assert!(reader.finish().is_ok());
        let bundle = encode_bundle(entries.iter().map(Vec::as_slice)).unwrap();
        prop_assert!(decode_bundle(&bundle, count).unwrap().iter().eq(entries.iter()));
    }

    #[test]
    fn packages_tile_the_upload(start in 0..5000u64, length in 0..3000u64) {
        let end = start + length;
        let mut at = start;
        for package in canonical_packages(start, end).unwrap() {
            prop_assert_eq!(package.begin, at);
            prop_assert_eq!(package.subtree_begin % 256, 0);
            prop_assert!(package.subtree_begin <= package.begin && package.begin < package.end);
            prop_assert!(package.end == end || package.end % 256 == 0);
            prop_assert_eq!(u64::from(package.entries()), package.end - package.begin);
            prop_assert!(crate::tree::is_subtree(package.subtree_begin, package.end));
            at = package.end;
        }
        prop_assert_eq!(at, end);
    }

    #[test]
    fn tiles_round_trip(level in 0..=63u8, entries in any::<bool>(), index in any::<u64>(), width in 1..=256u16) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
        let tile = Tile::new(kind, index, width).unwrap();
        prop_assert_eq!(tile.to_string().parse::<Tile>(), Ok(tile));
        let _ = tile.leaves();
    }

    /// Ranges of any place and length join to the compact range of the whole.
    #[test]
    fn ranges_join(begin in 0..1u64 << 40, (a, b) in (0..300u64, 0..300u64)) {
        let all = leaves(a + b);
        let (left, right) = all.split_at(naive::at(a));
        let build = |begin: u64, leaves: &[Hash]| {
            let mut range = CompactRange::empty(begin);
            leaves.iter().for_each(|leaf| range.push(*leaf));
            range
        };
        let whole = build(begin, &all);
        let mut joined = build(begin, left);
        joined.append(&build(begin + a, right)).unwrap();
        prop_assert_eq!(&joined, &whole);
        prop_assert_eq!(whole.hashes().len(), compact_range_len(begin, begin + a + b));
        let mut frontier = Frontier::new();
        all.iter().for_each(|leaf| frontier.push(*leaf));
        prop_assert_eq!(frontier.root(), naive::root(&all));
    }
}
