//! Where a ring's truth store lies: beside it, in a directory of another device, or on a device of its
//! own, which serves one generation after another.

use super::journal_file::{ring_file, ring_json};
use crate::paths::DataDir;
use contract::Storage;
use evidence::reasons::TruthClass;
use evidence::{Generation, LogId};
use journal::{truth_claim, truth_owner};
use media::{Access, FileTruth, MediaError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What a device held of another generation, or of one whose ring has a truth store from a backup.
const FOUND_FILE: &str = "truth-found.fnt";
/// So many of them are kept beside a ring.
const FOUND_MAX: usize = 16;

/// The place of a truth store, and what it can prove there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TruthPlace {
    pub(crate) class: TruthClass,
    pub(crate) path: PathBuf,
    /// Whether the path is a device that holds the store itself.
    pub(crate) device: bool,
}

impl TruthPlace {
    /// Where the truth store of a new ring is made. A directory of its own may serve several logs.
    pub(crate) fn of_new_ring(storage: Option<&Storage>, log_id: LogId, ring: &Path) -> Self {
        let independent = storage.filter(|storage| storage.truth == TruthClass::Independent);
        let place = |path, device| Self {
            class: TruthClass::Independent,
            path,
            device,
        };
        let beside = Self {
            // A log of the first days may call a store independent that has no place of its own.
            class: match storage.map(|storage| storage.truth) {
                Some(TruthClass::SameDeviceDeferred) => TruthClass::SameDeviceDeferred,
                _ => TruthClass::SameDeviceSync,
            },
            path: ring.join(media::TRUTH_FILE),
            device: false,
        };
        match (independent, ring.file_name()) {
            (
                Some(Storage {
                    truth_device: Some(device),
                    ..
                }),
                _,
            ) => place(PathBuf::from(device), true),
            (
                Some(Storage {
                    truth_dir: Some(medium),
                    ..
                }),
                Some(generation),
            ) => {
                let name = format!("{log_id}-{}.fnt", generation.display());
                place(Path::new(medium).join(name), false)
            }
            _ => beside,
        }
    }

    /// Where the truth store of a ring lies, as its measures tell. Beside a copy of a node's directory it
    /// may lie in `truth/`; what a device held of an earlier generation lies beside that one's ring.
    pub(crate) fn of_ring(data: &DataDir, ring: &Path) -> Result<Self, String> {
        let copy = data.truth().join(media::TRUTH_FILE);
        let beside = ring.join(media::TRUTH_FILE);
        let independent = |path, device| Self {
            class: TruthClass::Independent,
            path,
            device,
        };
        if let Some(device) = Self::device_of(ring)? {
            return Ok(match beside.exists() {
                true => independent(beside, false),
                false => independent(device, true),
            });
        }
        let measures = ring_json(ring)?;
        let word = |name: &str| measures.get(name).and_then(Value::as_str);
        Ok(match word("truth").map(PathBuf::from) {
            Some(noted) if noted.exists() || !copy.exists() => independent(noted, false),
            None if !copy.exists() => Self {
                class: class_in(ring, word("truth_class"))?,
                path: beside,
                device: false,
            },
            _ => independent(copy, false),
        })
    }

    /// The device on which a ring's truth store was made, if it was made on one.
    pub(crate) fn device_of(ring: &Path) -> Result<Option<PathBuf>, String> {
        let measures = ring_json(ring)?;
        let device = measures.get("truth_device").and_then(Value::as_str);
        Ok(device.map(PathBuf::from))
    }

    /// Where the measures of a ring say that its truth store was made.
    pub(crate) fn made_for(ring: &Path) -> Result<Self, String> {
        let measures = ring_json(ring)?;
        let word = |name: &str| measures.get(name).and_then(Value::as_str);
        let (class, path, device) = match (word("truth_device"), word("truth")) {
            (Some(device), _) => (TruthClass::Independent, PathBuf::from(device), true),
            (None, Some(file)) => (TruthClass::Independent, PathBuf::from(file), false),
            (None, None) => {
                let class = class_in(ring, word("truth_class"))?;
                (class, ring.join(media::TRUTH_FILE), false)
            }
        };
        Ok(Self {
            class,
            path,
            device,
        })
    }

