//! `cargo xtask kill-storm`: kills and power cuts under the journal on this kernel; and its verdict for CI
//! and the night.

use crate::failure::{Failure, Outcome};
use crate::guest;
use crate::run;
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;
use std::process::Command;

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

/// Parts of a short run, as they are counted, and of a whole one.
const BOUNDED: &[&str] = &["kills", "cuts"];
const WHOLE: &[&str] = &["kills", "cuts", "loop_cuts", "guest_cuts"];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn kill_storm(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let mut suite = built(workspace)?;
    let given = |word: &str| arguments.iter().any(|argument| argument == word);
    if !["--bounded", "--guest", "--help"].into_iter().any(given) {
        suite.arg("--guest").arg(guest::parts(workspace)?);
    }
    suite::become_suite(suite, arguments)
}

/// A short run for CI.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    let answer = suite::answer_of(built(workspace)?, &["--bounded", "--json"])?;
    verdict(&answer, BOUNDED)
}

/// The whole run for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    let mut suite = built(workspace)?;
    suite.arg("--guest").arg(guest::parts(workspace)?);
    verdict(&suite::answer_of(suite, &["--json"])?, WHOLE)
}

fn built(workspace: &Workspace) -> Result<Command, Failure> {
    run::status(&mut workspace.programs())?;
    Ok(Command::new(workspace.target().join("debug").join(PROGRAM)))
}

/// The answer in a line, if every promise held and every part was tried.
fn verdict(answer: &Value, parts: &[&str]) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let clean = BREACHES.iter().all(|key| number(key) == Some(0));
    let tried = parts.iter().all(|key| number(key) > Some(0));
    if clean && tried {
        let counts: Vec<String> = WHOLE
            .iter()
            .map(|key| format!("{} {}", number(key).unwrap_or(0), key.replace('_', " ")))
            .collect();
        return Ok(format!("{}; every promise held", counts.join(", ")));
    }
    Err(Failure::new(format!(
        "a promise did not hold, or a part was not tried: {answer}"
    )))
}

#[cfg(test)]
mod tests {
    use super::{BOUNDED, BREACHES, WHOLE, verdict};
    use serde_json::json;

    //= A5.4
    #[test]
    fn a_run_passes_only_if_every_count_is_there_and_nought_and_something_was_tried() {
        let mut sound = json!({"kills": 60, "cuts": 400, "loop_cuts": 6, "guest_cuts": 3});
        for key in BREACHES {
            sound[key] = json!(0);
        }
        assert!(
            verdict(&sound, WHOLE)
                .unwrap()
                .starts_with("60 kills, 400 cuts, 6 loop")
        );
        let planted = BREACHES.iter().map(|key| (*key, json!(1)));
        let absent = BREACHES.iter().map(|key| (*key, json!(null)));
        let idle = WHOLE.iter().map(|key| (*key, json!(0)));
        for (key, value) in planted.chain(absent).chain(idle) {
            let mut answer = sound.clone();
            answer[key] = value;
            assert!(verdict(&answer, WHOLE).is_err(), "{key}");
            let asked = BREACHES.contains(&key) || BOUNDED.contains(&key);
            assert_eq!(verdict(&answer, BOUNDED).is_err(), asked, "{key}");
        }
    }
}
