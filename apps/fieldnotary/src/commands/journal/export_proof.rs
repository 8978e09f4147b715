//! One entry and its proof as one file (C2SP tlog-proof).

use super::super::Ended;
use super::export::key_of;
use super::look::FoundReader;
use crate::cli::ExportArgs;
use crate::paths::DataDir;
use evidence::{CommitId, Entry, Generation, split_leaf};
use proof::Checkpoint;
use query::prove;
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
    crate::files::write_durably(&args.out, proof.to_string())?;
    let entry = proof
        .leaf
        .as_deref()
        .and_then(split_leaf)
        .and_then(|(_, bytes)| Entry::decode(bytes).ok());
    let row = entry.map(|entry| serde_json::Value::Object(query::row(&entry)));
    if args.json {
        sayln!(
            "{}",
            json!({
                "ok": true,
                "out": args.out,
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
