//! Which keys signed what of a log.

use proof::note::VerifierKey;

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
                .any(|key| others.iter().any(|one| one.has_same_secret(key)))
        };
        let without = self.0.iter().filter(|(keys, _)| !by_others(keys));
        without.map(|(_, to)| *to).max().unwrap_or(0)
    }
}
