//! A calibration on a whole node: an entry with its digest at every start, and one version is one scaling.

use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, fieldnotary, list, number, text, wait_until};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn contract(dir: &Path, scale: &str, version: &str) -> Contract {
    Contract::of(format!(
        "[station]\norigin = \"example.org/calibrated\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n\
         [[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = {:?}\n\n\
         [[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"second\"\nsample = \"100ms\"\n\
         scale = {scale:?}\nunit = \"degC\"\nrange = [\"-40\", \"85\"]\ncalibration = {version:?}\n\
         calibrated = \"2026-03-14\"\ncalibrated_by = \"ada\"\n",
        dir.join("hwmon0")
    ))
}

fn of_kind(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

/// Lets a node run until it has a value with this version, and stops it.
fn run(dir: &Path, scale: &str, version: &str) -> Value {
    let node = Node::start(dir, "node", &contract(dir, scale, version));
    let data = node.data().to_owned();
    let value = wait_until("a value", SOON, || {
        let mut rows = of_kind(&data, "analog").into_iter();
        rows.rfind(|row| row["calibration"] == version && row["value"].is_string())
    });
    node.stop();
    value
}

/// The start of a node with a contract that is refused, and `check` of the same: both in these words.
fn refused(dir: &Path, contract: &Contract, words: &[&str]) {
    let (config, data) = (dir.join("other.toml"), dir.join("node"));
    std::fs::write(&config, contract.toml()).unwrap();
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    for said in [
        fieldnotary(["check", config, "--data", data]),
        fieldnotary(["run", config, "--data", data, "--reason", "a test"]),
    ] {
        assert_ne!(said.code, Some(0), "{said:?}");
        for word in words {
            let shown = format!("{}{}", said.out, said.err);
            // Lines are wrapped for the screen.
            let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(word), "{word:?} in {flat}");
        }
    }
}

//= R3.3
//= R3.4
#[test]
fn a_scaling_that_changes_needs_a_version_of_its_own_and_the_log_shows_which_one_scaled_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::create_dir(dir.join("hwmon0")).unwrap();
    std::fs::write(dir.join("hwmon0/temp1_input"), "21500\n").unwrap();
    let data = dir.join("node");

    let first = run(dir, "0.001", "2026-03");
    let said = of_kind(&data, "calibration");
    let entry = said.first().unwrap();
    for (key, due) in [
        ("point_id", "temp"),
        ("source", "box"),
        ("channel", "temp1_input"),
        ("calibration", "2026-03"),
        ("scale", "0.001"),
        ("range_max", "85"),
        ("calibrated", "2026-03-14"),
        ("calibrated_by", "ada"),
    ] {
        assert_eq!(text(entry, key), due);
    }
    assert_eq!(number(entry, "contract"), number(&first, "contract"));
    let digest = text(entry, "digest").to_owned();
    assert_eq!(text(&first, "calibration_digest"), digest);

    // The same version for another scaling: refused with its line and what would be right, by `check` as by a start.
    let reused = contract(dir, "0.002", "2026-03");
    let words = [
        "knows calibration \"2026-03\" of this point as another scaling",
        &digest,
        "gets a version of its own",
        "ai.temp.calibration",
    ];
    refused(dir, &reused, &words);

    // Under its own name it comes in force, and the one before keeps its meaning also when it comes back.
    let second = run(dir, "0.002", "2026-09");
    assert_eq!(text(&second, "value"), "43.000");
    assert_ne!(text(&second, "calibration_digest"), digest);
    refused(dir, &reused, &words);
    let third = run(dir, "0.001", "2026-03");
    assert_eq!(text(&third, "calibration_digest"), digest);
    let versions: Vec<String> = of_kind(&data, "calibration")
        .iter()
        .map(|one| text(one, "calibration").to_owned())
        .collect();
    assert_eq!(versions, ["2026-03", "2026-09", "2026-03"]);

    let shown = fieldnotary(["log".as_ref(), data.as_os_str()]).out;
    let short = digest.get(..8).unwrap();
    for words in [
        // Whatever occasion it was written on.
        format!(", calibration 2026-03 ({short}), box temp1_input, seq"),
        format!(
            "temp calibration 2026-03 ({short}): raw x 0.001 + 0 degC, good from -40 to 85, made 2026-03-14 by ada, box temp1_input"
        ),
    ] {
        assert!(shown.contains(&words), "{words} in\n{shown}");
    }
    let verdict = about("verify", &data, &[]);
    assert_eq!(verdict.code, Some(0), "{verdict:?}");
    let findings = verdict.json();
    let odd = |one: &Value| one["kind"] == "calibration";
    assert!(!list(&findings, "findings").iter().any(odd), "{findings}");
}
