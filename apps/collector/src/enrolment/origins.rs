//! Whose log an origin is: the keys that are known here for it, however they came here. Nobody is taken in for the log of
//! another.

use std::path::Path;

use evidence::Generation;
use exchange::split_origin;
use proof::note::{Note, VerifierKey};

use super::revoke::Revocations;
use super::{Record, records, vkeys};
use crate::error::Error;
use crate::files;
use crate::registry::{self, LOGS_DIR};
use crate::store::{FileStore, ORIGIN_FILE};

/// A key by its bytes: its name says nothing.
pub(super) fn same(one: &VerifierKey, other: &VerifierKey) -> bool {
    one.public_bytes() == other.public_bytes()
}

/// The keys that are known here for an origin: those that were registered, and those of the last start.
fn known(dir: &Path, origin: &str) -> Result<Vec<VerifierKey>, Error> {
    let registered = records(dir)?;
    let registered = registered
        .iter()
        .filter(|record| record.receipt.is_some() && record.request.origin == origin);
    let mut keys: Vec<VerifierKey> = registered
        .filter_map(|record| vkeys(&record.request))
        .flatten()
        .collect();
    // A pin of one generation alone is of that log too.
    let of_it = |pin: &registry::Pin| {
        pin.covers(origin) || split_origin(pin.prefix()).is_some_and(|(base, _)| base == origin)
    };
    let pins = registry::remembered(dir)?;
    keys.extend(
        pins.iter()
            .filter(|pin| of_it(pin))
            .map(|pin| pin.key().clone()),
    );
    Ok(keys)
}

/// Whether a log is held here of which a head was not signed by this authority.
fn is_held_of_another(dir: &Path, origin: &str, authority: &VerifierKey) -> Result<bool, Error> {
    let logs = dir.join(LOGS_DIR);
    let found = match std::fs::read_dir(&logs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        found => found.map_err(Error::io("list", &logs))?,
    };
    for entry in found {
        let log = entry.map_err(Error::io("list", &logs))?.path();
        let Some(held) = files::read(&log.join(ORIGIN_FILE))? else {
            continue;
        };
        let held = String::from_utf8_lossy(&held).trim().to_owned();
        let is_it = |(base, _): (&str, Generation)| base == origin;
        if held != origin && !split_origin(&held).is_some_and(is_it) {
            continue;
        }
        let Ok(named) = authority.under_name(&held) else {
            return Ok(true);
        };
        let by_it = |note: &String| {
            let note = Note::parse(note.as_bytes());
            note.is_ok_and(|note| note.verify(std::slice::from_ref(&named)).is_ok())
        };
        if !FileStore::heads(&log)?.iter().all(by_it) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a request's keys may be taken in for its origin. `new_keys` says that whoever takes them in knows that the log had
/// others, which were revoked.
///
/// # Errors
/// Why not, in words for whoever takes them in.
pub(super) fn judge(
    dir: &Path,
    record: &Record,
    keys: &[VerifierKey; 2],
    new_keys: bool,
) -> Result<(), Error> {
    let origin = &record.request.origin;
    let refused = |words: String| Err(Error::usage(words));
    let revoked = Revocations::read(dir)?;
    if let Some(one) = keys.iter().find_map(|key| revoked.find(key)) {
        return refused(format!(
            "one of its keys was revoked here ({}): it is taken in no more; the node needs new keys",
            one.reason
        ));
    }
    let known = known(dir, origin)?;
    let is_known = |key: &VerifierKey| known.iter().any(|one| same(one, key));
    if keys.iter().all(is_known) {
        return Ok(());
    }
    let others = || {
        known
            .iter()
            .filter(|one| !keys.iter().any(|key| same(one, key)))
    };
    if let Some(other) = others().find(|one| revoked.find(one).is_none()) {
        return refused(format!(
            "{origin} is known here with other keys, {other} among them: nobody else is taken in for that log. Is it \
             another machine with that name? If the node really has new keys, revoke the old ones first"
        ));
    }
    let [authority, _] = keys;
    let had_others = others().next().is_some() || is_held_of_another(dir, origin, authority)?;
    match had_others && !new_keys {
        false => Ok(()),
        true => refused(format!(
            "{origin} is a log that had other keys here: if they were revoked and this node goes on in their place, say so \
             with --new-keys"
        )),
    }
}
