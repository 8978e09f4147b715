//! A keep-ring beside a golden log: made, damaged, read, and judged by what the damage touched.

use std::ops::Range;

use journal::keep::{KeepFrame, KeepRing, Part, Store, Stretch};
use journal::{Shape, StoredEntry};
use proof::Frontier;

use super::damage::{Area, Damaged};
use super::golden::{Golden, History, SHAPE, input};
use super::report::{Fault, Violation};
use crate::media::{Device, Fault as DeviceFault, Map, Target, Torn};
use evidence::reasons::TruthClass;

/// Small: every bit of it can be tried, and it goes round several times.
pub(super) const KEEP_SHAPE: Shape = Shape {
    segment_bytes: 8_192,
    segments: 3,
    block_bytes: 512,
};
/// Bytes of pieces after which a stretch becomes a frame.
const STRETCH_BYTES: usize = 1_200;
/// The stretch whose first write is refused in a scarred history.
const REFUSED: usize = 9;

/// A frame of the keep-ring.
#[derive(Clone, Debug)]
struct KeptAt {
    begin: u64,
    end: u64,
    segment: usize,
    bytes: Range<usize>,
}

/// An undamaged keep-ring and what was kept in it.
#[derive(Clone, Debug)]
pub(super) struct GoldenKeep {
    pub(super) segments: Vec<Vec<u8>>,
    /// Oldest first.
    frames: Vec<KeptAt>,
}

/// Whether an entry is kept: of three, two.
const fn keeps(id: u64) -> bool {
    id % 3 != 2
}

impl GoldenKeep {
    /// Everything that has left the ring has passed by.
    pub(super) fn make(history: History, entries: &[StoredEntry], oldest: u64) -> Self {
        let map = Map::new(SHAPE).with_keep(KEEP_SHAPE);
        let device = Device::mapped(map, TruthClass::Independent, vec![0; map.bytes()]);
        let mut frames = Vec::new();
        let mut stretch = Stretch::behind(Frontier::new());
        let mut ring = open(&device);
        let left = entries
            .iter()
            .take_while(|entry| entry.commit_id.0 < oldest);
        for (entry, last) in left.map(|entry| (entry, entry.commit_id.0 + 1 == oldest)) {
            stretch.push(entry.clone(), keeps(entry.commit_id.0));
            if stretch.bytes() < STRETCH_BYTES && !last {
                continue;
            }
            if history == History::Scarred && frames.len() == REFUSED {
                device.at_command(0, DeviceFault::Refused(Torn::Prefix(1)));
            }
            ring.append(&stretch).expect("one of two writes succeeds");
            frames.push((stretch.begin(), stretch.end()));
            stretch = Stretch::behind(stretch.after().clone());
        }
        let found = open(&device);
        let frames: Vec<KeptAt> = found
            .frames()
            .map(|frame| {
                let frame = frame.expect("the device is sound");
                let ends = (frame.stretch.begin(), frame.stretch.end());
                assert!(frames.contains(&ends), "what was kept is read");
                at(&device, &frame)
            })
            .collect();
        assert_eq!(frames.last().map(|frame| frame.end), Some(oldest));
        let segments = (0..KEEP_SHAPE.segments).map(|segment| {
            let place = map.place(Target::Keep(segment));
            let bytes =
                device.platter(|platter| platter.get(place.start, place.len()).map(<[u8]>::to_vec));
            bytes.unwrap_or_default()
        });
        Self {
            segments: segments.collect(),
            frames,
        }
    }

    /// The segment whose frames go next.
    fn oldest_segment(&self) -> Option<usize> {
        self.frames.first().map(|frame| frame.segment)
    }
}

fn open(device: &Device) -> KeepRing<crate::media::DeviceKeep> {
    let input = input(1);
    KeepRing::open(device.keep(), input.log_id, input.generation, Store::Soe)
}

/// Where a frame lies, by the length that its header gives.
fn at(device: &Device, frame: &KeepFrame) -> KeptAt {
    /// Where a keep frame says how long it is: `frame_bytes` of `KeepFixed`.
    const FRAME_BYTES_AT: usize = 92;
    let offset = usize::try_from(frame.offset).unwrap_or(usize::MAX);
    let place = device.map().keep(frame.segment, frame.offset) + FRAME_BYTES_AT;
    let mut len = [0; 4];
    device.platter(|platter| len.copy_from_slice(platter.get(place, 4).unwrap_or_default()));
    let len = u32::from_be_bytes(len) as usize;
    KeptAt {
        begin: frame.stretch.begin(),
        end: frame.stretch.end(),
        segment: frame.segment as usize,
        bytes: offset..offset + len,
    }
}

