//! A served path: bound once, a dead predecessor's socket cleared away, a live one left alone.

use crate::channel::{Channel, address, new_socket};
use crate::deadline::Deadline;
use crate::error::IpcError;
use crate::limits::{BACKLOG_MAX, GROUP_SOCKET_MODE, SOCKET_MODE};
use crate::lock::{SocketLock, lock, parent};
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{SocketAddrUnix, SocketFlags, accept_with, bind, connect, listen};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A socket at a path that accepts connections; the file goes with it.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    path: PathBuf,
    /// Device and inode of the socket's file, so that a successor's file is never removed.
    file: (u64, u64),
}

fn identity(path: &Path) -> Result<(u64, u64), Errno> {
    let stat = rustix::fs::lstat(path)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Removes a socket that nobody listens on.
fn clear_stale(path: &Path) -> Result<(), IpcError> {
    let stat = rustix::fs::lstat(path).map_err(IpcError::of("lstat"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err(IpcError::NotASocket(path.into()));
    }
    match connect(new_socket()?, &address(path)?) {
        Err(Errno::CONNREFUSED) => rustix::fs::unlink(path).map_err(IpcError::of("unlink")),
        Ok(()) | Err(Errno::AGAIN | Errno::PROTOTYPE) => Err(IpcError::AlreadyServed(path.into())),
        Err(errno) => Err(IpcError::of("connect")(errno)),
    }
}

impl Listener {
    /// Serves a path to the own user. A socket that is left there is removed only if nobody listens on it. Its folder is locked
    /// meanwhile, so it is to be one that only this user can open.
    pub fn bind(path: &Path) -> Result<Self, IpcError> {
        // Before the lock: what is wrong with the path is wrong without it too.
        let address = address(path)?;
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(parent(path), flags, Mode::empty())
            .map_err(IpcError::of("open the socket's folder"))?;
        lock(&folder, "lock the socket's folder")?;
        Self::bind_locked(path, &address, SOCKET_MODE)
    }

    /// The same for the group of this process: whom it serves of those is up to the caller, who knows them by
    /// [`Channel::peer_credentials`].
    pub fn bind_for_group(path: &Path, lock: &SocketLock) -> Result<Self, IpcError> {
        let address = address(path)?;
        lock.take()?;
        Self::bind_locked(path, &address, GROUP_SOCKET_MODE)
    }

    /// Two starters must not clear each other's fresh socket away: one at a time.
    fn bind_locked(path: &Path, address: &SocketAddrUnix, mode: u32) -> Result<Self, IpcError> {
        let fd = new_socket()?;
        match bind(&fd, address) {
            Err(Errno::ADDRINUSE) => {
                clear_stale(path)?;
                bind(&fd, address).map_err(IpcError::of("bind"))?;
            }
            bound => bound.map_err(IpcError::of("bind"))?,
        }
        // Nobody can connect before listen, so the mode is never too wide.
        rustix::fs::chmod(path, Mode::from_raw_mode(mode)).map_err(IpcError::of("chmod"))?;
        listen(&fd, BACKLOG_MAX).map_err(IpcError::of("listen"))?;
        let file = identity(path).map_err(IpcError::of("lstat"))?;
        Ok(Self {
            fd,
            path: path.into(),
            file,
        })
    }

    /// The next connection, or `None` if none came within `timeout`.
    pub fn accept(&self, timeout: Duration) -> Result<Option<Channel>, IpcError> {
        let deadline = Deadline::after(timeout);
        loop {
            match accept_with(&self.fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(fd) => return Channel::new(fd).map(Some),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(Errno::AGAIN) => {
                    if !deadline.ready(self.as_fd(), PollFlags::IN)? {
                        return Ok(None);
                    }
                }
                Err(errno) => return Err(IpcError::of("accept")(errno)),
            }
        }
    }

    /// The path it serves.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if identity(&self.path) == Ok(self.file) {
            // A file that cannot be removed now is stale to the next listener, who clears it.
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Listener;
    use crate::channel::Channel;
    use crate::error::IpcError;
    use crate::message::{Message, Stop};
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn a_stale_socket_is_cleared_and_a_served_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.sock");
        // A listener that dies leaves its file: bind without the drop that removes it.
        let dead = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(dead);
        assert!(path.exists());
        let served = Listener::bind(&path).unwrap();
        assert_eq!(
            Listener::bind(&path).unwrap_err(),
            IpcError::AlreadyServed(path.clone())
        );
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let client = Channel::connect(&path, LONG).unwrap();
        client.send(&Message::Stop(Stop {})).unwrap();
        // The probe of the second listener was accepted first, and is closed.
        let probe = served.accept(LONG).unwrap().unwrap();
        assert_eq!(probe.recv(LONG).unwrap_err(), IpcError::Closed);
        let accepted = served.accept(LONG).unwrap().unwrap();
        assert_eq!(accepted.recv(LONG).unwrap(), Some(Message::Stop(Stop {})));
        assert!(served.accept(SHORT).unwrap().is_none());
        drop(served);
        assert!(!path.exists());
    }

    #[test]
    fn another_kind_of_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.sock");
        std::fs::write(&path, "precious").unwrap();
        assert_eq!(
            Listener::bind(&path).unwrap_err(),
            IpcError::NotASocket(path.clone())
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn a_successors_file_outlives_its_predecessor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.sock");
        let first = Listener::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = Listener::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
    }

    /// A folder that its owner keeps locked, such as that of keys, is no place for a socket.
    #[test]
    fn a_folder_locked_by_somebody_else_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let held = std::fs::File::open(folder.path()).unwrap();
        held.lock().unwrap();
        let path = folder.path().join("r.sock");
        let error = Listener::bind(&path).unwrap_err().to_string();
        assert!(error.contains("lock the socket's folder"), "{error}");
        drop(held);
        assert!(Listener::bind(&path).is_ok());
    }

    #[test]
    fn a_path_too_long_and_a_path_nobody_serves_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(120));
        assert_eq!(
            Listener::bind(&long).unwrap_err(),
            IpcError::PathTooLong(long.clone())
        );
        let absent = folder.path().join("absent.sock");
        let error = Channel::connect(&absent, SHORT).unwrap_err();
        assert!(matches!(error, IpcError::NobodyServes { .. }), "{error}");
    }
}
