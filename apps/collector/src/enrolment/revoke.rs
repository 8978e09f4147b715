//! Keys that are taken back: what they sign from then on counts for nothing here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::certificates::papers::{Notice, Paper};
use evidence::UtcNs;
use evidence::foreign::shown;
use exchange::collector::Cosigner as _;
use proof::note::{Note, VerifierKey};
use serde::{Deserialize, Serialize};

use super::origins;
use super::readable::{Readable, Unread, UnreadFile};
use super::{Taken, vkeys};
use crate::audit::Why;
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::{Identity, about, listed_revoked, serial_of, write_revoked};
use crate::registry::{self, base_of};
use trust_plane::limits::REVOKED_KEYS_MAX;
use trust_plane::{RevokedKeys, Rotation};

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

impl Revoked {
    /// Since when and why, for a person.
    #[must_use]
    pub fn how(&self) -> String {
        shown(&format!("on {}, {}", self.at(), self.reason)).to_string()
    }

    /// Since when.
    pub(super) fn at(&self) -> String {
        let at_ns = i64::try_from(self.at_s).unwrap_or(i64::MAX);
        query::rfc3339(UtcNs(at_ns.saturating_mul(1_000_000_000)))
    }

    /// Whether both were taken back together.
    fn is_of_one_act(&self, other: &Self) -> bool {
        (self.at_s, &self.by, &self.reason) == (other.at_s, &other.by, &other.reason)
    }
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
        // Written over, it would let in whoever was shut out.
        let damaged = |error: &dyn std::fmt::Display| {
            Error::setup(format!(
                "{} is damaged: {error}; without it nobody knows which keys were taken back, and none is\n         restore it from a \
                 backup, or move it away and revoke again each key of the lines with \"revoke\" in {}",
                path.display(),
                dir.join("audit/acts.jsonl").display()
            ))
        };
        let all: Vec<Revoked> = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
        let keyed = all.into_iter().map(|one| {
            let key = one.vkey.parse();
            key.map(|key| (key, one)).map_err(|error| damaged(&error))
        });
        keyed.collect::<Result<_, _>>().map(Self)
    }

    /// How a key was revoked, if it was.
    pub(super) fn find(&self, key: &VerifierKey) -> Option<&Revoked> {
        let found = self.0.iter().find(|(one, _)| one.has_same_secret(key));
        found.map(|(_, revoked)| revoked)
    }

    /// The keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &VerifierKey> {
        self.0.iter().map(|(key, _)| key)
    }

    fn write(&self, dir: &Path) -> Result<(), Error> {
        let all: Vec<&Revoked> = self.0.iter().map(|(_, one)| one).collect();
        let text = serde_json::to_string_pretty(&all).map_err(Error::setup)?;
        let path = dir.join(FILE);
        files::write(&path, format!("{text}\n").as_bytes(), Access::Public)
    }
}

/// What is known here of the keys of nodes, as far as it concerns those that were given.
struct Known {
    /// Two keys that answered one challenge together, or that state together which follow them. What was only asked for shows nothing: whoever asks may name a key of
    /// another node beside his own.
    pairs: Vec<[VerifierKey; 2]>,
    /// Those of them that are registered.
    registered: Vec<[VerifierKey; 2]>,
    pins: Vec<registry::Pin>,
    /// What is stated in the logs of the given keys, and in no others: what is wrong with those is nothing to these.
    stated: Vec<Rotation>,
    /// Whether a file may pair keys otherwise than is known: what their log states, or what they were enrolled by.
    lacks_a_statement: bool,
    lacks_a_record: bool,
    /// Everything that could not be read.
    unread: Vec<Unread>,
    /// Of the given keys, those that stand nowhere here, whatever for.
    strange: Vec<VerifierKey>,
}

