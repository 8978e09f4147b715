//! What the host reads: UTC and monotonic time as one instant, and what the kernel says of its clock.

use crate::limits::READ_UNCERTAINTY_NS_MAX;
use evidence::{MonoNs, UtcNs};

/// `CLOCK_REALTIME` against `CLOCK_MONOTONIC`.
///
/// The host reads monotonic time, then UTC, then monotonic time again: the instant is the middle of
/// the two, the uncertainty half their distance. `CLOCK_MONOTONIC` is the clock of every `at` in the
/// evidence; it stands still while a machine sleeps, so a sleep shows as a step, which it is for
/// whoever waited for a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// The instant on `CLOCK_MONOTONIC`.
    pub mono: MonoNs,
    /// `CLOCK_REALTIME` at that instant.
    pub utc: UtcNs,
    /// How far the two readings may be apart.
    pub read_uncertainty_ns: u64,
    /// What the kernel says of its clock, where it can be asked.
    pub kernel: Option<KernelStatus>,
}

/// What `adjtimex` says without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelStatus {
    /// Whether `STA_UNSYNC` is clear: somebody told the kernel that its clock is disciplined, at
    /// some time. Not a measurement.
    pub flag_synchronised: bool,
    /// The frequency correction in force, in parts per billion.
    pub frequency_ppb: i64,
}

impl ClockSample {
    /// Whether its two readings are close enough to say something.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.read_uncertainty_ns <= READ_UNCERTAINTY_NS_MAX
    }

    /// UTC minus monotonic time, in nanoseconds.
    pub(crate) fn difference_ns(&self) -> i128 {
        i128::from(self.utc.0) - i128::from(self.mono.0)
    }
}
