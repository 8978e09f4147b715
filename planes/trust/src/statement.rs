//! What may be signed: a closed list of typed statements, each with its own form of text.

use alloc::string::String;
use proof::Hash;

/// Something the node may be asked to sign.
///
/// Every kind of statement has a text form that no other kind can have: that is what separates their
/// domains. A checkpoint is a note text of exactly three lines, the first of them this log's origin
/// (C2SP tlog-checkpoint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The log had this root at this size.
    Checkpoint {
        /// The origin line, with its generation.
        origin: String,
        /// Size of the tree.
        size: u64,
        /// Its root.
        root: Hash,
    },
}

impl Statement {
    /// What a signature on it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Checkpoint { .. } => Purpose::Checkpoint,
        }
    }
}

/// What keys are used for (A6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To sign a tree head.
    Checkpoint,
    /// To attest a counter over a tree head.
    Binding,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: &'static [Self] = &[Self::Checkpoint, Self::Binding];

    /// The word that people and programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Binding => "binding",
        }
    }
}

/// A text that the engine has checked and wants signed. Nothing outside this crate can make one.
#[derive(Debug)]
pub struct Signable {
    text: String,
    purpose: Purpose,
}

impl Signable {
    pub(crate) const fn new(text: String, purpose: Purpose) -> Self {
        Self { text, purpose }
    }

    /// The text, byte for byte what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the signature is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
}
