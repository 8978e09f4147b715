//! What can be read of the files that tell whose a key is, for whoever takes keys back: an emergency waits for no file.

use std::path::Path;

use super::{Record, each_record};
use crate::error::Error;
use crate::registry::{self, Pin};

/// A file that tells whose keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadFile {
    /// What the keys of a log state of those that follow them.
    Statement,
    /// What a node was enrolled by.
    Record,
    /// The pins of the last start.
    Pins,
    /// The heads of a log that is held.
    Log,
}

impl UnreadFile {
    /// What its being unread leaves open, and what to do.
    #[must_use]
    pub const fn then(self) -> &'static str {
        match self {
            Self::Statement => {
                "with which other key it signed, and which keys it named to follow it, as far as this file tells it, is not known, \
                 and these were not taken back nor told above: put the file back from a backup and revoke again; the collector does \
                 not start with it as it is"
            }
            Self::Record => {
                "with which other key it signed, as far as this file tells it, is not known: give the other line of its \
                 identity/keys.vkey as well. A certificate of that node may stand in it, and is not on the list: put the file back \
                 from a backup and revoke again; the collector does not start with it as it is"
            }
            Self::Pins => {
                "with which other key it signed, as far as this file tells it, is not known: give the other line of its \
                 identity/keys.vkey as well. The next start of the collector writes the file anew"
            }
            Self::Log => {
                "whether it signed that log is not known: look whether it is a line of that node's identity/keys.vkey, whole; \
                 put the file back from a backup"
            }
        }
    }
}

/// A file that could not be read when keys were taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What it is.
    pub file: UnreadFile,
    /// Which one, and what is wrong with it.
    pub words: String,
}

impl Unread {
    pub(super) fn new(file: UnreadFile, words: impl ToString) -> Self {
        Self {
            file,
            words: words.to_string(),
        }
    }
}

/// What could be read.
#[derive(Default)]
pub(super) struct Readable {
    pub(super) records: Vec<Record>,
    pub(super) pins: Vec<Pin>,
    pub(super) unread: Vec<Unread>,
}

impl Readable {
    /// Of a collector's directory.
    ///
    /// # Errors
    /// Where its records cannot be listed.
    pub(super) fn of(dir: &Path) -> Result<Self, Error> {
        let mut all = Self::default();
        for record in each_record(dir)? {
            match record {
                Ok(record) => all.records.push(record),
                Err(error) => all.unread.push(Unread::new(UnreadFile::Record, error)),
            }
        }
        match registry::remembered(dir) {
            Ok(pins) => all.pins = pins,
            Err(error) => all.unread.push(Unread::new(UnreadFile::Pins, error)),
        }
        Ok(all)
    }

    /// Whether a record could not be read.
    pub(super) fn lacks_a_record(&self) -> bool {
        let is_record = |one: &Unread| one.file == UnreadFile::Record;
        self.unread.iter().any(is_record)
    }
}
