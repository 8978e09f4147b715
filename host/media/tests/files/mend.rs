//! Files that are cut short or gone, and a writer that makes them whole again.

use std::path::{Path, PathBuf};

use crate::log::{SHAPE, group, input, media, provision, salt};
use evidence::reasons::LossCause;
use evidence::{CommitId, LogId};
use fieldnotary_media::{Access, segment_file_name};
use journal::{Journal, OpenError, OpenInput, Reader, Recovery};

/// The blocks of a segment: its header, then a frame each.
const BLOCK: u64 = 4_096;
/// Frames in the newest segment of these logs.
const NEWEST: u64 = 6;

/// A log whose third segment is begun, and the file of that.
fn begun(dir: &Path) -> (u64, PathBuf) {
    provision(dir);
    let (volume, truth) = media(dir, Access::ReadWrite);
    let mut journal = Journal::create(volume, truth, &input(), salt(1)).unwrap();
    while journal.stats().segments_opened < 3 {
        journal.commit(&group(1), salt(2)).unwrap();
    }
    for n in 1..NEWEST {
        journal.commit(&group(n), salt(2)).unwrap();
    }
    let size = journal.size();
    journal.close().unwrap();
    (size, dir.join(segment_file_name(2)))
}

fn cut(file: &Path, bytes: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(bytes).unwrap();
}

/// Opens for writing and goes on.
fn start(dir: &Path) -> Recovery {
    let (volume, truth) = media(dir, Access::ReadWrite);
    let (mut journal, recovery) = Journal::open(volume, truth, &input()).unwrap();
    journal.commit(&group(50), salt(7)).unwrap();
    journal.close().unwrap();
    recovery
}

fn readable(dir: &Path) -> Vec<u64> {
    let (volume, truth) = media(dir, Access::ReadOnly);
    assert_eq!(volume.missing(), [], "the writer left a file as it was");
    let input = input();
    let reader = Reader::open(volume, truth, input.log_id, input.generation).unwrap();
    let entries = reader.entries(CommitId(0)).flatten();
    entries.map(|entry| entry.commit_id.0).collect()
}

//= A5.4
#[test]
fn a_newest_segment_that_was_cut_loses_what_lay_behind_its_end_and_no_more() {
    // Behind all frames; right behind one; within one; within the first; within the header.
    for (bytes, left) in [
        (60_000, NEWEST),
        (BLOCK * (1 + NEWEST), NEWEST),
        (BLOCK * 4, 3),
        (BLOCK * 4 + 100, 3),
        (BLOCK + 20, 0),
        (100, 0),
        (0, 0),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (size, file) = begun(dir.path());
        let before = std::fs::read(&file).unwrap();
        cut(&file, bytes);
        let recovery = start(dir.path());
        let lost: u64 = recovery.losses.iter().map(|loss| loss.count).sum();
        assert_eq!(lost, NEWEST - left, "cut at {bytes}: {recovery:?}");
        for loss in &recovery.losses {
            assert_eq!(loss.cause, LossCause::SegmentMissing, "cut at {bytes}");
        }
        let after = std::fs::read(&file).unwrap();
        assert_eq!(after.len() as u64, SHAPE.segment_bytes, "cut at {bytes}");
        let kept = usize::try_from(bytes.min(BLOCK * (1 + left))).unwrap();
        assert!(after[..kept] == before[..kept], "cut at {bytes}");
        let due: Vec<u64> = (0..size - lost).chain([size]).collect();
        assert_eq!(readable(dir.path()), due, "cut at {bytes}");
        assert_eq!(start(dir.path()).losses.len(), recovery.losses.len());
    }
}

/// A file that is gone is made again, and what it held stays lost by its right name.
//= A5.4
#[test]
fn a_segment_that_is_gone_is_made_again_by_a_writer() {
    for segment in 0..SHAPE.segments {
        let dir = tempfile::tempdir().unwrap();
        let (size, _) = begun(dir.path());
        let file = dir.path().join(segment_file_name(segment));
        std::fs::remove_file(&file).unwrap();
        let recovery = start(dir.path());
        let length = std::fs::metadata(&file).unwrap().len();
        assert_eq!(length, SHAPE.segment_bytes);
        let missing = |loss: &journal::Loss| loss.cause == LossCause::SegmentMissing;
        assert!(recovery.losses.iter().all(missing), "{recovery:?}");
        let read = readable(dir.path());
        assert!(read.len() as u64 > size / 2, "{read:?}");
        assert_eq!(read.last(), Some(&size));
    }
}

/// Whoever is refused leaves the files as they are.
//= A5.4
#[test]
fn a_writer_that_is_refused_mends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_, file) = begun(dir.path());
    cut(&file, 30_000);
    let other = OpenInput {
        log_id: LogId([8; 16]),
        ..input()
    };
    let (volume, truth) = media(dir.path(), Access::ReadWrite);
    let refused = Journal::open(volume, truth, &other).err();
    assert!(matches!(refused, Some(OpenError::ForeignLog { .. })));
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 30_000);
}
