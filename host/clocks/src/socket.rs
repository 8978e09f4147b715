//! A datagram socket of our own, questions sent from it, and whose answers are taken.
//!
//! A daemon answers to the path that a question came from, so the socket has one; it is removed with
//! the probe, and one that a killed process left behind is removed by the next. Nothing here waits for
//! a daemon to read: a full queue is silence.

mod message;

use crate::clock::mono;
use crate::error::ClocksError;
use crate::limits::{ANSWER_BYTES_MAX, DRAINED_MAX, QUESTION_WAIT_MS, ROUND_WAITS};
use evidence::MonoNs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, chmod};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, connect, sendto,
    socket_with, sockopt,
};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use time_plane::reading::Fault;

/// Where a daemon is reached, and who may speak for it.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// Its socket.
    pub socket: PathBuf,
    /// A directory of ours, for the socket that it answers to. Its user must be able to pass through.
    pub directory: PathBuf,
    /// What tells our socket there from those of other nodes; empty where nobody else asks.
    pub asker: String,
    /// Users that may speak for the clock besides root and our own: the one that the daemon runs as.
    pub trusted_uids: Vec<u32>,
    /// How long one question may stay unanswered; a round of them takes [`ROUND_WAITS`] of these at most.
    pub wait: Duration,
}

impl Daemon {
    /// A daemon of root or of our own user, with the usual wait.
    #[must_use]
    pub fn new(socket: &Path, directory: &Path) -> Self {
        Self {
            socket: socket.to_path_buf(),
            directory: directory.to_path_buf(),
            asker: String::new(),
            trusted_uids: Vec::new(),
            wait: Duration::from_millis(QUESTION_WAIT_MS),
        }
    }

    /// Where it answers to us: `chronyd-client.sock`, or with the asker's name.
    fn own_socket(&self, of: &str) -> PathBuf {
        let name = match self.asker.as_str() {
            "" => format!("{of}-client.sock"),
            asker => format!("{of}-client-{asker}.sock"),
        };
        self.directory.join(name)
    }

    /// A file that is no socket refuses like the socket of a process that has ended.
    pub(crate) fn named(&self, fault: Fault) -> Fault {
        let found = std::fs::metadata(&self.socket);
        let is_socket = found.is_ok_and(|found| found.file_type().is_socket());
        match fault {
            Fault::Stale if !is_socket => {
                Fault::Unsupported("the path leads to something that is no socket")
            }
            other => other,
        }
    }

    pub(crate) fn address(&self) -> Result<SocketAddrUnix, ClocksError> {
        address(&self.socket)
    }
}

pub(crate) fn address(path: &Path) -> Result<SocketAddrUnix, ClocksError> {
    SocketAddrUnix::new(path).map_err(ClocksError::of("cannot use the socket", path))
}

/// What a refusal of the kernel says of the source that was asked.
pub(crate) fn fault_of(errno: Errno) -> Fault {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NODEV | Errno::NXIO => Fault::Absent,
        Errno::CONNREFUSED => Fault::Stale,
        Errno::ACCESS | Errno::PERM => Fault::Denied,
        Errno::PROTOTYPE => Fault::Unsupported("a socket of another kind than the daemon's"),
        Errno::NOTTY => Fault::Unsupported("a device that does not answer this question"),
        // Full queues, no memory, a device that is busy: it was not to be had this time.
        _ => Fault::Silent,
    }
}

/// A conversation that the time plane leads: one question out at a time.
pub(crate) trait Dialogue {
    /// The next question.
    fn request(&mut self) -> Option<Vec<u8>>;
    /// Whether one is out.
    fn is_waiting(&self) -> bool;
    /// An answer, or something else that came in.
    fn accept(&mut self, bytes: &[u8]);
    /// The question stays unanswered.
    fn give_up(&mut self);
}

/// Our end.
#[derive(Debug)]
pub(crate) struct Client {
    fd: OwnedFd,
    path: PathBuf,
    /// The file that our path names, to notice when it names another or none.
    inode: u64,
    trusted_uids: Vec<u32>,
    wait: Duration,
}

/// Something that came in.
enum Incoming {
    /// A message of whoever may speak for the clock: so many bytes.
    Message(usize),
    /// A message of somebody else.
    Stranger,
    /// Nothing.
    Nothing,
}

