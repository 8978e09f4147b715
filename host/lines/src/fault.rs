//! Why a card cannot be used: what, where, and what would be right.

use rustix::io::Errno;
use std::fmt;
use std::path::{Path, PathBuf};

/// A fault of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing at the path.
    Missing(PathBuf),
    /// What is there is no GPIO chip, or one of a kernel without the second version of the interface.
    NotAChip(PathBuf),
    /// What is there is no directory of channels.
    NotADirectory(PathBuf),
    /// This process may not use it.
    Denied(PathBuf),
    /// Somebody has the line.
    Busy {
        /// The chip.
        path: PathBuf,
        /// The line.
        line: u32,
        /// Who, by the kernel's word; empty where the kernel says nothing.
        by: String,
    },
    /// The chip has fewer lines.
    NoSuchLine {
        /// The chip.
        path: PathBuf,
        /// The line that is wanted.
        line: u32,
        /// How many there are.
        lines: u32,
    },
    /// The lines ask for more different kinds of bias and debounce than one request can have.
    TooManyKinds(PathBuf),
    /// The kernel refuses what the lines ask for.
    Refused(PathBuf),
    /// It was there and is not any more.
    Gone(PathBuf),
    /// There is no such channel.
    NoSuchChannel {
        /// The directory.
        path: PathBuf,
        /// The channel.
        channel: String,
    },
    /// A recording says nothing of a channel, nor will it.
    NotRecorded {
        /// The file.
        path: PathBuf,
        /// The channel.
        channel: String,
    },
    /// A recording says something of a channel later.
    NotYet {
        /// The file.
        path: PathBuf,
        /// The channel.
        channel: String,
    },
    /// What a channel says is no number.
    NotANumber {
        /// The channel's file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// The chip says of a channel that it is at fault.
    ChannelFault(PathBuf),
    /// The chip drives a channel by itself.
    Regulated {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        says: String,
    },
    /// A recording cannot be read.
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// What the kernel says otherwise.
    Other {
        /// Where.
        path: PathBuf,
        /// What.
        what: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                let (path, list) = (path.display(), list_of(path));
                write!(f, "there is no {path}; look for its name with: {list}")
            }
            Self::NotAChip(path) => write!(
                f,
                "{} is no GPIO chip of version 2, which Linux has from 5.10 on; look for its name with: gpiodetect",
                path.display()
            ),
            Self::NotADirectory(path) => {
                write!(f, "{} is no directory of channels", path.display())
            }
            Self::Denied(path) => write!(
                f,
                "no permission to use {}; let the node's user have it, or become a member of its group",
                path.display()
            ),
            Self::Busy { path, line, by } => {
                let by = if by.is_empty() {
                    "somebody"
                } else {
                    by.as_str()
                };
                write!(
                    f,
                    "line {line} of {} is in use by {by}; end that, or use another line",
                    path.display()
                )
            }
            Self::NoSuchLine { path, line, lines } => write!(
                f,
                "{} has {lines} lines, from 0 on, and no line {line}",
                path.display()
            ),
            Self::TooManyKinds(path) => write!(
                f,
                "{}: its lines ask for more than ten kinds of bias and hardware debounce; let some have the same",
                path.display()
            ),
            Self::Refused(path) => write!(
                f,
                "{}: the kernel refuses a bias or a debounce that the lines ask for; write bias = \"as-is\" and \
                 hardware = \"0us\"",
                path.display()
            ),
            Self::Gone(path) => write!(f, "{} was there and is gone", path.display()),
            Self::NoSuchChannel { path, channel } => write!(
                f,
                "{} has no channel {channel}; look for its name with: ls {}",
                path.display(),
                path.display()
            ),
            Self::NotRecorded { path, channel } => write!(
                f,
                "{} has no line about channel {channel}; write one such as: now sample {channel} 21500",
                path.display()
            ),
            Self::NotYet { path, channel } => write!(
                f,
                "{} says nothing of channel {channel} before its first line about it is due",
                path.display()
            ),
            Self::NotANumber { path, text } => {
                write!(f, "{} says {text:?}, which is no number", path.display())
            }
            Self::ChannelFault(path) => {
                write!(f, "{} says that its channel is at fault", path.display())
            }
            Self::Regulated { path, says } => write!(
                f,
                "{} says {says}: the chip drives the channel itself; write 1 into it before the node starts",
                path.display()
            ),
            Self::Recording { path, what } => write!(f, "{}: {what}", path.display()),
            Self::Other { path, what } => write!(f, "{}: {what}", path.display()),
        }
    }
}

impl std::error::Error for Fault {}

/// How one looks for what should be at a path.
fn list_of(path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new("/dev"));
    format!("ls {}", folder.display())
}

/// The fault that a call on a path met.
pub(crate) fn of_errno(path: &Path, errno: Errno) -> Fault {
    let path = path.to_path_buf();
    match errno {
        Errno::NOENT => Fault::Missing(path),
        Errno::ACCESS | Errno::PERM => Fault::Denied(path),
        Errno::NODEV | Errno::NXIO => Fault::Gone(path),
        other => Fault::Other {
            path,
            what: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, of_errno};
    use rustix::io::Errno;
    use std::path::Path;

    //= U3
    #[test]
    fn every_fault_says_what_where_and_what_would_be_right() {
        let chip = Path::new("/dev/gpiochip7");
        for (errno, says) in [
            (
                Errno::NOENT,
                "there is no /dev/gpiochip7; look for its name with: ls /dev",
            ),
            (
                Errno::ACCESS,
                "no permission to use /dev/gpiochip7; let the node's user",
            ),
            (Errno::NODEV, "/dev/gpiochip7 was there and is gone"),
            (Errno::IO, "/dev/gpiochip7: "),
        ] {
            let said = of_errno(chip, errno).to_string();
            assert!(said.starts_with(says), "{said}");
        }
        let busy = |by: &str| {
            Fault::Busy {
                path: chip.into(),
                line: 4,
                by: by.into(),
            }
            .to_string()
        };
        assert_eq!(
            busy("gpio-keys"),
            "line 4 of /dev/gpiochip7 is in use by gpio-keys; end that, or use another line"
        );
        assert!(busy("").contains("in use by somebody"));
    }
}
