//! The folder of an answer: its files as `attest --to` writes them and strangers' tools take them, and read again.

use super::directory::is_node;
use evidence::kinds::Attestation;
use proof::limits::NOTE_BYTES_MAX;
use proof::note::Note;
use query::Answer;
use std::io::Read as _;
use std::path::Path;
use trust_plane::limits::{QUOTE_BYTES_MAX, SIGNATURE_BYTES_MAX};
use trust_plane::{PCRS_FILE_BYTES_MAX, Quoted, pcrs_file, pcrs_in_file};

/// The text that was signed, and the same with its signatures.
const STATEMENT: &str = "statement";
const NOTE: &str = "statement.note";
/// What a TPM attests, its signature, and the PCRs that it is about: all of them or none.
const QUOTE: &str = "quote";
const SIGNATURE: &str = "quote.signature";
const PCRS: &str = "pcrs";

/// Writes an answer into a folder that is there.
pub(super) fn write(to: &Path, told: &Attestation) -> Result<(), String> {
    let note = Note::parse(told.note.as_bytes()).map_err(|error| error.to_string())?;
    let put = |name: &str, bytes: &[u8]| {
        let path = to.join(name);
        std::fs::write(&path, bytes)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    put(STATEMENT, note.text().as_bytes())?;
    put(NOTE, told.note.as_bytes())?;
    if let (Some(attest), Some(signature)) = (&told.attest, &told.signature) {
        put(QUOTE, &attest.0)?;
        put(SIGNATURE, &signature.0)?;
        put(PCRS, &pcrs_file(&told.pcrs))?;
    }
    Ok(())
}

/// What a folder holds that has files of an answer.
pub(super) enum Found {
    /// An answer, as far as its files agree with each other.
    Answer(Answer),
    /// Files that are there, and are not what an answer has.
    Spoilt(String),
}

/// The answer in a folder; `None` where that has no file of one, or is something else.
///
/// # Errors
/// A file is missing, or cannot be read: then there is nothing to judge.
pub(super) fn read(dir: &Path) -> Result<Option<Found>, String> {
    let is_there = |name: &str| dir.join(name).symlink_metadata().is_ok();
    let any = [STATEMENT, NOTE, QUOTE, SIGNATURE, PCRS]
        .into_iter()
        .any(is_there);
    // A log is judged as one, whatever lies beside its files: whoever hosts a copy could put an answer there.
    let is_log =
        is_node(dir) || query::CollectorDir::is_one(dir) || query::LogDir::is_published(dir);
    if !dir.is_dir() || !any || is_log {
        return Ok(None);
    }
    let statement = file(dir, STATEMENT, NOTE_BYTES_MAX)?;
    let note = file(dir, NOTE, NOTE_BYTES_MAX)?;
    let quote = match [QUOTE, SIGNATURE, PCRS].into_iter().any(is_there) {
        false => None,
        true => Some((
            file(dir, QUOTE, QUOTE_BYTES_MAX)?,
            file(dir, SIGNATURE, SIGNATURE_BYTES_MAX)?,
            file(dir, PCRS, PCRS_FILE_BYTES_MAX)?,
        )),
    };
    let spoilt = |name: &str, words: &str| {
        let words = format!("{}: {words}", dir.join(name).display());
        Ok(Some(Found::Spoilt(words)))
    };
    let note = match Note::parse(&note) {
        Ok(note) => note,
        Err(error) => return spoilt(NOTE, &format!("it is no signed statement: {error}")),
    };
    if note.text().as_bytes() != statement {
        return spoilt(
            STATEMENT,
            "it is another text than the one in statement.note, which the signatures are under",
        );
    }
    let quoted = match quote {
        None => None,
        Some((attest, signature, pcrs)) => match pcrs_in_file(&pcrs) {
            Some(pcrs) => Some(Quoted {
                attest,
                signature,
                pcrs,
            }),
            None => {
                return spoilt(
                    PCRS,
                    "it is cut, or no file of PCRs as `fieldnotary attest --to` writes it",
                );
            }
        },
    };
    Ok(Some(Found::Answer(Answer { note, quoted })))
}

/// The bytes of a file; of one that is longer than any of its kind the first that are too many.
fn file(dir: &Path, name: &str, longest: usize) -> Result<Vec<u8>, String> {
    let path = dir.join(name);
    let failed = |words: &dyn std::fmt::Display| {
        format!(
            "{}: {words}\nan answer of `fieldnotary attest --to DIR` has {STATEMENT} and {NOTE}, and with a quote {QUOTE}, {SIGNATURE} and \
             {PCRS}: take the folder whole, or have it answered anew",
            path.display()
        )
    };
    match std::fs::metadata(&path) {
        Ok(about) if about.is_file() => {}
        Ok(_) => return Err(failed(&"that is no file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(failed(&"there is no such file"));
        }
        Err(error) => return Err(failed(&format!("cannot be read: {error}"))),
    }
    let most = u64::try_from(longest.saturating_add(1)).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| failed(&format!("cannot be read: {error}")))?;
    Ok(bytes)
}
