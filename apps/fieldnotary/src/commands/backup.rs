//! `fieldnotary backup`: a consistent copy of a node's log while it runs or is stopped.

use super::Ended;
use super::backup_archive::{Archive, Place, Writer, is_tar};
use super::backup_log::TruthCopy;
use super::backup_manifest::{Held, MANIFEST_FILE, Manifest, verify_logs};
use super::backup_statements::Statements;
use super::directory::{generations, keys_of, read_log_id, what_it_is};
use super::progress::Progress;
use super::{is_node, secrets, words};
use crate::cli::BackupArgs;
use crate::clock;
use crate::paths::DataDir;
use crate::roles::recorder::{TruthPlace, keep_places, read_ring};
use evidence::{CommitId, Generation, LogId, Payload};
use journal::{Reader, Shape, TruthHealth};
use media::{Access, FileVolume};
use query::{Finding, Report};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a ring is copied anew because the node took a segment of it again meanwhile.
const ATTEMPTS_MAX: u32 = 5;
/// Looks at a truth store that is being written just now.
const LOOKS_MAX: u32 = 50;
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const MIB_LOG2: u32 = 20;
pub(super) const PUBLIC: u32 = 0o644;
const SECRET: u32 = 0o600;
/// How many MiB long work has gone through.
pub(super) struct Bytes {
    shown: Progress,
    bytes: u64,
}

impl Bytes {
    /// Begins; `of` is 0 where nobody knows.
    pub(super) fn new(what: &'static str, of: u64) -> Self {
        let shown = Progress::of(what);
        shown.all(of >> MIB_LOG2);
        Self { shown, bytes: 0 }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.shown.at(self.bytes >> MIB_LOG2);
    }
}

/// Backs a node up. Ends badly when the log that was backed up does not verify.
pub(crate) fn backup(args: &BackupArgs) -> Result<Ended, String> {
    if !is_node(&args.dir) {
        return Err(format!("no node to back up: {}", what_it_is(&args.dir)));
    }
    if let Some(mark) = super::restore_mark::read(&DataDir::new(&args.dir))?
        && !mark.complete
    {
        return Err(mark.refusal(&args.dir));
    }
    let data = DataDir::new(&args.dir);
    let target = &args.to;
    let draft = PathBuf::from(format!("{}.partial", target.display()));
    for path in [target, &draft] {
        if std::fs::symlink_metadata(path).is_ok() {
            return Err(format!(
                "{} exists, and a backup overwrites nothing: name another place, or remove it first",
                path.display()
            ));
        }
    }
    let made = write(&data, &draft, is_tar(target), args.with_keys);
    let checked = made.and_then(|manifest| {
        let archive = Archive::open(&draft)?;
        let all = archive.names().filter_map(|name| archive.bytes(name)).sum();
        let mut progress = Bytes::new("verifying MiB", all);
        archive.check(&mut |bytes| progress.add(bytes))?;
        let report = verify_logs(&archive, &manifest, &[])?;
        Ok((manifest, report, all))
    });
    let (manifest, report, bytes) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            // What is not whole is no backup.
            let _ = if draft.is_dir() {
                std::fs::remove_dir_all(&draft)
            } else {
                std::fs::remove_file(&draft)
            };
            return Err(error);
        }
    };
    put_in_place(&draft, target)?;
    tell(args, &manifest, &report, bytes);
    Ok(if report.ok() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

fn put_in_place(draft: &Path, target: &Path) -> Result<(), String> {
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::rename(draft, target)
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|error| format!("cannot put {} in its place: {error}", target.display()))
}

/// Writes everything beside the backup's place.
fn write(data: &DataDir, draft: &Path, tar: bool, with_keys: bool) -> Result<Manifest, String> {
    let generations = generations(data)?;
    let newest = generations.last().copied().ok_or_else(|| {
        format!(
            "{} holds no log yet, so there is nothing to back up",
            data.root().display()
        )
    })?;
    let log_id = read_log_id(data)?;
    let keys = keys_of(data, newest)?;
    let origin = keys
        .first()
        .map(|key| key.name().to_owned())
        .unwrap_or_default();
    let running = super::status::is_running(data);
    let mut progress = Bytes::new("copying MiB", 0);
    let mut writer = Writer::create(draft, tar)?;
    let mut manifest = Manifest {
        origin,
        log_id,
        taken_at: query::rfc3339(clock::utc()),
        running,
        keys: with_keys,
        generations: Vec::new(),
    };
    // Before any file of the keys is read.
    let stated = Statements::in_folder(&data.identity())?;
    if with_keys {
        stated.are_settled(data)?;
    }
    writer.put_text("identity/log-id", PUBLIC, format!("{log_id}\n").as_bytes())?;
    put_file(
        &mut writer,
        &data.identity().join("keys.vkey"),
        "identity/keys.vkey",
        PUBLIC,
        false,
    )?;
    stated.put(&mut writer, "identity")?;
    if with_keys {
        put_secrets(data, &mut writer)?;
    }
    for generation in generations {
        let held = put_generation(data, log_id, generation, &mut writer, &mut progress)?;
        let keys = data.journal(generation.0).join("keys.vkey");
        let name = format!("{}/keys.vkey", held.dir());
        put_file(&mut writer, &keys, &name, PUBLIC, false)?;
        Statements::in_folder(&data.journal(generation.0))?.put(&mut writer, &held.dir())?;
        manifest.generations.push(held);
    }
    stated.are_still(&data.identity())?;
    let mut text = serde_json::to_vec_pretty(&manifest.json(writer.lines()))
        .map_err(|error| format!("{MANIFEST_FILE}: {error}"))?;
    text.push(b'\n');
    writer.put_text(MANIFEST_FILE, PUBLIC, &text)?;
    writer.finish()?;
    Ok(manifest)
}

