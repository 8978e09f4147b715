//! The writes of a journal, counted: frames into the ring, states into the truth store, lease tables.

use contract::{Contract, Storage};
use evidence::reasons::TruthClass;
use journal::limits::{
    DEFERRED_COMMITS_MAX, TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES,
};
use journal::{Shape, frame_bytes};

/// A log of some age: headers have the length that they will have most of the time.
const SIZE_BEFORE: u64 = 10_000_000;
/// A group goes in parts of at most this share of a segment, as the recorder's does.
const PART_OF_SEGMENT: u64 = 4;

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) commits: u64,
    pub(super) entries: u64,
    /// Bytes of the entries themselves.
    pub(super) entry_bytes: u64,
    /// Bytes of frames, padding included.
    pub(super) frame_bytes: u64,
    /// Segments opened, and the bytes at their ends that no frame fitted.
    pub(super) segments: u64,
    pub(super) unused_bytes: u64,
    pub(super) volume_flushes: u64,
    /// The ring's writes, each in whole blocks and in whole pages of flash.
    pub(super) volume_bytes: u64,
    pub(super) volume_page_bytes: u64,
    /// States written to the truth store, each as two copies.
    pub(super) truth_writes: u64,
    pub(super) truth_flushes: u64,
    pub(super) lease_writes: u64,
    pub(super) truth_bytes: u64,
    pub(super) truth_page_bytes: u64,
}

/// A journal of which only the writes are.
#[derive(Debug)]
pub(super) struct Writes<'s> {
    shape: Shape,
    storage: &'s Storage,
    page_bytes: u64,
    size: u64,
    newest_first: u64,
    offset: u64,
    deferred: u32,
    pub(super) counts: Counts,
}

impl<'s> Writes<'s> {
    pub(super) fn new(contract: &'s Contract, page_bytes: u64) -> Self {
        let storage = &contract.storage;
        let shape = Shape {
            segment_bytes: storage.segment_bytes,
            segments: storage.segments,
            block_bytes: storage.block_bytes,
        };
        Self {
            shape,
            storage,
            page_bytes,
            size: SIZE_BEFORE,
            newest_first: SIZE_BEFORE - 1,
            offset: shape.first_frame_offset(),
            deferred: 0,
            counts: Counts::default(),
        }
    }

    /// Commits a group, and the state that each segment it opens begins with.
    pub(super) fn group(&mut self, lengths: &[usize], frozen: &[usize]) {
        let limit = self.shape.segment_bytes / PART_OF_SEGMENT;
        let mut rolled = false;
        let mut from = 0;
        while from < lengths.len() {
            let rest = lengths.get(from..).unwrap_or_default();
            let mut bytes = 0u64;
            let fitting = rest.iter().take_while(|length| {
                bytes += **length as u64;
                bytes <= limit
            });
            let count = fitting.count().max(1);
            rolled |= self.frame(rest.get(..count).unwrap_or(rest));
            from += count;
        }
        if rolled {
            // A freeze that rolls does not freeze again.
            self.frame(frozen);
        }
    }

    fn frame(&mut self, lengths: &[usize]) -> bool {
        let all = lengths.iter().copied();
        let bytes = frame_bytes(&self.shape, self.size, self.newest_first, all) as u64;
        let rolls = self.offset + bytes > self.shape.segment_bytes;
        if rolls {
            self.counts.unused_bytes +=
                self.shape.segment_bytes - self.offset.min(self.shape.segment_bytes);
            self.counts.segments += 1;
            self.offset = self.shape.first_frame_offset();
            // What leaves the ring is said first.
            self.truth(true);
            self.volume(self.offset);
        }
        self.volume(bytes);
        self.counts.frame_bytes += bytes;
        self.offset += bytes;
        self.counts.commits += 1;
        self.counts.entries += lengths.len() as u64;
        self.counts.entry_bytes += lengths.iter().map(|length| *length as u64).sum::<u64>();
        self.newest_first = self.size;
        self.size += lengths.len() as u64;
        let deferred = self.storage.truth == TruthClass::SameDeviceDeferred;
        self.truth(!deferred || self.deferred >= DEFERRED_COMMITS_MAX);
        rolls
    }

    fn volume(&mut self, bytes: u64) {
        self.counts.volume_flushes += 1;
        self.counts.volume_bytes += bytes;
        self.counts.volume_page_bytes += bytes.next_multiple_of(self.page_bytes);
    }

    fn truth(&mut self, flush: bool) {
        self.counts.truth_writes += 1;
        match flush {
            true => {
                self.counts.truth_flushes += 1;
                self.deferred = 0;
            }
            false => self.deferred += 1,
        }
        self.truth_bytes(u64::from(TRUTH_COPIES) * TRUTH_SLOT_BYTES as u64);
    }

    /// A block of numbers was leased: both copies of the table.
    pub(super) fn lease(&mut self) {
        for _ in 0..TABLE_COPIES {
            self.counts.lease_writes += 1;
            self.counts.truth_flushes += 1;
            self.truth_bytes(TABLE_BYTES as u64);
        }
    }

    fn truth_bytes(&mut self, bytes: u64) {
        self.counts.truth_bytes += bytes;
        self.counts.truth_page_bytes += bytes.next_multiple_of(self.page_bytes);
    }
}
