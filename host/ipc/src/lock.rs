//! The file that lets one process at a time bind a socket's path: only the user of whoever serves it can open it.

use crate::deadline::Deadline;
use crate::error::IpcError;
use crate::limits::{
    BIND_LOCK_TIMEOUT, CONNECT_PAUSE, FOLDER_WRITERS, LOCK_ENDING, LOCK_MODE, LOCK_OTHERS,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// The lock of a socket that a group may connect to, before it is taken. A folder can be locked by whoever may read it, so by that
/// whole group; this file by its owner alone. It is made where it is not there, and stays: to remove it would let two have it.
///
/// It is opened apart from where it is used, as a process that is confined afterwards may make no files there.
#[derive(Debug)]
pub struct SocketLock {
    fd: OwnedFd,
}

/// The folder of a path.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Takes a lock, waiting a little for another starter.
pub(crate) fn lock(file: impl AsFd, what: &'static str) -> Result<(), IpcError> {
    let deadline = Deadline::after(BIND_LOCK_TIMEOUT);
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if !deadline.left().is_zero() => {
                std::thread::sleep(CONNECT_PAUSE);
            }
            Err(Errno::INTR) => {}
            locked => return locked.map_err(IpcError::of(what)),
        }
    }
}

impl SocketLock {
    /// Opens the lock of a socket. A folder in which others may put something at its path is refused, and so is a lock that others
    /// may open.
    pub fn open(socket: &Path) -> Result<Self, IpcError> {
        let folder = parent(socket);
        let stat = rustix::fs::stat(folder).map_err(|errno| IpcError::NoFolder {
            path: folder.into(),
            errno,
        })?;
        if stat.st_mode & FOLDER_WRITERS != 0 {
            return Err(IpcError::OpenFolder(folder.into()));
        }
        let mut path = socket.as_os_str().to_owned();
        path.push(LOCK_ENDING);
        let path = PathBuf::from(path);
        // Without NONBLOCK a pipe at this name would hold the starter up for ever.
        let flags =
            OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(LOCK_MODE);
        let foreign = || IpcError::ForeignLock(path.clone());
        let fd = rustix::fs::open(&path, flags, mode).map_err(|errno| match errno {
            Errno::LOOP | Errno::ISDIR | Errno::NXIO | Errno::ACCESS => foreign(),
            errno => IpcError::of("open the socket's lock")(errno),
        })?;
        let stat = rustix::fs::fstat(&fd).map_err(IpcError::of("fstat"))?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let is_own = stat.st_uid == rustix::process::geteuid().as_raw();
        match is_file && is_own && stat.st_mode & LOCK_OTHERS == 0 {
            true => Ok(Self { fd }),
            false => Err(foreign()),
        }
    }

    /// Takes it, for as long as this value lives.
    pub(crate) fn take(&self) -> Result<(), IpcError> {
        lock(&self.fd, "lock the socket's lock file")
    }
}

#[cfg(test)]
mod tests {
    use super::SocketLock;
    use crate::error::IpcError;
    use crate::listener::Listener;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn bind(path: &Path) -> Result<Listener, IpcError> {
        Listener::bind_for_group(path, &SocketLock::open(path)?)
    }

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Whoever may read the folder can lock it, and its group may: that holds up nobody who binds there.
    //= A6.1
    #[test]
    fn a_group_that_locks_the_folder_of_a_socket_keeps_nobody_from_serving_it() {
        let folder = tempfile::tempdir().unwrap();
        mode(folder.path(), 0o750);
        let held = std::fs::File::open(folder.path()).unwrap();
        held.lock().unwrap();
        let path = folder.path().join("s.sock");
        let served = bind(&path).unwrap();
        let lock = folder.path().join("s.sock.lock");
        let about = std::fs::metadata(&lock).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        assert_eq!(
            bind(&path).unwrap_err(),
            IpcError::AlreadyServed(path.clone())
        );
        drop(served);
        assert!(bind(&path).is_ok());
        // Who starts at the same time waits, and gives up when that takes too long.
        let held = std::fs::File::open(&lock).unwrap();
        held.lock().unwrap();
        let error = bind(&path).unwrap_err().to_string();
        assert!(error.contains("lock the socket's lock file"), "{error}");
    }

    /// A lock that others can open is one that they can hold.
    //= A6.1
    #[test]
    fn a_lock_that_others_may_open_or_that_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        mode(folder.path(), 0o750);
        let path = folder.path().join("s.sock");
        let lock = folder.path().join("s.sock.lock");
        let refused = || match bind(&path).unwrap_err() {
            error @ IpcError::ForeignLock(_) => assert!(error.to_string().contains("remove it")),
            other => panic!("{other}"),
        };
        std::fs::write(&lock, "").unwrap();
        for others in [0o640, 0o604, 0o620] {
            mode(&lock, others);
            refused();
        }
        std::fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink("/dev/null", &lock).unwrap();
        refused();
        std::fs::remove_file(&lock).unwrap();
        std::fs::create_dir(&lock).unwrap();
        refused();
        std::fs::remove_dir(&lock).unwrap();
        assert!(bind(&path).is_ok());
        mode(folder.path(), 0o770);
        let error = bind(&path).unwrap_err();
        assert!(matches!(error, IpcError::OpenFolder(_)), "{error}");
    }
}
