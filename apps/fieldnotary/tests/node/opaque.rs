//! Payloads that nobody here decodes, under a whole node: what a meter gave is what the log holds, proves and hands on.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use serde_json::Value;
use sha2::Digest;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(150);
/// Registers that are carried.
const REGISTERS: usize = 6;

fn contract(street: &Street) -> Contract {
    let mut contract = Contract::new("example.org/opaque", "4MiB", 4).schedule("slots", "1s");
    for port in list(street.description(), "ports") {
        let address = Port::Tcp(text(port, "address"));
        contract = contract.port(text(port, "name"), address, "400ms", "400ms");
    }
    let mut out = contract.toml().to_owned();
    for meter in list(street.description(), "meters") {
        let (name, port) = (text(meter, "name"), text(meter, "port"));
        out += &format!(
            "[[meter]]\nid = {name:?}\nport = {port:?}\nunit = {}\nschedule = \"slots\"\n\
             [[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\n\
             [[meter.point]]\nid = \"block\"\nregister = \"holding:0\"\nregisters = {REGISTERS}\n\
             payload = \"application/x-registers\"\n\n",
            number(meter, "unit")
        );
    }
    Contract::of(out)
}

//= U7
//= A4.3
#[test]
fn what_is_carried_is_committed_as_it_came_with_its_hash_and_its_label() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::with(dir.path(), &["--tcp", "127.0.0.1:0", "--meters", "2"], "");
    let node = Node::start(dir.path(), "node", &contract(&street));
    wait_until("payloads of both meters", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let rows = about("log", node.data(), &["--kind", "opaque"]).json_lines();
        (rows.len() >= 8).then_some(())
    });
    let data = node.stop();
    drop(street);
    let verified = about("verify", &data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let gaps = about("gaps", &data, &[]).json();
    let (explained, missing) = (
        number(&gaps, "missing_explained"),
        number(&gaps, "missing_readings"),
    );
    assert_eq!(
        (explained, number(&gaps, "duplicates")),
        (missing, 0),
        "{gaps}"
    );

    let log = about("log", &data, &[]).json_lines();
    let carried: Vec<&Value> = log.iter().filter(|row| row["kind"] == "opaque").collect();
    for row in &carried {
        let bytes = hex(text(row, "bytes"));
        assert_eq!(
            (bytes.len(), number(row, "length_bytes")),
            (2 * REGISTERS, 12),
            "{row}"
        );
        let digest: String = sha2::Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(text(row, "sha256"), digest, "{row}");
        assert_eq!(text(row, "content_type"), "application/x-registers");
        assert_eq!(row["quality"], "good");
        // The reading of the same session came in the same reply.
        let same = |one: &&Value| {
            one["kind"] == "reading"
                && one["meter_id"] == row["meter_id"]
                && one["seq"] == row["seq"]
        };
        let reading = log
            .iter()
            .find(same)
            .unwrap_or_else(|| panic!("alone: {row}"));
        assert_eq!(hex(text(reading, "raw")), bytes[..4], "{row}");
    }
    let of_point = about("log", &data, &["--point", "block"]).json_lines();
    assert_eq!(of_point.len(), carried.len());
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}
