//! chronyd's SOCK reference clock (`refclock SOCK path`): samples that were offered and accepted, handed on.
//!
//! chronyd makes of them what it makes of any source: this is an offer, not a command.

use crate::error::ClocksError;
use crate::socket::{address, fault_of};
use evidence::UtcNs;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sendto, socket_with,
};
use std::path::Path;
use time_plane::reading::{Fault, OfferedSample};

/// What every sample ends in.
const MAGIC: i32 = 0x534F_434B;

/// A reference clock of chronyd, fed by us.
#[derive(Debug)]
pub struct RefClock {
    fd: OwnedFd,
    to: SocketAddrUnix,
}

impl RefClock {
    /// The reference clock whose socket chronyd made at `path`.
    ///
    /// # Errors
    ///
    /// Where the path cannot be one of a socket, or no socket could be had.
    pub fn new(path: &Path) -> Result<Self, ClocksError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)
            .map_err(ClocksError::of("cannot make a socket for", path))?;
        Ok(Self {
            fd,
            to: address(path)?,
        })
    }

    /// Hands on a sample: the time that it says, and `local`, what `CLOCK_REALTIME` said at that instant.
    /// chronyd knows no uncertainty of a sample; its `refclock` line has one for all (`precision`).
    ///
    /// # Errors
    ///
    /// The fault of chronyd: absent, stale, denied, or silent where its queue is full.
    pub fn send(&self, sample: &OfferedSample, local: UtcNs) -> Result<(), Fault> {
        let bytes = encode(sample.utc, local);
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            match sendto(&self.fd, &bytes, flags, &self.to) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(fault_of(errno)),
            }
        }
    }
}

/// `struct sock_sample`: the local time as a `timeval`, true minus local time in seconds, whether this
/// is a pulse, the leap status, padding, and the magic number.
#[expect(
    clippy::host_endian_bytes,
    reason = "chronyd on this machine reads it as a structure of its own"
)]
fn encode(utc: UtcNs, local: UtcNs) -> Vec<u8> {
    const NEITHER_PULSE_NOR_LEAP: [i32; 3] = [0, 0, 0];
    let seconds: libc::time_t = local.0.div_euclid(1_000_000_000);
    let microseconds: libc::suseconds_t = local.0.rem_euclid(1_000_000_000) / 1_000;
    let offset_ns = i128::from(utc.0) - i128::from(local.0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "an offset of a year is still exact to a few nanoseconds"
    )]
    let offset_s = offset_ns as f64 / 1e9;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&seconds.to_ne_bytes());
    bytes.extend_from_slice(&microseconds.to_ne_bytes());
    bytes.extend_from_slice(&offset_s.to_ne_bytes());
    for number in NEITHER_PULSE_NOR_LEAP {
        bytes.extend_from_slice(&number.to_ne_bytes());
    }
    bytes.extend_from_slice(&MAGIC.to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::{RefClock, encode};
    use evidence::UtcNs;
    use std::os::unix::net::UnixDatagram;
    use time_plane::reading::{Fault, OfferedSample};

    #[cfg(all(target_endian = "little", target_pointer_width = "64"))]
    #[test]
    fn a_sample_is_laid_out_as_chronyd_reads_it() {
        let bytes = encode(UtcNs(1_500_000_000), UtcNs(1_000_002_999));
        assert_eq!(bytes.len(), 40);
        assert_eq!(bytes[..8], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[8..16], [2, 0, 0, 0, 0, 0, 0, 0]);
        let offset: [u8; 8] = bytes[16..24].try_into().unwrap();
        let offset_s = f64::from_bits(u64::from_be_bytes(offset).swap_bytes());
        assert!((offset_s - 0.499_997_001).abs() < 1e-12, "{offset_s}");
        assert_eq!(bytes[24..36], [0; 12]);
        assert_eq!(&bytes[36..], b"KCOS");
    }

    #[test]
    fn a_daemon_that_is_not_there_is_absent_and_one_that_died_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ref.sock");
        let clock = RefClock::new(&path).unwrap();
        let sample = OfferedSample {
            from: "head-end".into(),
            utc: UtcNs(0),
            uncertainty_ns: 0,
        };
        assert_eq!(clock.send(&sample, UtcNs(0)), Err(Fault::Absent));
        let server = UnixDatagram::bind(&path).unwrap();
        assert_eq!(clock.send(&sample, UtcNs(0)), Ok(()));
        let mut buffer = [0; 100];
        assert_eq!(server.recv(&mut buffer).unwrap(), 40);
        drop(server);
        assert_eq!(clock.send(&sample, UtcNs(0)), Err(Fault::Stale));
    }
}
