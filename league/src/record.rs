//! The records that every engine is given: the same key, the same 64 bytes.
//!
//! What a key must hold follows from the seed, so a reader needs no list of what was written.

use evidence::kinds::Kind;
use evidence::reasons::{HoldoverReason, TimeQuality, TimeStatus};
use evidence::{Captured, Stamp, TimeDetail, UtcNs};

use crate::noise::Noise;

/// Bytes of every record, without its key.
pub(crate) const RECORD_BYTES: usize = 64;
/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 8;

/// A group commit to be: records with keys in a row.
pub(crate) struct Batch {
    /// Key of the first.
    pub(crate) first: u64,
    /// The records as the journal takes them; it does not look into the bytes either.
    pub(crate) group: Vec<(Stamp, Captured)>,
}

impl Batch {
    /// The batch of these keys under a seed.
    pub(crate) fn of(seed: u64, first: u64, count: u64) -> Self {
        let keys = first..first.saturating_add(count);
        let record = |key| {
            let capture = record(seed, key);
            let captured = Captured {
                kind: Kind::Reading,
                record_crc: crc32c::crc32c(&capture),
                capture,
            };
            (STAMP, captured)
        };
        Self {
            first,
            group: keys.map(record).collect(),
        }
    }

    /// The records as the others take them.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let records = self.group.iter();
        (self.first..).zip(records.map(|(_, captured)| captured.capture.as_slice()))
    }
}

const STAMP: Stamp = Stamp {
    timestamp: UtcNs(1_700_000_000_000_000_000),
    quality: TimeQuality::RtcOnly,
    status: TimeStatus::FreeRun,
    bound_ns: None,
    detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
};

/// The bytes under a key.
pub(crate) fn record(seed: u64, key: u64) -> Vec<u8> {
    let mut noise = Noise::new(seed).apart(key);
    std::iter::repeat_with(|| noise.next().to_be_bytes())
        .take(RECORD_BYTES / 8)
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Batch, RECORD_BYTES, record};

    #[test]
    fn a_record_follows_from_seed_and_key() {
        let batch = Batch::of(7, 40, 3);
        let found: Vec<_> = batch.records().collect();
        let expected: Vec<Vec<u8>> = (40..43).map(|key| record(7, key)).collect();
        assert_eq!(found.len(), 3);
        for ((key, bytes), (expected_key, expected)) in found.into_iter().zip((40..).zip(expected))
        {
            assert_eq!((key, bytes), (expected_key, expected.as_slice()));
            assert_eq!(bytes.len(), RECORD_BYTES);
            assert_ne!(bytes, record(8, key), "another seed");
            assert_ne!(bytes, record(7, key + 1), "another key");
        }
    }
}
