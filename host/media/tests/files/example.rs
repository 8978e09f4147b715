//! The example of the crate, run as whoever tries it does.

#[expect(dead_code, reason = "the program around it is not run")]
#[path = "../../examples/first_log.rs"]
mod first_log;

use crate::log::{group, salt};
use evidence::reasons::TruthClass;
use evidence::{BootId, Generation, LogId, SaltKey};
use fieldnotary_media::{Access, FileTruth, FileVolume, TRUTH_FILE, WriterLock};
use journal::{Journal, OpenError, OpenInput, Options, Reader, Shape};

/// Runs in a ring that has gone round; the log of the first is gone on with, and no entry counts as sealed.
const RUNS: u64 = 30;

#[test]
fn the_example_runs_again_and_again_on_one_log_that_it_alone_writes() {
    let dir = tempfile::tempdir().unwrap();
    for run in 1..=RUNS {
        assert_eq!(first_log::run(dir.path()).unwrap(), 6 * run);
    }
    let text = std::fs::read_to_string(dir.path().join("ring.json")).unwrap();
    let number = |name: &str| -> u64 {
        let (_, behind) = text.split_once(&format!("\"{name}\":")).unwrap();
        let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    let shape = Shape {
        segment_bytes: number("segment_bytes"),
        segments: u32::try_from(number("segments")).unwrap(),
        block_bytes: u32::try_from(number("block_bytes")).unwrap(),
    };
    let media = |access| {
        let truth = dir.path().join(TRUTH_FILE);
        (
            FileVolume::open(dir.path(), shape, access).unwrap(),
            FileTruth::open(&truth, TruthClass::SameDeviceSync, access).unwrap(),
        )
    };
    let (volume, truth) = media(Access::ReadOnly);
    let reader = Reader::open(volume, truth, LogId([1; 16]), Generation(1)).unwrap();
    assert!(reader.oldest().0 > 0, "the ring has come round");
    assert!(reader.closed_orderly() && reader.scrub().findings.is_empty());
    assert_eq!(reader.sealed_size(), 0, "nobody has signed anything");
    // While somebody writes, it does not.
    let held = WriterLock::take(dir.path()).unwrap();
    let refused = first_log::run(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("another process"), "{refused}");
    drop(held);

    // What the documentation of the crate says of the options, and of a log that is there.
    let input = OpenInput {
        log_id: LogId([1; 16]),
        generation: Generation(1),
        boot_id: BootId([2; 16]),
        options: Options::default(),
    };
    let (volume, truth) = media(Access::ReadWrite);
    let occupied = Journal::create(volume, truth, &input, SaltKey([9; 16])).err();
    assert_eq!(occupied, Some(OpenError::Occupied));
    let (volume, truth) = media(Access::ReadWrite);
    let (mut journal, _) = Journal::open(volume, truth, &input).unwrap();
    let full = (0..200).find_map(|n| journal.commit(&group(n), salt(2)).err());
    assert!(
        matches!(full, Some(journal::CommitError::RingFull { .. })),
        "{full:?}"
    );
}
