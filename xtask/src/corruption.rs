//! `cargo xtask corruption`: the suite that damages whole logs, built with optimisation.

use crate::failure::{Failure, Outcome};
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;

/// What must be nought.
const COUNTS: [&str; 8] = [
    "silent_loss",
    "wrong_data",
    "invented",
    "refused_open",
    "undetected",
    "inexact_loss",
    "false_alarm",
    "panics",
];

/// Builds the suite and becomes it: its answer is the last that is printed.
pub(crate) fn corruption(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_program(workspace, "fieldnotary-sim", "corruption", arguments)
}

/// A sample of every kind for CI.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    let arguments = ["--bounded", "--json"];
    verdict(&suite::answer(
        workspace,
        "fieldnotary-sim",
        "corruption",
        &arguments,
    )?)
}

/// Every case, for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer(
        workspace,
        "fieldnotary-sim",
        "corruption",
        &["--json"],
    )?)
}

fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let clean = COUNTS.iter().all(|key| number(key) == Some(0));
    match number("cases") {
        Some(cases) if clean && cases > 0 => {
            let touched = number("touched").unwrap_or(0);
            Ok(format!(
                "{cases} damages, {touched} of them to the log, all named exactly"
            ))
        }
        _ => Err(Failure::new(format!("the suite found something: {answer}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, verdict};
    use serde_json::json;

    #[test]
    fn the_suite_passes_only_if_every_count_is_there_and_nought() {
        let mut sound = json!({ "cases": 9, "touched": 5 });
        for key in COUNTS {
            sound[key] = json!(0);
        }
        assert!(verdict(&sound).unwrap().starts_with("9 damages"));
        for key in COUNTS {
            for value in [json!(1), json!(null)] {
                let mut planted = sound.clone();
                planted[key] = value;
                assert!(verdict(&planted).is_err(), "{key}");
            }
        }
        sound["cases"] = json!(0);
        assert!(verdict(&sound).is_err());
    }
}
