//! `fieldnotary verify` of one file: an entry and its proof, for someone who has nothing else of the log.

use super::Ended;
use super::directory::rotations_beside;
use super::ink::{Ink, ink};
use super::proof_custody::{self, Told};
use super::verify_pins::Pins;
use crate::cli::VerifyArgs;
use evidence::Entry;
use proof::Checkpoint;
use proof::limits::OFFLINE_PROOF_BYTES_MAX;
use proof::offline::OfflineProof;
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// The proof that a path holds; `None` if it is no file that says it is one.
pub(super) fn read(path: &Path) -> Result<Option<OfflineProof>, String> {
    if !path.is_file() {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let most = u64::try_from(OFFLINE_PROOF_BYTES_MAX + 1).unwrap_or(u64::MAX);
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| failed(&error))?;
    if !OfflineProof::is_one(&bytes) {
        return Ok(None);
    }
    let proof = OfflineProof::parse(&bytes).map_err(|error| failed(&error))?;
    Ok(Some(proof))
}

/// Verifies a proof against pinned keys, and those that statements lead to from them: beside it lie no keys.
pub(super) fn verify(proof: &OfflineProof, args: &VerifyArgs) -> Result<Ended, String> {
    if !args.known.is_empty() || args.generation.is_some() {
        return Err(
            "--known and --generation are for a log; this is the proof of one entry".to_owned(),
        );
    }
    let head = Checkpoint::parse(proof.note.text()).map_err(|error| error.to_string())?;
    let beside = rotations_beside(crate::files::folder_of(&args.dir));
    let anchors = Pins::of(args)?.and_beside(Vec::new());
    let anchors = anchors.and_rotations(beside);
    let entry = proof_custody::entry_of(proof);
    let outcome = match &entry {
        None => Err("the file holds no entry that could be read".to_owned()),
        Some(entry) => {
            query::verify_proof(proof, &anchors).and_then(|()| whole(entry, proof.index))
        }
    };
    // Of keys that did not sign it nothing is said.
    let outcome = outcome.and_then(|()| proof_custody::find(proof, &args.dir, &anchors));
    let told = outcome.as_ref().ok().and_then(Option::as_ref);
    let row = entry.map(|entry| serde_json::Value::Object(query::row(&entry)));
    if args.json {
        sayln!(
            "{}",
            json!({
                "ok": outcome.is_ok(),
                "origin": head.origin,
                "size": head.size,
                "root": head.root.to_string(),
                "commit_id": proof.index,
                "anchored": !args.anchor.is_empty(),
                "custody": told.map(Told::custody),
                "keys": told.map(Told::json),
                "words": outcome.as_ref().err(),
                "entry": row,
            })
        );
    } else {
        match &outcome {
            Ok(_) => sayln!("{} against the key you pinned", ink(Ink::Good, "VERIFIED")),
            Err(words) => sayln!("{}: {words}", ink(Ink::Bad, "NOT VERIFIED")),
        }
        sayln!("log        {}", head.origin);
        sayln!("head       {} entries, root {}", head.size, head.root);
        for line in keys_lines(&outcome, &args.dir) {
            sayln!("{line}");
        }
        if let Some(row) = row {
            sayln!("entry      {row}");
        }
    }
    Ok(if outcome.is_ok() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

/// What the screen says of what holds the keys.
fn keys_lines(outcome: &Result<Option<Told>, String>, path: &Path) -> Vec<String> {
    match outcome {
        Ok(Some(told)) => told.lines(),
        Ok(None) => vec![format!(
            "keys       what holds them is not said here: put {} beside it, which `fieldnotary journal export --proof` writes as well",
            proof_custody::file_beside(path).display()
        )],
        Err(_) => Vec::new(),
    }
}

/// The tree says that these bytes stand there; they must say the same, and be what the capture wrote.
pub(super) fn whole(entry: &Entry, index: u64) -> Result<(), String> {
    let says = entry.header.commit_id.0;
    if says != index {
        return Err(format!("stands at {index} and says that it is {says}"));
    }
    entry.payload().map(drop).map_err(|error| error.to_string())
}
