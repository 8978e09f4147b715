//! Who must have signed a checkpoint, who may have, and who did.

use proof::note::{Algorithm, VerifierKey};

/// The keys of a log: first those that anchor the verification, then others found beside the log.
#[derive(Clone, Debug)]
pub(super) struct Signers {
    known: Vec<VerifierKey>,
    anchors: usize,
}

impl Signers {
    /// The keys of one origin; a key that is in both lists anchors.
    pub(super) fn new(anchors: Vec<VerifierKey>, beside: Vec<VerifierKey>) -> Self {
        let mut known: Vec<VerifierKey> = Vec::new();
        let add = |known: &mut Vec<VerifierKey>, keys: Vec<VerifierKey>| {
            for key in keys {
                let same =
                    |one: &VerifierKey| (one.name(), one.key_id()) == (key.name(), key.key_id());
                if !known.iter().any(same) {
                    known.push(key);
                }
            }
            known.len()
        };
        let anchors = add(&mut known, anchors);
        add(&mut known, beside);
        Self { known, anchors }
    }

    /// Whether no key anchors the log: then no signature says anything.
    pub(super) const fn is_empty(&self) -> bool {
        self.anchors == 0
    }

    /// Every key whose lines are checked.
    pub(super) fn known(&self) -> &[VerifierKey] {
        &self.known
    }

    /// The keys whose signature is missing. A node that was replaced has keys of its own, so of several
    /// keys of one algorithm one must have signed; a key beside the log counts where no anchor is of its
    /// algorithm.
    pub(super) fn missing(&self, signed: impl Fn(usize) -> bool) -> Vec<&VerifierKey> {
        let mut missing = Vec::new();
        for algorithm in ALGORITHMS {
            let of_it = |keys: std::ops::Range<usize>| -> Vec<usize> {
                let is_of_it = |place: &usize| {
                    let key = self.known.get(*place);
                    key.is_some_and(|key| key.algorithm() == algorithm)
                };
                keys.filter(is_of_it).collect()
            };
            let mut due = of_it(0..self.anchors);
            if due.is_empty() {
                due = of_it(self.anchors..self.known.len());
            }
            if !due.iter().any(|place| signed(*place)) {
                missing.extend(due.first().and_then(|place| self.known.get(*place)));
            }
        }
        missing
    }

    /// How many lines a checkpoint may have that no known key wrote: the log signs twice, and whoever
    /// knows one of its keys cannot check the line of the other.
    pub(super) fn strangers_max(&self) -> usize {
        let unknown =
            |algorithm: &&Algorithm| !self.known.iter().any(|key| key.algorithm() == **algorithm);
        ALGORITHMS.iter().filter(unknown).count()
    }
}

/// Which keys signed the heads of a log that hold, and how far those that the same keys signed reach.
#[derive(Debug, Default)]
pub(super) struct SignedBy(Vec<(Vec<VerifierKey>, u64)>);

impl SignedBy {
    /// Takes a head that these keys signed; `sealed` is its size where the entries lead to its root, else 0.
    pub(super) fn take(&mut self, keys: Vec<VerifierKey>, sealed: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == keys) {
            Some((_, to)) => *to = sealed.max(*to),
            None => self.0.push((keys, sealed)),
        }
    }

    /// All of them, each once.
    pub(super) fn keys(&self) -> Vec<VerifierKey> {
        let mut all: Vec<VerifierKey> = Vec::new();
        for key in self.0.iter().flat_map(|(keys, _)| keys) {
            if !all.contains(key) {
                all.push(key.clone());
            }
        }
        all
    }

    /// How many entries heads seal that none of these keys signed.
    pub(super) fn sealed_without(&self, others: &[VerifierKey]) -> u64 {
        let by_others = |keys: &[VerifierKey]| {
            keys.iter()
                .any(|key| others.iter().any(|one| same(one, key)))
        };
        let without = self.0.iter().filter(|(keys, _)| !by_others(keys));
        without.map(|(_, to)| *to).max().unwrap_or(0)
    }
}

/// Whether both are one key: a log's keys have the name of a generation, those in a statement that of the log.
pub(super) fn same(one: &VerifierKey, other: &VerifierKey) -> bool {
    (one.algorithm(), one.public_bytes()) == (other.algorithm(), other.public_bytes())
}

/// A log signs with a key of each.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256, Algorithm::Ed25519];

#[cfg(test)]
mod tests {
    use super::Signers;
    use proof::note::{Algorithm, VerifierKey, p256_spki};

    const ORIGIN: &str = "example.org/n/g1";

    /// `p1` and `p2` are keys of the first algorithm, `e1` and `e2` of the second.
    fn keys(names: &str) -> Vec<VerifierKey> {
        let key = |name: &str| {
            let seed = [name.as_bytes()[1]; 32];
            let made = match name.starts_with('p') {
                true => {
                    let key = p256::ecdsa::SigningKey::from_slice(&seed).unwrap();
                    VerifierKey::p256(ORIGIN, &p256_spki(key.verifying_key()))
                }
                false => {
                    let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
                    VerifierKey::ed25519(ORIGIN, key.as_bytes(), Algorithm::Ed25519)
                }
            };
            made.unwrap()
        };
        names.split_whitespace().map(key).collect()
    }

    fn ids<'a>(keys: impl IntoIterator<Item = &'a VerifierKey>) -> Vec<u32> {
        keys.into_iter().map(VerifierKey::key_id).collect()
    }

    /// Pinned, beside, who signed; who is missing, and how many lines may be of strangers.
    //= A1.3
    //= U4
    #[test]
    fn both_keys_of_the_log_must_sign_and_a_key_beside_never_stands_in_for_a_pinned_one() {
        for (pinned, beside, signed, missing, strangers) in [
            ("p1 e1", "", "p1 e1", "", 0),
            ("p1 e1", "", "p1", "e1", 0),
            ("p1 e1", "", "e1", "p1", 0),
            ("p1", "p1 e1", "p1 e1", "", 0),
            ("p1", "p1 e1", "p1", "e1", 0),
            ("e1", "p1 e1", "e1", "p1", 0),
            ("p1", "", "p1", "", 1),
            ("e1", "", "e1", "", 1),
            ("p1", "p2 e2", "p2 e2", "p1", 0),
            ("p1 p2", "e1", "p2 e1", "", 0),
            ("p1", "e1 e2", "p1 e2", "", 0),
            ("p1", "p2 e1 e2", "p1", "e1", 0),
        ] {
            let signers = Signers::new(keys(pinned), keys(beside));
            let by = ids(&keys(signed));
            let found = signers.missing(|place| by.contains(&signers.known()[place].key_id()));
            let said = format!("{pinned} | {beside} | {signed}");
            assert_eq!(ids(found), ids(&keys(missing)), "{said}");
            assert_eq!(signers.strangers_max(), strangers, "{said}");
        }
        assert!(Signers::new(Vec::new(), keys("p1 e1")).is_empty());
    }
}
