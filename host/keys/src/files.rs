//! Files that are whole or absent, and are read only where nobody else could have written them.

use crate::error::KeysError;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What may stand at a file's name when it is written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// Nothing.
    New,
    /// An older version of it.
    Replace,
}

/// A directory that this process alone works with, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct LockedDir {
    fd: OwnedFd,
    path: PathBuf,
}

impl LockedDir {
    /// Opens and locks a directory, which must be this user's and closed to other writers.
    pub(crate) fn open(path: &Path) -> Result<Self, KeysError> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOENT => KeysError::None(path.into()),
            errno => KeysError::errno(path, "open the directory")(errno),
        })?;
        check_access(&fd, path, 0o755)?;
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(KeysError::InUse(path.into())),
            locked => {
                locked.map_err(KeysError::errno(path, "lock the directory"))?;
                Ok(Self {
                    fd,
                    path: path.into(),
                })
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Gives a file another name, durably; what had that name is gone.
    pub(crate) fn rename(&self, name: &str, to: &str) -> Result<(), KeysError> {
        let (from, to) = (self.join(name), self.join(to));
        rustix::fs::renameat(CWD, &from, CWD, &to)
            .map_err(KeysError::errno(&to, "rename into place"))?;
        rustix::fs::fsync(&self.fd).map_err(KeysError::errno(&self.path, "sync the directory"))
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), KeysError> {
        let path = self.join(name);
        match rustix::fs::unlink(&path) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(KeysError::errno(&path, "remove")(errno)),
        }
    }

    /// Writes a file durably: after this it has all its bytes or, on an error, never the name.
    pub(crate) fn write(
        &self,
        name: &str,
        mode: u32,
        bytes: &[u8],
        target: Target,
    ) -> Result<(), KeysError> {
        let path = self.join(name);
        let temporary = self.join(&format!(".{name}.tmp"));
        // The directory is ours alone: what is left there is of a process that died.
        match rustix::fs::unlink(&temporary) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(KeysError::errno(&temporary, "remove")(errno)),
        }
        let mode = Mode::from_raw_mode(mode);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&temporary, flags, mode)
            .map_err(KeysError::errno(&temporary, "create"))?;
        // The umask may have taken bits away.
        rustix::fs::fchmod(&fd, mode).map_err(KeysError::errno(&temporary, "set the mode"))?;
        let mut file = File::from(fd);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(KeysError::io(&temporary, "write"))?;
        let flags = match target {
            Target::New => RenameFlags::NOREPLACE,
            Target::Replace => RenameFlags::empty(),
        };
        rustix::fs::renameat_with(CWD, &temporary, CWD, &path, flags)
            .map_err(KeysError::errno(&path, "rename into place"))?;
        rustix::fs::fsync(&self.fd).map_err(KeysError::errno(&self.path, "sync the directory"))
    }
}

/// Reads a file that at most `mode` may have let others touch.
pub(crate) fn read(
    path: &Path,
    mode: u32,
    bytes_max: usize,
) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    // Without NONBLOCK a pipe at this name would hold the signer up for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd =
        rustix::fs::open(path, flags, Mode::empty()).map_err(KeysError::errno(path, "open"))?;
    let stat = rustix::fs::fstat(&fd).map_err(KeysError::errno(path, "stat"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(KeysError::NotAFile(path.into()));
    }
    check_access(&fd, path, mode)?;
    // One allocation, so that no copy of a secret is left behind by a growing vector.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max.saturating_add(1)));
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    File::from(fd)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(KeysError::io(path, "read"))?;
    if bytes.len() > bytes_max {
        return Err(KeysError::TooLong(path.into()));
    }
    Ok(bytes)
}

/// Whether something is there, whatever it is.
pub(crate) fn stands(path: &Path) -> Result<bool, KeysError> {
    match rustix::fs::lstat(path) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(KeysError::errno(path, "stat")(errno)),
    }
}

fn check_access(fd: &OwnedFd, path: &Path, allowed: u32) -> Result<(), KeysError> {
    let stat = rustix::fs::fstat(fd).map_err(KeysError::errno(path, "stat"))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(KeysError::Owner {
            path: path.into(),
            uid: stat.st_uid,
        });
    }
    let mode = stat.st_mode & 0o777;
    if mode & 0o077 & !allowed != 0 {
        return Err(KeysError::Mode {
            path: path.into(),
            mode,
            allowed,
        });
    }
    Ok(())
}
