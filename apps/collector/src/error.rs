//! Why the collector cannot do something: what, where, and what would be right.

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
    /// The rows database of a log cannot be opened.
    RowsFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: Box<Self>,
    },
    /// What is stored of a log cannot be served.
    Log {
        /// Its origin.
        origin: String,
        /// Its directory.
        dir: PathBuf,
        /// What is wrong.
        error: Box<Self>,
    },
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
    /// What was asked is refused: the answer is no.
    Refused(String),
    /// The command line.
    Usage(String),
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

    /// A word on the command line that makes no sense.
    pub fn usage(detail: impl fmt::Display) -> Self {
        Self::Usage(detail.to_string())
    }

    /// What was asked and is refused.
    pub fn refused(detail: impl fmt::Display) -> Self {
        Self::Refused(detail.to_string())
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
            Self::RowsFile { path, error } => write!(
                f,
                "cannot open {0}: {error}; it holds nothing that the entries beside it do not\n\
                 remove it, and the next start decodes them again: rm {0}",
                path.display()
            ),
            Self::Log { origin, error, .. } if matches!(**error, Self::RowsFile { .. }) => {
                write!(f, "the log {origin} cannot be served: {error}")
            }
            Self::Log { origin, dir, error } => write!(
                f,
                "the log {origin} cannot be served: {error}\nIf there is no backup, move {} away: \
                 its node then delivers again what it still holds, but what was cosigned is forgotten",
                dir.display()
            ),
            Self::Damaged { path, detail } => write!(
                f,
                "{} is damaged: {detail}; restore it from a backup",
                path.display()
            ),
            Self::Latched => f.write_str("a write failed before; restart the collector"),
            Self::Setup(detail) | Self::Refused(detail) | Self::Usage(detail) => {
                f.write_str(detail)
            }
        }
    }
}

impl std::error::Error for Error {}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Rows(Box::new(error.into()))
    }
}
