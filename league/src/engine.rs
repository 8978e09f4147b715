//! What the league asks of an engine, and the table of those that take part.

use std::path::PathBuf;

use crate::engines::{fjall, lmdb, okaywal, ours, planted, raft, redb, sqlite};
use crate::record::Batch;

/// Where an engine keeps its files.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The directory of the engine.
    pub(crate) data: PathBuf,
    /// The directory for a truth store of its own; the others know none.
    pub(crate) truth: PathBuf,
}

/// What an engine says when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A record.
    Record { key: u64, bytes: Vec<u8> },
    /// The keys from `first` up to `end` are lost, by the engine's own word.
    Lost { first: u64, end: u64 },
    /// From this key on the engine does not vouch for the log's end.
    Uncertain { from: u64 },
}

/// Where answers go.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(Answer);

/// An engine that is open.
pub(crate) trait Engine {
    /// Commits a batch; it is durable when this returns.
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed>;

    /// Bytes of the encodings handed to it so far, where its records are handed in encoded; the others are
    /// handed key and record as they are.
    fn encoded_bytes(&self) -> Option<u64> {
        None
    }

    /// Says all it holds.
    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed>;
}

/// Why an engine did not do what it was asked; the words are its own.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// An engine in one durable mode: a row of the table.
pub(crate) struct Row {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// What is set, in the engine's own words.
    pub(crate) mode: &'static str,
    /// Opens it in a place, or begins it where the place is empty.
    pub(crate) open: fn(&Place) -> Result<Box<dyn Engine>, Failed>,
}

/// Those that take part, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    ours::INDEPENDENT,
    ours::SYNC,
    ours::DEFERRED,
    sqlite::WAL,
    sqlite::DELETE,
    redb::ONE_PHASE,
    redb::TWO_PHASE,
    fjall::ROW,
    raft::TAIL,
    raft::ABSOLUTE,
    okaywal::ROW,
    lmdb::ROW,
];

/// The row of a name; the engines with planted faults have rows too, and no place in the table.
pub(crate) fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter()
        .chain(planted::ROWS)
        .find(|row| row.name == name)
}
