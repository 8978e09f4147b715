//! A node's directory in other hands: whatever is changed, exchanged or signed anew is found.

mod common;

use common::contract::Contract;
use common::damage::{Copy, Flip, found, sound, swap, sweep, truncate};
use common::layout::{self, FIXED_BYTES, SEGMENT_HEADER_BYTES, SLOT_BYTES, SLOT_COPIES};
use common::sites::{Node, Street};
use common::{about, fieldnotary, length, number, wait_until};
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/tamper";
/// Bytes of these files are sampled this far apart, and all of them where it is said to be 1.
const STRIDE: usize = 97;
/// In a log that is there to show another shape, one of so many of them is enough.
const SPARSE: usize = 11;

fn stride() -> usize {
    length("FIELDNOTARY_TAMPER_STRIDE", STRIDE)
}

/// Lets a node run until its log has so many entries; stops it orderly.
fn grow(dir: &Path, name: &str, contract: &Contract, entries: u64) -> PathBuf {
    let node = Node::start(dir, name, contract);
    let size = || number(&node.status(), "log_size");
    let wanted = size() + entries;
    wait_until("growing log", Duration::from_secs(60), || {
        (size() >= wanted).then_some(())
    });
    node.stop()
}

/// Every byte of fixed headers, every one of the first frame, of everything else a sample.
fn flips(data: &Path) -> Vec<Flip> {
    let journal = layout::read(data);
    let mut flips = Vec::new();
    let relative = |path: &Path| path.strip_prefix(data).unwrap().to_path_buf();
    let sampled = |at: &usize| at % stride() == 0;
    for segment in &journal.segments {
        let bytes = std::fs::read(&segment.path).unwrap();
        let mut put = |offset, entries| {
            flips.push(Flip {
                file: relative(&segment.path),
                offset,
                entries,
            });
        };
        for offset in 0..SEGMENT_HEADER_BYTES {
            let check = SEGMENT_HEADER_BYTES - offset <= 4;
            if offset < FIXED_BYTES || check || sampled(&offset) {
                put(offset, None);
            }
        }
        for (place, frame) in segment.frames.iter().enumerate() {
            let dense = (segment.lap, place) == (journal.segments[0].lap, 0);
            let entries = layout::entries(&bytes, frame);
            for offset in frame.begin..frame.end {
                let in_fixed = place < 2 && offset < frame.begin + FIXED_BYTES;
                if !(dense || in_fixed || sampled(&offset)) {
                    continue;
                }
                let mine = entries
                    .iter()
                    .find(|(_, from, to)| (*from..*to).contains(&offset));
                let named = mine.map_or((frame.first, frame.last()), |(id, ..)| (*id, *id));
                put(offset, Some(named));
            }
        }
    }
    let truth = std::fs::metadata(&journal.truth).unwrap().len();
    for offset in 0..usize::try_from(truth).unwrap() {
        let in_slot = offset < SLOT_COPIES * SLOT_BYTES && offset % SLOT_BYTES < FIXED_BYTES + 80;
        if in_slot || sampled(&offset) {
            flips.push(Flip {
                file: relative(&journal.truth),
                offset,
                entries: None,
            });
        }
    }
    flips
}

//= A1.3
//= A4.1
//= A5.4
#[test]
fn every_flipped_bit_of_a_nodes_journal_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    // Small blocks: little padding, so that more of what is harmed means something.
    let contract = street.contract(Contract::with_block(ORIGIN, "64KiB", 4, 512));
    let data = grow(dir.path(), "node", &contract, 50);
    sound(&data);
    let flips = flips(&data);
    println!("{} bytes of {}", flips.len(), data.display());
    sweep(&data, &flips);
}

