//! Keys in files: for development. Whoever reads the files has the keys.

use crate::error::KeysError;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::KeypairBytes;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use std::fmt;
use std::path::Path;
use trust_plane::{
    Backend, BackendError, Capabilities, Certified, CounterKind, Description, KeyFault, Signable,
    Step, p256_spki,
};
use zeroize::Zeroizing;

/// How often a random number may be no P-256 key before the source of numbers is at fault; one in
/// 2^32 is none.
const P256_TRIES_MAX: usize = 8;

/// The key for tools that know only Ed25519, which is in a file whatever holds the authority.
pub(crate) struct Ed25519File(ed25519_dalek::SigningKey);

impl fmt::Debug for Ed25519File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519File(..)")
    }
}

impl Ed25519File {
    /// A new key from the system's random numbers.
    pub(crate) fn generate() -> Result<Self, KeysError> {
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&*random()?)))
    }

    /// PKCS#8 in PEM, without the public key, as common tools read it.
    pub(crate) fn pem(&self) -> Option<Zeroizing<String>> {
        KeypairBytes {
            secret_key: self.0.to_bytes(),
            public_key: None,
        }
        .to_pkcs8_pem(LineEnding::LF)
        .ok()
    }

    /// The key from the bytes of its file; the path is for the error.
    pub(crate) fn from_pem(path: &Path, bytes: &[u8]) -> Result<Self, KeysError> {
        let key = text(bytes).and_then(|pem| ed25519_dalek::SigningKey::from_pkcs8_pem(pem).ok());
        key.map(Self).ok_or(KeysError::NotAKey {
            path: path.into(),
            expected: "an Ed25519 private key, PKCS#8 in PEM",
        })
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        self.0.sign(text.as_bytes()).to_bytes()
    }
}

/// The two keys of a node, in memory. Signatures are deterministic (RFC 6979, RFC 8032), so that no
/// weak random number can give the keys away.
pub(crate) struct SoftwareKeys {
    p256: p256::ecdsa::SigningKey,
    ed25519: Ed25519File,
}

impl fmt::Debug for SoftwareKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKeys(..)")
    }
}

pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(KeysError::Random)?;
    Ok(bytes)
}

impl SoftwareKeys {
    /// New keys from the system's random numbers.
    pub(crate) fn generate() -> Result<Self, KeysError> {
        let ed25519 = Ed25519File::generate()?;
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

    /// The other key as PKCS#8 in PEM.
    pub(crate) fn ed25519_pem(&self) -> Option<Zeroizing<String>> {
        self.ed25519.pem()
    }

    /// Keys from the bytes of the authority's file and the other key; the path is for the error.
    pub(crate) fn from_pem(
        path: &Path,
        bytes: &[u8],
        ed25519: Ed25519File,
    ) -> Result<Self, KeysError> {
        let key = text(bytes).and_then(|pem| {
            let key = p256::SecretKey::from_pkcs8_pem(pem).ok()?;
            Some(p256::ecdsa::SigningKey::from(key))
        });
        let p256 = key.ok_or(KeysError::NotAKey {
            path: path.into(),
            expected: "a P-256 private key, PKCS#8 in PEM",
        })?;
        Ok(Self { p256, ed25519 })
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

impl Backend for SoftwareKeys {
    fn describe(&mut self) -> Result<Description, BackendError> {
        Ok(Description {
            capabilities: Capabilities::SOFTWARE,
            maker: "files of this machine".to_owned(),
            key_public: None,
            counters: Vec::new(),
            lacking: Vec::new(),
            kept: 0,
        })
    }

    fn p256_public(&self) -> Vec<u8> {
        p256_spki(self.p256.verifying_key())
    }

    fn ed25519_public(&self) -> [u8; 32] {
        self.ed25519.public()
    }

    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        let signature: p256::ecdsa::DerSignature = self.p256.sign(text.text().as_bytes());
        Ok(signature.as_bytes().to_vec())
    }

    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError> {
        Ok(self.ed25519.sign(text.text()))
    }

    fn can_count(&self) -> bool {
        false
    }

    fn certify(
        &mut self,
        counter: CounterKind,
        _: Step,
        _: &Signable,
    ) -> Result<Certified, BackendError> {
        let words = format!("files have no {counter} counter");
        Err(BackendError::new(KeyFault::CounterUndefined, words))
    }
}
