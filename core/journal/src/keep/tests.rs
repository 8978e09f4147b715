//! Keep-rings over a volume in memory: what is kept is proven into the tree, through damage and torn writes.

use alloc::vec;
use alloc::vec::Vec;
use std::cell::RefCell;
use std::rc::Rc;

use evidence::{CommitId, Generation, LogId, SaltKey};
use proof::{CompactRange, Frontier};

use super::format::encode;
use super::read::Position;
use super::{KeepFinding, KeepRing, Part, Store, Stretch};
use crate::bytes::to_usize;
use crate::frame::StoredEntry;
use crate::medium::{MediumError, MediumFault, ReadVolume, Shape, Volume};

const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 4,
    block_bytes: 512,
};
const LOG: LogId = LogId([7; 16]);
const GENERATION: Generation = Generation(1);

/// A volume in memory; the next write persists this many bytes only and fails, when told so.
#[derive(Clone)]
struct Memory {
    segments: Rc<RefCell<Vec<Vec<u8>>>>,
    torn: Rc<RefCell<Option<usize>>>,
}

impl Memory {
    fn blank() -> Self {
        let segment = vec![0; 16_384];
        Self {
            segments: Rc::new(RefCell::new(vec![segment; 4])),
            torn: Rc::default(),
        }
    }

    fn ring(&self) -> KeepRing<Self> {
        KeepRing::open(self.clone(), LOG, GENERATION, Store::Soe)
    }

    /// Where its frames lie.
    fn positions(&self) -> Vec<Position> {
        let ring = self.ring();
        let segments = 0..SHAPE.segments;
        let frames = segments.flat_map(|segment| ring.frames_in(segment).to_vec());
        frames.collect()
    }

    /// Lets a frame say another lap, under sound checks.
    fn forge_lap(&self, position: Position, lap: u64) {
        let ring = self.ring();
        let (head, frame) = ring.frame_at(position).expect("a sound frame");
        let stretch = head.stretch(&frame).expect("a sound frame");
        let home = ring.home(lap, position.segment, position.offset);
        let forged = encode(&home, &stretch, &head.previous, 512).expect("as large as before");
        let mut volume = self.clone();
        let written = volume.write_durable(position.segment, position.offset, &forged);
        written.expect("the volume takes it");
    }

    fn flip(&self, segment: u32, offset: u64) {
        let mut segments = self.segments.borrow_mut();
        let byte = segments
            .get_mut(segment as usize)
            .and_then(|bytes| bytes.get_mut(to_usize(offset)));
        *byte.expect("the place exists") ^= 1;
    }
}

impl ReadVolume for Memory {
    fn shape(&self) -> Shape {
        SHAPE
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let segments = self.segments.borrow();
        let from = segments
            .get(segment as usize)
            .and_then(|bytes| bytes.get(to_usize(offset)..));
        let from = from.and_then(|bytes| bytes.get(..into.len()));
        into.copy_from_slice(from.expect("reads stay within a segment"));
        Ok(())
    }
}

impl Volume for Memory {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let torn = self.torn.borrow_mut().take();
        let len = torn.unwrap_or(bytes.len()).min(bytes.len());
        let mut segments = self.segments.borrow_mut();
        let room = segments
            .get_mut(segment as usize)
            .and_then(|all| all.get_mut(to_usize(offset)..));
        let (to, from) = (room.and_then(|room| room.get_mut(..len)), bytes.get(..len));
        to.expect("in the segment")
            .copy_from_slice(from.expect("in the bytes"));
        match torn {
            None => Ok(()),
            Some(_) => Err(MediumError {
                fault: MediumFault::Io,
                segment,
                offset,
                os_error: None,
            }),
        }
    }
}

fn entry(id: u64) -> StoredEntry {
    let text = std::format!("entry {id} of the log, long enough to be somebody's");
    StoredEntry::new(
        &SaltKey([3; 16]).salts(),
        GENERATION,
        CommitId(id),
        text.into_bytes().into(),
    )
}

fn kept(id: u64) -> bool {
    id.is_multiple_of(5)
}

/// The next `count` entries behind a tree.
fn stretch(tree: &Frontier, count: u64) -> Stretch {
    let mut stretch = Stretch::behind(tree.clone());
    for id in tree.size()..tree.size() + count {
        stretch.push(entry(id), kept(id));
    }
    stretch
}