//= A1.3
//= A5.4
#[test]
fn every_flipped_bit_is_found_after_the_ring_went_round() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 6);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 4));
    let data = grow(dir.path(), "node", &contract, 100);
    let node = Node::start(dir.path(), "node", &contract);
    wait_until("second round", Duration::from_secs(60), || {
        let lap = layout::read(node.data()).segments.last().unwrap().lap;
        (lap > 6).then_some(())
    });
    assert_eq!(node.stop(), data);
    let retired = about("verify", &data, &[]).json();
    assert_eq!(retired["ok"], true, "{retired}");
    let sampled: Vec<Flip> = flips(&data).into_iter().step_by(SPARSE).collect();
    println!("{} bytes of {}", sampled.len(), data.display());
    sweep(&data, &sampled);
}

/// Something done to a copy of a node's directory, told in words.
type Deed<'a> = (String, Box<dyn Fn(&Path) + 'a>);

fn segment(data: &Path, no: usize) -> PathBuf {
    layout::folder(data).join(format!("seg-{no:04}.fnj"))
}

fn truth(data: &Path) -> PathBuf {
    layout::folder(data).join("truth.fnt")
}

/// Puts a file of one directory into another.
fn bring(from: &Path, to: &Path) {
    let (before, after) = (std::fs::read(to).unwrap(), std::fs::read(from).unwrap());
    assert_ne!(before, after, "{} changes nothing", from.display());
    std::fs::write(to, after).unwrap();
}

/// What can be done to the segments, one of which `earlier` had not yet finished.
fn deeds_to_segments<'a>(segments: usize, earlier: &'a Path, other: &'a Path) -> Vec<Deed<'a>> {
    let mut deeds: Vec<Deed<'_>> = Vec::new();
    let mut put = |words: String, deed: Box<dyn Fn(&Path) + 'a>| deeds.push((words, deed));
    for no in 0..segments {
        let next = (no + 1) % segments;
        put(
            format!("segment {no} cut in the middle"),
            Box::new(move |dir| truncate(&segment(dir, no), 32_768)),
        );
        put(
            format!("segment {no} cut to nothing"),
            Box::new(move |dir| truncate(&segment(dir, no), 0)),
        );
        put(
            format!("segment {no} filled with zeros"),
            Box::new(move |dir| std::fs::write(segment(dir, no), [0; 65_536]).unwrap()),
        );
        put(
            format!("segment {no} removed"),
            Box::new(move |dir| std::fs::remove_file(segment(dir, no)).unwrap()),
        );
        put(
            format!("segments {no} and {next} swapped"),
            Box::new(move |dir| swap(&segment(dir, no), &segment(dir, next))),
        );
        put(
            format!("segment {no} of another node"),
            Box::new(move |dir| bring(&segment(other, no), &segment(dir, no))),
        );
    }
    let open = layout::read(earlier).segments.len() - 1;
    put(
        format!("yesterday's segment {open}"),
        Box::new(move |dir| bring(&segment(earlier, open), &segment(dir, open))),
    );
    deeds
}

/// What can be done to the truth store.
fn deeds_to_truth<'a>(earlier: &'a Path, other: &'a Path) -> Vec<Deed<'a>> {
    let mut deeds: Vec<Deed<'_>> = Vec::new();
    let mut put = |words: &str, deed: Box<dyn Fn(&Path) + 'a>| deeds.push((words.into(), deed));
    put(
        "yesterday's truth store",
        Box::new(|dir| bring(&truth(earlier), &truth(dir))),
    );
    put(
        "another node's truth store",
        Box::new(|dir| bring(&truth(other), &truth(dir))),
    );
    put(
        "no truth store",
        Box::new(|dir| std::fs::remove_file(truth(dir)).unwrap()),
    );
    put(
        "a truth store cut",
        Box::new(|dir| truncate(&truth(dir), 4_096)),
    );
    for copy in 0..SLOT_COPIES {
        let deed = move |dir: &Path| {
            let (old, mut new) = (truth(earlier), std::fs::read(truth(dir)).unwrap());
            let place = copy * SLOT_BYTES..(copy + 1) * SLOT_BYTES;
            new[place.clone()].copy_from_slice(&std::fs::read(old).unwrap()[place]);
            std::fs::write(truth(dir), new).unwrap();
        };
        put(
            &format!("copy {copy} of the truth store's slots from yesterday"),
            Box::new(deed),
        );
    }
    deeds
}

