//! What names a batch: origin, the two sizes and the root, so that every retry is the same batch.

use core::fmt;
use proof::Hash;
use sha2::{Digest as _, Sha256};

/// Request header that carries the batch's name beside every request that serves it.
pub const BATCH_HEADER: &str = "Fieldnotary-Batch";

/// SHA-256 of the text `fieldnotary-batch-v1`, origin, from, to and root (base64), a line each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub [u8; 32]);

impl BatchId {
    /// The name of the batch by which a log grew from one size to another.
    #[must_use]
    pub fn of(origin: &str, from: u64, to: u64, root: &Hash) -> Self {
        let text = alloc::format!("fieldnotary-batch-v1\n{origin}\n{from}\n{to}\n{root}\n");
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchId({self})")
    }
}

/// "The log grew from size `from` to size `to`, whose root is `root`" (A4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// Size that was cosigned before.
    pub from: u64,
    /// Size that is to be cosigned.
    pub to: u64,
    /// Root at `to`: the batch hash, as it commits to every entry and its place.
    pub root: Hash,
}

impl Batch {
    /// A batch with its name.
    #[must_use]
    pub fn new(origin: &str, from: u64, to: u64, root: Hash) -> Self {
        Self {
            id: BatchId::of(origin, from, to, &root),
            from,
            to,
            root,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BatchId;
    use proof::Hash;
    use std::string::ToString as _;

    //= A4.7
    #[test]
    fn the_name_follows_from_what_the_batch_is() {
        let root = Hash([0; 32]);
        let id = BatchId::of("example.org/n/g1", 4, 9, &root);
        assert_eq!(id, BatchId::of("example.org/n/g1", 4, 9, &root));
        assert_ne!(id, BatchId::of("example.org/n/g2", 4, 9, &root));
        assert_ne!(id, BatchId::of("example.org/n/g1", 5, 9, &root));
        assert_ne!(id, BatchId::of("example.org/n/g1", 4, 8, &root));
        assert_ne!(id, BatchId::of("example.org/n/g1", 4, 9, &Hash([1; 32])));
        assert_eq!(id.to_string().len(), 64);
    }
}
