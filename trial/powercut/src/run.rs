//! Starting the programs of the system.

use std::process::Command;
use trial_guest::said_by;

/// Runs it; it must succeed.
pub(crate) fn checked(command: &mut Command) -> Result<(), String> {
    said_by(command).map(drop)
}
