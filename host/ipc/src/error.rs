//! What can go wrong on a local socket.

use crate::limits::{MESSAGE_BYTES_MAX, SEND_TIMEOUT};
use crate::message::ErrorCode;
use evidence::cbor::DecodeError;
use evidence::reasons::KeyFault;
use rustix::io::Errno;
use std::fmt;
use std::path::PathBuf;

/// Why a message did not pass or a socket could not be had.
#[derive(Debug, PartialEq, Eq)]
pub enum IpcError {
    /// The peer closed the connection or died.
    Closed,
    /// The message is longer than [`MESSAGE_BYTES_MAX`]; it was not sent, or was discarded.
    TooLong {
        /// Bytes of the message.
        bytes: usize,
    },
    /// The peer's bytes are no message of any version.
    Malformed(DecodeError),
    /// The peer's message is one, and not of this version.
    OtherVersion(DecodeError),
    /// The peer did not read within [`SEND_TIMEOUT`].
    SendTimeout,
    /// No answer within the time given; the channel was shut down, as its next message would be
    /// that late answer.
    AnswerTimeout,
    /// The peer answered with an error.
    Peer {
        /// What kind of error.
        code: ErrorCode,
        /// The peer's words.
        text: String,
        /// What is wrong with what holds the keys, where it is that.
        fault: Option<KeyFault>,
    },
    /// The peer answered with a message that is no answer to the request.
    Unexpected {
        /// Name of the request.
        asked: &'static str,
        /// Name of the message that came.
        got: &'static str,
    },
    /// The path is too long for a socket.
    PathTooLong(PathBuf),
    /// A process serves this path already.
    AlreadyServed(PathBuf),
    /// Others than the owner may write to the folder of a socket that a group may connect to.
    OpenFolder(PathBuf),
    /// The folder of a socket cannot be looked at.
    NoFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        errno: Errno,
    },
    /// The file that lets one process at a time bind a socket is another user's, open to others, or no file.
    ForeignLock(PathBuf),
    /// Something that is not a socket stands at the path.
    NotASocket(PathBuf),
    /// Nobody served the path within the time given.
    NobodyServes {
        /// The path.
        path: PathBuf,
        /// What the last try gave.
        errno: Errno,
    },
    /// The kernel does not grant a send buffer for the longest message.
    BufferTooSmall {
        /// What it grants, in bytes.
        bytes: usize,
    },
    /// The kernel refused a call.
    Kernel {
        /// Which call.
        call: &'static str,
        /// Its error.
        errno: Errno,
    },
}

impl IpcError {
    /// A kernel call's error, with the ends of a connection told apart.
    pub(crate) fn of(call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| match errno {
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => Self::Closed,
            errno => Self::Kernel { call, errno },
        }
    }
}

impl fmt::Display for IpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => write!(f, "the peer closed the connection"),
            Self::TooLong { bytes } => write!(
                f,
                "the message has {bytes} bytes, more than the {MESSAGE_BYTES_MAX} one may have"
            ),
            Self::Malformed(error) => write!(f, "the peer's message is malformed at {error}"),
            Self::OtherVersion(error) => {
                write!(
                    f,
                    "the peer's message is not one of this version, at {error}"
                )
            }
            Self::SendTimeout => {
                write!(f, "the peer did not read for {} s", SEND_TIMEOUT.as_secs())
            }
            Self::AnswerTimeout => write!(f, "the peer did not answer in time"),
            Self::Peer { code, text, .. } => write!(f, "the peer answered {code}: {text}"),
            Self::Unexpected { asked, got } => {
                write!(f, "the peer answered {asked} with {got}")
            }
            Self::PathTooLong(path) => write!(
                f,
                "{}: too long for a socket's path; use a data directory with a shorter path",
                path.display()
            ),
            Self::AlreadyServed(path) => {
                write!(f, "{}: another process serves this socket", path.display())
            }
            Self::OpenFolder(path) => write!(
                f,
                "{0}: others than its owner may write to this folder, and could put something in the place of the socket: \
                 chmod go-w {0}",
                path.display()
            ),
            Self::NoFolder { path, errno } => write!(
                f,
                "{}: the folder of the socket cannot be looked at ({errno}); make it, owned by the user that serves there",
                path.display()
            ),
            Self::ForeignLock(path) => write!(
                f,
                "{}: not a file of this user's that nobody else may open (mode 0600), so others could hold it and keep this \
                 socket from being served; remove it, and it is made anew",
                path.display()
            ),
            Self::NotASocket(path) => write!(
                f,
                "{}: not a socket; it is left as it is, move it away",
                path.display()
            ),
            Self::NobodyServes { path, errno } => {
                write!(f, "{}: nobody serves this socket ({errno})", path.display())
            }
            Self::BufferTooSmall { bytes } => write!(
                f,
                "the kernel grants a send buffer of {bytes} bytes, {MESSAGE_BYTES_MAX} are \
                 needed; raise net.core.wmem_max"
            ),
            Self::Kernel { call, errno } => write!(f, "{call}: {errno}"),
        }
    }
}

impl std::error::Error for IpcError {}
