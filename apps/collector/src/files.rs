//! Durable files: written beside their place, flushed, renamed, and the directory flushed.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::limits::FILE_BYTES_MAX;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The owner alone.
    Secret,
    /// Everyone.
    Public,
}

impl Access {
    const fn mode(self) -> u32 {
        match self {
            Self::Secret => 0o600,
            Self::Public => 0o644,
        }
    }
}

/// Creates a directory with its ancestors, and makes their names durable.
///
/// # Errors
/// What could not be created.
pub fn create_dir(path: &Path) -> Result<(), Error> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
        match fs::create_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", path)(error)),
        }
        flush_dir(parent)?;
    }
    Ok(())
}

/// Makes the names in a directory durable.
///
/// # Errors
/// When the directory cannot be flushed.
pub fn flush_dir(path: &Path) -> Result<(), Error> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(Error::io("flush", path))
}

/// Puts a file in place with flushed contents; its name is durable after [`flush_dir`] of the result.
///
/// # Errors
/// What could not be written.
pub fn place(path: &Path, bytes: &[u8], access: Access) -> Result<PathBuf, Error> {
    let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
    create_dir(&dir)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let beside = dir.join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(access.mode())
        .open(&beside)
        .map_err(Error::io("create", &beside))?;
    let placed = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(Error::io("write", &beside))
        .and_then(|()| fs::rename(&beside, path).map_err(Error::io("rename to", path)));
    if placed.is_err() {
        // A half-written file is no use to anybody; on a full disk its bytes are needed.
        let _ = fs::remove_file(&beside);
    }
    placed.map(|()| dir)
}

/// Puts a file in place, contents and name durable.
///
/// # Errors
/// What could not be written.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> Result<(), Error> {
    flush_dir(&place(path, bytes, access)?)
}

/// Appends a line durably.
///
/// # Errors
/// What could not be written.
pub fn append_line(path: &Path, line: &str) -> Result<(), Error> {
    let dir = path.parent().unwrap_or(Path::new(""));
    create_dir(dir)?;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(Access::Public.mode())
        .open(path)
        .map_err(Error::io("open", path))?;
    file.write_all(format!("{line}\n").as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(Error::io("append to", path))?;
    flush_dir(dir)
}

/// Reads a whole file; `None` where there is none.
///
/// # Errors
/// What could not be read, or is larger than [`FILE_BYTES_MAX`].
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::io("open", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::damaged(path, "it is larger than such a file can be"));
    }
    Ok(Some(bytes))
}

/// Removes a file or a whole directory, if it is there.
///
/// # Errors
/// What could not be removed.
pub fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Error::io("remove", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Bytes as lowercase hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes of lowercase or uppercase hex; `None` for anything else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Access, append_line, hex, read, remove, unhex, write};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_whole_and_a_secret_is_the_owners() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c");
        assert!(read(&path).unwrap().is_none());
        write(&path, b"one", Access::Secret).unwrap();
        write(&path, b"two", Access::Secret).unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"two");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let names = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
        remove(&path).unwrap();
        remove(&path).unwrap();
        append_line(&path, "x").unwrap();
        append_line(&path, "y").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"x\ny\n");
    }

    #[test]
    fn hex_comes_back() {
        assert_eq!(unhex(&hex(&[0, 15, 255])).unwrap(), [0, 15, 255]);
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
    }
}
