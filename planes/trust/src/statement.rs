//! What may be signed: a closed list of typed statements, each with its own form of text.

use alloc::format;
use alloc::string::String;
use proof::Hash;
use sha2::{Digest as _, Sha256};

/// Something the node may be asked to sign.
///
/// Every kind of statement has a text form that no other kind can have: that is what separates their
/// domains. A checkpoint is a note text of exactly three lines, the first of them this log's origin
/// (C2SP tlog-checkpoint), which has no space in it. Every other begins with a title that has.
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

/// A statement that takes nothing back and rules nothing out, so that nothing has to be remembered of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim<'a> {
    /// What was booted, as the bytes that say so.
    Boot(&'a [u8]),
    /// Who asks has put this in, so that the answer cannot be an older one.
    Attestation(&'a [u8]),
    /// The highest security version of the firmware that was seen; it is bound to a counter and not signed by itself.
    Firmware(u64),
}

impl Claim<'_> {
    /// What a signature on it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Boot(_) => Purpose::Boot,
            Self::Attestation(_) => Purpose::Attestation,
            Self::Firmware(_) => Purpose::Firmware,
        }
    }

    /// Its text, under the origin of a generation. Digests are made here: nobody can have one of his own signed.
    #[must_use]
    pub fn text(&self, origin: &str) -> String {
        let title = format!(
            "fieldnotary {} statement v1\n{origin}\n",
            self.purpose().name()
        );
        let bytes = match self {
            Self::Boot(bytes) | Self::Attestation(bytes) => bytes,
            Self::Firmware(version) => return format!("{title}security version {version}\n"),
        };
        let digest = Hash(Sha256::digest(bytes).into());
        format!("{title}{} {digest}\n", bytes.len())
    }
}

/// What keys are used for (A6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To sign a tree head.
    Checkpoint,
    /// To attest a counter over a tree head.
    Binding,
    /// To sign what was booted.
    Boot,
    /// To answer who asks what this machine is.
    Attestation,
    /// To name the keys that follow.
    Rotation,
    /// To attest the counter of firmware versions.
    Firmware,
}

impl Purpose {
    /// Every purpose, in the order in which they are declared.
    pub const ALL: &'static [Self] = &[
        Self::Checkpoint,
        Self::Binding,
        Self::Boot,
        Self::Attestation,
        Self::Rotation,
        Self::Firmware,
    ];

    /// The word that people and programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Binding => "binding",
            Self::Boot => "boot",
            Self::Attestation => "attestation",
            Self::Rotation => "rotation",
            Self::Firmware => "firmware",
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

#[cfg(test)]
mod tests {
    use super::{Claim, Purpose};
    use crate::origin::BaseOrigin;
    use proof::Checkpoint;
    use std::collections::BTreeSet;
    use std::string::String;

    const ORIGIN: &str = "example.org/s/g1";

    fn claims(bytes: &[u8]) -> [Claim<'_>; 3] {
        [
            Claim::Boot(bytes),
            Claim::Attestation(bytes),
            Claim::Firmware(7),
        ]
    }

    //= A6.3
    #[test]
    fn no_text_of_one_kind_is_one_of_another() {
        let texts: BTreeSet<String> = claims(b"same")
            .iter()
            .map(|claim| claim.text(ORIGIN))
            .collect();
        assert_eq!(texts.len(), 3);
        for text in &texts {
            // A checkpoint begins with an origin of this log, and no title is one.
            let title = text.lines().next().unwrap();
            assert!(BaseOrigin::new(title).is_err(), "{title}");
            assert!(Checkpoint::parse(text).is_err(), "{text}");
        }
        for claim in claims(b"x") {
            let title = std::format!("fieldnotary {} statement v1\n", claim.purpose().name());
            let of = |text: &&String| text.starts_with(&title);
            assert_eq!(texts.iter().filter(of).count(), 1);
        }
    }

    /// As anybody makes it with sha256sum: what is signed is a digest of the bytes, made here.
    //= A6.3
    #[test]
    fn bytes_are_signed_by_their_length_and_digest() {
        let text = Claim::Boot(b"abc").text(ORIGIN);
        assert_eq!(
            text,
            "fieldnotary boot statement v1\nexample.org/s/g1\n3 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\n"
        );
        assert_ne!(text, Claim::Boot(b"abd").text(ORIGIN));
    }

    #[test]
    fn purposes_stand_in_their_order() {
        for (place, purpose) in Purpose::ALL.iter().enumerate() {
            assert_eq!(*purpose as usize, place);
        }
    }
}
