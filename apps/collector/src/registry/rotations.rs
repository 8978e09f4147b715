//! Keys that follow others: what the keys of a log state of them, kept by log.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use evidence::Actor;
use evidence::reasons::Outcome;
use exchange::collector::{Border, MirrorStore as _, Reply};
use exchange::split_origin;
use proof::note::VerifierKey;
use proof::tile::origin_directory;
use query::all_rotations_in;
use trust_plane::limits::ROTATIONS_MAX;
use trust_plane::{Named, Rotation, by_taken_back};

use super::{Pin, Registry, lock, not_known, pin, revoked};
use crate::audit::{self, Act, Book};
use crate::error::Error;
use crate::files::{self, Access};

const FOLDER: &str = "rotations";

fn folder(dir: &Path, base: &str) -> PathBuf {
    dir.join(FOLDER).join(origin_directory(base))
}

/// The statements in a folder, the oldest first. By them it is decided whose signatures count: nothing is decided by a part
/// of them.
fn taken(folder: &Path) -> Result<Vec<Rotation>, Error> {
    let all = all_rotations_in(folder).map_err(|(path, words)| not_whole(&path, &words))?;
    Ok(all.into_iter().map(|(_, stated)| stated).collect())
}

fn not_whole(path: &Path, words: &str) -> Error {
    Error::setup(format!(
        "{}: {words}; it tells which keys follow others in a log, so nothing is decided without it\n         put it back from a backup of the collector; or move it and those with a higher number out of that folder: the node brings \
         them again, and nothing of its log is taken until then",
        path.display()
    ))
}

/// The statements of a log that were taken, the oldest first.
fn chain(dir: &Path, base: &str) -> Result<Vec<Rotation>, Error> {
    let folder = folder(dir, base);
    let all = taken(&folder)?;
    let strange = (1..).zip(&all).find(|(_, one)| one.base.as_str() != base);
    match strange {
        None => Ok(all),
        Some((number, one)) => {
            let words = format!("it is of the log {}, and this folder of {base}", one.base);
            Err(not_whole(&folder.join(Rotation::file(number)), &words))
        }
    }
}

/// The statements of all logs that were taken, each log's the oldest first.
///
/// # Errors
/// A folder that cannot be read, or a file in it that is no statement.
pub(crate) fn statements(dir: &Path) -> Result<Vec<Rotation>, Error> {
    let folder = dir.join(FOLDER);
    let found = match std::fs::read_dir(&folder) {
        Ok(found) => found.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut all = Vec::new();
    for log in found.map_err(Error::io("list", &folder))? {
        // A folder for each log; what somebody put beside them is nobody's.
        if !log.path().is_dir() {
            continue;
        }
        all.extend(taken(&log.path())?);
    }
    Ok(all)
}

fn base_of(prefix: &str) -> &str {
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
        let named: Vec<Named<'_>> = stated
            .iter()
            .map(|one| Named {
                old: one.old.each_ref(),
                new: one.new.each_ref(),
                vouched: one.new.iter().any(is_good),
            })
            .collect();
        let is_back = |key: &VerifierKey| {
            let is_it = |one: &Pin| one.is_revoked() && one.key().has_same_secret(key);
            is_revoked(key) || all.iter().any(is_it)
        };
        let bad = by_taken_back(&named, is_back);
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
    /// it; `actor` brought it.
    ///
    /// # Errors
    /// When storage fails.
    pub fn add_rotation(
        &self,
        stated: &Rotation,
        note: &[u8],
        actor: &Actor,
    ) -> Result<Reply, Error> {
        let _one_at_a_time = lock(&self.rotating)?;
        let pins = self.pins_now()?;
        let origin = stated.origin();
        let base = stated.base.as_str();
        if !pins.iter().any(|one| one.covers(&origin)) {
            return Ok(not_known(&origin));
        }
        let before = chain(&self.dir, base)?;
        if before.iter().any(|known| known.new == stated.new) {
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
        // Noted first: no keys count of which the book does not say who brought them. What is cut behind it the node brings again,
        // and the book has a line for each time.
        let act = Act {
            actor,
            action: "add-rotation",
            scope: base,
            reason: &format!("{}: {}", stated.by, stated.reason),
            outcome: Outcome::Done,
            count: 1,
        };
        audit::note(&self.dir, Book::Acts, &act)?;
        let place = folder(&self.dir, base);
        files::create_dir(&self.dir.join(FOLDER))?;
        files::create_dir(&place)?;
        let path = place.join(Rotation::file(before.len().saturating_add(1)));
        files::write(&path, note, Access::Public)?;
        self.followed(base)?;
        Ok(Reply::text(200, &"taken"))
    }

    /// The keys of a statement that was taken count from here on.
    fn followed(&self, base: &str) -> Result<(), Error> {
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