impl Client {
    /// Binds our socket for `daemon`, `chronyd` say, in its directory for us. Only root and we may write to it, and where
    /// other users are trusted everybody, as theirs is not ours to name: whose messages are taken
    /// is decided by the credentials that the kernel gives with each.
    pub(crate) fn bind(daemon: &Daemon, of: &str) -> Result<Self, ClocksError> {
        let path = daemon.own_socket(of);
        let address = address(&path)?;
        remove_stale(&path, &address)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)
            .map_err(ClocksError::of("cannot make a socket for", &path))?;
        // Before the path exists: no message comes in without its sender's name.
        sockopt::set_socket_passcred(&fd, true)
            .map_err(ClocksError::of("cannot ask for credentials at", &path))?;
        bind(&fd, &address).map_err(ClocksError::of("cannot bind", &path))?;
        let mut client = Self {
            fd,
            path,
            inode: 0,
            trusted_uids: daemon.trusted_uids.clone(),
            wait: daemon.wait,
        };
        let everybody = !client.trusted_uids.is_empty();
        let mode = Mode::from_raw_mode(if everybody { 0o666 } else { 0o600 });
        chmod(&client.path, mode).map_err(ClocksError::of("cannot protect", &client.path))?;
        client.inode = inode(&client.path).unwrap_or(0);
        Ok(client)
    }

    /// Whether the path still leads here.
    pub(crate) fn is_in_place(&self) -> bool {
        inode(&self.path) == Some(self.inode)
    }

    pub(crate) fn send(&self, to: &SocketAddrUnix, bytes: &[u8]) -> Result<(), Fault> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            match sendto(&self.fd, bytes, flags, to) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(fault_of(errno)),
            }
        }
    }

    /// Leads a dialogue to its end.
    ///
    /// Strangers' messages are passed over; where nobody else says anything, the source is theirs.
    pub(crate) fn converse(
        &self,
        to: &SocketAddrUnix,
        dialogue: &mut impl Dialogue,
    ) -> Result<(), Fault> {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        let after =
            |wait: Duration| mono().plus_ns(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
        // Whoever answers each question in the last moment does not hold up the look.
        let end = after(self.wait.saturating_mul(ROUND_WAITS));
        while let Some(request) = dialogue.request() {
            self.send(to, &request)?;
            let deadline = after(self.wait).min(end);
            let mut strangers = false;
            while dialogue.is_waiting() {
                match self.receive(&mut buffer, deadline)? {
                    Incoming::Message(len) => {
                        dialogue.accept(buffer.get(..len).unwrap_or_default());
                    }
                    Incoming::Stranger => strangers = true,
                    Incoming::Nothing => {}
                }
                // Whoever keeps on sending does not keep a question open.
                if dialogue.is_waiting() && mono() >= deadline {
                    if strangers {
                        return Err(Fault::Stranger);
                    }
                    dialogue.give_up();
                }
            }
        }
        Ok(())
    }

    /// Takes what is there without waiting: what came since the last conversation.
    pub(crate) fn drain(&self, mut take: impl FnMut(&[u8])) {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        for _ in 0..DRAINED_MAX {
            match self.receive(&mut buffer, MonoNs(0)) {
                Ok(Incoming::Message(len)) => take(buffer.get(..len).unwrap_or_default()),
                Ok(Incoming::Stranger) => {}
                Ok(Incoming::Nothing) | Err(_) => return,
            }
        }
    }

    /// The next message, waiting for it until the deadline.
    fn receive(&self, buffer: &mut [u8], deadline: MonoNs) -> Result<Incoming, Fault> {
        loop {
            match message::receive(self.fd.as_fd(), buffer) {
                Ok((len, uid)) if self.trusts(uid) => return Ok(Incoming::Message(len)),
                Ok(_) => return Ok(Incoming::Stranger),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.wait_until(deadline) {
                        return Ok(Incoming::Nothing);
                    }
                }
                Err(errno) => return Err(fault_of(errno)),
            }
        }
    }

    fn trusts(&self, uid: Option<u32>) -> bool {
        let own = rustix::process::geteuid().as_raw();
        uid.is_some_and(|uid| uid == 0 || uid == own || self.trusted_uids.contains(&uid))
    }

    /// Waits until there is something to read; `false` at the deadline.
    fn wait_until(&self, deadline: MonoNs) -> bool {
        let left = deadline.since(mono());
        let timeout = Timespec::try_from(Duration::from_nanos(left)).ok();
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        left > 0 && matches!(poll(&mut fds, timeout.as_ref()), Ok(1..) | Err(Errno::INTR))
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Another probe's socket may be there by now; it stays.
        if self.is_in_place() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> Option<u64> {
    Some(std::fs::symlink_metadata(path).ok()?.ino())
}

/// Removes a socket that nobody serves. One that somebody serves, and anything else, stays.
fn remove_stale(path: &Path, address: &SocketAddrUnix) -> Result<(), ClocksError> {
    let kind = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            return Err(ClocksError::of("cannot look at", path)(errno));
        }
    };
    if !kind.is_socket() {
        return Err(ClocksError::NotOurs(path.to_path_buf()));
    }
    let probe = socket_with(
        AddressFamily::UNIX,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(ClocksError::of("cannot make a socket for", path))?;
    match connect(&probe, address) {
        Err(Errno::CONNREFUSED) => {
            rustix::fs::unlink(path).map_err(ClocksError::of("cannot remove", path))
        }
        Ok(()) => Err(ClocksError::InUse(path.to_path_buf())),
        Err(errno) => Err(ClocksError::of("cannot look at", path)(errno)),
    }
}

#[cfg(test)]
mod tests;
