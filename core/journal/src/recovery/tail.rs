//! The walk past the committed end: what is rolled forward, dropped, quarantined or left uncertain.

use alloc::vec::Vec;
use evidence::CommitId;
use evidence::reasons::LossCause;
use proof::CompactRange;

use super::{Uncertain, lap_first};
use crate::decide::{Decision, Inputs};
use crate::find::Finding;
use crate::frame::{FrameHead, HeadFault};
use crate::medium::ReadVolume;
use crate::ring::{HeadAt, Location, Ring, SegmentAt};
use crate::segment::{SegmentFault, SegmentHead};
use crate::truth::Truth;
use crate::walk::{Anchor, Cut, Suspect, losses};

/// The walk past the committed end.
pub(super) struct Tail<'a, V> {
    pub(super) ring: &'a Ring<V>,
    pub(super) truth: &'a mut Truth,
    pub(super) readable: bool,
    pub(super) certain: bool,
    /// Whether the truth store can be taken for the newest one.
    pub(super) trusted: bool,
    pub(super) rolled_frames: u64,
    /// Frames that may follow the committed end although the truth store is the newest.
    pub(super) unknown_frames_max: u64,
    pub(super) rolled_forward: u64,
    pub(super) dropped_bytes: u64,
    pub(super) uncertain: Option<Uncertain>,
    pub(super) epoch_max: u64,
    pub(super) findings: &'a mut Vec<Finding>,
}

/// What stands at a place behind the committed end.
struct Candidate {
    header: bool,
    identity: bool,
    chain: bool,
    /// The head, and the leaves of its payload where that leads to its root.
    head: Option<(FrameHead, Option<CompactRange>)>,
}

