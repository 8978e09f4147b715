//! redb: a copy-on-write tree, in one phase and in two.

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::record::Batch;

const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");

/// The default: one flush, checksums tell a commit that was cut short.
pub(crate) const ONE_PHASE: Row = Row {
    name: "redb",
    mode: "Durability::Immediate",
    open: |place| open(place, false),
};

/// Pages first, then the slot that names them.
pub(crate) const TWO_PHASE: Row = Row {
    name: "redb/2pc",
    mode: "Durability::Immediate, two-phase commit",
    open: |place| open(place, true),
};

struct Redb {
    database: Database,
    two_phase: bool,
}

fn open(place: &Place, two_phase: bool) -> Result<Box<dyn Engine>, Failed> {
    let database = Database::create(place.data.join("league.redb"))?;
    Ok(Box::new(Redb {
        database,
        two_phase,
    }))
}

impl Engine for Redb {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_two_phase_commit(self.two_phase);
        {
            let mut table = transaction.open_table(RECORDS)?;
            for (key, bytes) in batch.records() {
                table.insert(key, bytes)?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        let table = match self.database.begin_read()?.open_table(RECORDS) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            table => table?,
        };
        for item in table.iter()? {
            let (key, bytes) = item?;
            tell(Answer::Record {
                key: key.value(),
                bytes: bytes.value().to_vec(),
            });
        }
        Ok(())
    }
}
