//! Reading a keep-ring: its frames in order, and what is damaged between them.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use proof::CompactRange;

use super::format::KeepHead;
use super::ring::KeepRing;
use super::stretch::Stretch;
use crate::bytes::to_usize;
use crate::layout::KEEP_MAGIC;
use crate::limits::{KEEP_HEADER_BYTES_MAX, KEEP_LAPS_MAX, STRETCH_BYTES};
use crate::medium::ReadVolume;

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) lap: u64,
    pub(super) segment: u32,
    pub(super) offset: u64,
    /// Where it ends.
    pub(super) behind: u64,
}

/// A keep frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepFrame {
    /// What it covers.
    pub stretch: Stretch,
    /// The segment of the keep-ring that holds it.
    pub segment: u32,
    /// Where in it, in bytes.
    pub offset: u64,
}

/// A stretch of which what was kept cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepFinding {
    /// First entry.
    pub first: u64,
    /// Index after the last.
    pub end: u64,
    /// Its hashes, where the frame behind it has them: proofs cross it then.
    pub range: Option<CompactRange>,
    /// Whether whoever wrote the frame behind it had nothing before that: it was passed over, or was gone by then.
    pub was_absent: bool,
}

impl<V: ReadVolume> KeepRing<V> {
    /// The frames, oldest first, with what is damaged between them.
    pub fn frames(&self) -> impl Iterator<Item = Result<KeepFrame, KeepFinding>> + '_ {
        let mut queue = VecDeque::new();
        let mut positions = positions(self).into_iter();
        let mut reached = None;
        // How far a sound header says that a frame went whose content is damaged.
        let mut claimed = None;
        core::iter::from_fn(move || {
            while queue.is_empty() {
                let Some(position) = positions.next() else {
                    let end = claimed.take()?;
                    let first = reached.unwrap_or(end);
                    return (first < end).then_some(Err(KeepFinding {
                        first,
                        end,
                        range: None,
                        was_absent: false,
                    }));
                };
                let Some((head, frame)) = self.frame_at(position) else {
                    continue;
                };
                let (first, end) = (head.fixed.first_commit_id.0, head.fixed.end_commit_id.0);
                let Some(stretch) = head.stretch(&frame) else {
                    reached.get_or_insert(first);
                    claimed = Some(end);
                    continue;
                };
                let at = reached.unwrap_or(first);
                queue.extend(missing(at, claimed, &head.previous).map(Err));
                (reached, claimed) = (Some(end), None);
                queue.push_back(Ok(KeepFrame {
                    stretch,
                    segment: position.segment,
                    offset: position.offset,
                }));
            }
            queue.pop_front()
        })
    }

    pub(super) fn frame_at(&self, position: Position) -> Option<(KeepHead, Vec<u8>)> {
        let len = to_usize(position.behind.checked_sub(position.offset)?);
        let mut bytes = vec![0; len];
        self.volume
            .read(position.segment, position.offset, &mut bytes)
            .ok()?;
        let home = self.home(position.lap, position.segment, position.offset);
        let head = KeepHead::parse(&bytes, &home)?;
        Some((head, bytes))
    }
}

/// What lies between `at` and the frame whose header brings the hashes of its neighbour; `claimed` is how far damaged
/// frames between them say that they went.
fn missing(
    at: u64,
    claimed: Option<u64>,
    previous: &CompactRange,
) -> impl Iterator<Item = KeepFinding> {
    let first = previous.end();
    // Hashes of a stretch that was read to its end, or of none, help nobody.
    let helps = previous.begin() >= at && !previous.is_empty();
    let known = match (helps, claimed) {
        (true, _) => previous.begin(),
        (false, Some(claimed)) if previous.is_empty() => claimed.clamp(at, first.max(at)),
        (false, None) if previous.is_empty() => at,
        (false, _) => first,
    };
    let without = KeepFinding {
        first: at,
        end: known,
        range: None,
        was_absent: false,
    };
    let behind = KeepFinding {
        first: known,
        end: first,
        range: helps.then(|| previous.clone()),
        was_absent: !helps,
    };
    [without, behind]
        .into_iter()
        .filter(|found| found.first < found.end)
}

/// Where frames lie, oldest first.
fn positions<V: ReadVolume>(ring: &KeepRing<V>) -> Vec<Position> {
    let segments = 0..ring.shape.segments;
    let mut all: Vec<Position> = segments
        .flat_map(|segment| ring.frames_in(segment).iter().copied())
        .collect();
    all.sort_by_key(|position| (position.lap, position.offset));
    all
}

/// The newest frame. A lap begins at the first byte of its segment, so the frames there tell which segment is
/// the newest. The one behind it is searched as well, and any that begins with something else than a frame: the
/// first frame of the newest may be damaged.
pub(super) fn newest<V: ReadVolume>(ring: &KeepRing<V>) -> Option<Position> {
    let segments = 0..ring.shape.segments;
    let firsts: Vec<Option<Position>> = segments
        .clone()
        .map(|segment| position_at(ring, segment, 0))
        .collect();
    let newest = firsts.iter().flatten().map(|first| first.lap).max();
    let near = newest.map_or([0; 2], |lap| {
        [lap, lap.saturating_add(1)].map(|lap| ring.shape.segment_of(lap))
    });
    let unclear = |segment: u32, first: &Option<Position>| {
        near.contains(&segment) || (first.is_none() && !is_blank(ring, segment))
    };
    segments
        .zip(&firsts)
        .filter(|(segment, first)| unclear(*segment, first))
        .filter_map(|(segment, _)| ring.frames_in(segment).last().copied())
        .max_by_key(|position| (position.lap, position.offset))
}

