//! The calibrations that a log knows, by point and version: said again at every start, and one version has one content (R3.3).

use super::in_force::InForce;
use contract::Contract;
use contract::limits::{CALIBRATIONS_EACH, STATION_POINTS_MAX};
use evidence::frozen::Parts;
use evidence::frozen::names::CALIBRATION;
use evidence::kinds::{Calibration, Counter};
use evidence::{CommitId, Digest, Kind, MonoNs, Payload, PointId};
use journal::{ReadTruth, ReadVolume, Reader};
use std::collections::BTreeMap;

/// Versions that are taken in from a log, of all points; the ones said longest ago are forgotten first.
const VERSIONS_MAX: usize = CALIBRATIONS_EACH * STATION_POINTS_MAX;
/// Newest entries that are looked at before all of them are: every segment begins with what is known.
const LOOKED_AT_MAX: u64 = 8_192;

/// A version that has another content now than the log knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reused {
    pub(crate) point: PointId,
    pub(crate) version: String,
    /// What the log knows, and the entry that said it last.
    pub(crate) known: (Digest, CommitId),
    /// What the contract has.
    pub(crate) is: Digest,
}

/// Digest of each version of each point, and the entry that said it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calibrations(BTreeMap<(PointId, String), (Digest, CommitId)>);

impl Calibrations {
    /// What a log tells that is not open for writing here.
    pub(crate) fn of_log<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>) -> Self {
        let oldest = reader.oldest();
        let late = CommitId(reader.size().saturating_sub(LOOKED_AT_MAX)).max(oldest);
        match Self::read(reader, late) {
            (known, true) => known,
            (known, false) if late == oldest => known,
            _ => Self::read(reader, oldest).0,
        }
    }

    /// What entries from one on tell, and whether a frozen state was among them, which has what was before.
    fn read<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>, from: CommitId) -> (Self, bool) {
        let (mut known, mut frozen) = (Self::default(), false);
        let (mut parts, mut in_force) = (Parts::default(), InForce::default());
        for stored in reader.entries(from).flatten() {
            let wanted = [
                Kind::Calibration,
                Kind::Configuration,
                Kind::CounterSnapshot,
            ];
            if !stored.kind().is_some_and(|kind| wanted.contains(&kind)) {
                continue;
            }
            match stored.entry().ok().and_then(|entry| entry.payload().ok()) {
                Some(Payload::Configuration(part)) => in_force.observe(stored.commit_id, part),
                Some(Payload::CounterSnapshot(snapshot)) => {
                    if let Some(state) = parts.take(&snapshot) {
                        known.replace(&state);
                        frozen = true;
                    }
                }
                Some(Payload::Calibration(one)) => known.observe(stored.commit_id, &one),
                _ => {}
            }
        }
        known.also(&in_force);
        (known, frozen)
    }

    /// Takes in an entry.
    pub(super) fn observe(&mut self, id: CommitId, said: &Calibration) {
        let key = (said.point_id.clone(), said.version.clone());
        self.0.insert(key, (said.digest, id));
        self.forget_beyond(VERSIONS_MAX);
    }

    /// Forgets what a segment's state has no room for under a contract, the versions said longest ago first. Whoever takes up
    /// one that was forgotten is still found by `verify`, as long as its entry is there.
    pub(super) fn fit(&mut self, contract: &Contract) {
        let inputs = contract.calibration_entries(MonoNs(0), CommitId(0)).count();
        self.forget_beyond(CALIBRATIONS_EACH * inputs);
    }

    fn forget_beyond(&mut self, most: usize) {
        while self.0.len() > most {
            let oldest = self.0.iter().min_by_key(|(_, (_, id))| *id);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|key| self.0.remove(&key));
        }
    }

    /// Takes in what the contract has that was in force: a log of an older program says its calibrations nowhere else.
    pub(super) fn also(&mut self, in_force: &InForce) {
        let Some(contract) = in_force.says() else {
            return;
        };
        let id = in_force.place_of(&contract.digest()).unwrap_or(CommitId(0));
        for one in contract.calibration_entries(MonoNs(0), id) {
            let key = (one.point_id, one.version);
            self.0.entry(key).or_insert((one.digest, id));
        }
    }

    /// Takes a whole frozen state, which has what came before it.
    pub(super) fn replace(&mut self, state: &[Counter]) {
        let mine = state.iter().filter(|counter| counter.name == CALIBRATION);
        let known = mine.filter_map(|counter| {
            let mut words = counter.label.as_deref()?.splitn(3, ' ');
            let (point, digest) = (PointId::new(words.next()?).ok()?, words.next()?);
            let key = (point, words.next()?.to_owned());
            Some((key, (digest.parse().ok()?, CommitId(counter.value?))))
        });
        self.0 = known.collect();
    }

    /// The same for a frozen state: name, label and value of each counter.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        self.0.iter().map(|((point, version), (digest, id))| {
            (CALIBRATION, format!("{point} {digest} {version}"), id.0)
        })
    }

    /// The versions of a contract that the log knows with another content.
    pub(crate) fn reused(&self, contract: &Contract) -> Vec<Reused> {
        let entries = contract.calibration_entries(MonoNs(0), CommitId(0));
        let reused = entries.filter_map(|one| {
            let key = (one.point_id, one.version);
            let known = self.0.get(&key).filter(|(known, _)| *known != one.digest)?;
            Some(Reused {
                known: *known,
                point: key.0,
                version: key.1,
                is: one.digest,
            })
        });
        reused.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{CALIBRATIONS_EACH, Calibrations};
    use crate::roles::recorder::startup::counter;
    use contract::Contract;
    use evidence::{CommitId, MonoNs, SourceId};

    fn contract(scale: &str, version: &str) -> Contract {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
             [[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n\
             [[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"q\"\n\
             scale = {scale:?}\ncalibration = {version:?}\n"
        );
        contract::parse(&text).unwrap()
    }

    fn said(known: &mut Calibrations, id: u64, contract: &Contract) {
        for one in contract.calibration_entries(MonoNs(1), CommitId(id)) {
            known.observe(CommitId(id), &one);
        }
    }

    //= R3.3
    #[test]
    fn one_version_has_one_content_also_when_others_came_between_and_the_segment_is_gone() {
        let mut known = Calibrations::default();
        said(&mut known, 3, &contract("0.001", "first of 2026"));
        said(&mut known, 9, &contract("0.002", "second"));
        let own = SourceId::new("recorder").unwrap();
        let state: Vec<_> = known
            .frozen()
            .map(|(name, label, value)| counter(&own, name, label, value))
            .collect();
        let mut again = Calibrations::default();
        again.replace(&state);
        assert_eq!(again, known);
        assert_eq!(again.reused(&contract("0.001", "first of 2026")), []);
        assert_eq!(again.reused(&contract("0.001", "third")), []);
        let reused = again.reused(&contract("0.002", "first of 2026"));
        let one = reused.first().unwrap();
        assert_eq!(
            (one.version.as_str(), one.known.1),
            ("first of 2026", CommitId(3))
        );
        assert_ne!(one.known.0, one.is);
    }

    #[test]
    fn the_version_said_longest_ago_is_forgotten_first() {
        let mut known = Calibrations::default();
        for id in 0..=CALIBRATIONS_EACH {
            said(&mut known, id as u64, &contract("1", &format!("v{id}")));
        }
        known.fit(&contract("1", "v1"));
        assert_eq!(known.0.len(), CALIBRATIONS_EACH);
        assert_eq!(known.reused(&contract("2", "v0")), []);
        assert_eq!(known.reused(&contract("2", "v1")).len(), 1);
    }
}
