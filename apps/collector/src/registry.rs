//! The logs: whose signatures count, where each is stored, which generation follows which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use evidence::Generation;
use exchange::collector::{Announcement, Flow, Mirror, MirrorStore as _, Reply, Standing, Upload};
use exchange::{CollectorAlarm, Link, named_predecessor, origin_of, split_origin};
use proof::tile::origin_directory;
use serde_json::json;

use crate::counters::Counters;
use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::Identity;
use crate::limits::ADOPTION_LOOKS_MAX;
use crate::lock::Lock;
use crate::store::{Alarm, FOLLOWS_FILE, FileStore, FollowedBy, ORIGIN_FILE, follower};

mod pin;
mod replies;
mod rotations;
pub use pin::{Pin, remembered};
use replies::{not_known, revoked, revoked_key};
#[cfg(test)]
pub(crate) use rotations::borders;
pub(crate) use rotations::{base_of, readable, with_followers, with_taken_back};

pub(crate) const LOGS_DIR: &str = "logs";
const LOG_KEYS_FILE: &str = "log-keys";

/// A mirrored log with its lock.
pub type Log = Arc<Mutex<Mirror<FileStore>>>;

/// All logs of a collector.
#[derive(Debug)]
pub struct Registry {
    dir: PathBuf,
    identity: Identity,
    pins: Mutex<Arc<[Pin]>>,
    /// One statement of new keys is taken at a time. The logs, without generation, of which taking one failed midway.
    rotating: Mutex<BTreeSet<String>>,
    counters: Arc<Counters>,
    logs: Mutex<BTreeMap<String, Log>>,
    newest: Mutex<BTreeMap<String, Generation>>,
    unserved: Mutex<Vec<String>>,
    /// Logs that a version without a witness took, and the first entry of each that is judged.
    begun: Mutex<Vec<(String, u64)>>,
    /// Logs of which a write failed; each is opened again when it is asked for.
    failed: Mutex<BTreeSet<String>>,
    _lock: Lock,
}

/// How far a log is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The log's origin.
    pub origin: String,
    /// Entries cosigned.
    pub cosigned: u64,
    /// Entries stored, those above the cosigned ones included.
    pub stored: u64,
    /// Directory, from the collector's.
    pub dir: String,
    /// What stands against it.
    pub alarms: Vec<Alarm>,
    /// The generation that follows it, where it had alarms.
    pub followed_by: Option<FollowedBy>,
}

impl Registry {
    /// Opens a collector's directory, which no other process may have open, and every log in it.
    ///
    /// # Errors
    /// What is missing, damaged or in use.
    pub fn open(dir: &Path, pins: Vec<Pin>) -> Result<Self, Error> {
        let identity = Identity::load(dir)?;
        let lock = Lock::take(dir)?;
        let registry = Self {
            dir: dir.to_path_buf(),
            identity,
            pins: Mutex::new(pins.into()),
            rotating: Mutex::default(),
            counters: Arc::default(),
            logs: Mutex::default(),
            newest: Mutex::default(),
            unserved: Mutex::default(),
            begun: Mutex::default(),
            failed: Mutex::default(),
            _lock: lock,
        };
        registry.write_log_keys()?;
        registry.open_logs()?;
        Ok(registry)
    }

    /// The cosigner.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every log of which something is held, by origin.
    ///
    /// # Errors
    /// When a panic left a log unusable.
    pub fn held(&self) -> Result<Vec<Held>, Error> {
        let logs = lock(&self.logs)?.clone();
        let held = logs.into_iter().map(|(origin, log)| {
            let mirror = lock(&log)?;
            Ok(Held {
                cosigned: mirror.mirrored_head().size,
                stored: mirror.store().next_entry(),
                dir: format!("{LOGS_DIR}/{}", origin_directory(&origin)),
                alarms: mirror.store().alarms(),
                followed_by: mirror.store().follower().cloned(),
                origin,
            })
        });
        held.collect()
    }

    /// Origins of the logs that lie here and that no pinned key covers.
    ///
    /// # Errors
    /// When a panic left the registry unusable.
    pub fn unserved(&self) -> Result<Vec<String>, Error> {
        Ok(lock(&self.unserved)?.clone())
    }

