//! LMDB: a copy-on-write tree in a memory map, flushed with every commit.

use heed::types::{Bytes, U64};
use heed::{Database, Env, EnvOpenOptions, byteorder::BigEndian};

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::record::Batch;

/// Its default is its strictest mode.
pub(crate) const ROW: Row = Row {
    name: "lmdb",
    mode: "default flags",
    open,
};

/// Bytes of the map: more than any run writes.
const MAP_BYTES: usize = 1 << 30;

struct Lmdb {
    env: Env,
    records: Database<U64<BigEndian>, Bytes>,
}

#[expect(
    unsafe_code,
    reason = "heed marks it so because another process could change the mapped file; none does"
)]
fn open(place: &Place) -> Result<Box<dyn Engine>, Failed> {
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP_BYTES);
    let env = unsafe { options.open(&place.data) }?;
    let mut transaction = env.write_txn()?;
    let records = env.create_database(&mut transaction, None)?;
    transaction.commit()?;
    Ok(Box::new(Lmdb { env, records }))
}

impl Engine for Lmdb {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let mut transaction = self.env.write_txn()?;
        for (key, bytes) in batch.records() {
            self.records.put(&mut transaction, &key, bytes)?;
        }
        Ok(transaction.commit()?)
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        let transaction = self.env.read_txn()?;
        for item in self.records.iter(&transaction)? {
            let (key, bytes) = item?;
            tell(Answer::Record {
                key,
                bytes: bytes.to_vec(),
            });
        }
        Ok(())
    }
}
