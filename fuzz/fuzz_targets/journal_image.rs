//! Images of a ring and its truth store: whatever they hold, opening and reading never panics.
#![no_main]

mod image;

use evidence::{CommitId, SaltKey};
use image::{GENERATION, Image, LOG, group, image_of, input};
use journal::{Finding, Journal, Reader};
use libfuzzer_sys::fuzz_target;

/// Everything a reader does; every id is accounted for once.
fn read(image: &Image) {
    let Ok(reader) = Reader::open(image, image, LOG, GENERATION) else {
        return;
    };
    let mut next = reader.oldest().0;
    for item in reader.entries(reader.oldest()) {
        match item {
            Ok(entry) => {
                assert_eq!(entry.commit_id.0, next);
                next += 1;
            }
            Err(Finding::Lost(loss)) => {
                assert_eq!(loss.first.0, next);
                assert!(loss.hashes.is_none() || loss.range().is_some());
                next = loss.end();
            }
            Err(_) => {}
        }
    }
    assert_eq!(next, reader.size());
    let _ = reader.scrub();
    let middle = reader.oldest().0.midpoint(reader.size());
    let _ = reader.entry(CommitId(middle));
    let _ = reader.locate(CommitId(middle));
    let _ = reader.range(middle, reader.size());
    if let Ok(tree) = reader.frontier_at(middle) {
        assert_eq!(tree.size(), middle);
    }
    let _ = reader.proof_source(middle);
}

/// Opens for writing, and goes on.
fn open(image: &Image) {
    let Ok((mut journal, recovery)) = Journal::open(image, image, &input()) else {
        return;
    };
    for loss in recovery.losses {
        assert!(loss.count > 0);
    }
    if let Ok(committed) = journal.commit(&group(3), SaltKey([9; 16])) {
        assert_eq!(committed.size, journal.size());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(image) = image_of(data) else {
        return;
    };
    read(&image);
    open(&image);
    read(&image);
});
