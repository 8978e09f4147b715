//! The walk over the committed log, frame by frame, around whatever is damaged.
//!
//! Commit ids decide what is lost: between the last whole frame and the next whole frame, every id
//! that no frame accounts for is. The next frame (or the truth store, at the end) carries the
//! compact range of its predecessor, so a single lost frame never costs the tree anything.

mod ahead;
mod bound;
mod hole;
mod restore;
mod stretch;

pub(crate) use ahead::Ahead;
pub use ahead::{FrameAt, FrameReader, ReadAhead, ReadFrame};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bound::{Bound, bound};
use evidence::SaltKey;
use evidence::reasons::LossCause;
pub(crate) use hole::{Anchor, Cut, Suspect, losses};
use proof::tree::Joins;
use proof::{CompactRange, Frontier};
use stretch::Stretch;

use crate::decide::{Decision, Inputs};
use crate::find::{Finding, Loss};
use crate::frame::{FrameHead, Proven, StoredEntry};
use crate::medium::{MediumFault, ReadVolume};
use crate::ring::{Location, Ring, SegmentAt};
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
    /// What was joined on the way through it; not all, where it was found without its header.
    pub(crate) joins: Joins,
}

/// One step of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Frame(Frame),
    /// Entries that are gone, and the tree before them where that is known.
    Lost(Loss, Option<Frontier>),
    /// Whatever else is wrong.
    Finding(Finding),
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
    /// Where that frame lies, if its own header is sound.
    previous: Option<Location>,
    /// The tree that the header of this lap says it began with.
    lap_tree: Option<Frontier>,
    salt: Option<SaltKey>,
    epoch: u64,
    bound: Bound,
    lap_cause: LossCause,
    header_finding: Option<Finding>,
    suspect: Option<Suspect>,
    /// Where a frame with a sound header and a damaged payload ends.
    cut: Option<Cut>,
    /// Where damage may begin if it does not begin further on: the end of a lap that nothing bounds.
    tentative: Option<Suspect>,
    /// Entries below this id are passed over without reading their payload.
    skip_to: u64,
    queue: VecDeque<Step>,
    done: bool,
    /// Who may have read frames before the walk comes to them.
    ahead: Option<Ahead<'r>>,
    /// The frame at this place, if somebody did.
    read_ahead: Option<ReadFrame>,
    stretch: Stretch,
}

/// Where a walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) location: Location,
    /// The id of the entry that lies there.
    pub(crate) expected: u64,
    pub(crate) previous_first: Option<u64>,
    /// Where the frame before it lies, if that can be read.
    pub(crate) previous: Option<Location>,
}

