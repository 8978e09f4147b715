//! Holes: what is known of the frames that cannot be read, and what is lost with them.

use alloc::vec::Vec;
use evidence::CommitId;
use evidence::reasons::LossCause;
use proof::tree::compact_range;
use proof::{CompactRange, Frontier, Hash};

use super::{Frame, Step, Walk};
use crate::find::{Finding, Loss};
use crate::frame::FrameHead;
use crate::medium::ReadVolume;
use crate::ring::Location;

/// What the frame (or the truth store) behind a hole says of what was before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor<'a> {
    pub(crate) frontier: &'a Frontier,
    pub(crate) previous_range: &'a CompactRange,
}

/// Where the damage before a hole's end begins, and of what kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) location: Location,
    pub(crate) cause: LossCause,
}

/// Where a frame ends whose header is sound and whose payload is not: a border inside a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) size: u64,
    pub(crate) location: Location,
}

impl Cut {
    pub(crate) fn behind(head: &FrameHead) -> Self {
        let fixed = &head.fixed;
        Self {
            size: head.end(),
            location: Location {
                lap: fixed.lap,
                segment: fixed.segment_no,
                offset: fixed.self_offset.saturating_add(head.frame_bytes()),
            },
        }
    }
}

impl<V: ReadVolume> Walk<'_, V> {
    /// Accounts for the entries from `expected` to where the anchor begins.
    pub(super) fn close_hole(&mut self, anchor: &Anchor<'_>, next: Option<&FrameHead>) {
        let end = anchor.frontier.size();
        let range = anchor.previous_range;
        let suspect = self.suspect.take().or(self.tentative.take());
        let mut suspect = suspect.unwrap_or(Suspect {
            location: self.at,
            cause: self.lap_cause,
        });
        let cut = self.cut.take();
        let previous_first = self.previous_first.take();
        if end > self.skip_to {
            let mut before = self.tree_here();
            let mut restored_first = None;
            if cut.is_none()
                && let Some(tree) = &before
            {
                let run = self.restore(tree, anchor, previous_first, &suspect, next);
                suspect.location = run.behind;
                self.expected = run.tree.size();
                restored_first = run.frames.last().map(|frame| frame.first);
                before = Some(run.tree);
                self.give_restored(run.frames);
            }
            if self.expected < end {
                self.give_lost(before, anchor, cut, &suspect);
            } else {
                self.previous_first = restored_first;
            }
        }
        if !range.is_empty() {
            self.previous_first = Some(range.begin());
        }
        self.expected = end;
        self.frontier = Some(anchor.frontier.clone());
        self.previous = None;
    }

    fn give_restored(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            let end = frame.first.saturating_add(frame.entries.len() as u64);
            if end > self.skip_to {
                if !self.is_sound(&frame) {
                    self.queue.push_back(Step::Finding(Finding::FrameRestored {
                        first: CommitId(frame.first),
                        count: frame.entries.len() as u64,
                        segment: frame.location.segment,
                        offset: frame.location.offset,
                    }));
                }
                self.queue.push_back(Step::Frame(frame));
            }
        }
    }

    /// Whether nothing was wrong with a frame but that an epoch might have passed it by: the tree tells that none did.
    fn is_sound(&self, frame: &Frame) -> bool {
        let at = frame.location;
        let head = self.ring.head_at(at.segment, at.offset);
        head.is_ok_and(|head| {
            head.fixed.lap == at.lap
                && head.first() == frame.first
                && (self.ring.frame(&head)).is_ok_and(|bytes| head.payload_holds(&bytes))
        })
    }

    fn give_lost(
        &mut self,
        before: Option<Frontier>,
        anchor: &Anchor<'_>,
        cut: Option<Cut>,
        suspect: &Suspect,
    ) {
        let losses = losses(self.expected, before.as_ref(), anchor, cut, suspect);
        let mut tree = before;
        for loss in losses {
            tree = tree.or_else(|| tree_shown(loss.first.0, anchor.frontier));
            let after = tree.clone().and_then(|mut tree| {
                tree.append_range(&loss.range()?).ok()?;
                Some(tree)
            });
            if loss.end() > self.skip_to {
                self.queue.push_back(Step::Lost(loss, tree));
            }
            tree = after;
        }
    }

    /// The tree at `expected`; behind a frame that was passed over, from that frame.
    fn tree_here(&self) -> Option<Frontier> {
        if self.frontier.is_some() {
            return self.frontier.clone();
        }
        let at = self.previous?;
        let head = self.ring.head_at(at.segment, at.offset).ok()?;
        let bytes = self.ring.frame(&head).ok()?;
        let tree = head.proven(&bytes)?.after;
        (head.fixed.lap == at.lap && tree.size() == self.expected).then_some(tree)
    }
}

