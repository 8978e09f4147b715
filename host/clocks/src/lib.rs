//! The sources of time on Linux: sockets, ioctls, files and a timer, each read without changing anything.
//!
//! A [`Probe`] looks at one source and gives an observation: a reading, or the fault why there is none.
//! What is sent and how an answer is read is the time plane's; here is how bytes come and go. A
//! [`Replay`] is a probe too, over a recording in text.

mod card;
mod chrony;
mod chrony_refclock;
mod clock;
mod error;
pub mod limits;
mod probe;
mod ptp;
pub mod recording;
mod rtc;
mod set_signal;
mod socket;
mod thermal;

pub use card::CardClock;
pub use chrony::Chronyd;
pub use chrony_refclock::RefClock;
pub use clock::{compare, kernel_status, mono, utc};
pub use error::ClocksError;
pub use probe::Probe;
pub use ptp::Ptp4l;
pub use recording::Replay;
pub use rtc::Rtc;
pub use set_signal::ClockSetSignal;
pub use socket::Daemon;
pub use thermal::Thermal;
