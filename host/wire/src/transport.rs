//! An open wire: what is sent on it, what it hands over, what it counted.

use crate::limits::{CONVERTER_TIMEOUT, READ_BYTES};
use crate::listener::Listener;
use crate::serial::Serial;
use crate::wait::takes;
use contract::{MbusWire, Port, PortKind, SerialLine};
use io_plane::UartErrors;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::net::{SendFlags, send};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// An open wire.
#[derive(Debug)]
pub struct Transport {
    kind: Kind,
    listener: Option<Arc<dyn Listener>>,
}

#[derive(Debug)]
enum Kind {
    Serial(Serial),
    Tcp(TcpStream),
}

impl Transport {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            listener: None,
        }
    }

    /// Opens the wire of a port. The listener, where there is one, is told that it was opened, and from then on what it carries.
    ///
    /// # Errors
    /// Why it cannot be had, as a sentence for a person.
    pub fn open(port: &Port, listener: Option<&Arc<dyn Listener>>) -> Result<Self, String> {
        let mut wire = match &port.kind {
            PortKind::ModbusRtu(line) => Self::serial(line),
            PortKind::Mbus(line) => match &line.wire {
                MbusWire::Serial(line) => Self::serial(line),
                MbusWire::Tcp { address, .. } => Self::tcp(address, CONVERTER_TIMEOUT),
            },
            PortKind::ModbusTcp { address } => {
                Self::tcp(address, Duration::from_millis(port.timeout_ms))
            }
        }?;
        wire.listener = listener.cloned();
        if let Some(listener) = &wire.listener {
            listener.opened();
        }
        Ok(wire)
    }

    /// Opens a serial device.
    ///
    /// # Errors
    /// Why it cannot be had, as a sentence for a person.
    pub fn serial(line: &SerialLine) -> Result<Self, String> {
        Serial::open(line).map(|serial| Self::new(Kind::Serial(serial)))
    }

    /// Connects; an attempt, and later each write, may take so long.
    ///
    /// # Errors
    /// Why nobody is reached, as a sentence for a person.
    pub fn tcp(address: &str, timeout: Duration) -> Result<Self, String> {
        connect(address, timeout).map(|stream| Self::new(Kind::Tcp(stream)))
    }

    /// Sends all bytes.
    ///
    /// # Errors
    /// The wire is lost, and why.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        if let Some(listener) = &self.listener {
            listener.sent(bytes);
        }
        match &mut self.kind {
            Kind::Serial(serial) => serial.port.write_all(bytes),
            Kind::Tcp(stream) => stream.write_all(bytes),
        }
        .map_err(|error| error.to_string())
    }

    /// Sends what the wire takes of these bytes at once, and waits no longer than `left` until it takes any: how many
    /// that are, none where the time was up.
    ///
    /// # Errors
    /// The wire is lost, and why.
    pub fn send_within(&mut self, bytes: &[u8], left: Duration) -> Result<usize, String> {
        if !takes(self, left) {
            return Ok(0);
        }
        let sent = match &mut self.kind {
            Kind::Serial(serial) => serial.port.write(bytes),
            Kind::Tcp(stream) => {
                send(stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map_err(Into::into)
            }
        };
        match sent.map_err(|error| (error.kind(), error)) {
            Ok(0) if !bytes.is_empty() => Err("the wire takes nothing".to_owned()),
            Ok(sent) => {
                if let Some(listener) = &self.listener {
                    listener.sent(bytes.get(..sent).unwrap_or_default());
                }
                Ok(sent)
            }
            Err((ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted, _)) => Ok(0),
            Err((_, error)) => Err(error.to_string()),
        }
    }

    /// Gives a serial device another speed, and leaves all else as it is.
    ///
    /// # Errors
    /// The wire cannot be used at that speed, and why.
    pub fn set_speed(&mut self, baud: u32) -> Result<(), String> {
        match &mut self.kind {
            Kind::Serial(serial) => serial
                .set_speed(baud)
                .map_err(|error| format!("cannot turn to {baud} baud: {error}")),
            Kind::Tcp(_) => Ok(()),
        }
    }

    /// What has arrived; the wire was found readable before.
    ///
    /// # Errors
    /// The wire is lost, and why.
    pub fn receive(&mut self) -> Result<Vec<u8>, String> {
        let mut buffer = [0u8; READ_BYTES];
        let read = match &mut self.kind {
            Kind::Serial(serial) => serial.port.read(&mut buffer),
            Kind::Tcp(stream) => stream.read(&mut buffer),
        };
        match (read, &self.kind) {
            (Ok(0), Kind::Tcp(_)) => Err("the other end closed the connection".to_owned()),
            (Ok(0), Kind::Serial(_)) => Err("the device is gone".to_owned()),
            (Ok(len), _) => {
                let bytes = buffer.get(..len).unwrap_or_default();
                if let Some(listener) = &self.listener {
                    listener.received(bytes);
                }
                Ok(bytes.to_vec())
            }
            (Err(error), _) => Err(error.to_string()),
        }
    }

    /// What the UART counted since the last look (R5.1). The first look at a device that counts gives
    /// zeros, which say so; later ones only what is new. `None` for ever where nothing counts.
    pub fn uart(&mut self) -> Option<UartErrors> {
        match &mut self.kind {
            Kind::Serial(serial) => serial.uart(),
            Kind::Tcp(_) => None,
        }
    }

    /// What of the line's description the driver left out, each as a sentence for a person.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        match &self.kind {
            Kind::Serial(serial) => serial.left_out(),
            Kind::Tcp(_) => &[],
        }
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Serial(serial) => serial.as_fd(),
            Kind::Tcp(stream) => stream.as_fd(),
        }
    }
}

fn connect(address: &str, timeout: Duration) -> Result<TcpStream, String> {
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
