//! A collector's directory in other hands: checkpoint, bundles, tiles, rows and holes.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, Flip, found, sound, sweep, sweep_with};
use crate::common::layout;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, length, list, number, text};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const ORIGIN: &str = "example.org/kept";
/// Bytes of large files are sampled this far apart, and all of them where it is said to be 1.
const STRIDE: usize = 53;
/// Files up to this size are harmed in every byte.
const SMALL_BYTES: usize = 1_024;
/// Entries whose rows are harmed.
const ROWS: usize = 24;

/// Lets a node run until a collector has cosigned so many entries more; stops both.
fn deliver(dir: &Path, entries: u64) -> (PathBuf, PathBuf) {
    deliver_under(dir, entries, usize::MAX)
}

/// The same, where the collector was given so many of the node's keys.
fn deliver_under(dir: &Path, entries: u64, pinned: usize) -> (PathBuf, PathBuf) {
    let street = Street::start(dir, 2);
    let mut keys = Node::keys(&dir.join("node"), ORIGIN);
    keys.truncate(pinned);
    let collector = Collector::start(dir, &keys);
    let contract = street
        .contract(Contract::new(ORIGIN, "256KiB", 8))
        .delivered_to(&collector);
    let node = Node::start(dir, "node", &contract);
    node.wait_for("cosigned_size", entries);
    let data = node.stop();
    (data, collector.stop())
}

/// The one log's folder.
fn log_folder(collector: &Path) -> PathBuf {
    let mut folders = std::fs::read_dir(collector.join("logs")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none(), "one log, one folder");
    folder
}

/// All files under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every byte of small files, of large ones a sample; of those files of the log whose names begin so.
fn flips(collector: &Path, kinds: &[&str]) -> Vec<Flip> {
    let stride = length("FIELDNOTARY_TAMPER_STRIDE", STRIDE);
    let mut flips = Vec::new();
    let log = log_folder(collector);
    let kept = files(&log);
    let is_of = |path: &Path, kind: &str| {
        let name = path.strip_prefix(&log).unwrap().to_str().unwrap();
        name.starts_with(kind)
    };
    for kind in kinds {
        let there = kept.iter().any(|path| is_of(path, kind));
        assert!(there, "no {kind} in {kept:?}");
    }
    for path in kept {
        if !kinds.iter().any(|kind| is_of(&path, kind)) {
            continue;
        }
        let bytes = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
        let step = if bytes <= SMALL_BYTES { 1 } else { stride };
        for offset in (0..bytes).step_by(step) {
            flips.push(Flip {
                file: path.strip_prefix(collector).unwrap().to_path_buf(),
                offset,
                entries: None,
            });
        }
    }
    flips
}

fn every_flip_is_found(kinds: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let (data, collector) = deliver(dir.path(), 40);
    sound(&data);
    sound(&collector);
    let flips = flips(&collector, kinds);
    println!("{} bytes of {}", flips.len(), collector.display());
    sweep(&collector, &flips);
}

//= A1.3
//= A4.1
//= U5
#[test]
fn every_flipped_bit_of_checkpoint_tiles_and_bundles_is_found() {
    every_flip_is_found(&["checkpoint", "tile/0/", "tile/entries/"]);
}

/// The node's keys as they lie beside its log, the authority's first.
fn anchors(data: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    let keys: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(keys.len(), 2, "{text}");
    keys
}

/// The checkpoint without one of its signature lines.
fn without_line(checkpoint: &str, line: usize) -> String {
    let (text, lines) = checkpoint.split_once("\n\n").unwrap();
    let kept = lines.lines().enumerate().filter(|(at, _)| *at != line);
    let kept: String = kept.map(|(_, line)| format!("{line}\n")).collect();
    format!("{text}\n\n{kept}")
}

/// Every line is checked and every line is due, whichever of the log's keys the auditor has.
//= A1.3
//= A4.1
//= U4
#[test]
fn every_flipped_bit_of_the_checkpoint_is_found_under_any_anchor() {
    for pinned in [2, 1] {
        let dir = tempfile::tempdir().unwrap();
        let (data, collector) = deliver_under(dir.path(), 20, pinned);
        let flips = flips(&collector, &["checkpoint"]);
        let keys = anchors(&data);
        let copy = Copy::of(&collector);
        let place = log_folder(copy.path()).join("checkpoint");
        let whole = std::fs::read_to_string(&place).unwrap();
        assert_eq!(whole.split_once("\n\n").unwrap().1.lines().count(), 3);
        // A collector that knows one key: the other line is the one that it took.
        let given = match pinned {
            2 => vec![&keys[..1], &keys[1..]],
            _ => vec![&keys[..1]],
        };
        for given in given {
            let words: Vec<&str> = given.iter().flat_map(|key| ["--anchor", key]).collect();
            let said = about("verify", &collector, &words);
            assert_eq!(said.code, Some(0), "{said:?}");
            sweep_with(&collector, &flips, &words);
            for line in 0..3 {
                std::fs::write(&place, without_line(&whole, line)).unwrap();
                let said = about("verify", copy.path(), &words);
                found(&said, None).unwrap_or_else(|words| panic!("no line {line}: {words}"));
            }
            std::fs::write(&place, &whole).unwrap();
        }
    }
}

