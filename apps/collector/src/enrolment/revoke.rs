//! Keys that are taken back: what they sign from then on counts for nothing here.

use std::path::{Path, PathBuf};

use ::certificates::papers::{Notice, Paper};
use evidence::Actor;
use exchange::collector::Cosigner as _;
use proof::note::{Note, VerifierKey};
use serde::{Deserialize, Serialize};

use super::origins::same;
use super::{Taken, records, vkeys};
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::{Identity, about, write_revoked};
use crate::registry;
use trust_plane::RevokedKeys;
use trust_plane::limits::REVOKED_KEYS_MAX;

const FILE: &str = "revoked-keys.json";

/// A key that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The key.
    pub vkey: String,
    /// When, in seconds since 1970.
    pub at_s: u64,
    /// Who took it back: a name, and the user id that the kernel vouches for.
    pub by: String,
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

/// What is taken back.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// Keys of nodes.
    pub keys: Vec<VerifierKey>,
    /// Why.
    pub reason: String,
    /// The name of whoever does it; otherwise that of the local user.
    pub by: Option<String>,
    /// File for a notice, which goes into logs.
    pub notice: Option<PathBuf>,
}

/// Who asks: a name is what he says, the user id what the kernel says.
fn by(given: Option<&str>) -> Result<String, Error> {
    let names = ["LOGNAME", "USER"].map(|name| std::env::var(name).ok());
    let local = names.into_iter().flatten().find(|name| !name.is_empty());
    let name = given.map(str::to_owned).or(local).unwrap_or_default();
    if given.is_some_and(|given| given.trim().is_empty()) || name.chars().any(char::is_control) {
        return Err(Error::usage(
            "--by is no name on one line: write one, or leave it out",
        ));
    }
    let uid = rustix::process::getuid().as_raw();
    Ok(Actor::local(&name, uid).as_str().to_owned())
}

/// Takes the certificates of revoked keys back as well: whoever has one is served no more from the next start on.
fn certificates(dir: &Path, all: &Revocations) -> Result<(), Error> {
    let mut taken = Vec::new();
    for record in records(dir)? {
        let keys = vkeys(&record.request);
        let revoked = keys.iter().flatten().find_map(|key| all.find(key));
        if let (Some(receipt), Some(revoked)) = (&record.receipt, revoked) {
            taken.push((receipt.certificate.clone(), revoked.at_s));
        }
    }
    // Without one the authority's key is not needed, which may lie elsewhere.
    match taken.is_empty() {
        true => Ok(()),
        false => write_revoked(dir, &taken),
    }
}

/// Writes what was taken back as a note that the cosigner signs. Keys that were taken back at different times, or for
/// different reasons, have a notice each.
fn notice(dir: &Path, all: &Revocations, keys: &[VerifierKey], out: &Path) -> Result<(), Error> {
    let Some(first) = keys.first().and_then(|key| all.find(key)) else {
        return Ok(());
    };
    let at_once =
        |one: &Revoked| (one.at_s, &one.by, &one.reason) == (first.at_s, &first.by, &first.reason);
    if keys.len() > REVOKED_KEYS_MAX || !keys.iter().all(|key| all.find(key).is_some_and(at_once)) {
        return Err(Error::usage(format!(
            "the keys were taken back, but not with one notice: it is of keys that are taken back at one time and for one \
             reason, {REVOKED_KEYS_MAX} at most; ask for each node's notice by itself"
        )));
    }
    let identity = Identity::load(dir)?;
    let stated = RevokedKeys {
        vkeys: keys.to_vec(),
        since_s: first.at_s,
        by: first.by.clone(),
        reason: first.reason.clone(),
    };
    let line = identity.cosign(&stated.text()).map_err(Error::setup)?;
    let mut note = Note::new(stated.text()).map_err(Error::setup)?;
    note.add(line).map_err(Error::setup)?;
    let paper = Paper::Notice(Notice {
        registrar: identity.vkey().to_string(),
        statement: note.to_string(),
    });
    files::write(out, paper.text().as_bytes(), Access::Public)
}

/// Takes nodes back, by one of their keys or both: all keys of theirs are revoked. Those that were already keep their first
/// time and reason. A collector that runs has to be started anew to know of it.
///
/// # Errors
/// When there is no reason, no collector, it is not known which keys belong together, or the file cannot be written.
pub fn revoke(dir: &Path, asked: &TakenBack) -> Result<Vec<Revoked>, Error> {
    let reason = asked.reason.as_str();
    if reason.trim().is_empty() {
        return Err(Error::usage(
            "--reason is empty: say why the keys are taken back",
        ));
    }
    if reason.chars().any(char::is_control) {
        return Err(Error::usage(
            "--reason has a control character, such as the end of a line: it is signed as one line",
        ));
    }
    about(dir)?;
    let _taken = Taken::new(dir)?;
    let mut all = Revocations::read(dir)?;
    let keys = of_the_nodes(dir, &asked.keys)?;
    let (at_s, by) = (clock::utc_s(), by(asked.by.as_deref())?);
    for key in &keys {
        if all.find(key).is_none() {
            let revoked = Revoked {
                vkey: key.to_string(),
                at_s,
                by: by.clone(),
                reason: reason.to_owned(),
            };
            all.0.push((key.clone(), revoked));
        }
    }
    all.write(dir)?;
    certificates(dir, &all)?;
    if let Some(out) = &asked.notice {
        notice(dir, &all, &keys, out)?;
    }
    Ok(all.0.into_iter().map(|(_, one)| one).collect())
}
