//! The life of a log in files.

use std::path::Path;

use evidence::kinds::{Event, Payload};
use evidence::reasons::{
    EpochCause, EventCode, HoldoverReason, LossCause, TimeQuality, TimeStatus, TruthClass,
};
use evidence::{
    BootId, Captured, CommitId, Generation, LogId, MonoNs, SaltKey, SourceId, Stamp, TimeDetail,
    UtcNs,
};
use fieldnotary_media::{Access, FileTruth, FileVolume, TRUTH_FILE, WriterLock, segment_file_name};
use journal::{Finding, Journal, MediumFault, OpenInput, Options, Reader, Shape, Volume};

pub(crate) const SHAPE: Shape = Shape {
    segment_bytes: 65_536,
    segments: 3,
    block_bytes: 4_096,
};
const CLASS: TruthClass = TruthClass::SameDeviceSync;

pub(crate) fn input() -> OpenInput {
    OpenInput {
        log_id: LogId([9; 16]),
        generation: Generation(1),
        boot_id: BootId([1; 16]),
        options: Options {
            retain_uncosigned: true,
            read_back_every: 1,
            ..Options::default()
        },
    }
}

pub(crate) fn provision(dir: &Path) {
    FileVolume::provision(dir, SHAPE, |_| {}).unwrap();
    FileTruth::provision(&dir.join(TRUTH_FILE)).unwrap();
}

pub(crate) fn media(dir: &Path, access: Access) -> (FileVolume, FileTruth) {
    let volume = FileVolume::open(dir, SHAPE, access).unwrap();
    let truth = FileTruth::open(&dir.join(TRUTH_FILE), CLASS, access).unwrap();
    (volume, truth)
}

pub(crate) fn group(number: u64) -> Vec<(Stamp, Captured)> {
    let payload: Payload = Event {
        count: Some(number),
        ..Event::new(
            MonoNs(number),
            EventCode::LineNoise,
            SourceId::new("port-1").unwrap(),
        )
    }
    .into();
    let stamp = Stamp {
        timestamp: UtcNs(0),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    vec![(stamp, Captured::new(&payload))]
}

pub(crate) fn salt(n: u8) -> SaltKey {
    SaltKey([n; 16])
}

//= A5.1
//= A5.3
#[test]
fn a_log_in_files_survives_the_end_of_its_process() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path());
    let (volume, truth) = media(dir.path(), Access::ReadWrite);
    let mut journal = Journal::create(volume, truth, &input(), salt(1)).unwrap();
    let mut acked = Vec::new();
    for n in 0..20 {
        acked.extend(journal.commit(&group(n), salt(2)).unwrap().entries);
    }
    assert_eq!(journal.stats().read_backs, 20);
    assert_eq!(journal.stats().read_back_failures, 0);
    assert!(journal.stats().segments_opened >= 2);
    // Another process reads while the writer goes on.
    let (volume, truth) = media(dir.path(), Access::ReadOnly);
    let mut reader = Reader::open(volume, truth, LogId([9; 16]), Generation(1)).unwrap();
    let read: Vec<_> = reader.entries(CommitId(0)).map(Result::unwrap).collect();
    assert_eq!(read, acked);
    acked.extend(journal.commit(&group(20), salt(3)).unwrap().entries);
    assert_eq!(reader.size(), 20);
    assert!(reader.refresh().unwrap());
    let read: Vec<_> = reader.entries(CommitId(20)).map(Result::unwrap).collect();
    assert_eq!(read, acked[20..]);
    drop(journal);
    let (volume, truth) = media(dir.path(), Access::ReadWrite);
    let (journal, recovery) = Journal::open(volume, truth, &input()).unwrap();
    assert_eq!(recovery.cause, EpochCause::Recovery);
    assert_eq!(journal.size(), 21);
    let reader = journal.reader().unwrap();
    let read: Vec<_> = reader.entries(CommitId(0)).map(Result::unwrap).collect();
    assert_eq!(read, acked);
}

