//! `SQLite`: a write-ahead log that is flushed with every commit, and the rollback journal.

use rusqlite::Connection;

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::record::Batch;

/// The write-ahead log.
pub(crate) const WAL: Row = Row {
    name: "sqlite/wal",
    mode: "journal_mode=WAL synchronous=FULL",
    open: |place| open(place, "WAL", "FULL"),
};

/// The rollback journal. With FULL, its removal is not durable when the commit returns, and power loss
/// undoes the commit.
pub(crate) const DELETE: Row = Row {
    name: "sqlite/delete",
    mode: "journal_mode=DELETE synchronous=EXTRA",
    open: |place| open(place, "DELETE", "EXTRA"),
};

struct Sqlite(Connection);

fn open(place: &Place, journal_mode: &str, synchronous: &str) -> Result<Box<dyn Engine>, Failed> {
    let connection = Connection::open(place.data.join("league.sqlite"))?;
    connection.pragma_update(None, "journal_mode", journal_mode)?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS records (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    )?;
    Ok(Box::new(Sqlite(connection)))
}

impl Engine for Sqlite {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let transaction = self.0.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO records (key, bytes) VALUES (?1, ?2)")?;
            for (key, bytes) in batch.records() {
                insert.execute((key.cast_signed(), bytes))?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        let mut all = self
            .0
            .prepare("SELECT key, bytes FROM records ORDER BY key")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            tell(Answer::Record {
                key: key.cast_unsigned(),
                bytes: row.get(1)?,
            });
        }
        Ok(())
    }
}
