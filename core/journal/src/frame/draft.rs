//! A frame being made: each entry is encoded once, in the place where it will lie.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use evidence::{
    Captured, CommitId, Epoch, Generation, Header, LogId, SaltKey, Stamp, append_entry,
};
use proof::{CompactRange, Frontier, Hash};

use super::{EntryBytes, header_bytes_of, place};
use crate::bytes::put_hashes;
use crate::layout::{EntryFixed, FRAME_MAGIC, FrameFixed, KIND_ENTRIES, VERSION};
use crate::limits::{ENTRY_ENVELOPE_BYTES_MAX, FRAME_ALIGN_BYTES, FRAME_BYTES_MAX};
use crate::medium::Shape;

/// The payload of a frame, in memory that begins as a device likes it, with room in front for the header.
#[derive(Debug)]
pub(crate) struct Draft {
    memory: Vec<u8>,
    /// Where the frame begins in the memory.
    begin: usize,
    header_bytes: usize,
    /// Where each entry lies in the memory.
    places: Vec<Range<usize>>,
    fixed: Vec<u8>,
}

impl Draft {
    /// An empty payload for so many capture bytes, behind a header of this length. `memory` is used again.
    pub(crate) fn new(
        mut memory: Vec<u8>,
        header_bytes: usize,
        captures: impl ExactSizeIterator<Item = usize>,
    ) -> Self {
        let entries = captures.len();
        let entry = |len: usize| {
            len.saturating_add(ENTRY_ENVELOPE_BYTES_MAX)
                .saturating_add(EntryFixed::BYTES)
        };
        let wanted = captures
            .map(entry)
            .fold(header_bytes, usize::saturating_add);
        let room = wanted
            .min(FRAME_BYTES_MAX)
            .saturating_add(2 * FRAME_ALIGN_BYTES);
        memory.clear();
        memory.reserve(room);
        let begin = memory.as_ptr().align_offset(FRAME_ALIGN_BYTES);
        let begin = if begin < FRAME_ALIGN_BYTES { begin } else { 0 };
        memory.resize(begin.saturating_add(header_bytes), 0);
        Self {
            memory,
            begin,
            header_bytes,
            places: Vec::with_capacity(entries),
            fixed: Vec::with_capacity(EntryFixed::BYTES),
        }
    }

    /// Appends an entry; gives back how many bytes it has.
    pub(crate) fn push(&mut self, header: &Header, stamp: &Stamp, captured: &Captured) -> usize {
        let before = self.memory.len();
        let from = before.saturating_add(EntryFixed::BYTES);
        self.memory.resize(from, 0);
        append_entry(&mut self.memory, header, stamp, captured);
        let place = from..self.memory.len();
        let bytes = self.memory.get(place.clone()).unwrap_or_default();
        let len = bytes.len();
        self.fixed.clear();
        EntryFixed {
            // One that is too long for this is refused by whoever asked for its length.
            entry_bytes: u32::try_from(len).unwrap_or(u32::MAX),
            entry_crc: crc32c::crc32c(bytes),
        }
        .write(&mut self.fixed);
        if let Some(front) = self.memory.get_mut(before..from) {
            front.copy_from_slice(&self.fixed);
        }
        self.places.push(place);
        len
    }

    /// Entries so far.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes of header and payload so far.
    pub(crate) fn bytes(&self) -> usize {
        self.memory.len().saturating_sub(self.begin)
    }

    /// The bytes of the entries, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let places = self.places.iter();
        places.map(|place| self.memory.get(place.clone()).unwrap_or_default())
    }
}

/// What a new frame is made of.
#[derive(Debug)]
pub(crate) struct NewFrame<'a> {
    pub(crate) log_id: LogId,
    pub(crate) generation: Generation,
    pub(crate) epoch: Epoch,
    pub(crate) epoch_first: CommitId,
    pub(crate) lap: u64,
    pub(crate) offset: u64,
    pub(crate) salt_key: SaltKey,
    pub(crate) frontier: &'a Frontier,
    pub(crate) previous_range: &'a CompactRange,
    pub(crate) previous_frame_crc: u32,
    pub(crate) root_after: Hash,
}

/// A frame ready to be written.
#[derive(Debug)]
pub(crate) struct EncodedFrame {
    memory: Arc<Vec<u8>>,
    begin: usize,
    places: Vec<Range<usize>>,
    pub(crate) header_crc: u32,
    pub(crate) payload_bytes: u32,
}

impl EncodedFrame {
    /// The whole frame, padding included.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.get(self.begin..).unwrap_or_default()
    }

    /// The bytes of its entries, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = EntryBytes> {
        let places = self.places.iter();
        places.filter_map(|place| EntryBytes::within(&self.memory, place.clone()))
    }

    /// The memory, to be used again where nobody holds an entry of it any more.
    pub(crate) fn into_memory(self) -> Arc<Vec<u8>> {
        self.memory
    }
}

impl NewFrame<'_> {
    /// The frame of a payload; `None` if it exceeds a bound, which the caller has checked.
    pub(crate) fn encode(&self, draft: Draft, shape: &Shape) -> Option<EncodedFrame> {
        let header_bytes = header_bytes_of(
            self.frontier.hashes().len(),
            self.previous_range.hashes().len(),
        );
        if header_bytes != draft.header_bytes {
            return None;
        }
        let payload_bytes = draft.bytes().checked_sub(header_bytes)?;
        let frame_bytes = shape.blocks_up(draft.bytes());
        let mut fixed = FrameFixed {
            magic: FRAME_MAGIC,
            version: VERSION,
            kind: KIND_ENTRIES,
            flags: 0,
            log_id: self.log_id,
            generation: self.generation,
            epoch: self.epoch,
            lap: self.lap,
            segment_no: shape.segment_of(self.lap),
            frontier_len: u8::try_from(self.frontier.hashes().len()).ok()?,
            previous_range_len: u8::try_from(self.previous_range.hashes().len()).ok()?,
            reserved: [0; 2],
            self_offset: self.offset,
            first_commit_id: CommitId(self.frontier.size()),
            count: u32::try_from(draft.len()).ok()?,
            header_bytes: u32::try_from(header_bytes).ok()?,
            payload_bytes: u32::try_from(payload_bytes).ok()?,
            frame_bytes: u32::try_from(frame_bytes).ok()?,
            previous_frame_crc: self.previous_frame_crc,
            payload_crc: 0,
            salt_key: self.salt_key,
            previous_first_commit_id: CommitId(self.previous_range.begin()),
            epoch_first_commit_id: self.epoch_first,
            root_after: self.root_after,
        };
        let Draft {
            mut memory,
            begin,
            places,
            ..
        } = draft;
        memory.resize(begin.checked_add(frame_bytes)?, 0);
        // The payload lies there; the header, whose checks speak of it, goes into its place in front.
        let frame = memory.get_mut(begin..)?;
        let (place_of_header, body) = frame.split_at_mut_checked(header_bytes)?;
        fixed.payload_crc = place(&fixed).crc(body);
        let mut header = Vec::with_capacity(header_bytes);
        fixed.write(&mut header);
        put_hashes(&mut header, self.frontier.hashes());
        put_hashes(&mut header, self.previous_range.hashes());
        let header_crc = place(&fixed).crc(&header);
        header.extend_from_slice(&header_crc.to_be_bytes());
        place_of_header.copy_from_slice(&header);
        Some(EncodedFrame {
            memory: Arc::new(memory),
            begin,
            places,
            header_crc,
            payload_bytes: fixed.payload_bytes,
        })
    }
}
