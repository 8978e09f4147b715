//! raft-engine: a segmented log of entries with an index in memory.

use protobuf::well_known_types::BytesValue;
use raft_engine::{Config, Engine as Log, LogBatch, MessageExt, ReadableSize, RecoveryMode};

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::engines::key_of;
use crate::record::{Batch, KEY_BYTES};

/// As it comes: a damaged tail is cut.
pub(crate) const TAIL: Row = Row {
    name: "raft-engine",
    mode: "sync=true, no compression, tolerate-tail-corruption (default)",
    open: |place| open(place, RecoveryMode::TolerateTailCorruption),
};

/// No damage is tolerated.
pub(crate) const ABSOLUTE: Row = Row {
    name: "raft-engine/absolute",
    mode: "sync=true, no compression, absolute-consistency",
    open: |place| open(place, RecoveryMode::AbsoluteConsistency),
};

/// The one group of the log.
const GROUP: u64 = 1;

/// An entry is a protobuf message with an index: the key's eight bytes, then the record's.
#[derive(Clone)]
struct Keyed;

impl MessageExt for Keyed {
    type Entry = BytesValue;

    fn index(entry: &BytesValue) -> u64 {
        let key = entry.get_value().first_chunk();
        key.map_or(0, |key| u64::from_be_bytes(*key))
    }
}

struct Raft {
    log: Log,
    batch: LogBatch,
}

fn open(place: &Place, recovery_mode: RecoveryMode) -> Result<Box<dyn Engine>, Failed> {
    let config = Config {
        dir: place.data.to_string_lossy().into_owned(),
        recovery_mode,
        batch_compression_threshold: ReadableSize(0),
        ..Config::default()
    };
    Ok(Box::new(Raft {
        log: Log::open(config)?,
        batch: LogBatch::default(),
    }))
}

impl Engine for Raft {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let entry = |(key, bytes): (u64, &[u8])| {
            let mut entry = BytesValue::new();
            entry.set_value([&key.to_be_bytes(), bytes].concat());
            entry
        };
        let entries: Vec<BytesValue> = batch.records().map(entry).collect();
        self.batch.add_entries::<Keyed>(GROUP, &entries)?;
        self.log.write(&mut self.batch, true)?;
        Ok(())
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        let ends = self.log.first_index(GROUP).zip(self.log.last_index(GROUP));
        let Some((first, last)) = ends else {
            return Ok(());
        };
        for index in first..=last {
            let entry = self.log.get_entry::<Keyed>(GROUP, index)?;
            let Some(entry) = entry else { continue };
            let (key, bytes) = entry
                .get_value()
                .split_at_checked(KEY_BYTES)
                .ok_or_else(|| Failed("an entry shorter than its key".into()))?;
            tell(Answer::Record {
                key: key_of(key)?,
                bytes: bytes.to_vec(),
            });
        }
        Ok(())
    }
}
