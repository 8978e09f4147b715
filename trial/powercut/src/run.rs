//! Starting the programs of the system.

use std::process::{Command, Stdio};

/// What it writes to standard output; it must succeed, else what it complained of is the error.
pub(crate) fn said_by(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", complaint.trim()))
}

/// Runs it; it must succeed.
pub(crate) fn checked(command: &mut Command) -> Result<(), String> {
    said_by(command).map(drop)
}
