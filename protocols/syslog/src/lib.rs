//! Syslog without I/O: messages as RFC 5424 has them, and their frames in a stream as RFC 5425, 4.3 has them.
//!
//! Nothing is read here: a receiver of syslog over TLS answers nothing.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod civil;
pub mod limits;
mod message;

pub use message::{Facility, Message, Parameter, Severity, frame};
