//! The hashes of the tree: leaf, node, empty root (RFC 9162 §2.1.1).

use core::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

use crate::limits::HASH_BYTES;
use crate::text::base64_decode;

/// Domain separation of a leaf hash.
const LEAF_PREFIX: [u8; 1] = [0x00];
/// Domain separation of a node hash.
const NODE_PREFIX: [u8; 1] = [0x01];

/// Bytes of a block of SHA-256 (FIPS 180-4, section 5.2.1).
const BLOCK_BYTES: usize = 64;
/// What SHA-256 begins with (FIPS 180-4, section 5.3.3).
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// The bit behind every message (FIPS 180-4, section 5.1.1).
const PADDING_MARK: u8 = 0x80;
/// The mark and the length in bits.
const PADDING_BYTES_MIN: usize = 9;
/// Blocks of a leaf that is hashed in one go: a reading has three.
const SHORT_BLOCKS: usize = 6;

/// A SHA-256 hash of the tree. `Display` is base64 as in checkpoints, `Debug` is hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// Reads the base64 form of checkpoints and proof lines.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        base64_decode(text)?.try_into().ok().map(Self)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

impl From<[u8; HASH_BYTES]> for Hash {
    fn from(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(&self.0, &STANDARD).fmt(f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// `SHA-256(0x00 ‖ data)`: the hash of one leaf (RFC 9162 §2.1.1).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    leaf_hash_of(&[data])
}

/// The hash of one leaf whose data lies in several parts.
#[must_use]
pub fn leaf_hash_of(parts: &[&[u8]]) -> Hash {
    short_leaf_hash(parts).unwrap_or_else(|| {
        let mut hasher = Sha256::new_with_prefix(LEAF_PREFIX);
        parts.iter().for_each(|part| hasher.update(part));
        Hash(hasher.finalize().into())
    })
}

/// The same for a leaf as short as nearly all are: laid out once, hashed in one go. `None` if it is longer.
fn short_leaf_hash(parts: &[&[u8]]) -> Option<Hash> {
    let mut message = [0; SHORT_BLOCKS * BLOCK_BYTES];
    let (prefix, mut room) = message.split_first_chunk_mut()?;
    *prefix = LEAF_PREFIX;
    for part in parts {
        let (place, behind) = room.split_at_mut_checked(part.len())?;
        place.copy_from_slice(part);
        room = behind;
    }
    let bytes = (SHORT_BLOCKS * BLOCK_BYTES).checked_sub(room.len())?;
    room.split_first_mut()
        .map(|(behind, _)| *behind = PADDING_MARK)?;
    let blocks = bytes.checked_add(PADDING_BYTES_MIN)?.div_ceil(BLOCK_BYTES);
    let padded = message.get_mut(..blocks.checked_mul(BLOCK_BYTES)?)?;
    let bits = u64::try_from(bytes).ok()?.checked_mul(8)?;
    *padded.last_chunk_mut()? = bits.to_be_bytes();
    Some(sha256_of_padded(padded.as_chunks().0))
}

/// `SHA-256(0x01 ‖ left ‖ right)`: the hash of an inner node (RFC 9162 §2.1.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    const MESSAGE_BYTES: usize = 1 + 2 * HASH_BYTES;
    const BITS: [u8; 8] = (8 * MESSAGE_BYTES as u64).to_be_bytes();
    const BITS_AT: usize = 2 * BLOCK_BYTES - 8;
    // Every inner node is two blocks, the second of them padding but for its first byte.
    let mut message = [0; 2 * BLOCK_BYTES];
    message[..1].copy_from_slice(&NODE_PREFIX);
    message[1..=HASH_BYTES].copy_from_slice(&left.0);
    message[1 + HASH_BYTES..MESSAGE_BYTES].copy_from_slice(&right.0);
    message[MESSAGE_BYTES] = PADDING_MARK;
    message[BITS_AT..].copy_from_slice(&BITS);
    sha256_of_padded(message.as_chunks().0)
}

/// SHA-256 of a message that is padded already.
fn sha256_of_padded(blocks: &[[u8; BLOCK_BYTES]]) -> Hash {
    let mut state = INITIAL_STATE;
    compress256(&mut state, blocks);
    let mut hash = [0; HASH_BYTES];
    for (place, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    Hash(hash)
}

/// `SHA-256("")`: the root of the tree without leaves (RFC 9162 §2.1.1).
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{Hash, empty_root, leaf_hash, leaf_hash_of, node_hash};
    use sha2::{Digest as _, Sha256};

    /// Whatever its length and wherever it is cut, a leaf has the hash that SHA-256 has by itself.
    #[test]
    fn a_leaf_in_parts_is_the_same_leaf() {
        let data: [u8; 600] = core::array::from_fn(|n| u8::try_from(n % 251).unwrap());
        for len in 0..=data.len() {
            let whole = &data[..len];
            let expected = Sha256::new_with_prefix([0]).chain_update(whole).finalize();
            assert_eq!(leaf_hash(whole).0, expected[..], "{len} bytes");
            for cut in [0, 1, 16, len / 2, len] {
                let (head, tail) = whole.split_at(cut.min(len));
                assert_eq!(leaf_hash_of(&[head, tail]).0, expected[..], "{len}, {cut}");
            }
        }
        assert_eq!(leaf_hash_of(&[]), leaf_hash(&[]));
    }

    #[test]
    fn a_node_is_sha_256_of_its_prefix_and_its_children() {
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let hasher = Sha256::new_with_prefix([1]).chain_update(left.0);
        let expected = hasher.chain_update(right.0).finalize();
        assert_eq!(node_hash(&left, &right).0, expected[..]);
    }

    #[test]
    fn text_forms() {
        let root = empty_root();
        assert_eq!(
            format!("{root}"),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert!(format!("{root:?}").starts_with("e3b0c44298fc1c14"));
        assert_eq!(Hash::from_base64(&format!("{root}")), Some(root));
        assert_eq!(Hash::from_base64("AAAA"), None);
    }
}
