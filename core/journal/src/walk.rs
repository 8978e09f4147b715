//! The walk over the committed log, frame by frame, around whatever is damaged.
//!
//! Commit ids decide what is lost: between the last whole frame and the next whole frame, every id
//! that no frame accounts for is. The next frame (or the truth store, at the end) carries the
//! compact range of its predecessor, so a single lost frame never costs the tree anything.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use evidence::reasons::LossCause;
use evidence::{CommitId, Generation, SaltKey};
use proof::tree::{compact_range, compact_range_len};
use proof::{CompactRange, Frontier, Hash};

use crate::bytes::to_usize;
use crate::decide::{Decision, Inputs};
use crate::find::{Finding, Loss};
use crate::frame::{FrameHead, StoredEntry, header_bytes_of, split_entries};
use crate::limits::FRAME_BYTES_MAX;
use crate::medium::{MediumFault, ReadVolume};
use crate::ring::{HeadAt, Location, Ring, SegmentAt};
use crate::segment::SegmentFault;
use crate::truth::Truth;

/// A frame whose entries are proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u64,
    pub(crate) location: Location,
    pub(crate) entries: Vec<StoredEntry>,
    /// The tree before it.
    pub(crate) frontier: Frontier,
}

/// One step of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Frame(Frame),
    Finding(Finding),
}

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

/// What may stand in a lap: how far it goes, and which ids belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    end_offset: u64,
    end_known: bool,
    id_end: u64,
    /// From these epochs' first ids on, frames of older epochs are void.
    epochs: [(u64, u64); 2],
}

impl Bound {
    fn holds(&self, head: &FrameHead) -> bool {
        let end = head.fixed.self_offset.saturating_add(head.frame_bytes());
        let epoch = head.fixed.epoch.0;
        end <= self.end_offset
            && head.end() <= self.id_end
            && self
                .epochs
                .iter()
                .all(|(newer, first)| epoch >= *newer || head.end() <= *first)
    }
}

/// Walks the committed log.
#[derive(Debug)]
pub(crate) struct Walk<'r, V> {
    ring: &'r Ring<V>,
    truth: &'r Truth,
    at: Location,
    expected: u64,
    /// The tree at `expected`, where known.
    frontier: Option<Frontier>,
    /// First id of the frame that ends at `expected`, where known.
    previous_first: Option<u64>,
    salt: Option<SaltKey>,
    epoch: u64,
    bound: Bound,
    lap_cause: LossCause,
    header_finding: Option<Finding>,
    suspect: Option<Suspect>,
    /// Where damage may begin if it does not begin further on: the end of a lap that nothing bounds.
    tentative: Option<Suspect>,
    /// Entries below this id are passed over without reading their payload.
    skip_to: u64,
    queue: VecDeque<Step>,
    done: bool,
}

/// Where a walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) location: Location,
    /// The id of the entry that lies there.
    pub(crate) expected: u64,
    pub(crate) previous_first: Option<u64>,
}

impl<'r, V: ReadVolume> Walk<'r, V> {
    /// Walks from a place on; entries below `skip_to` are passed over.
    pub(crate) fn new(ring: &'r Ring<V>, truth: &'r Truth, start: Start, skip_to: u64) -> Self {
        let mut walk = Self {
            ring,
            truth,
            at: start.location,
            expected: start.expected,
            frontier: None,
            previous_first: start.previous_first,
            salt: None,
            epoch: 0,
            bound: Bound {
                end_offset: 0,
                end_known: true,
                id_end: 0,
                epochs: [(0, 0); 2],
            },
            lap_cause: LossCause::FrameDamaged,
            header_finding: None,
            suspect: None,
            tentative: None,
            skip_to,
            queue: VecDeque::new(),
            done: false,
        };
        walk.enter_lap(start.location.lap);
        if start.location.offset > walk.at.offset {
            walk.at = start.location;
            walk.header_finding = None;
        }
        walk
    }

    /// Where the walk stands: behind what it has yielded.
    pub(crate) fn position(&self) -> Start {
        Start {
            location: self.at,
            expected: self.expected,
            previous_first: self.previous_first,
        }
    }

    /// The tree at the walk's position, where known.
    pub(crate) fn frontier(&self) -> Option<&Frontier> {
        self.frontier.as_ref()
    }

    fn enter_lap(&mut self, lap: u64) {
        self.at = self.ring.lap_start(lap);
        self.salt = None;
        self.header_finding = None;
        self.lap_cause = LossCause::FrameDamaged;
        if lap > self.truth.fixed.lap {
            return;
        }
        self.bound = bound(self.ring, self.truth, lap);
        let damaged = Finding::SegmentHeaderDamaged {
            segment: self.at.segment,
            lap,
        };
        match self.ring.segment_head(self.at.segment) {
            Ok(head) if head.fixed.lap == lap => self.salt = Some(head.fixed.salt_key),
            Ok(_) | Err(SegmentAt::Fault(SegmentFault::Blank)) => {
                self.lap_cause = LossCause::SegmentMissing;
                self.header_finding = Some(damaged);
            }
            Err(SegmentAt::Medium(error)) => {
                if error.fault == MediumFault::Missing {
                    self.lap_cause = LossCause::SegmentMissing;
                }
                self.header_finding = Some(damaged);
            }
            Err(SegmentAt::Fault(_)) => self.header_finding = Some(damaged),
        }
    }

