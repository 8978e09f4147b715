//! `cargo xtask test`: from a clean clone to every test run.

use crate::failure::Outcome;
use crate::workspace::Workspace;
use crate::{run, setup};
use std::process::Command;

/// Sets up, builds the programs that tests start, runs all tests.
pub(crate) fn test(workspace: &Workspace) -> Outcome {
    setup::setup(workspace, setup::FOR_TESTS)?;
    // Tests start signer, collector and street beside the node, so all programs must be built.
    run::status(&mut workspace.programs())?;
    let counted = if run::succeeds(workspace.cargo().args(["nextest", "--version"])) {
        let mut cargo = suite(
            workspace,
            &["nextest", "run", "--workspace", "--no-fail-fast"],
        );
        run::counting(&mut cargo, passed)?
    } else {
        let mut cargo = suite(
            workspace,
            &["test", "--workspace", "--all-targets", "--no-fail-fast"],
        );
        run::counting(&mut cargo, passed)?
    };
    let in_docs = run::counting(
        &mut suite(workspace, &["test", "--workspace", "--doc"]),
        passed,
    )?;
    Ok(format!("{} tests passed", counted + in_docs))
}

/// cargo with what the tests are told about this machine.
pub(crate) fn suite(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut cargo = workspace.cargo();
    cargo
        .args(arguments)
        .env(setup::PEERS_VARIABLE, setup::peers(workspace));
    cargo
}

/// The passed tests in a summary line of nextest or of the standard harness.
pub(crate) fn passed(line: &str) -> u64 {
    let summary = line.contains("tests run:") || line.contains("test run:");
    if !summary && !line.starts_with("test result:") {
        return 0;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [number, word] if word.starts_with("passed") => number.parse().ok(),
            _ => None,
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::passed;

    #[test]
    fn summaries_of_both_runners_are_understood() {
        for (line, expected) in [
            (
                "     Summary [   0.352s] 301 tests run: 301 passed, 2 skipped",
                301,
            ),
            ("     Summary [   0.3s] 1 test run: 1 passed, 0 skipped", 1),
            (
                "     Summary [   0.3s] 4 tests run: 3 passed (1 slow), 1 failed, 0 skipped",
                3,
            ),
            (
                "test result: ok. 17 passed; 0 failed; 0 ignored; 0 measured",
                17,
            ),
            (
                "        PASS [   0.005s] xtask test::tests::seven_passed",
                0,
            ),
            ("a line that says 5 passed", 0),
        ] {
            assert_eq!(passed(line), expected, "{line}");
        }
    }
}
