//! Programs of the workspace that are suites: built with optimisation, started, and their answer read.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::workspace::Workspace;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Builds a suite and becomes it.
pub(crate) fn become_program(
    workspace: &Workspace,
    package: &str,
    program: &str,
    arguments: &[String],
) -> Outcome {
    become_suite(built(workspace, package, program)?, arguments)
}

/// Becomes a suite that is built: its answer is the last that is printed, and its exit code is this program's.
pub(crate) fn become_suite(mut suite: Command, arguments: &[String]) -> Outcome {
    suite.args(arguments);
    Err(Failure::new(format!(
        "`{}` cannot be started: {}",
        run::shown(&suite),
        suite.exec()
    )))
}

/// Builds a suite, runs it, and reads the JSON that it answers.
pub(crate) fn answer(
    workspace: &Workspace,
    package: &str,
    program: &str,
    arguments: &[&str],
) -> Result<Value, Failure> {
    answer_of(built(workspace, package, program)?, arguments)
}

/// Runs a suite that is built, and reads the JSON that it answers. Its exit code says no more than that.
pub(crate) fn answer_of(mut suite: Command, arguments: &[&str]) -> Result<Value, Failure> {
    suite.args(arguments);
    let shown = run::shown(&suite);
    let output = suite
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("`{shown}` cannot be started: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim())
        .map_err(|error| Failure::new(format!("`{shown}` answers no JSON: {error}: {text}")))
}

fn built(workspace: &Workspace, package: &str, program: &str) -> Result<Command, Failure> {
    let mut cargo = workspace.cargo();
    run::status(cargo.args(["build", "--release", "-p", package, "--bin", program]))?;
    let mut suite = Command::new(workspace.target().join("release").join(program));
    suite.current_dir(workspace.root());
    Ok(suite)
}
