//! Opening a log: where does it end, what may be kept, what is lost, what must be said about it.

mod found;
mod identity;
mod scan;
mod tail;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use evidence::reasons::{EpochCause, TruthClass};
use evidence::{BootId, CommitId, Epoch, Generation, LogId, kinds};
pub(crate) use found::found;
use found::leave_overwritten;
pub(crate) use identity::{Headers, check_identity};
pub(crate) use scan::{blank_truth, outrun, scan};
use tail::Tail;

use crate::displaced::{Displaced, displaced};
use crate::error::OpenError;
use crate::find::{Finding, Loss, TruthHealth};
use crate::layout::SegmentFixed;
use crate::limits::DEFERRED_COMMITS_MAX;
use crate::medium::{ReadTruth, ReadVolume};
use crate::ring::Ring;
use crate::truth::{Loaded, Truth};
use crate::walk::{Start, Step, Walk};
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
    /// Where the truth store ended the log, if that was an older one than the newest: the frames went on.
    pub truth_behind: Option<CommitId>,
    /// Set when acknowledged entries may be missing at the end.
    pub uncertain: Option<Uncertain>,
    /// Whether no sound copy of the lease table was left: numbers may have been used beyond the log.
    pub leases_lost: bool,
}

impl Uncertain {
    /// Of whatever may have followed this end of the log.
    fn behind(truth: &Truth) -> Self {
        Self {
            from: CommitId(truth.fixed.size),
            seen_to: None,
        }
    }
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

/// First commit id of each lap in the ring, from headers as they were read or from first frames.
fn lap_table<V: ReadVolume>(
    ring: &Ring<V>,
    truth: &Truth,
    headers: &BTreeMap<u64, u64>,
) -> BTreeMap<u64, u64> {
    let mut laps = BTreeMap::new();
    for lap in truth.fixed.oldest_lap..=truth.fixed.lap {
        let known = headers.get(&lap).copied();
        if let Some(first) = known.or_else(|| lap_first(ring, lap)) {
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

/// Finds the end of the log.
pub(crate) fn recover<V: ReadVolume, T: ReadTruth>(
    ring: &Ring<V>,
    medium: &T,
    loaded: Loaded,
) -> Result<End, OpenError> {
    let Headers {
        newest,
        firsts,
        misplaced,
    } = check_identity(ring, &loaded)?;
    // To go on would name lost what lies there, and write over it.
    let moved = displaced(ring, &misplaced);
    if let Some(Displaced { lies, belongs, .. }) = moved.into_iter().find(|one| one.read) {
        return Err(OpenError::Displaced { lies, belongs });
    }
    let mut findings = loaded.findings;
    let (mut truth, doubt_before) = if let Some(truth) = loaded.truth {
        let doubt = truth.fixed.doubt;
        (truth, doubt)
    } else {
        findings.push(Finding::TruthLost);
        (scan(ring).ok_or(OpenError::NoLog)?, DOUBT_TRUTH_LOST)
    };
    let trust = Trust::of(loaded.health, medium.class(), &truth);
    let orderly = trust.orderly;
    let claimed = truth.fixed.size;
    let replaced = replace_overwritten_truth(ring, newest.as_ref(), &mut truth);
    let (trust, overwritten) = (trust.unless(replaced.is_some()), replaced.is_some());
    findings.extend(replaced);
    let of_truth = findings.len();
    let mut named = check_newest_segment(ring, &truth, &mut findings);
    let rolled = roll(ring, newest.as_ref(), &mut truth, trust);
    // A crash of a deferred log may leave torn frames between sound ones: alone they accuse nobody.
    let torn_only =
        trust.deferred && rolled.behind.is_none() && rolled.frames <= trust.unknown_frames_max();
    let behind = loaded.health != TruthHealth::Lost
        && (overwritten || (rolled.outran(trust) && !torn_only))
        && truth.fixed.size > claimed;
    let Rolled {
        forward: rolled_forward,
        dropped_bytes,
        uncertain,
        epoch_max,
        ..
    } = rolled;
    match rolled.behind {
        Some(behind) => {
            // What was found from the old end on is not what is wrong with the log.
            findings.truncate(of_truth);
            findings.push(behind);
            named = check_newest_segment(ring, &truth, &mut findings);
        }
        None => findings.extend(rolled.findings),
    }
    let uncertain = uncertain.or_else(|| {
        (doubt_before & DOUBT_UNCERTAIN != 0).then_some(Uncertain {
            from: truth.fixed.epoch_first_commit_id,
            seen_to: None,
        })
    });
    let as_left = orderly && uncertain.is_none() && rolled_forward == 0;
    let cause = cause_of(doubt_before, as_left);
    let epoch = Epoch(truth.fixed.epoch.0.max(epoch_max).saturating_add(1));
    truth.fixed.doubt = doubt_before;
    if uncertain.is_some() {
        truth.fixed.doubt |= DOUBT_UNCERTAIN;
    }
    let laps = lap_table(ring, &truth, &firsts);
    let recovery = Recovery {
        cause,
        epoch,
        truth: loaded.health,
        rolled_forward,
        dropped_bytes,
        scan_bytes: ring.scanned_bytes(),
        losses: unnamed(&findings, &named),
        findings,
        truth_behind: behind.then_some(CommitId(claimed)),
        uncertain,
        leases_lost: false,
    };
    Ok(End {
        laps,
        truth,
        slot: loaded.slot,
        recovery,
    })
}

/// Why the next epoch begins.
const fn cause_of(doubt: u8, as_left: bool) -> EpochCause {
    match doubt & DOUBT_TRUTH_LOST {
        0 if as_left => EpochCause::OrderlyStart,
        0 => EpochCause::Recovery,
        _ => EpochCause::TruthLost,
    }
}

/// What the truth store is worth as a witness of where the log ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trust {
    /// Any slot of it can be read.
    readable: bool,
    /// The log was closed orderly: nothing was under way.
    orderly: bool,
    /// It can be taken for the newest one.
    trusted: bool,
    slot_lost: bool,
    /// It is not flushed with each commit.
    deferred: bool,
}

impl Trust {
    pub(crate) fn of(health: TruthHealth, class: TruthClass, truth: &Truth) -> Self {
        let readable = health != TruthHealth::Lost;
        let orderly = truth.fixed.orderly != 0 && readable;
        // A truth store that is not flushed with each commit is only sure after an orderly stop.
        let deferred = class == TruthClass::SameDeviceDeferred;
        Self {
            readable,
            orderly,
            trusted: readable && (!deferred || orderly),
            slot_lost: health == TruthHealth::SlotLost,
            deferred,
        }
    }

    /// The same, but for a store that turned out to be an old one.
    pub(crate) fn unless(self, old: bool) -> Self {
        Self {
            trusted: self.trusted && !old,
            ..self
        }
    }

    /// Frames that a crash may leave behind the end of the newest truth store.
    pub(crate) fn unknown_frames_max(&self) -> u64 {
        match (self.orderly, self.deferred, self.slot_lost) {
            (true, _, false) => 0,
            (false, true, _) => u64::from(DEFERRED_COMMITS_MAX).saturating_add(1),
            (_, _, true) => 2,
            (false, false, false) => 1,
        }
    }
}

/// How far the frames led behind an end.
#[derive(Debug)]
pub(crate) struct Rolled {
    /// Frames taken in, and the entries in them.
    pub(crate) frames: u64,
    forward: u64,
    dropped_bytes: u64,
    uncertain: Option<Uncertain>,
    epoch_max: u64,
    /// What is lost on the way.
    pub(crate) findings: Vec<Finding>,
    /// The end was found by scanning, as later laps tell of more than the frames led to.
    pub(crate) behind: Option<Finding>,
}

impl Rolled {
    /// Whether more follows, or follows otherwise, than a crash leaves behind the end of the newest truth store.
    pub(crate) fn outran(&self, trust: Trust) -> bool {
        self.behind.is_some()
            || !self.findings.is_empty()
            || self.frames > trust.unknown_frames_max()
    }
}

/// Moves an end on as far as the frames lead.
pub(crate) fn roll<V: ReadVolume>(
    ring: &Ring<V>,
    newest: Option<&SegmentFixed>,
    truth: &mut Truth,
    trust: Trust,
) -> Rolled {
    let mut findings = Vec::new();
    let mut tail = Tail {
        ring,
        truth,
        readable: trust.readable,
        certain: trust.trusted && !trust.slot_lost,
        trusted: trust.trusted,
        rolled_frames: 0,
        unknown_frames_max: if trust.slot_lost { 2 } else { 1 },
        rolled_forward: 0,
        dropped_bytes: 0,
        uncertain: None,
        epoch_max: 0,
        findings: &mut findings,
    };
    tail.run();
    let mut rolled = Rolled {
        frames: tail.rolled_frames,
        forward: tail.rolled_forward,
        dropped_bytes: tail.dropped_bytes,
        uncertain: tail.uncertain,
        epoch_max: tail.epoch_max,
        findings,
        behind: None,
    };
    rolled.behind = replace_old_truth(ring, newest, truth);
    if rolled.behind.is_some() {
        rolled.uncertain = Some(Uncertain::behind(truth));
        // Nor is what led on from the old end what a crash left.
        (rolled.forward, rolled.dropped_bytes) = (0, 0);
    } else {
        leave_overwritten(ring, truth);
    }
    rolled
}

/// Where later laps tell of entries to which nothing led from the truth store, that is an old one, and
/// what it knew has been written over: the end is found as if it were lost.
fn replace_old_truth<V: ReadVolume>(
    ring: &Ring<V>,
    newest: Option<&SegmentFixed>,
    truth: &mut Truth,
) -> Option<Finding> {
    let seen_to = outrun(newest, truth)?;
    let size = truth.fixed.size;
    let mut found = scan(ring).filter(|found| found.fixed.size > size)?;
    found.fixed.counter = truth.fixed.counter;
    found.fixed.sealed_size = truth.fixed.sealed_size;
    found.fixed.cosigned_size = truth.fixed.cosigned_size;
    found.fixed.pruned_size = truth.fixed.pruned_size;
    found.fixed.firmware = truth.fixed.firmware;
    *truth = found;
    Some(Finding::TruthBehind { size, seen_to })
}

/// The same before anything is read from a truth store that is older than a round of the ring: what is
/// left of its laps leads nowhere.
fn replace_overwritten_truth<V: ReadVolume>(
    ring: &Ring<V>,
    newest: Option<&SegmentFixed>,
    truth: &mut Truth,
) -> Option<Finding> {
    let round = truth
        .fixed
        .lap
        .saturating_add(u64::from(ring.shape.segments));
    let overwritten = newest.filter(|head| head.lap >= round);
    replace_old_truth(ring, Some(overwritten?), truth)
}

fn unnamed(findings: &[Finding], named: &Named) -> Vec<Loss> {
    findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::Lost(loss) if !is_named(named, loss) => Some(loss.clone()),
            _ => None,
        })
        .collect()
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
    if entry.kind() == Some(kinds::Kind::Loss)
        && let Ok(entry) = entry.entry()
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
    let start = Start::of_lap(ring, lap, first);
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
            Step::Lost(loss, _) => findings.push(Finding::Lost(loss)),
            Step::Finding(finding) => findings.push(finding),
        }
    }
}
