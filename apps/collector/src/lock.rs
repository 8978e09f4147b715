//! One process per directory: the lock, and who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::error::Error;
use crate::say::quoted;

const LOCK_FILE: &str = "lock";
/// A process id has fewer digits.
const PID_BYTES_MAX: u64 = 20;

/// A collector's directory, taken for this process as long as this value lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes a directory.
    ///
    /// # Errors
    /// When another process has it, with that process and what to do.
    pub fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(dir, &mut file)),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(Error::io("write", &path))?;
        Ok(Self(file))
    }
}

fn in_use(dir: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.take(PID_BYTES_MAX).read_to_string(&mut text);
    let pid: Option<u32> = read.ok().and_then(|_| text.trim().parse().ok());
    let (holder, stop) = match pid {
        Some(pid) => (format!(" (process {pid})"), format!("kill {pid}")),
        None => (String::new(), "Ctrl-C in its terminal".to_owned()),
    };
    Error::setup(format!(
        "another collector{holder} serves {}: a log must have one writer. Stop that one first \
         ({stop}), or give this one a directory of its own: fieldnotary-collector init --dir \
         OTHER --name NAME",
        quoted(&dir.display().to_string())
    ))
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn the_second_is_told_who_has_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let error = Lock::take(dir.path()).unwrap_err().to_string();
        let pid = std::process::id();
        for part in [
            &format!("(process {pid})"),
            &format!("kill {pid}"),
            "--dir OTHER",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        drop(first);
        Lock::take(dir.path()).unwrap();
    }
}
