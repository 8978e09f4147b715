//! The wire of a port: a serial device or a TCP connection.

use contract::{Parity, Port, PortKind, SerialLine};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use serial2::{CharSize, FlowControl, SerialPort, Settings, StopBits};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Bytes read at once; a whole Modbus frame fits.
const READ_BYTES: usize = 512;

/// An open wire.
#[derive(Debug)]
pub(crate) enum Transport {
    Serial(SerialPort),
    Tcp(TcpStream),
}

impl Transport {
    /// Opens the port; the error is a sentence for a person.
    pub(crate) fn open(port: &Port) -> Result<Self, String> {
        match &port.kind {
            PortKind::ModbusRtu(line) => Self::serial(line),
            PortKind::Mbus(line) => Self::serial(&line.serial),
            PortKind::ModbusTcp { address } => {
                Self::tcp(address, Duration::from_millis(port.timeout_ms))
            }
        }
    }

    /// Opens a serial device.
    pub(crate) fn serial(line: &SerialLine) -> Result<Self, String> {
        open_serial(line).map(Self::Serial)
    }

    /// Connects; an attempt, and later each write, may take so long.
    pub(crate) fn tcp(address: &str, timeout: Duration) -> Result<Self, String> {
        open_tcp(address, timeout).map(Self::Tcp)
    }

    /// Sends all bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::Serial(serial) => serial.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
        .map_err(|error| error.to_string())
    }

    /// What has arrived; the wire was found readable before.
    pub(crate) fn receive(&mut self) -> Result<Vec<u8>, String> {
        let mut buffer = [0u8; READ_BYTES];
        let read = match self {
            Self::Serial(serial) => serial.read(&mut buffer),
            Self::Tcp(stream) => stream.read(&mut buffer),
        };
        match read {
            Ok(0) => Err("the other end closed the connection".to_owned()),
            Ok(len) => Ok(buffer.get(..len).unwrap_or_default().to_vec()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Serial(serial) => serial.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }
}

/// Waits until the wire has bytes, the bell rings or the time is up; whether each of the two happened.
pub(super) fn wait(wire: Option<&Transport>, bell: &UnixStream, timeout: Duration) -> (bool, bool) {
    let mut watched = vec![PollFd::new(bell, PollFlags::IN)];
    if let Some(wire) = wire {
        watched.push(PollFd::new(wire, PollFlags::IN));
    }
    let timeout = timeout.try_into().ok();
    // An interrupted wait is a short one.
    let _ = poll(&mut watched, timeout.as_ref());
    let mut ready = watched.iter().map(|watched| !watched.revents().is_empty());
    let rung = ready.next().unwrap_or(false);
    (ready.next().unwrap_or(false), rung)
}

fn open_serial(line: &SerialLine) -> Result<SerialPort, String> {
    let configure = |mut settings: Settings| {
        settings.set_raw();
        settings.set_baud_rate(line.baud)?;
        settings.set_char_size(if line.data_bits == 7 {
            CharSize::Bits7
        } else {
            CharSize::Bits8
        });
        settings.set_stop_bits(if line.stop_bits == 2 {
            StopBits::Two
        } else {
            StopBits::One
        });
        settings.set_parity(match line.parity {
            Parity::None => serial2::Parity::None,
            Parity::Even => serial2::Parity::Even,
            Parity::Odd => serial2::Parity::Odd,
        });
        settings.set_flow_control(FlowControl::None);
        Ok(settings)
    };
    SerialPort::open(&line.device, configure).map_err(|error| {
        let mut words = format!("cannot open {} at {} baud: {error}", line.device, line.baud);
        let device = std::fs::canonicalize(&line.device).unwrap_or_default();
        if device.starts_with("/dev/pts") && line.parity != Parity::None {
            words.push_str("; a pseudo-terminal has no parity bit: say parity = \"none\"");
        }
        words
    })
}

fn open_tcp(address: &str, timeout: Duration) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| format!("cannot connect to {address}: {error}");
    let mut last = None;
    for resolved in address.to_socket_addrs().map_err(failed)? {
        match TcpStream::connect_timeout(&resolved, timeout) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(failed)?;
                stream.set_write_timeout(Some(timeout)).map_err(failed)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| format!("{address} names no host"), failed))
}
