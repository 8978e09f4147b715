//! What a node hears whose certificate was taken back with its keys.

use std::path::Path;

use evidence::foreign::line;
use exchange::CERTIFICATE_REVOKED;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

use super::revoke::{Revocations, Revoked};
use super::{records, vkeys};
use crate::error::Error;
use crate::limits::{REVOKED_BY_CHARS_MAX, REVOKED_REASON_CHARS_MAX};
use crate::server::Told;

/// Since when, by whom and why, where that is known; what people wrote is bounded and steers nothing.
pub(crate) fn revoked_words(revoked: Option<&Revoked>) -> String {
    let bounded =
        |text: &str, chars_max: usize| -> String { line(text).chars().take(chars_max).collect() };
    let how = match revoked {
        Some(one) => format!(
            "on {} by {}: {}",
            one.at(),
            bounded(&one.by, REVOKED_BY_CHARS_MAX),
            bounded(&one.reason, REVOKED_REASON_CHARS_MAX)
        ),
        None => "and no record of why is left here".to_owned(),
    };
    format!("{CERTIFICATE_REVOKED} {how}\n")
}

/// What each of them hears, by the SHA-256 of the certificate that it got here.
///
/// # Errors
/// Files that cannot be read.
pub fn turned_away(dir: &Path) -> Result<Told, Error> {
    let all = Revocations::read(dir)?;
    let mut told = Told::new();
    for record in records(dir)? {
        let keys = vkeys(&record.request);
        let revoked = keys.iter().flatten().find_map(|key| all.find(key));
        if let (Some(receipt), Some(revoked)) = (&record.receipt, revoked) {
            let der = CertificateDer::from_pem_slice(receipt.certificate.as_bytes());
            let der = der.map_err(Error::setup)?;
            told.insert(Sha256::digest(&der).into(), revoked_words(Some(revoked)));
        }
    }
    Ok(told)
}
