//! Opening a log: where does it end, what may be kept, what is lost, what must be said about it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use evidence::reasons::{EpochCause, LossCause, TruthClass};
use evidence::{BootId, CommitId, Epoch, Generation, LogId, SaltKey, kinds};
use proof::CompactRange;

use crate::decide::{Decision, Inputs};
use crate::error::OpenError;
use crate::find::{Finding, Loss, TruthHealth};
use crate::frame::{FrameHead, HeadFault};
use crate::layout::{TRUTH_MAGIC, TruthFixed, VERSION};
use crate::medium::{ReadTruth, ReadVolume};
use crate::ring::{HeadAt, Location, Ring, SegmentAt};
use crate::segment::{SegmentFault, SegmentHead};
use crate::truth::{Loaded, Truth};
use crate::walk::{Anchor, Start, Step, Suspect, Walk, losses};
use crate::writer::Options;

/// What the caller brings to the opening.
#[derive(Clone, Copy, Debug)]
pub struct OpenInput {
    /// The log that must be here.
    pub log_id: LogId,
    /// Its generation.
    pub generation: Generation,
    /// The kernel's boot id.
    pub boot_id: BootId,
    /// How the journal is to behave.
    pub options: Options,
}

/// Entries that may have been acknowledged and cannot be vouched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncertain {
    /// The log is certain below this id.
    pub from: CommitId,
    /// Damaged frames seen behind it reach to this id.
    pub seen_to: Option<CommitId>,
}

/// What the opening found. The caller commits an epoch entry and the losses first thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Why this epoch begins.
    pub cause: EpochCause,
    /// The epoch that begins.
    pub epoch: Epoch,
    /// State in which the truth store was found.
    pub truth: TruthHealth,
    /// Entries that were durable but not acknowledged, and are part of the log now.
    pub rolled_forward: u64,
    /// Bytes of a torn, never acknowledged frame, as far as its header still tells.
    pub dropped_bytes: u64,
    /// Bytes read from the ring.
    pub scan_bytes: u64,
    /// Losses in the newest segment that no loss entry there names yet.
    pub losses: Vec<Loss>,
    /// Everything found, losses included.
    pub findings: Vec<Finding>,
    /// Set when acknowledged entries may be missing at the end.
    pub uncertain: Option<Uncertain>,
    /// Whether no sound copy of the lease table was left: numbers may have been used beyond the log.
    pub leases_lost: bool,
}

impl Recovery {
    /// Whether the truth store leaned on a lone copy.
    #[must_use]
    pub fn truth_degraded(&self) -> bool {
        self.truth != TruthHealth::Sound
    }
}

/// Doubt that the truth store keeps until an entry of the new epoch names it.
pub(crate) const DOUBT_UNCERTAIN: u8 = 1;
/// As above: the truth store itself had been lost.
pub(crate) const DOUBT_TRUTH_LOST: u8 = 2;

/// Where the log ends after recovery.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) truth: Truth,
    pub(crate) slot: u32,
    pub(crate) laps: BTreeMap<u64, u64>,
    pub(crate) recovery: Recovery,
}

/// First commit id of each lap in the ring, from headers or first frames.
pub(crate) fn lap_table<V: ReadVolume>(ring: &Ring<V>, truth: &Truth) -> BTreeMap<u64, u64> {
    let mut laps = BTreeMap::new();
    for lap in truth.fixed.oldest_lap..=truth.fixed.lap {
        if let Some(first) = lap_first(ring, lap) {
            laps.insert(lap, first);
        }
    }
    laps.insert(truth.fixed.oldest_lap, truth.fixed.oldest_commit_id.0);
    laps
}

pub(crate) fn lap_first<V: ReadVolume>(ring: &Ring<V>, lap: u64) -> Option<u64> {
    let segment = ring.shape.segment_of(lap);
    if let Ok(head) = ring.segment_head(segment)
        && head.fixed.lap == lap
    {
        return Some(head.fixed.first_commit_id.0);
    }
    let head = ring
        .head_at(segment, ring.shape.first_frame_offset())
        .ok()?;
    (head.fixed.lap == lap).then(|| head.first())
}

