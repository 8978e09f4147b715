//! A collector's directory in other hands: checkpoint, bundles, tiles, rows and holes.

mod common;

use common::contract::Contract;
use common::damage::{Copy, Flip, found, sound, sweep};
use common::layout;
use common::sites::{Collector, Node, Street};
use common::{about, length, list, number, text, wait_until};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/kept";
/// Bytes of large files are sampled this far apart, and all of them where it is said to be 1.
const STRIDE: usize = 53;
/// Files up to this size are harmed in every byte.
const SMALL_BYTES: usize = 1_024;
/// Entries whose rows are harmed.
const ROWS: usize = 24;

/// Lets a node run until a collector has cosigned so many entries more; stops both.
fn deliver(dir: &Path, entries: u64) -> (PathBuf, PathBuf) {
    let street = Street::start(dir, 2);
    let keys = Node::keys(&dir.join("node"), ORIGIN);
    let collector = Collector::start(dir, &keys);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 8)).uplink(
        &collector.address,
        &collector.key,
        &collector.tls,
    );
    let node = Node::start(dir, "node", &contract);
    let wanted = number(&node.status(), "cosigned_size") + entries;
    wait_until("cosignature", Duration::from_secs(60), || {
        (number(&node.status(), "cosigned_size") >= wanted).then_some(())
    });
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

/// Every byte of small files, of large ones a sample; the database of rows is a case of its own.
fn flips(collector: &Path) -> Vec<Flip> {
    let stride = length("FIELDNOTARY_TAMPER_STRIDE", STRIDE);
    let mut flips = Vec::new();
    let log = log_folder(collector);
    let kept = files(&log);
    for kind in ["checkpoint", "tile/0/", "tile/entries/"] {
        let there = |path: &PathBuf| {
            let name = path.strip_prefix(&log).unwrap().to_str().unwrap();
            name.starts_with(kind)
        };
        assert!(kept.iter().any(there), "no {kind} in {kept:?}");
    }
    for path in kept {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "rows.redb" {
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

//= A1.3
//= A4.1
//= U5
#[test]
fn every_flipped_bit_of_a_collectors_log_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (data, collector) = deliver(dir.path(), 40);
    sound(&data);
    sound(&collector);
    let flips = flips(&collector);
    println!("{} bytes of {}", flips.len(), collector.display());
    sweep(&collector, &flips);
    every_row_is_checked(&collector);
    whatever_is_done_to_files_is_found(&collector);
}

/// A row's own CRC, wherever the database has it, is changed.
fn every_row_is_checked(collector: &Path) {
    let rows = about("log", collector, &[]).json_lines();
    let path = log_folder(collector).join("rows.redb");
    let place = path.strip_prefix(collector).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let copy = Copy::of(collector);
    let step = rows.len().div_ceil(ROWS);
    for row in rows.iter().step_by(step) {
        let needle = format!("\"event_id\":{}", row["event_id"]);
        let places: Vec<usize> = (0..bytes.len())
            .filter(|at| bytes[*at..].starts_with(needle.as_bytes()))
            .collect();
        assert!(!places.is_empty(), "no row of {row}");
        let file = std::fs::OpenOptions::new()
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

/// Files that are removed, cut, doubled or given a stranger for company.
fn whatever_is_done_to_files_is_found(collector: &Path) {
    let log = log_folder(collector);
    let mut missed = Vec::new();
    for path in files(&log) {
        let place = path.strip_prefix(collector).unwrap();
        let name = place.display().to_string();
        let whole = std::fs::read(&path).unwrap();
        type Deed<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>);
        let deeds: [Deed<'_>; 3] = [
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
            let copy = Copy::of(collector);
            deed(&copy.path().join(place));
            let said = about("verify", copy.path(), &[]);
            if let Err(words) = found(&said, None) {
                missed.push(format!("{name} {what}: {words}"));
            }
        }
    }
    assert!(missed.is_empty(), "{}: {missed:#?}", missed.len());
}

/// A node loses a frame, starts again, and delivers what is left: the hole is named on both sides.
//= A4.1
//= A4.3
//= A5.4
#[test]
fn a_lost_frame_is_a_named_hole_and_its_hashes_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let base = || street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let node = Node::start(dir.path(), "node", &base());
    wait_until("growing log", Duration::from_secs(60), || {
        (number(&node.status(), "log_size") >= 60).then_some(())
    });
    let data = node.stop();
    let journal = layout::read(&data);
    let newest = journal.segments.last().unwrap();
    let frame = newest.frames[newest.frames.len() / 2];
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&newest.path)
        .unwrap();
    let payload = u64::try_from(frame.header_end).unwrap();
    file.write_all_at(&[0xff; 64], payload).unwrap();
    drop(file);
    let lost = (frame.first, frame.last());
    found(&about("verify", &data, &[]), Some(lost)).unwrap();

    let collector = Collector::start(dir.path(), &keys);
    let contract = base().uplink(&collector.address, &collector.key, &collector.tls);
    let node = Node::start(dir.path(), "node", &contract);
    let wanted = number(&node.status(), "log_size") + 20;
    wait_until("cosignature", Duration::from_secs(60), || {
        (number(&node.status(), "cosigned_size") >= wanted).then_some(())
    });
    assert_eq!(node.stop(), data);
    let kept = collector.stop();
    for place in [&data, &kept] {
        let said = about("verify", place, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let report = said.json();
        let named = list(&report, "findings").iter().any(|finding| {
            text(finding, "kind") == "loss_named"
                && (number(finding, "first"), number(finding, "last")) == lost
        });
        assert!(named, "{lost:?} is not named: {report}");
    }
    let holes = log_folder(&kept).join("holes.json");
    let bytes = std::fs::metadata(&holes).unwrap().len();
    let flips: Vec<Flip> = (0..usize::try_from(bytes).unwrap())
        .map(|offset| Flip {
            file: holes.strip_prefix(&kept).unwrap().to_path_buf(),
            offset,
            entries: None,
        })
        .collect();
    sweep(&kept, &flips);
}
