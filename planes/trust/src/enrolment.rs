//! What a registrar states of the keys of a log when it takes them in, as a note that it signs.
//!
//! The text has a form of its own: a title with spaces, which no origin of a log and no statement of a signer has.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use evidence::reasons::EnrolmentProof;
use proof::Hash;
use proof::note::{Algorithm, Note, VerifierKey};

const TITLE: &str = "fieldnotary enrolment v1";
/// Where no maker vouches for anything.
const NONE: &str = "-";

/// Before what is answered. With it an answer is longer than any number over which a node attests itself for whoever
/// asks (64 bytes), so that neither is ever taken for the other.
const ANSWER_TITLE: &[u8; 32] = b"fieldnotary enrolment answer v1\n";

/// What both keys of a log sign in answer to a challenge: a title, the nonce, the SHA-256 of the request that the node
/// itself made, then what was in the credential. Whoever carries the papers and changes the request has no answer to it.
#[must_use]
pub fn answer_bytes(nonce: &[u8; 32], request: &[u8; 32], found: &[u8]) -> Vec<u8> {
    [&ANSWER_TITLE[..], nonce, request, found].concat()
}

/// What a registrar found out of the keys of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The log's base origin.
    pub origin: String,
    /// Its verifier keys, the authority first.
    pub vkeys: [VerifierKey; 2],
    /// What was proved of the authority.
    pub proof: EnrolmentProof,
    /// SHA-256 of the endorsement certificate in DER, where it was proved with one.
    pub endorsement: Option<Hash>,
    /// Name of the authority at the end of that certificate's chain, which the registrar trusts.
    pub root: Option<String>,
    /// SHA-256 of the request that was answered.
    pub request: Hash,
    /// SHA-256 of the certificate for TLS that the node got (DER).
    pub certificate: Hash,
    /// SHA-256 of the certificate of the authority that signed it (DER): the collector's own is of the same.
    pub authority: Hash,
    /// Base URL of the collector.
    pub url: String,
}

/// Why a registrar's statement says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrolmentFault {
    /// It is no signed note.
    NoNote,
    /// It is a note of something else.
    OtherText,
    /// Its signer is another than was asked for, or the signature does not hold.
    Signature,
}

impl fmt::Display for EnrolmentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoNote => "it is no signed note",
            Self::OtherText => {
                "it is no statement of a registrar about keys that were taken in or taken back"
            }
            Self::Signature => "it is not signed by that registrar",
        })
    }
}

impl core::error::Error for EnrolmentFault {}

impl Enrolled {
    /// The text that a registrar signs.
    #[must_use]
    pub fn text(&self) -> String {
        let [authority, beside] = &self.vkeys;
        let endorsement = self.endorsement.map(|hash| format!("{hash:?}"));
        // A name that breaks the lines could say something else than was found.
        let line = |text: &str| text.replace(char::is_control, " ");
        let root = self.root.as_deref().map(line);
        format!(
            "{TITLE}\n{}\n{authority}\n{beside}\nproof {}\nendorsement {}\nroot {}\n\
             request {:?}\ncertificate {:?}\nauthority {:?}\nurl {}\n",
            self.origin,
            self.proof,
            endorsement.as_deref().unwrap_or(NONE),
            root.as_deref().unwrap_or(NONE),
            self.request,
            self.certificate,
            self.authority,
            line(&self.url),
        )
    }

    /// Reads a statement, and when it was made by the registrar's clock, in seconds since 1970.
    ///
    /// # Errors
    /// Where it is none, or not signed by that registrar.
    pub fn read(note: &[u8], registrar: &VerifierKey) -> Result<(Self, u64), EnrolmentFault> {
        let parsed = Note::parse(note).map_err(|_| EnrolmentFault::NoNote)?;
        let enrolled = Self::parse(parsed.text()).ok_or(EnrolmentFault::OtherText)?;
        let verified = parsed.verify(core::slice::from_ref(registrar));
        let verified = verified.map_err(|_| EnrolmentFault::Signature)?;
        let at_s = verified.cosigned_at_s(0).ok_or(EnrolmentFault::Signature)?;
        Ok((enrolled, at_s))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut next = || lines.next();
        (next()? == TITLE).then_some(())?;
        let origin = next()?.to_string();
        let vkeys: [VerifierKey; 2] = [next()?.parse().ok()?, next()?.parse().ok()?];
        let proof = EnrolmentProof::from_name(next()?.strip_prefix("proof ")?)?;
        let endorsement = match next()?.strip_prefix("endorsement ")? {
            NONE => None,
            hex => Some(Hash(unhex(hex)?)),
        };
        let root = match next()?.strip_prefix("root ")? {
            NONE => None,
            name => Some(name.to_string()),
        };
        let mut hash = |what: &str| {
            let hex = next()?.strip_prefix(what)?;
            Some(Hash(unhex(hex)?))
        };
        let request = hash("request ")?;
        let certificate = hash("certificate ")?;
        let tls_authority = hash("authority ")?;
        let read = Self {
            origin,
            vkeys,
            proof,
            endorsement,
            root,
            request,
            certificate,
            authority: tls_authority,
            url: lines.next()?.strip_prefix("url ")?.to_string(),
        };
        let algorithms = read.vkeys.each_ref().map(VerifierKey::algorithm);
        let sound = algorithms == [Algorithm::EcdsaP256, Algorithm::Ed25519]
            && read.vkeys.iter().all(|key| key.name() == read.origin)
            && read.text() == text;
        sound.then_some(read)
    }
}