/// Does each deed to a copy of its own, and requires that verification finds it.
fn all_found(data: &Path, deeds: &[Deed<'_>]) {
    let missed: Vec<String> = deeds
        .iter()
        .filter_map(|(what, deed)| {
            let copy = Copy::of(data);
            deed(copy.path());
            let said = about("verify", copy.path(), &[]);
            found(&said, None)
                .err()
                .map(|words| format!("{what}: {words}"))
        })
        .collect();
    assert!(
        missed.is_empty(),
        "{} of {} deeds: {missed:#?}",
        missed.len(),
        deeds.len()
    );
}

/// A node's directory, the same one after fewer entries, and that of another node of the same origin.
fn three_directories(dir: &Path) -> (PathBuf, Copy, PathBuf) {
    let street = Street::start(dir, 4);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 8));
    let earlier = Copy::of(&grow(dir, "node", &contract, 40));
    let data = grow(dir, "node", &contract, 120);
    let other = grow(dir, "other", &contract, 150);
    sound(&data);
    sound(earlier.path());
    (data, earlier, other)
}

//= A1.3
//= A4.1
//= A5.4
#[test]
fn whatever_is_done_to_segments_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (data, earlier, other) = three_directories(dir.path());
    let segments = layout::read(&data).segments.len();
    assert!(segments >= 3, "{segments} segments");
    all_found(&data, &deeds_to_segments(segments, earlier.path(), &other));
}

//= A1.3
//= A5.4
//= A5.9
#[test]
fn whatever_is_done_to_the_truth_store_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (data, earlier, other) = three_directories(dir.path());
    all_found(&data, &deeds_to_truth(earlier.path(), &other));
}

//= A1.3
//= U5
#[test]
fn a_log_signed_by_other_keys_fails_against_the_pinned_key() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 8));
    let keys = ["true", "forged"].map(|name| Node::keys(&dir.path().join(name), ORIGIN));
    let [truth, forged] = ["true", "forged"].map(|name| grow(dir.path(), name, &contract, 30));
    for (data, own, others) in [(&truth, &keys[0], &keys[1]), (&forged, &keys[1], &keys[0])] {
        let unanchored = about("verify", data, &[]);
        assert_eq!(unanchored.code, Some(0), "{unanchored:?}");
        assert_eq!(unanchored.json()["anchored"], false);
        let words = fieldnotary(["verify".as_ref(), data.as_os_str()]).out;
        assert!(words.contains("VERIFIED UNANCHORED"), "{words}");
        assert_eq!(own.len(), 2, "P-256 and Ed25519: {own:?}");
        for key in own {
            let held = about("verify", data, &["--anchor", key]);
            assert_eq!(held.code, Some(0), "{held:?}");
            assert_eq!(held.json()["anchored"], true);
        }
        for key in others {
            let refused = about("verify", data, &["--anchor", key]);
            found(&refused, None).unwrap();
            assert_eq!(refused.json()["sealed_entries"], 0);
            let words = fieldnotary([
                "verify".as_ref(),
                data.as_os_str(),
                "--anchor".as_ref(),
                key.as_ref(),
            ]);
            assert_eq!(words.code, Some(1));
            assert!(words.out.starts_with("NOT VERIFIED"), "{words:?}");
        }
        let both = about("verify", data, &["--anchor", &own[0], "--anchor", &own[1]]);
        assert_eq!(both.code, Some(0), "{both:?}");
    }
    // The true node's keys, put beside the forged log, do not make it true either.
    let copy = Copy::of(&forged);
    let keys_in = |dir: &Path| dir.join("identity/keys.vkey");
    std::fs::copy(keys_in(&truth), keys_in(copy.path())).unwrap();
    found(&about("verify", copy.path(), &[]), None).unwrap();
}
