//! `fieldnotary restore`: a data directory from a backup, marked as a fork until it is adopted.

use super::Ended;
use super::backup::{Bytes, failures};
use super::backup_archive::{Archive, SUMS_FILE, new_file, sync_directories};
use super::backup_manifest::{MANIFEST_FILE, Manifest, verify_logs};
use super::restore_mark::Mark;
use super::words;
use crate::cli::RestoreArgs;
use crate::clock;
use crate::paths::DataDir;
use query::Report;
use serde_json::json;
use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use trust_plane::Rotation;

const DIRECTORY_MODE: u32 = 0o700;
const PUBLIC_MODE: u32 = 0o644;
const SECRET_MODE: u32 = 0o600;
const VKEYS: &str = "identity/keys.vkey";
const LOG_ID: &str = "identity/log-id";

/// Restores a backup. Everything is verified before anything is written.
pub(crate) fn restore(args: &RestoreArgs) -> Result<Ended, String> {
    let shown = args.backup.display();
    empty(&args.data)?;
    if !args.backup.exists() {
        return Err(format!(
            "{shown} does not exist; name what `fieldnotary backup` wrote"
        ));
    }
    let archive = Archive::open(&args.backup)?;
    let all = archive.names().filter_map(|name| archive.bytes(name)).sum();
    let mut progress = Bytes::new("verifying MiB", all);
    archive.check(&mut |bytes| progress.add(bytes))?;
    let in_backup = |error: String| format!("{shown} is refused: {error}");
    let manifest = Manifest::read(&archive).map_err(in_backup)?;
    let report = verify_logs(&archive, &manifest, &args.anchor).map_err(in_backup)?;
    if !report.ok() && !args.damaged {
        let found = failures(&report).join("\n  ");
        return Err(format!(
            "{shown} is refused: the log in it does not verify\n  {found}\n\
             --damaged restores it all the same: damaged evidence is still evidence"
        ));
    }
    let newest = manifest
        .newest()
        .ok_or_else(|| in_backup("it holds no generation".to_owned()))?;
    let mut mark = Mark {
        complete: false,
        taken_at: manifest.taken_at.clone(),
        restored_at: query::rfc3339(clock::utc()),
        generation: newest.generation,
        size: newest.size,
        keys: manifest.keys,
        by: Some((
            super::site::actor(args.why.actor.as_deref())?.to_string(),
            args.why.reason.clone(),
        )),
    };
    let data = DataDir::new(&args.data);
    make(data.root())?;
    // First of all: what breaks off from here on is never taken for a node.
    mark.write(&data)?;
    let mut progress = Bytes::new("restoring MiB", all);
    for name in archive.names() {
        put(&archive, name, &manifest, data.root(), &mut progress)?;
    }
    if !manifest.keys {
        // The keys that signed these generations; those that come will be others.
        for held in &manifest.generations {
            let own = data.journal(held.generation.0).join("keys.vkey");
            if !own.exists() {
                let mut file = new_file(&own, PUBLIC_MODE).map_err(|error| failed(&own, &error))?;
                copy(&archive, VKEYS, &mut file).map_err(|error| failed(&own, &error))?;
                put_rotations(&archive, &data.journal(held.generation.0))?;
            }
        }
    }
    sync_directories(data.root())?;
    for held in &manifest.generations {
        let reader = super::open_reader(&data, held.generation)?;
        if reader.size() != held.size || reader.root().to_string() != held.root {
            return Err(format!(
                "what was written to {} does not read as it was backed up; the directory is not usable",
                data.journal(held.generation.0).display()
            ));
        }
    }
    mark.complete = true;
    mark.write(&data)?;
    tell(args, &manifest, &report, &mark);
    Ok(if report.ok() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

/// Nothing is overwritten, and nothing is mixed with what is there.
fn empty(dir: &Path) -> Result<(), String> {
    let shown = dir.display();
    match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot restore into {shown}: {error}")),
        Ok(mut names) => match names.next() {
            None => Ok(()),
            Some(first) => {
                let first = first.map(|one| one.file_name().display().to_string());
                Err(format!(
                    "{shown} is not empty (it has {}): a restore overwrites nothing; name a new directory",
                    first.unwrap_or_default()
                ))
            }
        },
    }
}

fn make(dir: &Path) -> Result<(), String> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(DIRECTORY_MODE);
    builder.create(dir).map_err(|error| failed(dir, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

/// Writes one file of the backup to its place; segments in their full length.
fn put(
    archive: &Archive,
    name: &str,
    manifest: &Manifest,
    root: &Path,
    progress: &mut Bytes,
) -> Result<(), String> {
    let of_backup = [MANIFEST_FILE, SUMS_FILE].contains(&name);
    // The keys of a node stay with it: without the secret ones these sign nothing more.
    let of_keys = name == VKEYS || is_rotation(name);
    let of_other_keys = of_keys && !manifest.keys;
    if of_backup || of_other_keys {
        return Ok(());
    }
    let path = root.join(name);
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return Err(format!(
            "the backup is refused: {name} would lie outside the data directory"
        ));
    }
    if let Some(parent) = path.parent() {
        make(parent)?;
    }
    let public = of_keys || name == LOG_ID || name.starts_with("journal/");
    let mode = if public { PUBLIC_MODE } else { SECRET_MODE };
    let mut file = new_file(&path, mode).map_err(|error| failed(&path, &error))?;
    copy(archive, name, &mut file).map_err(|error| failed(&path, &error))?;
    let held = manifest.generations.iter().find(|held| {
        let segment = name.strip_prefix(&format!("{}/seg-", held.dir()));
        segment.is_some_and(|rest| rest.ends_with(".fnj"))
    });
    if let Some(held) = held {
        file.set_len(held.shape.segment_bytes)
            .map_err(|error| failed(&path, &error))?;
    }
    file.sync_all().map_err(|error| failed(&path, &error))?;
    progress.add(archive.bytes(name).unwrap_or(0));
    Ok(())
}

/// Whether a file is what the keys of the identity state of those that followed them.
fn is_rotation(name: &str) -> bool {
    let file = name.strip_prefix("identity/");
    file.is_some_and(|file| file.starts_with(Rotation::FILE_PREFIX))
}

/// How the keys of these generations followed each other.
fn put_rotations(archive: &Archive, folder: &Path) -> Result<(), String> {
    for name in archive.names().filter(|name| is_rotation(name)) {
        let path = folder.join(name.trim_start_matches("identity/"));
        let mut file = new_file(&path, PUBLIC_MODE).map_err(|error| failed(&path, &error))?;
        copy(archive, name, &mut file).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

fn copy(archive: &Archive, name: &str, file: &mut File) -> std::io::Result<()> {
    archive.each_chunk(name, |chunk| file.write_all(chunk))?;
    file.sync_all()
}

fn tell(args: &RestoreArgs, manifest: &Manifest, report: &Report, mark: &Mark) {
    let data = args.data.display();
    if args.json {
        sayln!(
            "{}",
            json!({
                "ok": report.ok(),
                "data": args.data,
                "origin": manifest.origin,
                "anchored": report.anchored,
                "restored": mark.json(),
                "findings": failures(report),
            })
        );
        return;
    }
    sayln!("restored   {} into {data}", manifest.origin);
    for held in &manifest.generations {
        let entries = words::count(held.size - held.oldest.min(held.size), "entry", "entries");
        sayln!(
            "generation {}: {entries} to {}, as of {}",
            held.generation,
            held.size,
            manifest.taken_at
        );
    }
    sayln!(
        "verified   every file, every entry, {}",
        match report.anchored {
            true => "against the key you pinned",
            false => "UNANCHORED: against the keys in the backup itself (--anchor VKEY pins yours)",
        }
    );
    for words in failures(report) {
        sayln!("DAMAGED    {words}");
    }
    sayln!(
        "keys       {}",
        match manifest.keys {
            true => "the node's own came with it",
            false => "none came with it: `adopt` makes new ones, which the collector must be told",
        }
    );
    sayln!("state      a fork of its log until it is adopted: `run` refuses it");
    sayln!("next       make sure that no other node goes on with this log, then:");
    sayln!("           fieldnotary adopt {data} --cause restored --reason TEXT");
}