/// 32 bytes in hex, as `sha256sum` prints them.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    (text.len() == 64 && text.is_ascii()).then_some(())?;
    for (place, byte) in bytes.iter_mut().enumerate() {
        let pair = text.get(place * 2..place * 2 + 2)?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Enrolled, EnrolmentFault};
    use evidence::reasons::EnrolmentProof;
    use proof::Hash;
    use proof::cosignature::cosign;
    use proof::note::{Algorithm, Note, VerifierKey, p256_spki};
    use std::string::{String, ToString};
    use std::vec::Vec;

    const ORIGIN: &str = "example.org/s";

    fn enrolled() -> Enrolled {
        let p256 = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[4; 32]).verifying_key();
        Enrolled {
            origin: ORIGIN.to_string(),
            vkeys: [
                VerifierKey::p256(ORIGIN, &p256_spki(p256.verifying_key())).unwrap(),
                VerifierKey::ed25519(ORIGIN, ed25519.as_bytes(), Algorithm::Ed25519).unwrap(),
            ],
            proof: EnrolmentProof::Credential,
            endorsement: Some(Hash([9; 32])),
            root: Some("a maker's root".to_string()),
            request: Hash([1; 32]),
            certificate: Hash([2; 32]),
            authority: Hash([3; 32]),
            url: "https://c.example:7443".to_string(),
        }
    }

    fn signed(text: String, seed: u8) -> (Vec<u8>, VerifierKey) {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let line = cosign("c.example", &key, 1_800_000_000, &text).unwrap();
        let mut note = Note::new(text).unwrap();
        note.add(line).unwrap();
        let registrar = VerifierKey::cosigner("c.example", key.verifying_key().as_bytes());
        (note.to_bytes(), registrar.unwrap())
    }

    //= R8.4
    #[test]
    fn a_statement_reads_back_under_its_registrar_and_under_no_other() {
        let stated = enrolled();
        let (note, registrar) = signed(stated.text(), 1);
        let read = Enrolled::read(&note, &registrar).unwrap();
        assert_eq!(read, (stated.clone(), 1_800_000_000));
        let (_, other) = signed(stated.text(), 2);
        assert_eq!(
            Enrolled::read(&note, &other),
            Err(EnrolmentFault::Signature)
        );
        for at in 0..note.len() {
            let mut changed = note.clone();
            changed[at] ^= 1;
            assert!(Enrolled::read(&changed, &registrar).is_err(), "{at}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_statement_is_none() {
        let text = enrolled().text();
        let swapped = {
            let mut one = enrolled();
            one.vkeys.swap(0, 1);
            one.text()
        };
        for other in [
            text.replace("proof credential", "proof whatever"),
            text.replace(TITLE_LINE, "fieldnotary audit statement v1"),
            text.replace("\nroot ", "\nand root "),
            text.replace("\nrequest 01", "\nrequest 0x"),
            text.replace("\nurl ", "\nuri "),
            std::format!("{text}more\n"),
            swapped,
            text.replacen(ORIGIN, "example.org/t", 1),
        ] {
            let (note, registrar) = signed(other.clone(), 1);
            let read = Enrolled::read(&note, &registrar);
            assert_eq!(read, Err(EnrolmentFault::OtherText), "{other}");
        }
        // A name with a line end in it stays on its line.
        let mut forged = enrolled();
        forged.root = Some("x\nproof possession".to_string());
        let (note, registrar) = signed(forged.text(), 1);
        let (read, _) = Enrolled::read(&note, &registrar).unwrap();
        assert_eq!(read.root.as_deref(), Some("x proof possession"));
    }

    /// A node attests itself over up to 64 bytes of whoever asks: no answer is as short.
    //= A6.3
    #[test]
    fn an_answer_is_of_one_challenge_and_one_request_and_no_attestation_is_one() {
        let answer = |nonce: u8, request: u8, found: &[u8]| {
            super::answer_bytes(&[nonce; 32], &[request; 32], found)
        };
        let one = answer(1, 2, b"");
        assert!(one.len() > 64 && one.starts_with(b"fieldnotary enrolment answer v1\n"));
        for other in [answer(3, 2, b""), answer(1, 3, b""), answer(1, 2, b"x")] {
            assert_ne!(one, other);
        }
    }

    const TITLE_LINE: &str = super::TITLE;
}
