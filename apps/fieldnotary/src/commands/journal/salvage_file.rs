//! What `fsck --salvage` writes: one JSON object a line, first the log, then entries and what is missing.
//!
//! A line of an entry has what `log --json` shows, and `bytes` and `salt` in hexadecimal: the leaf of the
//! entry is SHA-256 over a zero byte, the salt and the bytes.

use crate::commands::backup_archive::hex;
use evidence::CommitId;
use journal::{Loss, Salvaged, StoredEntry};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Names the file's format, for whoever reads it.
const FORMAT: &str = "fieldnotary-salvage-1";

/// The file that is being written.
#[derive(Debug)]
pub(super) struct SalvageFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl SalvageFile {
    /// Makes a new file; nothing is ever written over, and nothing into the journal's own folder.
    pub(super) fn create(path: &Path, looked_at: &Path) -> Result<Self, String> {
        let inside = crate::files::folder_of(path)
            .canonicalize()
            .ok()
            .zip(looked_at.canonicalize().ok())
            .is_some_and(|(parent, image)| parent.starts_with(image));
        if inside {
            return Err(format!(
                "{} lies inside {}, which is not written to: name another place",
                path.display(),
                looked_at.display()
            ));
        }
        let shown = path.display();
        let file = File::create_new(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("{shown} exists, and nothing is written over: give another name")
            }
            ErrorKind::NotFound => {
                format!("cannot make the file {shown}: its folder does not exist; make it first")
            }
            kind => format!("cannot make the file {shown}: {kind}; name another place"),
        })?;
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::new(file),
        })
    }

    /// The log whose entries follow.
    pub(super) fn log(&mut self, ring: &Path, log: &Value) -> Result<(), String> {
        self.line(&json!({ "format": FORMAT, "journal": ring.display().to_string(), "log": log }))
    }

    /// An entry that a keep-ring holds: its segment has been reused.
    pub(super) fn kept(&mut self, store: &str, stored: &StoredEntry) -> Result<(), String> {
        let mut line = entry_line(stored, false);
        if let Some(object) = line.as_object_mut() {
            object.insert("kept_in".to_owned(), json!(store));
        }
        self.line(&line)
    }

    /// An entry, or what is missing.
    pub(super) fn item(&mut self, item: &Salvaged) -> Result<(), String> {
        let line = match item {
            Salvaged::Entry { entry, beyond } => entry_line(entry, *beyond),
            Salvaged::Missing(loss) => missing_line(loss),
        };
        self.line(&line)
    }

    fn line(&mut self, line: &Value) -> Result<(), String> {
        writeln!(self.out, "{line}").map_err(|error| failed(&self.path, &error))
    }

    /// Makes it durable.
    pub(super) fn finish(self) -> Result<(), String> {
        let Self { path, out } = self;
        let written = out
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        written
            .and_then(|file| file.sync_all())
            .map_err(|error| failed(&path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

fn entry_line(stored: &StoredEntry, beyond: bool) -> Value {
    let CommitId(id) = stored.commit_id;
    let mut line = match stored.entry() {
        Ok(entry) => query::row(&entry),
        Err(error) => {
            let mut line = serde_json::Map::new();
            line.insert("commit_id".to_owned(), json!(id));
            line.insert("malformed".to_owned(), json!(error.to_string()));
            line
        }
    };
    if beyond {
        line.insert("behind_committed_end".to_owned(), json!(true));
    }
    line.insert("salt".to_owned(), json!(hex(&stored.salt)));
    line.insert("bytes".to_owned(), json!(hex(&stored.bytes)));
    Value::Object(line)
}

fn missing_line(loss: &Loss) -> Value {
    let hashes = loss.hashes.as_ref();
    let hashes = hashes.map(|hashes| hashes.iter().map(|hash| hex(&hash.0)).collect::<Vec<_>>());
    json!({
        "missing_first": loss.first.0,
        "missing_last": loss.end().saturating_sub(1),
        "cause": loss.cause.name(),
        "segment": loss.segment,
        "offset": loss.offset,
        "hashes": hashes,
    })
}
