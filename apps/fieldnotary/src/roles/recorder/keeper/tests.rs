//! What passes by is kept once, also where the tree behind it could not be had again.

use super::{Carried, make};
use contract::Storage;
use evidence::kinds::Event;
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    BootId, Captured, CommitId, Generation, LogId, MonoNs, Payload, SaltKey, SourceId, Stamp,
    TimeDetail, UtcNs,
};
use journal::keep::{KeepRing, Store};
use journal::{Journal, OpenInput, Options, Reader, Shape};
use media::{Access, FileTruth, FileVolume};
use std::path::Path;

const LOG: LogId = LogId([1; 16]);
const GENERATION: Generation = Generation(1);
const SHAPE: Shape = Shape {
    segment_bytes: 1 << 16,
    segments: 4,
    block_bytes: 512,
};

fn event() -> (Stamp, Captured) {
    let payload = Event::new(
        MonoNs(7),
        *EventCode::ALL.first().unwrap(),
        SourceId::new("io").unwrap(),
    );
    let stamp = Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    (stamp, Captured::new(&Payload::from(payload)))
}

/// A log of frames of four entries each.
fn log_in(dir: &Path) -> Reader<FileVolume, FileTruth> {
    let truth = dir.join("truth.fnt");
    FileVolume::provision(dir, SHAPE, |_| {}).unwrap();
    FileTruth::provision(&truth).unwrap();
    let volume = |access| FileVolume::open(dir, SHAPE, access).unwrap();
    let store = |access| FileTruth::open(&truth, TruthClass::SameDeviceSync, access).unwrap();
    let input = OpenInput {
        log_id: LOG,
        generation: GENERATION,
        boot_id: BootId([2; 16]),
        options: Options::default(),
    };
    let all = Access::ReadWrite;
    let key = SaltKey([3; 16]);
    let mut journal = Journal::create(volume(all), store(all), &input, key).unwrap();
    for _ in 0..4 {
        let group: Vec<_> = (0..4).map(|_| event()).collect();
        journal.commit(&group, key).unwrap();
    }
    drop(journal);
    let read = Access::ReadOnly;
    Reader::open(volume(read), store(read), LOG, GENERATION).unwrap()
}

#[test]
fn what_has_passed_by_is_not_kept_again_where_the_tree_is_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let reader = log_in(dir.path());
    let size = reader.size();
    let place = dir.path().join("keep-soe");
    let storage = Storage {
        segment_bytes: SHAPE.segment_bytes,
        segments: SHAPE.segments,
        block_bytes: SHAPE.block_bytes,
        truth: TruthClass::SameDeviceSync,
        truth_dir: None,
        truth_device: None,
        keep_soe_bytes: None,
        keep_audit_bytes: None,
        group_wait_ms: 5,
    };
    make(&place, 2 << 20, &storage).unwrap();
    let shape = super::read_ring(&place).unwrap();
    // The kept stretch ended within a frame, whose tree cannot be read again.
    let durable = size - 2;
    let volume = FileVolume::open(&place, shape, Access::ReadWrite).unwrap();
    let mut carried = Carried {
        ring: KeepRing::open(volume, LOG, GENERATION, Store::Soe),
        stretch: None,
        refused: None,
        durable,
    };
    for item in reader.frames(CommitId(0)) {
        carried.take(&item).unwrap();
    }
    carried.flush().unwrap();
    let kept: Vec<_> = carried.ring.frames().map(Result::unwrap).collect();
    let ranges: Vec<_> = kept
        .iter()
        .map(|frame| {
            (
                frame.stretch.begin(),
                frame.stretch.end(),
                frame.stretch.kept(),
            )
        })
        .collect();
    assert_eq!(ranges, [(durable, size, 2)]);
    assert_eq!(carried.durable, size);
}
