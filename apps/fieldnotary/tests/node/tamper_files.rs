//! Whole files of a node's journal cut, exchanged, removed or brought back from yesterday.

use crate::common::about;
use crate::common::contract::Contract;
use crate::common::damage::{Copy, found, sound, swap, truncate};
use crate::common::layout::{self, SLOT_BYTES, SLOT_COPIES};
use crate::common::sites::{Node, Street};
use std::path::{Path, PathBuf};

const ORIGIN: &str = "example.org/files";
const SEGMENT_BYTES: usize = 65_536;
/// What is left of a segment takes the next frame: that of a start, the largest there is here.
const ROOM_BYTES: usize = 16_384;

/// What is done to a copy of a node's directory.
type Act<'a> = Box<dyn Fn(&Path) + 'a>;

/// Acts and what they are, in words.
type Deeds<'a> = Vec<(String, Act<'a>)>;

fn segment(data: &Path, no: usize) -> PathBuf {
    layout::folder(data).join(format!("seg-{no:04}.fnj"))
}

fn truth(data: &Path) -> PathBuf {
    layout::folder(data).join("truth.fnt")
}

/// The segment that was written last, and whether what is written next goes into it.
fn open_segment(data: &Path) -> (PathBuf, bool) {
    let last = layout::read(data).segments.pop().unwrap();
    let end = last.frames.last().map_or(0, |frame| frame.end);
    (last.path, end <= SEGMENT_BYTES - ROOM_BYTES)
}

/// Puts a file of one directory into another.
fn bring(from: &Path, to: &Path) {
    let (before, after) = (std::fs::read(to).unwrap(), std::fs::read(from).unwrap());
    assert!(before != after, "{} changes nothing", from.display());
    std::fs::write(to, after).unwrap();
}

/// A node's directory, the same one after fewer entries, and that of another node of the same origin.
struct Journals {
    _dir: tempfile::TempDir,
    data: PathBuf,
    earlier: Copy,
    other: PathBuf,
    segments: usize,
}

impl Journals {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let street = Street::start(dir.path(), 4);
        let contract = street.contract(Contract::new(ORIGIN, "64KiB", 8));
        let mut data = Node::grow(dir.path(), "node", &contract, 20);
        while !open_segment(&data).1 {
            data = Node::grow(dir.path(), "node", &contract, 4);
        }
        let earlier = Copy::of(&data);
        let data = Node::grow(dir.path(), "node", &contract, 100);
        let other = Node::grow(dir.path(), "other", &contract, 120);
        sound(&data);
        sound(earlier.path());
        sound(&other);
        let segments = layout::read(&data).segments.len();
        assert!(segments >= 3, "{segments} segments");
        Self {
            _dir: dir,
            data,
            earlier,
            other,
            segments,
        }
    }

    /// Does each deed to a copy of its own, and requires that verification finds it.
    fn all_found(&self, deeds: &Deeds<'_>) {
        let missed: Vec<String> = deeds
            .iter()
            .filter_map(|(what, act)| {
                let copy = Copy::of(&self.data);
                act(copy.path());
                let found = found(&about("verify", copy.path(), &[]), None);
                found.err().map(|words| format!("{what}: {words}"))
            })
            .collect();
        let (bad, all) = (missed.len(), deeds.len());
        assert!(missed.is_empty(), "{bad} of {all} deeds: {missed:#?}");
    }
}

//= A1.3
//= A4.1
//= A5.4
#[test]
fn segments_cut_emptied_removed_or_swapped_are_found() {
    let journals = Journals::new();
    let mut deeds: Deeds<'_> = Vec::new();
    for no in 0..journals.segments {
        let next = (no + 1) % journals.segments;
        let acts: [(&str, Act<'_>); 5] = [
            (
                "cut in the middle",
                Box::new(move |dir| truncate(&segment(dir, no), 32_768)),
            ),
            (
                "cut to nothing",
                Box::new(move |dir| truncate(&segment(dir, no), 0)),
            ),
            (
                "filled with zeros",
                Box::new(move |dir| std::fs::write(segment(dir, no), [0; SEGMENT_BYTES]).unwrap()),
            ),
            (
                "removed",
                Box::new(move |dir| std::fs::remove_file(segment(dir, no)).unwrap()),
            ),
            (
                "swapped with the next",
                Box::new(move |dir| swap(&segment(dir, no), &segment(dir, next))),
            ),
        ];
        deeds.extend(acts.map(|(what, act)| (format!("segment {no} {what}"), act)));
    }
    journals.all_found(&deeds);
}

//= A1.3
//= A5.4
#[test]
fn a_segment_from_yesterday_is_found() {
    let journals = Journals::new();
    let earlier = journals.earlier.path();
    let (open, _) = open_segment(earlier);
    let place = open.strip_prefix(earlier).unwrap();
    let act: Act<'_> = Box::new(|dir| bring(&open, &dir.join(place)));
    journals.all_found(&vec![(format!("yesterday's {}", place.display()), act)]);
}

//= A1.3
//= A5.4
#[test]
fn files_of_another_nodes_journal_are_found() {
    let journals = Journals::new();
    let other = &journals.other;
    let mut deeds: Deeds<'_> = Vec::new();
    for no in 0..journals.segments {
        let act = move |dir: &Path| bring(&segment(other, no), &segment(dir, no));
        deeds.push((format!("another node's segment {no}"), Box::new(act)));
    }
    let act = |dir: &Path| bring(&truth(other), &truth(dir));
    deeds.push(("another node's truth store".to_owned(), Box::new(act)));
    journals.all_found(&deeds);
}

//= A5.4
//= A5.9
#[test]
fn a_truth_store_that_is_removed_or_cut_is_found() {
    let journals = Journals::new();
    journals.all_found(&vec![
        (
            "no truth store".to_owned(),
            Box::new(|dir| std::fs::remove_file(truth(dir)).unwrap()),
        ),
        (
            "a truth store cut in the middle".to_owned(),
            Box::new(|dir| truncate(&truth(dir), 4_096)),
        ),
        (
            "an empty truth store".to_owned(),
            Box::new(|dir| truncate(&truth(dir), 0)),
        ),
        (
            "a truth store of zeros".to_owned(),
            Box::new(|dir| {
                let bytes = std::fs::metadata(truth(dir)).unwrap().len();
                truncate(&truth(dir), 0);
                truncate(&truth(dir), bytes);
            }),
        ),
    ]);
}

/// The log goes on behind what an older truth store calls its end: not a joint rollback, so it is seen.
//= A1.3
//= A5.4
//= A5.9
#[test]
fn a_truth_store_from_yesterday_is_found() {
    let journals = Journals::new();
    let earlier = journals.earlier.path();
    let act = |dir: &Path| bring(&truth(earlier), &truth(dir));
    let mut deeds: Deeds<'_> = vec![("yesterday's truth store".to_owned(), Box::new(act))];
    for copy in 0..SLOT_COPIES {
        let act = move |dir: &Path| {
            let mut bytes = std::fs::read(truth(dir)).unwrap();
            let place = copy * SLOT_BYTES..(copy + 1) * SLOT_BYTES;
            let old = std::fs::read(truth(earlier)).unwrap();
            bytes[place.clone()].copy_from_slice(&old[place]);
            std::fs::write(truth(dir), bytes).unwrap();
        };
        deeds.push((
            format!("copy {copy} of the slots from yesterday"),
            Box::new(act),
        ));
    }
    journals.all_found(&deeds);
}
