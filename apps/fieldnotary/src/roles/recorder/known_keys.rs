//! The keys that sign this log, as the node knows them without its signer: by the file beside the log, and by what those keys state
//! of others that follow them. Whoever answers at the signer's socket is held to them.

use super::rotated::{RotationWatch, name};
use crate::commands::{keys_beside, stated_in};
use crate::paths::DataDir;
use evidence::foreign::line;
use evidence::{Digest, Payload};
use ipc::message::{Keys, NoteText};
use journal::Reader;
use media::{FileTruth, FileVolume};
use proof::note::{Algorithm, Note, VerifierKey};
use std::collections::BTreeSet;
use trust_plane::limits::ROTATIONS_MAX;
use trust_plane::{Claim, Rotation, in_order, newest};

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
    /// Whether this run said that a statement is not by them.
    told_of_unsigned: bool,
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
            told_of_unsigned: false,
        }
    }

    /// Whether it is still to be said that a statement is not by them: once in a run, as it may be so behind each seal.
    pub(super) const fn tells_of_unsigned(&mut self) -> bool {
        !std::mem::replace(&mut self.told_of_unsigned, true)
    }

    /// Holds who answers as the signer to them, by what it announces and by its signature on all that it says, over the number that
    /// it was asked with: the keys are public, and whoever announces them need not have them. Keys that follow them by their own
    /// word are theirs from now on.
    ///
    /// # Errors
    /// What is announced, what is expected, and what would be right.
    pub(super) fn heard(&mut self, said: &Keys, asked: &Digest) -> Result<(), String> {
        let keys = self.announced(&said.vkeys, &said.rotations)?;
        let [authority, _] = &keys;
        let due = Claim::Description(&said.signed_bytes(asked)).text(authority.name());
        let note = said.note.as_ref().map_or("", |NoteText(note)| note);
        signed_by(note, &due, &keys).map_err(|words| {
            format!(
                "the signer announces the keys of this log ({}), and what it says is not signed with them: {words}. Nothing else was \
                 asked of it, and nothing of it went into the log; see who serves the signer's socket, and start the signer that has \
                 these keys",
                named(&said.vkeys)
            )
        })?;
        self.go_on_with(keys);
        Ok(())
    }

    /// The keys that whoever answers announces, where these, or what they state of others, lead to them.
    fn announced(
        &self,
        vkeys: &[String],
        rotations: &[NoteText],
    ) -> Result<[VerifierKey; 2], String> {
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
            return Ok(keys);
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

    /// Which of these statements, the oldest first, are of the keys of now and of those that they followed. Who tells of others may be
    /// whoever wants them in the log.
    pub(super) fn of_these<'a>(&self, stated: &'a [NoteText]) -> Vec<&'a str> {
        let Ok(now) = &self.now else {
            return Vec::new();
        };
        let mut keys = now.clone();
        let mut of_these = Vec::new();
        for NoteText(note) in stated.iter().take(ROTATIONS_MAX).rev() {
            let [authority, _] = &keys;
            if note.contains(&format!("\nnew {authority}\n"))
                && let Ok(stated) = Rotation::read(note.as_bytes())
                && stated.base.as_str() == authority.name()
                && stated.new == keys
            {
                keys = stated.old;
                of_these.push(note.as_str());
            }
        }
        of_these.reverse();
        of_these
    }

    /// Whether the keys of now, and nobody else, signed this text under the origin of a generation; the authority, where they did.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn signed(
        &self,
        note: &str,
        text: &str,
        origin: &str,
    ) -> Result<VerifierKey, String> {
        let [authority, beside] = self.now.as_ref().map_err(Clone::clone)?;
        let under = |key: &VerifierKey| key.under_name(origin).map_err(|error| error.to_string());
        let keys = [under(authority)?, under(beside)?];
        signed_by(note, text, &keys)?;
        let [authority, _] = keys;
        Ok(authority)
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

/// Whether both keys and nobody else signed this text.
fn signed_by(note: &str, text: &str, keys: &[VerifierKey; 2]) -> Result<(), String> {
    let note = Note::parse(note.as_bytes()).map_err(|error| error.to_string())?;
    if note.text() != text {
        return Err("another text was signed than was asked for".to_owned());
    }
    let verified = note.verify(keys).map_err(|error| error.to_string())?;
    let both = (0..keys.len()).all(|place| verified.has_key(place));
    match both && verified.unknown_lines == 0 {
        true => Ok(()),
        false => Err("not both keys and they alone signed it".to_owned()),
    }
}

/// Keys by their names and ids, as their lines begin.
fn named(vkeys: &[String]) -> String {
    let short = |vkey: &String| -> String {
        // The key itself may have a plus in it.
        let named: Vec<&str> = vkey.splitn(3, '+').take(2).collect();
        line(&named.join("+"))
            .chars()
            .take(NAMED_CHARS_MAX)
            .collect()
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
