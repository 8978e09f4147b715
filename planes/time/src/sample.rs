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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelStatus {
    /// Whether `STA_UNSYNC` is clear: somebody told the kernel that its clock is disciplined, at
    /// some time. Not a measurement.
    pub flag_synchronised: bool,
    /// The frequency correction in force, in parts per trillion: the kernel's `freq` and `tick`.
    pub frequency_ppt: i64,
    /// The status bits as they are (`STA_*`).
    pub status: u32,
    /// The kernel's own bound, in nanoseconds: grows by 500 parts per million since somebody last set it.
    pub max_error_ns: u64,
    /// The error that a daemon estimated, in nanoseconds; 0 where none did.
    pub estimated_error_ns: u64,
    /// TAI minus UTC in seconds; 0 where nobody set it.
    pub tai_offset_s: i32,
}

/// The kernel's four clocks as one instant.
///
/// `CLOCK_MONOTONIC_RAW` is what the oscillator does without any correction, so that against it the
/// correction shows that was in fact applied; `CLOCK_BOOTTIME` shows how long the machine slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockComparison {
    /// `CLOCK_REALTIME` against `CLOCK_MONOTONIC`, with what the kernel says.
    pub sample: ClockSample,
    /// `CLOCK_MONOTONIC_RAW` at that instant, in nanoseconds.
    pub raw_ns: u64,
    /// `CLOCK_BOOTTIME` at that instant, in nanoseconds.
    pub boot_ns: u64,
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
