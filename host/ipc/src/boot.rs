//! The boot that the monotonic times of messages belong to.

use evidence::BootId;

/// This boot, as the kernel names it: monotonic times compare only within it. All zero where the kernel has none.
#[must_use]
pub fn boot_id() -> BootId {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits.parse().unwrap_or(BootId([0; 16]))
}
