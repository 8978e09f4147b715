//! Verifier keys: names, key ids, the `name+id+key` text form, and the check of one signature.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use evidence::foreign::steers;

use p256::ecdsa::DerSignature;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest as _, Sha256};

use super::Statement;
use crate::cosignature::TimestampedSignature;
use crate::limits::NAME_BYTES_MAX;
use crate::text::{base64_decode, base64_encode};

/// Subject Public Key Info of an uncompressed P-256 point up to the point itself (RFC 5480 §2).
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Bytes of an uncompressed P-256 point.
const P256_POINT_BYTES: usize = 65;

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The name is empty, too long, or holds a space, a plus or a control character.
    BadName,
    /// The text is not `name+id+base64`.
    BadForm,
    /// The id does not follow from name and key.
    BadId {
        /// The id that follows.
        expected: u32,
        /// The id in the text.
        got: u32,
    },
    /// The signature type is none of 0x01, 0x02, 0x04.
    UnknownAlgorithm {
        /// The type byte.
        algorithm: u8,
    },
    /// The key or signature bytes are no valid key or signature of their type.
    BadMaterial,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName => write!(
                f,
                "key name must have 1 to {NAME_BYTES_MAX} bytes without spaces, plus or control characters"
            ),
            Self::BadForm => f.write_str("verifier key is not name+id+base64"),
            Self::BadId { expected, got } => write!(
                f,
                "key id {got:08x} does not follow from name and key, {expected:08x} does"
            ),
            Self::UnknownAlgorithm { algorithm } => {
                write!(
                    f,
                    "signature type {algorithm:#04x} is not 0x01, 0x02 or 0x04"
                )
            }
            Self::BadMaterial => f.write_str("key or signature bytes are not valid for their type"),
        }
    }
}

impl core::error::Error for KeyError {}

/// Whether a text may name a key: not empty, without Unicode spaces or plus (signed-note "Format"), and, as it lives in
/// a note, without control characters; nor with signs that nobody sees and that turn the order of those around them, as it
/// is shown to people.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c == '+' || steers(c))
}

pub(crate) fn check_name(name: &str) -> Result<(), KeyError> {
    if is_key_name(name) {
        Ok(())
    } else {
        Err(KeyError::BadName)
    }
}

/// The signature types this crate verifies (signed-note "Signature types").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// 0x01: Ed25519 over the text.
    Ed25519,
    /// 0x02: ECDSA on P-256 over SHA-256 of the text, ASN.1 DER.
    EcdsaP256,
    /// 0x04: timestamped Ed25519 cosignature (tlog-cosignature).
    CosignatureEd25519,
}

impl Algorithm {
    /// The type byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::EcdsaP256 => 0x02,
            Self::CosignatureEd25519 => 0x04,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(p256::ecdsa::VerifyingKey),
    CosignatureEd25519(ed25519_dalek::VerifyingKey),
}

/// A named public key. Its text form is the vkey: `name+hex key id+base64(type ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key_id: u32,
    public: Public,
}

impl VerifierKey {
    /// An Ed25519 key, for the note itself or for cosignatures.
    ///
    /// # Errors
    /// [`KeyError::BadName`]; [`KeyError::BadMaterial`] for bytes that are no point or a point of small order;
    /// [`KeyError::UnknownAlgorithm`] when the type is not an Ed25519 one.
    pub fn ed25519(name: &str, public: &[u8; 32], algorithm: Algorithm) -> Result<Self, KeyError> {
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or(KeyError::BadMaterial)?;
        let public = match algorithm {
            Algorithm::Ed25519 => Public::Ed25519(key),
            Algorithm::CosignatureEd25519 => Public::CosignatureEd25519(key),
            Algorithm::EcdsaP256 => {
                return Err(KeyError::UnknownAlgorithm {
                    algorithm: algorithm.byte(),
                });
            }
        };
        Ok(Self::with(name, public))
    }

    /// The key of a cosigner: collector, mirror or witness (type 0x04).
    ///
    /// # Errors
    /// As [`Self::ed25519`].
    pub fn cosigner(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        Self::ed25519(name, public, Algorithm::CosignatureEd25519)
    }

