//! A log without its truth store, found from its ring alone.

use crate::log::{group, input, salt};
use evidence::reasons::{EpochCause, TruthClass};
use fieldnotary_media::{Access, FileTruth, FileVolume, TRUTH_FILE};
use journal::{Journal, Shape};

const SHAPE: Shape = Shape {
    segment_bytes: 1 << 20,
    segments: 2,
    block_bytes: 4_096,
};
const COMMITS: u64 = 300;

/// The ring is read a few times, and not once for each of its frames.
//= A5.2
//= A5.4
#[test]
fn a_scan_costs_what_the_ring_holds_and_not_what_its_frames_are() {
    let dir = tempfile::tempdir().unwrap();
    let truth_file = dir.path().join(TRUTH_FILE);
    let media = || {
        let volume = FileVolume::open(dir.path(), SHAPE, Access::ReadWrite).unwrap();
        let class = TruthClass::SameDeviceSync;
        (
            volume,
            FileTruth::open(&truth_file, class, Access::ReadWrite).unwrap(),
        )
    };
    FileVolume::provision(dir.path(), SHAPE, |_| {}).unwrap();
    FileTruth::provision(&truth_file).unwrap();
    let (volume, truth) = media();
    let mut journal = Journal::create(volume, truth, &input(), salt(1)).unwrap();
    for number in 0..COMMITS {
        journal.commit(&group(number), salt(2)).unwrap();
    }
    drop(journal);
    std::fs::remove_file(&truth_file).unwrap();
    FileTruth::provision(&truth_file).unwrap();
    let (volume, truth) = media();
    let (journal, recovery) = Journal::open(volume, truth, &input()).unwrap();
    assert_eq!(recovery.cause, EpochCause::TruthLost);
    assert_eq!(journal.size(), COMMITS);
    let ring_bytes = SHAPE.segment_bytes * u64::from(SHAPE.segments);
    let times = recovery.scan_bytes as f64 / ring_bytes as f64;
    assert!(times < 4.0, "the ring was read {times:.1} times");
}
