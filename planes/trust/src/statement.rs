//! What may be signed: a closed list of typed statements, each with its own form of text.

use alloc::format;
use alloc::string::String;
use proof::Hash;
use proof::note::is_key_name;
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
    /// What the signer says of itself and of its store, with a number of whoever asks in front.
    Description(&'a [u8]),
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
            Self::Description(_) => Purpose::Description,
            Self::Firmware(_) => Purpose::Firmware,
        }
    }

    /// Its text, under the origin of a generation. Digests are made here: nobody can have one of his own signed.
    #[must_use]
    pub fn text(&self, origin: &str) -> String {
        let purpose = self.purpose();
        match self {
            Self::Boot(bytes) | Self::Attestation(bytes) | Self::Description(bytes) => {
                let stated = Stated {
                    purpose,
                    origin,
                    bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                    digest: Hash(Sha256::digest(bytes).into()),
                };
                stated.text()
            }
            Self::Firmware(version) => {
                format!("{}security version {version}\n", head(purpose, origin))
            }
        }
    }
}

/// Title and origin of a claim.
fn head(purpose: Purpose, origin: &str) -> String {
    format!("{TITLE_BEGINS}{}{TITLE_ENDS}\n{origin}\n", purpose.name())
}

/// What stands around the purpose in the title of a claim.
const TITLE_BEGINS: &str = "fieldnotary ";
const TITLE_ENDS: &str = " statement v1";

/// What the text of a claim over bytes says, for whoever has the text alone. Who signed it is asked apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated<'a> {
    /// What a signature on it is for.
    pub purpose: Purpose,
    /// The log, with its generation.
    pub origin: &'a str,
    /// How many bytes were stated.
    pub bytes: u64,
    /// Their SHA-256.
    pub digest: Hash,
}

impl<'a> Stated<'a> {
    /// Reads it; `None` for every other text.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.lines();
        let title = lines.next()?.strip_prefix(TITLE_BEGINS)?;
        let title = title.strip_suffix(TITLE_ENDS)?;
        let over_bytes = [Purpose::Boot, Purpose::Attestation, Purpose::Description];
        let purpose = over_bytes.into_iter().find(|one| one.name() == title)?;
        let origin = lines.next().filter(|origin| is_key_name(origin))?;
        let (bytes, digest) = lines.next()?.split_once(' ')?;
        let stated = Self {
            purpose,
            origin,
            bytes: bytes.parse().ok()?,
            digest: Hash::from_base64(digest)?,
        };
        // One text for each: nothing stands behind it, and no number is written in two ways.
        (stated.text() == text).then_some(stated)
    }

    fn text(&self) -> String {
        let head = head(self.purpose, self.origin);
        format!("{head}{} {}\n", self.bytes, self.digest)
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
    /// To sign what the signer says of itself.
    Description,
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
        Self::Description,
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
            Self::Description => "description",
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
    use super::{Claim, Purpose, Stated};
    use crate::origin::BaseOrigin;
    use proof::Checkpoint;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::string::String;

    const ORIGIN: &str = "example.org/s/g1";

    fn claims(bytes: &[u8]) -> [Claim<'_>; 4] {
        [
            Claim::Boot(bytes),
            Claim::Attestation(bytes),
            Claim::Description(bytes),
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
        assert_eq!(texts.len(), 4);
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

    /// A text says what was claimed, and no other text says it: nothing behind it, no number with a sign or zeros before it.
    //= A6.3
    #[test]
    fn the_text_of_a_claim_over_bytes_is_read_and_no_other() {
        let [boot, asked, description, firmware] = claims(b"abc").map(|claim| claim.text(ORIGIN));
        for (text, purpose) in [
            (&boot, Purpose::Boot),
            (&asked, Purpose::Attestation),
            (&description, Purpose::Description),
        ] {
            let stated = Stated::read(text).unwrap();
            assert_eq!(
                (stated.purpose, stated.origin, stated.bytes),
                (purpose, ORIGIN, 3)
            );
            assert_eq!(stated.text(), *text);
        }
        assert_eq!(Stated::read(&firmware), None);
        for (one, other) in [
            ("attestation", "rotation"),
            ("attestation", "checkpoint"),
            ("v1", "v2"),
            (ORIGIN, "two words"),
            (ORIGIN, ""),
            ("3 ", "03 "),
            ("3 ", "+3 "),
            ("3 ", "3  "),
            ("=\n", "\n"),
            ("=\n", "=\n\n"),
            ("=\n", "=\nmore\n"),
            ("=\n", "="),
        ] {
            let changed = asked.replace(one, other);
            assert_ne!(changed, asked, "{one}");
            assert_eq!(Stated::read(&changed), None, "{changed}");
        }
        for end in 0..asked.len() {
            assert_eq!(Stated::read(&asked[..end]), None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_as_a_claim_is_its_text(
            text in "(fieldnotary (boot|attestation) statement v1\n)?[ -~\n]{0,90}",
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Some(stated) = Stated::read(&text) {
                prop_assert_eq!(stated.text(), text);
            }
            let claimed = Claim::Attestation(&bytes).text(ORIGIN);
            let stated = Stated::read(&claimed).unwrap();
            prop_assert_eq!(stated.bytes, u64::try_from(bytes.len()).unwrap());
        }
    }

    #[test]
    fn purposes_stand_in_their_order() {
        for (place, purpose) in Purpose::ALL.iter().enumerate() {
            assert_eq!(*purpose as usize, place);
        }
    }
}