//= A5.4
#[test]
fn a_missing_segment_is_named_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path());
    let (volume, truth) = media(dir.path(), Access::ReadWrite);
    let mut journal = Journal::create(volume, truth, &input(), salt(1)).unwrap();
    while journal.stats().segments_opened < 3 {
        journal.commit(&group(1), salt(2)).unwrap();
    }
    let size = journal.size();
    drop(journal);
    std::fs::remove_file(dir.path().join(segment_file_name(1))).unwrap();
    let (volume, truth) = media(dir.path(), Access::ReadOnly);
    assert_eq!(volume.missing(), [1]);
    let reader = Reader::open(volume, truth, LogId([9; 16]), Generation(1)).unwrap();
    let scrub = reader.scrub();
    let lost: u64 = scrub.unnamed.iter().map(|loss| loss.count).sum();
    assert!(lost > 0 && scrub.entries + lost == size);
    assert!(scrub.findings.iter().any(|finding| matches!(
        finding,
        Finding::Lost(loss) if loss.cause == LossCause::SegmentMissing && loss.segment == 1
    )));
}

//= A5.1
#[test]
fn a_second_writer_is_refused_and_a_reader_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path());
    let lock = WriterLock::take(dir.path()).unwrap();
    let refused = WriterLock::take(dir.path()).unwrap_err();
    assert!(refused.is_locked() && refused.to_string().contains("another process"));
    drop(lock);
    WriterLock::take(dir.path()).unwrap();
    let (mut volume, _) = media(dir.path(), Access::ReadOnly);
    let error = volume.write_durable(0, 0, &[0; 4_096]).unwrap_err();
    assert_eq!(error.fault, MediumFault::ReadOnly);
}

#[test]
fn provisioning_goes_on_where_it_was_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(segment_file_name(0)), vec![0; 1_000]).unwrap();
    let mut done = Vec::new();
    FileVolume::provision(dir.path(), SHAPE, |n| done.push(n)).unwrap();
    assert_eq!(done, [1, 2, 3]);
    let (volume, _) = {
        FileTruth::provision(&dir.path().join(TRUTH_FILE)).unwrap();
        media(dir.path(), Access::ReadOnly)
    };
    assert!(volume.missing().is_empty());
    // A segment of another size that holds something is never removed.
    std::fs::write(dir.path().join(segment_file_name(2)), vec![1; 1_000]).unwrap();
    let error = FileVolume::provision(dir.path(), SHAPE, |_| {}).unwrap_err();
    assert!(error.to_string().contains("another size"));
}

/// Bytes behind a segment cost nothing, and of one that was cut short what is left is read.
//= A5.4
#[test]
fn a_segment_of_another_size_is_read_as_far_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path());
    let (volume, truth) = media(dir.path(), Access::ReadWrite);
    let mut journal = Journal::create(volume, truth, &input(), salt(1)).unwrap();
    while journal.stats().segments_opened < 3 {
        journal.commit(&group(1), salt(2)).unwrap();
    }
    let size = journal.size();
    drop(journal);
    let path = dir.path().join(segment_file_name(1));
    let whole = std::fs::read(&path).unwrap();
    let scrub = || {
        let (volume, truth) = media(dir.path(), Access::ReadOnly);
        assert_eq!(volume.missing(), [1]);
        Reader::open(volume, truth, LogId([9; 16]), Generation(1))
            .unwrap()
            .scrub()
    };
    std::fs::write(&path, [&whole[..], &[7; 5_000]].concat()).unwrap();
    let longer = scrub();
    assert_eq!((longer.findings.len(), longer.entries), (0, size));
    let (volume, truth) = media(dir.path(), Access::ReadWrite);
    let (journal, recovery) = Journal::open(volume, truth, &input()).unwrap();
    assert_eq!((journal.size(), recovery.findings.len()), (size, 0));
    drop(journal);
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let shorter = scrub();
    let lost: u64 = shorter.unnamed.iter().map(|loss| loss.count).sum();
    assert_eq!(shorter.entries + lost, size);
    assert!(lost > 0 && shorter.unnamed[0].segment == 1);
    // As much is read of it as there was.
    std::fs::remove_file(&path).unwrap();
    let all: u64 = scrub().unnamed.iter().map(|loss| loss.count).sum();
    assert!(lost < all, "{lost} of {all}");
}
