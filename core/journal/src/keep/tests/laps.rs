//! Laps that nobody turned to, and damage in those that somebody did: what is sound is found, and the ring goes on behind it.

use alloc::vec::Vec;
use std::cell::RefCell;
use std::rc::Rc;

use super::{Memory, SHAPE, filled, stretch, walked};
use crate::limits::KEEP_LAPS_MAX;
use crate::medium::MediumFault;

//= A4.1
#[test]
fn a_ring_goes_on_behind_a_frame_of_a_forged_lap() {
    let whole = Memory::blank();
    let tree = filled(&whole, 60);
    for position in whole.positions() {
        let round = u64::from(SHAPE.segments);
        let before = (position.lap - 1) % round + 1;
        let last = KEEP_LAPS_MAX - (KEEP_LAPS_MAX - position.lap) % round;
        for lap in [
            before,
            position.lap + round,
            position.lap + 100 * round,
            last - 100 * round,
            last + round,
        ] {
            let memory = Memory {
                segments: Rc::new(RefCell::new(whole.segments.borrow().clone())),
                torn: Rc::default(),
            };
            memory.forge_lap(position, lap);
            // Through a whole round and more: each frame that was kept is found again by whoever opens it next.
            let mut tree = tree.clone();
            for _ in 0..60 {
                let next = stretch(&tree, 23);
                let kept = memory.ring().append(&next);
                assert_eq!(kept, Ok(()), "lap {lap} at {position:?}");
                assert_eq!(
                    memory.ring().end(),
                    Some(next.end()),
                    "lap {lap} at {position:?}"
                );
                tree = next.after().clone();
            }
        }
    }
}

//= A4.1
#[test]
fn a_forged_lap_costs_no_frame_but_its_own_where_its_segment_begins_with_another() {
    let whole = Memory::blank();
    filled(&whole, 60);
    let (kept, _, _) = walked(&whole);
    let positions = whole.positions();
    let behind = positions.iter().filter(|position| position.offset > 0);
    for position in behind {
        let memory = Memory {
            segments: Rc::new(RefCell::new(whole.segments.borrow().clone())),
            torn: Rc::default(),
        };
        let (head, frame) = whole.ring().frame_at(*position).expect("a sound frame");
        let own = head.stretch(&frame).expect("a sound frame");
        memory.forge_lap(*position, position.lap + 8);
        let (ids, findings, _) = walked(&memory);
        let others = kept
            .iter()
            .filter(|id| !(own.begin()..own.end()).contains(*id));
        assert_eq!(ids, others.copied().collect::<Vec<u64>>(), "{position:?}");
        assert!(findings.len() <= 1, "{findings:?}");
    }
}

/// A forged lap has the writer leave out rounds; what stands before them is what the ring goes on from where the frames behind are damaged.
//= A4.1
#[test]
fn what_is_sound_is_found_across_laps_that_were_left_out() {
    let round = u64::from(SHAPE.segments);
    for (rounds, damaged) in [(2, 1), (3, 2), (100, 1), (100, 3)] {
        let memory = Memory::blank();
        let mut tree = filled(&memory, 60);
        let mut frames = memory.positions();
        frames.sort_by_key(|position| (position.lap, position.offset));
        let newest = frames.last().expect("frames").lap;
        // Not the first of its segment, where it would be read: it is left out, and the writer goes above it.
        let forged = frames
            .iter()
            .find(|position| position.offset > 0)
            .expect("one behind the first of a segment");
        memory.forge_lap(*forged, forged.lap + rounds * round);
        let mut ends = Vec::new();
        let is_above = |memory: &Memory| {
            let all = memory.positions();
            all.into_iter().filter(|one| one.lap > newest + round)
        };
        while is_above(&memory).count() < damaged {
            ends.push(tree.size());
            let next = stretch(&tree, 23);
            memory.ring().append(&next).expect("the volume is sound");
            tree = next.after().clone();
        }
        let sound = ends[ends.len() - damaged];
        for position in is_above(&memory) {
            let (head, _) = memory.ring().frame_at(position).expect("a sound frame");
            let content = u64::from(head.fixed.header_bytes) + 4;
            memory.flip(position.segment, position.offset + content);
        }
        let found = memory.ring().end();
        assert_eq!(found, Some(sound), "{damaged} behind {rounds} rounds");
        let (ids, _, _) = walked(&memory);
        let before = ids.iter().filter(|id| **id < sound);
        assert!(before.count() > 20, "what is older is read");
    }
}

//= A4.1
#[test]
fn what_is_kept_again_behind_damaged_frames_is_found() {
    for sound in 40..60 {
        let memory = Memory::blank();
        filled(&memory, 60);
        let mut frames = memory.positions();
        frames.sort_by_key(|position| (position.lap, position.offset));
        let damaged = frames.split_off(frames.len() - (60 - sound));
        // The header of the first is gone; those behind stand before content that is damaged.
        for (place, position) in damaged.iter().enumerate() {
            let (head, _) = memory.ring().frame_at(*position).expect("a sound frame");
            let content = u64::from(head.fixed.header_bytes) + 4;
            let byte = if place == 0 { 0 } else { content };
            memory.flip(position.segment, position.offset + byte);
        }
        let (_, _, tree) = walked(&memory);
        assert_eq!(memory.ring().end(), Some(sound as u64 * 23));
        let mut next = stretch(&tree, 23);
        for _ in 0..60 {
            assert_eq!(memory.ring().settle(), Ok(()));
            assert_eq!(memory.ring().append(&next), Ok(()));
            assert_eq!(memory.ring().end(), Some(next.end()), "{sound} were sound");
            next = stretch(next.after(), 23);
        }
    }
}

#[test]
fn a_ring_whose_laps_a_forger_has_used_up_says_so() {
    let memory = Memory::blank();
    let tree = filled(&memory, 3);
    let first = *memory.positions().first().expect("a frame");
    memory.forge_lap(first, KEEP_LAPS_MAX - (KEEP_LAPS_MAX - 1) % 4);
    let mut ring = memory.ring();
    let mut next = stretch(&tree, 23);
    let error = loop {
        match ring.append(&next) {
            Ok(()) => next = stretch(next.after(), 23),
            Err(error) => break error,
        }
    };
    assert_eq!(error.fault, MediumFault::NoLapLeft);
    assert!(std::format!("{error}").contains("lap"), "{error}");
}
