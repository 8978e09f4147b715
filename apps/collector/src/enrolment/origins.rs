//! Whose log an origin is: the keys that are known here for it, however they came here. Nobody is taken in for the log of
//! another.

use std::path::{Path, PathBuf};

use evidence::Generation;
use exchange::split_origin;
use proof::note::{Note, VerifierKey};

use super::revoke::Revocations;
use super::{Record, records, vkeys};
use crate::error::Error;
use crate::files;
use crate::registry::{self, LOGS_DIR};
use crate::store::{FileStore, ORIGIN_FILE};

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

/// Where logs are held here.
fn logs(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let logs = dir.join(LOGS_DIR);
    let found = match std::fs::read_dir(&logs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(Error::io("list", &logs))?,
    };
    let each = found.map(|entry| Ok(entry.map_err(Error::io("list", &logs))?.path()));
    each.collect()
}

/// Every head of the log that is held in a folder, with the log's name.
fn heads_in(log: &Path) -> Result<Vec<(String, String)>, Error> {
    let Some(name) = files::read(&log.join(ORIGIN_FILE))? else {
        return Ok(Vec::new());
    };
    let name = String::from_utf8_lossy(&name).trim().to_owned();
    let heads = FileStore::heads(log)?.into_iter();
    Ok(heads.map(|head| (name.clone(), head)).collect())
}

/// Every head of a log that is held here, with the log's name.
fn heads(dir: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut all = Vec::new();
    for log in logs(dir)? {
        all.extend(heads_in(&log)?);
    }
    Ok(all)
}

/// How many lines of a head are not by these keys, whatever their names; none where no line is by one of them.
fn lines_by_others(keys: &[VerifierKey], log: &str, head: &str) -> Option<usize> {
    let named: Result<Vec<_>, _> = keys.iter().map(|key| key.under_name(log)).collect();
    let note = Note::parse(head.as_bytes()).ok()?;
    let verified = note.verify(&named.ok()?).ok()?;
    Some(verified.unknown_lines)
}

/// The logs held here of which this key signed a head, and what is wrong with the first that cannot be read and may be one.
///
/// # Errors
/// Where the logs cannot be listed.
pub(super) fn logs_signed_by(
    dir: &Path,
    key: &VerifierKey,
) -> Result<(Vec<String>, Option<Error>), Error> {
    let key = std::slice::from_ref(key);
    let (mut found, mut unread) = (Vec::new(), None);
    for log in logs(dir)? {
        match heads_in(&log) {
            Ok(heads) => {
                let by_it = |(log, head): &(String, String)| lines_by_others(key, log, head);
                let by_it = heads.into_iter().filter(|one| by_it(one).is_some());
                found.extend(by_it.map(|(log, _)| log));
            }
            Err(error) => unread = unread.or(Some(error)),
        }
    }
    Ok((found, unread))
}

/// Whether heads of an origin's log are held here that this authority did not sign.
struct OfAnother {
    any: bool,
    /// And of which no key was taken back either.
    unrevoked: Option<String>,
}

impl OfAnother {
    fn of(
        dir: &Path,
        origin: &str,
        authority: &VerifierKey,
        revoked: &Revocations,
    ) -> Result<Self, Error> {
        let of_it = |(base, _): (&str, Generation)| base == origin;
        let is_own = |log: &str| log == origin || split_origin(log).is_some_and(of_it);
        let mut others = heads(dir)?;
        others.retain(|(log, head)| {
            is_own(log) && lines_by_others(std::slice::from_ref(authority), log, head).is_none()
        });
        // A log signs with two keys, of which one may be known to nobody here: more lines than that are of others.
        let back: Vec<VerifierKey> = revoked.keys().cloned().collect();
        let is_back = |log: &str, head: &str| {
            lines_by_others(&back, log, head).is_some_and(|lines| lines <= 1)
        };
        let unrevoked = others.iter().find(|(log, head)| !is_back(log, head));
        Ok(Self {
            any: !others.is_empty(),
            unrevoked: unrevoked.map(|(log, _)| log.clone()),
        })
    }
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
    let refused = |words: String| Err(Error::refused(words));
    let revoked = Revocations::read(dir)?;
    if let Some(one) = keys.iter().find_map(|key| revoked.find(key)) {
        return refused(format!(
            "one of its keys was revoked here ({}): it is taken in no more; the node needs new keys",
            one.reason
        ));
    }
    let known = known(dir, origin)?;
    let is_known = |key: &VerifierKey| known.iter().any(|one| one.is_same_key(key));
    if keys.iter().all(is_known) {
        return Ok(());
    }
    let others = || {
        known
            .iter()
            .filter(|one| !keys.iter().any(|key| one.is_same_key(key)))
    };
    if let Some(other) = others().find(|one| revoked.find(one).is_none()) {
        return refused(format!(
            "{origin} is known here with other keys, {other} among them: nobody else is taken in for that log. Is it \
             another machine with that name? If the node really has new keys, revoke the old ones first"
        ));
    }
    let [authority, _] = keys;
    let held = OfAnother::of(dir, origin, authority, &revoked)?;
    if let Some(log) = held.unrevoked.filter(|_| new_keys) {
        return refused(format!(
            "{log} is held here, and whoever signed it was not revoked: nobody else is taken in for that log. If the node \
             really has new keys, revoke the old ones first (a line of its old identity/keys.vkey)"
        ));
    }
    match (others().next().is_some() || held.any) && !new_keys {
        false => Ok(()),
        true => refused(format!(
            "{origin} is a log that had other keys here: if they were revoked and this node goes on in their place, say so \
             with --new-keys"
        )),
    }
}
