//! Key stores under trial: swtpm as a TPM that can be cut, stopped and copied, with a wire before it; SoftHSM2 as a token.
//! Tests that need no power over their TPM can be given a device instead.
//!
//! Everything stands in a folder of its own that goes with the value.

#![expect(clippy::panic, reason = "helpers of tests may fail as tests do")]

mod firmware;
mod given;
mod relay;
mod softhsm;
mod swtpm;

pub use firmware::Firmware;
pub use given::{AUTHORITIES_VARIABLE, TPM_VARIABLE, Tpm};
pub use relay::Relay;
pub use softhsm::{PIN, SOFTHSM_MODULE, SoftHsm};
pub use swtpm::{Swtpm, authorities, certify};

use std::process::{Command, Output};

/// Runs a program to its end; it must succeed.
fn done(command: &mut Command) -> Output {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}
