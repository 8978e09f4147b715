//! `cargo xtask line-guest`: GPIO lines, channels and a serial line through real drivers of the kernel; and its verdict for the night.

use crate::failure::{Failure, Outcome};
use crate::setup::{self, Tool};
use crate::workspace::Workspace;
use crate::{guest, guest_kernel, run, suite};
use std::process::Command;

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
    let answer = suite::answer_of(prepared(workspace)?, &["--json"])?;
    let ways = "ways with real drivers of the kernel, each as it should be";
    guest::verdict(&answer, "failed", TRIED_MIN, ways)
}

fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    setup::setup(workspace, TOOLS)?;
    let kernel = guest_kernel::image(workspace)?;
    run::status(&mut workspace.programs())?;
    let mut suite = Command::new(workspace.target().join("debug").join(PROGRAM));
    suite.arg("--kernel").arg(kernel);
    Ok(suite)
}
