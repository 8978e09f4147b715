//! What a process of this machine uses, from /proc.

use std::fs;

/// Kernel clock ticks a second, as /proc counts CPU time on Linux.
pub(crate) const TICKS_PER_S: u64 = 100;

/// What a process used since it started.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) resident_kib_max: u64,
    pub(crate) cpu_ticks: u64,
}

/// Peak resident memory and CPU time of a process; `None` where it has ended.
pub(crate) fn usage(pid: u64) -> Option<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Fields 14 and 15, counted behind the name, which may hold anything but ends with ')'.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Usage {
        resident_kib_max: peak.split_whitespace().next()?.parse().ok()?,
        cpu_ticks: ticks(11)? + ticks(12)?,
    })
}
