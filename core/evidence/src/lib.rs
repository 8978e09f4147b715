//! The words of field evidence: what an entry may say, how it is written down, and what its leaf is.
//!
//! This crate owns the one declared table of entry kinds ([`kinds`]), the identifiers, quality and
//! time status, the reason codes, the deterministic CBOR encoding and the salted leaf. It knows no
//! disk, wire, clock or key.
//!
//! An entry is the CBOR array `[header, stamp, capture bytes, record CRC]`. The capture bytes are
//! made once, where the observation is made, and are never encoded again: the record CRC written
//! there still holds in a journal frame, in a batch, in a tile and in an auditor's bundle.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod actor;
pub mod cbor;
mod cddl;
mod codes;
mod decimal;
mod entry;
mod field;
pub mod foreign;
pub mod frozen;
pub mod given;
mod ids;
pub mod kinds;
pub mod limits;
mod priority;
mod quality;
pub mod reasons;
mod salt;
mod shown;
mod time;
mod time_maps;

pub use actor::{Actor, ActorFault};
pub use cddl::{cddl, kinds_table};
pub use decimal::{Decimal, DecimalError};
pub use entry::{Captured, Entry, EntryError, EntryRef, Header, append_entry, encode_entry};
pub use field::{Blob, Field};
pub use ids::{
    BootId, CommitId, Digest, EntryId, Epoch, Generation, IdError, LogId, MeterId, PointId,
    ScheduleId, Seq, Slot, SourceId, Stream,
};
pub use kinds::{Kind, Payload};
pub use priority::Priority;
pub use quality::Quality;
pub use salt::{SaltKey, Salts, leaf_data, split_leaf};
pub use shown::Shown;
pub use time::{MonoNs, Stamp, TimeDetail, UtcNs};
pub use time_maps::TimeMaps;
