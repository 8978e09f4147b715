//! Why a probe could not be made. What a source does later is a fault of the reading.

use rustix::io::Errno;
use std::fmt;
use std::path::{Path, PathBuf};
use time_plane::reading::Fault;

/// A socket, a timer or a path that could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClocksError {
    /// A call of the kernel failed.
    Call {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        errno: Errno,
    },
    /// Somebody answers at the path where our own socket should be.
    InUse(PathBuf),
    /// Something that is no socket is where our own should be.
    NotOurs(PathBuf),
}

impl ClocksError {
    pub(crate) fn of(doing: &'static str, path: &Path) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Call {
            doing,
            path: path.to_path_buf(),
            errno,
        }
    }
}

/// Who is kept out of a place is told as he is by the source itself; what else stands in our way has a name.
impl From<ClocksError> for Fault {
    fn from(error: ClocksError) -> Self {
        match error {
            ClocksError::Call {
                errno: Errno::ACCESS | Errno::PERM,
                ..
            } => Self::Denied,
            other => Self::OwnEnd(other.to_string()),
        }
    }
}

impl fmt::Display for ClocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { doing, path, errno } => write!(f, "{doing} {}: {errno}", path.display()),
            Self::InUse(path) => write!(
                f,
                "{}: another process uses this socket; give each its own directory",
                path.display()
            ),
            Self::NotOurs(path) => write!(
                f,
                "{}: this is no socket and is left alone; give a directory of its own",
                path.display()
            ),
        }
    }
}

impl std::error::Error for ClocksError {}
