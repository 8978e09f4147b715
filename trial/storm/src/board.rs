//! The board on which steps are armed and the clock is set off; the programs' side is `host/steps`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use steps::{RECORD_BYTES, STEPS, place_of, record};

/// The board of one site.
#[derive(Debug)]
pub(crate) struct Board {
    file: File,
}

impl Board {
    /// A board with nothing on it.
    pub(crate) fn make(path: &Path) -> Result<Self, String> {
        let failed = |error| format!("cannot make {}: {error}", path.display());
        let mut open = File::options();
        open.read(true).write(true).create_new(true);
        let file = open.open(path).map_err(failed)?;
        let blank = vec![b' '; RECORD_BYTES * (STEPS.len() + 1)];
        file.write_all_at(&blank, 0).map_err(failed)?;
        Ok(Self { file })
    }

    fn write(&self, place: u64, words: &str) -> Result<(), String> {
        let written = self.file.write_all_at(&record(words), place);
        written.map_err(|error| format!("cannot write on the board: {error}"))
    }

    /// Arms a step: whoever passes it for the n-th time ends.
    pub(crate) fn arm(&self, step: &str, count: u64) -> Result<(), String> {
        self.write(place_of(step), &format!("armed {count}"))
    }

    /// Takes what is armed away again.
    pub(crate) fn disarm(&self, step: &str) -> Result<(), String> {
        self.write(place_of(step), "")
    }

    /// The process that was struck at a step.
    pub(crate) fn struck(&self, step: &str) -> Option<u64> {
        let mut bytes = [0; RECORD_BYTES];
        let count = self.file.read_at(&mut bytes, place_of(step)).ok()?;
        let text = std::str::from_utf8(bytes.get(..count)?).ok()?;
        text.trim().strip_prefix("struck ")?.parse().ok()
    }

    /// Sets the wall clock of the programs off.
    pub(crate) fn set_clock_off(&self, offset_ns: i64) -> Result<(), String> {
        // Behind the last step.
        self.write(place_of(""), &offset_ns.to_string())
    }
}
