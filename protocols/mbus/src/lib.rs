//! Wired M-Bus without I/O: frames, application layer, data records with exact values, both sides of a bus.
//!
//! Bytes come in, facts go out. Nothing here opens a port or reads a clock. Numbers stay decimal:
//! what a meter sent is never rounded, and what it marked as invalid never looks like a value.
//!
//! - [`link`]: frames of EN 13757-2 and their faults, both ways.
//! - [`application`]: what stands before the records: CI field, headers, status (EN 13757-3).
//! - [`record`]: data records: function, storage, unit, quantity, value.
//! - [`telegram`]: one frame through all layers, as far as it is sound.
//! - [`master`]: what to send and when, what each reply proves: readouts, search, scan, speeds.
//! - [`slave`]: simulated slaves, and what many of them make of one line.
//! - [`fault`]: what is wrong, in which layer, at which byte.
#![no_std]

extern crate alloc;

pub mod application;
pub mod decimal;
pub mod fault;
pub mod limits;
pub mod link;
pub mod master;
pub mod moment;
pub mod record;
pub mod slave;
pub mod telegram;
