//! Salvage, and the look at an image part by part.

use alloc::vec::Vec;

use super::{Memory, SHAPE, input, with_a_log};
use crate::image::{self, Identity, Payload, State};
use crate::{
    Finding, Journal, MediumError, ReadTruth, ReadVolume, Reader, Salvage, Salvaged, frame_bytes,
};
use evidence::reasons::{HoldoverReason, SkipCause, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    Captured, CommitId, Generation, LogId, MeterId, MonoNs, SaltKey, Seq, Stamp, TimeDetail, UtcNs,
    kinds,
};

const OWN: Identity = Identity {
    log_id: LogId([7; 16]),
    generation: Generation(1),
};

/// Whatever the image: every id from the oldest on is given or named once, and every part is shown.
pub(super) fn everything(memory: &Memory) {
    let image = &memory;
    for segment in 0..image.shape().segments {
        image::segment(image, OWN, segment);
        image::frames(image, OWN, segment);
    }
    assert_eq!(image::slots(image, OWN).len(), 4);
    assert_eq!(image::tables(image, OWN).len(), 2);
    let Ok(salvage) = Salvage::open(image, image, None) else {
        return;
    };
    let mut next = salvage.reader().oldest().0;
    for item in salvage.items().take(20_000) {
        let (first, end) = match item {
            Salvaged::Entry { entry, .. } => (entry.commit_id.0, entry.commit_id.0 + 1),
            Salvaged::Missing(loss) => (loss.first.0, loss.end()),
        };
        assert_eq!(first, next);
        next = end;
    }
    let _ = salvage.root_holds();
}

