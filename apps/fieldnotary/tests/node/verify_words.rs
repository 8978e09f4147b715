//! What verify says where something is missing, damaged or given up: the words an auditor acts on.

use crate::common::contract::Contract;
use crate::common::damage::Copy;
use crate::common::layout;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, about, fieldnotary, list, number, text};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

const ORIGIN: &str = "example.org/words";
/// Entries that a ring of the smallest size cannot hold, however they are grouped.
const MORE_THAN_THE_RING: u64 = 1_500;

fn verify(dir: &Path, more: &[&str]) -> Said {
    let words = ["verify".as_ref(), dir.as_os_str()].into_iter();
    fieldnotary(words.chain(more.iter().map(AsRef::as_ref)))
}

fn check(said: &Said, code: i32, words: &[&str], never: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing:\n{all}");
    }
    for word in never {
        assert!(!all.contains(word), "{word:?} is there:\n{all}");
    }
}

//= A1.3
//= A5.4
#[test]
fn what_is_missing_is_called_missing_and_what_was_pinned_is_called_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 8));
    let data = Node::grow(dir.path(), "node", &contract, 300);
    let anchor = ["--anchor", keys[0].as_str()];
    check(
        &verify(&data, &anchor),
        0,
        &["\nunsealed", "not signed yet"],
        &["UNANCHORED"],
    );
    for file in ["truth.fnt", "ring.json"] {
        let copy = Copy::of(&data);
        std::fs::remove_file(layout::folder(copy.path()).join(file)).unwrap();
        let words = ["NOT VERIFIED: ", "\nagainst    the key you pinned", file];
        check(&verify(copy.path(), &anchor), 1, &words, &["UNANCHORED"]);
    }
    let journal = layout::read(&data);
    let file = |copy: &Copy| {
        let path = &journal.segments[1].path;
        copy.path().join(path.strip_prefix(&data).unwrap())
    };
    let copy = Copy::of(&data);
    std::fs::remove_file(file(&copy)).unwrap();
    let name = format!("{} is missing", file(&copy).display());
    check(
        &verify(copy.path(), &anchor),
        1,
        &[&name],
        &["header of lap", "frame are damaged"],
    );
    let copy = Copy::of(&data);
    crate::common::damage::truncate(&file(&copy), 4_096);
    check(
        &verify(copy.path(), &anchor),
        1,
        &["has 4096 bytes, 65536 are due"],
        &["header of lap"],
    );
    // Damage below a checkpoint changes nothing about the tail that no checkpoint speaks of.
    let copy = Copy::of(&data);
    let frame = journal.segments[1].frames[1];
    let harmed = OpenOptions::new().write(true).open(file(&copy)).unwrap();
    harmed
        .write_all_at(&[0xff; 64], u64::try_from(frame.header_end).unwrap())
        .unwrap();
    check(
        &verify(copy.path(), &anchor),
        1,
        &["not signed yet"],
        &["under no signed checkpoint"],
    );
}

//= A1.3
//= U4
#[test]
fn under_a_wrong_key_nothing_of_a_collector_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let others = Node::keys(&dir.path().join("other"), "example.org/other");
    let same = Node::keys(&dir.path().join("same"), ORIGIN);
    let collector = Collector::start(dir.path(), &keys);
    let contract = street
        .contract(Contract::new(ORIGIN, "256KiB", 4))
        .delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 40);
    node.stop();
    let kept = collector.stop();
    check(
        &verify(&kept, &["--anchor", &keys[0]]),
        0,
        &["(under a signed checkpoint that holds)"],
        &[],
    );
    for wrong in [&others, &same] {
        let words = [
            "NOT VERIFIED",
            "sealed     none: no checkpoint holds under the key you pinned",
        ];
        let never = ["under a signed checkpoint that holds"];
        check(&verify(&kept, &["--anchor", &wrong[0]]), 1, &words, &never);
    }
    // The file with the keys in the place of one of them.
    let file = dir.path().join("node/identity/keys.vkey");
    let file = file.to_str().unwrap();
    let words = ["that is a file", "one of the lines"];
    check(&verify(&kept, &["--anchor", file]), 2, &words, &[]);
    // A key of the same name: what leads is not the first entry that it did not sign.
    for place in [&kept, &dir.path().join("node")] {
        for key in &same {
            let words = ["NOT VERIFIED: the key you pinned is none of those that sealed this log"];
            check(&verify(place, &["--anchor", key]), 1, &words, &[]);
        }
        let never = ["none of those that sealed"];
        check(&verify(place, &["--anchor", &keys[0]]), 0, &[], &never);
    }
}

/// The collector is away for longer than the ring lasts; afterwards nobody says that it holds everything.
//= A5.4
#[test]
fn what_was_given_up_is_a_hole_and_not_held_by_the_collector() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let mut collector = Collector::start(dir.path(), &keys);
    let contract = street
        .contract(Contract::new(ORIGIN, "64KiB", 8))
        .delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 40);
    collector.leave();
    node.wait_for("log_size", MORE_THAN_THE_RING);
    collector.come_back(&keys);
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size);
    // First the LOSS entries tell it, and once they have left the ring the state frozen in it.
    let held = |data: &Path| {
        let kept = about("verify", data, &[]);
        assert_eq!(kept.code, Some(0), "{kept:?}");
        let report = kept.json();
        let named = list(&report, "findings").iter();
        let named: Vec<_> = named
            .filter(|one| text(one, "kind") == "loss_named")
            .collect();
        let first = named.iter().map(|one| number(one, "first")).min().unwrap();
        let last = named.iter().map(|one| number(one, "last")).max().unwrap();
        let words = [
            "(stored outside but for the holes named below, by the collector's word)",
            "the collector holds them, but for ",
            "given up and named",
        ];
        check(&verify(data, &[]), 0, &words, &[]);
        (first, last)
    };
    let soon = held(node.data());
    node.wait_for("log_size", size + MORE_THAN_THE_RING);
    let late = held(node.data());
    assert_eq!(soon.0, late.0);
    // What was named early and could still be delivered is held after all.
    assert!(late.1 <= soon.1, "{late:?} after {soon:?}");
    node.stop();
    let kept = collector.stop();
    check(
        &verify(&kept, &[]),
        0,
        &["stored outside but for the holes named below"],
        &[],
    );
    let report = about("verify", &kept, &[]).json();
    // What the collector had stored, and not cosigned, when the node gave it up is no hole of its.
    let holes = list(&report, "findings").iter();
    let holes: Vec<_> = holes
        .filter(|one| text(one, "kind") == "loss_named")
        .collect();
    assert!(!holes.is_empty(), "{report}");
    for hole in holes {
        let within = late.0 <= number(hole, "first") && number(hole, "last") <= late.1;
        assert!(within, "{late:?} {hole}");
    }
}
