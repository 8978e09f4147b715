//! The small files of a log's state: heads taken, next entry, mirrored head.

use std::path::Path;

use exchange::collector::Mirrored;
use exchange::{Head, Sealed};
use proof::Hash;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, Access};

#[derive(Serialize, Deserialize)]
struct SealedForm {
    size: u64,
    root: String,
    note: String,
}

#[derive(Serialize, Deserialize)]
struct PendingForm {
    pending: Vec<SealedForm>,
}

#[derive(Serialize, Deserialize)]
struct PositionForm {
    next_entry: u64,
}

#[derive(Serialize, Deserialize)]
struct MirrorForm {
    #[serde(flatten)]
    sealed: SealedForm,
    cosignature: Option<String>,
}

impl From<&Sealed> for SealedForm {
    fn from(sealed: &Sealed) -> Self {
        Self {
            size: sealed.head.size,
            root: sealed.head.root.to_string(),
            note: sealed.note.clone(),
        }
    }
}

impl SealedForm {
    fn sealed(self, path: &Path) -> Result<Sealed, Error> {
        let root = Hash::from_base64(&self.root)
            .ok_or_else(|| Error::damaged(path, "the root is not the base64 of 32 bytes"))?;
        let head = Head {
            size: self.size,
            root,
        };
        Ok(Sealed {
            head,
            note: self.note,
        })
    }
}

pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let Some(bytes) = files::read(path)? else {
        return Ok(None);
    };
    let form = serde_json::from_slice(&bytes).map_err(|error| Error::damaged(path, error))?;
    Ok(Some(form))
}

pub(super) fn store<T: Serialize>(path: &Path, form: &T) -> Result<(), Error> {
    let text = serde_json::to_string(form).map_err(Error::setup)?;
    files::write(path, format!("{text}\n").as_bytes(), Access::Public)
}

pub(super) fn load_pending(path: &Path) -> Result<Vec<Sealed>, Error> {
    let form: Option<PendingForm> = load(path)?;
    let pending = form.map_or_else(Vec::new, |form| form.pending);
    pending.into_iter().map(|form| form.sealed(path)).collect()
}

pub(super) fn store_pending(path: &Path, pending: &[Sealed]) -> Result<(), Error> {
    let pending = pending.iter().map(SealedForm::from).collect();
    store(path, &PendingForm { pending })
}

pub(super) fn load_next(path: &Path) -> Result<u64, Error> {
    let form: Option<PositionForm> = load(path)?;
    Ok(form.map_or(0, |form| form.next_entry))
}

pub(super) fn store_next(path: &Path, next_entry: u64) -> Result<(), Error> {
    store(path, &PositionForm { next_entry })
}

pub(super) fn load_mirrored(path: &Path) -> Result<Option<Mirrored>, Error> {
    let Some(form): Option<MirrorForm> = load(path)? else {
        return Ok(None);
    };
    Ok(Some(Mirrored {
        sealed: form.sealed.sealed(path)?,
        cosignature: form.cosignature,
    }))
}

pub(super) fn store_mirrored(path: &Path, mirrored: &Mirrored) -> Result<(), Error> {
    let form = MirrorForm {
        sealed: SealedForm::from(&mirrored.sealed),
        cosignature: mirrored.cosignature.clone(),
    };
    store(path, &form)
}
