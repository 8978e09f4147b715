//! Why a file cannot be provisioned or opened.

use std::fmt;
use std::path::{Path, PathBuf};

/// What failed, on which file.
#[derive(Debug)]
pub struct MediaError {
    /// What was being done.
    pub doing: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The cause.
    pub cause: std::io::Error,
}

impl MediaError {
    pub(crate) fn new(doing: &'static str, path: &Path, cause: impl Into<std::io::Error>) -> Self {
        Self {
            doing,
            path: path.to_owned(),
            cause: cause.into(),
        }
    }

    pub(crate) fn because(doing: &'static str, path: &Path, why: &str) -> Self {
        Self::new(doing, path, std::io::Error::other(why))
    }

    /// Whether another process holds the journal's lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.cause.kind() == std::io::ErrorKind::WouldBlock
    }
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (doing, path) = (self.doing, self.path.display());
        if self.is_locked() {
            write!(f, "{doing} {path}: another process is writing this journal")
        } else {
            write!(f, "{doing} {path}: {}", self.cause)
        }
    }
}

impl std::error::Error for MediaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