impl Known {
    fn read(
        dir: &Path,
        readable: &Readable,
        given: &[VerifierKey],
        revoked: &Revocations,
    ) -> Result<Self, Error> {
        let (records, pins) = (&readable.records, readable.pins.clone());
        let asked = records.iter().filter_map(|record| vkeys(&record.request));
        let pinned = pins.iter().map(|pin| pin.key().clone());
        let named = asked.flatten().chain(pinned);
        let named: Vec<VerifierKey> = named.chain(revoked.keys().cloned()).collect();
        let is_given = |key: &VerifierKey| given.iter().any(|one| one.has_same_secret(key));
        let registered = records.iter().filter(|record| record.receipt.is_some());
        let registered =
            registered.filter_map(|record| Some((&record.request.origin, vkeys(&record.request)?)));
        let registered: Vec<(&String, [VerifierKey; 2])> = registered.collect();
        // Whatever tells whose a key is: its name, what it was given or registered for, what it signed.
        let mut logs: BTreeSet<String> = given.iter().map(|key| key.name().to_owned()).collect();
        let of_pins = pins.iter().filter(|pin| is_given(pin.key()));
        logs.extend(of_pins.map(|pin| pin.prefix().to_owned()));
        let of_it = registered
            .iter()
            .filter(|(_, keys)| keys.iter().any(is_given));
        logs.extend(of_it.map(|(origin, _)| (*origin).clone()));
        let (mut strange, mut unread) = (Vec::new(), readable.unread.clone());
        for key in given {
            if !named.iter().any(|one| one.has_same_secret(key)) {
                let (signed, heads) = origins::logs_signed_by(dir, key)?;
                if signed.is_empty() {
                    strange.push(key.clone());
                    let more = heads.map(|error| Unread::new(UnreadFile::Log, error));
                    unread.extend(more.filter(|one| !readable.unread.contains(one)));
                }
                logs.extend(signed);
            }
        }
        let bases = logs.iter().map(|log| base_of(log).to_owned()).collect();
        let found = registry::readable(dir, &bases);
        let registered: Vec<_> = registered.into_iter().map(|(_, keys)| keys).collect();
        let by_word = found.stated.iter();
        let by_word = by_word.flat_map(|one| [one.old.clone(), one.new.clone()]);
        let damaged = found.damaged.iter();
        unread.extend(damaged.map(|words| Unread::new(UnreadFile::Statement, words)));
        Ok(Self {
            pairs: registered.iter().cloned().chain(by_word).collect(),
            registered,
            pins,
            stated: found.stated,
            lacks_a_statement: !found.damaged.is_empty(),
            lacks_a_record: readable.lacks_a_record(),
            unread,
            strange,
        })
    }

    /// The keys that belong to a node with this one; none where nothing tells.
    ///
    /// # Errors
    /// Where it could be one of several.
    fn partners(
        &self,
        key: &VerifierKey,
        given: &[VerifierKey],
        revoked: &Revocations,
    ) -> Result<Vec<VerifierKey>, Error> {
        let with_it = |pair: &&[VerifierKey; 2]| pair.iter().any(|one| one.has_same_secret(key));
        let registered = self.pairs.iter().filter(with_it).flatten();
        let registered: Vec<_> = registered
            .filter(|one| !one.has_same_secret(key))
            .cloned()
            .collect();
        if !registered.is_empty() {
            return Ok(registered);
        }
        let mut all: Vec<VerifierKey> = Vec::new();
        let own = self
            .pins
            .iter()
            .filter(|pin| pin.key().has_same_secret(key));
        for prefix in own.map(registry::Pin::prefix) {
            let mut beside: Vec<VerifierKey> = Vec::new();
            let of_it = self.pins.iter().filter(|pin| pin.prefix() == prefix);
            for one in of_it.map(registry::Pin::key) {
                let of_a_pair = self
                    .pairs
                    .iter()
                    .flatten()
                    .any(|other| one.has_same_secret(other));
                let is_new = !beside.iter().any(|other| one.has_same_secret(other));
                if one.algorithm() != key.algorithm() && !of_a_pair && is_new {
                    beside.push(one.clone());
                }
            }
            let is_given =
                |one: &&VerifierKey| given.iter().any(|other| one.has_same_secret(other));
            // A key that was taken back before with this one is its other key; the rest are those that went on without it.
            if let Some(one) = revoked.find(key) {
                let with_it = |other: &VerifierKey| {
                    (revoked.find(other)).is_some_and(|other| other.is_of_one_act(one))
                };
                let back: Vec<_> = beside.iter().filter(|other| with_it(other)).collect();
                if let [other] = back[..] {
                    all.push(other.clone());
                    continue;
                }
            }
            // A file that cannot be read may pair it with any of them, and a guess would take back keys that are good. Where the
            // log was never given another pair, a record tells of no other one.
            if self.lacks_a_statement || self.lacks_a_record && !self.is_one_pair(prefix) {
                continue;
            }
            match &beside[..] {
                [] | [_] => all.extend(beside),
                several if several.iter().any(|one| is_given(&one)) => {
                    all.extend(several.iter().filter(is_given).cloned());
                }
                several => {
                    let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                    return Err(Error::refused(format!(
                        "{key} is one of the two keys of a node, and which is the other is not known here: give it with a \
                         --log-key of its own; it is one of {}",
                        names.join(", ")
                    )));
                }
            }
        }
        Ok(all)
    }

