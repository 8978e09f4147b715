//! `cargo xtask tpm-guest`: a node in a guest machine whose keys are in the machine's TPM; and its verdict for the night.

use crate::failure::Outcome;
use crate::workspace::Workspace;
use crate::{guest, setup, suite};

const PROGRAM: &str = "fieldnotary-tpm-guest";
/// What a run tries at least.
const TRIED_MIN: u64 = 6;
const TOOLS: &[setup::Tool] = &[setup::SWTPM, setup::SWTPM_SETUP];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn tpm_guest(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(guest::with_a_node(workspace, TOOLS, PROGRAM)?, arguments)
}

/// The same for the night, with its verdict.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    let suite = guest::with_a_node(workspace, TOOLS, PROGRAM)?;
    let answer = suite::answer_of(suite, &["--json"])?;
    let ways = "ways with a TPM behind the kernel's driver, each as it should be";
    guest::verdict(&answer, "failed", TRIED_MIN, ways)
}
