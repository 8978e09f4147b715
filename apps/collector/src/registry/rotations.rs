//! Keys that follow others: what the keys of a log state of them, kept by log.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evidence::Actor;
use evidence::reasons::Outcome;
use exchange::collector::{Border, MirrorStore as _, Reply};
use exchange::split_origin;
use proof::note::VerifierKey;
use proof::tile::origin_directory;
use query::all_rotations_in;
use sha2::{Digest as _, Sha256};
use trust_plane::limits::ROTATIONS_MAX;
use trust_plane::{Named, Rotation, by_taken_back};

use super::{Pin, Registry, lock, not_known, pin, revoked};
use crate::audit::{self, Act};
use crate::error::Error;
use crate::files::{self, Access};

const FOLDER: &str = "rotations";
/// In a log's folder, a statement that does not count yet.
const DRAFT: &str = "next.note";

fn folder(dir: &Path, base: &str) -> PathBuf {
    dir.join(FOLDER).join(origin_directory(base))
}

/// What is kept of the statements of a log, the oldest first: each file with what it states, or with what is wrong with it.
fn kept(dir: &Path, base: &str) -> Vec<(PathBuf, Result<Rotation, String>)> {
    let mut all = all_rotations_in(&folder(dir, base));
    for (_, one) in &mut all {
        if let Ok(stated) = one
            && stated.base.as_str() != base
        {
            let words = format!(
                "it is of the log {}, and this folder of {base}",
                stated.base
            );
            *one = Err(words);
        }
    }
    all
}

/// The statements of a log that were taken, the oldest first. By them it is decided whose signatures count: nothing is decided by
/// a part of them.
fn chain(dir: &Path, base: &str) -> Result<Vec<Rotation>, Error> {
    let each = kept(dir, base).into_iter();
    each.map(|(path, one)| one.map_err(|words| not_whole(&path, &words)))
        .collect()
}

fn not_whole(path: &Path, words: &str) -> Error {
    Error::setup(format!(
        "{}: {words}; it tells which keys follow others in a log, so nothing is decided without it\n         put it back from a backup of the collector; or move it and those with a higher number out of that folder: the node brings \
         them again, and nothing of its log is taken until then",
        path.display()
    ))
}

/// The statements of some logs as far as they can be read, for whoever takes keys back: that waits for no file.
#[derive(Debug, Default)]
pub(crate) struct Readable {
    /// Those that can, each log's the oldest first.
    pub(crate) stated: Vec<Rotation>,
    /// Those that cannot: the file, what is wrong with it, and the log whose it is.
    pub(crate) damaged: Vec<String>,
}

/// What can be read of the statements of these logs.
pub(crate) fn readable(dir: &Path, bases: &BTreeSet<String>) -> Readable {
    let mut all = Readable::default();
    for base in bases {
        for (path, one) in kept(dir, base) {
            match one {
                Ok(stated) => all.stated.push(stated),
                Err(words) => {
                    let told = format!("{}: {words} (of the log {base})", path.display());
                    all.damaged.push(told);
                }
            }
        }
    }
    all
}

/// Of each of these statements, whether the keys that it names go with keys that were taken back: none of them is good by more than
/// such a word.
pub(crate) fn with_taken_back(
    stated: &[Rotation],
    is_good: impl Fn(&VerifierKey) -> bool,
    is_back: impl Fn(&VerifierKey) -> bool,
) -> Vec<bool> {
    let named = stated.iter().map(|one| Named {
        old: one.old.each_ref(),
        new: one.new.each_ref(),
        vouched: one.new.iter().any(&is_good),
    });
    by_taken_back(&named.collect::<Vec<_>>(), is_back)
}

/// The origin of a log without its generation.
pub(crate) fn base_of(prefix: &str) -> &str {
    split_origin(prefix).map_or(prefix, |(base, _)| base)
}

