//! fjall: a log-structured merge tree behind a journal that is flushed with every batch.

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::engines::key_of;
use crate::record::Batch;

/// Every batch flushed, file times included.
pub(crate) const ROW: Row = Row {
    name: "fjall",
    mode: "PersistMode::SyncAll",
    open,
};

struct Fjall {
    database: Database,
    records: Keyspace,
}

fn open(place: &Place) -> Result<Box<dyn Engine>, Failed> {
    let database = Database::builder(&place.data).open()?;
    let records = database.keyspace("records", KeyspaceCreateOptions::default)?;
    Ok(Box::new(Fjall { database, records }))
}

impl Engine for Fjall {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let mut group = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (key, bytes) in batch.records() {
            group.insert(&self.records, key.to_be_bytes(), bytes);
        }
        Ok(group.commit()?)
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        for item in self.records.iter() {
            let (key, bytes) = item.into_inner()?;
            tell(Answer::Record {
                key: key_of(&key)?,
                bytes: bytes.to_vec(),
            });
        }
        Ok(())
    }
}