    /// Whether there are two keys for a prefix, one of each kind.
    fn is_one_pair(&self, prefix: &str) -> bool {
        let mut keys: Vec<&VerifierKey> = Vec::new();
        for key in self.pins.iter().filter(|pin| pin.prefix() == prefix) {
            if !keys.iter().any(|one| one.has_same_secret(key.key())) {
                keys.push(key.key());
            }
        }
        matches!(&keys[..], [one, other] if one.algorithm() != other.algorithm())
    }
}

/// The keys that are taken back where some are given.
struct Nodes {
    /// All keys of the nodes that have these.
    all: Vec<VerifierKey>,
    /// Those of them whose partner is not known here: a node signs with two, and either alone is worth nothing once the other
    /// is in wrong hands.
    alone: Vec<VerifierKey>,
    /// Those that may stand in a file that cannot be read, and stand nowhere else here.
    unknown: Vec<VerifierKey>,
}

impl Nodes {
    /// The nodes of these keys.
    ///
    /// # Errors
    /// Where a key is known to nothing here, or it is not known which keys belong together, though everything that could
    /// tell it can be read.
    fn of(known: &Known, given: &[VerifierKey], revoked: &Revocations) -> Result<Self, Error> {
        let (mut all, mut alone) = (given.to_vec(), Vec::new());
        let is_strange = |key: &VerifierKey| known.strange.iter().any(|one| one == key);
        for key in given.iter().filter(|key| !is_strange(key)) {
            let partners = known.partners(key, given, revoked)?;
            if partners.is_empty() {
                alone.push(key.clone());
            }
            for one in partners {
                if !all.iter().any(|other| other.has_same_secret(&one)) {
                    all.push(one);
                }
            }
        }
        // Given with the key that it signs beside, either is the partner that was missing.
        let (mut unpaired, mut unknown): (Vec<VerifierKey>, Vec<VerifierKey>) = Default::default();
        for key in alone {
            match unpaired.iter().position(|one| may_pair(one, &key)) {
                Some(place) => drop(unpaired.remove(place)),
                None => unpaired.push(key),
            }
        }
        for key in &known.strange {
            if let Some(place) = unpaired.iter().position(|one| may_pair(one, key)) {
                unpaired.remove(place);
                continue;
            }
            if known.unread.is_empty() {
                return Err(Error::refused(format!(
                    "{key} is known to nothing here: it was neither registered nor given to a start with --log-key, and signed \
                     no log that is held; nothing was revoked. Is it a line of that node's identity/keys.vkey, whole?"
                )));
            }
            unknown.push(key.clone());
        }
        Ok(Self {
            all,
            alone: unpaired,
            unknown,
        })
    }
}

/// Whether two keys may be those of one node, by their kinds and by the log that they are named after.
fn may_pair(one: &VerifierKey, other: &VerifierKey) -> bool {
    one.algorithm() != other.algorithm() && base_of(one.name()) == base_of(other.name())
}

/// What is taken back.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// Keys of nodes.
    pub keys: Vec<VerifierKey>,
    /// Who takes them back, and why.
    pub why: Why,
    /// File for a notice, which goes into logs.
    pub notice: Option<PathBuf>,
}

