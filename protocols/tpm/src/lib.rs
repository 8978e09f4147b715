//! TPM 2.0 without I/O: the few commands that a signer needs, and what comes back.
//!
//! Commands are bytes to be written to a TPM whole; what is read is parsed against the command that was
//! asked. Structures and numbers are those of the TPM 2.0 Library, revision 1.59. Only one form of
//! authorisation is spoken: an empty password, so that no session is kept and no secret crosses a bus.
//!
//! - [`command`]: the commands.
//! - [`response`]: header, parameters, and one parser for the answer of each command.
//! - [`code`]: response codes, in words and in what follows from them.
//! - [`public`]: public areas of keys and of NV indexes, and what their attributes forbid.
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
pub mod eventlog;
pub mod limits;
pub mod public;
pub mod response;
pub mod uefi;
mod wire;

pub use attest::{Attest, Attested, Clock};
pub use code::ResponseCode;
pub use command::{Command, PcrSelection};
pub use eventlog::{BootEvent, EventLog};
pub use public::{KeyPublic, NvPublic};
pub use response::{Response, TpmError};
pub use wire::Malformed;
