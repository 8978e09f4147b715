//! Keep-rings: what a flood of readings must not push out of the log is carried on, with its place in
//! the tree, in small rings of its own.
//!
//! Before a segment of the journal's ring is reused, its entries pass by each [`KeepRing`]. A keep
//! frame covers a stretch of the log whole: the kept entries with their bytes, and between them the
//! hashes of what was let go. So the keep frames lead, hash by hash, into the tree that the
//! checkpoints seal. See the section on keep frames in `spec/journal-v1.md`.

mod format;
mod read;
mod ring;
mod store;
mod stretch;

pub use read::{KeepFinding, KeepFrame};
pub use ring::KeepRing;
pub use store::Store;
pub use stretch::{Part, Stretch};

#[cfg(test)]
mod tests;