    /// A P-256 key as Subject Public Key Info in DER (type 0x02), with the point uncompressed: the id is a hash of these
    /// very bytes, so only one form is accepted.
    ///
    /// # Errors
    /// [`KeyError::BadName`] or [`KeyError::BadMaterial`].
    pub fn p256(name: &str, spki_der: &[u8]) -> Result<Self, KeyError> {
        check_name(name)?;
        let point = spki_der
            .strip_prefix(&P256_SPKI_PREFIX)
            .filter(|point| point.len() == P256_POINT_BYTES)
            .ok_or(KeyError::BadMaterial)?;
        let key =
            p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyError::BadMaterial)?;
        if p256_spki(&key) != spki_der {
            return Err(KeyError::BadMaterial);
        }
        Ok(Self::with(name, Public::EcdsaP256(key)))
    }

    /// The same key under another name; its id follows the name where the algorithm says so.
    ///
    /// # Errors
    /// [`KeyError::BadName`].
    pub fn under_name(&self, name: &str) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self::with(name, self.public.clone()))
    }

    fn with(name: &str, public: Public) -> Self {
        let mut key = Self {
            name: name.to_string(),
            key_id: 0,
            public,
        };
        key.key_id = key.derive_id();
        key
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key: with the name it tells keys apart, it does not authenticate them.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// Type of the key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Ed25519(_) => Algorithm::Ed25519,
            Public::EcdsaP256(_) => Algorithm::EcdsaP256,
            Public::CosignatureEd25519(_) => Algorithm::CosignatureEd25519,
        }
    }

    /// The public key as the vkey holds it: 32 bytes of Ed25519, or a P-256 Subject Public Key Info in DER.
    #[must_use]
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.public {
            Public::Ed25519(key) | Public::CosignatureEd25519(key) => key.as_bytes().to_vec(),
            Public::EcdsaP256(key) => p256_spki(key),
        }
    }

    /// Whether both are one key, whatever their names: a log's keys have one for each generation. What is trusted is compared
    /// so.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.public == other.public
    }

    /// Whether both have one secret, whatever it signs as: a key and a cosigner may have the same. What is taken back is
    /// compared so, as whoever has the secret has both.
    #[must_use]
    pub fn has_same_secret(&self, other: &Self) -> bool {
        self.public_bytes() == other.public_bytes()
    }

    /// Checks one signature over a note text; `None` when it does not verify.
    ///
    /// Ed25519 is checked strictly (no small-order points), so that a signature that holds here has one signer.
    #[must_use]
    pub fn verify(&self, text: &str, signature: &[u8]) -> Option<Statement> {
        match &self.public {
            Public::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
                key.verify_strict(text.as_bytes(), &signature).ok()?;
                Some(Statement::Signed)
            }
            Public::EcdsaP256(_) => self
                .verify_bytes(text.as_bytes(), signature)
                .then_some(Statement::Signed),
            Public::CosignatureEd25519(key) => {
                let stamped = TimestampedSignature::from_bytes(signature)?;
                stamped.verify(key, text).then_some(Statement::Cosigned {
                    time_s: stamped.time_s,
                })
            }
        }
    }

    /// Checks an ECDSA signature, in ASN.1 DER over SHA-256, on bytes that are no note: what a TPM attests with the
    /// log's own key. Of a key of another type nothing verifies.
    #[must_use]
    pub fn verify_bytes(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let Public::EcdsaP256(key) = &self.public else {
            return false;
        };
        DerSignature::from_bytes(signature)
            .is_ok_and(|signature| key.verify(bytes, &signature).is_ok())
    }

    pub(crate) fn has_identity(&self, name: &str, key_id: u32) -> bool {
        self.key_id == key_id && self.name == name
    }

    fn derive_id(&self) -> u32 {
        let public = self.public_bytes();
        let digest = match self.public {
            // The id of type 0x02 is a hash of the key alone.
            Public::EcdsaP256(_) => Sha256::digest(&public),
            Public::Ed25519(_) | Public::CosignatureEd25519(_) => {
                let mut hasher = Sha256::new_with_prefix(self.name.as_bytes());
                hasher.update([b'\n', self.algorithm().byte()]);
                hasher.update(&public);
                hasher.finalize()
            }
        };
        digest
            .first_chunk::<4>()
            .copied()
            .map_or(0, u32::from_be_bytes)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = Vec::from([self.algorithm().byte()]);
        material.extend_from_slice(&self.public_bytes());
        let material = base64_encode(&material);
        write!(f, "{}+{:08x}+{material}", self.name, self.key_id)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // Neither name nor id may hold a plus, base64 may: split from the left.
        let (name, rest) = text.split_once('+').ok_or(KeyError::BadForm)?;
        let (id, material) = rest.split_once('+').ok_or(KeyError::BadForm)?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if id.len() != 8 || !id.bytes().all(lower_hex) {
            return Err(KeyError::BadForm);
        }
        let got = u32::from_str_radix(id, 16).map_err(|_| KeyError::BadForm)?;
        let material = base64_decode(material).ok_or(KeyError::BadForm)?;
        let (algorithm, public) = material.split_first().ok_or(KeyError::BadForm)?;
        let ed25519 = |algorithm| {
            let public = public.try_into().map_err(|_| KeyError::BadMaterial)?;
            Self::ed25519(name, public, algorithm)
        };
        let key = match *algorithm {
            0x01 => ed25519(Algorithm::Ed25519)?,
            0x02 => Self::p256(name, public)?,
            0x04 => ed25519(Algorithm::CosignatureEd25519)?,
            algorithm => return Err(KeyError::UnknownAlgorithm { algorithm }),
        };
        if key.key_id != got {
            return Err(KeyError::BadId {
                expected: key.key_id,
                got,
            });
        }
        Ok(key)
    }
}

/// Subject Public Key Info in DER of a P-256 key, the point uncompressed.
#[must_use]
pub fn p256_spki(key: &p256::ecdsa::VerifyingKey) -> Vec<u8> {
    [&P256_SPKI_PREFIX[..], key.to_sec1_point(false).as_bytes()].concat()
}
