//! What stands on a list of certificates that were taken back. Nothing is verified here.

use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

/// The number of each certificate on a DER list, big-endian as [`crate::Holder`] has it, and since when it stands there, in seconds
/// since 1970; none where it is no list.
#[must_use]
pub fn listed(list: &[u8]) -> Option<Vec<(Vec<u8>, u64)>> {
    let (rest, list) = CertificateRevocationList::from_der(list).ok()?;
    let all = list.iter_revoked_certificates().map(|one| {
        let since_s = u64::try_from(one.revocation_date.timestamp()).unwrap_or(0);
        (one.raw_serial().to_vec(), since_s)
    });
    rest.is_empty().then(|| all.collect())
}
