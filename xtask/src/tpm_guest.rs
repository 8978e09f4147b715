//! `cargo xtask tpm-guest`: a node in a guest machine whose keys are in the machine's TPM, and there the tests of the keys
//! against that TPM; and its verdict for the night.

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;
use crate::{guest, run, setup, suite};
use serde_json::Value;
use std::process::Command;

const PROGRAM: &str = "fieldnotary-tpm-guest";
/// What a run tries at least.
const TRIED_MIN: u64 = 14;
const TOOLS: &[setup::Tool] = &[
    setup::SWTPM,
    setup::SWTPM_SETUP,
    setup::TPM2_TOOLS,
    setup::OPENSSL,
];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn tpm_guest(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(built(workspace)?, arguments)
}

/// The same for the night, with its verdict.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    let answer = suite::answer_of(built(workspace)?, &["--json"])?;
    let ways = "ways with a TPM behind the kernel's driver, each as it should be";
    guest::verdict(&answer, "failed", TRIED_MIN, ways)
}

/// The suite, with the tests and the bench of the keys that are to run in the guest.
fn built(workspace: &Workspace) -> Result<Command, Failure> {
    let mut suite = guest::with_a_node(workspace, TOOLS, PROGRAM)?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "-p", "fieldnotary-keys", "--lib"]);
    cargo.args(["--bench", "stores", "--no-run"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let built = run::output(&mut cargo)?;
    for (word, kind) in [("--tests", "lib"), ("--bench", "bench")] {
        let program = executable(&built, kind)
            .ok_or_else(|| Failure::new(format!("cargo built no {kind} of fieldnotary-keys")))?;
        suite.arg(word).arg(program);
    }
    Ok(suite)
}

/// The program that cargo says it built of a target of this kind.
fn executable(messages: &str, kind: &str) -> Option<String> {
    messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let kinds = message.pointer("/target/kind")?.as_array()?;
        let program = message.get("executable")?.as_str()?;
        kinds
            .contains(&Value::from(kind))
            .then(|| program.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::executable;

    //= A6.1
    #[test]
    fn programs_are_found_among_what_cargo_says() {
        let said = "noise\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"lib\"]},\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"lib\"]},\"executable\":\"/t/tests\"}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"bench\"]},\"executable\":\"/t/stores\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(said, "lib").as_deref(), Some("/t/tests"));
        assert_eq!(executable(said, "bench").as_deref(), Some("/t/stores"));
        assert_eq!(executable(said, "bin"), None);
    }
}
