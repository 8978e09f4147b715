//! Whether one version of a calibration is one scaling, in all that the log tells of it (R3.3).

use contract::{Contract, calibration_digest};
use evidence::kinds::Calibration;
use evidence::{CommitId, Digest, MonoNs, PointId};
use std::collections::BTreeMap;

/// What entries told so far.
#[derive(Debug, Default)]
pub(super) struct Calibrated {
    /// Digest of each version of each point, and the entry that told it first.
    known: BTreeMap<(PointId, String), (Digest, u64)>,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// An entry's digest is not that of its content.
    Digest(String),
    /// The version stands for another scaling than before.
    Reused(String),
}

impl Calibrated {
    /// Takes a calibration as an entry tells it.
    pub(super) fn entry(&mut self, id: u64, said: &Calibration) -> Vec<Odd> {
        let is = calibration_digest(said);
        let odd = (is != said.digest).then(|| {
            Odd::Digest(format!(
                "the calibration \"{}\" of {} says that its digest is {}, and its content has {is}",
                said.version, said.point_id, said.digest
            ))
        });
        odd.into_iter().chain(self.compare(id, said)).collect()
    }

    /// Takes those of a contract, which tells them by itself.
    pub(super) fn contract(&mut self, id: u64, contract: &Contract) -> Vec<Odd> {
        let entries = contract.calibration_entries(MonoNs(0), CommitId(id));
        entries.filter_map(|one| self.compare(id, &one)).collect()
    }

    /// From here on the version stands for what is said now, so that each change is told once.
    fn compare(&mut self, id: u64, said: &Calibration) -> Option<Odd> {
        let key = (said.point_id.clone(), said.version.clone());
        let before = self.known.get(&key).copied();
        if before.is_none_or(|(known, _)| known != said.digest) {
            self.known.insert(key, (said.digest, id));
        }
        let (known, first) = before.filter(|(known, _)| *known != said.digest)?;
        Some(Odd::Reused(format!(
            "the calibration \"{}\" of {} is another scaling than in entry {first}: digest {} there, {} here; which one a \
             value was scaled with is told by the configuration that it names",
            said.version, said.point_id, known, said.digest
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::{Calibrated, Odd};
    use contract::Contract;
    use evidence::kinds::Calibration;
    use evidence::{CommitId, Digest, MonoNs};

    fn contract(scale: &str, version: &str) -> Contract {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
             [[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n\
             [[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"q\"\n\
             scale = {scale:?}\ncalibration = {version:?}\n"
        );
        contract::parse(&text).unwrap()
    }

    fn entry(contract: &Contract) -> Calibration {
        let mut entries = contract.calibration_entries(MonoNs(1), CommitId(1));
        entries.next().unwrap()
    }

    //= R3.3
    #[test]
    fn a_version_that_became_another_scaling_is_told_once_for_each_change() {
        let mut calibrated = Calibrated::default();
        let (one, other, renamed) = (
            contract("0.001", "2026-03"),
            contract("0.002", "2026-03"),
            contract("0.002", "2026-09"),
        );
        assert_eq!(calibrated.contract(1, &one), []);
        assert_eq!(calibrated.entry(2, &entry(&one)), []);
        assert_eq!(calibrated.entry(3, &entry(&renamed)), []);
        assert_eq!(calibrated.entry(4, &entry(&one)), []);
        // A contract tells it by itself, where the entry was left out.
        let told = calibrated.contract(5, &other);
        assert!(
            matches!(told.as_slice(), [Odd::Reused(words)] if words.contains("than in entry 1:")),
            "{told:?}"
        );
        assert_eq!(calibrated.entry(6, &entry(&other)), []);
        assert_eq!(calibrated.entry(7, &entry(&one)).len(), 1);
    }

    //= R3.3
    #[test]
    fn a_digest_that_is_not_of_its_content_is_told() {
        let mut forged = entry(&contract("0.001", "2026-03"));
        forged.digest = Digest([7; 32]);
        let told = Calibrated::default().entry(9, &forged);
        assert!(matches!(told.as_slice(), [Odd::Digest(_)]), "{told:?}");
    }
}
