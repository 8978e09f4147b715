//! Entries a second: a verification and an export on one core and on all, reading alone, and the hashes alone.
//!
//! `cargo bench -p fieldnotary-query --bench verify -- [ENTRIES]`

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, and fails where a test would"
)]

use ed25519_dalek::SigningKey;
use evidence::kinds::{Checkpoint, Reading};
use evidence::reasons::{Custody, HoldoverReason, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    Blob, BootId, Captured, CommitId, Digest, Generation, LogId, MeterId, MonoNs, Payload, PointId,
    Quality, SaltKey, Seq, SourceId, Stamp, TimeDetail, UtcNs,
};
use fieldnotary_query::{Anchors, Report, publish_with, verify_node_with};
use journal::limits::{TABLE_BYTES, TRUTH_SLOT_BYTES};
use journal::{
    Journal, MediumError, OpenInput, Options, ReadTruth, ReadVolume, Reader, Shape, TruthMedium,
    Volume,
};
use proof::RangeSource;
use proof::note::{Note, sign_ed25519};
use proof::tree::leaf_hash;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::thread::available_parallelism;
use std::time::Instant;

const ORIGIN: &str = "example.org/bench/g1";
const BATCH: u64 = 1_024;
const ENTRIES: u64 = 500_000;
const SEGMENT_BYTES: u64 = 16 << 20;
const SLOTS_BYTES: usize = 4 * TRUTH_SLOT_BYTES;

/// Media in memory: what is measured is the engine.
struct Memory {
    segments: RwLock<Vec<Vec<u8>>>,
    truth: RwLock<Vec<u8>>,
}

impl Memory {
    fn new(segments: u64) -> Self {
        let segment = vec![0; at(SEGMENT_BYTES)];
        Self {
            segments: RwLock::new(vec![segment; at(segments)]),
            truth: RwLock::new(vec![0; SLOTS_BYTES + 2 * TABLE_BYTES]),
        }
    }

    fn truth_at(&self, from: usize, into: &mut [u8]) {
        into.copy_from_slice(
            self.truth
                .read()
                .unwrap()
                .get(from..from + into.len())
                .unwrap(),
        );
    }

    fn put_truth(&self, to: usize, bytes: &[u8]) {
        let mut truth = self.truth.write().unwrap();
        truth
            .get_mut(to..to + bytes.len())
            .unwrap()
            .copy_from_slice(bytes);
    }
}

fn at(place: u64) -> usize {
    usize::try_from(place).unwrap()
}

fn slot_at(slot: u32, copy: u32) -> usize {
    at(u64::from(slot * 2 + copy)) * TRUTH_SLOT_BYTES
}

fn table_at(copy: u32) -> usize {
    SLOTS_BYTES + at(copy.into()) * TABLE_BYTES
}

impl ReadVolume for Memory {
    fn shape(&self) -> Shape {
        Shape {
            segment_bytes: SEGMENT_BYTES,
            segments: u32::try_from(self.segments.read().unwrap().len()).unwrap(),
            block_bytes: 4_096,
        }
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let segments = self.segments.read().unwrap();
        let from = segments.get(at(segment.into())).unwrap();
        into.copy_from_slice(from.get(at(offset)..at(offset) + into.len()).unwrap());
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
        let mut segments = self.segments.write().unwrap();
        let to = segments.get_mut(at(segment.into())).unwrap();
        to.get_mut(at(offset)..at(offset) + bytes.len())
            .unwrap()
            .copy_from_slice(bytes);
        Ok(())
    }
}

impl ReadTruth for Memory {
    fn class(&self) -> TruthClass {
        TruthClass::Independent
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.truth_at(slot_at(slot, copy), into);
        Ok(())
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.truth_at(table_at(copy), into);
        Ok(())
    }
}

impl TruthMedium for &Memory {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.put_truth(slot_at(slot, 0), bytes);
        self.put_truth(slot_at(slot, 1), bytes);
        Ok(())
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.put_truth(slot_at(slot, copy), bytes);
        Ok(())
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        TruthMedium::write_durable(self, slot, bytes)
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.put_truth(table_at(copy), bytes);
        Ok(())
    }
}

fn reading(seq: u64) -> (Stamp, Captured) {
    let payload: Payload = Reading {
        at: MonoNs(seq),
        meter_id: MeterId::new("m07").unwrap(),
        point_id: PointId::new("energy").unwrap(),
        source: SourceId::new("rs485-1").unwrap(),
        seq: Seq(seq),
        slot: None,
        attempt: 0,
        raw: Blob(seq.to_be_bytes().to_vec()),
        value: Some(format!("{seq}.5").parse().unwrap()),
        quality: Quality::GOOD,
        contract: CommitId(0),
    }
    .into();
    stamped(&payload)
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

/// Runs it, and prints how many entries a second that was.
fn measured<T>(what: &str, entries: u64, run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = black_box(run());
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = entries as f64 / seconds;
    println!("{what:<34} {rate:>12.0} entries/s  {seconds:>7.3} s");
    result
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let entries = asked.unwrap_or(ENTRIES).next_multiple_of(BATCH);
    let memory = Memory::new(entries * 256 / SEGMENT_BYTES + 2);
    let input = OpenInput {
        log_id: LogId([1; 16]),
        generation: Generation(1),
        boot_id: BootId([2; 16]),
        options: Options::default(),
    };
    println!("{entries} readings in groups of {BATCH}, media in memory");
    let mut journal = Journal::create(&memory, &memory, &input, SaltKey([3; 16])).unwrap();
    let groups: Vec<Vec<_>> = (0..entries / BATCH)
        .map(|group| (group * BATCH..(group + 1) * BATCH).map(reading).collect())
        .collect();
    measured("commit", entries, || {
        for group in &groups {
            journal.commit(group, SaltKey([3; 16])).unwrap();
        }
    });
    let root = journal.root();
    journal.commit(&[seal(&journal)], SaltKey([3; 16])).unwrap();
    drop(journal);
    let reader = Reader::open(&memory, &memory, input.log_id, input.generation).unwrap();
    let leaves = measured("read", entries, || {
        let sealed = usize::try_from(entries).unwrap();
        let entries = reader.entries(CommitId(0)).take(sealed);
        entries
            .map(|entry| entry.unwrap().leaf_data())
            .collect::<Vec<_>>()
    });
    let built = measured("hash and build the tree", entries, || {
        let mut tree = RangeSource::default();
        for leaf in &leaves {
            tree.push_leaf(leaf_hash(leaf));
        }
        tree.frontier().unwrap().root()
    });
    assert_eq!(built, root);
    let mut reports = Vec::new();
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    for threads in [1, cores] {
        let mut report = Report::default();
        measured(&format!("verify, threads: {threads}"), entries, || {
            let anchors = Anchors::found_beside(Vec::new());
            let whole = BTreeMap::new();
            verify_node_with(threads, &reader, ORIGIN, &anchors, &whole, &mut report);
        });
        assert_eq!(report.entries, entries + 1);
        reports.push(report.findings);
        let mut bytes = 0;
        let published = measured(&format!("export, threads: {threads}"), entries, || {
            let write = &mut |_: &str, file: &[u8]| {
                bytes += file.len() as u64;
                Ok(())
            };
            publish_with(threads, &reader, &AtomicU64::new(0), write).unwrap()
        });
        assert_eq!((published.entries, published.bytes), (entries, bytes));
    }
    assert_eq!(reports.first(), reports.last());
}
