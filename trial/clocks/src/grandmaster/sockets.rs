//! PTP's two ports, with the kernel's stamps of what comes and goes.

use clocks::utc;
use evidence::UtcNs;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, TimestampingFlag, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

const EVENT: u16 = 319;
const GENERAL: u16 = 320;
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 1, 129);
/// How long the stamp of a packet that left may take to come.
const STAMP_WAIT: Duration = Duration::from_millis(50);
const MESSAGE_BYTES_MAX: usize = 256;

/// A message, and when the kernel had it.
pub(super) struct Stamped {
    pub(super) bytes: Vec<u8>,
    pub(super) at: UtcNs,
}

pub(super) struct Sockets {
    event: UdpSocket,
    general: UdpSocket,
}

impl Sockets {
    pub(super) fn open() -> Result<Self, String> {
        let sockets = Self {
            event: open(EVENT)?,
            general: open(GENERAL)?,
        };
        let flags = TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
            | TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
            | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE;
        setsockopt(&sockets.event, sockopt::Timestamping, &flags)
            .map_err(|errno| format!("no stamps on UDP {EVENT}: {errno}"))?;
        Ok(sockets)
    }

    pub(super) fn send_general(&self, bytes: &[u8]) -> Result<(), String> {
        send(&self.general, bytes, GENERAL)
    }

    /// Sends, and gives when the packet left.
    pub(super) fn send_event(&self, bytes: &[u8]) -> Result<UtcNs, String> {
        self.forget_stamps()?;
        send(&self.event, bytes, EVENT)?;
        if wait(&self.event, PollFlags::ERR, STAMP_WAIT)? {
            let stamped = self.stamped(MsgFlags::MSG_ERRQUEUE)?;
            if let Some(stamped) = stamped {
                return Ok(stamped.at);
            }
        }
        // The link is down: nobody heard it, and nobody asks for its stamp.
        Ok(utc())
    }

    /// The next message at the event port, waiting for it.
    pub(super) fn receive(&self, for_at_most: Duration) -> Result<Option<Stamped>, String> {
        if !wait(&self.event, PollFlags::IN, for_at_most)? {
            self.forget_stamps()?;
            return Ok(None);
        }
        self.stamped(MsgFlags::empty())
    }

    /// A stamp that came too late would be taken for the next packet's, and wakes whoever waits.
    fn forget_stamps(&self) -> Result<(), String> {
        while self.stamped(MsgFlags::MSG_ERRQUEUE)?.is_some() {}
        Ok(())
    }

    fn stamped(&self, flags: MsgFlags) -> Result<Option<Stamped>, String> {
        let mut bytes = vec![0; MESSAGE_BYTES_MAX];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        // Three stamps; and what the error queue says of the packet that it gives back.
        let mut control = nix::cmsg_space!([TimeSpec; 3], [u8; 64]);
        let fd = self.event.as_raw_fd();
        let flags = flags | MsgFlags::MSG_DONTWAIT;
        let message = match recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut control), flags) {
            Ok(message) => message,
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => return Ok(None),
            Err(errno) => return Err(format!("UDP {EVENT}: {errno}")),
        };
        let messages = message.cmsgs();
        let messages = messages.map_err(|errno| format!("stamps of UDP {EVENT}: {errno}"))?;
        let at = messages.into_iter().find_map(|message| match message {
            ControlMessageOwned::ScmTimestampsns(stamps) => Some(stamps.system),
            _ => None,
        });
        let at = at.map_or_else(utc, |at| {
            UtcNs(
                at.tv_sec()
                    .saturating_mul(1_000_000_000)
                    .saturating_add(at.tv_nsec()),
            )
        });
        let length = message.bytes;
        bytes.truncate(length);
        Ok(Some(Stamped { bytes, at }))
    }
}

fn open(port: u16) -> Result<UdpSocket, String> {
    let open = || {
        let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
        socket.set_multicast_loop_v4(false)?;
        socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED)?;
        Ok(socket)
    };
    open().map_err(|error: std::io::Error| format!("UDP {port}: {error}"))
}

/// Sends to the group. A link that is down takes nothing and is no error of the sender.
fn send(socket: &UdpSocket, bytes: &[u8], port: u16) -> Result<(), String> {
    match socket.send_to(bytes, SocketAddrV4::new(GROUP, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NetworkUnreachable => Ok(()),
        Err(error) => Err(format!("cannot send on UDP {port}: {error}")),
    }
}

fn wait(socket: &UdpSocket, events: PollFlags, wait: Duration) -> Result<bool, String> {
    let timeout = Timespec::try_from(wait).ok();
    let mut fds = [PollFd::new(socket, events)];
    let ready = poll(&mut fds, timeout.as_ref());
    let ready = match ready {
        Ok(ready) => ready > 0,
        Err(rustix::io::Errno::INTR) => false,
        Err(errno) => return Err(format!("poll: {errno}")),
    };
    Ok(ready && fds.iter().any(|fd| fd.revents().intersects(events)))
}
