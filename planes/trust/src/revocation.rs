//! What a registrar states of keys that it took back, as a note that it signs.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::enrolment::EnrolmentFault;
use crate::limits::REVOKED_KEYS_MAX;
use proof::note::{Note, VerifierKey};

const TITLE: &str = "fieldnotary revocation v1";

/// Keys that count for nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKeys {
    /// They, 1 to [`REVOKED_KEYS_MAX`].
    pub vkeys: Vec<VerifierKey>,
    /// Since when, by the registrar's clock, in seconds since 1970.
    pub since_s: u64,
    /// Who took them back.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl RevokedKeys {
    /// The text that a registrar signs.
    #[must_use]
    pub fn text(&self) -> String {
        // What breaks the lines could say something else than was said.
        let line = |text: &str| text.replace(char::is_control, " ");
        let keys: String = self.vkeys.iter().map(|key| format!("{key}\n")).collect();
        format!(
            "{TITLE}\n{keys}since {}\nby {}\nreason {}\n",
            self.since_s,
            line(&self.by),
            line(&self.reason)
        )
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// Where it is none, or not signed by that registrar.
    pub fn read(note: &[u8], registrar: &VerifierKey) -> Result<Self, EnrolmentFault> {
        let parsed = Note::parse(note).map_err(|_| EnrolmentFault::NoNote)?;
        let revoked = Self::parse(parsed.text()).ok_or(EnrolmentFault::OtherText)?;
        let verified = parsed.verify(core::slice::from_ref(registrar));
        match verified.is_ok_and(|verified| verified.cosigned_at_s(0).is_some()) {
            true => Ok(revoked),
            false => Err(EnrolmentFault::Signature),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == TITLE).then_some(())?;
        let mut vkeys = Vec::new();
        let since = loop {
            let line = lines.next()?;
            match line.strip_prefix("since ") {
                Some(since) => break since,
                None if vkeys.len() < REVOKED_KEYS_MAX => vkeys.push(line.parse().ok()?),
                None => return None,
            }
        };
        let read = Self {
            vkeys,
            since_s: since.parse().ok()?,
            by: lines.next()?.strip_prefix("by ")?.to_string(),
            reason: lines.next()?.strip_prefix("reason ")?.to_string(),
        };
        (!read.vkeys.is_empty() && read.text() == text).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::RevokedKeys;
    use crate::enrolment::EnrolmentFault;
    use proof::cosignature::cosign;
    use proof::note::{Algorithm, Note, VerifierKey, p256_spki};
    use std::string::{String, ToString as _};
    use std::vec::Vec;

    const ORIGIN: &str = "example.org/s";

    fn revoked() -> RevokedKeys {
        let p256 = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[4; 32]).verifying_key();
        RevokedKeys {
            vkeys: std::vec![
                VerifierKey::p256(ORIGIN, &p256_spki(p256.verifying_key())).unwrap(),
                VerifierKey::ed25519(ORIGIN, ed25519.as_bytes(), Algorithm::Ed25519).unwrap(),
            ],
            since_s: 1_800_000_000,
            by: "ada (user id 7)".to_string(),
            reason: "stolen".to_string(),
        }
    }

    fn signed(text: String, seed: u8) -> (Vec<u8>, VerifierKey) {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let line = cosign("c.example", &key, 1_800_000_001, &text).unwrap();
        let mut note = Note::new(text).unwrap();
        note.add(line).unwrap();
        let registrar = VerifierKey::cosigner("c.example", key.verifying_key().as_bytes());
        (note.to_bytes(), registrar.unwrap())
    }

    //= R8.2
    #[test]
    fn a_revocation_reads_back_under_its_registrar_and_under_no_other() {
        let stated = revoked();
        let (note, registrar) = signed(stated.text(), 1);
        assert_eq!(RevokedKeys::read(&note, &registrar), Ok(stated.clone()));
        let (_, other) = signed(stated.text(), 2);
        assert_eq!(
            RevokedKeys::read(&note, &other),
            Err(EnrolmentFault::Signature)
        );
        for at in 0..note.len() {
            let mut changed = note.clone();
            changed[at] ^= 1;
            assert!(RevokedKeys::read(&changed, &registrar).is_err(), "{at}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_revocation_is_none() {
        let text = revoked().text();
        let none = {
            let mut one = revoked();
            one.vkeys.clear();
            one.text()
        };
        let many = {
            let mut one = revoked();
            let all = one.vkeys.clone();
            one.vkeys = all
                .into_iter()
                .cycle()
                .take(super::REVOKED_KEYS_MAX + 1)
                .collect();
            one.text()
        };
        for other in [
            text.replace("since 1800000000", "since 01800000000"),
            text.replace("\nby ", "\nof "),
            text.replace("revocation v1", "enrolment v1"),
            std::format!("{text}more\n"),
            none,
            many,
        ] {
            let (note, registrar) = signed(other.clone(), 1);
            let read = RevokedKeys::read(&note, &registrar);
            assert_eq!(read, Err(EnrolmentFault::OtherText), "{other}");
        }
        // A reason with a line end in it stays on its line.
        let mut forged = revoked();
        forged.by = "x\nreason y".to_string();
        let (note, registrar) = signed(forged.text(), 1);
        let read = RevokedKeys::read(&note, &registrar).unwrap();
        assert_eq!(
            (read.by.as_str(), read.reason.as_str()),
            ("x reason y", "stolen")
        );
    }
}
