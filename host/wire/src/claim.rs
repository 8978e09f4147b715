//! One master on a line: whoever asks on a serial device claims it, and another of our programs is refused.

use rustix::fd::AsFd;
use rustix::fs::{FlockOperation, flock, major, minor};
use rustix::io::Errno;
use std::os::unix::fs::MetadataExt;

/// Claims an open device until it is closed. It is a lock of the file, which also pseudo-terminals have and which
/// holds against root; programs that know nothing of it are not kept out.
pub(crate) fn claim(device: &str, opened: impl AsFd) -> Result<(), String> {
    match flock(opened, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(Errno::WOULDBLOCK) => Err(claimed(device).unwrap_or_else(|| {
            format!("another master has {device}; find it with: fuser -v {device}")
        })),
        Err(errno) => Err(format!("cannot claim {device}: {errno}")),
    }
}

/// Which other process has claimed a device, in words for whoever wants it; `None` where nobody has.
#[must_use]
pub fn claimed(device: &str) -> Option<String> {
    let about = std::fs::metadata(device).ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let (major, minor) = (major(about.dev()), minor(about.dev()));
    let place = format!("{major:02x}:{minor:02x}:{}", about.ino());
    let pid = holder(&locks, &place, std::process::id())?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(in_use(device, pid, name.trim()))
}

/// The words for a device that a process has; its name may be empty, as a confined process cannot read it.
#[must_use]
pub fn in_use(device: &str, pid: u32, name: &str) -> String {
    let name = match name {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    format!(
        "{device} is open in process {pid}{name}; two masters on one line disturb each other: stop it first"
    )
}

/// The process that has a lock of the file at this place, device and inode, as `/proc/locks` lists it (proc(5)):
/// `1: FLOCK ADVISORY WRITE 708 00:17:5 0 EOF`.
fn holder(locks: &str, place: &str, own: u32) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, pid, here) = (words.next()?, words.nth(2)?, words.next()?);
        let pid: u32 = pid.parse().ok()?;
        (kind == "FLOCK" && here == place && pid != own).then_some(pid)
    })
}

#[cfg(test)]
mod tests {
    use super::holder;

    #[test]
    fn the_holder_is_read_from_the_kernels_list() {
        let locks = "1: POSIX  ADVISORY  WRITE 611 00:17:5 0 EOF\n2: FLOCK  ADVISORY  WRITE 708 00:17:5 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 709 00:17:6 0 EOF\n3: FLOCK\n";
        assert_eq!(holder(locks, "00:17:5", 1), Some(708));
        assert_eq!(holder(locks, "00:17:5", 708), None);
        assert_eq!(holder(locks, "00:17:6", 1), None);
        assert_eq!(holder(locks, "00:18:5", 1), None);
        assert_eq!(holder("", "00:17:5", 1), None);
    }
}
