//! Serial devices that cannot be opened just now: said before the node runs, and no reason not to run,
//! since a device may be plugged in later.

use contract::Contract;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// One sentence for each port whose device cannot be used.
pub(super) fn unreadable(contract: &Contract) -> Vec<String> {
    let ports = contract.ports.iter();
    ports
        .filter_map(|(id, port)| {
            let why = cannot_be_opened(&port.kind.serial()?.device)?;
            Some(format!("port {id}: {why}"))
        })
        .collect()
}

fn cannot_be_opened(device: &str) -> Option<String> {
    // Without waiting for a carrier, and without becoming the terminal of this process.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match open(device, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => {
            return Some(format!(
                "there is no {device}; plug it in, or look for its name with: ls /dev/serial/by-id"
            ));
        }
        Err(Errno::ACCESS | Errno::PERM) => {
            return Some(format!(
                "no permission to open {device}, which belongs to group {}; become a member with: \
                 sudo usermod -aG {} $USER, then log in again",
                group(device),
                group(device)
            ));
        }
        Err(Errno::BUSY) => {
            return Some(format!(
                "another program has {device} for itself; find it with: fuser -v {device}"
            ));
        }
        Err(error) => return Some(format!("cannot open {device}: {error}")),
    };
    (!rustix::termios::isatty(&opened)).then(|| {
        format!("{device} is no serial device; look for its name with: ls /dev/serial/by-id")
    })
}

/// The name of the group that may use a device, or its number.
fn group(device: &str) -> String {
    let number = std::fs::metadata(Path::new(device)).map_or(0, |about| about.gid());
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let named = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| number.to_string())
}
