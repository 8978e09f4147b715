//! Why a serial device cannot be used, in words for whoever stands in front of it.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is wrong with a device, looked at without changing it; `None` if it can be opened.
#[must_use]
pub fn trouble(device: &str) -> Option<String> {
    // Without waiting for a carrier, and without becoming the terminal of this process.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match open(device, flags, Mode::empty()) {
        Ok(opened) => (!rustix::termios::isatty(&opened)).then(|| {
            format!("{device} is no serial device; look for its name with: ls /dev/serial/by-id")
        }),
        Err(errno) => Some(refusal(device, errno)),
    }
}

/// Why it was not opened.
pub(crate) fn refusal(device: &str, errno: Errno) -> String {
    match errno {
        Errno::NOENT => {
            format!(
                "there is no {device}; plug it in, or look for its name with: ls /dev/serial/by-id"
            )
        }
        Errno::ACCESS | Errno::PERM => denied(device, &group(device)),
        Errno::BUSY => {
            format!("another program has {device} for itself; find it with: fuser -v {device}")
        }
        // A name without hardware behind it, as ttyS4 on most machines, or an adapter that was pulled out.
        Errno::IO | Errno::NXIO | Errno::NODEV => {
            format!("cannot open {device}: there is no hardware behind this name ({errno})")
        }
        error => format!("cannot open {device}: {error}"),
    }
}

/// Membership of the group of root would give far more than the device.
fn denied(device: &str, group: &str) -> String {
    let cure = match group {
        "root" | "0" => "give it a group of its own by a udev rule, such as \
             SUBSYSTEM==\"tty\", GROUP=\"dialout\" in /etc/udev/rules.d, or run this as root"
            .to_owned(),
        group => {
            format!("become a member with: sudo usermod -aG {group} $USER, then log in again")
        }
    };
    format!("no permission to open {device}, which belongs to group {group}; {cure}")
}

/// Whether the device is one end of a pseudo-terminal: it has no UART, and no parity bit.
#[must_use]
pub fn is_pseudo_terminal(device: &str) -> bool {
    std::fs::canonicalize(device).is_ok_and(|device| device.starts_with("/dev/pts"))
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

#[cfg(test)]
mod tests {
    use super::{denied, refusal, trouble};
    use rustix::io::Errno;

    #[test]
    fn each_trouble_says_what_to_do() {
        let missing = trouble("/dev/there-is-none").unwrap();
        assert!(missing.contains("plug it in"), "{missing}");
        let file = trouble("/dev/null").unwrap();
        assert!(file.contains("is no serial device"), "{file}");
        for (errno, word) in [
            (Errno::ACCESS, "udev rule"),
            (Errno::PERM, "udev rule"),
            (Errno::BUSY, "fuser"),
            (Errno::NXIO, "no hardware"),
            (Errno::IO, "no hardware"),
            (Errno::MFILE, "cannot open /dev/null"),
        ] {
            let words = refusal("/dev/null", errno);
            assert!(words.contains(word), "{words}");
        }
    }

    #[test]
    fn nobody_is_told_to_join_the_group_of_root() {
        for group in ["root", "0"] {
            let words = denied("/dev/ttyS0", group);
            assert!(!words.contains("usermod"), "{words}");
            assert!(words.contains("udev rule") && words.contains("run this as root"));
        }
        let words = denied("/dev/ttyS0", "dialout");
        assert!(words.contains("sudo usermod -aG dialout $USER"), "{words}");
    }
}
