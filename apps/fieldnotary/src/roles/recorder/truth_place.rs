//! Where a ring's truth store lies: beside it, in a directory of another device, or on a device of its
//! own, which serves one generation after another.

use super::journal_file::{ring_file, ring_json};
use crate::paths::DataDir;
use contract::Storage;
use evidence::reasons::TruthClass;
use evidence::{Generation, LogId};
use journal::truth_owner;
use media::{Access, FileTruth, MediaError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What a device held of a generation whose ring has a truth store from a backup.
const FOUND_FILE: &str = "truth-found.fnt";

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
    pub(super) fn of_new_ring(storage: Option<&Storage>, log_id: LogId, ring: &Path) -> Self {
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

    /// Makes it blank for a new generation of a log. What a device holds of the generation before is
    /// kept beside that one's ring first; the store of another log is never written over.
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
        match truth_owner(&device) {
            Some((owner, _)) if owner != log_id => {
                return Err(format!(
                    "{shown} holds the truth store of another log, {owner}: name another device, or {}",
                    Self::clearing(&shown.to_string())
                ));
            }
            Some((_, of)) if of < generation => {
                let ring = before(of);
                let bytes = device.bytes().map_err(|error| error.to_string())?;
                // A restored ring brought its own; what the device holds is then the original's.
                let name = match ring.join(media::TRUTH_FILE).exists() {
                    true => FOUND_FILE,
                    false => media::TRUTH_FILE,
                };
                crate::files::write_durably(&ring.join(name), &bytes)?;
            }
            // Blank, or left by an attempt at this very generation.
            Some(_) | None => {}
        }
        device
            .replace(&[])
            .map_err(|error| format!("clearing {shown}: {error}"))
    }

    /// Before the newest generation goes on: where its store was set aside for a generation that never
    /// began, it is put back on the device.
    pub(super) fn settle(ring: &Path, log_id: LogId, generation: Generation) -> Result<(), String> {
        let beside = ring.join(media::TRUTH_FILE);
        let Some(device) = Self::device_of(ring)?.filter(|_| beside.exists()) else {
            return Ok(());
        };
        let shown = device.display();
        let mut store = FileTruth::open_device(&device, Access::ReadWrite)
            .map_err(|error| error.to_string())?;
        if truth_owner(&store) != Some((log_id, generation)) {
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
