//! Keys that are taken back: what they sign from then on counts for nothing here.

use std::path::Path;

use proof::note::VerifierKey;
use serde::{Deserialize, Serialize};

use super::origins::same;
use super::{Taken, records, vkeys};
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::about;
use crate::registry;

const FILE: &str = "revoked-keys.json";

/// A key that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The key.
    pub vkey: String,
    /// When, in seconds since 1970.
    pub at_s: u64,
    /// Why.
    pub reason: String,
}

/// Those of a collector. A key is known by its bytes, whatever its name: a node has one name for each generation.
#[derive(Debug, Default)]
pub(super) struct Revocations(Vec<(VerifierKey, Revoked)>);

impl Revocations {
    pub(super) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let Some(bytes) = files::read(&path)? else {
            return Ok(Self::default());
        };
        let all: Vec<Revoked> =
            serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&path, error))?;
        let keyed = all.into_iter().map(|one| {
            let key = one.vkey.parse();
            key.map(|key| (key, one))
                .map_err(|error| Error::damaged(&path, error))
        });
        keyed.collect::<Result<_, _>>().map(Self)
    }

    /// How a key was revoked, if it was.
    pub(super) fn find(&self, key: &VerifierKey) -> Option<&Revoked> {
        let found = self.0.iter().find(|(one, _)| same(one, key));
        found.map(|(_, revoked)| revoked)
    }

    fn write(&self, dir: &Path) -> Result<(), Error> {
        let all: Vec<&Revoked> = self.0.iter().map(|(_, one)| one).collect();
        let text = serde_json::to_string_pretty(&all).map_err(Error::setup)?;
        let path = dir.join(FILE);
        files::write(&path, format!("{text}\n").as_bytes(), Access::Public)
    }
}

/// The keys of the nodes that have these: a node signs with two, and either alone is worth nothing once the other is in
/// wrong hands.
///
/// # Errors
/// Where it is not known which keys belong together.
fn of_the_nodes(dir: &Path, given: &[VerifierKey]) -> Result<Vec<VerifierKey>, Error> {
    let mut all = given.to_vec();
    let mut add = |keys: &[VerifierKey]| {
        for key in keys {
            if !all.iter().any(|one| same(one, key)) {
                all.push(key.clone());
            }
        }
    };
    let pairs: Vec<[VerifierKey; 2]> = records(dir)?
        .iter()
        .filter_map(|record| vkeys(&record.request))
        .collect();
    let pins = registry::remembered(dir)?;
    for key in given {
        let registered: Vec<_> = pairs
            .iter()
            .filter(|pair| pair.iter().any(|one| same(one, key)))
            .collect();
        registered.iter().for_each(|pair| add(&pair[..]));
        if !registered.is_empty() {
            continue;
        }
        let own = pins.iter().filter(|pin| same(pin.key(), key));
        for prefix in own.map(registry::Pin::prefix) {
            let beside: Vec<VerifierKey> = pins
                .iter()
                .filter(|pin| pin.prefix() == prefix)
                .map(|pin| pin.key().clone())
                .filter(|one| one.algorithm() != key.algorithm())
                .filter(|one| !pairs.iter().flatten().any(|other| same(one, other)))
                .collect();
            let is_given = |one: &VerifierKey| given.iter().any(|other| same(one, other));
            match &beside[..] {
                [one] => add(std::slice::from_ref(one)),
                [] => {}
                several if several.iter().any(is_given) => {}
                several => {
                    let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                    return Err(Error::usage(format!(
                        "{key} is one of the two keys of a node, and which is the other is not known here: give it with a \
                         --log-key of its own; it is one of {}",
                        names.join(", ")
                    )));
                }
            }
        }
    }
    Ok(all)
}

/// Takes nodes back, by one of their keys or both: all keys of theirs are revoked. Those that were already keep their first
/// time and reason. A collector that runs has to be started anew to know of it.
///
/// # Errors
/// When there is no reason, no collector, it is not known which keys belong together, or the file cannot be written.
pub fn revoke(dir: &Path, keys: &[VerifierKey], reason: &str) -> Result<Vec<Revoked>, Error> {
    if reason.trim().is_empty() {
        return Err(Error::usage(
            "--reason is empty: say why the keys are taken back",
        ));
    }
    about(dir)?;
    let _taken = Taken::new(dir)?;
    let mut all = Revocations::read(dir)?;
    for key in of_the_nodes(dir, keys)? {
        if all.find(&key).is_none() {
            let revoked = Revoked {
                vkey: key.to_string(),
                at_s: clock::utc_s(),
                reason: reason.to_owned(),
            };
            all.0.push((key, revoked));
        }
    }
    all.write(dir)?;
    Ok(all.0.into_iter().map(|(_, one)| one).collect())
}
