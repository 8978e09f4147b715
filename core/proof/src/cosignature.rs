//! Timestamped Ed25519 cosignatures on checkpoints (C2SP tlog-cosignature, signature type 0x04).

use alloc::format;
use alloc::string::String;

use ed25519_dalek::Signer as _;

use crate::limits::COSIGNATURE_TIME_MAX_S;
use crate::note::{KeyError, SignatureLine, VerifierKey};

/// Bytes of the time in front of the signature.
const TIME_BYTES: usize = 8;
/// Bytes of a timestamped signature.
const STAMPED_BYTES: usize = TIME_BYTES + ed25519_dalek::SIGNATURE_LENGTH;

/// The signed message: header line, time line, then the checkpoint's whole text (tlog-cosignature "Ed25519 signed
/// message").
#[must_use]
pub fn message(time_s: u64, checkpoint_text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{checkpoint_text}")
}

/// `timestamped_signature`: what a cosignature line holds after the key id (tlog-cosignature "Format").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampedSignature {
    /// POSIX time of the cosignature in seconds.
    pub time_s: u64,
    /// The Ed25519 signature.
    pub signature: [u8; ed25519_dalek::SIGNATURE_LENGTH],
}

impl TimestampedSignature {
    /// Reads the 72 bytes; `None` for another length or a time above [`COSIGNATURE_TIME_MAX_S`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, signature) = bytes.split_first_chunk::<TIME_BYTES>()?;
        let time_s = u64::from_be_bytes(*time);
        (time_s <= COSIGNATURE_TIME_MAX_S).then_some(Self {
            time_s,
            signature: signature.try_into().ok()?,
        })
    }

    /// The 72 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; STAMPED_BYTES] {
        let mut bytes = [0; STAMPED_BYTES];
        let (time, signature) = bytes.split_at_mut(TIME_BYTES);
        time.copy_from_slice(&self.time_s.to_be_bytes());
        signature.copy_from_slice(&self.signature);
        bytes
    }

    /// Whether the cosigner made it over this checkpoint text.
    #[must_use]
    pub fn verify(&self, key: &ed25519_dalek::VerifyingKey, checkpoint_text: &str) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        key.verify_strict(message(self.time_s, checkpoint_text).as_bytes(), &signature)
            .is_ok()
    }
}

/// Cosigns a checkpoint text at a given time. Cosign only what was verified and is durably stored: the line is a
/// receipt.
///
/// # Errors
/// [`KeyError::BadName`], or [`KeyError::BadMaterial`] for a time above [`COSIGNATURE_TIME_MAX_S`].
pub fn cosign(
    name: &str,
    key: &ed25519_dalek::SigningKey,
    time_s: u64,
    checkpoint_text: &str,
) -> Result<SignatureLine, KeyError> {
    let public = VerifierKey::cosigner(name, key.verifying_key().as_bytes())?;
    if time_s > COSIGNATURE_TIME_MAX_S {
        return Err(KeyError::BadMaterial);
    }
    let signature = key.sign(message(time_s, checkpoint_text).as_bytes());
    let stamped = TimestampedSignature {
        time_s,
        signature: signature.to_bytes(),
    };
    Ok(SignatureLine::cosignature(&public, &stamped.to_bytes()))
}
