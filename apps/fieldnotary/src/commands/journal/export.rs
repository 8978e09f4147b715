//! `fieldnotary journal export`: a log, or one entry of it, in a form that anybody's tools check.

use super::super::directory::{Directory, generations, keys_of, open_found, what_it_is};
use super::super::progress::Progress;
use super::super::{Ended, is_node, words};
use super::export_proof;
use crate::cli::ExportArgs;
use crate::paths::DataDir;
use evidence::Generation;
use proof::note::VerifierKey;
use query::{Published, PublishedHole, publish};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Exports a log or the proof of one entry. Ends badly when something is missing that nothing explains.
pub(crate) fn export(args: &ExportArgs) -> Result<Ended, String> {
    let (data, generation) = source(args)?;
    let found = open_found(&data, generation)?;
    must_be_outside(&args.out, &args.dir)?;
    found.tell();
    let reader = &found.reader;
    must_be_new(&args.out)?;
    match args.proof {
        Some(id) => export_proof::export(args, &data, generation, reader, id),
        None => {
            let draft = PathBuf::from(format!("{}.partial", args.out.display()));
            must_be_new(&draft)?;
            let done = Arc::new(AtomicU64::new(0));
            let progress = Progress::over("exporting entry", &done);
            progress.all(reader.size().saturating_sub(reader.oldest().0));
            let mut written = Written::new(&draft);
            let published = publish(reader, &done, &mut |path, bytes| written.put(path, bytes))
                .map_err(|error| error.to_string())
                .and_then(|published| {
                    written.put_rotations(&data)?;
                    written.put_in_place(&args.out).map(|()| published)
                });
            drop(progress);
            let published = published.inspect_err(|_| written.discard())?;
            let certain = !found.end_is_uncertain();
            tell(args, &data, generation, &published, certain);
            Ok(match published.is_whole() && certain {
                true => Ended::Well,
                false => Ended::Badly,
            })
        }
    }
}

/// The node's directory and the generation that is meant: the newest, where none is named.
fn source(args: &ExportArgs) -> Result<(DataDir, Generation), String> {
    super::super::preflight::readable(&args.dir)?;
    if !is_node(&args.dir) {
        if let Ok(Directory::Collector(collector)) = Directory::open(&args.dir) {
            let logs = collector.logs.iter();
            let places: Vec<String> = logs.map(|log| log.path.display().to_string()).collect();
            return Err(format!(
                "a collector keeps every log in this form already: {}",
                places.join(", ")
            ));
        }
        return Err(format!("no node to export from: {}", what_it_is(&args.dir)));
    }
    let directory = Directory::open(&args.dir)?;
    directory.has_generation(args.generation)?;
    let data = DataDir::new(&args.dir);
    let newest = generations(&data)?.last().copied();
    let generation = args.generation.map(Generation).or(newest);
    generation
        .map(|generation| (data, generation))
        .ok_or_else(|| "the log has no generation yet".to_owned())
}

pub(super) fn must_be_new(path: &Path) -> Result<(), String> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(format!(
            "{} exists, and an export overwrites nothing: name another place, or remove it first",
            path.display()
        )),
        Err(_) => Ok(()),
    }
}

/// Nothing but the node writes in its data directory: a backup would take the export along, and a node finds
/// there what it does not know.
fn must_be_outside(out: &Path, data: &Path) -> Result<(), String> {
    let begins = match crate::files::folder_of(out) {
        folder if folder.is_absolute() => folder.to_path_buf(),
        folder => Path::new(".").join(folder),
    };
    // What does not exist yet will lie in the nearest folder that does.
    let above = begins
        .ancestors()
        .find_map(|place| place.canonicalize().ok());
    let inside = above
        .zip(data.canonicalize().ok())
        .is_some_and(|(above, data)| above.starts_with(data));
    match inside {
        true => Err(format!(
            "{} lies inside the data directory {}, in which nobody but the node writes: name a place outside",
            out.display(),
            data.display()
        )),
        false => Ok(()),
    }
}

/// The files of a log, beside their place until all of them are there.
struct Written {
    draft: PathBuf,
}

