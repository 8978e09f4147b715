//! Frames whose headers are damaged and whose entries are not: found again from their neighbours.

use alloc::sync::Arc;
use alloc::vec::Vec;
use evidence::{CommitId, Generation, SaltKey};
use proof::tree::{Joins, compact_range_len};
use proof::{CompactRange, Frontier};

use super::bound::bound;
use super::{Anchor, Frame, Suspect, Walk};
use crate::bytes::to_usize;
use crate::frame::{
    EntryBytes, FrameHead, StoredEntry, header_bytes_of, leading_entry, payload_bytes_of,
    split_entries,
};
use crate::limits::{FRAME_BYTES_MAX, FRAME_ENTRIES_MAX, RANGE_HASHES_MAX, RESTORED_FRAMES_MAX};
use crate::medium::ReadVolume;
use crate::ring::Location;

/// Frames found one behind the other, and what is known behind the last of them.
pub(super) struct Run {
    pub(super) frames: Vec<Frame>,
    pub(super) tree: Frontier,
    /// Where the last of them begins, as an id.
    pub(super) previous_first: Option<u64>,
    /// The place behind the last of them.
    pub(super) behind: Location,
}

/// How the entries of a payload are told from what follows them.
#[derive(Clone, Copy)]
enum Extent<'a> {
    /// This many; their leaves have this range.
    Range(u32, &'a CompactRange),
    /// As long as they are sound, up to this id.
    Sound(u64),
}

impl<V: ReadVolume> Walk<'_, V> {
    /// Reads on from a damaged header as if frames followed one another without a gap. What was
    /// found counts only if the tree behind the hole proves it.
    pub(super) fn restore(
        &self,
        before: &Frontier,
        anchor: &Anchor<'_>,
        previous_first: Option<u64>,
        suspect: &Suspect,
        next: Option<&FrameHead>,
    ) -> Run {
        let start = || Run {
            frames: Vec::new(),
            tree: before.clone(),
            previous_first: None,
            behind: suspect.location,
        };
        let mut run = start();
        let range = anchor.previous_range;
        let newest = (!range.is_empty()).then_some(range.begin());
        let end = anchor.frontier.size();
        let Some(salt) = self.salt_of(suspect.location, next) else {
            return run;
        };
        let limit = match next {
            Some(head) if head.fixed.lap == suspect.location.lap => head.fixed.self_offset,
            _ => bound(self.ring, self.truth, suspect.location.lap).end_offset,
        };
        run.previous_first = previous_first;
        while run.tree.size() < end && run.frames.len() < RESTORED_FRAMES_MAX {
            let first = run.tree.size();
            let extent = match newest {
                Some(newest) if newest == first => {
                    let count = end.saturating_sub(first);
                    Extent::Range(u32::try_from(count).unwrap_or(u32::MAX), range)
                }
                Some(newest) if newest > first => Extent::Sound(newest),
                _ => Extent::Sound(end),
            };
            if self.find_next(&mut run, limit, &salt, extent).is_none() {
                break;
            }
        }
        let mut tree = run.tree.clone();
        let ends = Some(tree.size()) != newest || tree.append_range(range).is_ok();
        if run.frames.is_empty() || !ends || tree != *anchor.frontier {
            return start();
        }
        if run.behind.offset >= limit && run.behind.lap < self.truth.fixed.lap {
            run.behind = self.ring.lap_start(run.behind.lap.saturating_add(1));
        }
        run
    }

    /// The entries of the frame behind the run, whose header cannot be read; appends it.
    fn find_next(
        &self,
        run: &mut Run,
        limit: u64,
        salt: &SaltKey,
        extent: Extent<'_>,
    ) -> Option<()> {
        let (at, first) = (run.behind, run.tree.size());
        let len = to_usize(limit.checked_sub(at.offset)?).min(FRAME_BYTES_MAX);
        let bytes = self.ring.read_leading(at.segment, at.offset, len).ok()?;
        // A frame that lies a little behind its place looks like one with a longer header: whoever does not know what
        // was before it finds it so, and whoever does must not find less.
        let due = run
            .previous_first
            .map(|previous| compact_range_len(previous, first));
        let others = (0..=RANGE_HASHES_MAX).filter(|len| Some(*len) != due);
        let mut range_lens = due.into_iter().chain(others);
        let frontier_len = run.tree.hashes().len();
        let generation = self.ring.generation;
        let (header, entries) = range_lens.find_map(|range_len| {
            let header = header_bytes_of(frontier_len, range_len);
            let payload = bytes.get(header..)?;
            let entries = match extent {
                Extent::Range(count, range) => {
                    leading_entries(payload, salt, generation, first, count)
                        .filter(|entries| range_of(first, entries) == *range)
                }
                Extent::Sound(end) => sound_entries(payload, salt, generation, first, end),
            };
            Some((header, entries?))
        })?;
        let before = run.tree.clone();
        for entry in &entries {
            run.tree.push(entry.leaf_hash);
        }
        let payload = payload_bytes_of(entries.iter().map(|entry| entry.bytes.len()));
        let frame_bytes = self.ring.shape.blocks_up(header.saturating_add(payload));
        run.behind.offset = at.offset.saturating_add(frame_bytes as u64);
        run.previous_first = Some(first);
        run.frames.push(Frame {
            first,
            location: at,
            entries,
            frontier: before,
            joins: Joins::default(),
        });
        Some(())
    }

    /// The salt key of the segment in which the damage lies.
    fn salt_of(&self, at: Location, next: Option<&FrameHead>) -> Option<SaltKey> {
        if at.lap == self.at.lap && self.salt.is_some() {
            return self.salt;
        }
        if let Some(head) = next.filter(|head| head.fixed.lap == at.lap) {
            return Some(head.fixed.salt_key);
        }
        if at.lap == self.truth.fixed.lap {
            return Some(self.truth.fixed.salt_key);
        }
        let head = self.ring.segment_head(at.segment).ok()?;
        (head.fixed.lap == at.lap).then_some(head.fixed.salt_key)
    }
}

fn range_of(first: u64, entries: &[StoredEntry]) -> CompactRange {
    let mut range = CompactRange::empty(first);
    for entry in entries {
        range.push(entry.leaf_hash);
    }
    range
}

/// Splits the first `count` entries off; what follows them is padding.
fn leading_entries(
    bytes: &[u8],
    key: &SaltKey,
    generation: Generation,
    first: u64,
    count: u32,
) -> Option<Vec<StoredEntry>> {
    let mut end = 0usize;
    for _ in 0..count {
        let (len, _) = bytes.get(end..)?.split_first_chunk::<4>()?;
        end = end
            .checked_add(crate::layout::EntryFixed::BYTES)?
            .checked_add(u32::from_be_bytes(*len) as usize)?;
    }
    let payload = Arc::new(bytes.get(..end)?.to_vec());
    split_entries(&payload, 0..end, key, generation, first, count)
}

/// The entries at the front that are sound by themselves and have the right ids, at least one.
fn sound_entries(
    payload: &[u8],
    key: &SaltKey,
    generation: Generation,
    first: u64,
    end: u64,
) -> Option<Vec<StoredEntry>> {
    let mut rest = payload;
    let salts = key.salts();
    let mut entries = Vec::new();
    for id in (first..end).take(FRAME_ENTRIES_MAX) {
        let Some(bytes) = leading_entry(&mut rest, generation, id) else {
            break;
        };
        let bytes = EntryBytes::from(bytes.to_vec());
        entries.push(StoredEntry::new(&salts, generation, CommitId(id), bytes));
    }
    (!entries.is_empty()).then_some(entries)
}