/// What signs in the node's name, and its memory of what it signed.
fn put_secrets(data: &DataDir, writer: &mut Writer) -> Result<(), String> {
    let without = match data.identity().join(secrets::STORE_FILE).exists() {
        true => secrets::AUTHORITY_FILE,
        false => secrets::STORE_FILE,
    };
    for name in secrets::ALL.iter().filter(|name| **name != without) {
        let (path, to) = (data.identity().join(name), format!("identity/{name}"));
        put_file(writer, &path, &to, SECRET, true)?;
    }
    Ok(())
}

fn put_file(
    writer: &mut Writer,
    path: &Path,
    name: &str,
    mode: u32,
    needed: bool,
) -> Result<(), String> {
    match std::fs::read(path) {
        Ok(bytes) => writer.put_text(name, mode, &bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => Ok(()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Copies the committed part of a generation, again if the ring moved on under the copy.
fn put_generation(
    data: &DataDir,
    log_id: LogId,
    generation: Generation,
    writer: &mut Writer,
    progress: &mut Bytes,
) -> Result<Held, String> {
    let place: Place = writer.place()?;
    for _ in 0..ATTEMPTS_MAX {
        let (held, oldest_lap) = put_once(data, log_id, generation, writer, progress)?;
        if super::open_reader(data, generation)?.oldest_lap() == oldest_lap {
            return Ok(held);
        }
        writer.back_to(&place)?;
    }
    Err(format!(
        "the node takes its segments again faster than they are copied: stop it for the backup, or give \
         its ring more segments ({})",
        data.journal(generation.0).display()
    ))
}

fn put_once(
    data: &DataDir,
    log_id: LogId,
    generation: Generation,
    writer: &mut Writer,
    progress: &mut Bytes,
) -> Result<(Held, u64), String> {
    let directory = data.journal(generation.0);
    let shape = read_ring(&directory)?;
    let (truth, reader) = at_one_instant(data, log_id, generation, shape)?;
    let held = Held {
        generation,
        size: reader.size(),
        root: reader.root().to_string(),
        oldest: reader.oldest().0,
        sealed: reader.sealed_size(),
        cosigned: reader.cosigned_size(),
        checkpoint: newest_note(&reader),
        shape,
        class: truth.class,
    };
    let name = |file: &str| format!("{}/{file}", held.dir());
    put_kept(&directory, &held.dir(), writer, progress)?;
    // The oldest first: they are the next to be taken again.
    let end = reader.committed_end();
    for lap in reader.oldest_lap()..=end.lap {
        let segment = media::segment_file_name(shape.segment_of(lap));
        let bytes = if lap == end.lap {
            end.offset
        } else {
            shape.segment_bytes
        };
        let path = directory.join(&segment);
        let mut source = match File::open(&path) {
            Ok(file) => file.take(bytes),
            // Lost already; the copy loses no more than the node has.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let there = std::fs::metadata(&path).map_or(0, |found| found.len());
        let mut add = |bytes| progress.add(bytes);
        writer.put(
            &name(&segment),
            PUBLIC,
            bytes.min(there),
            &mut source,
            &mut add,
        )?;
    }
    writer.put_text(&name(media::TRUTH_FILE), PUBLIC, &truth.bytes)?;
    let ring = json!({
        "segment_bytes": shape.segment_bytes,
        "segments": shape.segments,
        "block_bytes": shape.block_bytes,
    });
    writer.put_text(&name("ring.json"), PUBLIC, format!("{ring}\n").as_bytes())?;
    let oldest_lap = reader.oldest_lap();
    Ok((held, oldest_lap))
}

/// The keep-rings as they are: a frame that is being written now is made again from the segments.
fn put_kept(
    directory: &Path,
    name: &str,
    writer: &mut Writer,
    progress: &mut Bytes,
) -> Result<(), String> {
    for place in keep_places(directory) {
        let unread = |error: std::io::Error| format!("cannot read {}: {error}", place.display());
        let Some(ring) = place.file_name().and_then(|ring| ring.to_str()) else {
            continue;
        };
        let mut files: Vec<_> = std::fs::read_dir(&place)
            .and_then(|files| files.map(|file| Ok(file?.path())).collect())
            .map_err(unread)?;
        files.sort();
        for path in files {
            let Some(file) = path.file_name().and_then(|file| file.to_str()) else {
                continue;
            };
            let bytes = std::fs::metadata(&path).map_err(unread)?.len();
            let mut source = File::open(&path).map_err(unread)?.take(bytes);
            let name = format!("{name}/{ring}/{file}");
            let mut add = |bytes| progress.add(bytes);
            writer.put(&name, PUBLIC, bytes, &mut source, &mut add)?;
        }
    }
    Ok(())
}

/// The truth store as it was at one instant, and the log up to there.
fn at_one_instant(
    data: &DataDir,
    log_id: LogId,
    generation: Generation,
    shape: Shape,
) -> Result<(TruthCopy, Reader<FileVolume, TruthCopy>), String> {
    let directory = data.journal(generation.0);
    let place = TruthPlace::of_ring(data, &directory)?;
    // Whoever cannot be opened as a truth store is not copied as one.
    let store = place
        .open(Access::ReadOnly)
        .map_err(|error| error.to_string())?;
    let mut looks = 0;
    loop {
        let bytes = store
            .bytes()
            .map_err(|error| format!("cannot read {}: {error}", place.path.display()))?;
        let truth = TruthCopy {
            bytes,
            class: place.class,
        };
        let volume = FileVolume::open(&directory, shape, Access::ReadOnly)
            .map_err(|error| error.to_string())?;
        let reader = Reader::open(volume, truth.clone(), log_id, generation)
            .map_err(|error| format!("the journal in {}: {error}", directory.display()))?;
        looks += 1;
        // A slot that was being written just now is whole a moment later.
        if reader.truth_health().0 == TruthHealth::Sound || looks >= LOOKS_MAX {
            return Ok((truth, reader));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn newest_note(reader: &Reader<FileVolume, TruthCopy>) -> Option<String> {
    let behind = reader.entries(CommitId(reader.sealed_size())).flatten();
    let notes = behind.filter_map(|stored| match stored.entry().ok()?.payload().ok()? {
        Payload::Checkpoint(checkpoint) => Some(checkpoint.note),
        _ => None,
    });
    notes.last()
}

fn tell(args: &BackupArgs, manifest: &Manifest, report: &Report, bytes: u64) {
    let target = args.to.display();
    if args.json {
        let generations = manifest.generations.iter().map(|held| {
            json!({
                "generation": held.generation.0,
                "size": held.size,
                "root": held.root,
                "sealed_size": held.sealed,
                "cosigned_size": held.cosigned,
            })
        });
        sayln!(
            "{}",
            json!({
                "ok": report.ok(),
                "backup": args.to,
                "origin": manifest.origin,
                "taken_at": manifest.taken_at,
                "running": manifest.running,
                "keys": manifest.keys,
                "bytes": bytes,
                "generations": generations.collect::<Vec<_>>(),
                "findings": failures(report),
            })
        );
        return;
    }
    let state = if manifest.running {
        "running"
    } else {
        "stopped"
    };
    sayln!(
        "backed up  {} ({state}) to {target}, {}",
        manifest.origin,
        words::bytes(bytes)
    );
    for held in &manifest.generations {
        let (size, sealed, cosigned) = (held.size, held.sealed, held.cosigned);
        let entries = words::count(size.saturating_sub(held.oldest), "entry", "entries");
        sayln!(
            "generation {}: {entries} to {size}, {sealed} sealed, {cosigned} cosigned, root {}",
            held.generation,
            held.root
        );
    }
    sayln!(
        "keys       {}",
        match manifest.keys {
            true => "WITH THE SECRET KEYS: whoever reads this backup can sign as this node",
            false => "no secret key is in it; --with-keys takes them along",
        }
    );
    sayln!("not in it  the configuration file and the uplink's certificates: keep them too");
    for words in failures(report) {
        sayln!("DAMAGED    {words}");
    }
    match report.ok() {
        true => sayln!("verified   every file by its SHA-256, every entry by the log's own proofs"),
        false => sayln!("the copy is what the node holds, but the log in it does not verify"),
    }
    sayln!("restore    fieldnotary restore {target} --data DIR --reason TEXT");
}

/// The failures in words, the first few.
pub(super) fn failures(report: &Report) -> Vec<String> {
    let failed = report.findings.iter().filter(|one| one.kind.is_failure());
    failed
        .take(FAILURES_SHOWN_MAX)
        .map(Finding::to_string)
        .collect()
}

/// Failures that are listed.
const FAILURES_SHOWN_MAX: usize = 8;
