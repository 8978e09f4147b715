//! TLS 1.3 outwards, with a clock that never stands before what is certain.
//!
//! A machine whose battery is empty boots in 1970, and to it every certificate is not valid yet: then nothing
//! is delivered until somebody sets the clock. Certificates are judged by a later time instead, the newest in
//! the log or the day from which this version is; the log says that the clock was behind. A clock behind
//! which nothing is certain is believed.

use crate::clock;
use crate::papers::Papers;
use evidence::UtcNs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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

/// TLS 1.3 towards a server that `ca` signed, with a certificate of our own where there is one. The errors name the
/// key of the contract's `section`. `newest` is the latest time in the log.
pub(super) fn client(
    section: &str,
    papers: &Papers,
    newest: UtcNs,
) -> Result<Arc<ClientConfig>, String> {
    let unusable =
        |what: &str, error: &dyn fmt::Display| format!("{section}.{what} is not usable: {error}");
    let mut roots = RootCertStore::empty();
    let ca =
        CertificateDer::from_pem_slice(&papers.ca).map_err(|error| unusable("ca_file", &error))?;
    roots.add(ca).map_err(|error| unusable("ca_file", &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(Floored { newest }))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| format!("TLS 1.3 is not to be had: {error}"))?
        .with_root_certificates(roots);
    let Some((cert, key)) = &papers.own else {
        return Ok(Arc::new(config.with_no_client_auth()));
    };
    let cert =
        CertificateDer::from_pem_slice(cert).map_err(|error| unusable("cert_file", &error))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unusable("key_file", &error))?;
    let config = config.with_client_auth_cert(vec![cert], key);
    config
        .map(Arc::new)
        .map_err(|error| unusable("key_file", &error))
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