impl<V: ReadVolume> Tail<'_, V> {
    pub(super) fn run(&mut self) {
        loop {
            let mut here = self
                .ring
                .location(self.truth.fixed.lap, self.truth.fixed.commit_offset);
            let mut candidate = self.judge(here);
            let proven = |candidate: &Candidate| {
                candidate.chain && matches!(candidate.head, Some((_, Some(_))))
            };
            if !proven(&candidate)
                && let Some(start) = self.next_lap_start()
            {
                let other = self.judge(start);
                if other.chain {
                    candidate = other;
                }
                here = start;
            }
            let later = if proven(&candidate) {
                None
            } else {
                self.later()
            };
            let inputs = Inputs {
                readable: self.readable,
                certain: self.certain,
                below: false,
                header: candidate.header,
                identity: candidate.identity,
                chain: candidate.chain,
                payload: proven(&candidate),
                later: later.is_some(),
            };
            match (inputs.decide(), candidate.head, later) {
                (Decision::RollForward | Decision::Keep, Some((head, Some(range))), _) => {
                    if !self.keep(&head, range) {
                        return;
                    }
                }
                (Decision::Quarantine, head, Some(later)) => {
                    let head = head.filter(|_| candidate.chain);
                    let cut = head.map(|(head, _)| Cut::behind(&head));
                    self.quarantine(here, cut, &later);
                }
                (Decision::DropTornTail, Some((head, _)), _) => {
                    self.dropped_bytes = head.frame_bytes();
                    return;
                }
                (Decision::EndOfLog, _, _) => return,
                (_, head, _) => {
                    let seen_to = head
                        .filter(|(head, _)| head.end() > self.truth.fixed.size)
                        .map(|(head, _)| CommitId(head.end()));
                    self.uncertain = Some(Uncertain {
                        from: CommitId(self.truth.fixed.size),
                        seen_to,
                    });
                    return;
                }
            }
        }
    }

    fn judge(&self, place: Location) -> Candidate {
        let nothing = |header| Candidate {
            header,
            identity: false,
            chain: false,
            head: None,
        };
        if place.offset >= self.ring.shape.segment_bytes {
            return nothing(false);
        }
        let head = match self.ring.head_at(place.segment, place.offset) {
            Ok(head) => head,
            Err(HeadAt::Fault(HeadFault::Elsewhere)) => return nothing(true),
            Err(HeadAt::Fault(HeadFault::Damaged) | HeadAt::Medium(_)) => return nothing(false),
        };
        if head.fixed.lap != place.lap {
            return nothing(true);
        }
        let chain = self.continues(&head);
        let range = self.ring.frame(&head).ok().and_then(|bytes| {
            let mut range = CompactRange::empty(head.first());
            for entry in head.proven(&bytes)?.entries {
                range.push(entry.leaf_hash);
            }
            Some(range)
        });
        Candidate {
            header: true,
            identity: true,
            chain,
            head: Some((head, range)),
        }
    }

    /// Whether a frame is the next of the log.
    fn continues(&self, head: &FrameHead) -> bool {
        let fixed = &self.truth.fixed;
        head.first() == fixed.size
            && head.frontier == self.truth.frontier
            && head.fixed.epoch.0 >= fixed.epoch.0
            && head.fixed.previous_frame_crc == fixed.newest_frame_crc
            && !self.superseded(head)
    }

    /// Whether a newer epoch went on from before this frame, in the next lap: then its own write
    /// had failed.
    fn superseded(&self, head: &FrameHead) -> bool {
        self.next_lap_head(head.fixed.lap).is_some_and(|next| {
            next.fixed.epoch.0 > head.fixed.epoch.0 && next.fixed.first_commit_id.0 <= head.first()
        })
    }

    fn next_lap_head(&self, lap: u64) -> Option<SegmentHead> {
        let next = lap.saturating_add(1);
        let head = self
            .ring
            .segment_head(self.ring.shape.segment_of(next))
            .ok()?;
        (head.fixed.lap == next).then_some(head)
    }

    /// The start of the next lap, if the log goes on there.
    fn next_lap_start(&self) -> Option<Location> {
        let next = self.truth.fixed.lap.saturating_add(1);
        let first = lap_first(self.ring, next)?;
        (first == self.truth.fixed.size).then(|| self.ring.lap_start(next))
    }

    /// A sound frame of this log with greater ids behind the committed end.
    fn later(&self) -> Option<FrameHead> {
        let fixed = &self.truth.fixed;
        let block = u64::from(self.ring.shape.block_bytes);
        let places = [
            (fixed.lap, fixed.commit_offset.saturating_add(block)),
            (
                fixed.lap.saturating_add(1),
                self.ring.shape.first_frame_offset(),
            ),
        ];
        let begun = |lap: &u64| *lap == fixed.lap || !self.is_unbegun(*lap);
        let mut places = places.into_iter().filter(|(lap, _)| begun(lap));
        places.find_map(|(lap, from)| {
            let segment = self.ring.shape.segment_of(lap);
            self.ring
                .search(segment, from, self.ring.shape.segment_bytes, &|head| {
                    head.fixed.lap == lap
                        && head.first() > fixed.size
                        && head.fixed.epoch.0 >= fixed.epoch.0
                        && (lap != fixed.lap || head.fixed.salt_key == fixed.salt_key)
                })
        })
    }

    /// Whether a lap was certainly not begun: its header is durable before its first frame, and the truth store
    /// is known to be the newest.
    fn is_unbegun(&self, lap: u64) -> bool {
        self.certain
            && match self.ring.segment_head(self.ring.shape.segment_of(lap)) {
                Ok(head) => head.fixed.lap < lap,
                Err(SegmentAt::Fault(fault)) => fault == SegmentFault::Blank,
                Err(SegmentAt::Medium(_)) => false,
            }
    }

    fn keep(&mut self, head: &FrameHead, range: CompactRange) -> bool {
        let mut frontier = self.truth.frontier.clone();
        if frontier.append_range(&range).is_err() {
            return false;
        }
        self.rolled_forward = self
            .rolled_forward
            .saturating_add(u64::from(head.fixed.count));
        self.move_to(head);
        self.truth.set_tree(frontier, range);
        let fixed = &mut self.truth.fixed;
        fixed.commit_offset = head.fixed.self_offset.saturating_add(head.frame_bytes());
        fixed.newest_lap = head.fixed.lap;
        fixed.newest_end = fixed.commit_offset;
        fixed.newest_frame_crc = head.header_crc;
        self.rolled_frames = self.rolled_frames.saturating_add(1);
        // At most one commit is under way when power fails: behind the frame that a lost slot would
        // have known nothing was acknowledged. More frames than that mean an old truth store.
        self.certain = self.trusted && self.rolled_frames <= self.unknown_frames_max;
        true
    }

    fn move_to(&mut self, head: &FrameHead) {
        self.epoch_max = self.epoch_max.max(head.fixed.epoch.0);
        let fixed = &mut self.truth.fixed;
        fixed.lap = head.fixed.lap;
        fixed.salt_key = head.fixed.salt_key;
        fixed.epoch = head.fixed.epoch;
        fixed.epoch_first_commit_id = head.fixed.epoch_first_commit_id;
    }

    /// Names what lies before a later frame, and goes on in front of it.
    fn quarantine(&mut self, here: Location, cut: Option<Cut>, later: &FrameHead) {
        let anchor = Anchor {
            frontier: &later.frontier,
            previous_range: &later.previous_range,
        };
        let suspect = Suspect {
            location: here,
            cause: LossCause::FrameDamaged,
        };
        let before = self.truth.frontier.clone();
        let border = self.next_lap_head(here.lap).filter(|head| {
            let size = head.fixed.first_commit_id.0;
            later.fixed.lap > here.lap
                && (before.size().saturating_add(1)..later.first()).contains(&size)
                && head.fixed.epoch.0 >= self.truth.fixed.epoch.0
        });
        let mut lost = Vec::new();
        if let Some(SegmentHead { frontier, .. }) = border {
            let at_border = Anchor {
                frontier: &frontier,
                previous_range: &CompactRange::empty(frontier.size()),
            };
            let behind = Suspect {
                location: self.ring.lap_start(later.fixed.lap),
                ..suspect
            };
            lost.extend(losses(
                before.size(),
                Some(&before),
                &at_border,
                cut,
                &suspect,
            ));
            lost.extend(losses(
                frontier.size(),
                Some(&frontier),
                &anchor,
                None,
                &behind,
            ));
        } else {
            lost.extend(losses(before.size(), Some(&before), &anchor, cut, &suspect));
        }
        self.findings.extend(lost.into_iter().map(Finding::Lost));
        self.move_to(later);
        self.truth
            .set_tree(later.frontier.clone(), later.previous_range.clone());
        let fixed = &mut self.truth.fixed;
        fixed.commit_offset = later.fixed.self_offset;
        fixed.newest_frame_crc = later.fixed.previous_frame_crc;
        if later.fixed.lap == here.lap {
            fixed.newest_lap = here.lap;
            fixed.newest_end = later.fixed.self_offset;
        } else {
            fixed.newest_lap = here.lap;
            fixed.newest_end = self.ring.shape.segment_bytes;
        }
        self.trusted = false;
        self.certain = false;
    }
}