    /// Logs that a version without a witness took, and the first entry of each that is judged: told once.
    ///
    /// # Errors
    /// When a panic left the registry unusable.
    pub fn begun(&self) -> Result<Vec<(String, u64)>, Error> {
        Ok(std::mem::take(&mut *lock(&self.begun)?))
    }

    /// Alarms of a log that nobody was told of in this run, and what its node is told of those that stand.
    ///
    /// # Errors
    /// When a panic left the registry unusable.
    pub fn alarms(&self, origin: &str) -> Result<(Vec<Alarm>, Option<CollectorAlarm>), Error> {
        let Some(log) = lock(&self.logs)?.get(origin).cloned() else {
            return Ok((Vec::new(), None));
        };
        let mut mirror = lock(&log)?;
        let untold = mirror.store_mut().untold_alarms();
        Ok((untold, mirror.store().alarm_for_node()))
    }

    /// The pinned keys, each with the prefix of its origins.
    ///
    /// # Errors
    /// When a panic left the registry unusable.
    pub fn pins(&self) -> Result<Vec<Pin>, Error> {
        Ok(self.pins_now()?.to_vec())
    }

    fn pins_now(&self) -> Result<Arc<[Pin]>, Error> {
        Ok(Arc::clone(&*lock(&self.pins)?))
    }

    /// The collector's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Directory of a log by the hash of its origin.
    #[must_use]
    pub fn log_dir(&self, hash: &str) -> PathBuf {
        self.dir.join(LOGS_DIR).join(hash)
    }

    /// Writes down the pinned keys, so that a reader of the directory knows under which it was filled, and an enrolment whose
    /// logs they are.
    fn write_log_keys(&self) -> Result<(), Error> {
        let pins = self.pins_now()?;
        let mut lines: Vec<String> = pins.iter().map(|pin| format!("{}\n", pin.key())).collect();
        lines.sort();
        lines.dedup();
        let path = self.dir.join(LOG_KEYS_FILE);
        files::write(&path, lines.concat().as_bytes(), Access::Public)?;
        pin::remember(&self.dir, &pins)
    }

    fn open_logs(&self) -> Result<(), Error> {
        let logs = self.dir.join(LOGS_DIR);
        files::create_dir(&logs)?;
        let mut opened = Vec::new();
        for entry in std::fs::read_dir(&logs).map_err(Error::io("list", &logs))? {
            let dir = entry.map_err(Error::io("list", &logs))?.path();
            let Some(origin) = origin_in(&dir)? else {
                continue;
            };
            if let Some(log) = self.open_log(&origin)? {
                lock(&self.logs)?.insert(origin.clone(), Arc::clone(&log));
                opened.push((origin, log));
            } else {
                lock(&self.unserved)?.push(origin);
            }
        }
        for (origin, log) in opened {
            let mut mirror = lock(&log)?;
            if mirror.store().mirrored().is_some() {
                // Between moving the head and cosigning it the process may have ended.
                let cosigned = mirror.cosignature(&self.identity)?.status == 200;
                if let Some(since) = witness(&mut mirror)? {
                    lock(&self.begun)?.push((origin.clone(), since));
                }
                drop(mirror);
                if cosigned {
                    self.adopt(&origin, &log)?;
                }
            }
        }
        Ok(())
    }

    fn open_log(&self, origin: &str) -> Result<Option<Log>, Error> {
        let Some(keys) = pin::keys(&self.pins_now()?, origin) else {
            return Ok(None);
        };
        let dir = self.log_dir(&origin_directory(origin));
        let store = FileStore::open(&dir, origin, Arc::clone(&self.counters)).map_err(|error| {
            Error::Log {
                origin: origin.to_owned(),
                dir,
                error: Box::new(error),
            }
        })?;
        let mut mirror = Mirror::new(origin, Vec::new(), store);
        mirror.trust(keys, rotations::borders(&self.dir, origin)?);
        Ok(Some(Arc::new(Mutex::new(mirror))))
    }

    /// The log with this origin, if anything of it was taken.
    ///
    /// # Errors
    /// When a panic left the registry unusable.
    pub fn log(&self, origin: &str) -> Result<Option<Log>, Error> {
        if let Some(log) = lock(&self.logs)?.get(origin) {
            return Ok(Some(Arc::clone(log)));
        }
        if !lock(&self.failed)?.contains(origin) {
            return Ok(None);
        }
        // A write of it failed: what is there is what was durable, as it would be for the next start.
        let Some(log) = self.open_log(origin)? else {
            return Ok(None);
        };
        {
            let mut mirror = lock(&log)?;
            if mirror.store().mirrored().is_some() {
                mirror.cosignature(&self.identity)?;
                witness(&mut mirror)?;
            }
        }
        lock(&self.logs)?.insert(origin.to_owned(), Arc::clone(&log));
        lock(&self.failed)?.remove(origin);
        Ok(Some(log))
    }

