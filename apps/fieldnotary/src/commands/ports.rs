//! Serial devices that cannot be opened just now, or that another process has: said before the node runs, and no reason not
//! to run, since a device may be plugged in or set free later.

use contract::Contract;
use std::path::{Path, PathBuf};

/// One sentence for each port whose device cannot be used.
pub(super) fn unusable(contract: &Contract) -> Vec<String> {
    let ports = contract.ports.iter();
    ports
        .filter_map(|(id, port)| {
            let why = is_closed(&port.kind.serial()?.device).err()?;
            Some(format!("port {id}: {why}"))
        })
        .collect()
}

/// The device can be opened, and no other process has it open.
///
/// # Errors
/// Why it cannot, or which process has it.
pub(super) fn is_closed(name: &str) -> Result<(), String> {
    // What cannot be opened at all is told as that.
    if let Some(why) = wire::trouble(name) {
        return Err(why);
    }
    let Ok(device) = std::fs::canonicalize(name) else {
        return Ok(());
    };
    if let Some(why) = wire::claimed(name) {
        return Err(why);
    }
    // Of a pseudo-terminal whoever plays the meters has this end open too.
    if device.starts_with("/dev/pts") {
        return Ok(());
    }
    match holder(&device) {
        None => Ok(()),
        Some((pid, process)) => Err(wire::in_use(name, pid, &process)),
    }
}

/// The first other process that has the device open, as far as this user may see.
fn holder(device: &Path) -> Option<(u32, String)> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let numbers = processes.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
    let others = numbers.filter(|pid| *pid != std::process::id());
    others
        .filter(|pid| {
            let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
                return false;
            };
            let mut targets = open
                .flatten()
                .filter_map(|one| std::fs::read_link(one.path()).ok());
            targets.any(|target: PathBuf| target == device)
        })
        .map(|pid| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            (pid, name.trim().to_owned())
        })
        .next()
}
