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

/// Lags at which the oscillator's wander is learnt: powers of two of a second, from 1 s to 36 h.
pub const LAGS: usize = 18;
/// How many windows of each lag are under way at the same time.
pub const LAG_OVERLAP: u64 = 4;
/// Windows over which the frequency is averaged for a reference, as powers of two of a second: from a
/// minute, which still follows the sun, to four and a half hours, which averages a noisy source.
pub const REFERENCE_LOG2_S: [u32; 5] = [6, 8, 10, 12, 14];
/// Distance of the marks from which such averages are taken, in seconds.
pub const MARK_S: u64 = 16;
/// Marks kept: the longest window and one to begin with.
pub const MARKS_MAX: usize = 1_025;
/// Samples further apart than this do not belong to one stretch: nobody knows what happened between.
pub const SERVO_GAP_NS: u64 = 64_000_000_000;
/// A frequency correction beyond this is not one of a working clock: ten percent is what the kernel's
/// tick allows.
pub const CORRECTION_PPT_MAX: i64 = 100_000_000_000;
/// A temperature outside of plus or minus this is not one of a working sensor.
pub const TEMPERATURE_MILLIDEGREES_MAX: i32 = 200_000;
/// A temperature serves for this long; the sensors are slow, and are asked less often than the clock.
pub const TEMPERATURE_FRESH_NS: u64 = 120_000_000_000;
/// Windows of one lag that count; behind this the older half of the memory fades.
pub const WINDOWS_MAX: f64 = 256.0;
/// Windows that the declared class counts for against those that were seen.
pub const CLASS_WINDOWS: f64 = 2.0;
/// How many standard deviations a bound spans.
pub const SPAN: f64 = 3.5;
/// A cell of the regression against temperature, in seconds.
pub const THERMAL_CELL_S: u64 = 1_024;
/// Pairs of cells without which no temperature coefficient is stated.
pub const THERMAL_CELLS_MIN: f64 = 8.0;
/// Days kept for the trend.
pub const DAYS_MAX: usize = 16;
/// Where no temperature is measured and no whole day was seen, a cabinet warms or cools this fast ...
pub const UNSEEN_SWING_MILLIDEGREES_PER_H: u32 = 3_000;
/// ... and this far.
pub const UNSEEN_SWING_MILLIDEGREES: u32 = 15_000;
/// A day: after it, the swings of temperature have been seen once.
pub const DAY_S: u64 = 86_400;
/// A real-time clock that drifts faster than this was set: a watch crystal is within 100 ppm when warm
/// and 250 ppm in deep frost.
pub const RTC_DRIFT_PPB_MAX: u64 = 500_000;
/// A reading of the real-time clock that is less certain says nothing: its second is its resolution.
pub const RTC_READ_UNCERTAINTY_NS_MAX: u64 = 1_000_000_000;
/// Distance of the readings of the real-time clock that are kept ...
pub const RTC_MARK_NS: u64 = 3_600_000_000_000;
/// ... and how many: a week.
pub const RTC_MARKS_MAX: usize = 169;
