//! What this program takes for now: the kernel's clocks, and in a storm what that moves them by.

use evidence::{BootId, UtcNs};

pub(crate) use clocks::mono;

/// No node of this version ran before this, 2026-11-01: a clock that stands before it is wrong.
pub(crate) const EARLIEST: UtcNs = UtcNs(1_793_491_200_000_000_000);

/// The kernel's wall clock.
pub(crate) fn utc() -> UtcNs {
    UtcNs(clocks::utc().0.saturating_add(steps::utc_offset_ns()))
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