    /// Lets go of a log of which a write failed: in memory it may be ahead of what is durable.
    fn checked<T>(&self, origin: &str, done: Result<T, Error>) -> Result<T, Error> {
        if done.is_err() && lock(&self.logs)?.remove(origin).is_some() {
            lock(&self.failed)?.insert(origin.to_owned());
        }
        done
    }

    /// Answers `add-checkpoint`.
    ///
    /// # Errors
    /// When storage fails.
    pub fn add_checkpoint(&self, announcement: &Announcement) -> Result<Reply, Error> {
        self.checked(announcement.origin(), self.take_checkpoint(announcement))
    }

    fn take_checkpoint(&self, announcement: &Announcement) -> Result<Reply, Error> {
        let origin = announcement.origin();
        let pins = self.pins_now()?;
        if pin::is_closed(&pins, origin) {
            return Ok(revoked(&pins, origin));
        }
        let reply = self.take_head(announcement)?;
        // One whose log went on with other keys is not told that nobody knows its own.
        let how = (pins.iter().filter(|pin| pin.covers(origin))).find_map(|pin| {
            let mut keys = pin.keys_for(origin).into_iter();
            let how = pin.how_revoked()?;
            keys.any(|key| announcement.is_signed_by(&key))
                .then_some(how)
        });
        Ok(match how {
            Some(how) if reply.status == 403 => revoked_key(origin, how),
            _ => reply,
        })
    }

    fn take_head(&self, announcement: &Announcement) -> Result<Reply, Error> {
        let origin = announcement.origin();
        let standing = self.standing(origin)?;
        if let Some(log) = self.log(origin)? {
            return lock(&log)?.add_checkpoint(announcement, standing);
        }
        // A first head: the log is known from here on, but only if it is taken.
        let mut logs = lock(&self.logs)?;
        if let Some(log) = logs.get(origin).cloned() {
            drop(logs);
            return lock(&log)?.add_checkpoint(announcement, standing);
        }
        let Some(log) = self.open_log(origin)? else {
            return Ok(not_known(origin));
        };
        let reply = lock(&log)?.add_checkpoint(announcement, standing)?;
        if reply.status == 200 {
            logs.insert(origin.to_owned(), log);
        }
        Ok(reply)
    }

    /// Takes what an upload holds so far. An upload of an unknown log that a pin covers is told that
    /// nothing is known of it.
    ///
    /// # Errors
    /// When storage fails.
    pub fn advance(&self, upload: &mut Upload) -> Result<Flow, Error> {
        let origin = match upload.origin() {
            Ok(None) => return Ok(Flow::More),
            Ok(Some(origin)) => origin.to_owned(),
            Err(reply) => return Ok(Flow::Answer(reply)),
        };
        let pins = self.pins_now()?;
        if pin::is_closed(&pins, &origin) {
            return Ok(Flow::Answer(revoked(&pins, &origin)));
        }
        let log = match self.log(&origin)? {
            Some(log) => Some(log),
            None => self.open_log(&origin)?,
        };
        match log {
            Some(log) => {
                let advanced = lock(&log)?.advance(upload);
                self.checked(&origin, advanced)
            }
            None => Ok(Flow::Answer(not_known(&origin))),
        }
    }

    /// Ends an upload.
    ///
    /// # Errors
    /// When storage fails.
    pub fn finish(&self, upload: &mut Upload) -> Result<Reply, Error> {
        let origin = match upload.origin() {
            Ok(origin) => origin.map(ToOwned::to_owned),
            Err(reply) => return Ok(reply),
        };
        let log = match &origin {
            Some(origin) => self.log(origin)?,
            None => None,
        };
        if let Some(origin) = origin.as_deref()
            && pin::is_closed(&self.pins_now()?, origin)
        {
            return Ok(revoked(&self.pins_now()?, origin));
        }
        let (Some(origin), Some(log)) = (origin, log) else {
            return Ok(Reply::text(400, &"the body ends before its first package"));
        };
        let finished = lock(&log)?.finish(upload, &self.identity);
        let reply = self.checked(&origin, finished)?;
        if reply.status == 200 {
            // What it found is durable before the cosignature leaves.
            let judged = witness(&mut *lock(&log)?);
            self.checked(&origin, judged)?;
        }
        if reply.status == 200 {
            self.adopt(&origin, &log)?;
        }
        Ok(reply)
    }

