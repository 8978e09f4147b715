//! A log without a truth store: its end is found from the ring alone.

use evidence::{BootId, CommitId, Epoch, SaltKey};
use proof::CompactRange;

use super::lap_first;
use crate::frame::FrameHead;
use crate::layout::{SegmentFixed, TRUTH_MAGIC, TruthFixed, VERSION};
use crate::medium::ReadVolume;
use crate::ring::Ring;
use crate::segment::SegmentHead;
use crate::truth::Truth;

/// A place where a log without a truth store may end.
struct ScanEnd {
    epoch: u64,
    end: u64,
    truth: Truth,
}

/// Finds the end of the log from the ring alone: the newest place whose tree is proven.
pub(crate) fn scan<V: ReadVolume>(ring: &Ring<V>) -> Option<Truth> {
    let mut best: Option<ScanEnd> = None;
    let mut newest_lap = 0;
    let mut consider = |end: ScanEnd| {
        newest_lap = newest_lap.max(end.truth.fixed.lap);
        let better = best.as_ref().is_none_or(|best| {
            (end.epoch, end.end, end.truth.fixed.lap) > (best.epoch, best.end, best.truth.fixed.lap)
        });
        if better {
            best = Some(end);
        }
    };
    for segment in 0..ring.shape.segments {
        if let Ok(head) = ring.segment_head(segment) {
            consider(end_at_segment(ring, &head));
        }
        let mut from = ring.shape.first_frame_offset();
        while let Some(head) = ring.search(segment, from, ring.shape.segment_bytes, &|head| {
            ring.shape.segment_of(head.fixed.lap) == segment
        }) {
            let step = match end_at_frame(ring, &head) {
                Some(end) => {
                    consider(end);
                    head.frame_bytes()
                }
                None => u64::from(ring.shape.block_bytes),
            };
            from = head.fixed.self_offset.saturating_add(step.max(1));
        }
    }
    let mut truth = best?.truth;
    let segments = u64::from(ring.shape.segments);
    let floor = newest_lap.saturating_sub(segments.saturating_sub(1)).max(1);
    let oldest =
        (floor..=truth.fixed.lap).find_map(|lap| lap_first(ring, lap).map(|first| (lap, first)));
    let (lap, first) = if floor == 1 {
        (1, 0)
    } else {
        oldest.unwrap_or((truth.fixed.lap, truth.fixed.newest_first_commit_id.0))
    };
    truth.fixed.oldest_lap = lap;
    truth.fixed.oldest_commit_id = CommitId(first);
    Some(truth)
}

/// Where the newest lap began, if that lies past the end of this state of the log: entries were
/// committed that it does not know of.
pub(crate) fn outrun(newest: Option<&SegmentFixed>, truth: &Truth) -> Option<u64> {
    let fixed = &truth.fixed;
    newest
        .filter(|head| head.lap > fixed.lap && head.epoch.0 >= fixed.epoch.0)
        .map(|head| head.first_commit_id.0)
        .filter(|first| *first > fixed.size)
}

/// The truth store as it stood right after a segment was opened.
fn end_at_segment<V: ReadVolume>(ring: &Ring<V>, head: &SegmentHead) -> ScanEnd {
    let mut fixed = blank_truth(ring);
    fixed.epoch = head.fixed.epoch;
    fixed.epoch_first_commit_id = head.fixed.epoch_first_commit_id;
    fixed.lap = head.fixed.lap;
    fixed.commit_offset = ring.shape.first_frame_offset();
    fixed.newest_lap = head.fixed.previous_lap;
    fixed.newest_end = head.fixed.previous_end;
    fixed.newest_frame_crc = head.fixed.previous_frame_crc;
    fixed.salt_key = head.fixed.salt_key;
    let mut truth = Truth {
        fixed,
        frontier: head.frontier.clone(),
        newest_range: CompactRange::empty(head.frontier.size()),
    };
    truth.set_tree(
        head.frontier.clone(),
        CompactRange::empty(head.frontier.size()),
    );
    ScanEnd {
        epoch: head.fixed.epoch.0,
        end: head.frontier.size(),
        truth,
    }
}

/// The truth store as it stood right after a frame was committed, if its payload is whole.
fn end_at_frame<V: ReadVolume>(ring: &Ring<V>, head: &FrameHead) -> Option<ScanEnd> {
    let bytes = ring.frame(head).ok()?;
    let proven = head.proven(&bytes)?;
    let frontier = proven.after;
    let mut range = CompactRange::empty(head.first());
    for entry in proven.entries {
        range.push(entry.leaf_hash);
    }
    let mut fixed = blank_truth(ring);
    fixed.epoch = head.fixed.epoch;
    fixed.epoch_first_commit_id = head.fixed.epoch_first_commit_id;
    fixed.lap = head.fixed.lap;
    fixed.commit_offset = head.fixed.self_offset.saturating_add(head.frame_bytes());
    fixed.newest_lap = head.fixed.lap;
    fixed.newest_end = fixed.commit_offset;
    fixed.newest_frame_crc = head.header_crc;
    fixed.salt_key = head.fixed.salt_key;
    let mut truth = Truth {
        fixed,
        frontier: frontier.clone(),
        newest_range: range.clone(),
    };
    truth.set_tree(frontier, range);
    Some(ScanEnd {
        epoch: head.fixed.epoch.0,
        end: head.end(),
        truth,
    })
}

/// A truth store that knows the log's identity and measures, and nothing else.
pub(crate) fn blank_truth<V: ReadVolume>(ring: &Ring<V>) -> TruthFixed {
    TruthFixed {
        magic: TRUTH_MAGIC,
        version: VERSION,
        orderly: 0,
        frontier_len: 0,
        newest_range_len: 0,
        doubt: 0,
        reserved: [0; 2],
        log_id: ring.log_id,
        generation: ring.generation,
        epoch: Epoch(0),
        epoch_first_commit_id: CommitId(0),
        boot_id: BootId([0; 16]),
        counter: 0,
        lap: 1,
        segments: ring.shape.segments,
        block_bytes: ring.shape.block_bytes,
        segment_bytes: ring.shape.segment_bytes,
        commit_offset: ring.shape.first_frame_offset(),
        newest_lap: 0,
        newest_end: 0,
        newest_first_commit_id: CommitId(0),
        size: 0,
        root: proof::tree::empty_root(),
        sealed_size: 0,
        cosigned_size: 0,
        pruned_size: 0,
        oldest_lap: 1,
        oldest_commit_id: CommitId(0),
        newest_frame_crc: 0,
        firmware: 0,
        salt_key: SaltKey([0; 16]),
    }
}