//= A1.3
//= U4
#[test]
fn every_flipped_bit_of_what_names_the_log_and_its_predecessor_is_found() {
    every_flip_is_found(&["origin", "follows.json"]);
}

/// A row's own event id, wherever the database has it, is changed.
//= A1.3
//= A4.1
#[test]
fn a_changed_row_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_, collector) = deliver(dir.path(), 20);
    let rows = about("log", &collector, &[]).json_lines();
    let path = log_folder(&collector).join("rows.redb");
    let place = path.strip_prefix(&collector).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let copy = Copy::of(&collector);
    let step = rows.len().div_ceil(ROWS);
    for row in rows.iter().step_by(step) {
        let needle = format!("\"event_id\":{}", row["event_id"]);
        let places: Vec<usize> = (0..bytes.len())
            .filter(|at| bytes[*at..].starts_with(needle.as_bytes()))
            .collect();
        assert!(!places.is_empty(), "no row of {row}");
        let file = OpenOptions::new()
            .write(true)
            .open(copy.path().join(place))
            .unwrap();
        for at in places {
            let digit = at + needle.len() - 2;
            let other = [bytes[digit] ^ 1];
            file.write_all_at(&other, u64::try_from(digit).unwrap())
                .unwrap();
        }
        let said = about("verify", copy.path(), &[]);
        let id = number(row, "commit_id");
        found(&said, Some((id, id))).unwrap_or_else(|words| panic!("row of {row}: {words}"));
        std::fs::write(copy.path().join(place), &bytes).unwrap();
    }
    sound(copy.path());
}

/// What is done to a file.
type Act<'a> = Box<dyn Fn(&Path) + 'a>;

//= A1.3
//= A5.4
#[test]
fn files_that_are_removed_emptied_or_cut_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_, collector) = deliver(dir.path(), 20);
    let log = log_folder(&collector);
    let mut missed = Vec::new();
    for path in files(&log) {
        let place = path.strip_prefix(&collector).unwrap();
        let name = place.display().to_string();
        // What the collector remembers for itself is no evidence.
        if name.contains("/state/") {
            continue;
        }
        let whole = std::fs::read(&path).unwrap();
        let deeds: [(&str, Act<'_>); 3] = [
            (
                "removed",
                Box::new(|file| std::fs::remove_file(file).unwrap()),
            ),
            (
                "emptied",
                Box::new(|file| std::fs::write(file, b"").unwrap()),
            ),
            (
                "cut",
                Box::new(|file| std::fs::write(file, &whole[..whole.len() / 2]).unwrap()),
            ),
        ];
        for (what, deed) in deeds {
            // A partial tile that a fuller one replaced may go; what is left must still be right.
            if what == "removed" && name.contains(".p/") {
                continue;
            }
            let copy = Copy::of(&collector);
            deed(&copy.path().join(place));
            let said = about("verify", copy.path(), &[]);
            if let Err(words) = found(&said, None) {
                missed.push(format!("{name} {what}: {words}"));
            }
        }
    }
    assert!(missed.is_empty(), "{}: {missed:#?}", missed.len());
}

/// A node loses a frame, starts again and delivers what is left: the node's directory, the collector's,
/// and first and last entry lost.
fn deliver_with_a_hole(dir: &Path) -> (PathBuf, PathBuf, (u64, u64)) {
    let street = Street::start(dir, 2);
    let base = || street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let keys = Node::keys(&dir.join("node"), ORIGIN);
    let data = Node::grow(dir, "node", &base(), 50);
    let journal = layout::read(&data);
    let newest = journal.segments.last().unwrap();
    let frame = newest.frames[newest.frames.len() / 2];
    let file = OpenOptions::new().write(true).open(&newest.path).unwrap();
    let payload = u64::try_from(frame.header_end).unwrap();
    file.write_all_at(&[0xff; 64], payload).unwrap();
    let lost = (frame.first, frame.last());
    found(&about("verify", &data, &[]), Some(lost)).unwrap();

    let collector = Collector::start(dir, &keys);
    let contract = base().delivered_to(&collector);
    let node = Node::start(dir, "node", &contract);
    node.wait_for("cosigned_size", number(&node.status(), "log_size") + 20);
    assert_eq!(node.stop(), data);
    (data, collector.stop(), lost)
}

//= A4.1
//= A4.3
//= A5.4
#[test]
fn a_lost_frame_is_a_hole_that_the_log_names_at_node_and_collector() {
    let dir = tempfile::tempdir().unwrap();
    let (data, kept, lost) = deliver_with_a_hole(dir.path());
    for place in [&data, &kept] {
        let said = about("verify", place, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let report = said.json();
        let named = list(&report, "findings").iter().any(|finding| {
            text(finding, "kind") == "loss_named"
                && (number(finding, "first"), number(finding, "last")) == lost
        });
        assert!(named, "{lost:?} is not named: {report}");
        let loss = about("log", place, &["--kind", "loss"]).entries();
        assert_eq!(loss.len(), 1, "{loss:?}");
        assert_eq!(number(&loss[0], "first"), lost.0);
        assert_eq!(number(&loss[0], "count"), lost.1 + 1 - lost.0);
    }
}

//= A1.3
//= A4.1
#[test]
fn every_flipped_bit_of_the_list_of_holes_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_, kept, _) = deliver_with_a_hole(dir.path());
    sweep(&kept, &flips(&kept, &["holes.json"]));
}
