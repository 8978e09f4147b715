//! What the engine needs of something that holds keys, and what that thing says of itself.

use crate::statement::Signable;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::reasons::Custody;

/// What a backend can do; printed wherever a verdict leans on its signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Where the authority key lives.
    pub custody: Custody,
    /// Whether the key can never leave.
    pub non_exportable: bool,
    /// Whether it has a counter that only moves forward.
    pub monotonic_counter: bool,
    /// Whether it can attest its key.
    pub attestation: bool,
    /// Whether it can attest what was booted.
    pub measured_boot: bool,
}

/// Why a backend gave no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendError {
    /// The device or token is not there or does not answer; later it may.
    Unavailable(String),
    /// It refused or failed.
    Failed(String),
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(what) => write!(f, "the key store is not available: {what}"),
            Self::Failed(what) => write!(f, "the key store failed: {what}"),
        }
    }
}

impl core::error::Error for BackendError {}

/// Holds the two keys of a node.
pub trait Backend {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// The authority's public key: Subject Public Key Info in DER, the point uncompressed.
    fn p256_public(&self) -> Vec<u8>;

    /// The public key for tools that know only Ed25519. It never counts as hardware custody.
    fn ed25519_public(&self) -> [u8; 32];

    /// Signs with the authority's key: ECDSA over SHA-256 of the text, ASN.1 DER.
    ///
    /// # Errors
    /// Where there is no signature.
    fn sign_p256(&self, text: &Signable) -> Result<Vec<u8>, BackendError>;

    /// Signs with the Ed25519 key.
    ///
    /// # Errors
    /// Where there is no signature.
    fn sign_ed25519(&self, text: &Signable) -> Result<[u8; 64], BackendError>;
}
