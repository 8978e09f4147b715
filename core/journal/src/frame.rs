//! A frame: one group commit, with the tree before it and the hashes of the frame before it.

mod draft;
mod entry_bytes;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use evidence::{
    CommitId, Entry, EntryError, Generation, Header, Kind, LogId, SaltKey, Salts, leaf_data,
};
use proof::tree::{Joins, compact_range_len, leaf_hash_of};
use proof::{CompactRange, Frontier, Hash};

use crate::bytes::{Place, split_crc, take_hashes, to_usize};
use crate::layout::{CRC_BYTES, EntryFixed, FRAME_MAGIC, FrameFixed, KIND_ENTRIES, VERSION};
use crate::limits::{FRAME_BYTES_MAX, FRAME_ENTRIES_MAX, FRAME_HEADER_BYTES_MAX};
use crate::medium::Shape;
pub(crate) use draft::{Draft, EncodedFrame, NewFrame};
pub use entry_bytes::EntryBytes;

/// A committed entry as it lies in its frame, with its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Generation of the log.
    pub generation: Generation,
    /// Index in the log.
    pub commit_id: CommitId,
    /// Salt of its leaf.
    pub salt: [u8; 16],
    /// The entry's bytes, as they go into batch, tile and bundle.
    pub bytes: EntryBytes,
    /// Hash of its leaf.
    pub leaf_hash: Hash,
}

impl StoredEntry {
    /// Salts and hashes the bytes of an entry.
    pub(crate) fn new(
        salts: &Salts,
        generation: Generation,
        commit_id: CommitId,
        bytes: EntryBytes,
    ) -> Self {
        let salt = salts.of(generation, commit_id);
        Self::salted(salt, generation, commit_id, bytes)
    }

    /// Hashes the bytes of an entry with the salt that it was given.
    pub(crate) fn salted(
        salt: [u8; 16],
        generation: Generation,
        commit_id: CommitId,
        bytes: EntryBytes,
    ) -> Self {
        Self {
            generation,
            commit_id,
            salt,
            leaf_hash: leaf_hash_of(&[&salt, &bytes]),
            bytes,
        }
    }

    /// What kind of entry it is, if its bytes begin as an entry's do.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Header::peek(&self.bytes).map(|header| header.kind)
    }

    /// `salt || entry bytes`: what the tree hashes and a batch carries.
    #[must_use]
    pub fn leaf_data(&self) -> Vec<u8> {
        leaf_data(&self.salt, &self.bytes)
    }

    /// The entry itself.
    ///
    /// # Errors
    /// [`EntryError`] when the bytes are not a sound entry of this version.
    pub fn entry(&self) -> Result<Entry, EntryError> {
        Entry::decode(&self.bytes)
    }
}

/// A frame header that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) fixed: FrameFixed,
    /// The tree before the frame.
    pub(crate) frontier: Frontier,
    /// The leaves of the frame before it.
    pub(crate) previous_range: CompactRange,
    pub(crate) header_crc: u32,
}

/// Why bytes are not the header of a frame that belongs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFault {
    /// No frame of this version begins here, or its header is damaged.
    Damaged,
    /// A sound header that was written for another log, segment or offset.
    Elsewhere,
}

/// What a frame at a place must say of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) log_id: LogId,
    pub(crate) generation: Generation,
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

impl FrameHead {
    pub(crate) fn first(&self) -> u64 {
        self.fixed.first_commit_id.0
    }

    pub(crate) fn end(&self) -> u64 {
        self.first().saturating_add(u64::from(self.fixed.count))
    }

    pub(crate) fn frame_bytes(&self) -> u64 {
        u64::from(self.fixed.frame_bytes)
    }

    /// Reads a header from the front of `bytes`.
    pub(crate) fn parse(bytes: &[u8], expected: &Expected) -> Result<Self, HeadFault> {
        if !bytes.starts_with(&FRAME_MAGIC) {
            return Err(HeadFault::Damaged);
        }
        let head = Self::parse_unplaced(bytes).ok_or(HeadFault::Damaged)?;
        let fixed = &head.fixed;
        if fixed.log_id == expected.log_id
            && fixed.generation == expected.generation
            && fixed.segment_no == expected.segment
            && fixed.self_offset == expected.offset
        {
            Ok(head)
        } else {
            Err(HeadFault::Elsewhere)
        }
    }

    fn parse_unplaced(bytes: &[u8]) -> Option<Self> {
        let fixed = FrameFixed::read(&mut &*bytes)?;
        let header_bytes = fixed.header_bytes as usize;
        let counted = header_bytes_of(
            usize::from(fixed.frontier_len),
            usize::from(fixed.previous_range_len),
        );
        let parts = header_bytes.checked_add(fixed.payload_bytes as usize)?;
        if fixed.version != VERSION
            || fixed.kind != KIND_ENTRIES
            || header_bytes != counted
            || header_bytes > FRAME_HEADER_BYTES_MAX
            || parts > fixed.frame_bytes as usize
            || fixed.frame_bytes as usize > FRAME_BYTES_MAX
            || fixed.count == 0
            || fixed.count as usize > FRAME_ENTRIES_MAX
        {
            return None;
        }
        let (body, header_crc) = split_crc(bytes.get(..header_bytes)?)?;
        if place(&fixed).crc(body) != header_crc {
            return None;
        }
        let mut rest = body.get(FrameFixed::BYTES..)?;
        let first = fixed.first_commit_id.0;
        let frontier = take_hashes(&mut rest, usize::from(fixed.frontier_len))?;
        let range = take_hashes(&mut rest, usize::from(fixed.previous_range_len))?;
        Some(Self {
            frontier: Frontier::from_parts(first, frontier).ok()?,
            previous_range: CompactRange::from_parts(
                fixed.previous_first_commit_id.0,
                first,
                range,
            )
            .ok()?,
            header_crc,
            fixed,
        })
    }

