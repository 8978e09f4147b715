//! What a damage touched, structure by structure: from that follows what the journal must say, what it
//! may say, and what would be false.

use std::collections::BTreeSet;

use journal::TruthHealth;
use journal::limits::{
    SEGMENT_HEADER_BYTES, TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS,
};

use super::damage::{Area, Damaged};
use super::golden::{FrameAt, Golden, History, SHAPE};
use crate::media::{slot_at, table_at};
use evidence::reasons::TruthClass;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    None,
    /// Header, entry checks or padding: what is missing can be told from its neighbours.
    Around,
    /// An entry or its length: nobody else has it.
    Entries,
}

/// What became of a copy in the truth store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyState {
    Whole,
    /// Whole, but another state of the log.
    Stale,
    Damaged,
}

/// What must follow from a damage.
#[derive(Clone, Debug)]
pub(super) struct Expect {
    pub(super) frames: Vec<Harm>,
    /// Laps whose header is damaged.
    pub(super) headers: BTreeSet<u64>,
    /// Segments that lie whole in the place of another, and not in their own: the place, and the segment.
    pub(super) displaced: Vec<(u32, u32)>,
    /// Slot by slot, copy by copy.
    pub(super) slots: Vec<CopyState>,
    pub(super) tables: Vec<CopyState>,
    /// One damage, in one place: what its neighbours can tell, they must.
    pub(super) single: bool,
    /// Epochs have begun since.
    pub(super) restarted: bool,
}

impl Expect {
    pub(super) fn of(golden: &Golden, damaged: &Damaged<'_>, single: bool) -> Self {
        let displaced = displaced(golden, damaged);
        let elsewhere = |segment: usize| displaced.iter().any(|one| one.1 as usize == segment);
        let frames = golden.frames.iter();
        let headers = golden.laps.iter().copied();
        Self {
            frames: frames
                .map(|frame| match elsewhere(frame.segment) {
                    true => Harm::None,
                    false => harm(golden, damaged, frame),
                })
                .collect(),
            headers: headers
                .filter(|lap| {
                    let segment = SHAPE.segment_of(*lap) as usize;
                    let area = Area::Segment(segment);
                    !elsewhere(segment) && damaged.changed(golden, area, &(0..SEGMENT_HEADER_BYTES))
                })
                .collect(),
            displaced,
            slots: slots(golden, damaged),
            tables: (0..TABLE_COPIES)
                .map(|copy| {
                    let at = table_at(copy);
                    match damaged.changed(golden, Area::Truth, &(at..at + TABLE_BYTES)) {
                        true => CopyState::Damaged,
                        false => CopyState::Whole,
                    }
                })
                .collect(),
            single,
            restarted: false,
        }
    }

    /// Whether anything was touched that says something about the log.
    pub(super) fn is_nothing(&self) -> bool {
        let whole = |copies: &[CopyState]| copies.iter().all(|copy| *copy == CopyState::Whole);
        self.frames.iter().all(|harm| *harm == Harm::None)
            && self.headers.is_empty()
            && self.displaced.is_empty()
            && whole(&self.slots)
            && whole(&self.tables)
    }

    fn copies(&self, slot: u32) -> &[CopyState] {
        let first = (slot * TRUTH_COPIES) as usize;
        &self.slots[first..first + TRUTH_COPIES as usize]
    }

    /// Whether no copy of a slot is what it was.
    pub(super) fn slot_changed(&self, slot: u32) -> bool {
        !self.copies(slot).contains(&CopyState::Whole)
    }

    /// Whether some slot has no valid copy.
    pub(super) fn slot_lost(&self) -> bool {
        (0..TRUTH_SLOTS).any(|slot| {
            let copies = self.copies(slot);
            copies.iter().all(|copy| *copy == CopyState::Damaged)
        })
    }

    /// Whether the truth store itself is lost.
    pub(super) fn truth_lost(&self) -> bool {
        self.slots.iter().all(|copy| *copy == CopyState::Damaged)
    }

    pub(super) fn any_stale(&self) -> bool {
        self.slots.contains(&CopyState::Stale)
    }

    pub(super) fn tables_lost(&self) -> bool {
        !self.tables.contains(&CopyState::Whole)
    }

