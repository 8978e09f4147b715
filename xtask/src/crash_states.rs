//! `cargo xtask crash-states`: the suite of crash states, built for speed; and its short form for CI.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;
use std::process::Command;

/// What a short run opens the engine on at least.
const STATES_BOUNDED_MIN: u64 = 1_000_000;
/// What a whole run does.
const STATES_MIN: u64 = 100_000_000;
/// What must never happen.
const BREACHES: [&str; 7] = [
    "silent_loss",
    "wrong_data",
    "invented",
    "refused_open",
    "panics",
    "false_alarm",
    "stuck",
];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed, and
/// its exit code is this program's.
pub(crate) fn crash_states(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(prepared(workspace)?, arguments)
}

/// A million states for CI; every promise must hold.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    verdict(
        &suite::answer_of(prepared(workspace)?, &["--bounded", "--json"])?,
        STATES_BOUNDED_MIN,
    )
}

/// All of them for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(
        &suite::answer_of(prepared(workspace)?, &["--json"])?,
        STATES_MIN,
    )
}

fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    let mut cargo = workspace.cargo();
    run::status(cargo.args(["build", "--release", "-p", "fieldnotary-sim", "--bins"]))?;
    Ok(Command::new(
        workspace.target().join("release/crash-states"),
    ))
}

/// The answer in a line, if as many states as asked were tried and no promise was broken.
fn verdict(answer: &Value, states_min: u64) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let states = number("states").unwrap_or(0);
    let clean = BREACHES.iter().all(|key| number(key) == Some(0));
    if clean && states >= states_min {
        return Ok(format!(
            "{states} states of {} sequences, no promise broken",
            number("sequences").unwrap_or(0)
        ));
    }
    Err(Failure::new(format!(
        "of {states_min} crash states not all were tried or sound: {answer}"
    )))
}

#[cfg(test)]
mod tests {
    use super::{BREACHES, verdict};
    use serde_json::json;

    //= A5.4
    #[test]
    fn a_run_passes_only_with_enough_states_and_every_count_there_and_nought() {
        let mut sound = json!({ "states": 100, "sequences": 3 });
        for key in BREACHES {
            sound[key] = json!(0);
        }
        assert!(verdict(&sound, 100).unwrap().starts_with("100 states"));
        assert!(verdict(&sound, 101).is_err());
        for key in BREACHES {
            for value in [json!(1), json!(null)] {
                let mut planted = sound.clone();
                planted[key] = value;
                assert!(verdict(&planted, 100).is_err(), "{key}");
            }
        }
    }
}
