//! The example and the documentation say what the parser does.

use crate::rendering::same_as_file;
use fieldnotary_contract::{ContractErrors, EXAMPLE, Preset, SECTIONS, parse, reference};
use std::path::PathBuf;

const DOC: &str = "../../docs/configuration.md";
const BEGIN: &str = "<!-- begin of the reference; a test of core/contract writes it -->\n";
const END: &str = "<!-- end of the reference -->\n";

//= R6.2
#[test]
fn the_example_is_sound_and_complete() {
    let contract =
        parse(EXAMPLE).map_err(|errors| ContractErrors::new("example", &errors).to_string());
    let contract = contract.expect("sound");
    assert_eq!(contract.warnings(), []);
    for section in SECTIONS {
        for header in section.header.split(" and ") {
            assert!(EXAMPLE.contains(header), "the example shows {header}");
        }
        for key in section.keys.iter().filter(|key| key.kind != "tables") {
            // What only few stations have stands there as a comment.
            let shown = ["", "# "].iter();
            let mut shown = shown.map(|mark| format!("\n{mark}{} = ", key.name));
            let found = shown.any(|line| EXAMPLE.contains(&line));
            assert!(found, "the example shows `{}`", key.name);
        }
    }
}

//= R6.2
#[test]
fn the_documentation_holds_every_key() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(DOC);
    let doc = std::fs::read_to_string(path).expect("docs/configuration.md is there");
    let (before, rest) = doc.split_once(BEGIN).expect("the reference begins");
    let (_, after) = rest.split_once(END).expect("the reference ends");
    same_as_file(
        DOC,
        &format!("{before}{BEGIN}\n{}{END}{after}", reference()),
    );
    for section in SECTIONS {
        for key in section.keys {
            assert!(doc.contains(&format!("| `{}` |", key.name)), "{}", key.name);
        }
    }
}

/// A declared default that could not be read would be refused as if the file were wrong.
#[test]
fn every_default_can_be_spelt_out() {
    let mut text = String::new();
    for section in SECTIONS.iter().filter(|section| {
        let headers = ["[storage]", "[seal]"];
        headers.contains(&section.header)
    }) {
        text += &format!("{}\n", section.header);
        for key in section.keys {
            match key.preset {
                Preset::Text(value) => text += &format!("{} = \"{value}\"\n", key.name),
                Preset::Number(value) => text += &format!("{} = {value}\n", key.name),
                Preset::Stated("none") => {}
                Preset::Required | Preset::Stated(_) => panic!("{} has no default", key.name),
            }
        }
    }
    let station = "[station]\norigin = \"example.org/s1\"\n";
    let spelt = parse(&format!("{station}{text}")).expect("sound");
    assert_eq!(spelt.digest(), parse(station).expect("sound").digest());
}

/// The station's own points stand in the example as comments; without their marks they are sound.
//= R6.2
#[test]
fn the_commented_tables_of_the_example_are_sound() {
    let (before, points) = EXAMPLE
        .split_once("takes the marks away.\n")
        .expect("they are there");
    let points: Vec<&str> = points
        .lines()
        // A sentence stays a comment.
        .filter(|line| !line.starts_with("# ") || line.contains(" = ") || line.contains("[["))
        .map(|line| line.trim_start_matches("# "))
        .collect();
    let contract = parse(&format!("{before}\n{}\n", points.join("\n")));
    let contract = contract.map_err(|errors| ContractErrors::new("example", &errors).to_string());
    let points = contract.expect("sound").points;
    let counts = [
        points.cards.len(),
        points.inputs.len(),
        points.pulses.len(),
        points.analogs.len(),
        points.supplies.len(),
        points.environments.len(),
        points.resets.len(),
        points.digital_outputs.len(),
        points.analog_outputs.len(),
        points.modems.len(),
    ];
    assert_eq!(counts, [6, 5, 1, 2, 1, 2, 1, 2, 1, 1]);
}
