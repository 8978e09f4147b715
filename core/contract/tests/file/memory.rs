//! A meter's own memory: what a file may say of it, and what it may not.

use crate::common::{only_error, with};
use fieldnotary_contract::{Contract, MemoryOrder, parse};

const MEMORY: &str = "unit = 1\nmemory = \"holding:1000\"\nmemory_records = 96\nmemory_width = 4\nmemory_every = \"15min\"";

fn station(from: &str, to: &str) -> String {
    let text = with("unit = 1 # one", MEMORY)
        .replace("scale = \"0.01\"", "scale = \"0.01\"\nmemory_offset = 2");
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

//= U3
//= R6.2
#[test]
fn a_memory_is_part_of_the_contract_and_comes_back_from_its_canonical_form() {
    let mut seen = Vec::new();
    for (from, to) in [
        ("", ""),
        ("holding:1000", "input:1000"),
        ("memory_records = 96", "memory_records = 95"),
        ("memory_width = 4", "memory_width = 5"),
        (
            "memory_every = \"15min\"",
            "memory_every = \"5min\"\nmemory_order = \"newest-first\"",
        ),
        (
            "memory_every = \"15min\"",
            "memory_every = \"15min\"\nmemory_order = \"ring\"",
        ),
        (
            "memory_width = 4",
            "memory_width = 4\nclock_zone = \"+00:00\"\nmemory_order = \"ring\"",
        ),
    ] {
        let text = station("memory_every", "memory_every").replacen(
            from,
            to,
            usize::from(!from.is_empty()),
        );
        let contract = parse(&text).unwrap_or_else(|errors| panic!("{to}: {errors:?}"));
        assert_eq!(
            Contract::from_canonical(&contract.canonical()),
            Ok(contract.clone())
        );
        seen.push(contract.digest());
        let memory = contract
            .meters
            .values()
            .find_map(|meter| meter.memory)
            .unwrap();
        let ring = memory.order == MemoryOrder::Ring;
        assert_eq!(ring, to.contains("ring"));
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

//= U3
#[test]
fn a_memory_that_cannot_be_is_one_error_with_its_cure() {
    for (from, to, says) in [
        ("memory_records = 96\n", "", "`memory_records` is missing"),
        ("memory = \"holding:1000\"\n", "", "`memory` is missing"),
        (
            "memory_width = 4",
            "memory_width = 2",
            "a record of 2 registers",
        ),
        (
            "memory_width = 4",
            "memory_width = 126",
            "one read carries 125",
        ),
        (
            "memory_width = 4",
            "memory_width = 3",
            "ends behind the 3 registers",
        ),
        ("memory_records = 96", "memory_records = 0", "0 records"),
        (
            "memory_records = 96",
            "memory_records = 20000",
            "at most 16134",
        ),
        ("holding:1000", "coil:1000", "a memory of bits"),
        (
            "memory_every = \"15min\"",
            "memory_every = \"1500ms\"",
            "whole seconds",
        ),
        (
            "memory_every = \"15min\"",
            "memory_every = \"10min\"",
            "is a multiple of `memory_every`",
        ),
        (
            "memory_every = \"15min\"",
            "memory_every = \"15min\"\nmemory_order = \"rign\"",
            "did you mean \"ring\"?",
        ),
        ("memory_offset = 2", "memory_offset = 1", "is its time"),
        ("\nmemory_offset = 2", "", "give a point `memory_offset`"),
    ] {
        let text = station(from, to);
        let shown = only_error(&text).unwrap_or_else(|shown| panic!("{to}: {shown}"));
        assert!(shown.to_string().contains(says), "{to}: {shown}");
    }
    let nowhere = with("scale = \"0.01\"", "scale = \"0.01\"\nmemory_offset = 2");
    let shown = only_error(&nowhere).unwrap_or_else(|shown| panic!("{shown}"));
    assert!(shown.to_string().contains("the meter no memory"), "{shown}");
}
