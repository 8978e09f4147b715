//! Bodies byte by byte, and one upload from end to end.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{
    AddCheckpoint, AddEntriesHeader, MirrorInfo, PackageRange, Reader, WireError,
    canonical_packages, decode_package, decode_size, encode_package, encode_size, put_proof,
};
use crate::consistency::{build_subtree_proof, verify_range};
use crate::limits::{ADD_CHECKPOINT_BYTES_MAX, MIRROR_INFO_BYTES_MAX, TREE_SIZE_MAX};
use crate::source::RangeSource;
use crate::tree::{CompactRange, Frontier, Hash, leaf_hash};

const HASH_LINE: &str = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
const NOTE: &str = "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} a AAAAAAA=\n";

#[test]
fn add_checkpoint_bodies() {
    let body = format!("old 20852014\n{HASH_LINE}{HASH_LINE}\n{NOTE}");
    let request = AddCheckpoint::decode(body.as_bytes()).unwrap();
    assert_eq!((request.old_size, request.proof.len()), (20_852_014, 2));
    assert_eq!(request.checkpoint, NOTE);
    assert_eq!(request.encode().unwrap(), body);
    let first = AddCheckpoint::decode(format!("old 0\n\n{NOTE}").as_bytes()).unwrap();
    assert_eq!((first.old_size, first.proof.len()), (0, 0));

    let too_many = format!("old 1\n{}\n{NOTE}", HASH_LINE.repeat(64));
    let table: [(&str, WireError); 7] = [
        ("", WireError::BadLines),
        ("old 1\n", WireError::BadLines),
        ("new 1\n\n", WireError::BadSize),
        ("old 01\n\n", WireError::BadSize),
        ("old 9223372036854775808\n\n", WireError::BadSize),
        ("old 1\nAAAA\n\n", WireError::BadProofLine),
        (&too_many, WireError::ProofTooLong { hashes: 64 }),
    ];
    for (body, expected) in table {
        assert_eq!(
            AddCheckpoint::decode(body.as_bytes()),
            Err(expected),
            "{body:?}"
        );
    }
    assert_eq!(
        AddCheckpoint::decode(b"old 1\n\n\xff"),
        Err(WireError::NotText)
    );
    let long = vec![b'x'; ADD_CHECKPOINT_BYTES_MAX + 1];
    assert!(matches!(
        AddCheckpoint::decode(&long),
        Err(WireError::TooLong { .. })
    ));
    let unsendable = AddCheckpoint {
        proof: vec![Hash([0; 32]); 64],
        ..request.clone()
    };
    assert_eq!(
        unsendable.encode(),
        Err(WireError::ProofTooLong { hashes: 64 })
    );
    let unsendable = AddCheckpoint {
        old_size: TREE_SIZE_MAX + 1,
        ..request
    };
    assert_eq!(unsendable.encode(), Err(WireError::BadSize));
}

#[test]
fn size_and_mirror_info_bodies() {
    assert_eq!(encode_size(20_852_014), "20852014\n");
    assert_eq!(decode_size(b"20852014\n"), Ok(20_852_014));
    for bad in [
        &b""[..],
        b"1",
        b"1\n\n",
        b" 1\n",
        b"01\n",
        b"1\r\n",
        b"\xff\n",
    ] {
        assert_eq!(decode_size(bad), Err(WireError::BadSize));
    }
    let info = MirrorInfo {
        tree_size: 700,
        next_entry: 512,
        ticket: Vec::new(),
    };
    assert_eq!(info.encode().unwrap(), "700\n512\n\n");
    let info = MirrorInfo {
        ticket: vec![0xff; 65_535],
        ..info
    };
    let body = info.encode().unwrap();
    assert!(body.len() <= MIRROR_INFO_BYTES_MAX);
    assert_eq!(MirrorInfo::decode(body.as_bytes()), Ok(info));
    let table: [(&[u8], WireError); 6] = [
        (b"1\n2\n", WireError::BadLines),
        (b"1\n2\n3", WireError::BadLines),
        (b"1\n2\n\n\n", WireError::BadLines),
        (b"x\n2\n\n", WireError::BadSize),
        (b"1\n02\n\n", WireError::BadSize),
        (b"1\n2\n?\n", WireError::BadTicket),
    ];
    for (body, expected) in table {
        assert_eq!(MirrorInfo::decode(body), Err(expected));
    }
    assert!(MirrorInfo::decode(&vec![b'1'; MIRROR_INFO_BYTES_MAX + 1]).is_err());
}

#[test]
fn headers_are_the_bytes_of_the_specification() {
    let header = AddEntriesHeader {
        origin: "ab".into(),
        upload_start: 1,
        upload_end: 0x0203,
        ticket: vec![9],
    };
    let bytes = header.encode().unwrap();
    assert_eq!(
        bytes,
        *b"\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02\x03\x00\x01\x09"
    );
    assert_eq!(
        AddEntriesHeader::decode(&mut Reader::new(&bytes)),
        Ok(header.clone())
    );
    for cut in 0..bytes.len() {
        let cut = AddEntriesHeader::decode(&mut Reader::new(&bytes[..cut]));
        assert!(matches!(cut, Err(WireError::Truncated { .. })));
    }
    let bad = [
        AddEntriesHeader {
            origin: "".into(),
            ..header.clone()
        },
        AddEntriesHeader {
            origin: "a\nb".into(),
            ..header.clone()
        },
        AddEntriesHeader {
            origin: "x".repeat(256),
            ..header.clone()
        },
        AddEntriesHeader {
            upload_start: 0x0204,
            ..header.clone()
        },
        AddEntriesHeader {
            upload_end: TREE_SIZE_MAX + 1,
            ..header.clone()
        },
        AddEntriesHeader {
            ticket: vec![0; 65_536],
            ..header
        },
    ];
    for header in bad {
        assert!(header.encode().is_err(), "{header:?}");
    }
}