/// These pins, and those of the keys that follow theirs. What follows a revoked key is good only where one of the two was given
/// itself.
///
/// # Errors
/// Statements that cannot be read.
pub(crate) fn with_followers(
    dir: &Path,
    pins: Vec<Pin>,
    is_revoked: &dyn Fn(&VerifierKey) -> bool,
) -> Result<Vec<Pin>, Error> {
    let mut bases: Vec<String> = pins
        .iter()
        .map(|one| base_of(one.prefix()).to_owned())
        .collect();
    bases.sort();
    bases.dedup();
    let mut all = pins;
    for base in bases {
        let stated = chain(dir, &base)?;
        let is_good = |key: &VerifierKey| {
            let is_it = |one: &Pin| !one.is_revoked() && one.key().is_same_key(key);
            all.iter().any(is_it)
        };
        let is_back = |key: &VerifierKey| {
            let is_it = |one: &Pin| one.is_revoked() && one.key().has_same_secret(key);
            is_revoked(key) || all.iter().any(is_it)
        };
        let bad = with_taken_back(&stated, is_good, is_back);
        let mut followers = Vec::new();
        for (one, bad) in stated.iter().zip(bad) {
            for key in &one.new {
                let follower = Pin::new(key.clone(), &base);
                followers.push(match bad || is_back(key) {
                    true => follower.revoked("with a key that named it to follow"),
                    false => follower,
                });
            }
        }
        for one in followers {
            if !all.iter().any(|known| known.key().is_same_key(one.key())) {
                all.push(one);
            }
        }
    }
    Ok(all)
}

/// Where keys of a log follow others, as it concerns one of its generations.
///
/// # Errors
/// Statements that cannot be read.
pub(crate) fn borders(dir: &Path, origin: &str) -> Result<Vec<Border>, Error> {
    let all = chain(dir, base_of(origin))?.into_iter();
    let named = all.filter_map(|stated| {
        let own = stated.base.generation(origin).ok()?;
        Some(Border {
            from: match stated.generation.cmp(&own) {
                Ordering::Less => 0,
                Ordering::Equal => stated.size.saturating_add(1),
                Ordering::Greater => u64::MAX,
            },
            old: stated.old.to_vec(),
            new: stated.new.to_vec(),
        })
    });
    Ok(named.collect())
}

impl Registry {
    /// Answers `add-rotation`: takes what the keys of a log state of those that follow them, in the signed note that says
    /// it; `actor` brought it. Where a step of it fails, the next try takes up there.
    ///
    /// # Errors
    /// When storage fails.
    pub fn add_rotation(
        &self,
        stated: &Rotation,
        note: &[u8],
        actor: &Actor,
    ) -> Result<Reply, Error> {
        let mut unfinished = lock(&self.rotating)?;
        let pins = self.pins_now()?;
        let origin = stated.origin();
        let base = stated.base.as_str();
        if !pins.iter().any(|one| one.covers(&origin)) {
            return Ok(not_known(&origin));
        }
        let before = chain(&self.dir, base)?;
        if before.iter().any(|known| known.new == stated.new) {
            if unfinished.contains(base) {
                self.followed(base)?;
                unfinished.remove(base);
            }
            return Ok(Reply::text(200, &"known"));
        }
        if pin::is_closed(&pins, &origin) {
            return Ok(revoked(&pins, &origin));
        }
        if let Some(words) = objection(&pins, &origin, stated, &before) {
            return Ok(Reply::text(403, &words));
        }
        if let Some(words) = self.contradicts(&origin, stated)? {
            return Ok(Reply::text(409, &words));
        }
        unfinished.insert(base.to_owned());
        self.keep(stated, note, before.len().saturating_add(1), actor)?;
        self.followed(base)?;
        unfinished.remove(base);
        Ok(Reply::text(200, &"taken"))
    }

