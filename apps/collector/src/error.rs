//! Why the collector cannot do something: what, where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of the host under the collector.
#[derive(Debug)]
pub enum Error {
    /// A file or socket.
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The rows database.
    Rows(Box<redb::Error>),
    /// A stored file is not what it should be.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A write failed before; the log takes nothing more until the next start.
    Latched,
    /// Configuration or keys.
    Setup(String),
}

impl Error {
    /// For `map_err` on an input or output error.
    pub fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::Io { what, path, error }
    }

    /// A stored file that cannot be understood.
    pub fn damaged(path: &Path, detail: impl fmt::Display) -> Self {
        Self::Damaged {
            path: path.to_path_buf(),
            detail: detail.to_string(),
        }
    }

    /// Configuration or keys that cannot be used.
    pub fn setup(detail: impl fmt::Display) -> Self {
        Self::Setup(detail.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, path, error } => {
                write!(f, "cannot {what} {}: {error}", path.display())
            }
            Self::Rows(error) => write!(f, "rows database: {error}"),
            Self::Damaged { path, detail } => write!(f, "{} is damaged: {detail}", path.display()),
            Self::Latched => f.write_str("a write failed before; restart the collector"),
            Self::Setup(detail) => f.write_str(detail),
        }
    }
}

impl std::error::Error for Error {}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Rows(Box::new(error.into()))
    }
}
