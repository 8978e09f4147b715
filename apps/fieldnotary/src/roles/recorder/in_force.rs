//! The contract that was in force when the log was left, as its entries tell it.

use contract::Contract;
use evidence::kinds::Configuration;
use evidence::{CommitId, Digest};

/// Its place in the log, and what it says.
#[derive(Debug, Default)]
pub(super) struct InForce {
    /// Its digest in hex, and the entry that put it in force.
    place: Option<(String, CommitId)>,
    /// All of it, where it was read.
    parts: Vec<Configuration>,
    /// One that is being said: power may have failed before its last part, and then it never was in force.
    begun: Vec<Configuration>,
    begun_at: CommitId,
}

impl InForce {
    pub(super) fn observe(&mut self, id: CommitId, part: Configuration) {
        if part.part == 0 {
            self.begun.clear();
            self.begun_at = id;
        }
        let (digest, parts) = (part.digest.to_string(), part.parts);
        self.begun.push(part);
        if self.begun.len() as u64 != parts {
            return;
        }
        self.parts = std::mem::take(&mut self.begun);
        // Said again at the start of a segment, it is still the entry that readings name.
        let is_known = |(known, _): &(String, CommitId)| *known == digest;
        if !self.place.as_ref().is_some_and(is_known) {
            self.place = Some((digest, self.begun_at));
        }
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

    /// Whether a contract was in force.
    pub(super) const fn is_known(&self) -> bool {
        self.place.is_some()
    }

    /// The contract; nothing where none was read whole.
    pub(super) fn says(&self) -> Option<Contract> {
        Contract::from_parts(&self.parts).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::InForce;
    use contract::Contract;
    use evidence::kinds::Configuration;
    use evidence::limits::BLOB_BYTES_MAX;
    use evidence::{CommitId, MonoNs};

    fn contract(meters: usize) -> Contract {
        let mut text = String::from(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
             [[port]]\nid = \"a\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/a\"\n",
        );
        for unit in 1..=meters {
            text.push_str(&format!(
                "[[meter]]\nid = \"m{unit}\"\nport = \"a\"\nunit = {unit}\nschedule = \"q\"\n"
            ));
            for point in 0..16 {
                text.push_str(&format!(
                    "[[meter.point]]\nid = \"energy-{unit}-{point}\"\nregister = \"holding:{point}\"\ntype = \"u16\"\n"
                ));
            }
        }
        contract::parse(&text).unwrap()
    }

    fn observed(parts: &[Configuration], from: u64, in_force: &mut InForce) {
        for (id, part) in (from..).zip(parts) {
            in_force.observe(CommitId(id), part.clone());
        }
    }

    /// Power failed between the parts of a new contract: the old one is in force, and the new one is to be said whole.
    //= A3.8
    #[test]
    fn a_contract_that_was_cut_off_never_was_in_force() {
        let (old, new) = (contract(1), contract(200));
        let parts = new.parts(MonoNs(1));
        assert!(parts.len() > 1, "more than {BLOB_BYTES_MAX} bytes");
        let mut in_force = InForce::default();
        observed(&old.parts(MonoNs(1)), 7, &mut in_force);
        observed(parts.get(..parts.len() - 1).unwrap(), 20, &mut in_force);
        assert_eq!(in_force.place_of(&new.digest()), None);
        assert_eq!(in_force.place_of(&old.digest()), Some(CommitId(7)));
        assert_eq!(in_force.says(), Some(old.clone()));

        observed(&parts, 40, &mut in_force);
        assert_eq!(in_force.place_of(&new.digest()), Some(CommitId(40)));
        assert_eq!(in_force.says(), Some(new.clone()));
        // Said again, and cut off this time: it is what it was.
        observed(parts.get(..1).unwrap(), 90, &mut in_force);
        assert_eq!(in_force.place_of(&new.digest()), Some(CommitId(40)));
        assert_eq!(in_force.says(), Some(new));
    }
}
