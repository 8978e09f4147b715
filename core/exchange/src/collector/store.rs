//! What the mirror needs from durable storage, effect by effect.

use alloc::string::String;
use alloc::vec::Vec;
use evidence::CommitId;
use proof::{CompactRange, Hash};

use crate::body::RunPackage;
use crate::hole::Hole;
use crate::node::{Head, Sealed};

/// What is mirrored: contents stored, head moved, cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The head, as the log signed it.
    pub sealed: Sealed,
    /// The cosignature lines that were answered; `None` between moving the head and cosigning it.
    pub cosignature: Option<String>,
}

/// How sure two signed checkpoints are a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkKind {
    /// Same size, other root: the two signatures alone prove it.
    SameSize,
    /// The smaller is no prefix of the larger: its root is not the one that the stored entries build.
    NoPrefix,
    /// A larger head came with a proof that does not hold: a suspicion, not a proof.
    Unproven,
}

impl ForkKind {
    /// The word in the conflicts file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameSize => "same_size",
            Self::NoPrefix => "no_prefix",
            Self::Unproven => "unproven",
        }
    }
}

/// Two signed checkpoints of one origin that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// How sure.
    pub kind: ForkKind,
    /// The note held before.
    pub held: String,
    /// The note offered.
    pub offered: String,
    /// What was wrong, for a person.
    pub detail: String,
    /// Whether its node believes it to be the newest, and larger ones were taken.
    pub behind: bool,
}

/// How a head contradicts no other, and should not have been offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Its node believes it to be the newest, and larger ones were taken: an older image of its disk, or a log that was cut.
    Behind,
    /// A newer generation is mirrored, and this one would go on: another copy of its disk, or an older one.
    Superseded,
}

/// A head of a log that was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleHead {
    /// In what way.
    pub stale: Stale,
    /// Its size.
    pub size: u64,
    /// Size of the newest head taken.
    pub held: u64,
}

/// A package that failed verification (A4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// First entry of the package.
    pub begin: u64,
    /// Size that the upload leads to.
    pub upload_end: u64,
    /// What was wrong.
    pub detail: String,
    /// Its first bytes.
    pub bytes: Vec<u8>,
}

/// Durable storage of one mirrored log. A write that returned is durable, except where it says so.
pub trait MirrorStore {
    /// What can go wrong with it.
    type Error;

    /// The last heads taken, newest last.
    fn pending(&self) -> &[Sealed];

    /// What is mirrored.
    fn mirrored(&self) -> Option<&Mirrored>;

    /// First entry that is not stored.
    fn next_entry(&self) -> u64;

    /// Hashes of `[begin, end)`, which lies within one run of 256 that begins at `begin`; `None`
    /// where they are not all known, as inside the one hash of a wide hole.
    ///
    /// # Errors
    /// When storage fails.
    fn stored_range(&self, begin: u64, end: u64) -> Result<Option<CompactRange>, Self::Error>;

    /// The root that the stored entries and holes build at a size; `None` where they do not say.
    ///
    /// # Errors
    /// When storage fails.
    fn root_at(&self, size: u64) -> Result<Option<Hash>, Self::Error>;

    /// Holes that no LOSS entry names yet.
    fn unnamed_holes(&self) -> Vec<Hole>;

    /// Shows every stored leaf of `[begin, end)` in order.
    ///
    /// # Errors
    /// When storage fails.
    fn leaves(
        &self,
        begin: u64,
        end: u64,
        visit: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(), Self::Error>;

    /// Takes a head.
    ///
    /// # Errors
    /// When storage fails.
    fn put_pending(&mut self, sealed: Sealed) -> Result<(), Self::Error>;

    /// Saves a verified package that begins at or before the next entry. What is stored already
    /// stays; an entry fills a hole. Durable after [`Self::sync`].
    ///
    /// # Errors
    /// When storage fails.
    fn save(&mut self, package: &RunPackage<'_>) -> Result<(), Self::Error>;

    /// Makes all that was saved durable, and then the next entry.
    ///
    /// # Errors
    /// When storage fails.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// Completes tiles and rows up to the head, then moves (size, root) if it still is `expected`:
    /// `false` where it is not.
    ///
    /// # Errors
    /// When storage fails.
    fn commit(
        &mut self,
        expected: Option<Head>,
        sealed: &Sealed,
        named: &[(Hole, CommitId)],
    ) -> Result<bool, Self::Error>;

    /// Keeps the cosignature of the mirrored head.
    ///
    /// # Errors
    /// When storage fails.
    fn put_cosignature(&mut self, lines: &str) -> Result<(), Self::Error>;

    /// Keeps evidence of a fork; once per offered note.
    ///
    /// # Errors
    /// When storage fails.
    fn keep_fork(&mut self, fork: &Fork) -> Result<(), Self::Error>;

    /// Notes a head of a log that was left behind.
    ///
    /// # Errors
    /// When storage fails.
    fn keep_stale(&mut self, head: StaleHead) -> Result<(), Self::Error>;

    /// Keeps a sample of a failed package, within bounds.
    ///
    /// # Errors
    /// When storage fails.
    fn keep_sample(&mut self, sample: &Sample) -> Result<(), Self::Error>;
}
