//! Bodies of the witness and mirror endpoints (C2SP tlog-witness, tlog-mirror): pure encoding and decoding.

mod add_checkpoint;
mod add_entries;
mod codec;

use core::fmt;

pub use add_checkpoint::{
    AddCheckpoint, MIRROR_INFO_CONTENT_TYPE, MirrorInfo, SIZE_CONTENT_TYPE, decode_size,
    encode_size,
};
pub use add_entries::{
    AddEntriesHeader, Package, PackageRange, canonical_packages, decode_package, encode_package,
};
pub use codec::{Reader, put_entry, put_proof};

use crate::limits::{ENTRY_BYTES_MAX, PROOF_HASHES_MAX, TILE_WIDTH};

/// Why a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The bytes end too early; while a body still streams in, more may make it whole.
    Truncated {
        /// Bytes the next field needs.
        needed: usize,
        /// Bytes left.
        left: usize,
    },
    /// Bytes are left after the end.
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The body is longer than its bound.
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// An entry is longer than [`ENTRY_BYTES_MAX`].
    EntryTooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// A bundle or package has no entry or more than [`TILE_WIDTH`].
    EntryCount {
        /// How many.
        count: usize,
    },
    /// A proof has more than [`PROOF_HASHES_MAX`] hashes.
    ProofTooLong {
        /// How many.
        hashes: usize,
    },
    /// A text body is not UTF-8.
    NotText,
    /// The first line is not `old` and a size, or a size is not a strict decimal within bounds.
    BadSize,
    /// A proof line is not the base64 of 32 bytes.
    BadProofLine,
    /// The ticket is not base64, or too long.
    BadTicket,
    /// The origin is not one line of text within bounds.
    BadOrigin,
    /// The number of lines, or their ends, do not fit the body.
    BadLines,
    /// An upload ends before it starts or past the largest tree.
    BadRange {
        /// First entry.
        begin: u64,
        /// Index after the last.
        end: u64,
    },
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, left } => {
                write!(f, "body ends early: {needed} bytes needed, {left} left")
            }
            Self::Trailing { bytes } => write!(f, "{bytes} bytes follow the end of the body"),
            Self::TooLong { bytes, bytes_max } => {
                write!(f, "body has {bytes} bytes, {bytes_max} are accepted")
            }
            Self::EntryTooLong { bytes } => {
                write!(f, "entry has {bytes} bytes, {ENTRY_BYTES_MAX} are accepted")
            }
            Self::EntryCount { count } => {
                write!(f, "{count} entries where 1 to {TILE_WIDTH} are accepted")
            }
            Self::ProofTooLong { hashes } => write!(
                f,
                "proof has {hashes} hashes, {PROOF_HASHES_MAX} are accepted"
            ),
            Self::NotText => f.write_str("body is not UTF-8"),
            Self::BadSize => f.write_str("size is not a decimal without leading zeros in bounds"),
            Self::BadProofLine => f.write_str("proof line is not the base64 of 32 bytes"),
            Self::BadTicket => f.write_str("ticket is not base64 in bounds"),
            Self::BadOrigin => f.write_str("origin is not one line of text in bounds"),
            Self::BadLines => f.write_str("lines are missing, left over or not ended by a newline"),
            Self::BadRange { begin, end } => write!(f, "[{begin}, {end}) is no range of entries"),
        }
    }
}

impl core::error::Error for WireError {}

#[cfg(test)]
mod tests;
