//! The decoded rows of a collector, compared with the entries. They are derived: what is wrong with them is
//! said, and takes nothing from what the entries prove.

use super::report::{FindingKind, Report};
use crate::collector::LogDir;
use redb::backends::InMemoryBackend;
use redb::{
    Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition,
};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows by commit id, as the collector keeps them.
const ROWS: TableDefinition<'_, u64, &str> = TableDefinition::new("rows");
/// Named numbers.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Number of entries decoded.
const ROWS_END: &str = "rows_end";

/// What the database holds.
struct Stored {
    rows: BTreeMap<u64, String>,
    /// One past the last entry decoded.
    end: u64,
    /// Whether its writer closed it; if not, this is a repaired private copy.
    closed: bool,
}

/// Why its rows cannot be compared.
enum Unread {
    /// A collector has it open.
    InUse,
    /// It was not closed, and cannot be repaired.
    NotClosed(String),
    /// It is not what the collector wrote.
    Damaged(String),
}

/// The rows are what the entries below the checkpoint's size say, no more and no less. Whether they could be compared.
pub(super) fn verify_rows(
    log: &LogDir,
    expected: &BTreeMap<u64, String>,
    size: u64,
    report: &mut Report,
) -> bool {
    let path = log.path.join("rows.redb");
    let shown = path.display();
    let stored = match read(&path) {
        Ok(stored) => stored,
        Err(Unread::InUse) => {
            let words = "rows.redb is in use by a running collector: its rows were not compared";
            report.find(FindingKind::NotCovered, None, words);
            return false;
        }
        Err(Unread::NotClosed(error)) => {
            let words = format!(
                "{shown} was not closed orderly and cannot be repaired ({error}): it was changed, or \
                 copied while a collector wrote it. It holds nothing that the entries beside it do not: \
                 copy the directory again once the collector has stopped, or remove this file and the \
                 collector's next start decodes it again"
            );
            report.find(FindingKind::Rows, None, words);
            return false;
        }
        Err(Unread::Damaged(error)) => {
            let words = format!(
                "{shown}: {error}; it holds nothing that the entries beside it do not: remove it and the \
                 collector's next start decodes it again"
            );
            report.find(FindingKind::Rows, None, words);
            return false;
        }
    };
    if !stored.closed {
        let words = format!(
            "{shown} was not closed orderly: its collector was ended, or it was copied while one ran. Its \
             rows were compared in a repaired copy in memory; the collector's next start repairs the file"
        );
        report.find(FindingKind::NotClosed, None, words);
    }
    compare(&stored, expected, size, report);
    true
}

fn compare(stored: &Stored, expected: &BTreeMap<u64, String>, size: u64, report: &mut Report) {
    for (id, row) in expected {
        let words = match stored.rows.get(id) {
            Some(found) if found == row => continue,
            Some(_) => "the row differs from its entry",
            // Said once, below.
            None if !stored.closed && *id >= stored.end => continue,
            None => "the entry has no row",
        };
        report.find(FindingKind::Rows, Some((*id, *id)), words);
    }
    for id in stored.rows.range(..size).map(|(id, _)| *id) {
        if !expected.contains_key(&id) {
            report.find(FindingKind::Rows, Some((id, id)), "a row without an entry");
        }
    }
    if !stored.closed && stored.end < size {
        // Rows are durable before the checkpoint that covers them: no crash leaves them behind it.
        let words = "these entries have no rows: rows.redb was changed, or copied while a collector wrote it; \
                     copy again once the collector has stopped, or let its next start decode them";
        report.find(FindingKind::Rows, Some((stored.end, size - 1)), words);
    }
    if let Some(last) = stored.rows.keys().next_back().filter(|last| **last >= size) {
        let words =
            "rows of entries above the checkpoint, not cosigned yet: nothing is said of them";
        report.find(FindingKind::NotCovered, Some((size, *last)), words);
    }
}

/// Reads all rows. A damaged database may fail in any way, none of which may end the verification.
fn read(path: &Path) -> Result<Stored, Unread> {
    let path = path.to_path_buf();
    std::thread::spawn(move || {
        let damaged = |error: DatabaseError| Unread::Damaged(error.to_string());
        match ReadOnlyDatabase::open(&path) {
            Ok(database) => rows_of(&database, true).map_err(Unread::Damaged),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(Unread::InUse),
            Err(DatabaseError::RepairAborted) => repaired(&path)
                .and_then(|database| rows_of(&database, false))
                .map_err(Unread::NotClosed),
            Err(error) => Err(damaged(error)),
        }
    })
    .join()
    .unwrap_or_else(|_| {
        let words = "the database is damaged beyond reading";
        Err(Unread::Damaged(words.to_owned()))
    })
}

/// The same database, repaired in memory: what is verified is never written to.
fn repaired(path: &Path) -> Result<Database, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let memory = InMemoryBackend::new();
    memory
        .set_len(bytes.len() as u64)
        .and_then(|()| memory.write(0, &bytes))
        .map_err(|error| error.to_string())?;
    drop(bytes);
    Database::builder()
        .create_with_backend(memory)
        .map_err(|error| error.to_string())
}

fn rows_of(database: &impl ReadableDatabase, closed: bool) -> Result<Stored, String> {
    let read = database.begin_read().map_err(|error| error.to_string())?;
    let table = read.open_table(ROWS).map_err(|error| error.to_string())?;
    let mut rows = BTreeMap::new();
    for item in table.iter().map_err(|error| error.to_string())? {
        let (id, row) = item.map_err(|error| error.to_string())?;
        rows.insert(id.value(), row.value().to_owned());
    }
    let meta = read.open_table(META).map_err(|error| error.to_string())?;
    let end = meta.get(ROWS_END).map_err(|error| error.to_string())?;
    Ok(Stored {
        rows,
        end: end.map_or(0, |end| end.value()),
        closed,
    })
}