/// The losses between `first` and the anchor, cut where two frames met: a checkpoint may be sealed
/// there, and no proof can be built from a size inside a loss.
///
/// The frame right before the anchor is known by its range; what lies before that only where the
/// anchor's tree still shows its subtrees. A cut that would cost hashes is not made: without them no
/// proof could cross the hole at all.
pub(crate) fn losses(
    first: u64,
    before: Option<&Frontier>,
    anchor: &Anchor<'_>,
    cut: Option<Cut>,
    suspect: &Suspect,
) -> Vec<Loss> {
    let end = anchor.frontier.size();
    let range = anchor.previous_range;
    let inside = |size: &u64| (first.saturating_add(1)..end).contains(size);
    let newest = (!range.is_empty()).then_some(range.begin()).filter(inside);
    let cut = cut.filter(|cut| inside(&cut.size));
    let cut_size = cut.map(|cut| cut.size);
    let cut_size = cut_size.filter(|cut| newest.is_none_or(|newest| *cut < newest));
    let hashes = |from: u64, to: u64| {
        if (from, to) == (range.begin(), range.end()) {
            Some(range.hashes().to_vec())
        } else {
            shown(from, to, anchor.frontier)
        }
    };
    let loss = |(from, to): (u64, u64)| {
        let location = cut
            .filter(|cut| from >= cut.size)
            .map_or(suspect.location, |cut| cut.location);
        Loss {
            first: CommitId(from),
            count: to.saturating_sub(from),
            cause: suspect.cause,
            hashes: hashes(from, to),
            segment: location.segment,
            offset: location.offset,
        }
    };
    let along = |cuts: [Option<u64>; 2]| -> Vec<Loss> {
        let ends = cuts.into_iter().flatten().chain([end]);
        let mut from = first;
        ends.map(|to| loss((core::mem::replace(&mut from, to), to)))
            .filter(|loss| loss.count > 0)
            .collect()
    };
    let ways = [
        [cut_size, newest],
        [None, newest],
        [cut_size, None],
        [None, None],
    ];
    let whole = |losses: &Vec<Loss>| losses.iter().all(|loss| loss.hashes.is_some());
    let mut losses = ways
        .into_iter()
        .map(along)
        .find(whole)
        .unwrap_or_else(|| along([cut_size, newest]));
    // With the tree before the hole known, the hashes must lead to the tree behind it.
    if let Some(before) = before {
        let mut tree = before.clone();
        let appended = losses.iter().all(|loss| {
            loss.range()
                .is_some_and(|range| tree.append_range(&range).is_ok())
        });
        if appended && tree != *anchor.frontier {
            for loss in &mut losses {
                loss.hashes = None;
            }
        }
    }
    losses
}

/// The hashes of a range whose every subtree is still a part of its own in the tree.
fn shown(begin: u64, end: u64, frontier: &Frontier) -> Option<Vec<Hash>> {
    compact_range(begin, end)
        .map(|part| {
            frontier
                .as_range()
                .subtrees()
                .find(|(shown, _)| *shown == part)
                .map(|(_, hash)| hash)
        })
        .collect()
}

/// An earlier tree, if a later one still shows all its subtrees.
fn tree_shown(size: u64, later: &Frontier) -> Option<Frontier> {
    Frontier::from_parts(size, shown(0, size, later)?).ok()
}
