//! One entry and its proof as one file (C2SP tlog-proof), and beside it the same of what holds the keys.

use super::super::{Ended, proof_custody};
use super::export::{key_of, must_be_new};
use super::look::FoundReader;
use crate::cli::ExportArgs;
use crate::paths::DataDir;
use evidence::{CommitId, Generation};
use proof::Checkpoint;
use query::{custody_told, prove};
use serde_json::json;

/// Writes the proof of one entry.
pub(super) fn export(
    args: &ExportArgs,
    data: &DataDir,
    generation: Generation,
    reader: &FoundReader,
    id: u64,
) -> Result<Ended, String> {
    if id >= reader.size() {
        return Err(format!(
            "the log has no entry {id}: it ends at {}",
            reader.size()
        ));
    }
    let proof = prove(reader, CommitId(id)).map_err(|error| error.to_string())?;
    let head = Checkpoint::parse(proof.note.text()).map_err(|error| error.to_string())?;
    let entry = proof_custody::entry_of(&proof);
    let says_it = entry.as_ref().and_then(proof_custody::Told::by).is_some();
    let by = custody_told(reader, head.size).filter(|_| !says_it);
    let keys = by.map(|by| prove(reader, by)).transpose();
    let keys = keys.map_err(|error| error.to_string())?;
    let beside = keys.as_ref().map(|_| proof_custody::file_beside(&args.out));
    if let (Some(keys), Some(beside)) = (&keys, &beside) {
        must_be_new(beside)?;
        crate::files::write_durably(beside, keys.to_string())?;
    }
    crate::files::write_durably(&args.out, proof.to_string())?;
    let row = entry.map(|entry| serde_json::Value::Object(query::row(&entry)));
    if args.json {
        sayln!(
            "{}",
            json!({
                "ok": true,
                "out": args.out,
                "keys_out": beside,
                "origin": head.origin,
                "size": head.size,
                "root": head.root.to_string(),
                "commit_id": id,
                "entry": row,
            })
        );
        return Ok(Ended::Well);
    }
    sayln!("EXPORTED {}: entry {id} and its proof", args.out.display());
    if let (Some(beside), Some(keys)) = (&beside, &keys) {
        sayln!(
            "keys       {}: entry {}, what holds them, and its proof",
            beside.display(),
            keys.index
        );
    }
    sayln!("log        {}", head.origin);
    sayln!("head       {} entries, root {}", head.size, head.root);
    if let Some(row) = row {
        sayln!("entry      {row}");
    }
    if let Some(key) = key_of(data, generation) {
        sayln!(
            "check      fieldnotary verify {} --anchor {key}",
            args.out.display()
        );
    }
    Ok(Ended::Well)
}
