//! The time plane: from clock samples to a TimeMap that says how good it is.
//!
//! The host reads the clocks once a second, and at once when the kernel signals that the clock was
//! set, and gives each [`ClockSample`] to the [`Engine`]. What comes back is a [`Statement`]: the
//! TimeMap that serves for stamps from now on, the events to commit, and whether the map itself is
//! worth an entry.
//!
//! No source is measured here yet, so nothing here ever claims to be synchronised: the kernel's own
//! flag is a flag, not a measurement, and stands in the map's basis for what it is.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bound;
pub mod drift;
mod engine;
pub mod limits;
pub mod projection;
pub mod reading;
mod sample;
mod table;

pub use engine::{Counters, Engine, Statement};
pub use sample::{ClockSample, KernelStatus};
pub use table::{Change, ClockState, Row, TABLE, offset_bucket};
