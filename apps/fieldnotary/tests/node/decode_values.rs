//! `fieldnotary decode mbus --json` against values that were not made by it: those worked out by hand beside our own telegrams, and those that are
//! kept beside the telegrams of real meters.

/// The comparison, which is that of the library's tests.
#[path = "../../../../protocols/mbus/tests/values/mod.rs"]
pub(crate) mod values;

use crate::decode::{framed, said};
use crate::mbus_node::corpus as kept;
use serde_json::Value;
use std::path::Path;
use values::{Ours, RECORDS_MIN, differences, judge, xml};

/// The program's answer to a telegram in hexadecimal, which is whole and valid.
fn told(name: &str, telegram: &str) -> Value {
    let said = said(&["mbus", "-", "--json"], telegram.as_bytes());
    assert_eq!(said.code, Some(0), "{name}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A record of the program's answer in the words of the comparison.
fn ours(record: &Value) -> Ours {
    let invalid = record["invalid"].as_str();
    Ours {
        bytes: word(&record["bytes"]).unwrap(),
        function: word(&record["function"]).unwrap(),
        unit: word(&record["unit"]),
        quantity: word(&record["quantity"]),
        value: invalid.map_or_else(
            || word(&record["value"]),
            |why| Some(format!("invalid: {why}")),
        ),
        storage: record["storage"].to_string(),
        tariff: record["tariff"].to_string(),
        device: record["device"].to_string(),
    }
}

//= A3.2
#[test]
fn every_value_of_our_own_telegrams_is_the_one_worked_out_by_hand() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mbus/telegrams.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let (mut telegrams, mut records) = (0, 0);
    for telegram in text.split("\ntelegram ").skip(1) {
        let lines = telegram
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut lines = lines.peekable();
        let name = lines.next().unwrap();
        let head = lines.next().unwrap().strip_prefix("head ").unwrap();
        let due: Vec<Vec<&str>> = lines.map(|line| line.split(" | ").collect()).collect();
        let bytes: Vec<&str> = due.iter().filter_map(|row| row.first().copied()).collect();
        let told = told(
            name,
            &framed(&format!("68 00 00 68 {head} {}", bytes.join(" "))),
        );
        let found = told["records"].as_array().unwrap();
        assert_eq!(found.len(), due.len(), "{name}: {found:#?}");
        for (record, due) in found.iter().zip(&due) {
            let ours = ours(record);
            let none = || String::from("none");
            let found = [
                // A filler before a record is no part of it.
                ours.bytes,
                ours.function,
                ours.storage,
                ours.tariff,
                ours.device,
                ours.quantity.unwrap_or_else(none),
                ours.unit.unwrap_or_else(none),
                ours.value.unwrap_or_else(none),
            ];
            let due: Vec<&str> = due
                .iter()
                .map(|part| part.trim_matches('"').trim_start_matches("2F "))
                .collect();
            assert_eq!(found.each_ref().map(String::as_str), due[..], "{name}");
            records += 1;
        }
        let follows = due.iter().any(|row| row.contains(&"More records follow"));
        assert_eq!(told["more_records_follow"], follows, "{name}");
        telegrams += 1;
    }
    assert_eq!((telegrams, records), (7, 42));
}

//= A3.2
#[test]
fn every_value_of_real_telegrams_is_the_one_kept_beside_it() {
    let Some(folder) = kept::folder() else { return };
    let (mut records, mut found) = (0, Vec::new());
    for path in kept::telegrams(&folder) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let told = told(&file, &std::fs::read_to_string(&path).unwrap());
        let (slave, due) = xml::read(&path.with_extension("norm.xml"));
        let head = &told["application"];
        for (named, ours) in [
            ("Id", &head["id"]),
            ("Manufacturer", &head["manufacturer"]),
            ("Version", &head["version"]),
            ("Medium", &head["medium"]),
            ("AccessNumber", &head["access_number"]),
            ("Status", &head["status"]["byte"]),
            ("Signature", &head["signature"]),
        ] {
            if let (Some(ours), Some(due)) = (word(ours), slave.text(named)) {
                assert_eq!(ours, due, "{file} {named}");
            }
        }
        let ours_all = told["records"].as_array().unwrap();
        assert_eq!(ours_all.len(), due.len(), "{file}");
        for (record, theirs) in ours_all.iter().zip(&due) {
            differences(&file, &ours(record), theirs, &mut found);
        }
        records += due.len();
    }
    assert!(records >= RECORDS_MIN, "{records}");
    judge(&found);
}
