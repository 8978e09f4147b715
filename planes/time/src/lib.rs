//! The time plane: from clock samples to a TimeMap that says how good it is.
//!
//! The host reads the clocks four times a second where sources are measured, once where none is, and at once when the
//! kernel signals that the clock was set or a daemon has something to tell, and gives each [`ClockComparison`] to the
//! [`Engine`]. What comes back is a [`Statement`]: the
//! TimeMap that serves for stamps from now on, the events to commit, and whether the map itself is
//! worth an entry.
//!
//! Daemons and cards are read by the host too; each look at one is an [`reading::Observation`]. A claim
//! rests on fresh measurements alone: a flag, the kernel's own included, is a flag and decides nothing.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arbiter;
pub mod bound;
pub mod budget;
mod bytes;
pub mod causes;
pub mod chrony;
pub mod drift;
mod engine;
pub mod fresh;
pub mod limits;
pub mod projection;
pub mod ptp;
pub mod reading;
pub mod rtc;
mod sample;
pub mod slots;
pub mod states;
mod table;

#[cfg(test)]
mod tests;

pub use engine::{
    Before, Counters, Engine, OfferPolicy, OfferSource, OfferVerdict, Policy, PtpHealth, Statement,
    ToHand,
};
pub use sample::{ClockComparison, ClockSample, KernelStatus};
pub use table::Change;