    fn advance(&mut self) {
        let end = self.truth.fixed.size;
        if self.expected >= end {
            self.done = true;
        } else if self.at.lap > self.truth.fixed.lap {
            let truth = self.truth;
            self.close_hole(
                &Anchor {
                    frontier: &truth.frontier,
                    previous_range: &truth.newest_range,
                },
                None,
            );
            self.done = true;
        } else if self.at.offset >= self.bound.end_offset {
            self.enter_lap(self.at.lap.saturating_add(1));
        } else if let Some(head) = self.next_head() {
            self.take(head);
        } else {
            let unbounded =
                |suspect: &Suspect| !self.bound.end_known && suspect.location == self.at;
            if self.suspect.as_ref().is_some_and(unbounded) {
                self.tentative = self.tentative.or(self.suspect.take());
            }
            self.enter_lap(self.at.lap.saturating_add(1));
        }
    }

    /// The frame at this place or, where that is damaged, the next one behind it in this lap.
    fn next_head(&mut self) -> Option<FrameHead> {
        let at = self.at;
        let (header, identity) = match self.ring.head_at(at.segment, at.offset) {
            Ok(head) if self.accepts(&head) => return Some(head),
            Ok(head) => (true, head.fixed.lap == at.lap),
            Err(HeadAt::Fault(crate::frame::HeadFault::Elsewhere)) => (true, false),
            Err(HeadAt::Fault(_) | HeadAt::Medium(_)) => (false, false),
        };
        let inputs = Inputs {
            readable: true,
            certain: true,
            below: true,
            header,
            identity,
            ..Inputs::default()
        };
        if inputs.decide() == Decision::Quarantine {
            self.note_suspect();
        }
        let next = at
            .offset
            .saturating_add(u64::from(self.ring.shape.block_bytes));
        self.ring
            .search(at.segment, next, self.bound.end_offset, &|head| {
                self.accepts(head)
            })
    }

    fn note_suspect(&mut self) {
        let suspect = Suspect {
            location: self.at,
            cause: self.lap_cause,
        };
        self.suspect.get_or_insert(suspect);
    }

    fn accepts(&self, head: &FrameHead) -> bool {
        let fixed = &head.fixed;
        fixed.lap == self.at.lap
            && head.first() >= self.expected
            && fixed.epoch.0 >= self.epoch
            && self.bound.holds(head)
            && self.salt.is_none_or(|salt| salt == fixed.salt_key)
            && (head.first() != self.expected
                || self
                    .frontier
                    .as_ref()
                    .is_none_or(|known| *known == head.frontier))
    }

    fn take(&mut self, head: FrameHead) {
        if let Some(finding) = self.header_finding.take() {
            self.queue.push_back(Step::Finding(finding));
        }
        if head.first() > self.expected {
            let anchor = Anchor {
                frontier: &head.frontier,
                previous_range: &head.previous_range,
            };
            self.close_hole(&anchor, Some(&head));
        }
        self.suspect = None;
        self.tentative = None;
        self.salt = Some(head.fixed.salt_key);
        self.epoch = head.fixed.epoch.0;
        self.expected = head.first();
        self.at.offset = head.fixed.self_offset;
        let behind = head.fixed.self_offset.saturating_add(head.frame_bytes());
        if head.end() <= self.skip_to {
            self.expected = head.end();
            self.frontier = None;
            self.previous_first = Some(head.first());
        } else {
            self.load(head);
        }
        self.at.offset = behind;
    }

    /// Reads the payload; where it is damaged the entries stay expected, and the next frame closes
    /// the hole.
    fn load(&mut self, head: FrameHead) {
        let bytes = self.ring.frame(&head).unwrap_or_default();
        let proven = head.proven_entries(&bytes);
        let inputs = Inputs {
            readable: true,
            certain: true,
            below: true,
            header: true,
            identity: true,
            chain: true,
            payload: proven.is_some(),
            later: false,
        };
        let (Decision::Keep, Some(entries)) = (inputs.decide(), proven) else {
            self.note_suspect();
            self.frontier = Some(head.frontier);
            return;
        };
        if !head.payload_holds(&bytes) {
            self.queue.push_back(Step::Finding(Finding::FrameRestored {
                first: head.fixed.first_commit_id,
                count: u64::from(head.fixed.count),
                segment: self.at.segment,
                offset: self.at.offset,
            }));
        }
        let (first, end) = (head.first(), head.end());
        self.yield_frame(first, head.frontier, entries);
        self.expected = end;
        self.previous_first = Some(first);
    }

    fn yield_frame(&mut self, first: u64, before: Frontier, entries: Vec<StoredEntry>) {
        let mut after = before.clone();
        for entry in &entries {
            after.push(entry.leaf_hash);
        }
        self.queue.push_back(Step::Frame(Frame {
            first,
            location: self.at,
            entries,
            frontier: before,
        }));
        self.frontier = Some(after);
    }

