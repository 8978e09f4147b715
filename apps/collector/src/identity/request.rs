//! Certificates for keys that others made: the authority signs what a request holds, and nothing else of it.

use std::path::Path;
use std::time::Duration;

use certificates::{Holder, listed};
use rcgen::{
    CertificateRevocationListParams, CertificateSigningRequestParams, Issuer, KeyIdMethod, KeyPair,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use super::{DAY, REVOKED_FILE, TLS_DIR, about, authority, client, url_of};
use crate::args::PORT_DEFAULT;
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access};
use crate::limits::CERTIFICATE_DAYS_MAX;
use crate::server::certificates;

/// Host names and addresses of the server's certificate.
pub(super) fn hosts(dir: &Path) -> Result<Vec<String>, Error> {
    let found = certificates(
        &dir.join(TLS_DIR).join("server.pem"),
        "the server's certificate",
    )?;
    let first = found.first();
    Ok(first.map_or_else(Vec::new, |certificate| Holder::of(certificate).hosts))
}

/// The authority's key.
pub(super) fn authority_key(dir: &Path) -> Result<KeyPair, Error> {
    let path = dir.join(TLS_DIR).join("ca.key");
    let pem = files::read(&path)?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Error::setup(format!(
                "{} is missing: the authority's key, without which no certificate is issued; restore \
                 it from a backup",
                path.display()
            ))
        })?;
    KeyPair::from_pem(&pem).map_err(|error| Error::damaged(&path, error))
}

/// A client certificate for the key of a request, under the name that the registrar gives the node: PEM.
///
/// # Errors
/// When the authority is missing, or the name makes no sense.
pub fn sign_request(
    dir: &Path,
    request: &CertificateSigningRequestParams,
    node: &str,
    days: u32,
) -> Result<String, Error> {
    if node.trim().is_empty() {
        return Err(Error::usage("--node: a certificate needs the node's name"));
    }
    let about = about(dir)?;
    let issuer = Issuer::new(authority(&about.name), authority_key(dir)?);
    let certificate = client(node, days)?.signed_by(&request.public_key, &issuer);
    certificate.map(|one| one.pem()).map_err(Error::setup)
}

/// The number of a certificate in PEM.
///
/// # Errors
/// Where it is none.
pub fn serial_of(pem: &str) -> Result<Vec<u8>, Error> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(Error::setup)?;
    Ok(Holder::of(&der).serial)
}

/// The certificates on the list of those that were taken back, by number, each with when, in seconds since 1970.
///
/// # Errors
/// Where there is a list that cannot be read.
pub fn listed_revoked(dir: &Path) -> Result<Vec<(Vec<u8>, u64)>, Error> {
    let path = dir.join(TLS_DIR).join(REVOKED_FILE);
    let Some(pem) = files::read(&path)? else {
        return Ok(Vec::new());
    };
    let list = CertificateRevocationListDer::from_pem_slice(&pem).ok();
    let listed = list.and_then(|list| listed(&list));
    listed.ok_or_else(|| Error::damaged(&path, "it is no list of revoked certificates in PEM"))
}

/// Writes the list of certificates (by number, each with when, in seconds since 1970) that were taken back.
///
/// # Errors
/// When the authority is missing, or the list cannot be written.
pub fn write_revoked(dir: &Path, taken: &[(Vec<u8>, u64)]) -> Result<(), Error> {
    let epoch = date_time_ymd(1970, 1, 1);
    let revoked_certs = taken.iter().map(|(serial, at_s)| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: epoch + Duration::from_secs(*at_s),
        reason_code: None,
        invalidity_date: None,
    });
    let revoked_certs = revoked_certs.collect();
    let about = about(dir)?;
    let now = epoch + Duration::from_secs(clock::utc_s());
    let list = CertificateRevocationListParams {
        this_update: now,
        // It is written anew with each that is taken back, and read by nobody but this collector.
        next_update: now + DAY * CERTIFICATE_DAYS_MAX,
        crl_number: SerialNumber::from(clock::utc_ms()),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let issuer = Issuer::new(authority(&about.name), authority_key(dir)?);
    let list = list.signed_by(&issuer).and_then(|list| list.pem());
    let path = dir.join(TLS_DIR).join(REVOKED_FILE);
    files::write(
        &path,
        list.map_err(Error::setup)?.as_bytes(),
        Access::Public,
    )
}

/// The authority of the server's certificate in PEM, and the URL under which a node reaches it.
///
/// # Errors
/// When a file is missing.
pub fn tls_files(dir: &Path, url: Option<&str>) -> Result<(String, String), Error> {
    let path = dir.join(TLS_DIR).join("ca.pem");
    let authority = files::read(&path)?.and_then(|bytes| String::from_utf8(bytes).ok());
    let authority = authority.ok_or_else(|| {
        Error::setup(format!(
            "{} is missing; restore it from a backup",
            path.display()
        ))
    })?;
    let url = match url {
        Some(url) => url.to_owned(),
        None => url_of(&hosts(dir)?, PORT_DEFAULT),
    };
    Ok((authority, url))
}
