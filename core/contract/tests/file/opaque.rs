//! Points that are carried and not decoded: what a file may say of them, and what it may not.

use crate::common::{only_error, with};
use fieldnotary_contract::{Contract, parse};

const BLOCK: &str =
    "register = \"holding:100\"\nregisters = 40\npayload = \"application/x-profile\"";

fn station(from: &str, to: &str) -> String {
    let text = with("register = \"holding:100\"\ntype = \"u16\"", BLOCK);
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn on_mbus(point: &str) -> String {
    format!(
        "[station]\norigin = \"example.org/s1\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/ttyS1\"\n\
         [[schedule]]\nid = \"hour\"\nevery = \"1h\"\n[[meter]]\nid = \"heat\"\nport = \"bus\"\nprimary = 5\n\
         schedule = \"hour\"\n[[meter.point]]\nid = \"all\"\n{point}\n"
    )
}

//= U7
//= R6.2
#[test]
fn a_payload_is_part_of_the_contract_and_comes_back_from_its_canonical_form() {
    let files = [
        station("registers = 40", "registers = 40"),
        station("registers = 40", "registers = 125"),
        station("application/x-profile", "application/octet-stream"),
        on_mbus("payload = \"application/x-mbus-frames\""),
        on_mbus("payload = \"application/octet-stream\"\nrecord = 3"),
        on_mbus("payload = \"application/octet-stream\"\nquantity = \"Volume\""),
    ];
    let mut seen = Vec::new();
    for text in files {
        let contract = parse(&text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let same = Contract::from_canonical(&contract.canonical());
        assert_eq!(same, Ok(contract.clone()));
        seen.push(contract.digest());
        let carried = contract.meters.values().flat_map(|meter| &meter.points);
        assert_eq!(
            carried.filter(|point| point.content_type.is_some()).count(),
            1
        );
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

//= U7
#[test]
fn a_payload_that_cannot_be_is_one_error_with_its_cure() {
    for (from, to, says) in [
        ("registers = 40\n", "", "says how many there are"),
        ("registers = 40", "registers = 0", "1 to 125"),
        ("registers = 40", "registers = 126", "1 to 125"),
        ("holding:100", "coil:100", "a payload is of registers"),
        ("holding:100", "holding:65500", "ends past 65535"),
        ("application/x-profile", "", "is no type of a content"),
        (
            "application/x-profile",
            "profile",
            "is no type of a content",
        ),
        ("application/x-profile", "a/b/c", "is no type of a content"),
        (
            "application/x-profile",
            "application/x profile",
            "is no type of a content",
        ),
        (
            "payload =",
            "unit = \"kWh\"\npayload =",
            "`unit` is of a number",
        ),
        (
            "payload =",
            "scale = \"0.1\"\npayload =",
            "`scale` is of a number",
        ),
        (
            "payload =",
            "type = \"u32\"\npayload =",
            "`type` is of a number",
        ),
        ("payload =", "role = \"counter\"\npayload =", "of a number"),
        (
            "\npayload = \"application/x-profile\"",
            "\ntype = \"u16\"",
            "this point is a number",
        ),
    ] {
        let text = station(from, to);
        let shown = only_error(&text).unwrap_or_else(|shown| panic!("{to}: {shown}"));
        assert!(shown.to_string().contains(says), "{to}: {shown}");
    }
    let label = "x".repeat(64);
    let long = station("application/x-profile", &format!("a/{label}"));
    let shown = only_error(&long).unwrap_or_else(|shown| panic!("{shown}"));
    assert!(shown.to_string().contains("at most 64"), "{shown}");
}
