//! The account of what is missing, over changed schedules and a ring that has gone round.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Street};
use crate::common::{READY, about, fieldnotary, list, number, text, wait_until};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

/// Readings of a run before it is stopped.
const READINGS: u64 = 30;
/// Several slots of every schedule here.
const STOP: Duration = Duration::from_millis(1_500);

/// A contract over the TCP meters of a street: the pace, and which meters, each on its schedule.
fn contract(dir: &Path, every: &str, meters: &[(u64, &str)]) -> Contract {
    let about = std::fs::read_to_string(dir.join("street/street.json")).unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    let mut contract = Contract::new("example.org/gaps", "1MiB", 8)
        .port("net", Port::Tcp(text(&about, "tcp")), "500ms", "500ms")
        .schedule("often", every)
        .schedule("seldom", "500ms")
        .profile(
            "meter",
            &[
                ("energy", "holding:0", "u32", ""),
                ("voltage", "holding:2", "u16", ""),
            ],
        );
    let units: Vec<u64> = list(&about, "meters")
        .iter()
        .filter(|meter| text(meter, "port") == "tcp")
        .map(|meter| number(meter, "unit"))
        .collect();
    for (place, schedule) in meters {
        let unit = units[usize::try_from(*place).unwrap()];
        contract = contract.meter(&format!("m{place}"), "net", unit, schedule, "meter");
    }
    contract
}

fn utc_now() -> String {
    let said = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%S"])
        .output();
    String::from_utf8(said.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

/// The sum of missing readings of one meter and cause.
fn missing(gaps: &Value, meter: &str, cause: &str) -> u64 {
    let stretches = list(gaps, "missing").iter();
    let mine = stretches.filter(|one| one["meter_id"] == meter && one["cause"] == cause);
    mine.map(|one| number(one, "readings")).sum()
}

//= A4.2
//= A4.3
//= A4.6
#[test]
fn a_changed_schedule_leaves_a_true_account() {
    let dir = tempfile::tempdir().unwrap();
    let _street = Street::start(dir.path(), 6);
    let began = utc_now();
    // Pace up, pace down, a meter moved, a meter added, a schedule dropped and back again.
    let runs: [(&str, &[(u64, &str)]); 6] = [
        ("200ms", &[(0, "often"), (1, "seldom")]),
        ("100ms", &[(0, "often"), (1, "seldom")]),
        ("200ms", &[(0, "often"), (1, "often")]),
        ("200ms", &[(0, "often"), (1, "often"), (2, "often")]),
        ("200ms", &[(1, "seldom")]),
        ("200ms", &[(0, "often"), (1, "seldom")]),
    ];
    for (every, meters) in runs {
        let node = Node::start(dir.path(), "node", &contract(dir.path(), every, meters));
        node.wait_for("readings", READINGS);
        node.stop();
        std::thread::sleep(STOP);
    }
    let data = dir.path().join("node");
    let said = about("gaps", &data, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let gaps = said.json();
    assert_eq!(
        number(&gaps, "missing_explained"),
        number(&gaps, "missing_readings"),
        "{gaps}"
    );
    for one in list(&gaps, "missing") {
        // Seconds alone: the tail of the text is left out of the comparison.
        let (first, last) = (text(one, "first_utc"), text(one, "last_utc"));
        assert!(
            began.as_str() <= &first[..19] && last[..19] <= *utc_now(),
            "{one}"
        );
        assert!(number(one, "slots") < 1_000, "{one}");
    }
    // Two points, a slot every 100 to 500 ms, a stop of 1.5 s at least before each run but the first.
    let stops = |meter: &str| missing(&gaps, meter, "orderly_stop");
    assert!((5 + 10 + 5 + 5) * 2 < stops("m0"), "{gaps}");
    assert!((2 + 2 + 5 + 5 + 2) * 2 < stops("m1"), "{gaps}");
    // m2 came for one run: what it missed is the stop behind it.
    assert!((5 * 2..60).contains(&stops("m2")), "{gaps}");
    let one = about(
        "gaps",
        &data,
        &["--meter", "m2", "--from", &format!("{began}Z")],
    )
    .json();
    let all = list(&gaps, "meters").iter();
    let m2 = all.filter(|row| row["meter_id"] == "m2").cloned();
    assert_eq!(list(&one, "meters"), m2.collect::<Vec<_>>());
    let unknown = about("gaps", &data, &["--meter", "m9"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    let nothing = about("gaps", &data, &["--to", &began]).json();
    assert_eq!(number(&nothing, "due"), 0, "{nothing}");
    let words = fieldnotary([OsStr::new("gaps"), data.as_os_str()]);
    assert!(words.out.contains("due readings are missing"), "{words:?}");
}

//= A4.3
//= A5.2
#[test]
fn a_ring_that_has_gone_round_is_accounted_from_its_oldest_entry_on() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 3);
    let ring = street.contract(Contract::new("example.org/ring", "64KiB", 8));
    for _ in 0..2 {
        let node = Node::start(dir.path(), "node", &ring);
        let begins = wait_until("ring that has gone round", READY * 4, || {
            std::thread::sleep(Duration::from_millis(500));
            let gaps = about("gaps", node.data(), &[]).json();
            (text(&gaps, "begins") != "1:0").then(|| text(&gaps, "begins").to_owned())
        });
        let size = number(&node.status(), "log_size");
        node.wait_for("log_size", size + 50);
        let data = node.stop();
        let said = about("gaps", &data, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let gaps = said.json();
        assert_ne!(text(&gaps, "begins"), "1:0", "{begins}");
        assert!(list(&gaps, "meters").len() == 3, "{gaps}");
        // All but what came before the frozen state of the oldest segment is due and accounted for.
        let due = number(&gaps, "readings_due");
        let there = due - number(&gaps, "missing_readings");
        let captured = number(&gaps, "captured");
        assert!(
            there <= captured && captured < there + captured / 4,
            "{gaps}"
        );
    }
}
