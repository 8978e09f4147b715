//! What can be wrong with an identity directory, and what would be right.

use crate::limits::VKEYS_FILE;
use rustix::io::Errno;
use std::fmt;
use std::path::PathBuf;
use trust_plane::{BackendError, LastSignedError, OriginError};

/// Why keys could not be created, loaded or remembered.
#[derive(Debug)]
pub enum KeysError {
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        call: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file of an identity exists already; nothing is overwritten.
    Exists(PathBuf),
    /// The directory has no identity.
    None(PathBuf),
    /// An identity whose creation was interrupted.
    HalfWritten(PathBuf),
    /// A file of a whole identity is gone.
    Missing(PathBuf),
    /// Others may read or write what they must not.
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it may be at most.
        allowed: u32,
    },
    /// The file belongs to another user.
    Owner {
        /// The file.
        path: PathBuf,
        /// Who owns it.
        uid: u32,
    },
    /// Not a regular file, or a symbolic link.
    NotAFile(PathBuf),
    /// Longer than such a file can be.
    TooLong(PathBuf),
    /// The file does not hold a key of its kind.
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The public file is not two verifier keys of one origin.
    NotVkeys(PathBuf),
    /// The origin in the public file is not one.
    Origin(OriginError),
    /// The public file names other keys than the secret files hold.
    Foreign(PathBuf),
    /// The file that says which store holds the keys is damaged.
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        words: String,
    },
    /// The store did not do its part.
    Backend(BackendError),
    /// The record of last signed heads is damaged.
    LastSigned {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: LastSignedError,
    },
    /// Another process works with this directory.
    InUse(PathBuf),
    /// The system gave no random bytes.
    Random(getrandom::Error),
}

impl KeysError {
    pub(crate) fn io(
        path: &std::path::Path,
        call: &'static str,
    ) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::Io {
            path: path.into(),
            call,
            error,
        }
    }

    pub(crate) fn errno(path: &std::path::Path, call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| match errno {
            Errno::EXIST => Self::Exists(path.into()),
            Errno::NOENT => Self::Missing(path.into()),
            Errno::LOOP => Self::NotAFile(path.into()),
            errno => Self::io(path, call)(errno.into()),
        }
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, call, error } => write!(f, "{}: {call}: {error}", path.display()),
            Self::Exists(path) => write!(
                f,
                "{}: exists already; keys are never overwritten: give the new ones a directory of their own",
                path.display()
            ),
            Self::None(path) => write!(
                f,
                "{0}: no keys here; create them with: fieldnotary-signer init --identity {0} --origin \
                 ORIGIN",
                path.display()
            ),
            Self::HalfWritten(path) => write!(
                f,
                "{}: the creation of this identity was interrupted before {VKEYS_FILE} was written, \
                 so nothing was ever signed with it; remove this file and create anew",
                path.display()
            ),
            Self::Missing(path) => write!(
                f,
                "{}: missing; restore it with the rest of the identity it belongs to",
                path.display()
            ),
            Self::Mode {
                path,
                mode,
                allowed,
            } => write!(
                f,
                "{0}: mode {mode:04o} lets others in; at most {allowed:04o} is accepted: chmod {allowed:o} \
                 {0}",
                path.display()
            ),
            Self::Owner { path, uid } => write!(
                f,
                "{}: belongs to user {uid}; the signer must run as the owner of its keys",
                path.display()
            ),
            Self::NotAFile(path) => write!(f, "{}: not a regular file", path.display()),
            Self::TooLong(path) => write!(f, "{}: too long for what it is", path.display()),
            Self::NotAKey { path, expected } => {
                write!(
                    f,
                    "{}: not {expected}; put a sound copy of it back",
                    path.display()
                )
            }
            Self::NotVkeys(path) => write!(
                f,
                "{}: not a P-256 and an Ed25519 verifier key of one origin, one per line",
                path.display()
            ),
            Self::Origin(error) => error.fmt(f),
            Self::Foreign(path) => write!(
                f,
                "{}: names other keys than the key files beside it hold; they are of different \
                 identities",
                path.display()
            ),
            Self::Store { path, words } => write!(
                f,
                "{}: {words}; put a sound copy of it back",
                path.display()
            ),
            Self::Backend(error) => error.fmt(f),
            Self::LastSigned { path, error } => write!(
                f,
                "{}: damaged ({error}); it says how far this log was signed, so that its keys never sign a second \
                 history",
                path.display()
            ),
            Self::InUse(path) => write!(
                f,
                "{}: another signer works with this directory; a node that runs has one, so stop it first",
                path.display()
            ),
            Self::Random(error) => write!(f, "no random bytes for a new key: {error}"),
        }
    }
}

impl std::error::Error for KeysError {}

impl From<BackendError> for KeysError {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}
