//! Who sealed the newest head of a log: the keys beside it, or others.

use super::directory::{keys_of, rotations_of};
use super::keep_check::{KeepLook, keep_looks};
use crate::paths::DataDir;
use evidence::{CommitId, Generation, Kind, Payload};
use journal::{ReadTruth, ReadVolume, Reader, StoredEntry};
use proof::note::VerifierKey;
use query::Anchors;
use trust_plane::Rotation;

/// Newest entries among which a checkpoint is looked for.
const LOOKED_AT_MAX: u64 = 8_192;

/// Who sealed the newest head of a log.
pub(super) enum SealedBy {
    /// The keys beside it, or keys that follow those, or that those follow.
    TheseKeys,
    /// Other keys, or what they signed was changed: why the head does not hold.
    Others(String),
    /// No head is left among the newest entries.
    Nobody,
}

/// Holds the newest head of a log against the keys beside it. Keys that followed others may have sealed nothing yet; and where a
/// signer of another user has them, the keys beside the log may be those of before. Which keys follow which the files beside the
/// log state, and its own entries, which prove the same.
pub(super) fn sealed_by<V: ReadVolume, T: ReadTruth>(
    data: &DataDir,
    generation: Generation,
    reader: &Reader<V, T>,
) -> Result<SealedBy, String> {
    let from = CommitId(reader.size().saturating_sub(LOOKED_AT_MAX));
    let newest = reader.entries(from).flatten().filter_map(|stored| {
        match stored.entry().ok()?.payload().ok()? {
            Payload::Checkpoint(checkpoint) => Some(checkpoint),
            _ => None,
        }
    });
    let Some(newest) = newest.last() else {
        return Ok(SealedBy::Nobody);
    };
    let keys = keys_of(data, generation)?;
    let base = keys.first().map_or("", VerifierKey::name);
    let origin = format!("{base}/g{generation}");
    let anchors = Anchors::found_beside(keys.clone()).and_rotations(rotations_of(data, generation));
    let note = newest.note.as_bytes();
    if anchors.signed(&origin, note).is_ok() {
        return Ok(SealedBy::TheseKeys);
    }
    // All of the log is read for it only where the files do not tell.
    let stated = stated_in(data, generation, reader);
    Ok(match anchors.and_rotations(stated).signed(&origin, note) {
        Ok(()) => SealedBy::TheseKeys,
        Err(words) => SealedBy::Others(words),
    })
}

/// What the entries of a log say of keys that followed others, those that left the ring and are kept as well.
pub(crate) fn stated_in<V: ReadVolume, T: ReadTruth>(
    data: &DataDir,
    generation: Generation,
    reader: &Reader<V, T>,
) -> Vec<Rotation> {
    let log = (reader.log_id(), generation);
    let kept = keep_looks(&data.journal(generation.0), log, reader);
    let kept = kept.iter().flat_map(KeepLook::entries);
    let in_ring = reader.entries(reader.oldest()).flatten();
    kept.chain(in_ring).filter_map(|one| stated(&one)).collect()
}

fn stated(stored: &StoredEntry) -> Option<Rotation> {
    let entry = stored.entry().ok()?;
    if entry.header.kind != Kind::KeyRotation {
        return None;
    }
    match entry.payload().ok()? {
        Payload::KeyRotation(told) => Rotation::read(told.statement.as_bytes()).ok(),
        _ => None,
    }
}
