//! The connection to the receiver: TLS 1.3, and a kernel that gives up soon on bytes that nobody takes.

use crate::papers;
use crate::roles::tls;
use contract::Syslog;
use evidence::UtcNs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that the peer's kernel did not take for so long break the connection (`TCP_USER_TIMEOUT`).
pub(super) const UNACKNOWLEDGED_MS_MAX: u32 = 10_000;
/// How long to look whether the receiver said that it ends.
const LOOK: Duration = Duration::from_millis(1);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// How to reach the receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    address: String,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    patience: Duration,
}

impl Receiver {
    /// Reads the certificates; the errors name the key of the contract.
    pub(super) fn new(syslog: &Syslog, root: &Path, newest: UtcNs) -> Result<Self, String> {
        let read = papers::read(&papers::Named::from(syslog), Some(root));
        let papers = read.map_err(|wrong| papers::in_words(&wrong))?;
        let papers = papers.ok_or("syslog: the certificates were not read")?;
        let host = syslog.address.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            format!("syslog.address: {host:?} is no name that a certificate can have")
        })?;
        Ok(Self {
            address: syslog.address.clone(),
            name,
            config: tls::client("syslog", &papers, newest)?,
            patience: Duration::from_millis(syslog.timeout_ms),
        })
    }

    /// A connection whose certificates were checked.
    pub(super) fn connect(&self) -> Result<Stream, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.address);
        let addresses = self.address.to_socket_addrs().map_err(failed)?;
        let mut last = format!("{}: the name has no address", self.address);
        for address in addresses.take(ADDRESSES_MAX) {
            match TcpStream::connect_timeout(&address, self.patience) {
                Ok(socket) => return self.encrypt(socket).map_err(failed),
                Err(error) => last = failed(error),
            }
        }
        Err(last)
    }

    fn encrypt(&self, mut socket: TcpStream) -> std::io::Result<Stream> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(self.patience))?;
        socket.set_write_timeout(Some(self.patience))?;
        rustix::net::sockopt::set_tcp_user_timeout(&socket, UNACKNOWLEDGED_MS_MAX)?;
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        let mut connection = connection.map_err(std::io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        socket.set_read_timeout(Some(LOOK))?;
        Ok(Stream(StreamOwned::new(connection, socket)))
    }
}

/// A connection that stands.
#[derive(Debug)]
pub(super) struct Stream(StreamOwned<ClientConnection, TcpStream>);

impl Stream {
    /// Hands bytes to the kernel; the receiver may not have them yet.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stands()?;
        let sent = self.0.write_all(bytes).and_then(|()| self.0.flush());
        sent.map_err(|error| format!("the receiver takes nothing: {error}"))
    }

    /// Fails where the receiver ended the connection, or the kernel gave it up.
    pub(super) fn stands(&mut self) -> Result<(), String> {
        match self.0.read(&mut [0; 256]) {
            Ok(0) => Err("the receiver ended the connection".to_owned()),
            // A receiver of syslog says nothing; what it says all the same is not looked at.
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
                ErrorKind::UnexpectedEof => Err("the receiver is gone".to_owned()),
                _ => Err(format!("the connection broke: {error}")),
            },
        }
    }
}
