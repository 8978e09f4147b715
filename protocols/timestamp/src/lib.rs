//! Timestamps of RFC 3161: the question, and what an answer and its token say. Whether the signature of a token holds,
//! and who vouches for who made it, is asked elsewhere.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod instant;
pub mod limits;
mod query;
mod token;

pub use answer::{Answer, opened};
pub use query::{Hash, query};
pub use token::{Named, Signed, Token};

/// Why bytes are no answer, or no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// They are no DER of that form (RFC 3161, 2.4.2; RFC 5652).
    Form,
    /// They are longer than [`limits::TOKEN_BYTES_MAX`].
    TooLong,
    /// What is signed is no timestamp.
    OtherContent,
    /// It does not have one signer with signed attributes.
    Signers,
    /// A hash that is not known here, or a digest of another length.
    Hash,
    /// The instant is in no form that a timestamp has.
    Instant,
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Form => "it is no DER of that form",
            Self::TooLong => "it is longer than a timestamp may be",
            Self::OtherContent => "what is signed in it is no timestamp",
            Self::Signers => "it does not have one signer who signed what a timestamp must have",
            Self::Hash => "it is over a hash that is not SHA-256, SHA-384 or SHA-512",
            Self::Instant => "its time is in no form that a timestamp has",
        })
    }
}

impl core::error::Error for Malformed {}

impl From<der::Error> for Malformed {
    fn from(_: der::Error) -> Self {
        Self::Form
    }
}
