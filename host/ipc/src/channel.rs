//! One connection: whole messages in, whole messages out, each wait with its deadline.

use crate::deadline::Deadline;
use crate::error::IpcError;
use crate::form::is_a_messages;
use crate::limits::{CONNECT_PAUSE, MESSAGE_BYTES_MAX, SEND_TIMEOUT};
use crate::message::{Error, Message};
use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType,
    connect, recv, send, shutdown, socket_with, socketpair, sockopt,
};
use std::path::Path;
use std::time::Duration;

/// Who is at the other end, as the kernel saw it when the connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// Process id.
    pub pid: i32,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// A connection that carries whole messages. Sending and receiving may be done from two threads;
/// two threads that receive at once would take each other's messages.
#[derive(Debug)]
pub struct Channel {
    fd: OwnedFd,
}

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

pub(crate) fn new_socket() -> Result<OwnedFd, IpcError> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, FLAGS, None)
        .map_err(IpcError::of("socket"))
}

pub(crate) fn address(path: &Path) -> Result<SocketAddrUnix, IpcError> {
    SocketAddrUnix::new(path).map_err(|errno| match errno {
        Errno::NAMETOOLONG => IpcError::PathTooLong(path.into()),
        errno => IpcError::Kernel {
            call: "socket address",
            errno,
        },
    })
}

impl Channel {
    /// Takes a connected socket and gives it buffers for the longest message.
    pub(crate) fn new(fd: OwnedFd) -> Result<Self, IpcError> {
        let buffer = IpcError::of("socket buffer");
        sockopt::set_socket_send_buffer_size(&fd, MESSAGE_BYTES_MAX).map_err(&buffer)?;
        sockopt::set_socket_recv_buffer_size(&fd, MESSAGE_BYTES_MAX).map_err(&buffer)?;
        let bytes = sockopt::socket_send_buffer_size(&fd).map_err(&buffer)?;
        if bytes < MESSAGE_BYTES_MAX {
            return Err(IpcError::BufferTooSmall { bytes });
        }
        Ok(Self { fd })
    }

    /// Connects to a path, trying again until `timeout` while nobody serves it.
    pub fn connect(path: &Path, timeout: Duration) -> Result<Self, IpcError> {
        let address = address(path)?;
        let deadline = Deadline::after(timeout);
        loop {
            let fd = new_socket()?;
            match connect(&fd, &address) {
                Ok(()) => return Self::new(fd),
                Err(Errno::INTR) => {}
                Err(errno @ (Errno::NOENT | Errno::CONNREFUSED | Errno::AGAIN)) => {
                    let left = deadline.left();
                    if left.is_zero() {
                        return Err(IpcError::NobodyServes {
                            path: path.into(),
                            errno,
                        });
                    }
                    std::thread::sleep(left.min(CONNECT_PAUSE));
                }
                Err(errno) => return Err(IpcError::of("connect")(errno)),
            }
        }
    }

    /// Two ends of one connection, for a process that talks to itself or to its child.
    pub fn pair() -> Result<(Self, Self), IpcError> {
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, FLAGS, None)
            .map_err(IpcError::of("socketpair"))?;
        Ok((Self::new(one)?, Self::new(other)?))
    }

    /// Sends one message, waiting at most [`SEND_TIMEOUT`] for a peer that does not read.
    pub fn send(&self, message: &Message) -> Result<(), IpcError> {
        self.send_bytes(&message.encode())
    }

    fn send_bytes(&self, bytes: &[u8]) -> Result<(), IpcError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(IpcError::TooLong { bytes: bytes.len() });
        }
        let deadline = Deadline::after(SEND_TIMEOUT);
        loop {
            match send(&self.fd, bytes, SendFlags::NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !deadline.ready(self.as_fd(), PollFlags::OUT)? {
                        return Err(IpcError::SendTimeout);
                    }
                }
                Err(errno) => return Err(IpcError::of("send")(errno)),
            }
        }
    }

    /// The next message, or `None` if none came within `timeout`.
    ///
    /// After [`IpcError::TooLong`], [`IpcError::Malformed`] or [`IpcError::OtherVersion`] the message at fault is gone and the
    /// connection still good: what to do with such a peer is the caller's choice.
    pub fn recv(&self, timeout: Duration) -> Result<Option<Message>, IpcError> {
        let deadline = Deadline::after(timeout);
        let call = IpcError::of("recv");
        loop {
            // Zero bytes of buffer: only the length is asked for, and the message stays.
            let peek = RecvFlags::PEEK | RecvFlags::TRUNC;
            let bytes = match recv(&self.fd, &mut [0u8; 0], peek) {
                Ok((_, bytes)) => bytes,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    if deadline.ready(self.as_fd(), PollFlags::IN)? {
                        continue;
                    }
                    return Ok(None);
                }
                Err(errno) => return Err(call(errno)),
            };
            if bytes == 0 {
                return Err(IpcError::Closed);
            }
            let mut message = Vec::with_capacity(bytes.min(MESSAGE_BYTES_MAX));
            let (_, bytes) =
                recv(&self.fd, spare_capacity(&mut message), RecvFlags::TRUNC).map_err(&call)?;
            if bytes > MESSAGE_BYTES_MAX || bytes != message.len() {
                return Err(IpcError::TooLong { bytes });
            }
            let decoded =
                Message::decode(&message).map_err(|error| match is_a_messages(&message) {
                    true => IpcError::OtherVersion(error),
                    false => IpcError::Malformed(error),
                });
            return decoded.map(Some);
        }
    }

    /// Sends a request and waits for its answer; an answer of type `Error` becomes an error.
    ///
    /// Only for a channel without other requests under way.
    pub fn ask(&self, request: &Message, timeout: Duration) -> Result<Message, IpcError> {
        match self.send(request).and_then(|()| self.recv(timeout)) {
            Ok(Some(Message::Error(error))) => Err(refusal(error)),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => {
                self.shut_down();
                Err(IpcError::AnswerTimeout)
            }
            Err(IpcError::Closed) => Err(self.parting_words().map_or(IpcError::Closed, refusal)),
            Err(error) => Err(error),
        }
    }

    /// Why the peer closed, where it said so before: whoever turns a caller away does not wait for a request. The first
    /// look may give that the connection is over and not yet what came before that.
    fn parting_words(&self) -> Option<Error> {
        (0..2).find_map(|_| match self.recv(Duration::ZERO) {
            Ok(Some(Message::Error(error))) => Some(error),
            _ => None,
        })
    }

    /// Ends the connection in both directions; whoever waits on it, here or there, is woken.
    pub fn shut_down(&self) {
        // It can only fail where the connection is over already.
        let _ = shutdown(&self.fd, Shutdown::Both);
    }

    /// Who is at the other end.
    pub fn peer_credentials(&self) -> Result<PeerCredentials, IpcError> {
        let peer = sockopt::socket_peercred(&self.fd).map_err(IpcError::of("peer credentials"))?;
        Ok(PeerCredentials {
            pid: peer.pid.as_raw_nonzero().get(),
            uid: peer.uid.as_raw(),
            gid: peer.gid.as_raw(),
        })
    }
}

fn refusal(error: Error) -> IpcError {
    IpcError::Peer {
        code: error.code,
        text: error.text,
        fault: error.fault,
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