    /// Accounts for the entries from `expected` to where the anchor begins.
    fn close_hole(&mut self, anchor: &Anchor<'_>, next: Option<&FrameHead>) {
        let end = anchor.frontier.size();
        let suspect = self.suspect.take().or(self.tentative.take());
        let suspect = suspect.unwrap_or(Suspect {
            location: self.at,
            cause: self.lap_cause,
        });
        if end <= self.skip_to {
            self.previous_first = None;
        } else if let Some((finding, frame)) = self.restore(anchor, &suspect, next) {
            self.queue.push_back(Step::Finding(finding));
            self.queue.push_back(Step::Frame(frame));
            self.previous_first = Some(self.expected);
        } else {
            let losses = losses(self.expected, self.frontier.as_ref(), anchor, &suspect);
            for loss in losses.into_iter().filter(|loss| loss.end() > self.skip_to) {
                self.queue.push_back(Step::Finding(Finding::Lost(loss)));
            }
            self.previous_first = Some(anchor.previous_range.begin());
        }
        self.expected = end;
        self.frontier = Some(anchor.frontier.clone());
    }

    /// A frame whose header is damaged, rebuilt from its neighbours: the one before it says where
    /// the payload begins, the one behind it what its leaves must hash to.
    fn restore(
        &self,
        anchor: &Anchor<'_>,
        suspect: &Suspect,
        next: Option<&FrameHead>,
    ) -> Option<(Finding, Frame)> {
        let (first, end) = (self.expected, anchor.frontier.size());
        if anchor.previous_range.begin() != first {
            return None;
        }
        let before = self.frontier.clone()?;
        let previous_first = self.previous_first.unwrap_or(first);
        let header = header_bytes_of(
            before.hashes().len(),
            compact_range_len(previous_first, first),
        );
        let at = suspect.location;
        let limit = match next {
            Some(head) if head.fixed.lap == at.lap => head.fixed.self_offset,
            _ => bound(self.ring, self.truth, at.lap).end_offset,
        };
        let len = to_usize(limit.checked_sub(at.offset)?).min(FRAME_BYTES_MAX);
        let bytes = self.ring.read(at.segment, at.offset, len).ok()?;
        let salt = self.salt_of(at, next)?;
        let count = u32::try_from(end.checked_sub(first)?).ok()?;
        let entries = leading_entries(
            bytes.get(header..)?,
            &salt,
            self.ring.generation,
            first,
            count,
        )?;
        let mut range = CompactRange::empty(first);
        for entry in &entries {
            range.push(entry.leaf_hash);
        }
        if range != *anchor.previous_range {
            return None;
        }
        let finding = Finding::FrameRestored {
            first: CommitId(first),
            count: u64::from(count),
            segment: at.segment,
            offset: at.offset,
        };
        let frame = Frame {
            first,
            location: at,
            entries,
            frontier: before,
        };
        Some((finding, frame))
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

impl<V: ReadVolume> Iterator for Walk<'_, V> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.queue.pop_front() {
                return Some(step);
            }
            if self.done {
                return None;
            }
            self.advance();
        }
    }
}

/// What may stand in a lap, from the truth store and the header of the next lap that has one.
fn bound<V: ReadVolume>(ring: &Ring<V>, truth: &Truth, lap: u64) -> Bound {
    let fixed = &truth.fixed;
    let newest = (fixed.epoch.0, fixed.epoch_first_commit_id.0);
    let mut bound = Bound {
        end_offset: ring.shape.segment_bytes,
        end_known: false,
        id_end: fixed.size,
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
            let head = &head.fixed;
            bound.epochs = [newest, (head.epoch.0, head.epoch_first_commit_id.0)];
            return bound;
        }
    }
    bound
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
    split_entries(bytes.get(..end)?, key, generation, first, count)
}

/// The losses between `first` and the anchor: the frame right before the anchor is known by its
/// range; what lies before that only where the anchor's tree still shows its subtrees.
pub(crate) fn losses(
    first: u64,
    before: Option<&Frontier>,
    anchor: &Anchor<'_>,
    suspect: &Suspect,
) -> Vec<Loss> {
    let end = anchor.frontier.size();
    let range = anchor.previous_range;
    let loss = |from: u64, to: u64, hashes: Option<Vec<Hash>>| Loss {
        first: CommitId(from),
        count: to.saturating_sub(from),
        cause: suspect.cause,
        hashes,
        segment: suspect.location.segment,
        offset: suspect.location.offset,
    };
    let split = if range.is_empty() || range.begin() < first {
        end
    } else {
        range.begin()
    };
    let mut losses = Vec::new();
    if split > first {
        losses.push(loss(first, split, shown(first, split, anchor.frontier)));
    }
    if split < end {
        losses.push(loss(split, end, Some(range.hashes().to_vec())));
    }
    // With the tree before the hole known, the hashes must lead to the tree behind it.
    if let Some(before) = before {
        let mut tree = before.clone();
        let whole = losses.iter().all(|loss| {
            loss.range()
                .is_some_and(|range| tree.append_range(&range).is_ok())
        });
        if whole && tree != *anchor.frontier {
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
