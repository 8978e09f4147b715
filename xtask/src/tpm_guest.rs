//! `cargo xtask tpm-guest`: a node in a guest machine whose keys are in the machine's TPM; and its verdict for the night.

use crate::failure::{Failure, Outcome};
use crate::guest;
use crate::run;
use crate::setup;
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;
use std::process::Command;

/// The suite's program, and the packages that it and the node in the guest are of.
const PROGRAM: &str = "fieldnotary-tpm-guest";
const PACKAGES: [&str; 3] = [
    "fieldnotary",
    "fieldnotary-signer",
    "fieldnotary-trial-guest",
];
/// What a run tries at least.
const TRIED_MIN: u64 = 6;

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn tpm_guest(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(prepared(workspace)?, arguments)
}

/// The same for the night, with its verdict.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(prepared(workspace)?, &["--json"])?)
}

fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    setup::setup(workspace, &[setup::SWTPM, setup::SWTPM_SETUP])?;
    let parts = guest::parts(workspace)?;
    let packages = PACKAGES.iter().flat_map(|package| ["-p", package]);
    run::status(workspace.cargo().args(["build", "--bins"]).args(packages))?;
    let programs = workspace.target().join("debug");
    let mut suite = Command::new(programs.join(PROGRAM));
    suite.arg("--guest").arg(parts);
    suite.arg("--programs").arg(programs);
    Ok(suite)
}

/// The answer in a line, if every way went as it should and none was left out.
fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    match (number("tried"), number("failed")) {
        (Some(tried), Some(0)) if tried >= TRIED_MIN => Ok(format!(
            "{tried} ways with a TPM behind the kernel's driver, each as it should be"
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

    //= A6.4
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
