//! Keys that follow others: what the keys of a log state of them, kept by log.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use evidence::Actor;
use evidence::reasons::Outcome;
use exchange::collector::{Border, MirrorStore as _, Reply};
use exchange::split_origin;
use proof::note::VerifierKey;
use proof::tile::origin_directory;
use query::rotations_in;
use trust_plane::Rotation;
use trust_plane::limits::ROTATIONS_MAX;

use super::{Pin, Registry, lock, not_known, pin, revoked};
use crate::audit::{self, Act, Book};
use crate::error::Error;
use crate::files::{self, Access};

const FOLDER: &str = "rotations";

fn folder(dir: &Path, base: &str) -> PathBuf {
    dir.join(FOLDER).join(origin_directory(base))
}

/// The statements of a log that were taken, the oldest first.
fn chain(dir: &Path, base: &str) -> Vec<Rotation> {
    let all = rotations_in(&folder(dir, base)).into_iter();
    all.map(|(_, stated)| stated).collect()
}

/// The statements of all logs that were taken, each log's the oldest first.
///
/// # Errors
/// A folder that cannot be read.
pub(crate) fn statements(dir: &Path) -> Result<Vec<Rotation>, Error> {
    let folder = dir.join(FOLDER);
    let found = match std::fs::read_dir(&folder) {
        Ok(found) => found.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let found = found.map_err(Error::io("list", &folder))?;
    let all = found.iter().flat_map(|log| rotations_in(&log.path()));
    Ok(all.map(|(_, stated)| stated).collect())
}

fn base_of(prefix: &str) -> &str {
    split_origin(prefix).map_or(prefix, |(base, _)| base)
}

/// A key by its bytes: its name says nothing.
fn same(one: &VerifierKey, other: &VerifierKey) -> bool {
    one.public_bytes() == other.public_bytes()
}

/// These pins, and those of the keys that follow theirs. What follows a revoked key is good only where it was given itself.
pub(crate) fn with_followers(
    dir: &Path,
    pins: Vec<Pin>,
    is_revoked: &dyn Fn(&VerifierKey) -> bool,
) -> Vec<Pin> {
    let mut bases: Vec<String> = pins
        .iter()
        .map(|one| base_of(one.prefix()).to_owned())
        .collect();
    bases.sort();
    bases.dedup();
    let mut all = pins;
    for base in bases {
        for stated in chain(dir, &base) {
            let of = |one: &Pin, keys: &[VerifierKey]| keys.iter().any(|key| same(one.key(), key));
            let back = all
                .iter()
                .any(|one| one.is_revoked() && of(one, &stated.old));
            for key in &stated.new {
                if all.iter().any(|one| same(one.key(), key)) {
                    continue;
                }
                let follower = Pin::new(key.clone(), &base);
                all.push(match back || is_revoked(key) {
                    true => follower.revoked(),
                    false => follower,
                });
            }
        }
    }
    all
}

/// Where keys of a log follow others, as it concerns one of its generations.
pub(crate) fn borders(dir: &Path, origin: &str) -> Vec<Border> {
    let all = chain(dir, base_of(origin)).into_iter();
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
    named.collect()
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
        let before = chain(&self.dir, base);
        if before.iter().any(|known| known.new == stated.new) {
            return Ok(Reply::text(200, &"known"));
        }
        if pin::is_closed(&pins, &origin) {
            return Ok(revoked(&origin));
        }
        if let Some(words) = objection(&pins, &origin, stated, &before) {
            return Ok(Reply::text(403, &words));
        }
        if let Some(words) = self.contradicts(&origin, stated)? {
            return Ok(Reply::text(409, &words));
        }
        let place = folder(&self.dir, base);
        files::create_dir(&self.dir.join(FOLDER))?;
        files::create_dir(&place)?;
        let path = place.join(Rotation::file(before.len().saturating_add(1)));
        files::write(&path, note, Access::Public)?;
        self.followed(base)?;
        let act = Act {
            actor,
            action: "add-rotation",
            scope: base,
            reason: &format!("{}: {}", stated.by, stated.reason),
            outcome: Outcome::Done,
            count: 1,
        };
        audit::note(&self.dir, Book::Acts, &act)?;
        Ok(Reply::text(200, &"taken"))
    }

    /// The keys of a statement that was taken count from here on.
    fn followed(&self, base: &str) -> Result<(), Error> {
        let pins = with_followers(&self.dir, self.pins_now()?.to_vec(), &|_| false);
        *lock(&self.pins)? = pins.into();
        self.write_log_keys()?;
        let pins = self.pins_now()?;
        for (origin, log) in lock(&self.logs)?.clone() {
            if base_of(&origin) == base
                && let Some(keys) = pin::keys(&pins, &origin)
            {
                lock(&log)?.trust(keys, borders(&self.dir, &origin));
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
            .any(|one| one.is_revoked() && same(one.key(), key))
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
            .any(|one| one.old.iter().any(|old| same(old, key)))
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
        due.peek().is_some() && !due.any(|one| same(one.key(), key))
    });
    let known = |key: &VerifierKey| covering.iter().any(|one| same(one.key(), key));
    // People pinned the keys that it leads to, and not those that it starts from: it tells of what was before.
    let tells = before.is_empty() && stated.new.iter().all(known);
    if !tells && (unknown.is_some() || !stated.old.iter().any(known)) {
        return Some("it is by keys that do not sign this log".to_owned());
    }
    None
}
