//! The hashes of the tree: leaf, node, empty root (RFC 9162 §2.1.1).

use core::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::limits::HASH_BYTES;
use crate::text::base64_decode;

/// Domain separation of a leaf hash.
const LEAF_PREFIX: [u8; 1] = [0x00];
/// Domain separation of a node hash.
const NODE_PREFIX: [u8; 1] = [0x01];

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
    let mut hasher = Sha256::new_with_prefix(LEAF_PREFIX);
    parts.iter().for_each(|part| hasher.update(part));
    Hash(hasher.finalize().into())
}

/// `SHA-256(0x01 ‖ left ‖ right)`: the hash of an inner node (RFC 9162 §2.1.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new_with_prefix(NODE_PREFIX);
    hasher.update(left.0);
    hasher.update(right.0);
    Hash(hasher.finalize().into())
}

/// `SHA-256("")`: the root of the tree without leaves (RFC 9162 §2.1.1).
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{Hash, empty_root, leaf_hash, leaf_hash_of};

    #[test]
    fn a_leaf_in_parts_is_the_same_leaf() {
        let data: [u8; 150] = core::array::from_fn(|n| u8::try_from(n).unwrap());
        for cut in 0..=data.len() {
            let (head, tail) = data.split_at(cut);
            assert_eq!(
                leaf_hash_of(&[head, tail]),
                leaf_hash(&data),
                "cut at {cut}"
            );
        }
        assert_eq!(leaf_hash_of(&[]), leaf_hash(&[]));
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
