//! Is a reading a measurement, of when, and how good? Flags decide nothing here.

mod chrony;
mod measurement;
mod ptp;

pub use chrony::{ChronyPolicy, ChronyWatch};
pub use measurement::{Measurement, Rejection, Verdict};
pub use ptp::{PtpPolicy, PtpWatch};
pub(crate) use ptp::{interval_ns, whole_seconds};

#[cfg(test)]
mod tests;
