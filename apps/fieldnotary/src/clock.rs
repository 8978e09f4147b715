//! The one place of this program that reads clocks.

use evidence::{BootId, MonoNs, UtcNs};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// No node of this version ran before this, 2026-11-01: a clock that stands before it is wrong.
pub(crate) const EARLIEST: UtcNs = UtcNs(1_793_491_200_000_000_000);

/// The kernel's monotonic clock.
pub(crate) fn mono() -> MonoNs {
    let now = clock_gettime(ClockId::Monotonic);
    MonoNs(u64::try_from(nanoseconds(now)).unwrap_or(0))
}

/// The kernel's wall clock.
pub(crate) fn utc() -> UtcNs {
    let now = i64::try_from(nanoseconds(clock_gettime(ClockId::Realtime))).unwrap_or(i64::MAX);
    UtcNs(now.saturating_add(steps::utc_offset_ns()))
}

fn nanoseconds(at: Timespec) -> i128 {
    i128::from(at.tv_sec) * 1_000_000_000 + i128::from(at.tv_nsec)
}

/// The kernel's boot id: monotonic times compare only within it. All zero where the kernel has none.
pub(crate) fn boot_id() -> BootId {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let mut id = [0u8; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or("00");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
    }
    BootId(id)
}
