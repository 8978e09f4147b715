//! TPM 2.0 without I/O: the few commands that a signer needs, and what comes back.
//!
//! Commands are bytes to be written to a TPM whole; what is read is parsed against the command that was
//! asked. Structures and numbers are those of the TPM 2.0 Library, revision 1.59. Authorisation is an
//! empty password, so that no secret crosses a bus, and for the endorsement key the policy that all of them have.
//!
//! - [`command`]: the commands.
//! - [`response`]: header, parameters, and one parser for the answer of each command.
//! - [`code`]: response codes, in words and in what follows from them.
//! - [`public`]: public areas of keys and of NV indexes, and what their attributes forbid.
//! - [`endorsement`]: the key that a TPM's maker vouches for, and how another key is shown to be beside it.
//! - [`attest`]: what a TPM signs of its own accord (`TPMS_ATTEST`).
//! - [`eventlog`]: what was measured at boot, as firmware wrote it down, and the PCRs that it leads to.
//! - [`uefi`]: what it noted beside: images, variables, texts.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod attest;
pub mod code;
pub mod command;
pub mod endorsement;
pub mod eventlog;
pub mod limits;
pub mod public;
pub mod response;
pub mod uefi;
mod wire;

pub use attest::{Attest, Attested, Clock};
pub use code::ResponseCode;
pub use command::{Command, PcrSelection};
pub use endorsement::EndorsementKind;
pub use eventlog::{BootEvent, EventLog};
pub use public::{KeyPublic, NvPublic};
pub use response::{Response, TpmError};
pub use wire::Malformed;
