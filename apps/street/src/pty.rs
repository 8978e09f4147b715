//! A serial line made of a pseudo terminal.

use crate::Stop;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The street's end of a line, and the link by which others find theirs.
#[derive(Debug)]
pub(crate) struct Line {
    ours: OwnedFd,
    /// Kept open so that the line, its settings and its bytes outlive whoever opens and closes it.
    theirs: OwnedFd,
    link: PathBuf,
}

impl Line {
    /// Opens a line and publishes it as `link`.
    pub(crate) fn open(link: PathBuf) -> Result<Self, Stop> {
        let (ours, theirs, name) = pair().map_err(|error| {
            Stop::Host(format!(
                "cannot open a pseudo terminal for {}: {error}",
                link.display()
            ))
        })?;
        publish(&name, &link)?;
        Ok(Self { ours, theirs, link })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.ours.as_fd()
    }

    /// Reads what is there; nothing is no error.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match rustix::io::read(&self.ours, buffer) {
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Writes a frame; `false` if the line is full, because nobody reads it.
    pub(crate) fn write(&self, frame: &[u8]) -> std::io::Result<bool> {
        match rustix::io::write(&self.ours, frame) {
            Ok(written) => Ok(written == frame.len()),
            Err(rustix::io::Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets the next one in: exclusive use ends with the last close, and ours never comes.
    pub(crate) fn share(&self) {
        let _ = rustix::termios::ioctl_tiocnxcl(&self.theirs);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.link);
    }
}

fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd, PathBuf)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&ours)?;
    rustix::pty::unlockpt(&ours)?;
    let name = rustix::pty::ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    let mut settings = rustix::termios::tcgetattr(&theirs)?;
    settings.make_raw();
    rustix::termios::tcsetattr(&theirs, OptionalActions::Now, &settings)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((
        ours,
        theirs,
        PathBuf::from(OsStr::from_bytes(name.as_bytes())),
    ))
}

/// Puts the link in place at once; only a link may be replaced.
fn publish(target: &Path, link: &Path) -> Result<(), Stop> {
    if std::fs::symlink_metadata(link).is_ok_and(|found| !found.is_symlink()) {
        return Err(Stop::Host(format!(
            "{} is not a link; give the port another name or the street another folder",
            link.display()
        )));
    }
    let tmp = link.with_extension("tmp");
    let _ = std::fs::remove_file(&tmp);
    std::os::unix::fs::symlink(target, &tmp)
        .and_then(|()| std::fs::rename(&tmp, link))
        .map_err(Stop::host(format_args!("cannot link {}", link.display())))
}
