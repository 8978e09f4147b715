//! Which entry says what holds the keys, for whoever gets one entry alone.

use evidence::{CommitId, Kind};
use journal::{ReadTruth, ReadVolume, Reader, StoredEntry};

/// The newest entry below a size that says what holds the keys: what the signer said of its store, or a checkpoint where that
/// has left the ring.
#[must_use]
pub fn custody_told<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    size: u64,
) -> Option<CommitId> {
    let (mut store, mut checkpoint) = (None, None);
    let below = |stored: &StoredEntry| stored.commit_id.0 < size;
    for stored in reader.entries(reader.oldest()).flatten().filter(below) {
        match stored.kind() {
            Some(Kind::KeyStore) => store = Some(stored.commit_id),
            Some(Kind::Checkpoint) => checkpoint = Some(stored.commit_id),
            _ => {}
        }
    }
    store.or(checkpoint)
}
