//! The binary pieces of bundles and packages: big-endian numbers, entries, proofs.

use alloc::vec::Vec;

use super::WireError;
use crate::limits::{HASH_BYTES, PROOF_HASHES_MAX};
use crate::tree::Hash;

/// Writes an entry behind its 16-bit big-endian length.
///
/// # Errors
/// [`WireError::EntryTooLong`].
pub fn put_entry(out: &mut Vec<u8>, entry: &[u8]) -> Result<(), WireError> {
    let length =
        u16::try_from(entry.len()).map_err(|_| WireError::EntryTooLong { bytes: entry.len() })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(entry);
    Ok(())
}

/// Writes a proof behind its 8-bit number of hashes (tlog-mirror `add-entries`).
///
/// # Errors
/// [`WireError::ProofTooLong`].
pub fn put_proof(out: &mut Vec<u8>, proof: &[Hash]) -> Result<(), WireError> {
    let hashes = proof.len();
    let count = u8::try_from(hashes)
        .ok()
        .filter(|_| hashes <= PROOF_HASHES_MAX)
        .ok_or(WireError::ProofTooLong { hashes })?;
    out.push(count);
    proof
        .iter()
        .for_each(|hash| out.extend_from_slice(hash.as_bytes()));
    Ok(())
}

/// Reads the pieces one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    consumed: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of some bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            consumed: 0,
        }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.consumed
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`], as for every read.
    pub fn bytes(&mut self, needed: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(needed)
            .ok_or(WireError::Truncated {
                needed,
                left: self.rest.len(),
            })?;
        self.rest = rest;
        self.consumed = self.consumed.saturating_add(needed);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let left = self.rest.len();
        self.bytes(N)?
            .try_into()
            .map_err(|_| WireError::Truncated { needed: N, left })
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// A big-endian 16-bit number.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// A big-endian 64-bit number.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A hash.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn hash(&mut self) -> Result<Hash, WireError> {
        Ok(Hash(self.array::<HASH_BYTES>()?))
    }

    /// An entry behind its 16-bit length.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn entry(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.u16()?;
        self.bytes(usize::from(length))
    }

    /// A proof behind its 8-bit number of hashes.
    ///
    /// # Errors
    /// [`WireError::ProofTooLong`] or [`WireError::Truncated`].
    pub fn proof(&mut self) -> Result<Vec<Hash>, WireError> {
        let hashes = usize::from(self.u8()?);
        if hashes > PROOF_HASHES_MAX {
            return Err(WireError::ProofTooLong { hashes });
        }
        (0..hashes).map(|_| self.hash()).collect()
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`WireError::Trailing`].
    pub const fn finish(&self) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(WireError::Trailing { bytes }),
        }
    }
}