    pub(super) fn health(&self) -> TruthHealth {
        if self.truth_lost() {
            TruthHealth::Lost
        } else if self.slot_lost() {
            TruthHealth::SlotLost
        } else if self.slots.contains(&CopyState::Damaged) {
            TruthHealth::Degraded
        } else {
            TruthHealth::Sound
        }
    }

    /// Whether a frame is the last of its lap that can be read, and neither the header nor the first
    /// frame of the next lap is left: then nothing tells it from a frame whose write was refused, and that a newer epoch passed by.
    pub(super) fn last_epoch_unknown(&self, golden: &Golden, at: usize) -> bool {
        let lap = golden.frames[at].lap;
        let mut behind = golden.frames.iter().zip(&self.frames).skip(at + 1);
        let places = golden.frames.iter().zip(&self.frames);
        let mut next = places.skip_while(|(frame, _)| frame.lap <= lap);
        (golden.history == History::Scarred || self.restarted)
            && golden.laps.last() != Some(&lap)
            && behind.all(|(frame, harm)| frame.lap != lap || *harm != Harm::None)
            && self.headers.contains(&(lap + 1))
            && next.next().is_none_or(|(_, harm)| *harm != Harm::None)
    }

    /// Whether nothing is left that tells of the epoch which passed the refused write by.
    pub(super) fn epochs_lost(&self, golden: &Golden) -> bool {
        let newest = golden.laps.last();
        self.truth_lost() && newest.is_some_and(|lap| self.headers.contains(lap))
    }

    /// Whether the end of the log may be said to be uncertain.
    pub(super) fn may_doubt(&self, golden: &Golden) -> bool {
        let deferred = golden.class == TruthClass::SameDeviceDeferred;
        (deferred && golden.history != History::Orderly)
            || self.slot_lost()
            || self.slot_changed(golden.newest_slot)
    }
}

/// Nothing of the newest lap may be left in a segment's own place; of two copies the one in the last place is read.
fn displaced(golden: &Golden, damaged: &Damaged<'_>) -> Vec<(u32, u32)> {
    let segments = || 0..SHAPE.segments;
    let whole = 0..usize::try_from(SHAPE.segment_bytes).unwrap_or(usize::MAX);
    let gone = |segment: u32| {
        let area = Area::Segment(segment as usize);
        let mut frames = golden.frames.iter();
        damaged.changed(golden, area, &(0..SEGMENT_HEADER_BYTES))
            && frames.all(|frame| {
                frame.segment != segment as usize || damaged.changed(golden, area, &frame.bytes)
            })
    };
    let holder = |segment: u32| {
        let bytes = Area::Segment(segment as usize).bytes(golden);
        let others = segments().filter(|place| *place != segment);
        others
            .filter(|place| damaged.holds(Area::Segment(*place as usize), &whole, bytes))
            .max()
    };
    let lost = segments().filter(|segment| gone(*segment));
    lost.filter_map(|segment| Some((holder(segment)?, segment)))
        .collect()
}

fn harm(golden: &Golden, damaged: &Damaged<'_>, frame: &FrameAt) -> Harm {
    let area = Area::Segment(frame.segment);
    let changed = |range| damaged.changed(golden, area, range);
    if !changed(&frame.bytes) {
        Harm::None
    } else if frame.entries.iter().any(changed) {
        Harm::Entries
    } else {
        Harm::Around
    }
}

fn slots(golden: &Golden, damaged: &Damaged<'_>) -> Vec<CopyState> {
    let places = (0..TRUTH_SLOTS).flat_map(|slot| (0..TRUTH_COPIES).map(move |copy| (slot, copy)));
    places
        .map(|(slot, copy)| {
            let at = slot_at(slot, copy);
            let range = at..at + TRUTH_SLOT_BYTES;
            if !damaged.changed(golden, Area::Truth, &range) {
                return CopyState::Whole;
            }
            let known = golden.truths.iter().any(|truth| {
                truth.chunks(TRUTH_SLOT_BYTES).any(|once| {
                    damaged.holds(Area::Truth, &range, once) && once.iter().any(|byte| *byte != 0)
                })
            });
            match known {
                true => CopyState::Stale,
                false => CopyState::Damaged,
            }
        })
        .collect()
}