/// Refuses what is not this log, or not this version.
pub(crate) fn check_identity<V: ReadVolume>(
    ring: &Ring<V>,
    loaded: &Loaded,
) -> Result<(), OpenError> {
    if let Some(what) = ring.shape.objection() {
        return Err(OpenError::Shape(what));
    }
    if let Some(truth) = &loaded.truth {
        let fixed = &truth.fixed;
        if fixed.log_id != ring.log_id || fixed.generation != ring.generation {
            return Err(OpenError::ForeignLog {
                log_id: fixed.log_id,
                generation: fixed.generation,
            });
        }
        if fixed.segments != ring.shape.segments
            || fixed.segment_bytes != ring.shape.segment_bytes
            || fixed.block_bytes != ring.shape.block_bytes
        {
            return Err(OpenError::ShapeMismatch);
        }
    } else if let Some(version) = loaded.newer {
        return Err(OpenError::NewerFormat { version });
    }
    for segment in 0..ring.shape.segments {
        match ring.segment_head(segment) {
            Err(SegmentAt::Fault(SegmentFault::Foreign(log_id, generation))) => {
                return Err(OpenError::ForeignLog { log_id, generation });
            }
            Err(SegmentAt::Fault(SegmentFault::Newer(version))) => {
                return Err(OpenError::NewerFormat { version });
            }
            Err(SegmentAt::Fault(SegmentFault::OtherShape)) => {
                return Err(OpenError::ShapeMismatch);
            }
            Ok(_)
            | Err(
                SegmentAt::Medium(_)
                | SegmentAt::Fault(SegmentFault::Blank | SegmentFault::Damaged),
            ) => {}
        }
    }
    Ok(())
}

/// Finds the end of the log.
pub(crate) fn recover<V: ReadVolume, T: ReadTruth>(
    ring: &Ring<V>,
    medium: &T,
    loaded: Loaded,
) -> Result<End, OpenError> {
    check_identity(ring, &loaded)?;
    let mut findings = loaded.findings;
    let (mut truth, doubt_before) = match loaded.truth {
        Some(truth) => {
            let doubt = truth.fixed.doubt;
            (truth, doubt)
        }
        None => {
            findings.push(Finding::TruthLost);
            (scan(ring).ok_or(OpenError::NoLog)?, DOUBT_TRUTH_LOST)
        }
    };
    let readable = loaded.health != TruthHealth::Lost;
    let orderly = truth.fixed.orderly != 0 && readable;
    let named = check_newest_segment(ring, &truth, &mut findings);
    // A truth store that is not flushed with each commit is only sure after an orderly stop.
    let deferred = medium.class() == TruthClass::SameDeviceDeferred;
    let trusted = readable && (!deferred || orderly);
    let slot_lost = loaded.health == TruthHealth::SlotLost;
    let mut tail = Tail {
        ring,
        truth: &mut truth,
        readable,
        certain: trusted && !slot_lost,
        trusted,
        rolled_frames: 0,
        unknown_frames_max: if slot_lost { 2 } else { 1 },
        rolled_forward: 0,
        dropped_bytes: 0,
        uncertain: None,
        epoch_max: 0,
        findings: &mut findings,
    };
    tail.run();
    let (rolled_forward, dropped_bytes) = (tail.rolled_forward, tail.dropped_bytes);
    let (uncertain, epoch_max) = (tail.uncertain, tail.epoch_max);
    let uncertain = uncertain.or_else(|| {
        (doubt_before & DOUBT_UNCERTAIN != 0).then_some(Uncertain {
            from: truth.fixed.epoch_first_commit_id,
            seen_to: None,
        })
    });
    let cause = if doubt_before & DOUBT_TRUTH_LOST != 0 {
        EpochCause::TruthLost
    } else if orderly && uncertain.is_none() && rolled_forward == 0 {
        EpochCause::OrderlyStart
    } else {
        EpochCause::Recovery
    };
    let epoch = Epoch(truth.fixed.epoch.0.max(epoch_max).saturating_add(1));
    truth.fixed.doubt = doubt_before;
    if uncertain.is_some() {
        truth.fixed.doubt |= DOUBT_UNCERTAIN;
    }
    let losses = findings.iter().filter_map(|finding| match finding {
        Finding::Lost(loss) if !is_named(&named, loss) => Some(loss.clone()),
        _ => None,
    });
    let recovery = Recovery {
        cause,
        epoch,
        truth: loaded.health,
        rolled_forward,
        dropped_bytes,
        scan_bytes: ring.scanned_bytes(),
        losses: losses.collect(),
        findings,
        uncertain,
        leases_lost: false,
    };
    Ok(End {
        laps: lap_table(ring, &truth),
        truth,
        slot: loaded.slot,
        recovery,
    })
}

