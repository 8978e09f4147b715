//! A flood of readings turns the ring again and again; events and starts stay, each proven into the tree.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, fieldnotary};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const ORIGIN: &str = "example.org/kept";

fn ids(data: &Path, kind: &str) -> Vec<u64> {
    let said = about("log", data, &["--kind", kind]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json_lines()
        .iter()
        .map(|line| line["commit_id"].as_u64().unwrap())
        .collect()
}

fn verified(data: &Path) -> Value {
    let said = about("verify", data, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()
}

/// The first entry that the segments still hold.
fn oldest(verified: &Value) -> u64 {
    let findings = verified["findings"].as_array().unwrap();
    let retired = findings.iter().find(|finding| finding["kind"] == "retired");
    retired.map_or(0, |finding| finding["last"].as_u64().unwrap() + 1)
}

//= A5.7
//= A5.8
//= R1.1
#[test]
fn a_flood_of_readings_evicts_neither_events_nor_starts() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 2));
    let data = Node::grow(dir.path(), "node", &contract, 120);
    let (first_events, first_epochs) = (ids(&data, "event"), ids(&data, "epoch"));
    assert!(first_events.len() > 2, "{first_events:?}");
    for _ in 0..2 {
        Node::grow(dir.path(), "node", &contract, 120);
    }
    let after = verified(&data);
    let oldest = oldest(&after);
    assert!(
        oldest > *first_events.last().unwrap(),
        "the ring has turned: {oldest}"
    );
    assert!(ids(&data, "reading").first().unwrap() >= &oldest);
    let (events, epochs) = (ids(&data, "event"), ids(&data, "epoch"));
    assert!(
        events.starts_with(&first_events),
        "{events:?} {first_events:?}"
    );
    assert!(epochs.starts_with(&first_epochs));
    assert_eq!(epochs.len(), 3, "one start each: {epochs:?}");
    let kept = after["kept"].as_array().unwrap();
    for (store, entries) in [("soe", &events), ("audit", &epochs)] {
        let ring = kept.iter().find(|ring| ring["store"] == store).unwrap();
        assert_eq!(ring["first"], 0);
        assert!(ring["end"].as_u64().unwrap() >= oldest);
        let gone = entries.iter().filter(|id| **id < oldest).count() as u64;
        assert!(ring["entries"].as_u64().unwrap() >= gone, "{ring} {gone}");
    }

    self_tests_are_clear(&data);
    restored(dir.path(), &data, &events);
    damaged(&data);
}

