//! A memory that is not ours: pymodbus serves a meter with a load profile, and what a node missed is filled from it.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer};
use crate::common::{about, number, text, wait_until};
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(150);
/// Seconds from slot to slot, and from record to record.
const EVERY_S: u64 = 2;

/// What the peer had counted at a time.
fn count(at_s: u64) -> u64 {
    at_s * 7 % 1_000_000_007
}

//= U3
//= A4.3
#[test]
fn what_was_missed_is_filled_from_the_memory_of_a_meter_that_is_not_ours() {
    let dir = tempfile::tempdir().unwrap();
    let every = EVERY_S.to_string();
    let peer = Peer::of(dir.path(), "memory_meter.py", &["--every", &every]);
    let contract = Contract::of(format!(
        "[station]\norigin = \"example.org/memory-peer\"\n\n[storage]\nsegment_size = \"4MiB\"\nsegments = 4\n\n\
         [[schedule]]\nid = \"slots\"\nevery = \"{EVERY_S}s\"\n\n[[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\n\
         address = {:?}\ntimeout = \"200ms\"\nlate_reply = \"400ms\"\n\n[[meter]]\nid = \"m1\"\nport = \"lan\"\nunit = 1\n\
         schedule = \"slots\"\nmemory = \"input:1000\"\nmemory_records = 64\nmemory_width = 4\n\
         memory_every = \"{EVERY_S}s\"\n\n[[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\n\
         memory_offset = 2\n",
        peer.address()
    ));
    let read =
        |data: &std::path::Path, kind: &str| about("log", data, &["--kind", kind]).json_lines();
    let node = Node::start(dir.path(), "node", &contract);
    wait_until("a reading", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        (read(node.data(), "reading").len() > 1).then_some(())
    });
    let data = node.stop();
    std::thread::sleep(Duration::from_secs(4 * EVERY_S));
    let node = Node::start(dir.path(), "node", &contract);
    wait_until("what was missed while the node was down", PATIENCE, || {
        std::thread::sleep(Duration::from_secs(1));
        (read(&data, "backfill").len() >= 3).then_some(())
    });
    let data = node.stop();

    let found = read(&data, "backfill");
    let found: Vec<&Value> = found
        .iter()
        .filter(|row| row["outcome"] == "found")
        .collect();
    assert!(found.len() >= 3, "{found:?}");
    for row in found {
        let (_, slot) = text(row, "slot").split_once(':').unwrap();
        let due_s = slot.parse::<u64>().unwrap() * EVERY_S;
        assert_eq!(number(row, "meter_time_s"), due_s, "{row}");
        assert_eq!(text(row, "value"), count(due_s).to_string(), "{row}");
    }
    let gaps = about("gaps", &data, &[]).json();
    assert!(number(&gaps, "missing_backfilled") >= 3, "{gaps}");
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
