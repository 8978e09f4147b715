//! The one place that reads the kernel's clocks, and what the kernel says of them.

use crate::limits::COMPARISONS;
use evidence::{MonoNs, UtcNs};
use rustix::time::{ClockId, Timespec, clock_gettime};
use time_plane::{ClockComparison, ClockSample, KernelStatus};

const STA_UNSYNC: i32 = libc::STA_UNSYNC;

/// Nanoseconds of a clock that never stands before its zero.
fn ns(time: Timespec) -> u64 {
    u64::try_from(signed_ns(time)).unwrap_or(0)
}

fn signed_ns(time: Timespec) -> i64 {
    time.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec)
}

/// `CLOCK_MONOTONIC`.
#[must_use]
pub fn mono() -> MonoNs {
    MonoNs(ns(clock_gettime(ClockId::Monotonic)))
}

/// `CLOCK_REALTIME`.
#[must_use]
pub fn utc() -> UtcNs {
    UtcNs(signed_ns(clock_gettime(ClockId::Realtime)))
}

/// The kernel's four clocks as one instant: read in one go, monotonic time first and last, a few times
/// over, and the tightest taken.
#[must_use]
pub fn compare() -> ClockComparison {
    let first = compare_once();
    let others = (1..COMPARISONS).map(|_| compare_once());
    let tightest = others.fold(first, |best, other| {
        let is_tighter = other.sample.read_uncertainty_ns < best.sample.read_uncertainty_ns;
        if is_tighter { other } else { best }
    });
    ClockComparison {
        sample: ClockSample {
            kernel: kernel_status(),
            ..tightest.sample
        },
        ..tightest
    }
}

fn compare_once() -> ClockComparison {
    let before = clock_gettime(ClockId::Monotonic);
    let raw = clock_gettime(ClockId::MonotonicRaw);
    let utc = clock_gettime(ClockId::Realtime);
    let boot = clock_gettime(ClockId::Boottime);
    let after = clock_gettime(ClockId::Monotonic);
    let half = ns(after).saturating_sub(ns(before)) / 2;
    ClockComparison {
        sample: ClockSample {
            mono: MonoNs(ns(before)).plus_ns(half),
            utc: UtcNs(signed_ns(utc)),
            read_uncertainty_ns: half,
            kernel: None,
        },
        raw_ns: ns(raw),
        boot_ns: ns(boot),
    }
}

/// Microseconds of a hundredth of a second: what `tick` is where nobody changed it.
const TICK_NOMINAL_US: libc::c_long = 10_000;

/// What the kernel says of its clock; `None` where it may not be asked, as under a filter of calls.
#[must_use]
pub fn kernel_status() -> Option<KernelStatus> {
    let timex = adjtimex_read()?;
    // `freq` is parts per million with 16 binary places; `tick` microseconds a hundredth of a second, so
    // that each one more or less is 100 ppm.
    let by_tick_ppt = i128::from(timex.tick - TICK_NOMINAL_US) * 100_000_000;
    let frequency_ppt = i128::from(timex.freq) * 1_000_000 / 65_536 + by_tick_ppt;
    // STA_NANO concerns the offset alone: both errors are microseconds always.
    let microseconds = |us: libc::c_long| u64::try_from(us).unwrap_or(0).saturating_mul(1_000);
    Some(KernelStatus {
        flag_synchronised: timex.status & STA_UNSYNC == 0,
        frequency_ppt: i64::try_from(frequency_ppt).unwrap_or(0),
        status: timex.status.cast_unsigned(),
        max_error_ns: microseconds(timex.maxerror),
        estimated_error_ns: microseconds(timex.esterror),
        tai_offset_s: timex.tai,
    })
}

#[expect(
    unsafe_code,
    reason = "no safe wrapper of adjtimex is at hand; with modes = 0 it only writes the structure it is given"
)]
fn adjtimex_read() -> Option<libc::timex> {
    // SAFETY: timex is made of whole numbers, for which zeros are valid, and it lives past the call.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        let state = libc::adjtimex(&raw mut timex);
        (state, timex)
    };
    (state >= 0).then_some(timex)
}

#[cfg(test)]
mod tests {
    use super::{compare, kernel_status, mono, utc};

    #[test]
    fn four_clocks_are_one_instant() {
        let before = (mono(), utc());
        let found = compare();
        let after = (mono(), utc());
        assert!(before.0 <= found.sample.mono && found.sample.mono <= after.0);
        assert!(before.1 <= found.sample.utc && found.sample.utc <= after.1);
        // Boot time is monotonic time and the sleep; raw time differs by what was corrected since boot.
        let slack_ns = found.sample.read_uncertainty_ns + 1_000;
        assert!(found.boot_ns + slack_ns >= found.sample.mono.0);
        assert!(found.raw_ns.abs_diff(found.sample.mono.0) < found.sample.mono.0 / 100 + slack_ns);
    }

    /// The same numbers as the kernel gives to whoever asks again; read, never set.
    #[test]
    fn the_kernel_says_what_it_holds_of_its_clock() {
        let (first, second) = (kernel_status().unwrap(), kernel_status().unwrap());
        assert_eq!(first.frequency_ppt, second.frequency_ppt);
        assert_eq!(first.status, second.status);
        assert_eq!(first.flag_synchronised, first.status & 0x40 == 0);
        assert!(first.max_error_ns <= second.max_error_ns);
    }
}