/// What was kept of older runs is looked at as well.
fn self_tests_are_clear(data: &Path) {
    let said = fieldnotary(["journal", "selftest", data.to_str().unwrap(), "--json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let report = said.json();
    let tests = report["tests"].as_array().unwrap();
    let verdict = |name: &str| {
        let test = tests.iter().find(|test| test["name"] == name).unwrap();
        test["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(tests.len(), 5);
    assert_eq!(verdict("duplicates"), "clear");
    assert_eq!(verdict("recovery"), "clear");
}

/// A backup takes the keep-rings along.
fn restored(dir: &Path, data: &Path, events: &[u64]) {
    let (backup, other) = (dir.join("backup"), dir.join("other"));
    let to = ["--to", backup.to_str().unwrap()];
    assert_eq!(about("backup", data, &to).code, Some(0));
    let words = [
        "restore",
        backup.to_str().unwrap(),
        "--data",
        other.to_str().unwrap(),
        "--reason",
        "drill",
    ];
    let said = fieldnotary(words);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(ids(&other, "event"), events);
    verified(&other);
}

/// A changed byte of what is kept is found, and what is kept elsewhere still reads.
fn damaged(data: &Path) {
    let path = data.join("journal/g000001/keep-soe/seg-0000.fnj");
    let mut bytes = std::fs::read(&path).unwrap();
    let mut frames = bytes
        .chunks(4_096)
        .enumerate()
        .filter(|(_, block)| block.starts_with(b"FNKP"));
    let (block, _) = frames.next().unwrap();
    assert!(frames.next().is_some(), "more than one frame is kept");
    bytes[block * 4_096 + 300] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let said = about("verify", data, &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let report = said.json();
    let findings = report["findings"].as_array().unwrap();
    let damaged: Vec<_> = findings
        .iter()
        .filter(|finding| finding["failure"] == true)
        .collect();
    assert!(
        damaged
            .iter()
            .any(|finding| finding["words"].as_str().unwrap().contains("keep-soe")),
        "{findings:?}"
    );
    assert_eq!(ids(data, "epoch").len(), 3);
}

/// The entries that tell of what did not pass by a keep-ring.
fn unkept(data: &Path) -> Vec<Value> {
    let said = about("log", data, &["--kind", "unkept"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json_lines()
}

/// The files of a keep-ring cannot be opened any more, as on a medium that is gone: the ring of the log turns
/// all the same, and entries say of each stretch that leaves that it was not kept.
//= A5.7
#[test]
fn a_keep_ring_whose_medium_fails_keeps_nobody_waiting_and_each_stretch_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    // Long enough that nothing has left it before the medium fails.
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 4));
    let data = Node::grow(dir.path(), "node", &contract, 10);
    assert!(unkept(&data).is_empty());
    let ring = Medium::of(&data.join("journal/g000001/keep-audit"), dir.path());
    ring.fail();
    Node::grow(dir.path(), "node", &contract, 400);
    // Each names its own stretch, one behind the other, up to where the segments begin.
    let said = unkept(&data);
    let mut reached = 0;
    for one in &said {
        assert_eq!(
            (&one["store"], &one["cause"]),
            (&json!("audit"), &json!("unopened")),
            "{one}"
        );
        assert!(one["says"].as_str().unwrap().contains("seg-"), "{one}");
        assert_eq!(one["first"], reached, "{said:?}");
        reached += one["count"].as_u64().unwrap();
    }
    // What was to be kept has left the segments: whoever verifies is told as well, and the rest is sound.
    let report = about("verify", &data, &[]).json();
    assert_eq!(oldest(&report), reached, "the ring has turned: {report}");
    let told = report["findings"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .filter(|one| one["kind"] == "keep_incomplete")
        .collect();
    assert_eq!(told.len(), 1, "the whole stretch: {report}");
    assert_eq!(
        (&told[0]["first"], &told[0]["last"]),
        (&json!(0), &json!(reached - 1))
    );
    let kept = report["kept"].as_array().unwrap();
    let soe = kept.iter().find(|ring| ring["store"] == "soe").unwrap();
    assert!(soe["end"].as_u64().unwrap() >= oldest(&report));

    // The medium comes back: what it could not take meanwhile is no damage of it.
    ring.come_back();
    Node::grow(dir.path(), "node", &contract, 400);
    let told = incomplete(&data);
    let [(first, last, _)] = &told[..] else {
        panic!("one stretch: {told:?}");
    };
    assert_eq!(*first, 0, "{told:?}");
    assert!(
        *last >= reached - 1 && *last < oldest(&verified(&data)),
        "{told:?}"
    );
}

/// The medium of a keep-ring: while it fails, directories lie in the places of its files.
struct Medium {
    ring: PathBuf,
    aside: PathBuf,
    files: Vec<OsString>,
}

impl Medium {
    fn of(ring: &Path, dir: &Path) -> Self {
        let files = std::fs::read_dir(ring).unwrap();
        let names = files.map(|file| file.unwrap().file_name());
        Self {
            ring: ring.to_owned(),
            aside: dir.join("aside"),
            files: names
                .filter(|name| name.to_string_lossy().ends_with(".fnj"))
                .collect(),
        }
    }

    fn fail(&self) {
        std::fs::create_dir(&self.aside).unwrap();
        for file in &self.files {
            std::fs::rename(self.ring.join(file), self.aside.join(file)).unwrap();
            std::fs::create_dir(self.ring.join(file)).unwrap();
        }
    }

    fn come_back(&self) {
        for file in &self.files {
            std::fs::remove_dir(self.ring.join(file)).unwrap();
            std::fs::rename(self.aside.join(file), self.ring.join(file)).unwrap();
        }
    }
}

/// Somebody removes a keep-ring: it is made anew, and the log says what is not there any more.
//= A5.7
#[test]
fn a_keep_ring_that_was_removed_is_made_anew_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 2));
    let data = Node::grow(dir.path(), "node", &contract, 400);
    let before = oldest(&verified(&data));
    assert!(before > 0, "the ring has turned");
    std::fs::remove_dir_all(data.join("journal/g000001/keep-audit")).unwrap();
    Node::grow(dir.path(), "node", &contract, 10);
    let said = unkept(&data);
    let [told] = &said[..] else {
        panic!("told once: {said:?}");
    };
    assert_eq!(
        (&told["store"], &told["cause"]),
        (&json!("audit"), &json!("empty")),
        "{told}"
    );
    let entry = told["commit_id"].as_u64().unwrap();
    assert!(data.join("journal/g000001/keep-audit").exists());
    // Whoever verifies is told as well; also when the entry that tells has left the segments.
    let told = incomplete(&data);
    let [(0, last, words)] = &told[..] else {
        panic!("told once: {told:?}");
    };
    assert!(entry >= before && words.contains("removed"), "{told:?}");
    assert_eq!(last + 1, before, "{told:?}");
    Node::grow(dir.path(), "node", &contract, 400);
    assert!(oldest(&verified(&data)) > entry, "the ring has turned");
    assert_eq!(incomplete(&data), told);
}

/// What a verification that holds says of incomplete keep-rings: first and last entry, and why.
fn incomplete(data: &Path) -> Vec<(u64, u64, String)> {
    let report = verified(data);
    let findings = report["findings"].as_array().unwrap();
    let told = findings
        .iter()
        .filter(|one| one["kind"] == "keep_incomplete");
    told.map(|one| {
        assert_eq!(one["failure"], false, "{one}");
        let words = one["words"].as_str().unwrap();
        let [first, last] = ["first", "last"].map(|end| one[end].as_u64().unwrap());
        (first, last, words.to_owned())
    })
    .collect()
}
