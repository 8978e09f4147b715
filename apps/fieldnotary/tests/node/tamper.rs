//! A node's directory in other hands: whatever is changed, exchanged or signed anew is found.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, Flip, found, sound, sweep};
use crate::common::layout::{self, FIXED_BYTES, SEGMENT_HEADER_BYTES, SLOT_BYTES, SLOT_COPIES};
use crate::common::sites::{Node, Street};
use crate::common::{about, fieldnotary, length, list, number, text, wait_until};
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/tamper";
/// Bytes of these files are sampled this far apart, and all of them where it is said to be 1.
const STRIDE: usize = 293;
/// In a log that is there to show another shape, one of so many of them is enough.
const SPARSE: usize = 11;

fn stride() -> usize {
    length("FIELDNOTARY_TAMPER_STRIDE", STRIDE)
}

/// Every byte of fixed headers, every one of the first frame, of everything else a sample.
fn flips(data: &Path) -> Vec<Flip> {
    let journal = layout::read(data);
    let mut flips = Vec::new();
    let relative = |path: &Path| path.strip_prefix(data).unwrap().to_path_buf();
    let sampled = |at: &usize| at.is_multiple_of(stride());
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
        let in_slots = offset < SLOT_COPIES * SLOT_BYTES;
        let in_fixed = in_slots && offset % SLOT_BYTES < FIXED_BYTES + 80;
        // The lease tables are large and mostly zeros.
        let sparsely = offset.is_multiple_of(4 * stride()) || (in_slots && sampled(&offset));
        if in_fixed || sparsely || stride() == 1 {
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
    let data = Node::grow(dir.path(), "node", &contract, 50);
    sound(&data);
    let flips = flips(&data);
    println!("{} bytes of {}", flips.len(), data.display());
    sweep(&data, &flips);
}

/// A node's directory whose first laps were written over, and its oldest frame.
fn after_a_second_round(dir: &Path) -> (PathBuf, (PathBuf, layout::Frame)) {
    let street = Street::start(dir, 6);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 4));
    let node = Node::start(dir, "node", &contract);
    wait_until("second round", Duration::from_secs(60), || {
        let lap = layout::newest_lap(node.data());
        (lap > 6).then_some(())
    });
    let data = node.stop();
    let verified = about("verify", &data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let report = verified.json();
    let findings = list(&report, "findings");
    assert_eq!(text(&findings[0], "kind"), "retired", "{report}");
    let journal = layout::read(&data);
    let oldest = &journal.segments[0];
    (data, (oldest.path.clone(), oldest.frames[0]))
}

//= A1.3
//= A5.4
#[test]
fn every_flipped_bit_is_found_after_the_ring_went_round() {
    let dir = tempfile::tempdir().unwrap();
    let (data, (path, frame)) = after_a_second_round(dir.path());
    let in_oldest =
        |flip: &Flip| path.ends_with(&flip.file) && (frame.begin..frame.end).contains(&flip.offset);
    let sampled: Vec<Flip> = flips(&data)
        .into_iter()
        .filter(|flip| !in_oldest(flip))
        .step_by(SPARSE)
        .collect();
    println!("{} bytes of {}", sampled.len(), data.display());
    sweep(&data, &sampled);
}

/// The tree before the oldest frame stands in the header of its segment, and again in the next frame.
//= A1.3
//= A5.4
#[test]
fn damage_to_the_oldest_frame_is_named_and_the_rest_is_still_verified() {
    let dir = tempfile::tempdir().unwrap();
    let (data, (path, frame)) = after_a_second_round(dir.path());
    let whole = number(&about("verify", &data, &[]).json(), "entries");
    let flips: Vec<Flip> = [0, 60, 100, 130, 165, frame.payload_end - frame.begin - 1]
        .into_iter()
        .map(|place| Flip {
            file: path.strip_prefix(&data).unwrap().to_path_buf(),
            offset: frame.begin + place,
            entries: Some((frame.first, frame.last())),
        })
        .collect();
    sweep(&data, &flips);
    let copy = Copy::of(&data);
    flips[0].apply(copy.path());
    let report = about("verify", copy.path(), &[]).json();
    assert!(
        number(&report, "entries") + frame.count >= whole,
        "{whole} entries were there: {report}"
    );
}

//= A1.3
//= U5
#[test]
fn a_log_signed_by_other_keys_fails_against_the_pinned_key() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 8));
    let keys = ["true", "forged"].map(|name| Node::keys(&dir.path().join(name), ORIGIN));
    let [truth, forged] =
        ["true", "forged"].map(|name| Node::grow(dir.path(), name, &contract, 30));
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
