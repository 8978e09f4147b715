//! `cargo xtask line-guest`: GPIO lines, channels and a serial line through real drivers of the kernel; and its verdict for the night.

use crate::failure::{Failure, Outcome};
use crate::setup::{self, Tool};
use crate::workspace::Workspace;
use crate::{guest, guest_kernel, run, suite};
use serde_json::Value;
use std::process::Command;

const PACKAGE: &str = "fieldnotary-trial-guest";
const PROGRAM: &str = "fieldnotary-line-guest";
/// What a run tries at least.
const TRIED_MIN: u64 = 14;

const TOOLS: &[Tool] = &[guest::MACHINE, guest::SHELL];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn line_guest(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(prepared(workspace)?, arguments)
}

/// The same for the night, with its verdict.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(prepared(workspace)?, &["--json"])?)
}

fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    setup::setup(workspace, TOOLS)?;
    let kernel = guest_kernel::image(workspace)?;
    run::status(
        workspace
            .cargo()
            .args(["build", "-p", PACKAGE, "--bin", PROGRAM]),
    )?;
    let mut suite = Command::new(workspace.target().join("debug").join(PROGRAM));
    suite.arg("--kernel").arg(kernel);
    Ok(suite)
}

/// The answer in a line, if every way went as it should and none was left out.
fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    match (number("tried"), number("failed")) {
        (Some(tried), Some(0)) if tried >= TRIED_MIN => Ok(format!(
            "{tried} ways with real drivers of the kernel, each as it should be"
        )),
        _ => Err(Failure::new(format!(
            "a way failed or was not tried: {answer}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{TRIED_MIN, verdict};
    use serde_json::json;

    //= R3.1
    #[test]
    fn a_run_passes_only_if_every_way_was_tried_and_went_well() {
        assert!(verdict(&json!({"tried": TRIED_MIN, "failed": 0})).is_ok());
        for broken in [
            json!({"tried": TRIED_MIN, "failed": 1}),
            json!({"tried": TRIED_MIN - 1, "failed": 0}),
            json!({"tried": TRIED_MIN}),
            json!({}),
        ] {
            assert!(verdict(&broken).is_err(), "{broken}");
        }
    }
}
