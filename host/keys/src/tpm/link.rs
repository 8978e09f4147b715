//! The wire to a TPM: a device of the kernel, or the socket of one that is a program.

use crate::ended::{end_one, now_ns};
use crate::limits::{TPM_BUSY_PAUSE, TPM_BUSY_TRIES_MAX, TPM_TIMEOUT_NS};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::path::{Path, PathBuf};
use tpm::code::Consequence;
use tpm::limits::MESSAGE_BYTES_MAX;
use tpm::response::length;
use tpm::{Command, Response, TpmError};
use trust_plane::{BackendError, KeyFault};

/// Where the kernel shows the event logs of firmware.
const SECURITYFS: &str = "/sys/kernel/security";

/// Where a TPM is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TpmPlace {
    /// A device: `/dev/tpmrm0`, whose resource manager keeps its users apart.
    Device(PathBuf),
    /// A UNIX socket that carries commands as they are: swtpm's. It serves one at a time.
    Socket(PathBuf),
}

impl TpmPlace {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Device(path) | Self::Socket(path) => path,
        }
    }

    /// Where the kernel shows what firmware measured into a device; nobody measures into a socket.
    pub(super) fn event_log(&self) -> Option<PathBuf> {
        let Self::Device(path) = self else {
            return None;
        };
        let name = path.file_name()?.to_str()?.strip_prefix("tpm")?;
        let number = name.strip_prefix("rm").unwrap_or(name);
        Some(PathBuf::from(format!(
            "{SECURITYFS}/tpm{number}/binary_bios_measurements"
        )))
    }

    fn fault(&self, errno: Errno) -> BackendError {
        let path = self.path().display();
        let words = match errno {
            Errno::NOENT | Errno::NXIO | Errno::NODEV => {
                format!("{path}: not there; is the TPM switched on, is its driver loaded?")
            }
            Errno::CONNREFUSED => format!("{path}: nobody serves this socket"),
            Errno::ACCESS | Errno::PERM => {
                format!("{path}: this user may not use it; its group is usually tss")
            }
            Errno::BUSY => format!("{path}: another program has it; use /dev/tpmrm0"),
            errno => format!("{path}: {errno}"),
        };
        BackendError::new(KeyFault::Unavailable, words)
    }
}

/// Until when an answer is waited for, and how long that was.
#[derive(Clone, Copy)]
struct Limit {
    until_ns: u64,
    limit_ns: u64,
}

/// An open wire. Whoever got an error drops it: a late answer must not be taken for another's.
#[derive(Debug)]
pub(super) struct Link {
    fd: OwnedFd,
    place: TpmPlace,
}

impl Link {
    pub(super) fn open(place: &TpmPlace) -> Result<Self, BackendError> {
        let fd = match place {
            TpmPlace::Device(path) => {
                let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
                rustix::fs::open(path, flags, Mode::empty())
            }
            TpmPlace::Socket(path) => connect(path),
        };
        Ok(Self {
            fd: fd.map_err(|errno| place.fault(errno))?,
            place: place.clone(),
        })
    }

    /// Has a command answered; asks again where the TPM is busy with itself.
    pub(super) fn ask(&mut self, command: &Command) -> Result<Response, Asked> {
        self.ask_within(command, TPM_TIMEOUT_NS)
    }

    /// The same of a command that may take longer than others.
    pub(super) fn ask_within(
        &mut self,
        command: &Command,
        limit_ns: u64,
    ) -> Result<Response, Asked> {
        let limit = Limit {
            until_ns: now_ns().saturating_add(limit_ns),
            limit_ns,
        };
        let mut tries = 0;
        loop {
            let bytes = self.exchange(command, limit);
            end_one();
            let bytes = bytes.map_err(Asked::Wire)?;
            match Response::parse(command, &bytes) {
                Err(TpmError::Code { code, .. })
                    if code.consequence() == Consequence::Again && tries < TPM_BUSY_TRIES_MAX =>
                {
                    tries += 1;
                    std::thread::sleep(TPM_BUSY_PAUSE);
                }
                answer => return answer.map_err(Asked::Tpm),
            }
        }
    }

    fn exchange(&self, command: &Command, limit: Limit) -> Result<Vec<u8>, BackendError> {
        let mut left = command.bytes();
        while !left.is_empty() {
            self.wait(PollFlags::OUT, command, limit)?;
            // A device takes a command whole; a socket may take it in parts.
            let taken = match rustix::io::write(&self.fd, left) {
                Err(Errno::AGAIN | Errno::INTR) => 0,
                taken => taken.map_err(|errno| self.place.fault(errno))?,
            };
            left = left.get(taken..).unwrap_or(&[]);
        }
        let mut answer = Vec::new();
        let mut part = vec![0; MESSAGE_BYTES_MAX];
        loop {
            self.wait(PollFlags::IN, command, limit)?;
            let got = match rustix::io::read(&self.fd, &mut part) {
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Ok(0) => Err(Errno::CONNRESET),
                got => got,
            };
            let got = got.map_err(|errno| self.place.fault(errno))?;
            answer.extend_from_slice(part.get(..got).unwrap_or(&[]));
            match length(&answer) {
                Ok(Some(length)) if length <= answer.len() => return Ok(answer),
                Ok(_) => {}
                Err(error) => {
                    let words = format!("{}: {error}", self.place.path().display());
                    return Err(BackendError::new(KeyFault::Failed, words));
                }
            }
        }
    }

    fn wait(&self, flags: PollFlags, command: &Command, limit: Limit) -> Result<(), BackendError> {
        loop {
            let left_ns = limit.until_ns.saturating_sub(now_ns());
            let timeout = Timespec {
                tv_sec: i64::try_from(left_ns / 1_000_000_000).unwrap_or(0),
                tv_nsec: i64::try_from(left_ns % 1_000_000_000).unwrap_or(0),
            };
            match poll(&mut [PollFd::new(&self.fd, flags)], Some(&timeout)) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.place.fault(errno)),
                Ok(0) => {
                    let words = format!(
                        "{}: no answer to {} within {} s",
                        self.place.path().display(),
                        command.name(),
                        limit.limit_ns / 1_000_000_000
                    );
                    return Err(BackendError::new(KeyFault::Slow, words));
                }
                Ok(_) => return Ok(()),
            }
        }
    }
}

fn connect(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&fd, &SocketAddrUnix::new(path)?)?;
    Ok(fd)
}

/// Why a command has no answer: the wire, or the TPM itself.
#[derive(Debug)]
pub(super) enum Asked {
    Wire(BackendError),
    Tpm(TpmError),
}

impl Asked {
    /// Whether the TPM says that a key or index does not exist.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Tpm(TpmError::Code { code, .. }) if code.consequence() == Consequence::Absent)
    }
}

impl From<TpmError> for Asked {
    fn from(error: TpmError) -> Self {
        Self::Tpm(error)
    }
}

impl From<Asked> for BackendError {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Wire(error) => error,
            Asked::Tpm(error) => {
                let fault = match &error {
                    TpmError::Code { code, .. } => match code.consequence() {
                        Consequence::LockedOut => KeyFault::LockedOut,
                        Consequence::Again => KeyFault::Slow,
                        Consequence::Broken | Consequence::Absent | Consequence::Refused => {
                            KeyFault::Failed
                        }
                    },
                    TpmError::Malformed { .. } => KeyFault::Failed,
                };
                Self::new(fault, error.to_string())
            }
        }
    }
}
