//! Verification: every committed byte, every hash, every signature, and what is not covered.
//!
//! The same check runs over a node's journal and over a collector's tiles: both hand it leaves, holes
//! and claims in the order of the log.

mod alarmed;
mod answered;
mod booted;
mod bound;
mod calibrated;
mod chain;
mod collector;
mod enrolled;
mod fills;
mod firmware;
mod harmless;
mod judge;
mod kept;
mod known;
mod node;
mod proven;
mod published;
mod ranges;
mod report;
mod retired;
mod revoked;
mod rotated;
mod rows;
mod signed_by;
mod signers;
mod stamped;
mod tiles;
mod unkept;
mod unsigned;

pub use alarmed::Alarmed;
pub use answered::{Answer, AnswerFault, Answered, verify_answer};
pub use collector::verify_collector;
pub use harmless::harmless;
pub use kept::verify_kept;
pub use known::Known;
pub use node::{verify_node, verify_node_lacking, verify_node_with};
pub use proven::{signers_of, verify_proof};
pub use published::verify_published;
pub use report::{
    BootTold, BoundTo, EnrolledBy, Finding, FindingKind, FirmwareTold, Kept, NamedBy, Report,
    RevokedBy, RotatedTo, StampedBy,
};
pub use rotated::{all_rotations_in, rotations_in, statements_beside};
pub use unkept::WhyUnkept;

use proof::SignedCheckpoint;
use proof::note::VerifierKey;
use signers::Signers;
use trust_plane::{Rotation, in_order};

/// Keys that speak for the log, and whether they were pinned by whoever asks.
#[derive(Clone, Debug)]
pub struct Anchors {
    keys: Vec<VerifierKey>,
    beside: Vec<VerifierKey>,
    pinned: bool,
    known: Vec<Known>,
    rotations: Vec<Rotation>,
}

impl Anchors {
    /// Keys that the caller got out of band.
    #[must_use]
    pub fn pinned(keys: Vec<VerifierKey>) -> Self {
        Self {
            keys,
            beside: Vec::new(),
            pinned: true,
            known: Vec::new(),
            rotations: Vec::new(),
        }
    }

    /// Keys found beside the log itself: good for finding damage, worthless against a forger.
    #[must_use]
    pub fn found_beside(keys: Vec<VerifierKey>) -> Self {
        Self {
            keys,
            beside: Vec::new(),
            pinned: false,
            known: Vec::new(),
            rotations: Vec::new(),
        }
    }

    /// Adds the keys found beside the log: the log signs twice, and the line of a key that nobody
    /// pinned is checked as well. They never stand in for a pinned one.
    #[must_use]
    pub fn and_beside(mut self, keys: Vec<VerifierKey>) -> Self {
        self.beside = keys;
        self
    }

    /// Adds checkpoints that the caller kept from earlier: each must be of a tree that this log grew out of.
    #[must_use]
    pub fn and_known(mut self, known: Vec<Known>) -> Self {
        self.known = known;
        self
    }

    /// Adds what keys state of those that follow them: it is followed from a key that is pinned, or found
    /// beside the log where none is, to others, forward and backward.
    #[must_use]
    pub fn and_rotations(mut self, rotations: Vec<Rotation>) -> Self {
        self.rotations.extend(rotations);
        self.rotations = in_order(self.rotations);
        self
    }

    /// Whether one of these keys signed a head of the log, or one that follows them, or that they follow.
    ///
    /// # Errors
    /// Why not.
    pub fn signed(&self, origin: &str, note: &[u8]) -> Result<(), String> {
        let signers = self.for_origin(origin);
        let opened =
            SignedCheckpoint::open(note, signers.known()).map_err(|error| error.to_string())?;
        match signers.any_linked(|place| opened.verified().has_key(place)) {
            true => Ok(()),
            false => Err("it is signed by keys to which nothing leads from these".to_owned()),
        }
    }

    /// The keys that were pinned; none where they were found beside the log.
    fn pinned_keys(&self) -> Vec<VerifierKey> {
        match self.pinned {
            true => self.keys.clone(),
            false => Vec::new(),
        }
    }

    /// The kept checkpoints of one generation.
    fn known_of(&self, origin: &str) -> Vec<Known> {
        let of_it = |known: &&Known| known.head().origin == origin;
        self.known.iter().filter(of_it).cloned().collect()
    }

    /// The keys as they sign for one generation of the log.
    ///
    /// A node's keys are one per node, their names one per generation: `ORIGIN/gN`.
    fn for_origin(&self, origin: &str) -> Signers {
        let named = |keys: &[VerifierKey]| {
            keys.iter()
                .filter_map(|key| named_for(key, origin))
                .collect()
        };
        let mut signers = Signers::new(named(&self.keys), named(&self.beside));
        signers.rotate_all(origin, &self.rotations);
        signers.anchored()
    }

    /// Why nothing signed by a log can be checked, and with which key it could be.
    fn none_for(&self, origin: &str) -> String {
        let mut names: Vec<&str> = self.keys.iter().map(VerifierKey::name).collect();
        names.dedup();
        match (self.pinned, names.is_empty()) {
            (true, false) => format!(
                "the key you pinned is of {}, this log is {origin}: pin a line of this log's own \
                 identity/keys.vkey, from where you kept it",
                names.join(", ")
            ),
            _ => format!("no key is known for {origin}: its checkpoints cannot be checked"),
        }
    }
}

/// A key as it signs for one generation of a log: its own name, or that name and `/gN`.
#[must_use]
pub fn named_for(key: &VerifierKey, origin: &str) -> Option<VerifierKey> {
    if key.name() == origin {
        return Some(key.clone());
    }
    let generation = origin.strip_prefix(key.name())?.strip_prefix("/g")?;
    generation.parse::<u64>().ok()?;
    key.under_name(origin).ok()
}
