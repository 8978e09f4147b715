//! A whole log made by the engine, and everything that is known of it without asking the engine again.

use std::ops::Range;

use evidence::kinds::{Event, Payload};
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    BootId, Captured, Generation, LogId, MonoNs, SaltKey, Seq, SourceId, Stamp, TimeDetail, UtcNs,
};
use journal::limits::SEGMENT_HEADER_BYTES;
use journal::{Committed, Journal, Leases, OpenInput, Options, Shape, StoredEntry};
use proof::{CompactRange, Frontier, Hash};

use super::cases;
use super::damage::Area;
use super::kept::GoldenKeep;
use crate::media::{Device, DeviceTruth, DeviceVolume, Fault, Image, Torn, table_at};

/// The ring of all images: 48 KiB, so that every bit of it can be tried.
pub(super) const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 3,
    block_bytes: 512,
};

/// How the log came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Three laps over every segment, closed orderly.
    Orderly,
    /// A refused write, a restart, and power that failed during the last commit.
    Scarred,
}

/// A frame of the log, and which of its bytes are its entries.
#[derive(Clone, Debug)]
pub(super) struct FrameAt {
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) lap: u64,
    pub(super) segment: usize,
    pub(super) bytes: Range<usize>,
    /// The lengths and the bytes of the entries: what no neighbour knows.
    pub(super) entries: Vec<Range<usize>>,
}

/// An undamaged log and the oracle over it.
#[derive(Clone, Debug)]
pub struct Golden {
    pub(super) class: TruthClass,
    pub(super) history: History,
    pub(super) image: Image,
    /// What each segment held before its newest lap.
    pub(super) older: Vec<Vec<u8>>,
    /// The truth slots after each write of them, the newest last.
    pub(super) truths: Vec<Vec<u8>>,
    /// Every entry ever acknowledged.
    pub(super) entries: Vec<StoredEntry>,
    pub(super) root: Hash,
    pub(super) oldest: u64,
    /// The frames still in the ring.
    pub(super) frames: Vec<FrameAt>,
    /// The laps still in the ring, the newest last.
    pub(super) laps: Vec<u64>,
    pub(super) leases: Leases,
    pub(super) newest_slot: u32,
    /// Sectors that a write may go to instead of another.
    pub(super) pool: Vec<(Area, usize)>,
    /// Bits of the lease tables that are turned.
    pub(super) table_bits: Vec<usize>,
    /// The keep-ring, beside the images of one class: it is the same for all.
    pub(super) keep: Option<GoldenKeep>,
    /// The tree before each entry, and behind the last.
    trees: Vec<Frontier>,
}

type SimJournal = Journal<DeviceVolume, DeviceTruth>;

/// What every opening of an image brings.
pub(super) fn input(boot: u8) -> OpenInput {
    OpenInput {
        log_id: LogId([7; 16]),
        generation: Generation(3),
        boot_id: BootId([boot; 16]),
        options: Options {
            retain_uncosigned: false,
            read_back_every: 0,
            ..Options::default()
        },
    }
}

/// A salt key with a number in it.
pub(super) fn salt(n: u64) -> SaltKey {
    let mut key = [0x5A; 16];
    for (to, from) in key.iter_mut().zip(n.to_be_bytes()) {
        *to = from;
    }
    SaltKey(key)
}

/// A stamp of a clock that was never set.
pub(super) fn stamp() -> Stamp {
    Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    }
}

/// One step of the workload: a group that grows and shrinks, so that frames have many sizes.
pub(super) fn step(n: u64) -> Vec<(Stamp, Captured)> {
    let filler = usize::try_from(n % 7).unwrap_or(0) * 90 + 60;
    (0..1 + n % 4)
        .map(|k| {
            let payload: Payload = Event {
                count: Some(n * 100 + k),
                detail: Some("x".repeat(filler)),
                ..Event::new(
                    MonoNs(n),
                    EventCode::LineNoise,
                    SourceId::new("port-1").expect("a name of letters is a source"),
                )
            }
            .into();
            (stamp(), Captured::new(&payload))
        })
        .collect()
}

