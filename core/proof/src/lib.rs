//! Merkle trees, proofs, signed notes and checkpoints: everything an outsider needs to check a log.
//!
//! The crate knows bytes and nothing else: no clock, no file, no socket, no key store. Each module follows one
//! published specification and names its clauses.
//!
//! | module | owns | specification |
//! |---|---|---|
//! | [`tree`] | hashes, frontiers, compact ranges | RFC 9162 §2.1.1 |
//! | [`source`] | where a proof builder finds the hashes it needs | – |
//! | [`inclusion`], [`consistency`] | proofs, built and verified | RFC 9162 §2.1.3, §2.1.4; subtrees of draft-ietf-plants-merkle-tree-certs §4 |
//! | [`note`] | signed text, verifier keys | C2SP signed-note |
//! | [`checkpoint`] | a tree head as a note | C2SP tlog-checkpoint |
//! | [`cosignature`] | a timestamped signature on a checkpoint | C2SP tlog-cosignature |
//! | [`offline`] | one leaf's proof as one file | C2SP tlog-proof |
//! | [`tile`] | the published form of a tree | C2SP tlog-tiles |
//! | [`wire`] | request and response bodies | C2SP tlog-witness, tlog-mirror |
//! | [`limits`] | every bound, by name | – |
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod checkpoint;
pub mod consistency;
pub mod cosignature;
pub mod inclusion;
pub mod limits;
pub mod note;
pub mod offline;
pub mod source;
mod text;
pub mod tile;
pub mod tree;
pub mod wire;

#[cfg(test)]
mod checks;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use source::{NodeSource, ProofError, RangeSource};
pub use tree::{CompactRange, Frontier, Hash, TreeError};
