//! Keys in files: for development. Whoever reads the files has the keys.

use crate::error::KeysError;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::KeypairBytes;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use std::fmt;
use std::path::Path;
use trust_plane::{Backend, BackendError, Capabilities, Custody, Signable, p256_spki};
use zeroize::Zeroizing;

/// How often a random number may be no P-256 key before the source of numbers is at fault; one in
/// 2^32 is none.
const P256_TRIES_MAX: usize = 8;

/// The two keys of a node, in memory. Signatures are deterministic (RFC 6979, RFC 8032), so that no
/// weak random number can give the keys away.
pub struct SoftwareKeys {
    p256: p256::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
}

impl fmt::Debug for SoftwareKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKeys(..)")
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(KeysError::Random)?;
    Ok(bytes)
}

impl SoftwareKeys {
    /// New keys from the system's random numbers.
    pub(crate) fn generate() -> Result<Self, KeysError> {
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(&*random()?);
        for _ in 0..P256_TRIES_MAX {
            if let Ok(p256) = p256::ecdsa::SigningKey::from_slice(&*random()?) {
                return Ok(Self { p256, ed25519 });
            }
        }
        Err(KeysError::Random(getrandom::Error::UNEXPECTED))
    }

    /// The authority's key as PKCS#8 in PEM.
    pub(crate) fn p256_pem(&self) -> Option<Zeroizing<String>> {
        self.p256.to_pkcs8_pem(LineEnding::LF).ok()
    }

    /// The Ed25519 key as PKCS#8 in PEM, without the public key, as common tools read it.
    pub(crate) fn ed25519_pem(&self) -> Option<Zeroizing<String>> {
        KeypairBytes {
            secret_key: self.ed25519.to_bytes(),
            public_key: None,
        }
        .to_pkcs8_pem(LineEnding::LF)
        .ok()
    }

    /// Keys from the bytes of the two files; the paths are for the error.
    pub(crate) fn from_pem(
        p256: (&Path, &[u8]),
        ed25519: (&Path, &[u8]),
    ) -> Result<Self, KeysError> {
        let p256_key = text(p256.1).and_then(|pem| {
            let key = p256::SecretKey::from_pkcs8_pem(pem).ok()?;
            Some(p256::ecdsa::SigningKey::from(key))
        });
        let ed25519_key =
            text(ed25519.1).and_then(|pem| ed25519_dalek::SigningKey::from_pkcs8_pem(pem).ok());
        Ok(Self {
            p256: p256_key.ok_or(KeysError::NotAKey {
                path: p256.0.into(),
                expected: "a P-256 private key, PKCS#8 in PEM",
            })?,
            ed25519: ed25519_key.ok_or(KeysError::NotAKey {
                path: ed25519.0.into(),
                expected: "an Ed25519 private key, PKCS#8 in PEM",
            })?,
        })
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

impl Backend for SoftwareKeys {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            custody: Custody::Software,
            non_exportable: false,
            monotonic_counter: false,
            attestation: false,
            measured_boot: false,
        }
    }

    fn p256_public(&self) -> Vec<u8> {
        p256_spki(self.p256.verifying_key())
    }

    fn ed25519_public(&self) -> [u8; 32] {
        self.ed25519.verifying_key().to_bytes()
    }

    fn sign_p256(&self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        let signature: p256::ecdsa::DerSignature = self.p256.sign(text.text().as_bytes());
        Ok(signature.as_bytes().to_vec())
    }

    fn sign_ed25519(&self, text: &Signable) -> Result<[u8; 64], BackendError> {
        Ok(self.ed25519.sign(text.text().as_bytes()).to_bytes())
    }
}
