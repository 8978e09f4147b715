//! A small log on a simulated disk, and an oracle that knows what was acknowledged.

use evidence::kinds::{Event, Payload};
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    BootId, Captured, Generation, LogId, MonoNs, SaltKey, SourceId, Stamp, TimeDetail, UtcNs,
};
use fieldnotary_sim::media::{Device, DeviceTruth, DeviceVolume};
use journal::{Committed, Journal, OpenInput, Options, Shape, StoredEntry};
use proof::{CompactRange, Frontier, Hash};

pub(crate) type SimJournal = Journal<DeviceVolume, DeviceTruth>;

pub(crate) const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 4,
    block_bytes: 512,
};

pub(crate) fn input() -> OpenInput {
    OpenInput {
        log_id: LogId([7; 16]),
        generation: Generation(3),
        boot_id: BootId([1; 16]),
        options: Options {
            retain_uncosigned: false,
            read_back_every: 0,
            ..Options::default()
        },
    }
}

pub(crate) fn salt(n: u64) -> SaltKey {
    let mut key = [0x5A; 16];
    for (to, from) in key.iter_mut().zip(n.to_be_bytes()) {
        *to = from;
    }
    SaltKey(key)
}

pub(crate) fn stamp() -> Stamp {
    Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    }
}

/// An entry with a number in it and `filler` bytes of text.
pub(crate) fn capture(number: u64, filler: usize) -> Captured {
    let payload: Payload = Event {
        count: Some(number),
        detail: Some("x".repeat(filler)),
        ..Event::new(
            MonoNs(number),
            EventCode::LineNoise,
            SourceId::new("port-1").unwrap(),
        )
    }
    .into();
    Captured::new(&payload)
}

/// A group of `count` entries numbered from `number`.
pub(crate) fn group(number: u64, count: u64, filler: usize) -> Vec<(Stamp, Captured)> {
    (number..number + count)
        .map(|n| (stamp(), capture(n, filler)))
        .collect()
}

pub(crate) fn blank() -> Device {
    Device::new(SHAPE, TruthClass::SameDeviceSync)
}

pub(crate) fn create(disk: &Device) -> SimJournal {
    Journal::create(disk.volume(), disk.truth(), &input(), salt(0)).unwrap()
}

/// What was acknowledged, and the tree built from it without the journal's help.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) entries: Vec<StoredEntry>,
    pub(crate) frontier: Frontier,
}

impl Oracle {
    pub(crate) fn note(&mut self, committed: &Committed) {
        assert_eq!(committed.first.0, self.entries.len() as u64);
        self.extend(committed.entries.iter().cloned());
        assert_eq!(committed.root, self.frontier.root());
        assert_eq!(committed.size, self.frontier.size());
    }

    pub(crate) fn extend(&mut self, entries: impl IntoIterator<Item = StoredEntry>) {
        for entry in entries {
            assert_eq!(
                proof::tree::leaf_hash(&entry.leaf_data()),
                entry.leaf_hash,
                "the leaf hash is that of salt and bytes"
            );
            self.frontier.push(entry.leaf_hash);
            self.entries.push(entry);
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(crate) fn root(&self) -> Hash {
        self.frontier.root()
    }

    pub(crate) fn range(&self, begin: u64, end: u64) -> CompactRange {
        let mut range = CompactRange::empty(begin);
        for entry in &self.entries[index(begin)..index(end)] {
            range.push(entry.leaf_hash);
        }
        range
    }
}

pub(crate) fn index(id: u64) -> usize {
    usize::try_from(id).unwrap()
}

/// Opens whatever is on the disk.
pub(crate) fn open(disk: &Device) -> (SimJournal, journal::Recovery) {
    Journal::open(disk.volume(), disk.truth(), &input()).unwrap()
}

/// One step of the workload: a group of entries that grows and shrinks, so that frames have many
/// sizes and segments roll at odd places.
pub(crate) fn step(n: u64) -> Vec<(Stamp, Captured)> {
    group(n * 100, 1 + n % 4, 60 + index(n % 7) * 90)
}

/// Whether stored entries are exactly those of a group.
pub(crate) fn is_group(entries: &[StoredEntry], group: &[(Stamp, Captured)]) -> bool {
    entries.len() == group.len()
        && entries
            .iter()
            .zip(group)
            .all(|(stored, (stamp, captured))| {
                let entry = stored.entry().unwrap();
                entry.stamp == *stamp
                    && entry.captured == *captured
                    && entry.header.commit_id == stored.commit_id
            })
}

/// Compares everything that can be read with the oracle; the ring must be undamaged.
pub(crate) fn check_whole(journal: &SimJournal, oracle: &Oracle, context: &str) {
    let reader = journal.reader().unwrap();
    let oldest = index(reader.oldest().0);
    let read: Vec<_> = reader
        .entries(reader.oldest())
        .map(|item| item.unwrap_or_else(|finding| panic!("{context}: {finding}")))
        .collect();
    assert!(
        read == oracle.entries[oldest..],
        "{context}: other entries are read"
    );
    assert_eq!(journal.root(), oracle.root(), "{context}: root");
    assert_eq!(journal.size(), oracle.size(), "{context}: size");
}