fn leases(n: u64) -> Leases {
    let mut leases = Leases::default();
    for (name, add) in [("meter m-1", 0), ("meter m-2", 7), ("port port-1", 90)] {
        let stream = name.parse().expect("the name of a stream");
        leases.seqs.insert(stream, Seq(n * 1_000 + add));
    }
    leases
}

/// An image under construction.
struct Maker {
    disk: Device,
    older: Vec<Vec<u8>>,
    before: Image,
    truths: Vec<Vec<u8>>,
    entries: Vec<StoredEntry>,
    committed: Vec<(Committed, usize)>,
    n: u64,
}

impl Maker {
    /// Notes what a step of the log has written over.
    fn look(&mut self) {
        let now = self.disk.image();
        for (segment, bytes) in now.segments.iter().enumerate() {
            let old = &self.before.segments[segment];
            if old[..SEGMENT_HEADER_BYTES] != bytes[..SEGMENT_HEADER_BYTES] {
                self.older[segment].clone_from(old);
            }
        }
        if now.truth != self.before.truth {
            self.truths.push(now.truth[..table_at(0)].to_vec());
        }
        self.before = now;
    }

    fn commit(&mut self, journal: &mut SimJournal) {
        self.n += 1;
        let committed = journal
            .commit(&step(self.n), salt(self.n))
            .expect("the device is sound");
        self.entries.extend(committed.entries.iter().cloned());
        let bytes = committed.frame_bytes as usize;
        self.committed.push((committed, bytes));
        self.look();
    }

    /// Commits until a lap is in use and holds this many frames.
    fn fill(&mut self, journal: &mut SimJournal, lap: u64, frames: usize) {
        let in_lap = |maker: &Self| {
            let here = maker.committed.iter();
            here.filter(|(committed, _)| committed.location.lap == lap)
                .count()
        };
        while in_lap(self) < frames {
            self.commit(journal);
        }
    }

    fn reopened(&self) -> SimJournal {
        let disk = &self.disk;
        let opened = Journal::open(disk.volume(), disk.truth(), &input(2));
        opened.expect("a sound log opens").0
    }

    /// A refused write in one lap, a restart in the next, and power that fails during a commit.
    fn scar(&mut self, mut journal: SimJournal) {
        self.fill(&mut journal, 8, 3);
        self.disk.at_command(0, Fault::Refused(Torn::Everything));
        let refused = journal.commit(&step(901), salt(901));
        refused.expect_err("the device refuses this write");
        let epoch = journal.begin_epoch_after_failure(salt(902));
        epoch.expect("the device is sound again");
        self.look();
        self.fill(&mut journal, 9, 2);
        journal.into_media();
        let mut journal = self.reopened();
        self.look();
        // A deferred truth store leaves the lap here: its end is uncertain after a crash.
        for _ in 0..2 {
            self.commit(&mut journal);
        }
        self.disk.at_command(0, Fault::PowerCut(Torn::Prefix(1)));
        let cut = journal.commit(&step(903), salt(903));
        cut.expect_err("power fails during this write");
        // All that was cached reaches the medium.
        self.disk.cut_power(|_| true);
        self.disk.power_on();
        self.look();
    }
}

impl Golden {
    /// Makes the image of a class and a history.
    #[must_use]
    pub fn make(class: TruthClass, history: History) -> Self {
        let disk = Device::new(SHAPE, class);
        let journal = Journal::create(disk.volume(), disk.truth(), &input(1), salt(0));
        let mut journal = journal.expect("a blank device takes a log");
        let before = disk.image();
        let mut maker = Maker {
            older: before.segments.clone(),
            truths: vec![before.truth[..table_at(0)].to_vec()],
            before,
            disk,
            entries: Vec::new(),
            committed: Vec::new(),
            n: 0,
        };
        for n in 1..4 {
            maker.fill(&mut journal, n, 2);
            let stored = journal.store_leases(leases(n));
            stored.expect("the device is sound");
            maker.look();
        }
        maker.fill(&mut journal, 7, 1);
        match history {
            History::Orderly => {
                maker.fill(&mut journal, 9, 4);
                journal.close().expect("the device is sound");
                maker.look();
            }
            History::Scarred => maker.scar(journal),
        }
        maker.golden(class, history)
    }

