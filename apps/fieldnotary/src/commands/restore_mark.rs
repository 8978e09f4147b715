//! `restored.json`: says that a directory came from a backup, and is a fork of its log until adopted.

use crate::paths::DataDir;
use crate::roles::recorder::newest_generation;
use evidence::Generation;
use serde_json::{Value, json};
use std::path::Path;

/// The mark of a restored directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whether the restore came to its end.
    pub(crate) complete: bool,
    /// When the backup was taken.
    pub(crate) taken_at: String,
    pub(crate) restored_at: String,
    /// The newest generation of the backup, and its size.
    pub(crate) generation: Generation,
    pub(crate) size: u64,
    /// Whether the node's keys came with it.
    pub(crate) keys: bool,
    /// Who restored it, and why; earlier versions did not ask.
    pub(crate) by: Option<(String, String)>,
}

impl Mark {
    /// The mark as programs read it.
    pub(super) fn json(&self) -> Value {
        json!({
            "complete": self.complete,
            "taken_at": self.taken_at,
            "restored_at": self.restored_at,
            "generation": self.generation.0,
            "size": self.size,
            "keys": self.keys,
            "actor": self.by.as_ref().map(|(actor, _)| actor),
            "reason": self.by.as_ref().map(|(_, reason)| reason),
        })
    }

    pub(super) fn write(&self, data: &DataDir) -> Result<(), String> {
        crate::files::write_durably(&data.restored(), format!("{}\n", self.json()))
    }

    /// What it is, in one line.
    pub(super) fn words(&self) -> String {
        if !self.complete {
            return "RESTORE NOT FINISHED: the directory is not whole".to_owned();
        }
        format!(
            "RESTORED, NOT ADOPTED: the log as backed up {}, {} entries of generation {}",
            self.taken_at, self.size, self.generation
        )
    }

    /// Why nothing may run on it, and what to do.
    pub(crate) fn refusal(&self, root: &Path) -> String {
        let shown = root.display();
        if !self.complete {
            return format!(
                "a restore into {shown} did not come to its end, so the directory is not whole\n\
                 remove it, and restore again: fieldnotary restore BACKUP --data {shown} --reason TEXT"
            );
        }
        format!(
            "{shown} was restored from a backup of {} and is not adopted\n\
             its log ends at entry {} of generation {}, but the node may have gone on since: two nodes \
             would tell two stories under one name\n\
             if this one shall go on, make sure that no other does, and adopt it:\n  \
             fieldnotary adopt {shown} --cause restored --reason TEXT",
            self.taken_at, self.size, self.generation
        )
    }
}

/// The mark, where the directory has one that still holds: with a newer generation it was adopted.
pub(crate) fn read(data: &DataDir) -> Result<Option<Mark>, String> {
    let path = data.restored();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    let wrong = || {
        format!(
            "{} is damaged: it says that this directory was restored, but not from what; restore it again",
            path.display()
        )
    };
    let json: Value = serde_json::from_str(&text).map_err(|_| wrong())?;
    let number = |name: &str| json.get(name).and_then(Value::as_u64).ok_or_else(wrong);
    let word = |name: &str| {
        let word = json.get(name).and_then(Value::as_str);
        word.map(str::to_owned).ok_or_else(wrong)
    };
    let mark = Mark {
        complete: json.get("complete") == Some(&Value::Bool(true)),
        taken_at: word("taken_at")?,
        restored_at: word("restored_at")?,
        generation: Generation(number("generation")?),
        size: number("size")?,
        keys: json.get("keys") == Some(&Value::Bool(true)),
        by: word("actor").ok().zip(word("reason").ok()),
    };
    let adopted = mark.complete && newest_generation(data)? > mark.generation;
    Ok((!adopted).then_some(mark))
}
