//! The keep-rings of a generation as they are found: what they hold, and what is wrong with them.

use super::configured::newest_contract;
use crate::roles::recorder::{keep_place, read_ring};
use evidence::{CommitId, Generation, LogId};
use journal::keep::{KeepFinding, KeepRing, Part, Store};
use journal::{ReadTruth, ReadVolume, Reader, Shape, StoredEntry};
use media::{Found, FoundVolume};
use query::WhyUnkept;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files that a finding names one by one.
const NAMED_MAX: usize = 3;

/// One keep-ring, looked at.
#[derive(Debug)]
pub(super) struct KeepLook {
    pub(super) store: Store,
    pub(super) path: PathBuf,
    pub(super) ring: Option<KeepRing<FoundVolume>>,
    /// What is wrong with its files as such.
    pub(super) harm: Option<String>,
    /// Stretches of which what was kept cannot be read: first entry, and index after the last.
    pub(super) damaged: Vec<(u64, u64)>,
}

/// Looks at both keep-rings beside the ring of a log; one that was never made is left out.
pub(super) fn keep_looks<V: ReadVolume, T: ReadTruth>(
    directory: &Path,
    (log_id, generation): (LogId, Generation),
    reader: &Reader<V, T>,
) -> Vec<KeepLook> {
    let looks = Store::ALL.into_iter().map(|store| {
        let path = keep_place(directory, store);
        let shape = match read_ring(&path) {
            Ok(shape) => shape,
            Err(_) if !path.exists() => {
                let gone = reader.oldest().0 > 0 && is_wanted(reader, store);
                return gone.then(|| KeepLook::of_none(store, path, gone_words(reader)));
            }
            Err(why) => return Some(KeepLook::of_none(store, path, why)),
        };
        if let Some(why) = shape.objection() {
            return Some(KeepLook::of_none(store, path, why.to_owned()));
        }
        Some(look(store, path, shape, (log_id, generation), reader))
    });
    looks.flatten().collect()
}

fn look<V: ReadVolume, T: ReadTruth>(
    store: Store,
    path: PathBuf,
    shape: Shape,
    (log_id, generation): (LogId, Generation),
    reader: &Reader<V, T>,
) -> KeepLook {
    let oldest = reader.oldest().0;
    let volume = FoundVolume::open(&path, shape);
    let harm = files_words(&volume, shape);
    let ring = KeepRing::open(volume, log_id, generation, store);
    let missing: Vec<KeepFinding> = ring.frames().filter_map(Result::err).collect();
    let end = missing.iter().map(|one| one.end).max().unwrap_or(0);
    let end = end.max(ring.end().unwrap_or(0));
    let mut damaged = Vec::new();
    if !missing.is_empty() || end < oldest {
        // What could not pass by, as the log tells, is no damage of this one.
        let told = WhyUnkept::of(reader, [&ring]);
        let unexplained = missing
            .iter()
            .filter(|one| told.why(store.into(), one).is_none());
        damaged.extend(unexplained.map(|one| (one.first, one.end)));
        if end < oldest && told.why_absent(store.into(), end, oldest).is_none() {
            damaged.push((end, oldest));
        }
    }
    KeepLook {
        store,
        path,
        ring: Some(ring),
        harm,
        damaged,
    }
}

impl KeepLook {
    fn of_none(store: Store, path: PathBuf, why: String) -> Self {
        Self {
            store,
            path,
            ring: None,
            harm: Some(why),
            damaged: Vec::new(),
        }
    }

    /// What can be read of it, in the order of commit.
    pub(super) fn entries(&self) -> Vec<StoredEntry> {
        let frames = self.ring.iter().flat_map(KeepRing::frames);
        let parts = frames.flatten().flat_map(|frame| {
            let parts = frame.stretch.parts().iter();
            let kept = parts.filter_map(|part| match part {
                Part::Kept(stored) => Some(stored.clone()),
                Part::LetGo(_) => None,
            });
            kept.collect::<Vec<_>>()
        });
        let by_id: BTreeMap<CommitId, StoredEntry> =
            parts.map(|stored| (stored.commit_id, stored)).collect();
        by_id.into_values().collect()
    }

    /// Whether nothing is wrong with it.
    pub(super) fn is_sound(&self) -> bool {
        self.harm.is_none() && self.damaged.is_empty()
    }
}

fn gone_words<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>) -> String {
    format!(
        "not there, though the entries below {} have left the segments: what it kept of them is gone",
        reader.oldest()
    )
}

/// Files that are missing, of another size or not to be read.
fn files_words(volume: &FoundVolume, shape: Shape) -> Option<String> {
    let due = shape.segment_bytes;
    let wrong = |segment: u32| {
        let name = media::segment_file_name(segment);
        match volume.found(segment) {
            Found::Bytes(bytes) if *bytes == due => None,
            Found::Bytes(bytes) => Some(format!("{name} has {bytes} bytes, {due} are due")),
            Found::Missing => Some(format!("{name} is missing")),
            Found::Refused(why) => Some(format!("{name} cannot be read: {why}")),
        }
    };
    let all: Vec<String> = (0..shape.segments).filter_map(wrong).collect();
    let more = all.len().saturating_sub(NAMED_MAX);
    let named: Vec<&str> = all.iter().take(NAMED_MAX).map(String::as_str).collect();
    let named = named.join("; ");
    match (all.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(named),
        (false, _) => Some(format!("{named}; and {more} files more")),
    }
}

/// Whether the newest configuration in the log wants a keep-ring. A log without any does not tell.
fn is_wanted<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>, store: Store) -> bool {
    newest_contract(reader).is_some_and(|contract| {
        let bytes = match store {
            Store::Soe => contract.storage.keep_soe_bytes,
            Store::Audit => contract.storage.keep_audit_bytes,
        };
        bytes != Some(0)
    })
}