/// Takes the certificates of revoked keys back as well: whoever has one is served no more from the next start on. What stood on
/// the list before stays there, whatever became of the file that it was from.
fn certificates(dir: &Path, readable: &Readable, all: &Revocations) -> Result<(), Error> {
    let mut taken = match listed_revoked(dir) {
        Ok(listed) => listed,
        // All of it can be known again.
        Err(_) if !readable.lacks_a_record() => Vec::new(),
        Err(error) => return Err(error),
    };
    for record in &readable.records {
        let keys = vkeys(&record.request);
        let revoked = keys.iter().flatten().find_map(|key| all.find(key));
        if let (Some(receipt), Some(revoked)) = (&record.receipt, revoked) {
            let serial = serial_of(&receipt.certificate)?;
            if !taken.iter().any(|(one, _)| *one == serial) {
                taken.push((serial, revoked.at_s));
            }
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
    let at_once = |one: &Revoked| one.is_of_one_act(first);
    if keys.len() > REVOKED_KEYS_MAX || !keys.iter().all(|key| all.find(key).is_some_and(at_once)) {
        return Err(Error::refused(format!(
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

/// What is taken back now.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// All that ever was, in its order.
    pub all: Vec<Revoked>,
    /// Keys that were given and of which nothing here tells with which other one their node signs.
    pub alone: Vec<VerifierKey>,
    /// Keys that were given and stand nowhere here that can be read.
    pub unknown: Vec<VerifierKey>,
    /// Of the keys that were asked for, those that were taken back before.
    pub already: Vec<Revoked>,
    /// Keys that go with them: those named these to follow them, and they were not registered here themselves.
    pub followers: Vec<VerifierKey>,
    /// Files that tell whose keys are and that cannot be read. What they pair, and which keys they name to follow, is in none of
    /// the others.
    pub unread: Vec<Unread>,
    /// Why the list of certificates that were taken back could not be written, where it could not.
    pub unlisted: Option<String>,
}

/// Keys that those which were taken back named to follow them, and these others; not those of which one was registered.
fn followers(known: &Known, revoked: &Revocations) -> Vec<VerifierKey> {
    let registered: Vec<_> = known.registered.iter().flatten().collect();
    let is_back = |key: &VerifierKey| revoked.find(key).is_some();
    let is_good =
        |key: &VerifierKey| !is_back(key) && registered.iter().any(|one| one.is_same_key(key));
    let stated = &known.stated;
    let bad = registry::with_taken_back(stated, is_good, is_back);
    let bad = stated.iter().zip(bad).filter(|(_, bad)| *bad);
    let keys = bad
        .flat_map(|(one, _)| &one.new)
        .filter(|key| !is_back(key));
    keys.cloned().collect()
}

/// Takes nodes back, by one of their keys or both: all keys of theirs are revoked. Those that were already keep their first
/// time and reason. A collector that runs has to be started anew to know of it.
///
/// # Errors
/// When there is no collector, a key is known to nothing here, it is not known which keys belong together, what was taken back
/// before cannot be read, or the file cannot be written.
pub fn revoke(dir: &Path, asked: &TakenBack) -> Result<Revocation, Error> {
    about(dir)?;
    let _taken = Taken::new(dir)?;
    let mut all = Revocations::read(dir)?;
    let readable = Readable::of(dir)?;
    let known = Known::read(dir, &readable, &asked.keys, &all)?;
    let nodes = Nodes::of(&known, &asked.keys, &all)?;
    let already = nodes.all.iter().filter_map(|key| all.find(key));
    let already = already.cloned().collect();
    let (at_s, by) = (clock::utc_s(), asked.why.actor.as_str());
    for key in &nodes.all {
        if all.find(key).is_none() {
            let revoked = Revoked {
                vkey: key.to_string(),
                at_s,
                by: by.to_owned(),
                reason: asked.why.reason.clone(),
            };
            all.0.push((key.clone(), revoked));
        }
    }
    all.write(dir)?;
    let listed = certificates(dir, &readable, &all);
    if let Some(out) = &asked.notice {
        notice(dir, &all, &nodes.all, out)?;
    }
    let followers = followers(&known, &all);
    let all = all.0.into_iter().map(|(_, one)| one).collect();
    Ok(Revocation {
        all,
        alone: nodes.alone,
        unknown: nodes.unknown,
        already,
        followers,
        unread: known.unread,
        unlisted: listed.err().map(|error| error.to_string()),
    })
}