fn filled(memory: &Memory, stretches: u64) -> Frontier {
    let mut ring = memory.ring();
    let mut tree = Frontier::new();
    for _ in 0..stretches {
        let next = stretch(&tree, 23);
        ring.append(&next).expect("the volume is sound");
        tree = next.after().clone();
    }
    tree
}

/// Walks the frames from tree to tree, as a verifier does; gives back what is kept and what is not there.
fn walked(memory: &Memory) -> (Vec<u64>, Vec<KeepFinding>, Frontier) {
    let ring = memory.ring();
    let (mut ids, mut findings) = (Vec::new(), Vec::new());
    let mut tree: Option<Frontier> = None;
    for item in ring.frames() {
        match item {
            Ok(frame) => {
                if let Some(tree) = &tree {
                    assert_eq!(
                        tree,
                        frame.stretch.before(),
                        "frames lead from tree to tree"
                    );
                }
                for part in frame.stretch.parts() {
                    if let Part::Kept(found) = part {
                        assert_eq!(*found, entry(found.commit_id.0));
                        ids.push(found.commit_id.0);
                    }
                }
                tree = Some(frame.stretch.after().clone());
            }
            Err(finding) => {
                tree = match (tree.take(), &finding.range) {
                    (Some(mut tree), Some(range)) => {
                        tree.append_range(range).is_ok().then_some(tree)
                    }
                    _ => None,
                };
                findings.push(finding);
            }
        }
    }
    (ids, findings, tree.unwrap_or_default())
}

#[test]
fn what_is_kept_leads_into_the_tree_and_the_oldest_goes_first() {
    let memory = Memory::blank();
    let tree = filled(&memory, 60);
    let (ids, findings, reached) = walked(&memory);
    assert_eq!((findings, reached), (Vec::new(), tree));
    let first = ids.first().copied().expect("something is kept");
    assert!(first > 0, "the ring has turned");
    let wanted: Vec<u64> = (first..1_380).filter(|id| kept(*id)).collect();
    assert_eq!(ids, wanted);
    assert_eq!(memory.ring().end(), Some(1_380));
}

/// Whatever byte of a frame is damaged, that stretch is named, no other, and proofs cross it.
#[test]
fn a_damaged_frame_is_one_named_stretch_that_proofs_cross() {
    let sound = Memory::blank();
    let tree = filled(&sound, 12);
    let frames: Vec<_> = sound
        .ring()
        .frames()
        .map(|frame| frame.expect("sound"))
        .collect();
    let (all, ..) = walked(&sound);
    for (index, frame) in frames.iter().enumerate().skip(1) {
        let used = 104 + 4 + 32 * frame.stretch.before().hashes().len() + frame.stretch.bytes();
        for byte in (0..used as u64).step_by(29) {
            let memory = Memory::blank();
            memory.segments.replace(sound.segments.borrow().clone());
            memory.flip(frame.segment, frame.offset + byte);
            let (ids, findings, reached) = walked(&memory);
            let stretch = &frame.stretch;
            let left: Vec<u64> = all
                .iter()
                .copied()
                .filter(|id| !(stretch.begin()..stretch.end()).contains(id))
                .collect();
            assert_eq!(ids, left, "frame {index}, byte {byte}");
            if index + 1 < frames.len() {
                let named = KeepFinding {
                    first: stretch.begin(),
                    end: stretch.end(),
                    range: Some(stretch.range()),
                    was_absent: false,
                };
                assert_eq!(findings, [named], "frame {index}, byte {byte}");
                assert_eq!(reached, tree);
            } else {
                // The newest: how far it had to reach is known from where the ring begins.
                assert!(memory.ring().end() < Some(tree.size()));
            }
        }
    }
}

