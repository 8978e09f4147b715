//! Tests: packages come back from their bytes, and arbitrary bytes never panic.

use super::{BodyError, Extent, Format, Part, RunPackage, put_package, read_package};
use crate::hole::Hole;
use evidence::reasons::LossCause;
use proof::wire::{Reader, encode_package};
use proof::{CompactRange, Hash};
use proptest::prelude::{any, prop_assert, proptest};
use std::vec;
use std::vec::Vec;

fn hole(first: u64, end: u64) -> Hole {
    let mut range = CompactRange::empty(first);
    (first..end).for_each(|index| range.push(proof::tree::leaf_hash(&index.to_be_bytes())));
    Hole::new(
        first,
        end - first,
        LossCause::SegmentMissing,
        range.hashes().to_vec(),
    )
    .unwrap()
}

fn check(format: Format, begin: u64, upload_end: u64, parts: Vec<Part<'_>>) {
    let end = begin + parts.iter().map(Part::count).sum::<u64>();
    let standard = Extent::standard(begin, upload_end);
    let package = RunPackage {
        extent: Extent {
            end,
            subtree_begin: if end > standard.end {
                begin
            } else {
                standard.subtree_begin
            },
            begin,
        },
        parts,
        proof: vec![Hash([9; 32]); 3],
    };
    let mut bytes = Vec::new();
    put_package(&mut bytes, format, &package).unwrap();
    for cut in 0..bytes.len() {
        let error = read_package(&mut Reader::new(&bytes[..cut]), format, begin, upload_end);
        assert!(error.unwrap_err().is_truncated(), "cut at {cut}");
    }
    bytes.extend_from_slice(b"next");
    let mut reader = Reader::new(&bytes);
    assert_eq!(
        read_package(&mut reader, format, begin, upload_end),
        Ok(package)
    );
    assert_eq!(reader.rest(), b"next");
}

#[test]
fn packages_come_back() {
    let entries: Vec<&[u8]> = vec![b"a", b"", b"ccc"];
    check(
        Format::Standard,
        253,
        300,
        vec![Part::Entries(entries.clone())],
    );
    check(Format::Runs, 253, 300, vec![Part::Entries(entries.clone())]);
    check(
        Format::Runs,
        250,
        300,
        vec![Part::Hole(hole(250, 253)), Part::Entries(entries.clone())],
    );
    check(Format::Runs, 253, 261, vec![Part::Entries(entries)]);
    check(Format::Runs, 0, 9, vec![Part::Hole(hole(0, 9))]);
    check(
        Format::Runs,
        1_024,
        9_000,
        vec![Part::Hole(hole(1_024, 2_048))],
    );
}

#[test]
fn the_standard_package_is_the_one_of_tlog_mirror() {
    let entries: Vec<&[u8]> = vec![b"a", b"bb"];
    let package = RunPackage {
        extent: Extent::standard(0, 2),
        parts: vec![Part::Entries(entries.clone())],
        proof: vec![Hash([1; 32])],
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    put_package(&mut ours, Format::Standard, &package).unwrap();
    encode_package(&mut theirs, entries, &package.proof).unwrap();
    assert_eq!(ours, theirs);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |parts: Vec<Part<'_>>, begin: u64, end: u64| {
        let mut bytes = Vec::new();
        let extent = Extent::standard(begin, end);
        put_package(
            &mut bytes,
            Format::Runs,
            &RunPackage {
                extent,
                parts,
                proof: vec![],
            },
        )
        .unwrap();
        read_package(&mut Reader::new(&bytes), Format::Runs, begin, end).unwrap_err()
    };
    let misplaced = |expected, got| BodyError::Misplaced { expected, got };
    assert_eq!(refused(vec![Part::Entries(vec![])], 0, 9), misplaced(9, 0));
    assert_eq!(refused(vec![Part::Hole(hole(4, 9))], 0, 9), misplaced(0, 4));
    assert_eq!(
        refused(vec![Part::Hole(hole(0, 512))], 0, 300),
        misplaced(256, 512)
    );
    assert_eq!(
        refused(vec![Part::Hole(hole(0, 10))], 0, 9),
        misplaced(9, 10)
    );
    let unknown = read_package(&mut Reader::new(&[7]), Format::Runs, 0, 9);
    assert_eq!(unknown, Err(BodyError::UnknownRun { kind: 7 }));
    let mut bytes = Vec::new();
    let package = RunPackage {
        extent: Extent::standard(0, 2),
        parts: vec![Part::Hole(hole(0, 2))],
        proof: vec![],
    };
    assert!(put_package(&mut bytes, Format::Standard, &package).is_err());
    put_package(&mut bytes, Format::Runs, &package).unwrap();
    bytes[17] = 200;
    let unknown = read_package(&mut Reader::new(&bytes), Format::Runs, 0, 2);
    assert_eq!(unknown, Err(BodyError::UnknownCause { cause: 200 }));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>(), begin in any::<u64>(), len in any::<u64>()) {
        let end = begin.saturating_add(len);
        for format in [Format::Standard, Format::Runs] {
            let mut reader = Reader::new(&bytes);
            if let Ok(package) = read_package(&mut reader, format, begin, end) {
                prop_assert!(package.extent.end <= end);
                let mut again = Vec::new();
                put_package(&mut again, format, &package).unwrap();
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }
}

#[test]
fn content_types_tell_the_format() {
    for (text, format) in [
        ("application/octet-stream", Some(Format::Standard)),
        ("Application/Octet-Stream; x=y", Some(Format::Standard)),
        ("application/vnd.fieldnotary.entries-v1", Some(Format::Runs)),
        ("text/plain", None),
        ("", None),
    ] {
        assert_eq!(Format::from_content_type(text), format, "{text}");
    }
}