fn group(count: u64) -> Vec<(Stamp, Captured)> {
    let stamp = Stamp {
        timestamp: UtcNs(0),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    let skip = |number| kinds::SeqSkip {
        at: MonoNs(number),
        meter_id: MeterId::new("m1").unwrap(),
        first: Seq(number),
        count: 1,
        cause: SkipCause::LeaseAbandoned,
    };
    let captured = |number| Captured::new(&skip(number).into());
    (0..count).map(|number| (stamp, captured(number))).collect()
}

fn ids(salvage: &Salvage<'_, &Memory, &Memory>) -> Vec<(u64, bool)> {
    let items = salvage.items();
    items
        .filter_map(|item| match item {
            Salvaged::Entry { entry, beyond } => Some((entry.commit_id.0, beyond)),
            Salvaged::Missing(_) => None,
        })
        .collect()
}

//= A5.7
#[test]
fn the_bytes_of_a_frame_are_known_before_it_is_written() {
    let memory = Memory::blank();
    let mut journal = Journal::create(&memory, &memory, &input(), SaltKey([3; 16])).unwrap();
    let mut newest_first = 0;
    for count in [1, 7, 2, 30, 1, 64, 3] {
        let size = journal.size();
        let group = group(count);
        let committed = journal.commit(&group, SaltKey([4; 16])).unwrap();
        let lengths = committed.entries.iter().map(|entry| entry.bytes.len());
        let known = frame_bytes(&SHAPE, size, newest_first, lengths);
        assert_eq!(known, committed.frame_bytes as usize, "{count} entries");
        newest_first = committed.first.0;
    }
}

//= A5.4
#[test]
fn every_part_of_a_sound_log_is_shown_sound_and_every_entry_is_salvaged() {
    let memory = with_a_log();
    let image = &&memory;
    let reader = Reader::open(&memory, &memory, OWN.log_id, OWN.generation).unwrap();
    let mut seen = 0;
    for segment in 0..SHAPE.segments {
        let header = image::segment(image, OWN, segment);
        assert_eq!((header.state, header.identity()), (State::Sound, Some(OWN)));
        let lap = header.number("lap");
        for look in image::frames(image, OWN, segment) {
            if look.header.number("lap") == lap {
                assert_eq!(look.payload, Some(Payload::Sound));
                seen += look.header.number("count").unwrap();
            }
        }
    }
    assert_eq!(seen, reader.size() - reader.oldest().0);
    assert!(
        image::slots(image, OWN)
            .iter()
            .all(|slot| slot.header.is_sound())
    );
    assert!(
        image::tables(image, OWN)
            .iter()
            .all(|table| table.leases.is_some())
    );
    assert_eq!(image::identify(image, image), Some(OWN));
    let salvage = Salvage::open(image, image, None).unwrap();
    assert!(salvage.root_holds());
    assert_eq!(ids(&salvage).len() as u64, seen);
    assert_eq!(salvage.further_end(), None);
}

//= A5.4
#[test]
fn parts_of_another_log_are_set_aside_and_the_rest_is_salvaged() {
    let memory = with_a_log();
    let other = Memory::blank();
    let mut input = input();
    input.log_id = LogId([8; 16]);
    let journal = Journal::create(&other, &other, &input, SaltKey([3; 16])).unwrap();
    journal.close().unwrap();
    let frames = Reader::open(&memory, &memory, OWN.log_id, OWN.generation).unwrap();
    let frames = frames.frames(CommitId(0)).filter_map(Result::ok);
    let kept = frames.filter(|frame| frame.location.segment == 1);
    let kept: Vec<u64> = kept
        .flat_map(|frame| frame.entries)
        .map(|entry| entry.commit_id.0)
        .collect();
    // The other log's segment 0 in the place of ours.
    memory.ring.borrow_mut()[..16_384].copy_from_slice(&other.ring.borrow()[..16_384]);
    let image = &&memory;
    assert!(Reader::open(&memory, &memory, OWN.log_id, OWN.generation).is_err());
    let salvage = Salvage::open(image, image, Some(OWN)).unwrap();
    assert_eq!(salvage.identity(), OWN);
    assert_eq!(salvage.aside_segments(), [(0, State::Foreign)]);
    let read: Vec<u64> = ids(&salvage).into_iter().map(|(id, _)| id).collect();
    assert!(!kept.is_empty() && read == kept, "{read:?}, {kept:?}");
    everything(&memory);
}

//= A5.4
#[test]
fn frames_behind_an_older_truth_store_are_salvaged_and_marked() {
    let memory = Memory::blank();
    let mut journal = Journal::create(&memory, &memory, &input(), SaltKey([3; 16])).unwrap();
    journal.commit(&group(3), SaltKey([4; 16])).unwrap();
    let before = memory.truth.borrow().clone();
    journal.commit(&group(2), SaltKey([4; 16])).unwrap();
    journal.commit(&group(2), SaltKey([4; 16])).unwrap();
    *memory.truth.borrow_mut() = before;
    let image = &&memory;
    let salvage = Salvage::open(image, image, None).unwrap();
    assert_eq!((salvage.committed_size(), salvage.reader().size()), (3, 7));
    assert_eq!(salvage.further_end(), Some(7));
    let marked: Vec<bool> = ids(&salvage)
        .into_iter()
        .map(|(_, beyond)| beyond)
        .collect();
    assert_eq!(marked, [false, false, false, true, true, true, true]);
}

/// A truth store that is not flushed with each commit.
struct Deferred<'m>(&'m Memory);

impl ReadTruth for Deferred<'_> {
    fn class(&self) -> TruthClass {
        TruthClass::SameDeviceDeferred
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        ReadTruth::read(&self.0, slot, copy, into)
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.0.read_table(copy, into)
    }
}

/// A crash may leave a deferred store behind by as many commits as it takes between two flushes.
//= A5.4
//= A5.9
#[test]
fn only_a_truth_store_that_is_flushed_with_each_commit_is_called_too_old() {
    let memory = Memory::blank();
    let mut journal = Journal::create(&memory, &memory, &input(), SaltKey([3; 16])).unwrap();
    let before = memory.truth.borrow().clone();
    for _ in 0..5 {
        journal.commit(&group(2), SaltKey([4; 16])).unwrap();
    }
    *memory.truth.borrow_mut() = before;
    let findings = |deferred: bool| match deferred {
        true => {
            let reader = Reader::open(&memory, Deferred(&memory), OWN.log_id, OWN.generation);
            reader.unwrap().scrub().findings
        }
        false => {
            let reader = Reader::open(&memory, &memory, OWN.log_id, OWN.generation);
            reader.unwrap().scrub().findings
        }
    };
    let behind = Finding::TruthBehind {
        size: 0,
        seen_to: 4,
    };
    assert_eq!(findings(false), [behind]);
    assert_eq!(findings(true), []);
}

