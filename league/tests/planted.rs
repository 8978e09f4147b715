//! The league on engines with a planted fault: each must be counted as what it is.

use std::process::Command;

use serde_json::Value;

/// Trials of each fault in a bounded run.
const TRIALS_EACH: u64 = 3;

/// Runs the league on one engine; its row.
fn row(engine: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_fieldnotary-league"))
        .args(["--bounded", "--json", "--seed", "1", "--step-seconds", "1"])
        .args(["--engines", engine])
        .output()
        .expect("the league starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let answer: Value = serde_json::from_str(&text).expect("its answer is JSON");
    answer.pointer("/rows/0").cloned().expect("it has a row")
}

/// Every trial of the engine counts under this key and no other.
fn check(engine: &str, key: &str) {
    let row = row(engine);
    let counted = |key| row.get(key).and_then(Value::as_u64);
    // Power is cut only where devices may be mounted.
    let trials = counted("trials").unwrap_or(0);
    assert!(
        [2 * TRIALS_EACH, 4 * TRIALS_EACH].contains(&trials),
        "{row}"
    );
    for other in [
        "silent_loss",
        "wrong_data",
        "refused_open",
        "refused_reading",
        "named_loss",
    ] {
        let expected = if other == key { trials } else { 0 };
        assert_eq!(counted(other), Some(expected), "{engine}: {other}: {row}");
    }
}

#[test]
fn a_loss_counts_unless_it_is_named() {
    check("planted/loses", "silent_loss");
    check("planted/misnames", "silent_loss");
    check("planted/names", "named_loss");
}

#[test]
fn altered_and_invented_records_count() {
    check("planted/alters", "wrong_data");
    check("planted/invents", "wrong_data");
}

#[test]
fn an_engine_that_refuses_panics_or_hangs_counts_as_refusing() {
    check("planted/refuses", "refused_open");
    check("planted/panics", "refused_open");
    check("planted/hangs", "refused_open");
    check("planted/falters", "refused_reading");
}

#[test]
fn an_engine_that_checks_nothing_passes_the_damage_on() {
    check("planted/sound", "sound");
    let row = row("planted/believes");
    assert_eq!(
        row["faults"]["bit_flip"]["wrong_data"], TRIALS_EACH,
        "{row}"
    );
}
