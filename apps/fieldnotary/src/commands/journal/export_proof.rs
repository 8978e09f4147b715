//! One entry and its proof as one file (C2SP tlog-proof), and beside it the same of what holds the keys.

use super::super::{Ended, proof_custody};
use super::export::{key_of, must_be_new};
use super::look::FoundReader;
use crate::cli::ExportArgs;
use crate::files::write_durably;
use crate::paths::DataDir;
use evidence::{CommitId, Generation};
use proof::Checkpoint;
use proof::offline::OfflineProof;
use query::{custody_told, prove};
use serde_json::json;
use std::path::Path;

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
    let keys = match says_it {
        true => Ok(None),
        false => keys_proof(reader, &proof, head.size).map(Some),
    };
    let (keys, unproved) = match keys {
        Ok(keys) => (keys, None),
        Err(words) => (None, Some(words)),
    };
    let beside = keys.as_ref().map(|_| proof_custody::file_beside(&args.out));
    write((&args.out, &proof), beside.as_deref().zip(keys.as_ref()))?;
    let row = entry.map(|entry| serde_json::Value::Object(query::row(&entry)));
    if args.json {
        sayln!(
            "{}",
            json!({
                "ok": true,
                "out": args.out,
                "keys_out": beside,
                "keys_unproved": unproved,
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
    if let Some(words) = unproved {
        sayln!("keys       what holds them is not proved: {words}");
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

/// The proof of the entry that says what holds the keys, under the head of another.
///
/// # Errors
/// Why there is none: the other is sound without it.
fn keys_proof(
    reader: &FoundReader,
    other: &OfflineProof,
    size: u64,
) -> Result<OfflineProof, String> {
    let by = custody_told(reader, size)
        .ok_or("no entry below this head says it: those that did have left the ring")?;
    let failed = |words: &str| format!("entry {by} says it, and has no proof here: {words}");
    let keys = prove(reader, by).map_err(|error| failed(&error.to_string()))?;
    match keys.note.text() == other.note.text() {
        true => Ok(keys),
        false => Err(failed(
            "the node signed another head meanwhile; export once more",
        )),
    }
}

/// Writes a proof, and another beside it: both, or nothing.
fn write(
    (out, proof): (&Path, &OfflineProof),
    beside: Option<(&Path, &OfflineProof)>,
) -> Result<(), String> {
    beside.map_or(Ok(()), |(beside, _)| must_be_new(beside))?;
    let files = std::iter::once((out, proof)).chain(beside);
    let mut begun = Vec::new();
    for (path, proof) in files {
        begun.push(path);
        if let Err(words) = write_durably(path, proof.to_string()) {
            // None of them was there before.
            for path in begun {
                let _ = std::fs::remove_file(path);
            }
            return Err(words);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;
    use proof::note::Note;
    use proof::offline::OfflineProof;

    fn proof() -> OfflineProof {
        let head = proof::Checkpoint::new("example.org/n/g1", 0, proof::Frontier::new().root());
        OfflineProof {
            leaf: None,
            index: 0,
            hashes: Vec::new(),
            note: Note::new(head.unwrap().body().unwrap()).unwrap(),
        }
    }

    //= A4.6
    #[test]
    fn a_proof_and_the_one_beside_it_are_written_both_or_not_at_all() {
        let names = |dir: &std::path::Path| {
            let files = std::fs::read_dir(dir).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        let (out, beside) = (place("one.tlog-proof"), place("one.keys.tlog-proof"));
        write((&out, &proof()), Some((&beside, &proof()))).unwrap();
        assert_eq!(names(dir.path()), ["one.keys.tlog-proof", "one.tlog-proof"]);

        // The one beside is there already: nothing is written over, and nothing is added.
        std::fs::remove_file(&out).unwrap();
        let kept = std::fs::read(&beside).unwrap();
        let words = write((&out, &proof()), Some((&beside, &proof()))).unwrap_err();
        assert!(words.contains("overwrites nothing"), "{words}");
        assert_eq!(names(dir.path()), ["one.keys.tlog-proof"]);
        assert_eq!(std::fs::read(&beside).unwrap(), kept);

        // One of the two cannot be written: the other is not left alone.
        std::fs::remove_file(&beside).unwrap();
        for (draft, left) in [("one.new", "one.new"), ("one.keys.new", "one.keys.new")] {
            std::fs::create_dir(place(draft)).unwrap();
            let words = write((&out, &proof()), Some((&beside, &proof()))).unwrap_err();
            assert!(words.contains("cannot write"), "{words}");
            assert_eq!(names(dir.path()), [left]);
            std::fs::remove_dir(place(draft)).unwrap();
        }
    }
}