impl Start {
    /// The beginning of a lap.
    pub(crate) fn of_lap<V: ReadVolume>(ring: &Ring<V>, lap: u64, first: u64) -> Self {
        Self {
            location: ring.lap_start(lap),
            expected: first,
            previous_first: None,
            previous: None,
        }
    }
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
            previous: start.previous,
            lap_tree: None,
            salt: None,
            epoch: 0,
            bound: Bound {
                end_offset: 0,
                end_known: true,
                id_end: 0,
                left_known: false,
                epochs: [(0, 0); 2],
            },
            lap_cause: LossCause::FrameDamaged,
            header_finding: None,
            suspect: None,
            cut: None,
            tentative: None,
            skip_to,
            queue: VecDeque::new(),
            done: false,
            ahead: None,
            read_ahead: None,
            stretch: Stretch::default(),
        };
        walk.enter_lap(start.location.lap);
        if start.location.offset > walk.at.offset {
            walk.at = start.location;
            walk.header_finding = None;
            walk.lap_tree = None;
        }
        walk
    }

    /// The same walk, which asks somebody for frames before it reads them itself.
    pub(crate) fn with_ahead(mut self, ahead: Ahead<'r>) -> Self {
        self.ahead = Some(ahead);
        self
    }

    /// Where the walk stands, if a walk from there would see what this one sees: right behind a
    /// frame that can be read.
    pub(crate) fn position(&self) -> Option<Start> {
        if self.suspect.is_some() || self.tentative.is_some() {
            return None;
        }
        Some(Start {
            location: self.at,
            expected: self.expected,
            previous_first: self.previous_first,
            previous: Some(self.previous?),
        })
    }

    /// The tree at the walk's position, where known.
    pub(crate) fn frontier(&self) -> Option<&Frontier> {
        self.frontier.as_ref()
    }

    fn enter_lap(&mut self, lap: u64) {
        self.at = self.ring.lap_start(lap);
        self.salt = None;
        self.lap_tree = None;
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
            Ok(head) if head.fixed.lap == lap => {
                self.salt = Some(head.fixed.salt_key);
                self.lap_tree = self.bound.admits(&head).then_some(head.frontier);
            }
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
        let tree = self.lap_tree.as_ref();
        if let Some(tree) = tree.filter(|tree| tree.size() == self.expected) {
            self.frontier.get_or_insert_with(|| tree.clone());
        }
    }

    /// The header of a lap says where its first frame begins: what is missing before that frame is
    /// accounted for even if it is damaged itself.
    fn close_at_lap_start(&mut self) {
        let tree = self.lap_tree.take();
        if let Some(tree) = tree.filter(|tree| tree.size() > self.expected) {
            let anchor = Anchor {
                frontier: &tree,
                previous_range: &CompactRange::empty(tree.size()),
            };
            self.close_hole(&anchor, None);
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
        self.read_ahead = self.ahead.as_ref().and_then(|ahead| ahead.0.frame(at));
        let found = match &self.read_ahead {
            Some(read) => Ok(read.head.clone()),
            None => self.stretch.head(self.ring, at, self.bound.end_offset),
        };
        if let Ok(head) = found
            && self.accepts(&head)
        {
            return Some(head);
        }
        if at == self.ring.lap_start(at.lap) {
            self.close_at_lap_start();
        }
        // Rows C, D and E alike: what covers a committed place and is not its frame is damage.
        let block = u64::from(self.ring.shape.block_bytes);
        self.note_suspect(block);
        let next = at.offset.saturating_add(block);
        self.ring
            .search(at.segment, next, self.bound.end_offset, &|head| {
                self.accepts(head)
            })
    }

    /// Notes that damage begins here, in a stretch of at least so many bytes.
    fn note_suspect(&mut self, bytes: u64) {
        let suspect = Suspect {
            location: self.at,
            cause: self.cause_of(bytes),
        };
        self.suspect.get_or_insert(suspect);
    }

    /// Behind the end of a file that was cut short there is nothing that could be damaged.
    fn cause_of(&self, bytes: u64) -> LossCause {
        let last = self.ring.shape.segment_bytes.saturating_sub(1);
        let behind = self.at.offset.saturating_add(bytes).min(last);
        match self.ring.read(self.at.segment, behind, 1) {
            Err(error) if error.fault == MediumFault::Missing => LossCause::SegmentMissing,
            _ => self.lap_cause,
        }
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
        self.cut = None;
        self.tentative = None;
        self.salt = Some(head.fixed.salt_key);
        self.epoch = head.fixed.epoch.0;
        self.expected = head.first();
        self.at.offset = head.fixed.self_offset;
        let behind = head.fixed.self_offset.saturating_add(head.frame_bytes());
        // Where nothing says how the lap ends, a frame that a newer epoch passed by looks like one of
        // the log: its payload must prove it.
        if head.end() <= self.skip_to && self.bound.end_known {
            self.expected = head.end();
            self.frontier = None;
            self.previous_first = Some(head.first());
            self.previous = Some(self.at);
        } else {
            self.load(head);
        }
        self.at.offset = behind;
    }

    /// Reads the payload; where it is damaged the entries stay expected, and the next frame closes
    /// the hole.
    fn load(&mut self, head: FrameHead) {
        let ReadFrame {
            head,
            proven,
            holds,
        } = self.read(head);
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
        let (Decision::Keep, Some(proven)) = (inputs.decide(), proven) else {
            self.note_suspect(head.frame_bytes().saturating_sub(1));
            self.cut = Some(Cut::behind(&head));
            self.frontier = Some(head.frontier);
            return;
        };
        if self.bound.may_be_void(&head) && !self.is_continued(&head) {
            self.note_suspect(0);
            return;
        }
        let (first, end) = (head.first(), head.end());
        if end > self.skip_to && !holds {
            self.queue.push_back(Step::Finding(Finding::FrameRestored {
                first: head.fixed.first_commit_id,
                count: u64::from(head.fixed.count),
                segment: self.at.segment,
                offset: self.at.offset,
            }));
        }
        self.yield_frame(first, head.frontier, proven);
        self.expected = end;
        self.previous_first = Some(first);
        self.previous = Some(self.at);
    }

    /// Whether a frame was written behind this one: a lap in which a write failed is left at once.
    fn is_continued(&self, head: &FrameHead) -> bool {
        let behind = head.fixed.self_offset.saturating_add(head.frame_bytes());
        let later = |next: &FrameHead| {
            next.fixed.lap == head.fixed.lap && next.first() >= head.end() && self.bound.holds(next)
        };
        let end = self.bound.end_offset;
        let found = self.ring.search(self.at.segment, behind, end, &later);
        found.is_some()
    }

    /// The payload behind a header, as somebody read it ahead or as it is read now.
    fn read(&mut self, head: FrameHead) -> ReadFrame {
        match self.read_ahead.take() {
            Some(read) if read.head == head => read,
            _ => {
                let end = self.bound.end_offset;
                let bytes = self.stretch.frame(self.ring, &head, end);
                ReadFrame::of(&bytes.unwrap_or_default(), head)
            }
        }
    }

    fn yield_frame(&mut self, first: u64, before: Frontier, proven: Proven) {
        let after = proven.after;
        if after.size() > self.skip_to {
            self.queue.push_back(Step::Frame(Frame {
                first,
                location: self.at,
                entries: proven.entries,
                frontier: before,
                joins: proven.joins,
            }));
        }
        self.frontier = Some(after);
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
