//! TLS: 1.3 and nothing else, client certificates of one authority.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::files::hex;
use crate::identity::TlsFiles;

/// The server's side of TLS.
///
/// # Errors
/// What cannot be read or does not fit together.
pub fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, Error> {
    let damaged = |path: &std::path::Path| {
        let path = path.to_path_buf();
        move |error: rustls::pki_types::pem::Error| Error::damaged(&path, error)
    };
    let mut roots = RootCertStore::empty();
    let authorities = CertificateDer::pem_file_iter(&files.client_ca)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(damaged(&files.client_ca))?;
    for authority in authorities {
        roots.add(authority).map_err(Error::setup)?;
    }
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(damaged(&files.cert))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(damaged(&files.key))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(Error::setup)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(Error::setup)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(Error::setup)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// SHA-256 of the client's certificate: who delivered, in the request log.
pub(super) fn peer_fingerprint(connection: &ServerConnection) -> String {
    let certificate = connection
        .peer_certificates()
        .and_then(|chain| chain.first());
    certificate.map_or_else(String::new, |certificate| hex(&Sha256::digest(certificate)))
}
