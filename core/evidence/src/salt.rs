//! Salted leaves: a reading cannot be guessed from its hash, and is disclosed one by one (U5).

use crate::ids::{CommitId, Generation};
use crate::limits::SALT_BYTES;
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use alloc::vec::Vec;
use core::fmt;

/// The random key of one journal segment from which the salts of its entries are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SaltKey(pub [u8; 16]);

impl fmt::Debug for SaltKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltKey(..)")
    }
}

impl SaltKey {
    /// The key made ready for many salts.
    #[must_use]
    pub fn salts(&self) -> Salts {
        Salts(Aes128::new(&self.0.into()))
    }

    /// Salt of one entry.
    #[must_use]
    pub fn salt(&self, generation: Generation, commit_id: CommitId) -> [u8; SALT_BYTES] {
        self.salts().of(generation, commit_id)
    }
}

/// A salt key whose schedule is computed.
#[derive(Clone)]
pub struct Salts(Aes128);

impl fmt::Debug for Salts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salts(..)")
    }
}

impl Salts {
    /// Salt of one entry: AES-128 of generation and commit id, both big-endian, under the key.
    #[must_use]
    pub fn of(&self, generation: Generation, commit_id: CommitId) -> [u8; SALT_BYTES] {
        let numbers = (u128::from(generation.0) << 64) | u128::from(commit_id.0);
        let mut block = numbers.to_be_bytes().into();
        self.0.encrypt_block(&mut block);
        block.into()
    }
}

/// What a leaf of the tree hashes: `salt || entry bytes`.
#[must_use]
pub fn leaf_data(salt: &[u8; SALT_BYTES], entry: &[u8]) -> Vec<u8> {
    [salt, entry].concat()
}

/// Salt and entry bytes of a leaf, or `None` if it is too short to be one.
#[must_use]
pub fn split_leaf(leaf: &[u8]) -> Option<(&[u8; SALT_BYTES], &[u8])> {
    leaf.split_first_chunk()
}

#[cfg(test)]
mod tests {
    use super::{SaltKey, leaf_data, split_leaf};
    use crate::ids::{CommitId, Generation};

    /// FIPS 197, appendix C.1: the salt is that block cipher and nothing else.
    #[test]
    fn the_salt_is_aes_128_of_generation_and_commit_id() {
        let key = SaltKey(core::array::from_fn(|i| u8::try_from(i).unwrap()));
        let salt = key.salt(
            Generation(0x0011_2233_4455_6677),
            CommitId(0x8899_aabb_ccdd_eeff),
        );
        let expected = 0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128;
        assert_eq!(u128::from_be_bytes(salt), expected);
    }

    //= U5
    #[test]
    fn equal_entries_have_unequal_leaves() {
        let key = SaltKey([7; 16]);
        let leaf = |id| leaf_data(&key.salt(Generation(1), CommitId(id)), b"entry");
        assert_ne!(leaf(1), leaf(2));
        assert_eq!(split_leaf(&leaf(1)).unwrap().1, b"entry");
        assert_eq!(split_leaf(&[0; 15]), None);
    }
}