    /// Its name in reports and replay lines.
    #[must_use]
    pub fn name(&self) -> String {
        Self::named(self.class, self.history)
    }

    /// The name of the image of a class and a history.
    pub(super) fn named(class: TruthClass, history: History) -> String {
        match history {
            History::Orderly => format!("{class}-orderly"),
            History::Scarred => format!("{class}-scarred"),
        }
    }

    /// The tree hashes of `[begin, end)`.
    pub(super) fn range(&self, begin: u64, end: u64) -> CompactRange {
        let mut range = CompactRange::empty(begin);
        for entry in (begin..end).filter_map(|id| self.entry(id)) {
            range.push(entry.leaf_hash);
        }
        range
    }

    /// The tree of as many entries.
    pub(super) fn tree(&self, size: u64) -> Option<&Frontier> {
        self.trees.get(usize::try_from(size).ok()?)
    }

    pub(super) fn entry(&self, id: u64) -> Option<&StoredEntry> {
        self.entries.get(usize::try_from(id).ok()?)
    }

    pub(super) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The frames from a commit id on.
    pub(super) fn frames_behind(&self, size: u64) -> usize {
        self.frames
            .iter()
            .filter(|frame| frame.first >= size)
            .count()
    }
}

impl Maker {
    fn golden(self, class: TruthClass, history: History) -> Golden {
        let newest = self
            .committed
            .last()
            .map_or(1, |(last, _)| last.location.lap);
        let laps: Vec<u64> = (newest - u64::from(SHAPE.segments) + 1..=newest).collect();
        let frames: Vec<FrameAt> = self
            .committed
            .iter()
            .filter(|(committed, _)| laps.contains(&committed.location.lap))
            .map(|(committed, bytes)| frame_at(&self.before, committed, *bytes))
            .collect();
        let oldest = frames.first().map_or(0, |frame| frame.first);
        let counter = |slot: u32| {
            let at = crate::media::slot_at(slot, 0) + 72;
            self.before.truth[at..at + 8].to_vec()
        };
        Golden {
            class,
            history,
            older: self.older,
            truths: self.truths,
            root: self
                .committed
                .last()
                .map_or(Hash([0; 32]), |(last, _)| last.root),
            oldest,
            frames,
            laps,
            leases: leases(3),
            newest_slot: u32::from(counter(1) > counter(0)),
            keep: (class == TruthClass::Independent)
                .then(|| GoldenKeep::make(history, &self.entries, oldest)),
            pool: cases::pool(&self.before),
            table_bits: cases::table_bits(&self.before),
            trees: trees(&self.entries),
            entries: self.entries,
            image: self.before,
        }
    }
}

/// The trees that these entries grow.
fn trees(entries: &[StoredEntry]) -> Vec<Frontier> {
    let mut trees = vec![Frontier::new()];
    for entry in entries {
        let mut tree = trees.last().cloned().unwrap_or_default();
        tree.push(entry.leaf_hash);
        trees.push(tree);
    }
    trees
}

/// Takes a frame apart by the lengths that it holds.
fn frame_at(image: &Image, committed: &Committed, frame_bytes: usize) -> FrameAt {
    let segment = committed.location.segment as usize;
    let start = usize::try_from(committed.location.offset).unwrap_or(usize::MAX);
    let word = |at: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&image.segments[segment][at..at + 4]);
        u32::from_be_bytes(word) as usize
    };
    let header_bytes = word(start + 76);
    let mut entries = Vec::new();
    let mut at = start + header_bytes;
    for entry in &committed.entries {
        let bytes = at + 8..at + 8 + entry.bytes.len();
        assert_eq!(image.segments[segment][bytes.clone()], entry.bytes[..]);
        entries.extend([at..at + 4, bytes.clone()]);
        at = bytes.end;
    }
    FrameAt {
        first: committed.first.0,
        end: committed.size,
        lap: committed.location.lap,
        segment,
        bytes: start..start + frame_bytes,
        entries,
    }
}
