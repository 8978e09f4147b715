//! What a commit costs the device: flushes, and bytes for each byte of an entry.

use crate::common::{input, salt, stamp};
use evidence::kinds::{Payload, Reading};
use evidence::reasons::TruthClass;
use evidence::{Blob, Captured, CommitId, MeterId, MonoNs, PointId, Quality, Seq, SourceId, Stamp};
use fieldnotary_sim::media::{Device, Target};
use journal::{Journal, Shape};

const BATCH: u64 = 1_024;
/// Enough for a segment and a bit.
const BATCHES: u64 = 170;
/// Segments and blocks as a node has them where nothing is said of them.
const SHAPE: Shape = Shape {
    segment_bytes: 16 << 20,
    segments: 2,
    block_bytes: 4_096,
};

fn reading(seq: u64) -> (Stamp, Captured) {
    let payload: Payload = Reading {
        at: MonoNs(1_000_000_000 * seq),
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
    (stamp(), Captured::new(&payload))
}

/// What was written to a kind of target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Written {
    bytes: usize,
    flushes: u64,
}

/// Commits the batches; gives the bytes of their entries, and what ring and truth slots were written for them.
fn written(class: TruthClass) -> (usize, Written, Written) {
    let disk = Device::new(SHAPE, class);
    let mut journal = Journal::create(disk.volume(), disk.truth(), &input(), salt(0)).unwrap();
    drop(disk.take_commands());
    let mut of_entries = 0;
    let mut rolls = 0;
    let (mut ring, mut slots) = (Written::default(), Written::default());
    for batch in 0..BATCHES {
        let group: Vec<_> = (batch * BATCH..(batch + 1) * BATCH).map(reading).collect();
        let committed = journal.commit(&group, salt(batch)).unwrap();
        let entries = committed.entries.iter();
        of_entries += entries.map(|entry| entry.bytes.len()).sum::<usize>();
        rolls += u64::from(committed.rolled);
        for logged in disk.take_commands() {
            let command = logged.command;
            let to = match command.target {
                Target::Segment(_) => &mut ring,
                _ => &mut slots,
            };
            to.flushes += u64::from(command.durable);
            to.bytes += command.bytes.len() * command.places.len();
        }
    }
    assert_eq!(
        rolls, 1,
        "more than a segment, so that its header is in the sum"
    );
    ring.flushes -= rolls;
    (of_entries, ring, slots)
}

/// The flushes of the ring are one a batch, whatever the class; the truth store's are its own.
//= A5.7
//= A5.2
#[test]
fn a_batch_of_readings_costs_one_flush_and_at_most_a_tenth_more_than_its_bytes() {
    // A deferred store is flushed with one commit of 65, and once more around the new segment.
    for (class, of_slots) in [
        (TruthClass::Independent, BATCHES..=BATCHES),
        (TruthClass::SameDeviceSync, BATCHES..=BATCHES),
        (TruthClass::SameDeviceDeferred, 2..=BATCHES / 65 + 2),
    ] {
        let (of_entries, ring, slots) = written(class);
        assert_eq!(ring.flushes, BATCHES, "{class:?}");
        let flushes = slots.flushes;
        assert!(of_slots.contains(&flushes), "{class:?}: {flushes}");
        assert!(
            ring.bytes * 100 <= of_entries * 110,
            "{class:?}: {} bytes in the ring for {of_entries} bytes of entries",
            ring.bytes
        );
    }
}
