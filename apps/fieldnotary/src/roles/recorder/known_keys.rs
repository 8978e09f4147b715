//! The keys that sign this log, as the node knows them without its signer: by the file beside the log, and by what those keys state
//! of others that follow them. Whoever answers at the signer's socket is held to them.

use super::rotated::{RotationWatch, name};
use crate::commands::{keys_beside, stated_in};
use crate::paths::DataDir;
use evidence::Payload;
use ipc::message::NoteText;
use journal::Reader;
use media::{FileTruth, FileVolume};
use proof::note::{Algorithm, Note, VerifierKey};
use std::collections::BTreeSet;
use trust_plane::limits::ROTATIONS_MAX;
use trust_plane::{Rotation, in_order, newest};

/// Keys of an announcement that are named, and characters of each: whoever announces them may be anybody.
const NAMED_MAX: usize = 4;
const NAMED_CHARS_MAX: usize = 80;

/// What lies beside the log of its keys.
#[derive(Debug)]
pub(crate) struct KeysBeside {
    keys: Result<Vec<VerifierKey>, String>,
    /// What keys state of those that follow them, with the words that were signed.
    stated: Vec<(String, Rotation)>,
}

impl KeysBeside {
    /// Reads it.
    pub(crate) fn read(data: &DataDir) -> Self {
        Self {
            keys: keys_beside(data),
            stated: query::rotations_in(&data.identity()),
        }
    }
}

/// The two keys of the log that lie in these, the authority first.
fn pair(keys: Vec<VerifierKey>) -> Option<[VerifierKey; 2]> {
    let pair: [VerifierKey; 2] = keys.try_into().ok()?;
    let algorithms = pair.each_ref().map(VerifierKey::algorithm);
    match algorithms {
        [Algorithm::EcdsaP256, Algorithm::Ed25519] => Some(pair),
        [Algorithm::Ed25519, Algorithm::EcdsaP256] => {
            let [beside, authority] = pair;
            Some([authority, beside])
        }
        _ => None,
    }
}

/// The keys that sign this log.
#[derive(Debug)]
pub(super) struct KnownKeys {
    /// Those of now; or why they are not known.
    now: Result<[VerifierKey; 2], String>,
    /// Those that others followed in this run, the newest last.
    before: Vec<[VerifierKey; 2]>,
}

impl KnownKeys {
    /// As a run begins on a log, by what that tells.
    pub(super) fn at_start(
        beside: KeysBeside,
        told: &RotationWatch,
        data: &DataDir,
        log: &Reader<FileVolume, FileTruth>,
    ) -> Self {
        Self::begin(beside, told.told(), || {
            stated_in(data, log.generation(), log)
        })
    }

    /// As a run begins. `told` names the statements of which the log tells; where one of them does not lie beside it, the log is
    /// read for them.
    fn begin(
        beside: KeysBeside,
        told: &BTreeSet<String>,
        in_log: impl FnOnce() -> Vec<Rotation>,
    ) -> Self {
        let of_files: BTreeSet<String> = beside.stated.iter().map(|(note, _)| name(note)).collect();
        let mut stated: Vec<Rotation> = beside.stated.into_iter().map(|(_, one)| one).collect();
        if !told.is_subset(&of_files) {
            stated.extend(in_log());
        }
        let known = beside.keys.and_then(|keys| {
            let count = keys.len();
            pair(keys).ok_or_else(|| {
                format!(
                    "identity/keys.vkey has {count} keys, and a log has two: one of P-256 and one of Ed25519"
                )
            })
        });
        Self {
            now: known.map(|keys| newest(keys, &in_order(stated))),
            before: Vec::new(),
        }
    }

