//! What this program takes for now: the kernel's clocks, and in a storm what that moves them by.

use evidence::UtcNs;

pub(crate) use clocks::mono;
pub(crate) use ipc::boot_id;

/// No node of this version ran before this, 2026-11-01: a clock that stands before it is wrong.
pub(crate) const EARLIEST: UtcNs = UtcNs(1_793_491_200_000_000_000);

/// The kernel's wall clock.
pub(crate) fn utc() -> UtcNs {
    UtcNs(clocks::utc().0.saturating_add(steps::utc_offset_ns()))
}
