//! Supplies that the street plays.

use super::{Fault, PATIENCE, compared, contract, found_out, street};
use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, list, text, wait_until};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

const SUPPLIES: &str = "\
[[supply]]
name = \"vbat\"
[[supply]]
name = \"v5\"
mv = 5000
ripple_mv = 5
";

/// Each longer than a busy node takes to look.
const FAULTS_OF_SUPPLIES: &[Fault] = &[
    (
        "supply",
        "vbat",
        "sag",
        "fall_ms = 200\nfrom_s = 5.5\nfor_s = 1",
    ),
    ("supply", "vbat", "brownout", "from_s = 7.1\nfor_s = 1"),
    (
        "supply",
        "vbat",
        "uvlo",
        "to_mv = 8000\nfrom_s = 8.7\nfor_s = 1",
    ),
    ("supply", "v5", "loss", "from_s = 8\nfor_s = 1"),
];

fn supplies_contract(description: &Value) -> Contract {
    let mut rest = String::new();
    for supply in list(description, "supplies") {
        let (name, path, channel) = (
            text(supply, "name"),
            text(supply, "path"),
            text(supply, "channel"),
        );
        let limits = match name {
            "vbat" => "droop = \"11.5\"\nbrownout = \"10.5\"\nuvlo = \"9\"\nhysteresis = \"0.2\"\n",
            _ => "droop = \"4.8\"\n",
        };
        let _ = writeln!(
            rest,
            "[[card]]\nid = \"card-{name}\"\nkind = \"hwmon\"\npath = {path:?}\n\n\
             [[power]]\nid = {name:?}\ncard = \"card-{name}\"\nchannel = {channel:?}\nsample = \"20ms\"\n{limits}"
        );
    }
    contract(&rest)
}

//= A7.2
#[test]
fn supplies_that_sag_brown_out_and_are_lost_have_the_excursions_that_were_played() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let street = street(dir, SUPPLIES, FAULTS_OF_SUPPLIES);
    let node = Node::start(dir, "node", &supplies_contract(street.description()));
    wait_until("a supply that is back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        let rows = about("log", node.data(), &["--kind", "excursion"]).json_lines();
        let mut rows = rows.iter();
        rows.any(|row| row["change"] == "left" && row["band"] == "uvlo")
            .then_some(())
    });
    let data = node.stop();
    let said = street.stop();
    let (log, played) = compared(&data, &said);
    let of = |point: &str, change: &str| {
        let rows = log
            .iter()
            .filter(|row| row["point_id"] == point && row["change"] == change);
        rows.filter_map(|row| row["band"].as_str().or(Some("-")))
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    assert!(played.excursions >= 15, "{played:?}");
    let mut entered = of("vbat", "entered");
    entered.sort();
    assert_eq!(
        entered,
        ["brownout", "brownout", "droop", "droop", "droop", "uvlo"]
    );
    assert_eq!(
        (of("v5", "lost"), of("v5", "entered")),
        (vec!["-".to_owned()], vec![])
    );
    let left =
        |row: &Value| row["point_id"] == "vbat" && row["change"] == "left" && row["band"] == "uvlo";
    found_out(
        &said,
        &log,
        left,
        "extreme",
        json!("8.900"),
        "at the furthest",
    );
    let entered = |row: &Value| row["point_id"] == "vbat" && row["change"] == "entered";
    found_out(
        &said,
        &log,
        entered,
        "value",
        json!("7.000"),
        "did not stand there",
    );
}
