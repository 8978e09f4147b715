//! The keys of a log change: what the old ones state of the new ones, and both sign.

use crate::limits::{ROTATION_ACTOR_BYTES_MAX, ROTATION_BYTES_MAX, ROTATION_REASON_BYTES_MAX};
use crate::origin::BaseOrigin;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;
use evidence::{Actor, Generation};
use proof::Hash;
use proof::note::{Algorithm, Note, VerifierKey};

const TITLE: &str = "fieldnotary rotation v1";

/// Keys that follow others in the same log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The log's base origin.
    pub base: BaseOrigin,
    /// The generation in which they changed.
    pub generation: Generation,
    /// Size of the newest head of that generation that the old keys signed; 0 where they signed none.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The keys of before under the base origin, the authority first.
    pub old: [VerifierKey; 2],
    /// Those that sign from then on.
    pub new: [VerifierKey; 2],
    /// Who ordered it.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// Why a statement changes no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationFault {
    /// It is no signed note.
    NoNote,
    /// It is a note of something else.
    OtherText,
    /// One of the four keys did not sign it, or somebody else did.
    Signature,
}

impl fmt::Display for RotationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoNote => "it is no signed note",
            Self::OtherText => "it does not say that keys change",
            Self::Signature => {
                "it is not signed by the two old and the two new keys and them alone"
            }
        })
    }
}

impl core::error::Error for RotationFault {}

