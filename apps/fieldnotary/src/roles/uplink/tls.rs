//! TLS towards the collector, with a clock that never stands before what is certain.
//!
//! A machine whose battery is empty boots in 1970, and to it every certificate is not valid yet: then nothing
//! is delivered until somebody sets the clock. Certificates are judged by a later time instead, the newest in
//! the log or the day from which this version is; the log says that the clock was behind. A clock behind
//! which nothing is certain is believed.

use crate::clock;
use evidence::UtcNs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// The time by which certificates are judged.
#[derive(Debug)]
struct Floored {
    newest: UtcNs,
}

/// The clock, or what is certain where the clock stands before this version.
fn judged_by(clock: UtcNs, newest: UtcNs) -> UtcNs {
    if clock < clock::EARLIEST {
        newest.max(clock::EARLIEST)
    } else {
        clock
    }
}

impl TimeProvider for Floored {
    fn current_time(&self) -> Option<UnixTime> {
        let now = judged_by(clock::utc(), self.newest);
        let since = u64::try_from(now.0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_nanos(since)))
    }
}

/// Puts TLS on a connection.
#[derive(Debug)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// TLS 1.3 with the node's certificate, towards a collector that `ca` signed. The errors name the key of
    /// the contract.
    pub(super) fn new(ca: &[u8], cert: &[u8], key: &[u8], newest: UtcNs) -> Result<Self, String> {
        let unusable =
            |what: &str, error: &dyn fmt::Display| format!("uplink.{what} is not usable: {error}");
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(ca).map_err(|error| unusable("ca_file", &error))?;
        roots.add(ca).map_err(|error| unusable("ca_file", &error))?;
        let cert =
            CertificateDer::from_pem_slice(cert).map_err(|error| unusable("cert_file", &error))?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|error| unusable("key_file", &error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(Floored { newest }))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| format!("TLS 1.3 is not to be had: {error}"))?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![cert], key)
            .map_err(|error| unusable("key_file", &error))?;
        Ok(Self {
            config: Arc::new(config),
        })
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Encrypted;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let (Some(transport), true) = (chained, details.needs_tls()) else {
            return Err(Error::Tls("the collector is spoken to over TLS only"));
        };
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Tls("the host in `url` is no name that a certificate can have"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        let transport: Box<dyn Transport> = Box::new(transport);
        let mut socket = TransportAdapter::new(transport, details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        Ok(Some(Encrypted {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(connection, socket),
        }))
    }
}

/// A connection under TLS.
pub(super) struct Encrypted {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").finish_non_exhaustive()
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::judged_by;
    use crate::clock::EARLIEST;
    use evidence::UtcNs;

    #[test]
    fn certificates_are_judged_by_the_clock_unless_it_cannot_be_right() {
        let later = |s: i64| UtcNs(EARLIEST.0 + s * 1_000_000_000);
        for (clock, newest, judged) in [
            (UtcNs(0), UtcNs(0), EARLIEST),
            (UtcNs(0), later(86_400), later(86_400)),
            (later(-1), UtcNs(0), EARLIEST),
            (later(5), UtcNs(0), later(5)),
            // A log that once had a clock far ahead does not hold a sound one back.
            (later(5), later(1_000_000), later(5)),
        ] {
            assert_eq!(judged_by(clock, newest), judged);
        }
    }
}
