//! What may stand in a lap: how far it goes, and which ids belong to it.

use crate::frame::FrameHead;
use crate::medium::ReadVolume;
use crate::ring::Ring;
use crate::segment::SegmentHead;
use crate::truth::Truth;

/// What may stand in a lap: how far it goes, and which ids belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) end_offset: u64,
    pub(super) end_known: bool,
    pub(super) id_end: u64,
    /// Whether `id_end` is where the very next lap began. A lap in which a write failed is left at once, so that
    /// the next one then begins before the frame that failed: all that ends up to here is of the log.
    pub(super) left_known: bool,
    /// From these epochs' first ids on, frames of older epochs are void.
    pub(super) epochs: [(u64, u64); 2],
}

impl Bound {
    pub(super) fn holds(&self, head: &FrameHead) -> bool {
        let end = head.fixed.self_offset.saturating_add(head.frame_bytes());
        let epoch = head.fixed.epoch.0;
        end <= self.end_offset
            && head.end() <= self.id_end
            && self
                .epochs
                .iter()
                .all(|(newer, first)| epoch >= *newer || head.end() <= *first)
    }

    /// Whether an epoch that nothing here knows may have begun before this frame, and passed it by.
    pub(super) fn may_be_void(&self, head: &FrameHead) -> bool {
        let [_, (next_known, _)] = self.epochs;
        let told = self.end_known || self.left_known;
        !told && next_known > head.fixed.epoch.0.saturating_add(1)
    }

    /// Whether the header of this lap is one of the log: not of an epoch that was passed by.
    pub(super) fn admits(&self, head: &SegmentHead) -> bool {
        let (epoch, size) = (head.fixed.epoch.0, head.fixed.first_commit_id.0);
        size <= self.id_end
            && self
                .epochs
                .iter()
                .all(|(newer, first)| epoch >= *newer || size <= *first)
    }
}

/// What may stand in a lap, from the truth store and the header of the next lap that has one.
pub(super) fn bound<V: ReadVolume>(ring: &Ring<V>, truth: &Truth, lap: u64) -> Bound {
    let fixed = &truth.fixed;
    let newest = (fixed.epoch.0, fixed.epoch_first_commit_id.0);
    let mut bound = Bound {
        end_offset: ring.shape.segment_bytes,
        end_known: false,
        id_end: fixed.size,
        left_known: false,
        epochs: [newest; 2],
    };
    if lap == fixed.lap {
        bound.end_offset = fixed.commit_offset;
        bound.end_known = true;
        return bound;
    }
    for next in lap.saturating_add(1)..=fixed.lap {
        let segment = ring.shape.segment_of(next);
        if let Ok(head) = ring.segment_head(segment)
            && head.fixed.lap == next
        {
            let head = &head.fixed;
            bound.id_end = bound.id_end.min(head.first_commit_id.0);
            bound.epochs = [newest, (head.epoch.0, head.epoch_first_commit_id.0)];
            if head.previous_lap == lap {
                bound.end_offset = head.previous_end;
                bound.end_known = true;
            } else if head.previous_lap < lap {
                // Nothing was committed in this lap.
                bound.end_offset = 0;
                bound.end_known = true;
            }
            return bound;
        }
        let start = ring.shape.first_frame_offset();
        if let Ok(head) = ring.head_at(segment, start)
            && head.fixed.lap == next
        {
            bound.id_end = bound.id_end.min(head.first());
            bound.left_known = next == lap.saturating_add(1);
            let head = &head.fixed;
            bound.epochs = [newest, (head.epoch.0, head.epoch_first_commit_id.0)];
            return bound;
        }
    }
    bound
}