    /// What a ring's measures say of it. The usual class, beside its ring, goes without saying.
    pub(super) fn noted(&self) -> Option<(&'static str, Value)> {
        let path = || json!(self.path.display().to_string());
        match self.class {
            TruthClass::Independent if self.device => Some(("truth_device", path())),
            TruthClass::Independent => Some(("truth", path())),
            TruthClass::SameDeviceDeferred => Some(("truth_class", json!(self.class.name()))),
            TruthClass::SameDeviceSync => None,
        }
    }

    /// Opens it.
    pub(crate) fn open(&self, access: Access) -> Result<FileTruth, MediaError> {
        match self.device {
            true => FileTruth::open_device(&self.path, access),
            false => FileTruth::open(&self.path, self.class, access),
        }
    }

    /// How a device is made free that holds the store of another log.
    pub(crate) fn clearing(device: &str) -> String {
        let blocks = media::TRUTH_FILE_BYTES.div_ceil(4096);
        format!(
            "clear this one, if nobody will ever need that log: dd if=/dev/zero of={device} bs=4096 count={blocks}"
        )
    }

    /// Makes it blank for a new generation of a log. What a device holds of another generation of this
    /// log is kept beside a ring first; the store of another log, and what nobody can read, is never
    /// written over.
    ///
    /// # Errors
    /// What cannot be used or written, or what the device holds instead.
    pub(super) fn provision(
        &self,
        log_id: LogId,
        generation: Generation,
        before: impl Fn(Generation) -> PathBuf,
    ) -> Result<(), String> {
        let failed = |error: MediaError| error.to_string();
        if !self.device {
            return FileTruth::provision(&self.path).map_err(failed);
        }
        let mut device = self.open(Access::ReadWrite).map_err(failed)?;
        let shown = self.path.display();
        let previous = Generation(generation.0.saturating_sub(1));
        let bytes = bytes_of(&device, &self.path)?;
        match Held::of(&device, &bytes, Some(log_id)) {
            // Left by an attempt at this very generation.
            Held::Own(of) if of == generation => {}
            Held::Own(of) => {
                let places = [of, previous, generation];
                let ring = places.into_iter().map(&before).find(|ring| ring.is_dir());
                let ring = ring.ok_or_else(|| {
                    format!("{shown} holds generation {} of this log, and there is no ring to keep it beside", of.0)
                })?;
                // A restored ring brought its own; what the device holds is then the original's.
                let store = ring.join(media::TRUTH_FILE);
                match of < generation && ring == before(of) && !store.exists() {
                    true => crate::files::write_durably(&store, &bytes)?,
                    false => keep_found(&ring, &bytes)?,
                }
            }
            held => held.permits(&self.path, || is_kept(&bytes, &before(previous)))?,
        }
        device
            .replace(&[])
            .map_err(|error| format!("clearing {shown}: {error}"))
    }

    /// Before the newest generation goes on: where its store was set aside for a generation that never
    /// began, it is put back on the device. What that one left there is kept beside the ring.
    ///
    /// # Errors
    /// What cannot be used or written, or what the device holds instead.
    pub(super) fn settle(ring: &Path, log_id: LogId, generation: Generation) -> Result<(), String> {
        let beside = ring.join(media::TRUTH_FILE);
        let Some(device) = Self::device_of(ring)?.filter(|_| beside.exists()) else {
            return Ok(());
        };
        let shown = device.display();
        let mut store = FileTruth::open_device(&device, Access::ReadWrite)
            .map_err(|error| error.to_string())?;
        let found = bytes_of(&store, &device)?;
        // A header alone is no sign that the store came back whole.
        if truth_owner(&store) != Some((log_id, generation)) {
            match Held::of(&store, &found, Some(log_id)) {
                Held::Own(_) => keep_found(ring, &found)?,
                held => held.permits(&device, || is_kept(&found, ring))?,
            }
            let bytes = std::fs::read(&beside)
                .map_err(|error| format!("cannot read {}: {error}", beside.display()))?;
            store
                .replace(&bytes)
                .map_err(|error| format!("putting the truth store back on {shown}: {error}"))?;
        }
        std::fs::remove_file(&beside)
            .map_err(|error| format!("cannot remove {}: {error}", beside.display()))
    }
}

/// What a device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing: one value throughout, as a new memory has, or zeros, or both where clearing it was
    /// interrupted.
    Blank,
    /// The store of a generation of this log, sound or by the word of its header.
    Own(Generation),
    /// The store of another log.
    Foreign(LogId),
    /// The store of a newer version of the format.
    Newer,
    /// Bytes that name no owner.
    Unknown,
}