#[test]
fn packages_are_cut_at_multiples_of_256() {
    let cut = |start, end| {
        canonical_packages(start, end)
            .unwrap()
            .map(
                |PackageRange {
                     subtree_begin,
                     begin,
                     end,
                 }| (subtree_begin, begin, end),
            )
            .collect::<Vec<_>>()
    };
    assert_eq!(cut(0, 0), []);
    assert_eq!(cut(700, 700), []);
    assert_eq!(cut(0, 256), [(0, 0, 256)]);
    assert_eq!(cut(255, 257), [(0, 255, 256), (256, 256, 257)]);
    assert_eq!(cut(300, 700), [(256, 300, 512), (512, 512, 700)]);
    assert_eq!(
        cut(TREE_SIZE_MAX - 1, TREE_SIZE_MAX),
        [(TREE_SIZE_MAX - 255, TREE_SIZE_MAX - 1, TREE_SIZE_MAX)]
    );
    assert!(canonical_packages(2, 1).is_err());
}

#[test]
fn package_bounds_hold() {
    let mut out = Vec::new();
    let none: [&[u8]; 0] = [];
    assert_eq!(
        encode_package(&mut out, none, &[]),
        Err(WireError::EntryCount { count: 0 })
    );
    let many = [&b"x"[..]; 257];
    assert_eq!(
        encode_package(&mut out, many, &[]),
        Err(WireError::EntryCount { count: 257 })
    );
    assert_eq!(
        put_proof(&mut out, &[Hash([0; 32]); 64]),
        Err(WireError::ProofTooLong { hashes: 64 })
    );
    for count in [0, 257] {
        let refused = decode_package(&mut Reader::new(&[0; 1024]), count);
        assert_eq!(
            refused,
            Err(WireError::EntryCount {
                count: usize::from(count)
            })
        );
    }
    let long_proof = decode_package(&mut Reader::new(b"\x00\x00\x40"), 1);
    assert_eq!(long_proof, Err(WireError::ProofTooLong { hashes: 64 }));
}

/// A node that holds a frontier and the new entries uploads; a collector that holds what it stored verifies.
//= A1.3
#[test]
fn an_upload_from_end_to_end() {
    const SIZE: u64 = 1000;
    let entries: Vec<Vec<u8>> = (0..SIZE)
        .map(|n| format!("salt and entry {n}").into_bytes())
        .collect();
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let index = |n: u64| usize::try_from(n).unwrap();
    for start in [0, 1, 255, 256, 300, 767, 999] {
        let mut frontier = Frontier::new();
        leaves[..index(start)]
            .iter()
            .for_each(|leaf| frontier.push(*leaf));
        let mut source = RangeSource::new(&frontier);
        leaves[index(start)..]
            .iter()
            .for_each(|leaf| source.push_leaf(*leaf));
        let root = source.frontier().unwrap().root();

        let mut body = Vec::new();
        for package in canonical_packages(start, SIZE).unwrap() {
            let proof =
                build_subtree_proof(&source, package.subtree_begin, package.end, SIZE).unwrap();
            let carried = entries[index(package.begin)..index(package.end)]
                .iter()
                .map(Vec::as_slice);
            encode_package(&mut body, carried, &proof).unwrap();
        }

        let mut stored = leaves[..index(start)].to_vec();
        let mut reader = Reader::new(&body);
        for range in canonical_packages(start, SIZE).unwrap() {
            let package = decode_package(&mut reader, range.entries()).unwrap();
            let mut rebuilt = CompactRange::empty(range.subtree_begin);
            stored[index(range.subtree_begin)..]
                .iter()
                .for_each(|leaf| rebuilt.push(*leaf));
            package
                .entries
                .iter()
                .for_each(|entry| rebuilt.push(leaf_hash(entry)));
            assert_eq!(verify_range(&rebuilt, SIZE, &package.proof, &root), Ok(()));
            stored.extend(package.entries.iter().map(|entry| leaf_hash(entry)));

            // One entry more, less or changed is found out.
            let mut longer = rebuilt.clone();
            longer.push(leaf_hash(b"invented"));
            assert!(verify_range(&longer, SIZE, &package.proof, &root).is_err());
            let mut changed = CompactRange::empty(range.subtree_begin);
            (range.subtree_begin..range.end).for_each(|n| {
                let leaf = if n == range.begin {
                    leaf_hash(b"changed")
                } else {
                    leaves[index(n)]
                };
                changed.push(leaf);
            });
            assert!(verify_range(&changed, SIZE, &package.proof, &root).is_err());
        }
        reader.finish().unwrap();
        assert_eq!(stored, leaves);
    }
}
