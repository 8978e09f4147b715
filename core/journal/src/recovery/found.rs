//! Where a log ends for those who only read it: as recovery finds it.

use evidence::CommitId;
use evidence::reasons::TruthClass;

use super::{Trust, lap_first, replace_overwritten_truth, roll};
use crate::find::TruthHealth;
use crate::layout::SegmentFixed;
use crate::medium::ReadVolume;
use crate::ring::Ring;
use crate::truth::Truth;

/// An end as the truth store names it, and where the ring really ends, as recovery finds it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) truth: Truth,
    /// Frames behind the end that the truth store names.
    pub(crate) frames: u64,
    /// Whether no crash leaves so many, or leaves them like that: an older truth store was put here.
    pub(crate) old: bool,
}

/// Where recovery would find the end of a log whose truth store can be read.
pub(crate) fn found<V: ReadVolume>(
    ring: &Ring<V>,
    class: TruthClass,
    health: TruthHealth,
    newest: Option<&SegmentFixed>,
    claimed: &Truth,
) -> Found {
    let mut truth = claimed.clone();
    let replaced = replace_overwritten_truth(ring, newest, &mut truth).is_some();
    let trust = Trust::of(health, class, claimed).unless(replaced);
    let rolled = roll(ring, newest, &mut truth, trust);
    let old = replaced || rolled.outran(trust);
    Found {
        old: old && truth.fixed.size > claimed.fixed.size,
        frames: rolled.frames,
        truth,
    }
}

/// An end that moved on into laps which an older truth store had not seen: the laps before them are gone.
pub(super) fn leave_overwritten<V: ReadVolume>(ring: &Ring<V>, truth: &mut Truth) {
    let segments = u64::from(ring.shape.segments);
    let newest = truth.fixed.lap;
    let floor = newest.saturating_sub(segments.saturating_sub(1)).max(1);
    if truth.fixed.oldest_lap >= floor {
        return;
    }
    let oldest = (floor..=newest).find_map(|lap| Some((lap, lap_first(ring, lap)?)));
    let (lap, first) = oldest.unwrap_or((newest, truth.fixed.newest_first_commit_id.0));
    truth.fixed.oldest_lap = lap;
    truth.fixed.oldest_commit_id = CommitId(first);
}
