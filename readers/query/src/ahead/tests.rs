//! What comes out does not depend on the number of threads: logs of every kind of damage, judged by one and by several.

use super::{Pool, State, Stop, Work};
use crate::{Anchors, Report, publish_with, verify_node_with};
use ed25519_dalek::SigningKey;
use evidence::kinds::{Checkpoint, Event, Loss};
use evidence::reasons::{
    Custody, EventCode, HoldoverReason, LossCause, TimeQuality, TimeStatus, TruthClass,
};
use evidence::{
    Blob, BootId, Captured, CommitId, Digest, Generation, LogId, MonoNs, Payload, SaltKey,
    SourceId, Stamp, TimeDetail, UtcNs,
};
use journal::limits::{TABLE_BYTES, TRUTH_SLOT_BYTES};
use journal::{
    Journal, Location, MediumError, OpenInput, Options, ReadTruth, ReadVolume, Reader, Shape,
    StoredEntry, TruthMedium, Volume,
};
use proof::note::{Note, sign_ed25519};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 4,
    block_bytes: 512,
};
const SEGMENT: usize = 16_384;
const TABLES: usize = 4 * TRUTH_SLOT_BYTES;
const INPUT: OpenInput = OpenInput {
    log_id: LogId([1; 16]),
    generation: Generation(1),
    boot_id: BootId([2; 16]),
    options: Options {
        retain_uncosigned: false,
        retain_unkept: false,
        read_back_every: 0,
    },
};
const ORIGIN: &str = "example.org/n/g1";

/// A ring and a truth store in memory.
struct Memory {
    ring: Mutex<Vec<u8>>,
    truth: Mutex<Vec<u8>>,
}

fn copy(from: &Mutex<Vec<u8>>, at: usize, into: &mut [u8]) {
    let len = into.len();
    into.copy_from_slice(&from.lock().unwrap()[at..at + len]);
}

fn put(to: &Mutex<Vec<u8>>, at: usize, bytes: &[u8]) {
    to.lock().unwrap()[at..at + bytes.len()].copy_from_slice(bytes);
}

fn place(segment: u32, offset: u64) -> usize {
    segment as usize * SEGMENT + usize::try_from(offset).unwrap()
}

fn slot_at(slot: u32, copy: u32) -> usize {
    (slot * 2 + copy) as usize * TRUTH_SLOT_BYTES
}

impl ReadVolume for Memory {
    fn shape(&self) -> Shape {
        SHAPE
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        copy(&self.ring, place(segment, offset), into);
        Ok(())
    }
}

impl Volume for &Memory {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        put(&self.ring, place(segment, offset), bytes);
        Ok(())
    }
}

impl ReadTruth for Memory {
    fn class(&self) -> TruthClass {
        TruthClass::Independent
    }

    fn read(&self, slot: u32, number: u32, into: &mut [u8]) -> Result<(), MediumError> {
        copy(&self.truth, slot_at(slot, number), into);
        Ok(())
    }

    fn read_table(&self, number: u32, into: &mut [u8]) -> Result<(), MediumError> {
        copy(&self.truth, TABLES + number as usize * TABLE_BYTES, into);
        Ok(())
    }
}

impl TruthMedium for &Memory {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.write_copy(slot, 0, bytes)?;
        self.write_copy(slot, 1, bytes)
    }

    fn write_copy(&mut self, slot: u32, number: u32, bytes: &[u8]) -> Result<(), MediumError> {
        put(&self.truth, slot_at(slot, number), bytes);
        Ok(())
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        TruthMedium::write_durable(self, slot, bytes)
    }

    fn write_table(&mut self, number: u32, bytes: &[u8]) -> Result<(), MediumError> {
        put(&self.truth, TABLES + number as usize * TABLE_BYTES, bytes);
        Ok(())
    }
}

/// A xorshift generator: a case is its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

fn stamped(payload: &Payload) -> (Stamp, Captured) {
    let stamp = Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    (stamp, Captured::new(payload))
}

fn event(random: &mut Random) -> (Stamp, Captured) {
    let payload = Event {
        sample: Some(Blob(vec![9; random.below(300)])),
        ..Event::new(
            MonoNs(7),
            *EventCode::ALL.first().unwrap(),
            SourceId::new("io").unwrap(),
        )
    };
    let (stamp, mut captured) = stamped(&payload.into());
    // Sound in the tree, and no sound entry.
    match random.below(40) {
        0 => captured.record_crc ^= 1,
        1 => captured.capture.truncate(3),
        _ => {}
    }
    (stamp, captured)
}

/// The head of the log so far, signed.
fn seal(journal: &Journal<&Memory, &Memory>) -> (Stamp, Captured) {
    let head = proof::Checkpoint::new(ORIGIN, journal.size(), journal.root()).unwrap();
    let text = head.body().unwrap();
    let mut note = Note::new(text.clone()).unwrap();
    let key = SigningKey::from_bytes(&[8; 32]);
    note.add(sign_ed25519(ORIGIN, &key, &text).unwrap())
        .unwrap();
    let checkpoint = Checkpoint {
        at: MonoNs(8),
        size: head.size,
        root: Digest(head.root.0),
        note: note.to_string(),
        custody: Custody::Software,
    };
    stamped(&checkpoint.into())
}

