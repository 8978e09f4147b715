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
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits.parse().unwrap_or(BootId([0; 16]))
}
