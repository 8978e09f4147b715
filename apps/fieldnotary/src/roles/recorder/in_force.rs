//! The contract that was in force when the log was left, as its entries tell it.

use contract::Contract;
use evidence::kinds::Configuration;
use evidence::{CommitId, Digest};

/// Its place in the log, and what it says.
#[derive(Debug, Default)]
pub(super) struct InForce {
    /// Its digest in hex, and the entry that put it in force.
    place: Option<(String, CommitId)>,
    parts: Vec<Configuration>,
}

impl InForce {
    pub(super) fn observe(&mut self, id: CommitId, part: Configuration) {
        if part.part == 0 {
            self.parts.clear();
            let digest = part.digest.to_string();
            // Said again at the start of a segment, it is still the entry that readings name.
            if self
                .place
                .as_ref()
                .is_none_or(|(known, _)| *known != digest)
            {
                self.place = Some((digest, id));
            }
        }
        self.parts.push(part);
    }

    /// A frozen state tells where it is, in a segment that may be gone.
    pub(super) fn place(&mut self, digest: String, id: CommitId) {
        self.place = Some((digest, id));
    }

    /// Where the contract with this digest was put in force, if it is the one.
    pub(super) fn place_of(&self, digest: &Digest) -> Option<CommitId> {
        let (known, id) = self.place.as_ref()?;
        (*known == digest.to_string()).then_some(*id)
    }

    /// The contract; nothing where none was read whole.
    pub(super) fn says(&self) -> Option<Contract> {
        Contract::from_parts(&self.parts).ok()
    }
}