    /// Holds who answers as the signer to them, by what it announces. Keys that follow them by their own word are theirs from now on.
    ///
    /// # Errors
    /// What is announced, what is expected, and what would be right.
    pub(super) fn heard(&mut self, vkeys: &[String], rotations: &[NoteText]) -> Result<(), String> {
        let now = self.now.as_ref().map_err(|words| {
            format!(
                "which keys sign this log is not known here, so nothing is signed by those that the signer announces ({}): \
                 {words}; put identity/keys.vkey back and start the node anew",
                named(vkeys)
            )
        })?;
        // Whoever answers may bring anything: what does not say that it is by these keys, or those behind them, is not looked at.
        let mut keys = now.clone();
        for NoteText(note) in rotations.iter().take(ROTATIONS_MAX) {
            let [authority, _] = &keys;
            if note.contains(&format!("\nold {authority}\n"))
                && let Ok(stated) = Rotation::read(note.as_bytes())
            {
                keys = newest(keys, &[stated]);
            }
        }
        if is_pair(vkeys, &keys) {
            self.go_on_with(keys);
            return Ok(());
        }
        Err(format!(
            "the signer announces {}: {}; this log is signed with two: {}, by identity/keys.vkey and what those keys state of others \
             that follow them, and no such statement leads to the ones announced. Nothing was asked of it, and nothing of it went \
             into the log; see who serves the signer's socket, and start the signer that has these keys; where they are lost, go on \
             with others as a new generation: fieldnotary adopt",
            match vkeys.len() {
                1 => "one key".to_owned(),
                count => format!("{count} keys"),
            },
            named(vkeys),
            named(&keys.each_ref().map(ToString::to_string)),
        ))
    }

    /// Takes an entry of the log.
    pub(super) fn observe(&mut self, payload: &Payload) {
        if let Payload::KeyRotation(told) = payload
            && let Ok(stated) = Rotation::read(told.statement.as_bytes())
            && let Ok(now) = &self.now
        {
            let keys = newest(now.clone(), &[stated]);
            self.go_on_with(keys);
        }
    }

    fn go_on_with(&mut self, keys: [VerifierKey; 2]) {
        let Ok(now) = &mut self.now else { return };
        if *now != keys {
            let before = std::mem::replace(now, keys);
            // An identity has no more of them.
            if self.before.len() >= ROTATIONS_MAX {
                self.before.remove(0);
            }
            self.before.push(before);
        }
    }

    /// The keys of now, under the base origin.
    pub(super) fn now(&self) -> Vec<String> {
        let now = self.now.iter().flatten();
        now.map(ToString::to_string).collect()
    }

    /// Whether keys signed a note that others followed in this run: it was asked for before, and comes behind the entry that says so.
    pub(super) fn is_of_before(&self, note: &str, origin: &str) -> bool {
        let Ok(note) = Note::parse(note.as_bytes()) else {
            return false;
        };
        let keys = self.before.iter().flatten();
        let keys: Vec<VerifierKey> = keys.filter_map(|key| key.under_name(origin).ok()).collect();
        let verified = note.verify(&keys);
        verified.is_ok_and(|verified| (0..keys.len()).any(|place| verified.has_key(place)))
    }
}

/// Whether these are the two keys, in whatever order, and no others.
fn is_pair(said: &[String], keys: &[VerifierKey; 2]) -> bool {
    let said: Option<Vec<VerifierKey>> = said.iter().map(|vkey| vkey.parse().ok()).collect();
    said.and_then(pair).is_some_and(|said| said == *keys)
}

/// Keys by their names and ids, as their lines begin.
fn named(vkeys: &[String]) -> String {
    let short = |vkey: &String| -> String {
        // The key itself may have a plus in it.
        let named: Vec<&str> = vkey.splitn(3, '+').take(2).collect();
        let named = named.join("+");
        let shown = named.chars().filter(|one| !one.is_control());
        shown.take(NAMED_CHARS_MAX).collect()
    };
    let mut all: Vec<String> = vkeys.iter().take(NAMED_MAX).map(short).collect();
    if vkeys.len() > NAMED_MAX {
        all.push(format!("and {} more", vkeys.len() - NAMED_MAX));
    }
    match all.is_empty() {
        true => "none".to_owned(),
        false => all.join(", "),
    }
}

#[cfg(test)]
mod tests;
