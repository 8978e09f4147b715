//! A collector that was killed at work, or whose directory was copied while it ran: its log verifies, its
//! derived rows are repaired by the next start, and a crash is never called tampering.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, found};
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, about, length, list, number, text};
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/killed";
/// How often a collector is killed.
const KILLS: usize = 6;

/// The kinds of the findings that a verification told.
fn kinds(said: &Said) -> Vec<String> {
    let report = said.json();
    let findings = list(&report, "findings").iter();
    findings.map(|one| text(one, "kind").to_owned()).collect()
}

fn rows(collector: &Path) -> PathBuf {
    let mut folders = std::fs::read_dir(collector.join("logs")).unwrap();
    folders.next().unwrap().unwrap().path().join("rows.redb")
}

fn tells(said: &Said, kind: &str) -> bool {
    kinds(said).iter().any(|one| one == kind)
}

//= A1.3
//= A4.7
#[test]
fn a_killed_collector_verifies_before_and_after_its_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let mut collector = Collector::start(dir.path(), &keys);
    let contract = street
        .contract(Contract::new(ORIGIN, "1MiB", 4))
        .delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 20);
    let mut unclean = 0;
    for round in 0..length("FIELDNOTARY_COLLECTOR_KILLS", KILLS) {
        let wanted = number(&node.status(), "cosigned_size") + 20;
        node.wait_for("cosigned_size", wanted);
        // Somewhere in the course of a second, in which a head is sealed and delivered.
        let part = u64::try_from(round * 170 % 1_000).unwrap();
        std::thread::sleep(Duration::from_millis(part));
        // A copy of one that runs has its rows torn at the worst, which is said.
        let copy = Copy::of(collector.dir());
        collector.kill();
        let said = about("verify", collector.dir(), &["--anchor", &keys[0]]);
        assert_eq!(said.code, Some(0), "{said:?}");
        unclean += u32::from(tells(&said, "not_closed"));
        let whole = about("log", copy.path(), &[]);
        assert_eq!(whole.code, Some(0), "{whole:?}");
        let copied = about("verify", copy.path(), &["--anchor", &keys[0]]);
        if copied.code != Some(0) {
            assert!(
                copied.out.contains("copied while a collector wrote it"),
                "{copied:?}"
            );
        }
        collector.come_back(&keys);
    }
    assert!(unclean > 0, "no kill left the rows unclean");
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size);
    node.stop();
    let kept = collector.stop();
    let said = about("verify", &kept, &[]);
    assert_eq!((said.code, kinds(&said)), (Some(0), Vec::new()), "{said:?}");
}

/// Nobody gets a changed row past by leaving the database unclean.
//= A1.3
//= A4.1
#[test]
fn a_changed_row_is_found_in_rows_that_were_not_closed() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let mut collector = Collector::start(dir.path(), &keys);
    let contract = street
        .contract(Contract::new(ORIGIN, "1MiB", 4))
        .delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 40);
    node.stop();
    collector.kill();
    let kept = collector.dir().to_path_buf();
    let said = about("verify", &kept, &[]);
    assert!(
        said.code == Some(0) && tells(&said, "not_closed"),
        "{said:?}"
    );
    let path = rows(&kept);
    let whole = std::fs::read(&path).unwrap();
    for row in about("log", &kept, &[]).json_lines().iter().step_by(7) {
        let needle = format!("\"event_id\":{}", row["event_id"]);
        let mut bytes = whole.clone();
        let places: Vec<usize> = (0..bytes.len())
            .filter(|at| bytes[*at..].starts_with(needle.as_bytes()))
            .collect();
        assert!(!places.is_empty(), "no row of {row}");
        for at in places {
            bytes[at + needle.len() - 2] ^= 1;
        }
        std::fs::write(&path, &bytes).unwrap();
        let said = about("verify", &kept, &[]);
        found(&said, None).unwrap_or_else(|words| panic!("row of {row}: {words}"));
    }
    std::fs::write(&path, &whole).unwrap();
    collector.come_back(&keys);
    collector.leave();
    let said = about("verify", &kept, &[]);
    assert_eq!((said.code, kinds(&said)), (Some(0), Vec::new()), "{said:?}");
}