/// Files of segments that were exchanged cost nothing, and one that was copied over another costs that one.
//= A5.4
#[test]
fn a_segment_in_the_place_of_another_is_read_and_said() {
    let memory = with_a_log();
    let image = &&memory;
    let whole = ids(&Salvage::open(image, image, None).unwrap());
    let was = memory.ring.borrow().clone();
    let (first, second) = was.split_at(16_384);
    *memory.ring.borrow_mut() = [second, first].concat();
    let salvage = Salvage::open(image, image, None).unwrap();
    let displaced = |lies, belongs, read| crate::Displaced {
        lies,
        belongs,
        read,
    };
    let both = [displaced(0, 1, true), displaced(1, 0, true)];
    assert_eq!(salvage.displaced(), both);
    assert_eq!(ids(&salvage), whole);
    assert_eq!(salvage.reader().scrub().findings, []);
    everything(&memory);
    *memory.ring.borrow_mut() = [first, first].concat();
    let salvage = Salvage::open(image, image, None).unwrap();
    assert_eq!(salvage.displaced(), [displaced(1, 0, false)]);
    let read = ids(&salvage);
    assert!(!read.is_empty() && read.len() < whole.len());
    everything(&memory);
}

/// A log over some rounds of its ring, and the truth store as it stood after so many commits.
fn log_with_truth_of(commits: u64, stood_after: u64) -> Memory {
    let memory = Memory::blank();
    let mut journal = Journal::create(&memory, &memory, &input(), SaltKey([3; 16])).unwrap();
    let mut before = memory.truth.borrow().clone();
    for number in 0..commits {
        if number == stood_after {
            before = memory.truth.borrow().clone();
        }
        journal.note_cosigned(journal.size());
        journal.commit(&group(3), SaltKey([4; 16])).unwrap();
    }
    drop(journal);
    *memory.truth.borrow_mut() = before;
    memory
}

/// Whatever the age of the truth store, a reader and salvage see what recovery takes in.
//= A5.4
#[test]
fn a_log_is_read_as_far_as_recovery_reads_it_however_old_the_truth_store() {
    const COMMITS: u64 = 70;
    for age in [2, 3, 9, 20, 30, 45, 69, COMMITS] {
        let memory = log_with_truth_of(COMMITS, COMMITS - age);
        let (image, id) = (&&memory, OWN.log_id);
        let reader = Reader::open_as_found(&memory, &memory, id, OWN.generation).unwrap();
        let salvage = Salvage::open(image, image, None).unwrap();
        let claimed = reader.claimed().unwrap();
        assert_eq!(claimed.size, (COMMITS - age) * 3, "age {age}");
        assert!(claimed.old && !reader.closed_orderly(), "age {age}");
        let behind = Finding::TruthBehind {
            size: claimed.size,
            seen_to: COMMITS * 3,
        };
        assert_eq!(reader.scrub().findings, [behind], "age {age}");
        let read: Vec<u64> = ids(&salvage).into_iter().map(|(id, _)| id).collect();
        let due: Vec<u64> = (reader.oldest().0..COMMITS * 3).collect();
        assert_eq!(read, due, "age {age}");
        assert!(salvage.root_holds(), "age {age}");
        let without = Memory::blank();
        *without.ring.borrow_mut() = memory.ring.borrow().clone();
        let image = &&without;
        let alone = Salvage::open(image, image, Some(OWN)).unwrap();
        assert_eq!(ids(&alone).len(), due.len(), "age {age}");
        let (journal, recovery) = Journal::open(&memory, &memory, &input()).unwrap();
        assert_eq!(journal.size(), reader.size(), "age {age}: {recovery:?}");
        drop(journal);
        let again = Reader::open(&memory, &memory, id, OWN.generation).unwrap();
        assert_eq!(again.oldest(), reader.oldest(), "age {age}");
        assert_ne!(
            again.truth_health().0,
            crate::TruthHealth::Lost,
            "age {age}"
        );
    }
}

/// A frame that nobody was told of is not shown to readers, and it is salvaged.
//= A5.4
#[test]
fn one_frame_behind_the_end_is_salvaged_and_not_read() {
    let memory = log_with_truth_of(20, 19);
    let reader = Reader::open_as_found(&memory, &memory, OWN.log_id, OWN.generation).unwrap();
    assert_eq!((reader.size(), reader.claimed()), (57, None));
    let image = &&memory;
    let salvage = Salvage::open(image, image, None).unwrap();
    assert_eq!(salvage.further_end(), Some(60));
    assert_eq!(reader.scrub().findings, []);
}
