//! Every threshold of the time plane, with the reason for its size.

/// A difference between UTC and monotonic time that moves by more than this, beyond what slewing
/// explains, was a step. Below it, reading two clocks one after the other is too coarse to tell.
pub const STEP_THRESHOLD_NS: u64 = 1_000_000;
/// The fastest slew that the kernel's own clock discipline makes, in parts per billion of the
/// interval. A clock that is moved faster than this is reported as stepped.
pub const SLEW_PPB_MAX: u64 = 500_000;
/// A sample whose two readings are further apart than this says too little and is not used.
pub const READ_UNCERTAINTY_NS_MAX: u64 = 250_000;
/// How long a statement holds without a new one: three missed samples.
pub const STATEMENT_VALID_NS: u64 = 3_000_000_000;
/// How often the map becomes an entry while nothing changes.
pub const JOURNAL_INTERVAL_NS: u64 = 3_600_000_000_000;
/// A map that slewing has moved this far from the last one in the journal becomes an entry.
pub const JOURNAL_SLEW_NS: u64 = 10_000_000;
/// How often the host should sample.
pub const SAMPLE_INTERVAL_MS: u64 = 1_000;
/// Ports of one ptp4l; a clock with more is refused, not read in part.
pub const PTP_PORTS_MAX: usize = 32;
/// Sources of one chronyd; with more than these it is refused, not read in part.
pub const CHRONY_SOURCES_MAX: u32 = 32;
/// How far a real-time clock runs from `CLOCK_MONOTONIC` at most between two looks, in parts per billion:
/// what was found of the turn of its second is widened by this.
pub const RTC_DRIFT_PPB_MAX: u64 = 200_000;
/// The turn of a real-time clock's second need not be known better than this.
pub const RTC_TURN_KNOWN_NS: u64 = 1_000_000;
