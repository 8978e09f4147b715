//! What a node hears whose certificate was taken back with its keys.

use std::path::Path;

use evidence::foreign::line;
use exchange::CERTIFICATE_REVOKED;
use exchange::limits::REFUSAL_CHARS_MAX;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

use super::revoke::{Revocations, Revoked};
use super::{records, vkeys};
use crate::error::Error;
use crate::limits::{REVOKED_BY_CHARS_MAX, REVOKED_REASON_CHARS_MAX};
use crate::server::Told;

/// Stands where a text was cut.
const CUT: &str = "...";
/// Characters of what stands around name and reason: the words, when, and the user.
const AROUND_CHARS_MAX: usize = CERTIFICATE_REVOKED.len() + 60;
// A node keeps all of it.
const _: () = assert!(
    AROUND_CHARS_MAX + REVOKED_BY_CHARS_MAX + REVOKED_REASON_CHARS_MAX <= REFUSAL_CHARS_MAX
);

/// Since when, by whom and why, where that is known; what people wrote is bounded and steers nothing.
pub(crate) fn revoked_words(revoked: Option<&Revoked>) -> String {
    let how = match revoked {
        Some(one) => {
            // Of whoever did it the user that the kernel vouches for is said whatever his name is.
            let by = line(&one.by);
            let (name, uid) = by.rsplit_once(" (uid ").unwrap_or((&by, ""));
            let uid = match uid {
                "" => String::new(),
                uid => format!(" (uid {uid}"),
            };
            format!(
                "on {} by {}{uid}: {}",
                one.at(),
                bounded(name, REVOKED_BY_CHARS_MAX),
                bounded(&line(&one.reason), REVOKED_REASON_CHARS_MAX)
            )
        }
        None => "and no record of why is left here".to_owned(),
    };
    format!("{CERTIFICATE_REVOKED} {how}\n")
}

/// A text, and that it is cut where it is too long.
fn bounded(text: &str, chars_max: usize) -> String {
    match text.chars().count() > chars_max {
        false => text.to_owned(),
        true => {
            let head: String = text
                .chars()
                .take(chars_max.saturating_sub(CUT.len()))
                .collect();
            format!("{}{CUT}", head.trim_end())
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{REVOKED_BY_CHARS_MAX, REVOKED_REASON_CHARS_MAX, Revoked, revoked_words};
    use exchange::refusal_text;

    /// The longest name, user and reason that there can be: who and why are bounded and say where they were cut, and a node keeps
    /// all of what it hears.
    //= R8.2
    #[test]
    fn a_node_keeps_all_that_it_hears_of_its_revocation() {
        let revoked = Revoked {
            vkey: String::new(),
            at_s: 253_402_300_799,
            by: format!("{} (uid {})", "n".repeat(400), u32::MAX),
            reason: "r".repeat(512),
        };
        let words = revoked_words(Some(&revoked));
        let cut = |letter: &str, chars_max: usize| format!("{}...", letter.repeat(chars_max - 3));
        let by = cut("n", REVOKED_BY_CHARS_MAX);
        let why = cut("r", REVOKED_REASON_CHARS_MAX);
        let end = format!(" by {by} (uid 4294967295): {why}\n");
        assert!(words.ends_with(&end), "{words}");
        assert_eq!(refusal_text(words.as_bytes()), words.trim_end());
        // What is short is whole.
        let short = Revoked {
            by: "ada (uid 7)".to_owned(),
            reason: "stolen".to_owned(),
            ..revoked
        };
        let words = revoked_words(Some(&short));
        assert!(words.ends_with(" by ada (uid 7): stolen\n"), "{words}");
    }
}
