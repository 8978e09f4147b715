//! What holds the keys behind the proof of one entry: an entry with a proof of its own says it, in a file beside the first.

use super::{verify_keys, verify_proof};
use evidence::kinds::KeyStore;
use evidence::reasons::Custody;
use evidence::{Entry, Payload, split_leaf};
use proof::Checkpoint;
use proof::offline::{FILE_ENDING, OfflineProof};
use query::Anchors;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use trust_plane::{BoundLog, StatedKey};

/// What stands before the usual ending in the name of the file beside.
const BESIDE: &str = ".keys";

/// Where the proof of the entry that says what holds the keys lies: beside that of another.
pub(super) fn file_beside(proof: &Path) -> PathBuf {
    let name = proof.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(FILE_ENDING).unwrap_or(&name);
    proof.with_file_name(format!("{stem}{BESIDE}{FILE_ENDING}"))
}

/// What an entry says of it.
#[derive(Debug)]
pub(super) struct Told {
    custody: Custody,
    store: Option<KeyStore>,
    /// The entry.
    by: u64,
    /// Why it says nothing of the key that signed the head of a proof, until that is compared and is the one that it names.
    unproved: Option<&'static str>,
}

/// What an entry leaves open that names no key at all.
const NO_KEY: &str =
    "the entry does not name the key, so nothing says that it is the one that signed here";
/// And a checkpoint.
const CHECKPOINT_ALONE: &str = "a checkpoint says it alone, and names no key: a key_store entry under the same head would prove which key it is of";
/// And one that is not compared.
const NO_AUTHORITY: &str = "the entry names a P-256 key, and none that is pinned signed here: pin that line of the log's keys too";

impl Told {
    /// What an entry says of what holds the keys, if it is one that does.
    pub(super) fn by(entry: &Entry) -> Option<Self> {
        let (custody, store, unproved) = match entry.payload().ok()? {
            Payload::KeyStore(store) => {
                let unproved = match store.key_public {
                    Some(_) => NO_AUTHORITY,
                    None => NO_KEY,
                };
                (store.custody, Some(store), unproved)
            }
            Payload::Checkpoint(checkpoint) => (checkpoint.custody, None, CHECKPOINT_ALONE),
            _ => return None,
        };
        Some(Self {
            custody,
            store,
            by: entry.header.commit_id.0,
            unproved: Some(unproved),
        })
    }

    /// Holds it against the keys that signed a proof: a TPM's key is in the statement, and must be one of them.
    fn of(mut self, proof: &OfflineProof, anchors: &Anchors) -> Result<Self, String> {
        if let Some(store) = &self.store {
            let signed = query::signers_of(proof, anchors);
            let mut stated = BoundLog::default();
            if let Some(one) = stated.store(store, &signed).first() {
                return Err(one.fault.to_string());
            }
            if matches!(stated.key(), StatedKey::Restricted(_)) {
                self.unproved = None;
            }
        }
        Ok(self)
    }

    /// Whether hardware holds the key that signed, by the word of an entry that names that key.
    const fn is_hardware(&self) -> bool {
        self.custody.is_hardware() && self.unproved.is_none()
    }

    /// The lines of the screen.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{}, as entry {} has it",
            verify_keys::custody_line(self.custody),
            self.by
        )];
        // Of files and programs nothing is claimed that would be to prove.
        let unproved = self.unproved.filter(|_| self.custody.is_hardware());
        lines.extend(unproved.map(|words| format!("           NOT PROVED: {words}")));
        lines.extend(self.store.iter().flat_map(verify_keys::store_lines));
        lines
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "hardware": self.is_hardware(),
            "unproved": self.unproved,
            "key_store": self.store.as_ref().map(verify_keys::store_json),
            "commit_id": self.by,
        })
    }

    /// Its name.
    pub(super) const fn custody(&self) -> &'static str {
        self.custody.name()
    }
}

/// The entry that a proof carries.
pub(super) fn entry_of(proof: &OfflineProof) -> Option<Entry> {
    let (_, bytes) = proof.leaf.as_deref().and_then(split_leaf)?;
    Entry::decode(bytes).ok()
}

/// What is said of the keys that signed a proof: by its own entry, or by the one whose proof lies beside it. `None` where there is
/// no such file.
///
/// # Errors
/// Why that file says nothing of these keys.
pub(super) fn find(
    proof: &OfflineProof,
    path: &Path,
    anchors: &Anchors,
) -> Result<Option<Told>, String> {
    if let Some(told) = entry_of(proof).as_ref().and_then(Told::by) {
        return told.of(proof, anchors).map(Some);
    }
    let beside = file_beside(path);
    // Also one that cannot be looked at is there.
    if std::fs::symlink_metadata(&beside)
        .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    {
        return Ok(None);
    }
    let failed = |words: String| {
        format!(
            "{}: {words}; take it away to verify the entry alone, or export both anew",
            beside.display()
        )
    };
    let other = verify_proof::read(&beside)?
        .ok_or_else(|| failed("it is no proof of an entry".to_owned()))?;
    judge(&other, proof, anchors).map(Some).map_err(failed)
}

/// What the entry of another proof says of the keys that signed this one.
fn judge(other: &OfflineProof, proof: &OfflineProof, anchors: &Anchors) -> Result<Told, String> {
    let head = |proof: &OfflineProof| {
        Checkpoint::parse(proof.note.text()).map_err(|error| error.to_string())
    };
    let (head, own) = (head(other)?, head(proof)?);
    if head.origin != own.origin {
        return Err(format!(
            "it is of the log {}, and this is {}",
            head.origin, own.origin
        ));
    }
    // Under another head other keys may have signed, which something else held.
    if (head.size, head.root) != (own.size, own.root) {
        return Err(format!(
            "it is under the head of {} entries, and this is under that of {}",
            head.size, own.size
        ));
    }
    let entry = entry_of(other).ok_or("it holds no entry that could be read")?;
    query::verify_proof(other, anchors)?;
    verify_proof::whole(&entry, other.index)?;
    let told = Told::by(&entry).ok_or("its entry does not say what holds the keys")?;
    told.of(proof, anchors)
}

#[cfg(test)]
mod tests;