/// The ranges named by loss entries: first and count.
pub(crate) type Named = BTreeSet<(u64, u64)>;

/// Whether loss entries name a loss already.
pub(crate) fn is_named(named: &Named, loss: &Loss) -> bool {
    named
        .iter()
        .any(|(first, count)| *first <= loss.first.0 && first.saturating_add(*count) >= loss.end())
}

/// Notes the range of a loss entry.
pub(crate) fn note_named(named: &mut Named, entry: &crate::StoredEntry) {
    let Ok(entry) = entry.entry() else { return };
    if entry.header.kind == kinds::Kind::Loss
        && let Ok(kinds::Payload::Loss(loss)) = entry.payload()
    {
        named.insert((loss.first.0, loss.count));
    }
}

/// Reads the newest segment back, whole; returns the losses that its entries name.
fn check_newest_segment<V: ReadVolume>(
    ring: &Ring<V>,
    truth: &Truth,
    findings: &mut Vec<Finding>,
) -> Named {
    let mut named = Named::new();
    let oldest = (truth.fixed.oldest_lap, truth.fixed.oldest_commit_id.0);
    // The newest lap that still says where it begins; the oldest one the truth store knows.
    let (lap, first) = (oldest.0..=truth.fixed.newest_lap)
        .rev()
        .find_map(|lap| lap_first(ring, lap).map(|first| (lap, first)))
        .filter(|(lap, _)| *lap > oldest.0)
        .unwrap_or(oldest);
    let start = Start {
        location: ring.lap_start(lap),
        expected: first,
        previous_first: None,
    };
    let mut walk = Walk::new(ring, truth, start, 0);
    run_check(&mut walk, &mut named, findings);
    if walk.frontier().is_some_and(|tree| *tree != truth.frontier) {
        findings.push(Finding::RootMismatch {
            size: truth.fixed.size,
        });
    }
    named
}

fn run_check(steps: impl Iterator<Item = Step>, named: &mut Named, findings: &mut Vec<Finding>) {
    for step in steps {
        match step {
            Step::Frame(frame) => frame
                .entries
                .iter()
                .for_each(|entry| note_named(named, entry)),
            Step::Finding(finding) => findings.push(finding),
        }
    }
}

/// The walk past the committed end.
struct Tail<'a, V> {
    ring: &'a Ring<V>,
    truth: &'a mut Truth,
    readable: bool,
    certain: bool,
    /// Whether the truth store can be taken for the newest one.
    trusted: bool,
    rolled_frames: u64,
    /// Frames that may follow the committed end although the truth store is the newest.
    unknown_frames_max: u64,
    rolled_forward: u64,
    dropped_bytes: u64,
    uncertain: Option<Uncertain>,
    epoch_max: u64,
    findings: &'a mut Vec<Finding>,
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
    fn run(&mut self) {
        loop {
            let here = self
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
                (Decision::Quarantine, _, Some(later)) => self.quarantine(here, &later),
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
            for entry in head.proven_entries(&bytes)? {
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

    fn next_lap_start(&self) -> Option<Location> {
        let lap = self.truth.fixed.lap;
        let head = self.next_lap_head(lap)?;
        (head.fixed.first_commit_id.0 == self.truth.fixed.size)
            .then(|| self.ring.lap_start(lap.saturating_add(1)))
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
        places.into_iter().find_map(|(lap, from)| {
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
    fn quarantine(&mut self, here: Location, later: &FrameHead) {
        let anchor = Anchor {
            frontier: &later.frontier,
            previous_range: &later.previous_range,
        };
        let suspect = Suspect {
            location: here,
            cause: LossCause::FrameDamaged,
        };
        let before = self.truth.frontier.clone();
        for loss in losses(before.size(), Some(&before), &anchor, &suspect) {
            self.findings.push(Finding::Lost(loss));
        }
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
    let mut frontier = head.frontier.clone();
    let mut range = CompactRange::empty(head.first());
    for entry in head.proven_entries(&bytes)? {
        frontier.push(entry.leaf_hash);
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
        reserved_2: [0; 4],
        salt_key: SaltKey([0; 16]),
    }
}
