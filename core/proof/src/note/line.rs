//! Signature lines: their form, and the signatures this crate can make itself.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use ed25519_dalek::Signer as _;
use p256::ecdsa::DerSignature;

use super::key::{Algorithm, KeyError, VerifierKey, check_name, p256_spki};
use super::{NoteError, is_key_name};
use crate::limits::NOTE_SIGNATURES_MAX;
use crate::text::{base64_decode, base64_encode};

/// Em dash and space: how every signature line begins.
const LINE_PREFIX: &str = "\u{2014} ";

/// One signature line: `— <name> base64(key id ‖ signature)` (signed-note "Signatures"). `Display` has no newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    key_id: u32,
    bytes: Vec<u8>,
}

impl SignatureLine {
    /// A line from a signature made elsewhere, for example by a TPM. For ECDSA the bytes are ASN.1 DER
    /// (see [`ecdsa_der`]).
    ///
    /// # Errors
    /// [`KeyError::BadName`], or [`KeyError::BadMaterial`] for a signature without bytes.
    pub fn new(name: &str, key_id: u32, bytes: Vec<u8>) -> Result<Self, KeyError> {
        check_name(name)?;
        if bytes.is_empty() {
            return Err(KeyError::BadMaterial);
        }
        Ok(Self {
            name: name.to_string(),
            key_id,
            bytes,
        })
    }

    /// Parses one line without its newline.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_PREFIX)?.split_once(' ')?;
        let decoded = base64_decode(encoded)?;
        let (key_id, bytes) = decoded.split_first_chunk::<4>()?;
        if !is_key_name(name) || bytes.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_string(),
            key_id: u32::from_be_bytes(*key_id),
            bytes: bytes.to_vec(),
        })
    }

    /// Parses one or more lines, each ended by a newline: the end of a note, or a witness's response.
    ///
    /// # Errors
    /// [`NoteError::NoSignatures`], [`NoteError::BadLine`] or [`NoteError::TooManySignatures`].
    pub fn parse_lines(lines: &str) -> Result<Vec<Self>, NoteError> {
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut parsed = Vec::new();
        for (n, line) in lines.split('\n').enumerate() {
            if n >= NOTE_SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            parsed.push(Self::parse(line).ok_or(NoteError::BadLine {
                line: n.saturating_add(1),
            })?);
        }
        Ok(parsed)
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The signature without the key id.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn of(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self {
            name: key.name().to_string(),
            key_id: key.key_id(),
            bytes,
        }
    }

    pub(crate) fn cosignature(key: &VerifierKey, timestamped: &[u8]) -> Self {
        Self::of(key, timestamped.to_vec())
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decoded = [&self.key_id.to_be_bytes()[..], &self.bytes].concat();
        write!(f, "{LINE_PREFIX}{} {}", self.name, base64_encode(&decoded))
    }
}

/// Signs a text with Ed25519 (signature type 0x01).
///
/// # Errors
/// [`KeyError::BadName`].
pub fn sign_ed25519(
    name: &str,
    key: &ed25519_dalek::SigningKey,
    text: &str,
) -> Result<SignatureLine, KeyError> {
    let public = VerifierKey::ed25519(name, key.verifying_key().as_bytes(), Algorithm::Ed25519)?;
    let signature = key.sign(text.as_bytes()).to_bytes();
    Ok(SignatureLine::of(&public, signature.to_vec()))
}

/// Signs a text with a software P-256 key (signature type 0x02): ECDSA over SHA-256, ASN.1 DER.
///
/// # Errors
/// [`KeyError::BadName`].
pub fn sign_p256(
    name: &str,
    key: &p256::ecdsa::SigningKey,
    text: &str,
) -> Result<SignatureLine, KeyError> {
    let public = VerifierKey::p256(name, &p256_spki(key.verifying_key()))?;
    let signature: DerSignature = key.sign(text.as_bytes());
    Ok(SignatureLine::of(&public, signature.as_bytes().to_vec()))
}

/// The ASN.1 DER form of a P-256 signature given as `r ‖ s`, as TPM and PKCS#11 return it.
///
/// # Errors
/// [`KeyError::BadMaterial`] when r or s is zero or not below the group order.
pub fn ecdsa_der(r_s: &[u8; 64]) -> Result<Vec<u8>, KeyError> {
    let signature = p256::ecdsa::Signature::from_slice(r_s).map_err(|_| KeyError::BadMaterial)?;
    Ok(signature.to_der().as_bytes().to_vec())
}
