//! A meter that is not ours has its clock set by a whole node: not by one that does not know the time, once by one that does, and
//! what it shows then is measured. It needs root, for the network namespaces of the daemons that bring the time.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer};
use crate::common::{Said, about, fieldnotary, text, wait_until};
use crate::time_node::{Daemons, SYNCED};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const AHEAD_S: i64 = 4_000;

fn contract(peer: &Peer, meter: &str) -> Contract {
    Contract::of(format!(
        "[station]\norigin = \"example.org/clock-set\"\n\n[storage]\nsegment_size = \"4MiB\"\nsegments = 4\n\n\
         [[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n[[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\n\
         address = {:?}\ntimeout = \"500ms\"\nlate_reply = \"1s\"\n\n[[meter]]\nid = \"m1\"\nport = \"lan\"\nunit = 1\n\
         schedule = \"second\"\n{meter}\n\n[[meter.point]]\nid = \"clock\"\nregister = \"holding:0\"\ntype = \"u32\"\n\
         role = \"clock\"\n",
        peer.address()
    ))
}

fn set_clock(data: &Path, meter: &str, reason: &str, more: &[&str]) -> Said {
    let [verb, rest @ ..] = ["set-clock", meter, "--reason", reason].map(OsStr::new);
    let more = more.iter().map(OsStr::new);
    fieldnotary([verb, data.as_os_str()].into_iter().chain(rest).chain(more))
}

fn rows(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

fn wait_for_reading(node: &Node, quality: &str, patience: Duration) {
    wait_until("a reading", patience, || {
        std::thread::sleep(Duration::from_millis(200));
        let readings = rows(node.data(), "reading");
        let last = readings.last()?;
        (text(last, "time_quality") == quality).then_some(())
    });
}

/// The outcome of each order so far.
fn outcomes(data: &Path) -> Vec<String> {
    let said = rows(data, "clock_set");
    let words = said
        .iter()
        .map(|row| format!("{} {}", text(row, "outcome"), text(row, "reason")));
    words.collect()
}

//= U6
//= R6.7
#[test]
fn a_meters_clock_is_set_by_a_committed_order_and_only_by_a_node_that_knows_the_time() {
    let dir = tempfile::tempdir().unwrap();
    let ahead = AHEAD_S.to_string();
    let peer = Peer::of(dir.path(), "clock_meter.py", &["--ahead", &ahead]);

    // Nothing tells this node the time: it sets nothing by its own clock.
    let settable = "clock_register = \"holding:0\"";
    let node = Node::start(dir.path(), "node", &contract(&peer, settable));
    wait_for_reading(&node, "RTC_ONLY", PATIENCE);
    let said = set_clock(node.data(), "m1", "it runs off", &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("m1 refused (time_unsure)"), "{said:?}");
    // What nobody may ask, or of whom, leaves no order.
    for (meter, reason, code, words) in [
        (
            "m9",
            "it runs off",
            3,
            "the node has no meter \"m9\"; it has m1",
        ),
        ("m1", " ", 2, "say why, in words"),
    ] {
        let said = set_clock(node.data(), meter, reason, &[]);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
    }
    let data = node.stop();
    assert_eq!(rows(&data, "clock_order").len(), 1);
    let said = set_clock(&data, "m1", "it runs off", &[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("no node runs"), "{said:?}");

    // Daemons tell it; a register that the meter does not take the time in is declined.
    let daemons = Daemons::start();
    let elsewhere = daemons.contract(contract(&peer, "clock_register = \"holding:4\""));
    let node = Node::start(dir.path(), "node", &elsewhere);
    wait_for_reading(&node, "SYNCED", SYNCED);
    let said = set_clock(node.data(), "m1", "it runs off", &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("m1 failed (declined)"), "{said:?}");
    assert!(said.out.contains("with code 2"), "{said:?}");
    node.stop();

    let node = Node::start(
        dir.path(),
        "node",
        &daemons.contract(contract(&peer, settable)),
    );
    wait_for_reading(&node, "SYNCED", SYNCED);
    let before = rows(node.data(), "meter_life");
    assert_eq!(text(before.last().unwrap(), "clock_class"), ">=1h");
    let said = set_clock(
        node.data(),
        "m1",
        "it runs off",
        &["--actor", "Ada", "--json"],
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = said.json();
    assert_eq!(text(&told, "outcome"), "told", "{told}");
    assert_eq!(text(&told["seen"], "clock_class"), "<2s", "{told}");
    let data = node.stop();

    assert_eq!(
        outcomes(&data),
        ["refused time_unsure", "failed declined", "told none"]
    );
    let orders = rows(&data, "clock_order");
    let last = orders.last().unwrap();
    assert!(text(last, "actor").starts_with("Ada (uid "), "{last}");
    // Committed before anything was written.
    let set = rows(&data, "clock_set");
    for (order, set) in orders.iter().zip(&set) {
        assert_eq!(set["order"], order["commit_id"]);
    }
    let lives = rows(&data, "meter_life");
    assert_eq!(text(lives.last().unwrap(), "clock_class"), "<2s");
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    let words = about("log", &data, &["--kind", "clock_order"]);
    assert_eq!(words.code, Some(0));
}
