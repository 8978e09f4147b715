//! What is said where a key that should have signed did not.

use super::signers::Signers;
use proof::note::{Algorithm, Note, VerifierKey};

/// What to bring along where something of a log is signed in its name by keys to which nothing leads from those that are known; nothing
/// where no line is in its name.
pub(super) fn newer_keys_words(note: &Note, origin: &str) -> &'static str {
    let mut lines = note.signatures().iter();
    match lines.any(|line| line.name() == origin) {
        true => {
            "; where newer keys of this log signed it, bring what they state of each other: --rotation FILE, each of the files \
             rotation-001.note and on of the node's identity/ or of a collector's rotations/"
        }
        false => "",
    }
}

impl Signers {
    /// That something is not signed by a key of [`Self::missing`], and what to do where a pinned key did sign it: whoever pins
    /// keys of several pairs, and of some both, has said of the others that one is enough and of these that it is not.
    pub(super) fn unsigned_words(
        &self,
        what: &str,
        key: &VerifierKey,
        signed: impl Fn(usize) -> bool,
    ) -> String {
        let words = format!("{what} is not signed by {}", said(key));
        // With as many keys of the one as of the other, nothing is missing among the pins: the signature is.
        let of = |algorithm: Algorithm| {
            let pinned = self.pinned().iter();
            pinned.filter(|key| key.algorithm() == algorithm).count()
        };
        if of(Algorithm::EcdsaP256) == of(Algorithm::Ed25519) {
            return words;
        }
        let mut pinned = self.pinned().iter().enumerate();
        match pinned.find(|(place, _)| signed(*place)) {
            Some((_, other)) => format!(
                "{words}; it is signed by {}, which is pinned too: of each pair of keys pin the line of one and the same \
                 algorithm, or of every pair both lines",
                said(other)
            ),
            None => words,
        }
    }
}

/// Its name, its algorithm and its id, by which it is found in `identity/keys.vkey`.
fn said(key: &VerifierKey) -> String {
    let algorithm = match key.algorithm() {
        Algorithm::EcdsaP256 => "P-256",
        _ => "Ed25519",
    };
    format!("{} ({algorithm}, {:08x})", key.name(), key.key_id())
}

#[cfg(test)]
mod tests {
    use crate::verify::signers::Signers;
    use proof::note::{Algorithm, VerifierKey, p256_spki};

    fn p256(seed: u8) -> VerifierKey {
        let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        VerifierKey::p256("example.org/n/g1", &p256_spki(key.verifying_key())).unwrap()
    }

    fn ed25519(seed: u8) -> VerifierKey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
        VerifierKey::ed25519("example.org/n/g1", key.as_bytes(), Algorithm::Ed25519).unwrap()
    }

    //= U4
    #[test]
    fn who_pinned_one_key_of_a_pair_and_both_of_another_is_told_what_to_pin() {
        let (a1, a2, b1, b2) = (p256(1), ed25519(1), p256(2), ed25519(2));
        let signers = Signers::new(
            vec![a1.clone(), b1.clone(), b2.clone()],
            vec![a1.clone(), a2.clone()],
        );
        let signed = |place: usize| [&a1, &a2].contains(&&signers.known()[place]);
        let missing = signers.missing(7, signed);
        assert_eq!(missing, [&b2]);
        let words = signers.unsigned_words("the checkpoint", missing[0], signed);
        let (id, other) = (
            format!("{:08x}", b2.key_id()),
            format!("{:08x}", a1.key_id()),
        );
        for part in [&id, &other, "is pinned too", "both lines"] {
            assert!(words.contains(part), "{words}");
        }
        // Where both of each pair are pinned, a signature that is missing is missing.
        for pinned in [
            vec![a1.clone(), a2.clone()],
            vec![a1.clone(), b1.clone(), a2.clone(), b2.clone()],
        ] {
            let both = Signers::new(pinned, Vec::new());
            let words =
                both.unsigned_words("the checkpoint", &a2, |place| both.known()[place] == a1);
            assert!(
                words.ends_with(&format!("(Ed25519, {:08x})", a2.key_id())),
                "{words}"
            );
        }
        // Where none that is pinned signed it, there is nothing more to say.
        let words = signers.unsigned_words("the checkpoint", missing[0], |_| false);
        assert!(words.ends_with(&format!("(Ed25519, {id})")), "{words}");
    }
}
