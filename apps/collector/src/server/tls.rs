//! TLS: 1.3 and nothing else, client certificates of one authority.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certificates::Holder;
use evidence::{Actor, Digest};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use sha2::{Digest as _, Sha256};

use super::clients::{Clients, Standing, Told};
use crate::clock;
use crate::error::Error;
use crate::files::{self, hex};
use crate::identity::TlsFiles;

/// What a file should hold.
const AUTHORITY: &str = "the authority of the clients";
const KEY: &str = "the key of the server's certificate";

/// The server's side of TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) clients: Arc<Clients>,
}

impl Tls {
    /// What the client at the other end of a connection gets.
    pub(super) fn standing(
        &self,
        connection: &ServerConnection,
    ) -> Result<Standing, rustls::Error> {
        let chain = connection.peer_certificates().unwrap_or_default();
        let (own, between) = (chain.split_first()).ok_or(rustls::Error::NoCertificatesPresented)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(clock::utc_s()));
        self.clients.standing(own, between, now)
    }
}

/// Makes it; `told` is what those hear whose certificates were taken back.
///
/// # Errors
/// What cannot be read or does not fit together.
pub fn server_side(files: &TlsFiles, told: Told) -> Result<Tls, Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(&files.client_ca, AUTHORITY)? {
        roots.add(authority).map_err(|error| {
            Error::setup(format!(
                "{} holds no authority that clients could be checked with: {error}",
                files.client_ca.display()
            ))
        })?;
    }
    let chain = certificates(&files.cert, "the server's certificate")?;
    let what = KEY;
    let key = PrivateKeyDer::from_pem_slice(&present(&files.key, what)?)
        .map_err(|error| not_pem(&files.key, what, &error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(roots);
    let judge = |lists| -> Result<Arc<dyn ClientCertVerifier>, Error> {
        let (roots, provider) = (Arc::clone(&roots), Arc::clone(&provider));
        let judge = WebPkiClientVerifier::builder_with_provider(roots, provider)
            .with_crls(lists)
            // A list of one authority says nothing of another's certificates.
            .allow_unknown_revocation_status()
            .build();
        judge.map_err(Error::setup)
    };
    let (strict, without_lists) = (judge(taken_back(&files.client_crl)?)?, judge(Vec::new())?);
    let clients = Arc::new(Clients::new(strict, without_lists, told));
    let verifier = Arc::clone(&clients);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(Error::setup)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| {
            let (cert, key) = (files.cert.display(), files.key.display());
            Error::setup(match error {
                rustls::Error::InconsistentKeys(_) => format!(
                    "{key} is not the key of the first certificate in {cert}; name its own with --tls-key \
                     (init wrote tls/server.key for tls/server.pem)"
                ),
                error => format!("{cert} and {key} cannot serve together: {error}"),
            })
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls {
        config: Arc::new(config),
        clients,
    })
}

/// The clients' certificates that were taken back; before the first there is no list.
fn taken_back(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let Some(pem) = files::read(path)? else {
        return Ok(Vec::new());
    };
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        // Without it whoever was shut out would be let in.
        _ => Err(Error::setup(format!(
            "{} is no list of revoked certificates in PEM; have it written again with fieldnotary-collector revoke, by \
             a key that was revoked already",
            path.display()
        ))),
    }
}

/// The certificates of a file, one at least.
pub(crate) fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = CertificateDer::pem_slice_iter(&present(path, what)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| not_pem(path, what, &error))?;
    if found.is_empty() {
        return Err(not_pem(path, what, &"it has no certificate"));
    }
    Ok(found)
}

fn present(path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    files::read(path)?.ok_or_else(|| {
        Error::setup(format!(
            "{} is missing: {what}; {}",
            path.display(),
            cure(what)
        ))
    })
}

fn not_pem(path: &Path, what: &str, error: &dyn fmt::Display) -> Error {
    Error::setup(format!(
        "{} is not {what} in PEM: {error}; {}",
        path.display(),
        cure(what)
    ))
}

/// Which option names a file of TLS, and which file init wrote for it.
fn cure(what: &str) -> String {
    let (option, file) = match what {
        AUTHORITY => ("--client-ca", "tls/ca.pem"),
        KEY => ("--tls-key", "tls/server.key"),
        _ => ("--tls-cert", "tls/server.pem"),
    };
    format!("restore the {file} that init wrote, or name the right file with {option}")
}

/// SHA-256 of the client's certificate: who delivered, in the request log; and him as an actor.
pub(super) fn peer(connection: &ServerConnection) -> (String, Actor) {
    let chain = connection.peer_certificates();
    // Without one no connection comes this far.
    let certificate = chain.and_then(|chain| chain.first());
    let der = certificate.map_or(&[][..], |certificate| certificate);
    let digest: [u8; 32] = Sha256::digest(der).into();
    let name = Holder::of(der).name.unwrap_or_default();
    (hex(&digest), Actor::peer(Digest(digest), &name))
}
