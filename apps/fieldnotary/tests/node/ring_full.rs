//! A ring that is full while the collector is away: what has to go is named first, and delivery goes on.

use crate::common::about;
use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{list, number};
use serde_json::Value;
use std::path::Path;

const ORIGIN: &str = "example.org/small";
/// Entries that a ring of this size cannot hold, however they are grouped.
const MORE_THAN_THE_RING: u64 = 1_500;

/// The smallest ring that there is.
fn contract(street: &Street) -> Contract {
    street.contract(Contract::new(ORIGIN, "64KiB", 8))
}

/// The LOSS entries of a log that say that entries were given up: first and count.
fn given_up(dir: &Path) -> Vec<(u64, u64)> {
    let said = about("log", dir, &["--kind", "loss"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let rows = said.entries();
    let pruned = |row: &&Value| row["cause"] == "pruned";
    rows.iter()
        .filter(pruned)
        .map(|row| (number(row, "first"), number(row, "count")))
        .collect()
}

/// Verifies, and gives how many entries from the first on are verified.
fn verified(dir: &Path) -> Value {
    let said = about("verify", dir, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()
}

/// Every due slot without a reading has an entry that explains it.
fn explained(dir: &Path) {
    let said = about("gaps", dir, &[]).json();
    let missing = number(&said, "missing_readings");
    assert!(missing > 0, "{said}");
    assert_eq!(number(&said, "missing_explained"), missing, "{said}");
}

/// Delivery begins at nothing, at a size in the middle, and goes on over a restart of the node.
//= A1.2
//= A4.3
//= A5.4
//= A5.6
#[test]
fn a_collector_that_was_away_for_too_long_gets_the_rest_and_the_name_of_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let mut collector = Collector::start(dir.path(), &keys);
    let contract = contract(&street).delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("cosigned_size", 40);
    collector.leave();
    node.wait_for("log_size", MORE_THAN_THE_RING);
    let status = node.status();
    let cosigned = number(&status, "cosigned_size");
    assert!(
        number(&status["anchors"]["commit"], "commit_id_gap") > 0,
        "{status}"
    );
    let given = number(&status["lost"], "given_up_entries");
    assert!(
        given > 0 && number(&status["lost"], "given_up_end") == cosigned + given,
        "{status}"
    );
    let data = node.stop();
    let losses = given_up(&data);
    assert!(!losses.is_empty());
    assert!(
        number(&verified(&data), "cosigned_entries") >= cosigned,
        "the cosignature stays"
    );
    // A stop and a start later the node still knows what it gave up, and gives up more.
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("log_size", 2 * MORE_THAN_THE_RING);
    collector.come_back(&keys);
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size);
    // Long after the LOSS entries have left the ring the node knows what the collector has by name alone.
    node.wait_for("log_size", size + MORE_THAN_THE_RING);
    let told = node.status();
    let told = list(&told["lost"], "told");
    assert_eq!(
        told.first().map(|range| number(range, "first")),
        Some(cosigned)
    );
    let data = node.stop();
    let kept = collector.stop();
    verified(&data);
    verified(&kept);
    explained(&kept);
    let first = losses.iter().map(|(first, _)| *first).min();
    assert_eq!(first, Some(cosigned), "given up from what is cosigned on");
}

/// A node without an uplink keeps the newest entries; whoever collects later learns where they begin.
//= A5.4
#[test]
fn an_uplink_set_late_begins_behind_what_has_left_the_ring() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let alone = contract(&street);
    let data = Node::grow(dir.path(), "node", &alone, MORE_THAN_THE_RING);
    assert!(given_up(&data).is_empty(), "nobody was promised these");
    let collector = Collector::start(dir.path(), &keys);
    let joined = contract(&street).delivered_to(&collector);
    let node = Node::start(dir.path(), "node", &joined);
    node.wait_for("cosigned_size", MORE_THAN_THE_RING);
    let data = node.stop();
    let kept = collector.stop();
    verified(&data);
    verified(&kept);
    let losses = given_up(&kept);
    assert_eq!(losses.first().map(|loss| loss.0), Some(0), "{losses:?}");
    // What was named early and could still be read when the collector came was delivered after all.
    let named_to = losses.iter().map(|(first, count)| first + count).max();
    let rows = about("log", &kept, &[]).entries();
    let first = number(&rows[0], "commit_id");
    assert!(first > 0 && Some(first) <= named_to, "{}", rows[0]);
}
