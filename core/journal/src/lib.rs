//! The journal: append, durable, acknowledge; truth store, recovery, reader.
//!
//! A [`Journal`] writes group commits as frames into a ring of recycled segments (a [`Volume`]) and
//! then advances the truth store (a [`TruthMedium`]); only what both hold is acknowledged. A
//! [`Reader`] needs no lock, never passes the committed end, and names what is damaged instead of
//! failing. [`Salvage`] reads what a [`Reader`] refuses, and [`image`] shows the bytes as they lie.
//! The bytes are described in `spec/journal-v1.md`; what recovery does with them is the table in
//! [`decide`].
//!
//! The crate knows no file, clock or random source: media are traits, salt keys are inputs.
//!
//! # Use
//!
//! The crates are not on a registry; a checkout serves. The short names are those of the code here:
//!
//! ```toml
//! [dependencies]
//! evidence = { package = "fieldnotary-evidence", path = "fieldnotary/core/evidence" }
//! journal = { package = "fieldnotary-journal", path = "fieldnotary/core/journal" }
//! media = { package = "fieldnotary-media", path = "fieldnotary/host/media" }
//! ```
//!
//! | to | call |
//! | --- | --- |
//! | begin a log on blank media | [`Journal::create`]; over a log it writes nothing and says [`OpenError::Occupied`] |
//! | go on after whatever happened | [`Journal::open`], and look at its [`Recovery`] |
//! | commit a group, durable when it returns | [`Journal::commit`], split by [`Journal::fitting`] |
//! | go on after a write that failed | [`Journal::begin_epoch_after_failure`] |
//! | let old entries go | [`Journal::note_cosigned`], or [`Journal::permit_pruning`] by name |
//! | keep what is rare of them | [`keep::KeepRing`], then [`Journal::note_kept`] |
//! | say up to where a checkpoint is signed | [`Journal::note_sealed`], once it is |
//! | read, prove, look for damage | [`Reader`]: [`entries`](Reader::entries), [`proof_source`](Reader::proof_source), [`scrub`](Reader::scrub) |
//! | get what is left out of a damaged image | [`Salvage`], [`image`] |
//!
//! What is the caller's:
//!
//! - **One writer.** Nothing here looks whether another writes the same media: two of them destroy the log. On Linux
//!   `WriterLock` of `host/media` is taken before [`Journal::create`] or [`Journal::open`] and kept as long as the
//!   journal.
//! - **The measures.** Media are opened with the [`Shape`] that they were made with, and another one is refused
//!   ([`OpenError::ShapeMismatch`]). A node keeps it in `ring.json` beside the segments, where the tools read it too:
//!   `{"segment_bytes":65536,"segments":4,"block_bytes":4096}`.
//! - **Room.** With [`Options::retain_uncosigned`], which is the default, a full ring refuses
//!   ([`CommitError::RingFull`]) until somebody has the oldest entries or gives them up. Without it they leave as new
//!   ones come.
//!
//! `host/media` has the media of Linux; its example `first_log` is a whole program.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bytes;
pub mod decide;
mod displaced;
mod error;
mod find;
mod frame;
pub mod image;
pub mod keep;
mod layout;
mod leases;
pub mod limits;
mod medium;
mod reader;
mod recovery;
mod ring;
mod salvage;
mod segment;
mod truth;
mod walk;
mod writer;

pub use displaced::Displaced;
pub use error::{CommitError, OpenError, RangeError};
pub use find::{Finding, Loss, TruthHealth};
pub use frame::{EntryBytes, StoredEntry, frame_bytes};
pub use leases::{LeaseError, Leases};
pub use medium::{MediumError, MediumFault, ReadTruth, ReadVolume, Shape, TruthMedium, Volume};
pub use reader::{Claimed, Entries, Frames, Reader, ReaderFrame, Scrub};
pub use recovery::{OpenInput, Recovery, Uncertain};
pub use ring::Location;
pub use salvage::{Masked, NothingHere, Salvage, Salvaged};
pub use truth::{TruthClaim, truth_claim, truth_owner};
pub use walk::{FrameAt, FrameReader, ReadAhead, ReadFrame};
pub use writer::{Committed, Journal, Options, Stats};

#[cfg(test)]
mod checks;