impl Written {
    fn new(draft: &Path) -> Self {
        Self {
            draft: draft.to_path_buf(),
        }
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.draft.join(path);
        let parent = path.parent().unwrap_or(&self.draft);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// How the log's keys followed each other, so that the newest lead to the older ones too.
    fn put_rotations(&mut self, data: &DataDir) -> Result<(), String> {
        for (number, (note, _)) in (1..).zip(query::rotations_in(&data.identity())) {
            self.put(&trust_plane::Rotation::file(number), note.as_bytes())?;
        }
        Ok(())
    }

    /// All of it is durable before it has its name.
    fn put_in_place(&mut self, target: &Path) -> Result<(), String> {
        let parent = crate::files::folder_of(target);
        File::open(&self.draft)
            .and_then(|draft| Ok(rustix::fs::syncfs(draft)?))
            .and_then(|()| std::fs::rename(&self.draft, target))
            .and_then(|()| File::open(parent)?.sync_all())
            .map_err(|error| format!("cannot put {} in its place: {error}", target.display()))
    }

    /// What is not whole is no log.
    fn discard(&self) {
        // Nobody needs it, and the reason why it is not whole is told already.
        let _ = std::fs::remove_dir_all(&self.draft);
    }
}

/// The key to check with, as the program prints it for copying.
pub(super) fn key_of(data: &DataDir, generation: Generation) -> Option<VerifierKey> {
    keys_of(data, generation).ok()?.into_iter().next()
}

fn tell(
    args: &ExportArgs,
    data: &DataDir,
    generation: Generation,
    published: &Published,
    certain: bool,
) {
    let head = &published.head;
    if args.json {
        let holes: Vec<_> = published.holes.iter().map(hole_json).collect();
        sayln!(
            "{}",
            json!({
                "ok": published.is_whole() && certain,
                "out": args.out,
                "origin": head.origin,
                "size": head.size,
                "root": head.root.to_string(),
                "entries": published.entries,
                "files": published.files,
                "bytes": published.bytes,
                "holes": holes,
                "unsealed_first": published.unsealed.map(|(first, _)| first),
                "unsealed_last": published.unsealed.map(|(_, last)| last),
                "unsealed_lost_first": published.unsealed_lost.map(|(first, _)| first),
                "unsealed_lost_last": published.unsealed_lost.map(|(_, last)| last),
            })
        );
        return;
    }
    let files = words::count(published.files, "file", "files");
    sayln!(
        "EXPORTED {}: {} of {} entries, {files}, {}",
        args.out.display(),
        published.entries,
        head.size,
        words::bytes(published.bytes)
    );
    sayln!("log        {}", head.origin);
    sayln!("head       {} entries, root {}", head.size, head.root);
    for hole in &published.holes {
        sayln!("hole       {}", hole_words(hole));
    }
    if let Some((first, last)) = published.unsealed {
        sayln!("not in it  {}", unsealed_words(published, first, last));
    }
    if let Some(key) = key_of(data, generation) {
        sayln!(
            "check      fieldnotary verify {} --anchor {key}",
            args.out.display()
        );
    }
}

/// Why entries above the head are not in it.
fn unsealed_words(published: &Published, first: u64, last: u64) -> String {
    let which = words::entries(first, last);
    let Some(lost) = published.unsealed_lost else {
        return format!("{which}: not signed yet");
    };
    let lost = words::entries(lost.0, lost.1);
    let said = format!("{which}: {lost} LOST, and no LOSS entry names them");
    match published.signed > published.head.size {
        true => format!(
            "{said}; they were signed up to entry {}, with a checkpoint that is lost with them",
            published.signed - 1
        ),
        false => said,
    }
}

fn hole_json(hole: &PublishedHole) -> serde_json::Value {
    json!({
        "first": hole.span.0,
        "last": hole.span.1.saturating_sub(1),
        "cause": hole.cause,
        "named_by": hole.named_by,
    })
}

fn hole_words(hole: &PublishedHole) -> String {
    let (first, last) = (hole.span.0, hole.span.1.saturating_sub(1));
    let which = words::entries(first, last);
    match (hole.named_by, hole.is_unexplained()) {
        (Some(id), _) => format!("{which}: lost ({}), as LOSS entry {id} names", hole.cause),
        (None, true) => format!("{which}: LOST ({}), and no LOSS entry names it", hole.cause),
        (None, false) => format!("{which}: left the ring before; a collector may hold them"),
    }
}
