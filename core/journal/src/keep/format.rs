//! A keep frame as bytes, and back.

use alloc::vec::Vec;
use evidence::{CommitId, Generation, LogId};
use proof::{CompactRange, Frontier};

use super::stretch::{Part, Stretch};
use crate::bytes::{Place, put_hashes, split_crc, take_hashes, to_usize};
use crate::frame::StoredEntry;
use crate::layout::{CRC_BYTES, KEEP_MAGIC, KeepFixed, PartFixed, VERSION};
use crate::limits::{KEEP_FRAME_BYTES_MAX, KEEP_HEADER_BYTES_MAX};

/// Which ring, and where in it, a frame belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) log_id: LogId,
    pub(super) generation: Generation,
    pub(super) store: u8,
    pub(super) lap: u64,
    pub(super) segment: u32,
    pub(super) offset: u64,
}

/// A header that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeepHead {
    pub(super) fixed: KeepFixed,
    pub(super) before: Frontier,
    /// The hashes of the stretch before it; empty where that is not the neighbour.
    pub(super) previous: CompactRange,
}

/// Bytes of a piece in a frame.
pub(super) fn part_bytes(part: &Part) -> usize {
    let content = match part {
        Part::Kept(entry) => entry.bytes.len(),
        Part::LetGo(range) => range.hashes().len().saturating_mul(32),
    };
    PartFixed::BYTES.saturating_add(content)
}