/// A torn frame was never counted on: the stretch is kept again, and nothing else is hurt.
#[test]
fn a_torn_write_is_made_again() {
    for torn in (0..2_048).step_by(64) {
        let memory = Memory::blank();
        let tree = filled(&memory, 9);
        let (before, ..) = walked(&memory);
        let next = stretch(&tree, 23);
        memory.torn.replace(Some(torn));
        let mut ring = memory.ring();
        // Power fails during the write: whoever comes after finds the ring as it lies.
        let _ = ring.write(&next);
        let mut ring = memory.ring();
        let whole = ring.end() == Some(next.end());
        if !whole {
            assert_eq!(ring.end(), Some(tree.size()), "{torn}");
            ring.append(&next).expect("the volume is sound");
        }
        let (after, findings, reached) = walked(&memory);
        assert!(findings.is_empty(), "{torn}: {findings:?}");
        assert_eq!(reached, *next.after());
        let oldest = after.first().copied().unwrap_or(0);
        let wanted: Vec<u64> = before
            .into_iter()
            .chain((tree.size()..next.end()).filter(|id| kept(*id)))
            .filter(|id| *id >= oldest)
            .collect();
        assert_eq!(after, wanted);
    }
}

#[test]
fn a_failed_write_goes_on_in_the_next_segment() {
    let memory = Memory::blank();
    let tree = filled(&memory, 3);
    let next = stretch(&tree, 23);
    let mut ring = memory.ring();
    memory.torn.replace(Some(700));
    ring.append(&next).expect("the second attempt is sound");
    let (_, findings, reached) = walked(&memory);
    assert!(findings.is_empty());
    assert_eq!(reached, *next.after());
    let last = memory
        .ring()
        .frames()
        .last()
        .expect("a frame")
        .expect("a sound one");
    assert_eq!((last.segment, last.offset), (1, 0));
}

/// What was passed over is told from what is damaged: whoever wrote behind it had nothing before.
#[test]
fn what_was_passed_over_was_absent_and_what_is_damaged_was_not() {
    let sound = Memory::blank();
    let before = filled(&sound, 3);
    let passed_over = stretch(&before, 23);
    let next = stretch(passed_over.after(), 23);
    let appended = sound.ring().append(&next);
    appended.expect("the volume is sound");
    let absent = |first, end| KeepFinding {
        first,
        end,
        range: None,
        was_absent: true,
    };
    let (begin, end) = (passed_over.begin(), passed_over.end());
    assert_eq!(walked(&sound).1, [absent(begin, end)]);

    // The frame before it is damaged as well: its content alone, then its header.
    let ring = sound.ring();
    let frames = ring.frames().flatten();
    let last = frames.take(3).last().expect("three frames");
    let first = last.stretch.begin();
    let memory = Memory::blank();
    memory.segments.replace(sound.segments.borrow().clone());
    memory.flip(last.segment, last.offset + 400);
    let damaged = KeepFinding {
        first,
        end: begin,
        range: None,
        was_absent: false,
    };
    assert_eq!(walked(&memory).1, [damaged, absent(begin, end)]);
    memory.flip(last.segment, last.offset + 8);
    assert_eq!(walked(&memory).1, [absent(first, end)]);
}

#[test]
fn another_log_generation_or_store_has_no_frames_here() {
    let memory = Memory::blank();
    filled(&memory, 5);
    let others = [
        (LogId([8; 16]), GENERATION, Store::Soe),
        (LOG, Generation(2), Store::Soe),
        (LOG, GENERATION, Store::Audit),
    ];
    for (log, generation, store) in others {
        let ring = KeepRing::open(memory.clone(), log, generation, store);
        assert_eq!((ring.frames().count(), ring.end()), (0, None));
    }
}

#[test]
fn a_stretch_takes_what_comes_next_and_nothing_else() {
    let mut stretch = Stretch::behind(Frontier::new());
    stretch.push(entry(1), true);
    assert!(stretch.is_empty());
    stretch.push(entry(0), false);
    let mut lost = CompactRange::empty(1);
    lost.push(entry(1).leaf_hash);
    lost.push(entry(2).leaf_hash);
    stretch.push_range(&lost);
    stretch.push_range(&lost);
    stretch.push(entry(3), true);
    assert_eq!(
        (stretch.end(), stretch.kept(), stretch.parts().len()),
        (4, 1, 2)
    );
    let whole = super::format::encode(
        &Memory::blank().ring().home(1, 0, 0),
        &stretch,
        &CompactRange::empty(0),
        512,
    );
    assert!(whole.is_some_and(|bytes| bytes.len() % 512 == 0));
}

mod laps;
