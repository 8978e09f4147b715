//! `cargo xtask kill-storm`: kills and power cuts under the journal on this kernel; and its verdict for CI
//! and the night.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::workspace::Workspace;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The suite's package and program.
const PROGRAM: &str = "fieldnotary-powercut";
/// Counts that must be nought.
const BREACHES: [&str; 8] = [
    "silent_loss",
    "doubted_loss",
    "wrong_data",
    "invented",
    "refused_open",
    "false_alarm",
    "torn_slot_doubts",
    "undetected",
];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn kill_storm(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let mut suite = built(workspace)?;
    suite.args(arguments);
    Err(Failure::new(format!(
        "`{}` cannot be started: {}",
        run::shown(&suite),
        suite.exec()
    )))
}

/// A short run for CI.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    verdict(&answer(workspace, &["--bounded", "--json"])?)
}

/// The whole run for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&answer(workspace, &["--json"])?)
}

fn built(workspace: &Workspace) -> Result<Command, Failure> {
    run::status(workspace.cargo().args(["build", "-p", PROGRAM]))?;
    Ok(Command::new(workspace.target().join("debug").join(PROGRAM)))
}

fn answer(workspace: &Workspace, arguments: &[&str]) -> Result<Value, Failure> {
    // Its exit code says no more than its answer.
    let output = built(workspace)?
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("the suite cannot be started: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim())
        .map_err(|error| Failure::new(format!("the suite's answer is not JSON: {error}: {text}")))
}

/// The answer in a line, if every promise held and something was tried.
fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let clean = BREACHES.iter().all(|key| number(key) == Some(0));
    let tried = ["kills", "cuts"].iter().all(|key| number(key) > Some(0));
    if clean && tried {
        return Ok(format!(
            "{} kills, {} cuts, every promise held",
            number("kills").unwrap_or(0),
            number("cuts").unwrap_or(0)
        ));
    }
    Err(Failure::new(format!("a promise did not hold: {answer}")))
}

#[cfg(test)]
mod tests {
    use super::{BREACHES, verdict};
    use serde_json::json;

    //= A5.4
    #[test]
    fn a_run_passes_only_if_every_count_is_there_and_nought_and_something_was_tried() {
        let mut sound = json!({"kills": 60, "cuts": 400});
        for key in BREACHES {
            sound[key] = json!(0);
        }
        assert!(verdict(&sound).unwrap().starts_with("60 kills, 400 cuts"));
        let planted = BREACHES.iter().map(|key| (*key, json!(1)));
        let absent = BREACHES.iter().map(|key| (*key, json!(null)));
        let idle = ["kills", "cuts"].map(|key| (key, json!(0)));
        for (key, value) in planted.chain(absent).chain(idle) {
            let mut answer = sound.clone();
            answer[key] = value;
            assert!(verdict(&answer).is_err(), "{key}");
        }
    }
}