fn blank() -> Memory {
    Memory {
        ring: Mutex::new(vec![0; SEGMENT * SHAPE.segments as usize]),
        truth: Mutex::new(vec![0; TABLES + 2 * TABLE_BYTES]),
    }
}

/// A log that has been round its ring, damaged here and there.
fn damaged(random: &mut Random) -> Memory {
    let memory = blank();
    let key = SaltKey([3; 16]);
    let mut journal = Journal::create(&memory, &memory, &INPUT, key).unwrap();
    for _ in 0..random.below(120) {
        let count = 1 + random.below(12);
        let group: Vec<_> = (0..count).map(|_| event(random)).collect();
        journal.commit(&group, key).unwrap();
        if random.below(6) == 0 {
            let naming = Loss {
                at: MonoNs(9),
                first: CommitId(journal.size() / 2),
                count: 4,
                cause: LossCause::FrameDamaged,
                hashes: Vec::new(),
                segment: 0,
                offset_bytes: 0,
                before: Vec::new(),
            };
            let named = stamped(&naming.into());
            journal.commit(&[named, seal(&journal)], key).unwrap();
        }
    }
    drop(journal);
    for _ in 0..random.below(4) {
        let mut ring = memory.ring.lock().unwrap();
        let from = random.below(ring.len());
        let len = [1, 16, 512, 4_096, SEGMENT][random.below(5)];
        ring.iter_mut()
            .skip(from)
            .take(len)
            .for_each(|byte| *byte ^= 0x55);
    }
    memory
}

/// All that a verification and an export say and hand out.
fn seen(reader: &Reader<&Memory, &Memory>, threads: usize) -> String {
    let mut report = Report::default();
    let anchors = Anchors::found_beside(Vec::new());
    verify_node_with(
        threads,
        reader,
        ORIGIN,
        &anchors,
        &BTreeMap::new(),
        &mut report,
    );
    let mut files = Vec::new();
    let mut keep = |path: &str, bytes: &[u8]| {
        files.push((path.to_owned(), bytes.to_vec()));
        Ok(())
    };
    let published = publish_with(threads, reader, &AtomicU64::new(0), &mut keep);
    format!("{report:?} {published:?} {files:?}")
}

#[test]
fn any_number_of_threads_finds_and_hands_out_the_same_in_the_same_order() {
    let (mut findings, mut files) = (0, 0);
    for seed in 1..=60 {
        let memory = damaged(&mut Random(0x9E37_79B9_7F4A_7C15 ^ (seed << 20)));
        let reader = Reader::open(&memory, &memory, INPUT.log_id, INPUT.generation).unwrap();
        let alone = seen(&reader, 1);
        findings += alone.matches("Finding {").count();
        files += alone.matches("tile/").count();
        for threads in [2, 5] {
            assert_eq!(
                seen(&reader, threads),
                alone,
                "seed {seed}, {threads} threads"
            );
        }
    }
    // Nothing would be shown by logs that are whole, or that nobody can export.
    assert!(
        findings > 500 && files > 20,
        "{findings} findings, {files} files"
    );
}

/// A walk that jumps over frames whose headers are sound and whose entries are not may pass by all that lie
/// ready, and come to the very place where nobody has looked yet because of them.
#[test]
fn a_walk_that_passed_by_all_that_lies_ready_does_not_wait_for_ever() {
    let (done, waited_for) = mpsc::channel();
    // Not a scoped thread: one that waits for ever would hold the test.
    thread::spawn(move || {
        let memory = blank();
        let key = SaltKey([3; 16]);
        let mut journal = Journal::create(&memory, &memory, &INPUT, key).unwrap();
        journal.commit(&[event(&mut Random(1))], key).unwrap();
        drop(journal);
        let reader = Reader::open(&memory, &memory, INPUT.log_id, INPUT.generation).unwrap();
        let first = reader.frames(CommitId(0)).next().unwrap().unwrap();
        let at = first.location;
        let mut state = State::new(2);
        for passed in 0..state.frames_max {
            let elsewhere = Location {
                offset: at.offset + 1 + u64::try_from(passed).unwrap(),
                ..at
            };
            state.frames.push_back((elsewhere, Work::UnderWay));
        }
        state.next = Some(at);
        let pool = Pool {
            state: Mutex::new(state),
            changed: Condvar::new(),
        };
        let found = thread::scope(|scope| {
            for _ in 0..2 {
                let (frames, pool) = (reader.frame_reader(), &pool);
                scope.spawn(move || pool.work(&frames, &<[StoredEntry]>::len));
            }
            let _stop = Stop(&pool);
            pool.take(at).map(|(_, entries)| entries)
        });
        done.send((found, first.entries.len())).unwrap();
    });
    let (found, there) = waited_for
        .recv_timeout(Duration::from_secs(20))
        .expect("the walk waits for ever");
    assert_eq!(found, Some(there));
}