impl Rotation {
    /// The text that the four keys sign. What breaks its lines could say something else than was said: it becomes a space.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |text: &str| text.replace(char::is_control, " ");
        let [old, old_beside] = &self.old;
        let [new, new_beside] = &self.new;
        format!(
            "{TITLE}\n{}/g{}\n{} {}\nold {old}\nold {old_beside}\nnew {new}\nnew {new_beside}\nby {}\nreason {}\n",
            self.base,
            self.generation,
            self.size,
            self.root,
            line(self.by.as_str()),
            line(&self.reason)
        )
    }

    /// Reads a statement, and demands the signatures of all four keys. Whose keys they are it does not say.
    ///
    /// # Errors
    /// Why it changes no keys.
    pub fn read(note: &[u8]) -> Result<Self, RotationFault> {
        if note.len() > ROTATION_BYTES_MAX {
            return Err(RotationFault::NoNote);
        }
        let parsed = Note::parse(note).map_err(|_| RotationFault::NoNote)?;
        let rotation = Self::parse(parsed.text()).ok_or(RotationFault::OtherText)?;
        let keys = rotation.keys();
        let verified = parsed.verify(&keys).map_err(|_| RotationFault::Signature)?;
        let all = (0..keys.len()).all(|place| verified.has_key(place));
        match all && verified.unknown_lines == 0 {
            true => Ok(rotation),
            false => Err(RotationFault::Signature),
        }
    }

    /// How the name of a file with a statement begins.
    pub const FILE_PREFIX: &str = "rotation-";

    /// Before the name of a file of keys that are to follow, until that is stated: what it holds is as secret as the file of that
    /// name.
    pub const DRAFT_PREFIX: &str = "next-";

    /// Name of the file that keeps the statement of this number, counted from 1, wherever statements of a log lie.
    #[must_use]
    pub fn file(number: usize) -> String {
        format!("{}{number:03}.note", Self::FILE_PREFIX)
    }

    /// The origin of the generation in which the keys changed.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base.of(self.generation)
    }

    /// All four keys, the old ones first.
    #[must_use]
    pub fn keys(&self) -> [VerifierKey; 4] {
        let ([a, b], [c, d]) = (self.old.clone(), self.new.clone());
        [a, b, c, d]
    }

    /// Whether these keys follow those of another rotation.
    #[must_use]
    pub fn follows(&self, before: &[VerifierKey; 2]) -> bool {
        let mut both = self.old.iter().zip(before);
        both.all(|(one, other)| one.is_same_key(other))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == TITLE).then_some(())?;
        let origin = lines.next()?;
        let (base, _) = origin.rsplit_once("/g")?;
        let base = BaseOrigin::new(base).ok()?;
        let generation = base.generation(origin).ok()?;
        let (size, root) = lines.next()?.split_once(' ')?;
        let mut key = |which: &str, algorithm: Algorithm| -> Option<VerifierKey> {
            let key: VerifierKey = lines.next()?.strip_prefix(which)?.parse().ok()?;
            (key.name() == base.as_str() && key.algorithm() == algorithm).then_some(key)
        };
        let old = [
            key("old ", Algorithm::EcdsaP256)?,
            key("old ", Algorithm::Ed25519)?,
        ];
        let new = [
            key("new ", Algorithm::EcdsaP256)?,
            key("new ", Algorithm::Ed25519)?,
        ];
        let read = Self {
            generation,
            size: size.parse().ok()?,
            root: Hash::from_base64(root)?,
            old,
            new,
            by: Actor::stated(lines.next()?.strip_prefix("by ")?)?,
            reason: lines.next()?.strip_prefix("reason ")?.to_string(),
            base,
        };
        let changed = read
            .old
            .iter()
            .zip(&read.new)
            .all(|(old, new)| !old.has_same_secret(new));
        let bounded = read.reason.len() <= ROTATION_REASON_BYTES_MAX
            && read.by.as_str().len() <= ROTATION_ACTOR_BYTES_MAX;
        (changed && bounded && read.text() == text).then_some(read)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Rotation, RotationFault};
    use crate::origin::BaseOrigin;
    use evidence::{Actor, Generation};
    use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};
    use proof::{Checkpoint, Hash};
    use proptest::prelude::*;
    use std::string::{String, ToString as _};
    use std::vec::Vec;

    const BASE: &str = "example.org/s";

    fn secrets(seed: u8) -> (p256::ecdsa::SigningKey, ed25519_dalek::SigningKey) {
        let p256 = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        (p256, ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))
    }

    pub(crate) fn keys(seed: u8) -> [VerifierKey; 2] {
        let (p256, ed25519) = secrets(seed);
        let public = ed25519.verifying_key();
        [
            VerifierKey::p256(BASE, &p256_spki(p256.verifying_key())).unwrap(),
            VerifierKey::ed25519(BASE, public.as_bytes(), Algorithm::Ed25519).unwrap(),
        ]
    }

    pub(crate) fn rotation(old: u8, new: u8) -> Rotation {
        Rotation {
            base: BaseOrigin::new(BASE).unwrap(),
            generation: Generation(2),
            size: 70,
            root: Hash([4; 32]),
            old: keys(old),
            new: keys(new),
            by: Actor::local("ada", 7),
            reason: "yearly".into(),
        }
    }

    /// Signed by the keys of these seeds: in pairs, the authority's first.
    fn signed(text: String, p256: &[u8], ed25519: &[u8]) -> Vec<u8> {
        let mut note = Note::new(text.clone()).unwrap();
        for seed in p256 {
            note.add(sign_p256(BASE, &secrets(*seed).0, &text).unwrap())
                .unwrap();
        }
        for seed in ed25519 {
            note.add(sign_ed25519(BASE, &secrets(*seed).1, &text).unwrap())
                .unwrap();
        }
        note.to_bytes()
    }

    //= R8.2
    #[test]
    fn a_rotation_needs_both_old_and_both_new_keys_and_nobody_else() {
        let stated = rotation(1, 2);
        let text = stated.text();
        let note = signed(text.clone(), &[1, 2], &[1, 2]);
        assert_eq!(Rotation::read(&note), Ok(stated.clone()));
        assert!(stated.follows(&keys(1)) && !stated.follows(&keys(2)));
        for (p256, ed25519) in [
            (&[1, 2][..], &[1][..]),
            (&[1, 2], &[2]),
            (&[1], &[1, 2]),
            (&[2], &[1, 2]),
            (&[1, 2, 3], &[1, 2]),
            (&[2], &[2]),
            (&[1], &[1]),
        ] {
            let note = signed(text.clone(), p256, ed25519);
            let read = Rotation::read(&note);
            assert_eq!(read, Err(RotationFault::Signature), "{p256:?} {ed25519:?}");
        }
        for at in 0..note.len() {
            let mut changed = note.clone();
            changed[at] ^= 1;
            assert!(Rotation::read(&changed).is_err(), "{at}");
        }
    }

    /// A sound statement with the seeds of its keys and what it says.
    fn sound() -> impl Strategy<Value = (Rotation, Vec<u8>)> {
        let seeds = (1_u8..30, 1_u8..30).prop_filter("new keys", |(old, new)| old != new);
        let words = ("[^\\p{Cc}]{1,40}", "\\PC{1,60}");
        (seeds, 1_u64.., any::<u64>(), any::<[u8; 32]>(), words).prop_map(
            |((old, new), generation, size, root, (by, reason))| {
                let stated = Rotation {
                    generation: Generation(generation),
                    size,
                    root: Hash(root),
                    by: Actor::local(&by, 7),
                    reason,
                    ..rotation(old, new)
                };
                let note = signed(stated.text(), &[old, new], &[old, new]);
                (stated, note)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What comes from a peer or a file is bytes: they say nothing, or exactly what four keys signed.
        //= R8.2
        #[test]
        fn whatever_is_read_as_a_rotation_is_what_its_four_keys_signed(
            (stated, note) in sound(),
            harm in (any::<prop::sample::Index>(), any::<u8>(), 0_u8..4),
        ) {
            prop_assert_eq!(Rotation::read(&note), Ok(stated.clone()));
            let (place, byte, what) = harm;
            let at = place.index(note.len());
            let mut harmed = note.clone();
            match what {
                0 => harmed[at] = byte,
                1 => harmed.insert(at, byte),
                2 => harmed.truncate(at),
                _ => {
                    harmed.remove(at);
                }
            }
            match Rotation::read(&harmed) {
                Ok(read) => {
                    // Of whom it says who signed, that one signed this very text.
                    prop_assert_eq!(&read, &stated);
                    let parsed = Note::parse(&harmed).unwrap();
                    prop_assert_eq!(parsed.text(), stated.text());
                }
                Err(_) => prop_assert_ne!(harmed, note),
            }
        }

        #[test]
        fn no_bytes_stop_who_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(Rotation::read(&bytes).is_err());
            let title = [super::TITLE.as_bytes(), b"\n", &bytes].concat();
            prop_assert!(Rotation::read(&title).is_err());
        }
    }

    #[test]
    fn what_is_not_exactly_a_rotation_is_none() {
        let text = rotation(1, 2).text();
        // No title of another statement, and no checkpoint.
        assert!(Checkpoint::parse(&text).is_err());
        let half = {
            let mut one = rotation(1, 2);
            one.new[1] = one.old[1].clone();
            one.text()
        };
        let long = {
            let mut one = rotation(1, 2);
            one.reason = "x".repeat(super::ROTATION_REASON_BYTES_MAX + 1);
            one.text()
        };
        for other in [
            text.replace("70 ", "070 "),
            text.replace("rotation v1", "rotation v2"),
            text.replace("/g2\n", "/gx\n"),
            text.replace("/g2\n", "\n"),
            text.replace("\nby ", "\nof "),
            text.replace("\nby ada (uid 7)\n", "\nby \n"),
            std::format!("{text}more\n"),
            rotation(1, 1).text(),
            half,
            long,
        ] {
            let note = signed(other.clone(), &[1, 2], &[1, 2]);
            assert_eq!(
                Rotation::read(&note),
                Err(RotationFault::OtherText),
                "{other}"
            );
        }
        let mut forged = rotation(1, 2);
        forged.reason = "x\nold y".to_string();
        let note = signed(forged.text(), &[1, 2], &[1, 2]);
        let read = Rotation::read(&note).unwrap();
        assert_eq!((read.old, read.reason.as_str()), (keys(1), "x old y"));
    }
}
