//! Modbus RTU and TCP without I/O: frames, function codes, both sides.
//!
//! Bytes and times come in, bytes and decisions go out. Nothing here opens a port, reads a clock or
//! waits; registers stay raw big-endian bytes, for their meaning belongs to whoever knows the meter.
//!
//! - [`pdu`]: requests and responses, the part both transports share.
//! - [`rtu`]: serial frames, their CRC, their timing, and a reader that finds where a frame ends.
//! - [`tcp`]: the MBAP header, an incremental decoder, transaction identifiers.
//! - [`transaction`]: does this frame answer this request, and may this request be sent now?
//! - [`server`]: from a request and a register bank to the response.
#![no_std]

extern crate alloc;

pub mod limits;
pub mod pdu;
pub mod rtu;
pub mod server;
pub mod tcp;
pub mod transaction;
