//! What the suites of CI need is built while the tests mostly wait.

use crate::failure::Outcome;
use crate::workspace::Workspace;
use crate::{fuzz, run};

/// The packages of the suites that are built with optimisation, as each suite builds its own.
const PACKAGES: [&str; 2] = ["fieldnotary-sim", "fieldnotary-planted"];

/// Builds with what the processor has left over, so that no test comes late by it.
pub(crate) fn ahead(workspace: &Workspace) -> Outcome {
    for package in PACKAGES {
        let mut cargo = workspace.cargo_aside();
        run::status(cargo.args(["build", "--release", "--bins", "-p", package]))?;
    }
    fuzz::build_aside(workspace)?;
    Ok("the suites are built".into())
}