/// The segments in which frames may lie, that of the newest lap first. Those that begin with zeros come last: they are searched where nothing
/// else is left.
pub(super) fn newest_first<V: ReadVolume>(ring: &KeepRing<V>) -> Vec<u32> {
    let lap = |segment: u32| match position_at(ring, segment, 0) {
        Some(first) => first.lap,
        None if is_blank(ring, segment) => 0,
        None => (ring.frames_in(segment).last()).map_or(0, |position| position.lap),
    };
    let mut segments: Vec<(u64, u32)> = (0..ring.shape.segments)
        .map(|segment| (lap(segment), segment))
        .collect();
    segments.sort_unstable_by(|one, other| other.cmp(one));
    segments.into_iter().map(|(_, segment)| segment).collect()
}

/// Whether a segment begins with zeros, as one does in which nothing was kept yet.
fn is_blank<V: ReadVolume>(ring: &KeepRing<V>, segment: u32) -> bool {
    let bytes = leading(ring, segment, 0);
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0)
}

/// Where the frames of a segment lie that are of its newest lap, in order. A lap begins at the first byte of its segment: where
/// the frame there can be read, one of a later lap behind it was written by nobody.
pub(super) fn in_segment<V: ReadVolume>(ring: &KeepRing<V>, segment: u32) -> Vec<Position> {
    let mut found: Vec<Position> = Vec::new();
    let block = u64::from(ring.shape.block_bytes.max(1));
    let mut next = Some(0);
    while let Some(at) = next {
        let newest = found.last().map_or(0, |position| position.lap);
        let first = found.first().filter(|first| first.offset == 0);
        let laps = newest..=first.map_or(KEEP_LAPS_MAX, |first| first.lap);
        let position = position_at(ring, segment, at);
        match position.filter(|position| laps.contains(&position.lap)) {
            Some(position) => {
                found.retain(|older| older.lap == position.lap);
                // Mostly the next frame stands there.
                next = Some(position.behind).filter(|at| *at < ring.shape.segment_bytes);
                found.push(position);
            }
            None => next = next_magic(ring, segment, at.saturating_add(block)),
        }
    }
    found
}

/// The highest lap that any frame in a segment says, whoever wrote it: above it a writer begins the next.
pub(super) fn highest_lap<V: ReadVolume>(ring: &KeepRing<V>, segment: u32) -> u64 {
    let block = u64::from(ring.shape.block_bytes.max(1));
    let mut highest = 0;
    let mut at = 0;
    while at < ring.shape.segment_bytes {
        let left = to_usize(ring.shape.segment_bytes.saturating_sub(at));
        let mut bytes = vec![0; STRETCH_BYTES.min(left)];
        // Where a block of the stretch is bad, each is tried by itself.
        let is_read = ring.volume.read(segment, at, &mut bytes).is_ok();
        for chunk in bytes.chunks(to_usize(block)) {
            if !is_read || chunk.starts_with(&KEEP_MAGIC) {
                let lap = position_at(ring, segment, at).map_or(0, |position| position.lap);
                highest = highest.max(lap);
            }
            at = at.saturating_add(chunk.len() as u64);
        }
    }
    highest
}

/// The next block from `from` on that begins as a keep frame does, or that cannot be read.
fn next_magic<V: ReadVolume>(ring: &KeepRing<V>, segment: u32, from: u64) -> Option<u64> {
    let block = to_usize(u64::from(ring.shape.block_bytes.max(1)));
    let mut at = from;
    while at < ring.shape.segment_bytes {
        let left = to_usize(ring.shape.segment_bytes.saturating_sub(at));
        let mut bytes = vec![0; STRETCH_BYTES.min(left)];
        if ring.volume.read(segment, at, &mut bytes).is_err() {
            // One block of the stretch is bad, or all are: each is tried by itself.
            return Some(at);
        }
        let place = bytes
            .chunks(block)
            .position(|chunk| chunk.starts_with(&KEEP_MAGIC));
        if let Some(index) = place {
            return Some(at.saturating_add(block.saturating_mul(index) as u64));
        }
        at = at.saturating_add(bytes.len() as u64);
    }
    None
}

/// The bytes at a place within which a header ends, fewer where the medium fails behind a whole block: a
/// bad sector behind a header takes no frame that does not hold it.
fn leading<V: ReadVolume>(ring: &KeepRing<V>, segment: u32, offset: u64) -> Vec<u8> {
    let left = to_usize(ring.shape.segment_bytes.saturating_sub(offset));
    let mut bytes = vec![0; KEEP_HEADER_BYTES_MAX.min(left)];
    if ring.volume.read(segment, offset, &mut bytes).is_ok() {
        return bytes;
    }
    let block = to_usize(u64::from(ring.shape.block_bytes.max(1)));
    let mut good = 0usize;
    for part in bytes.chunks_mut(block) {
        let at = offset.saturating_add(good as u64);
        if ring.volume.read(segment, at, part).is_err() {
            break;
        }
        good = good.saturating_add(part.len());
    }
    bytes.truncate(good);
    bytes
}

fn position_at<V: ReadVolume>(ring: &KeepRing<V>, segment: u32, offset: u64) -> Option<Position> {
    let bytes = leading(ring, segment, offset);
    if !bytes.starts_with(&KEEP_MAGIC) {
        return None;
    }
    let head = KeepHead::parse(&bytes, &ring.home(0, segment, offset))?;
    let behind = offset.checked_add(u64::from(head.fixed.frame_bytes))?;
    let fits = behind <= ring.shape.segment_bytes
        && ring.shape.segment_of(head.fixed.lap) == segment
        && head.fixed.lap <= KEEP_LAPS_MAX;
    fits.then_some(Position {
        lap: head.fixed.lap,
        segment,
        offset,
        behind,
    })
}
