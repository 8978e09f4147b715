//! okaywal: a write-ahead log in preallocated files, one flush for each entry.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use okaywal::{Configuration, Entry, EntryId, LogManager, SegmentReader, WriteAheadLog};

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::engines::key_of;
use crate::record::{Batch, KEY_BYTES};

/// An entry is a batch, a chunk is a record; it knows no weaker mode.
pub(crate) const ROW: Row = Row {
    name: "okaywal",
    mode: "EntryWriter::commit, 32 MiB preallocated",
    open,
};

/// Bytes of its one file, written with zeros when it is begun.
const PREALLOCATED_BYTES: u32 = 32 << 20;

/// Chunks that recovery brought.
type Chunks = Arc<Mutex<Vec<Vec<u8>>>>;

struct Okaywal {
    log: WriteAheadLog,
    recovered: Chunks,
}

/// Keeps what recovery brings, and never lets go of a file.
#[derive(Debug)]
struct Keep(Chunks);

impl LogManager for Keep {
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        if let Some(chunks) = entry.read_all_chunks()? {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(chunks);
        }
        Ok(())
    }

    fn checkpoint_to(
        &mut self,
        _last: EntryId,
        _entries: &mut SegmentReader,
        _log: &WriteAheadLog,
    ) -> io::Result<()> {
        Ok(())
    }
}

fn open(place: &Place) -> Result<Box<dyn Engine>, Failed> {
    let recovered = Chunks::default();
    let log = Configuration::default_for(&place.data)
        .preallocate_bytes(PREALLOCATED_BYTES)
        .checkpoint_after_bytes(u64::from(PREALLOCATED_BYTES))
        .open(Keep(Arc::clone(&recovered)))?;
    Ok(Box::new(Okaywal { log, recovered }))
}

impl Engine for Okaywal {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let mut entry = self.log.begin_entry()?;
        for (key, bytes) in batch.records() {
            entry.write_chunk(&[&key.to_be_bytes(), bytes].concat())?;
        }
        entry.commit()?;
        Ok(())
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        let kept = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for chunk in kept.iter() {
            let (key, bytes) = chunk
                .split_at_checked(KEY_BYTES)
                .ok_or_else(|| Failed("a chunk shorter than its key".into()))?;
            tell(Answer::Record {
                key: key_of(key)?,
                bytes: bytes.to_vec(),
            });
        }
        Ok(())
    }
}
