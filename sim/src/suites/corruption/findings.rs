//! Judges findings: each must name something that was touched, and all that was touched must be named.

use std::ops::Range;

use journal::Finding;

use super::expect::{CopyState, Expect, Harm};
use super::golden::{Golden, History, SHAPE};
use super::report::{Fault, Violation};
use journal::limits::TRUTH_COPIES;

/// Findings that name what was not touched.
pub(super) fn false_ones(
    golden: &Golden,
    expect: &Expect,
    findings: &[Finding],
    out: &mut Vec<Violation>,
) {
    for finding in findings {
        let true_one = match finding {
            // Losses are judged entry by entry.
            Finding::Lost(_) => true,
            Finding::FrameRestored { first, .. } => golden
                .frames
                .iter()
                .zip(&expect.frames)
                .any(|(frame, harm)| frame.first == first.0 && *harm != Harm::None),
            Finding::SegmentHeaderDamaged { lap, .. } => {
                expect.headers.contains(lap)
                    || !golden.laps.contains(lap) && expect.slot_changed(golden.newest_slot)
            }
            Finding::SegmentDisplaced { lies, belongs } => {
                expect.displaced.contains(&(*lies, *belongs))
            }
            Finding::TruthCopyDamaged { slot, copy } => {
                let at = (slot * TRUTH_COPIES + copy) as usize;
                expect.slots.get(at) == Some(&CopyState::Damaged)
            }
            Finding::LeaseCopyDamaged { copy } => {
                expect.tables.get(*copy as usize) == Some(&CopyState::Damaged)
            }
            Finding::TruthLost => expect.truth_lost(),
            Finding::TruthCopyOld { .. } => expect.any_stale(),
            Finding::TruthBehind { .. } => expect.slot_changed(golden.newest_slot),
            Finding::Retired { .. } | Finding::RootMismatch { .. } => false,
        };
        if !true_one {
            out.push((Fault::FalseAlarm, format!("{finding}")));
        }
    }
}

/// What the scrub must have named. `lost` says which frames are named by losses, `there` which entries
/// the reader has.
pub(super) fn missing_ones(
    golden: &Golden,
    expect: &Expect,
    (findings, lost, there): (&[Finding], &[bool], &Range<u64>),
    out: &mut Vec<Violation>,
) {
    let mut must = |found: bool, what: String| {
        if !found {
            out.push((Fault::Undetected, format!("nothing names {what}")));
        }
    };
    for ((frame, harm), lost) in golden.frames.iter().zip(&expect.frames).zip(lost) {
        if *harm == Harm::None || *lost || frame.first < there.start || frame.end > there.end {
            continue;
        }
        let named = findings.iter().any(
            |finding| matches!(finding, Finding::FrameRestored { first, .. } if first.0 == frame.first),
        );
        must(named, format!("the damaged frame of entry {}", frame.first));
    }
    for (lies, belongs) in expect.displaced.iter().copied() {
        must(
            findings.contains(&Finding::SegmentDisplaced { lies, belongs }),
            format!("segment {belongs} in the place of segment {lies}"),
        );
    }
    if !expect.slot_changed(golden.newest_slot) {
        for lap in &expect.headers {
            let finding = Finding::SegmentHeaderDamaged {
                segment: SHAPE.segment_of(*lap),
                lap: *lap,
            };
            must(
                findings.contains(&finding),
                format!("the header of lap {lap}"),
            );
        }
    }
    for (at, state) in (0u32..).zip(&expect.slots) {
        let (slot, copy) = (at / TRUTH_COPIES, at % TRUTH_COPIES);
        if *state == CopyState::Damaged {
            let finding = Finding::TruthCopyDamaged { slot, copy };
            must(
                findings.contains(&finding),
                format!("copy {copy} of slot {slot}"),
            );
        }
        // After an orderly end both copies of a slot are the same, so an old one stands out.
        let alone = *state == CopyState::Stale && !expect.slot_changed(slot);
        if alone && golden.history == History::Orderly && !expect.slot_changed(golden.newest_slot) {
            let named = findings.iter().any(
                |finding| matches!(finding, Finding::TruthCopyOld { slot: old, .. } if *old == slot),
            );
            must(named, format!("the old copy in slot {slot}"));
        }
    }
    for (copy, state) in (0u32..).zip(&expect.tables) {
        if *state == CopyState::Damaged {
            let finding = Finding::LeaseCopyDamaged { copy };
            must(
                findings.contains(&finding),
                format!("copy {copy} of the leases"),
            );
        }
    }
    must(
        !expect.truth_lost() || findings.contains(&Finding::TruthLost),
        "the loss of the truth store".to_owned(),
    );
}