/// The whole frame, padded to `block` bytes; `None` when it is larger than a frame may be.
pub(super) fn encode(
    home: &Home,
    stretch: &Stretch,
    previous: &CompactRange,
    block: usize,
) -> Option<Vec<u8>> {
    let (frontier, range) = (stretch.before().hashes(), previous.hashes());
    let header_bytes = header_bytes_of(frontier.len(), range.len());
    let payload_bytes = stretch.bytes();
    let frame_bytes = header_bytes
        .checked_add(payload_bytes)?
        .next_multiple_of(block);
    if frame_bytes > KEEP_FRAME_BYTES_MAX {
        return None;
    }
    let mut payload = Vec::with_capacity(frame_bytes);
    for part in stretch.parts() {
        put_part(&mut payload, part)?;
    }
    payload.resize(frame_bytes.checked_sub(header_bytes)?, 0);
    let fixed = KeepFixed {
        magic: KEEP_MAGIC,
        version: VERSION,
        store: home.store,
        frontier_len: u8::try_from(frontier.len()).ok()?,
        log_id: home.log_id,
        generation: home.generation,
        lap: home.lap,
        segment_no: home.segment,
        previous_range_len: u8::try_from(range.len()).ok()?,
        reserved: [0; 3],
        self_offset: home.offset,
        first_commit_id: CommitId(stretch.begin()),
        end_commit_id: CommitId(stretch.end()),
        previous_first_commit_id: CommitId(previous.begin()),
        kept: stretch.kept(),
        header_bytes: u32::try_from(header_bytes).ok()?,
        payload_bytes: u32::try_from(payload_bytes).ok()?,
        frame_bytes: u32::try_from(frame_bytes).ok()?,
        payload_crc: home.place().crc(&payload),
        reserved_2: [0; 4],
    };
    let mut bytes = Vec::with_capacity(frame_bytes);
    fixed.write(&mut bytes);
    put_hashes(&mut bytes, frontier);
    put_hashes(&mut bytes, range);
    let crc = home.place().crc(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes.append(&mut payload);
    Some(bytes)
}

fn put_part(out: &mut Vec<u8>, part: &Part) -> Option<()> {
    match part {
        Part::Kept(entry) => {
            PartFixed {
                kept: 1,
                hashes: 0,
                reserved: [0; 2],
                entry_bytes: u32::try_from(entry.bytes.len()).ok()?,
                count: 1,
                salt: entry.salt,
            }
            .write(out);
            out.extend_from_slice(&entry.bytes);
        }
        Part::LetGo(range) => {
            PartFixed {
                kept: 0,
                hashes: u8::try_from(range.hashes().len()).ok()?,
                reserved: [0; 2],
                entry_bytes: 0,
                count: range.end().checked_sub(range.begin())?,
                salt: [0; 16],
            }
            .write(out);
            put_hashes(out, range.hashes());
        }
    }
    Some(())
}

const fn header_bytes_of(frontier: usize, range: usize) -> usize {
    KeepFixed::BYTES + (frontier + range) * 32 + CRC_BYTES
}

impl Home {
    /// What both checks of a frame are seeded with.
    const fn place(&self) -> Place {
        Place {
            log_id: self.log_id,
            segment: self.segment,
            lap: self.lap,
            offset: self.offset,
        }
    }
}

impl KeepHead {
    /// The header at the front of `bytes`, if it is sound and of this ring and place; any lap will do.
    pub(super) fn parse(bytes: &[u8], home: &Home) -> Option<Self> {
        let fixed = KeepFixed::read(&mut &*bytes)?;
        let own = Home {
            lap: fixed.lap,
            ..*home
        };
        let lens = (
            usize::from(fixed.frontier_len),
            usize::from(fixed.previous_range_len),
        );
        let header_bytes = fixed.header_bytes as usize;
        let parts = header_bytes.checked_add(fixed.payload_bytes as usize)?;
        if fixed.magic != KEEP_MAGIC
            || fixed.version != VERSION
            || (fixed.log_id, fixed.generation, fixed.store)
                != (home.log_id, home.generation, home.store)
            || (fixed.segment_no, fixed.self_offset) != (home.segment, home.offset)
            || header_bytes != header_bytes_of(lens.0, lens.1)
            || header_bytes > KEEP_HEADER_BYTES_MAX
            || parts > fixed.frame_bytes as usize
            || fixed.frame_bytes as usize > KEEP_FRAME_BYTES_MAX
            || fixed.lap == 0
        {
            return None;
        }
        let (body, crc) = split_crc(bytes.get(..header_bytes)?)?;
        if own.place().crc(body) != crc {
            return None;
        }
        let mut rest = body.get(KeepFixed::BYTES..)?;
        let frontier = take_hashes(&mut rest, lens.0)?;
        let range = take_hashes(&mut rest, lens.1)?;
        let (previous, first) = (fixed.previous_first_commit_id.0, fixed.first_commit_id.0);
        Some(Self {
            before: Frontier::from_parts(first, frontier).ok()?,
            previous: CompactRange::from_parts(previous, first, range).ok()?,
            fixed,
        })
    }

    /// The stretch in the frame, if its check holds and its pieces cover it.
    pub(super) fn stretch(&self, frame: &[u8]) -> Option<Stretch> {
        let fixed = &self.fixed;
        let body = frame.get(fixed.header_bytes as usize..)?;
        let home = Home {
            log_id: fixed.log_id,
            generation: fixed.generation,
            store: fixed.store,
            lap: fixed.lap,
            segment: fixed.segment_no,
            offset: fixed.self_offset,
        };
        if home.place().crc(body) != fixed.payload_crc {
            return None;
        }
        let mut rest = body.get(..fixed.payload_bytes as usize)?;
        let mut stretch = Stretch::behind(self.before.clone());
        while !rest.is_empty() {
            take_part(&mut rest, fixed.generation, &mut stretch)?;
        }
        let whole = (stretch.end(), stretch.kept()) == (fixed.end_commit_id.0, fixed.kept);
        whole.then_some(stretch)
    }
}

fn take_part(rest: &mut &[u8], generation: Generation, stretch: &mut Stretch) -> Option<()> {
    let fixed = PartFixed::read(rest)?;
    let begin = stretch.end();
    if fixed.kept == 1 {
        let (bytes, after) = rest.split_at_checked(to_usize(fixed.entry_bytes.into()))?;
        *rest = after;
        let id = CommitId(begin);
        stretch.push(
            StoredEntry::salted(fixed.salt, generation, id, bytes.to_vec().into()),
            true,
        );
    } else {
        let hashes = take_hashes(rest, usize::from(fixed.hashes))?;
        let end = begin.checked_add(fixed.count)?;
        stretch.push_range(&CompactRange::from_parts(begin, end, hashes).ok()?);
    }
    (stretch.end() == begin.checked_add(fixed.count)?).then_some(())
}
