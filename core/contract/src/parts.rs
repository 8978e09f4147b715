//! How a contract enters the log: its canonical form in parts that each fit an entry.

use crate::canonical::digest_of;
use crate::model::Contract;
use alloc::vec::Vec;
use core::fmt;
use evidence::cbor::DecodeError;
use evidence::kinds::Configuration;
use evidence::limits::BLOB_BYTES_MAX;
use evidence::{Blob, MonoNs};

/// Most parts of one contract: far above what the largest sound contract needs.
const PARTS_MAX: usize = 4_096;

/// Why parts do not make a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsError {
    /// There are none, or too many.
    Count(usize),
    /// This part belongs elsewhere: another number, another count or another digest.
    Part(usize),
    /// The parts together do not have the digest that they state.
    Digest,
    /// The parts together are no canonical contract.
    Decode(DecodeError),
}

impl fmt::Display for PartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(
                f,
                "{count} parts; a contract has at least one and states how many"
            ),
            Self::Part(place) => write!(
                f,
                "part {place} does not follow the parts before it; all parts of one contract are needed, in order"
            ),
            Self::Digest => write!(
                f,
                "the parts do not have the digest that they state; one of them was changed"
            ),
            Self::Decode(error) => write!(f, "not a canonical contract: {error}"),
        }
    }
}

impl core::error::Error for PartsError {}

impl Contract {
    /// The payloads of the configuration entries that put this contract in force.
    #[must_use]
    pub fn parts(&self, at: MonoNs) -> Vec<Configuration> {
        let bytes = self.canonical();
        let digest = digest_of(&bytes);
        let chunks = bytes.chunks(BLOB_BYTES_MAX);
        let parts = chunks.len() as u64;
        (0..)
            .zip(chunks)
            .map(|(part, chunk)| Configuration {
                at,
                digest,
                part,
                parts,
                bytes: Blob::from(chunk),
            })
            .collect()
    }

    /// The contract that these payloads, in order, put in force.
    pub fn from_parts(parts: &[Configuration]) -> Result<Self, PartsError> {
        let count = parts.len();
        let Some(first) = parts.first().filter(|_| count <= PARTS_MAX) else {
            return Err(PartsError::Count(count));
        };
        if first.parts != count as u64 {
            return Err(PartsError::Count(count));
        }
        let mut bytes = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let follows = part.part == place as u64
                && part.parts == first.parts
                && part.digest == first.digest;
            if !follows {
                return Err(PartsError::Part(place));
            }
            bytes.extend_from_slice(&part.bytes.0);
        }
        if digest_of(&bytes) != first.digest {
            return Err(PartsError::Digest);
        }
        Self::from_canonical(&bytes).map_err(PartsError::Decode)
    }
}
