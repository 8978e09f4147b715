//! The engines, each in its strictest durable mode.

pub(crate) mod fjall;
pub(crate) mod lmdb;
pub(crate) mod okaywal;
pub(crate) mod ours;
pub(crate) mod planted;
pub(crate) mod raft;
pub(crate) mod redb;
pub(crate) mod sqlite;

use crate::engine::Failed;

/// A key as the ordered stores keep it: eight bytes, the first counts most.
fn key_of(bytes: &[u8]) -> Result<u64, Failed> {
    let bytes = bytes.try_into();
    bytes
        .map(u64::from_be_bytes)
        .map_err(|_| Failed("a key of another length than was written".into()))
}