    fn standing(&self, origin: &str) -> Result<Standing, Error> {
        let Some((base, generation)) = split_origin(origin) else {
            return Ok(Standing::Open);
        };
        let newest = lock(&self.newest)?.get(base).copied();
        Ok(match newest {
            Some(newest) if newest > generation => Standing::Superseded,
            Some(_) | None => Standing::Open,
        })
    }

    /// Notes that a generation is mirrored, and links it to the log that it follows.
    fn adopt(&self, origin: &str, log: &Log) -> Result<(), Error> {
        let Some((base, generation)) = split_origin(origin) else {
            return Ok(());
        };
        // A revoked key may have signed any generation, the last that there can be as well: it closes none of those below.
        if lock(log)?.counts() {
            let mut newest = lock(&self.newest)?;
            let newest = newest.entry(base.to_owned()).or_insert(generation);
            *newest = generation.max(*newest);
        }
        let mut first = Vec::new();
        let named = {
            let mirror = lock(log)?;
            if mirror.store().dir().join(FOLLOWS_FILE).exists() {
                return Ok(());
            }
            let mut keep = |_, leaf: &[u8]| first.push(leaf.to_vec());
            mirror.store().leaves(0, ADOPTION_LOOKS_MAX, &mut keep)?;
            first.first().and_then(|leaf| named_predecessor(leaf))
        };
        // One log's lock at a time: the predecessor is looked at on its own.
        let follows = match named {
            None => json!({"link": Link::Unnamed.name()}),
            Some(named) => {
                let predecessor = origin_of(base, named.generation);
                let link = match self.log(&predecessor)? {
                    None => Link::Unknown,
                    Some(before) => {
                        let mut mirror = lock(&before)?;
                        let follows = follower(origin, named.cause, &first);
                        mirror.store_mut().followed_by(follows)?;
                        let size = mirror.mirrored_head().size;
                        let root = match named.size <= size {
                            true => mirror.store().root_at(named.size)?,
                            false => None,
                        };
                        match Link::judge(&named, size, root) {
                            // Its size cannot be compared, but two signed heads have shown the fork.
                            Link::Ahead if mirror.store().has_conflicts() => Link::Contradicts,
                            link => link,
                        }
                    }
                };
                json!({
                    "link": link.name(),
                    "origin": predecessor,
                    "size": named.size,
                    "root": proof::Hash(named.root.0).to_string(),
                })
            }
        };
        lock(log)?.store().put_follows(&follows)
    }
}

/// Has a log's witness judge what was mirrored since.
fn witness(mirror: &mut Mirror<FileStore>) -> Result<Option<u64>, Error> {
    let keys = mirror.keys().to_vec();
    mirror.store_mut().witness(&keys)
}

/// The origin of the log in a directory; `None` where nothing of a log was taken yet.
fn origin_in(dir: &Path) -> Result<Option<String>, Error> {
    let path = dir.join(ORIGIN_FILE);
    let hash = dir.file_name().unwrap_or_default().to_string_lossy();
    let damaged = || {
        let detail = format!("its line must be the origin whose SHA-256 is {hash}");
        Error::damaged(&path, detail)
    };
    let Some(bytes) = files::read(&path)? else {
        return match FileStore::stands_in(dir) {
            true => Err(Error::setup(format!(
                "{} is missing; restore it from a backup, or write the log's origin into it as one line, such \
                 as example.org/station-7/g1: the one whose SHA-256 is {hash}",
                path.display()
            ))),
            false => Ok(None),
        };
    };
    let origin = String::from_utf8_lossy(&bytes).trim().to_owned();
    match origin_directory(&origin) == *hash {
        true => Ok(Some(origin)),
        false => Err(damaged()),
    }
}

/// Takes a lock. A panic under it left the log in an unknown state: then nothing more is done with it.
fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Error> {
    mutex.lock().map_err(|_| Error::Latched)
}