/// Reads the damaged keep-ring; whether a frame was touched, and what was wrong.
pub(super) fn judged(golden: &Golden, damaged: &Damaged<'_>) -> (bool, Vec<Violation>) {
    let Some(keep) = &golden.keep else {
        return (false, Vec::new());
    };
    let mut out = Vec::new();
    let touched: Vec<bool> = keep
        .frames
        .iter()
        .map(|frame| damaged.changed(golden, Area::Keep(frame.segment), &frame.bytes))
        .collect();
    let (mut read, mut named, mut with_hashes) = (Vec::new(), Vec::new(), Vec::new());
    for item in open(damaged.device).frames() {
        match item {
            Ok(frame) => {
                objections(golden, &frame, &mut out);
                read.push((frame.stretch.begin(), frame.stretch.end()));
            }
            Err(finding) => {
                if let Some(range) = &finding.range
                    && *range != golden.range(finding.first, finding.end)
                {
                    let words = format!("hashes of kept [{}, {})", finding.first, finding.end);
                    out.push((Fault::WrongData, words));
                }
                let ends = (finding.first, finding.end);
                with_hashes.extend(finding.range.map(|_| ends));
                named.push(ends);
            }
        }
    }
    // What is missing behind the last frame is told by where the log's own ring begins.
    let behind = read.iter().chain(&named).map(|(_, end)| *end).max();
    named.push((behind.unwrap_or(0), golden.oldest));
    let mut leading = true;
    for (frame, touched) in keep.frames.iter().zip(&touched) {
        let words = format!("kept [{}, {})", frame.begin, frame.end);
        let is_read = read.contains(&(frame.begin, frame.end));
        let is_named = named
            .iter()
            .any(|(first, end)| *first < frame.end && frame.begin < *end);
        // A torn write over the oldest frames looks like damage of them: what goes next goes unnamed.
        let goes_next = leading && keep.oldest_segment() == Some(frame.segment);
        leading &= !is_read;
        match (touched, is_read) {
            (false, false) => out.push((Fault::SilentLoss, format!("{words} was never touched"))),
            (false, true) if is_named => {
                out.push((Fault::InexactLoss, format!("{words} is named")))
            }
            (true, true) => out.push((Fault::Undetected, format!("{words} is read as sound"))),
            (true, false) if !is_named && !goes_next => {
                out.push((Fault::SilentLoss, format!("{words} without a word")));
            }
            _ => {}
        }
    }
    // Alone, with a sound frame on either side: the next one has its hashes.
    let alone = touched.iter().filter(|touched| **touched).count() == 1;
    let place = touched.iter().position(|touched| *touched);
    if alone
        && let Some(place) = place.filter(|place| *place > 0)
        && let (Some(frame), Some(_)) = (keep.frames.get(place), keep.frames.get(place + 1))
        && !with_hashes.contains(&(frame.begin, frame.end))
    {
        let words = format!(
            "kept [{}, {}) takes the tree with it",
            frame.begin, frame.end
        );
        out.push((Fault::InexactLoss, words));
    }
    // Where the newest lap of a segment is damaged, frames of the lap before may show again: they were
    // judged like all, and hold what the log had.
    if let Some((begin, end)) = read.iter().find(|(_, end)| *end > golden.oldest) {
        out.push((Fault::Invented, format!("kept [{begin}, {end})")));
    }
    (touched.contains(&true), out)
}

/// Whether a frame that is read is the log's.
fn objections(golden: &Golden, frame: &KeepFrame, out: &mut Vec<Violation>) {
    let stretch = &frame.stretch;
    let (begin, end) = (stretch.begin(), stretch.end());
    let trees = (golden.tree(begin), golden.tree(end));
    if trees != (Some(stretch.before()), Some(stretch.after())) {
        let words = format!("kept [{begin}, {end}) leads to another tree");
        out.push((Fault::WrongData, words));
    }
    for part in stretch.parts() {
        if let Part::Kept(entry) = part
            && golden.entry(entry.commit_id.0) != Some(entry)
        {
            let words = format!("kept entry {} has other bytes", entry.commit_id);
            out.push((Fault::WrongData, words));
        }
    }
}