    /// Keeps a statement. It is durable as a draft before the book has it, so that the book has none that there is no room for; and
    /// it is in the book before it counts: no keys count of which the book does not say who brought them. Behind the line there
    /// is but a change of name, and where that fails there is no line. What is cut between the node brings again: the book has it.
    fn keep(
        &self,
        stated: &Rotation,
        note: &[u8],
        number: usize,
        actor: &Actor,
    ) -> Result<(), Error> {
        let base = stated.base.as_str();
        let place = folder(&self.dir, base);
        let (draft, path) = (place.join(DRAFT), place.join(Rotation::file(number)));
        files::write(&draft, note, Access::Public)?;
        let act = Act {
            actor,
            action: "add-rotation",
            scope: base,
            reason: &format!("{}: {}", stated.by, stated.reason),
            outcome: Outcome::Done,
            count: 1,
        };
        let hash = files::hex(&Sha256::digest(stated.text()));
        audit::note_and_count(&self.dir, &act, &hash, || {
            std::fs::rename(&draft, &path).map_err(Error::io("rename to", &path))
        })
    }

    /// The keys of a statement that was taken count from here on.
    fn followed(&self, base: &str) -> Result<(), Error> {
        files::flush_dir(&folder(&self.dir, base))?;
        let pins = with_followers(&self.dir, self.pins_now()?.to_vec(), &|_| false)?;
        *lock(&self.pins)? = pins.into();
        self.write_log_keys()?;
        let pins = self.pins_now()?;
        for (origin, log) in lock(&self.logs)?.clone() {
            if base_of(&origin) == base
                && let Some(keys) = pin::keys(&pins, &origin)
            {
                lock(&log)?.trust(keys, borders(&self.dir, &origin)?);
            }
        }
        Ok(())
    }

    /// What is held of the log and is not as the old keys state.
    fn contradicts(&self, origin: &str, stated: &Rotation) -> Result<Option<String>, Error> {
        let Some(log) = self.log(origin)? else {
            return Ok(None);
        };
        let mirror = lock(&log)?;
        let taken = mirror.newest_signed_by(&stated.old);
        if taken > stated.size {
            return Ok(Some(format!(
                "a head of {taken} entries that the old keys signed was taken, and they state that they signed {} at the most",
                stated.size
            )));
        }
        let root = match stated.size <= mirror.store().next_entry() {
            true => mirror.store().root_at(stated.size)?,
            false => None,
        };
        let differs = root.is_some_and(|root| root != stated.root);
        Ok(differs.then(|| format!("another tree of {} entries is held", stated.size)))
    }
}

/// Why a statement names no keys of this log.
fn objection(pins: &[Pin], origin: &str, stated: &Rotation, before: &[Rotation]) -> Option<String> {
    let covering: Vec<&Pin> = pins.iter().filter(|one| one.covers(origin)).collect();
    let is_back = |key: &VerifierKey| {
        pins.iter()
            .any(|one| one.is_revoked() && one.key().has_same_secret(key))
    };
    if let Some(key) = stated.keys().iter().find(|key| is_back(key)) {
        return Some(format!("{key} was revoked here: it changes no keys"));
    }
    if before.len() >= ROTATIONS_MAX {
        return Some(format!(
            "the keys of this log changed {ROTATIONS_MAX} times already"
        ));
    }
    // Keys that no statement names are those of a node that was replaced: people pinned them.
    let retired = |key: &VerifierKey| {
        before
            .iter()
            .any(|one| one.old.iter().any(|old| old.has_same_secret(key)))
    };
    let retired = stated.old.iter().any(retired);
    if let Some(last) = before.last().filter(|_| retired) {
        let [authority, _] = &last.new;
        return Some(format!(
            "the keys that sign this log now are others, {authority} among them"
        ));
    }
    // A log signs with a key of each algorithm: what is known of either has to be among those that state this.
    let unknown = stated.old.iter().find(|key| {
        let of_it = |one: &&&Pin| one.key().algorithm() == key.algorithm() && !one.is_revoked();
        let mut due = covering.iter().filter(of_it).peekable();
        due.peek().is_some() && !due.any(|one| one.key().is_same_key(key))
    });
    let known = |key: &VerifierKey| covering.iter().any(|one| one.key().is_same_key(key));
    // People pinned the keys that it leads to, and not those that it starts from: it tells of what was before.
    let tells = before.is_empty() && stated.new.iter().all(known);
    if !tells && (unknown.is_some() || !stated.old.iter().any(known)) {
        return Some("it is by keys that do not sign this log".to_owned());
    }
    None
}
