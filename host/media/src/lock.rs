//! The lock that makes sure a journal has one writer.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::MediaError;

/// File whose lock the writer holds.
const LOCK_FILE: &str = "writer.lock";

/// Held while a journal is written; released when dropped, also by a crash. A journal does not look for it: whoever
/// writes takes it before the media are opened for writing, and keeps it as long as the journal. Readers need none.
#[derive(Debug)]
pub struct WriterLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl WriterLock {
    /// Takes the lock of a journal's directory.
    ///
    /// # Errors
    /// [`MediaError`]; [`MediaError::is_locked`] tells when another process holds it.
    pub fn take(dir: &Path) -> Result<Self, MediaError> {
        let path = dir.join(LOCK_FILE);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|errno| MediaError::new("opening", &path, errno))?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| MediaError::new("locking", &path, errno))?;
        Ok(Self(file))
    }
}