impl Held {
    /// What an opened device holds, for this log or for whoever has none yet.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn on(
        device: &Path,
        store: &FileTruth,
        log_id: Option<LogId>,
    ) -> Result<Self, String> {
        let bytes = bytes_of(store, device)?;
        Ok(Self::of(store, &bytes, log_id))
    }

    /// What is there that is not for this log, in words; `None` where nothing stands against it.
    pub(crate) fn objection(self, device: &str) -> Option<String> {
        match self {
            Self::Blank | Self::Own(_) => None,
            Self::Foreign(owner) => Some(format!(
                "{device} holds the truth store of another log, {owner}"
            )),
            Self::Newer => Some(format!(
                "{device} holds a truth store that a newer version wrote"
            )),
            Self::Unknown => Some(format!(
                "{device} is not blank, and what it holds is no truth store that can be read"
            )),
        }
    }

    fn of(store: &FileTruth, bytes: &[u8], log_id: Option<LogId>) -> Self {
        let claim = truth_claim(store);
        if claim.is_some_and(|claim| claim.newer) {
            return Self::Newer;
        }
        // A store that broke off in its first write has no sound slot: its header still says whose it is.
        let owner =
            truth_owner(store).or_else(|| claim.map(|claim| (claim.log_id, claim.generation)));
        match owner {
            Some((owner, of)) if Some(owner) == log_id => Self::Own(of),
            Some((owner, _)) => Self::Foreign(owner),
            None if is_even(bytes) => Self::Blank,
            None => Self::Unknown,
        }
    }

    /// Whether what is not this log's may be written over; `is_kept` tells it of bytes without an owner.
    fn permits(self, device: &Path, is_kept: impl FnOnce() -> bool) -> Result<(), String> {
        let shown = device.display().to_string();
        let Some(objection) = self.objection(&shown) else {
            return Ok(());
        };
        let another = match self {
            Self::Unknown if is_kept() => return Ok(()),
            Self::Unknown => "name a blank device",
            Self::Newer => "run that version, name another device",
            _ => "name another device",
        };
        let clearing = TruthPlace::clearing(&shown);
        Err(format!("{objection}: {another}, or {clearing}"))
    }
}

fn bytes_of(store: &FileTruth, device: &Path) -> Result<Vec<u8>, String> {
    store.bytes().map_err(|error| {
        let shown = device.display();
        format!("cannot read {shown}, and what cannot be read is not written over: {error}; name another device")
    })
}

/// Whether there is one value beside zeros at most.
fn is_even(bytes: &[u8]) -> bool {
    let mut others = bytes.iter().filter(|byte| **byte != 0);
    let first = others.next();
    others.all(|byte| Some(byte) == first)
}

/// Whether each byte is zero or as it was set aside beside a ring: clearing the device or putting the store
/// back was interrupted, and nothing here would be lost.
fn is_kept(bytes: &[u8], ring: &Path) -> bool {
    let kept = [media::TRUTH_FILE, FOUND_FILE].map(|name| std::fs::read(ring.join(name)));
    let kept = kept.map(Result::unwrap_or_default);
    bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte == 0 || kept.iter().any(|kept| kept.get(at) == Some(byte)))
}

/// Keeps what a device held beside a ring, and writes over nothing that was kept so before.
fn keep_found(ring: &Path, bytes: &[u8]) -> Result<(), String> {
    let first = ring.join(FOUND_FILE);
    let next = (2..=FOUND_MAX).map(|number| ring.join(format!("truth-found-{number}.fnt")));
    for path in std::iter::once(first).chain(next) {
        match std::fs::read(&path) {
            Ok(kept) if kept == bytes => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return crate::files::write_durably(&path, bytes);
            }
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        }
    }
    Err(format!(
        "{} holds {FOUND_MAX} truth stores that were found on a device: move them to another place",
        ring.display()
    ))
}

fn class_in(ring: &Path, word: Option<&str>) -> Result<TruthClass, String> {
    match word {
        None => Ok(TruthClass::SameDeviceSync),
        Some(name) => TruthClass::from_name(name).ok_or_else(|| {
            format!(
                "{}: truth_class is no class of truth store: \"{name}\"; put the file back that was made \
                 with this ring",
                ring_file(ring).display()
            )
        }),
    }
}

#[cfg(test)]
mod tests;
