//! Decoded rows in an embedded database: what a person or a query asks for, beside the bytes that prove it.

use std::path::Path;

use evidence::{CommitId, Entry, EntryError, Payload, split_leaf};
use redb::{Database, Durability, ReadableDatabase as _, TableDefinition};
use serde_json::{Value, json};

use crate::error::Error;

/// Commit id to the row as JSON.
const ROWS: TableDefinition<'_, u64, &str> = TableDefinition::new("rows");
/// (meter, seq, point) to commit id; the point is empty for a failed attempt.
const BY_SEQ: TableDefinition<'_, (&str, u64, &str), u64> = TableDefinition::new("by_seq");
/// Named numbers.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Number of entries decoded.
const ROWS_END: &str = "rows_end";

/// The rows of one log.
#[derive(Debug)]
pub struct Rows {
    database: Database,
}

/// One decoded entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    commit_id: u64,
    keys: Vec<(String, u64, String)>,
    record_crc_ok: bool,
    json: Value,
}

impl Row {
    /// Decodes a leaf as far as it can be: what cannot is a row as well, and says so.
    #[must_use]
    pub fn of_leaf(commit_id: u64, leaf: &[u8]) -> Self {
        let undecodable = |detail: String| Self {
            commit_id,
            keys: Vec::new(),
            record_crc_ok: true,
            json: json!({"commit_id": commit_id, "kind": "undecodable", "detail": detail}),
        };
        let Some((_, entry)) = split_leaf(leaf) else {
            return undecodable("the leaf is shorter than its salt".to_owned());
        };
        let entry = match Entry::decode(entry) {
            Ok(entry) => entry,
            Err(error) => return undecodable(error.to_string()),
        };
        if entry.header.commit_id != CommitId(commit_id) {
            return undecodable(format!("the entry says it is {}", entry.header.id()));
        }
        Self::of_entry(&entry)
    }

    fn of_entry(entry: &Entry) -> Self {
        let payload = entry.payload();
        Self {
            commit_id: entry.header.commit_id.0,
            keys: payload.as_ref().ok().and_then(key_of).into_iter().collect(),
            record_crc_ok: !matches!(payload, Err(EntryError::RecordCrc { .. })),
            json: Value::Object(query::row(entry)),
        }
    }

    /// Whether the record CRC holds, or there is none to check.
    #[must_use]
    pub const fn record_crc_ok(&self) -> bool {
        self.record_crc_ok
    }

    /// The row as JSON.
    #[must_use]
    pub const fn json(&self) -> &Value {
        &self.json
    }
}

fn key_of(payload: &Payload) -> Option<(String, u64, String)> {
    match payload {
        Payload::Reading(reading) => Some((
            reading.meter_id.to_string(),
            reading.seq.0,
            reading.point_id.to_string(),
        )),
        Payload::Opaque(opaque) => Some((
            opaque.meter_id.to_string(),
            opaque.seq.0,
            opaque.point_id.to_string(),
        )),
        Payload::AttemptFailed(failed) if failed.last => {
            Some((failed.meter_id.to_string(), failed.seq.0, String::new()))
        }
        _ => None,
    }
}

impl Rows {
    /// Opens or creates the database.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        {
            write.open_table(ROWS)?;
            write.open_table(BY_SEQ)?;
            write.open_table(META)?;
        }
        write.commit()?;
        Ok(Self { database })
    }

    /// Number of entries decoded.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn end(&self) -> Result<u64, Error> {
        let read = self.database.begin_read()?;
        let meta = read.open_table(META)?;
        Ok(meta.get(ROWS_END)?.map_or(0, |end| end.value()))
    }

    /// Stores rows and the new end, durably and together.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put(&self, rows: &[Row], end: Option<u64>) -> Result<(), Error> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        {
            let mut table = write.open_table(ROWS)?;
            let mut by_seq = write.open_table(BY_SEQ)?;
            for row in rows {
                table.insert(row.commit_id, row.json.to_string().as_str())?;
                for (meter, seq, point) in &row.keys {
                    by_seq.insert((meter.as_str(), *seq, point.as_str()), row.commit_id)?;
                }
            }
            if let Some(end) = end {
                write.open_table(META)?.insert(ROWS_END, end)?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// The row of an entry.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, commit_id: u64) -> Result<Option<String>, Error> {
        let read = self.database.begin_read()?;
        let table = read.open_table(ROWS)?;
        Ok(table.get(commit_id)?.map(|row| row.value().to_owned()))
    }

    /// The entry of a meter's session and point.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(&self, meter: &str, seq: u64, point: &str) -> Result<Option<u64>, Error> {
        let read = self.database.begin_read()?;
        let table = read.open_table(BY_SEQ)?;
        Ok(table.get((meter, seq, point))?.map(|id| id.value()))
    }
}