    /// Whether the check over payload and padding holds; `frame` is the whole frame.
    pub(crate) fn payload_holds(&self, frame: &[u8]) -> bool {
        frame
            .get(self.fixed.header_bytes as usize..)
            .is_some_and(|rest| place(&self.fixed).crc(rest) == self.fixed.payload_crc)
    }

    /// The entries of the frame, if their lengths fit and they lead to the frame's root. `frame` is the
    /// whole frame.
    pub(crate) fn proven(&self, frame: &Arc<Vec<u8>>) -> Option<Proven> {
        let start = self.fixed.header_bytes as usize;
        let end = start.checked_add(self.fixed.payload_bytes as usize)?;
        let entries = split_entries(
            frame,
            start..end,
            &self.fixed.salt_key,
            self.fixed.generation,
            self.first(),
            self.fixed.count,
        )?;
        let mut after = self.frontier.clone();
        let mut joins = Joins::with_room(entries.len());
        for entry in &entries {
            after.push_noting(entry.leaf_hash, &mut joins);
        }
        (after.root() == self.fixed.root_after).then_some(Proven {
            entries,
            after,
            joins,
        })
    }
}

/// The entries of a frame that lead to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) entries: Vec<StoredEntry>,
    /// The tree behind them.
    pub(crate) after: Frontier,
    /// What was joined on the way there.
    pub(crate) joins: Joins,
}

/// Splits a payload, which lies somewhere in `memory`, into `count` entries; `None` unless they fill it
/// exactly. Their CRCs are not looked at: whoever calls compares hashes.
pub(crate) fn split_entries(
    memory: &Arc<Vec<u8>>,
    payload: Range<usize>,
    key: &SaltKey,
    generation: Generation,
    first: u64,
    count: u32,
) -> Option<Vec<StoredEntry>> {
    let mut at = payload.start;
    let mut rest = memory.get(payload)?;
    let salts = key.salts();
    // Each has a fixed part at least, whatever the header says of their number.
    let most = rest.len() / EntryFixed::BYTES;
    let mut entries = Vec::with_capacity(most.min(count as usize));
    for id in first..first.checked_add(u64::from(count))? {
        let fixed = EntryFixed::read(&mut rest)?;
        let begin = at.checked_add(EntryFixed::BYTES)?;
        at = begin.checked_add(fixed.entry_bytes as usize)?;
        rest = rest.get(fixed.entry_bytes as usize..)?;
        let bytes = EntryBytes::within(memory, begin..at)?;
        entries.push(StoredEntry::new(&salts, generation, CommitId(id), bytes));
    }
    rest.is_empty().then_some(entries)
}

/// Takes an entry off the front, if it is sound by itself and has this id.
pub(crate) fn leading_entry<'a>(
    rest: &mut &'a [u8],
    generation: Generation,
    id: u64,
) -> Option<&'a [u8]> {
    let mut behind = *rest;
    let fixed = EntryFixed::read(&mut behind)?;
    let (bytes, behind) = behind.split_at_checked(fixed.entry_bytes as usize)?;
    let header = Entry::decode(bytes).ok()?.header;
    if crc32c::crc32c(bytes) != fixed.entry_crc
        || header.commit_id.0 != id
        || header.generation != generation
    {
        return None;
    }
    *rest = behind;
    Some(bytes)
}

/// Bytes of a frame's header part.
pub(crate) fn header_bytes_of(frontier_len: usize, previous_range_len: usize) -> usize {
    FrameFixed::BYTES
        .saturating_add(
            frontier_len
                .saturating_add(previous_range_len)
                .saturating_mul(32),
        )
        .saturating_add(CRC_BYTES)
}

/// Bytes of a payload of entries of these lengths.
pub(crate) fn payload_bytes_of(entry_bytes: impl Iterator<Item = usize>) -> usize {
    entry_bytes.fold(0, |sum, len| {
        sum.saturating_add(EntryFixed::BYTES).saturating_add(len)
    })
}

/// Bytes that a group of entries takes in a ring, padding included: entries of these lengths behind a
/// log of `size` entries, whose newest frame began with `newest_first`.
pub fn frame_bytes(
    shape: &Shape,
    size: u64,
    newest_first: u64,
    entry_bytes: impl IntoIterator<Item = usize>,
) -> usize {
    let frontier = compact_range_len(0, size);
    let range = compact_range_len(newest_first, size);
    let payload = payload_bytes_of(entry_bytes.into_iter());
    shape.blocks_up(header_bytes_of(frontier, range).saturating_add(payload))
}

/// The place that the header claims for itself; whether the claim is true is checked after the CRC.
fn place(fixed: &FrameFixed) -> Place {
    Place {
        log_id: fixed.log_id,
        segment: fixed.segment_no,
        lap: fixed.lap,
        offset: fixed.self_offset,
    }
}

/// How many entry bytes fit one frame of this ring, whatever its header holds.
pub(crate) fn payload_room(shape: &Shape) -> usize {
    let segment = to_usize(
        shape
            .segment_bytes
            .saturating_sub(shape.first_frame_offset()),
    );
    let frame = segment.min(FRAME_BYTES_MAX);
    let frame = frame.saturating_sub(frame % shape.block_bytes.max(1) as usize);
    frame.saturating_sub(FRAME_HEADER_BYTES_MAX)
}
