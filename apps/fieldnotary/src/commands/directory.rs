//! What kind of directory this is, and its entries in order.

use super::journal::look::{FoundLog, Refused};
use super::journal::place;
use super::preflight::{fsck_cure, permitted_files, restore_cure};
use super::sealed_by::{SealedBy, sealed_by};
use crate::files::begins_no_log;
use crate::paths::DataDir;
use crate::roles::recorder::{TruthPlace, kept, newest_generation, read_ring};
use evidence::kinds::Predecessor;
use evidence::{Generation, LogId};
use journal::keep::KeepRing;
use journal::{OpenError, Reader};
use media::{Access, FileTruth, FileVolume};
use proof::note::VerifierKey;
use rustix::fs::Access as Permission;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use trust_plane::Rotation;

/// A directory that holds committed entries.
pub(super) enum Directory {
    /// A node's data directory.
    Node(DataDir),
    /// A collector's.
    Collector(query::CollectorDir),
}

impl Directory {
    /// Looks what is there; what is not certainly one of the two, or holds no log, is an error.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        super::preflight::readable(path)?;
        if is_node(path) {
            let data = DataDir::new(path);
            if generations(&data)?.is_empty() {
                return Err(format!(
                    "{shown} holds no log yet: it has a node's identity, but no journal\n\
                     the log begins with the first: fieldnotary run CONFIG --data {shown}"
                ));
            }
            return Ok(Self::Node(data));
        }
        match query::CollectorDir::open(path).map_err(|error| error.to_string())? {
            None => Err(what_it_is(path)),
            Some(collector) if collector.logs.is_empty() && collector.unreadable.is_empty() => {
                Err(format!(
                    "the collector's directory {shown} holds no log yet: no node has delivered to it\n\
                     a node does once its configuration has the [uplink] of: fieldnotary-collector issue --dir {shown} \
                     --node NAME --out DIR --reason TEXT"
                ))
            }
            Some(collector) => Ok(Self::Collector(collector)),
        }
    }

    /// Whether the log has this generation; the error names those that there are.
    pub(super) fn has_generation(&self, wanted: Option<u64>) -> Result<(), String> {
        let Some(wanted) = wanted else { return Ok(()) };
        let there: Vec<u64> = match self {
            Self::Node(data) => generations(data)?.into_iter().map(|one| one.0).collect(),
            Self::Collector(collector) => collector
                .logs
                .iter()
                .filter_map(query::LogDir::generation)
                .collect(),
        };
        if there.contains(&wanted) {
            return Ok(());
        }
        let mut there: Vec<String> = there.iter().map(ToString::to_string).collect();
        there.dedup();
        Err(format!(
            "the log has no generation {wanted}; its generations are: {}",
            there.join(", ")
        ))
    }

    /// Whether the log that a generation names as its predecessor is here up to the end that it names.
    pub(super) fn holds(&self, generation: Generation, before: &Predecessor) -> bool {
        match self {
            Self::Node(data) => !matches!(
                predecessor_here(data, before),
                PredecessorHere::NotHeld | PredecessorHere::Contradicts
            ),
            Self::Collector(collector) => {
                let of_it = |log: &&query::LogDir| log.generation() == Some(generation.0);
                let links = collector
                    .logs
                    .iter()
                    .filter(of_it)
                    .filter_map(query::LogDir::link);
                links
                    .into_iter()
                    .all(|link| ["matches", "behind"].contains(&link.as_str()))
            }
        }
    }
}

/// What a node's directory has of the log that a generation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PredecessorHere {
    /// Its tree at the size named has the root named.
    Holds,
    /// Its ring is here, but too little of it to compute the tree at that size.
    Unknown,
    /// It is not here, or ends before.
    NotHeld,
    /// Its tree at that size has another root.
    Contradicts,
}

/// Compares a named predecessor with the ring that is here.
pub(super) fn predecessor_here(data: &DataDir, before: &Predecessor) -> PredecessorHere {
    let Ok(reader) = open_reader(data, before.generation) else {
        return PredecessorHere::NotHeld;
    };
    if reader.size() < before.size {
        return PredecessorHere::NotHeld;
    }
    match reader.frontier_at(before.size) {
        Ok(tree) if tree.root().0 == before.root.0 => PredecessorHere::Holds,
        Ok(_) => PredecessorHere::Contradicts,
        Err(_) => PredecessorHere::Unknown,
    }
}

/// What names a directory that is one.
const MEANT: &str = "name the directory of `fieldnotary run CONFIG --data DIR`, or of \
                     `fieldnotary-collector run --dir DIR`";
/// Sub-directories that are looked into for what was meant.
const LOOKED_INTO_MAX: usize = 256;
/// Files of another log that are named one by one.
const FILES_NAMED_MAX: usize = 4;

/// Whether this is a node's data directory: it has the log's identity, or keys for one to come.
pub(super) fn is_node(path: &Path) -> bool {
    let data = DataDir::new(path);
    data.log_id().is_file() || data.identity().join("keys.vkey").is_file()
}

/// What other program keeps a directory, and by which file one knows that it does.
///
/// A `collector.json` alone says little: one lies among the files that a collector issues to a node.
pub(super) fn kept_by_another(path: &Path) -> Option<(&'static str, PathBuf)> {
    let street = path.join("street.lock");
    if street.is_file() {
        return Some(("a street's directory", street));
    }
    let key = path.join("cosigner.key");
    if key.is_file() {
        return Some(("a collector's directory", key));
    }
    let issued = path.join("node.pem").is_file();
    let held = !issued && query::CollectorDir::is_one(path);
    let about = path.join("collector.json");
    let by = if about.is_file() {
        about
    } else {
        path.join("logs")
    };
    held.then_some(("a collector's directory", by))
}

/// Why a directory is not a node's, and which one may have been meant.
pub(super) fn what_it_is(path: &Path) -> String {
    let shown = path.display();
    if let Some((kept, by)) = kept_by_another(path) {
        let mut said = format!("{shown} is {kept} ({}), not a node's", by.display());
        if query::CollectorDir::is_one(path) {
            said += &format!(
                "\nwhat it holds is shown by: fieldnotary log {shown}, gaps {shown}, verify {shown}"
            );
        }
        return said;
    }
    if !path.exists() {
        return format!(
            "{shown} does not exist: neither a node's data directory nor a collector's\n{MEANT}"
        );
    }
    if !path.is_dir() {
        return format!(
            "{shown} is a file: neither a node's data directory nor a collector's\n{MEANT}"
        );
    }
    // From within: `fieldnotary log node/journal`.
    if let Some(above) = path.parent().filter(|above| is_node(above)) {
        let above = above.display();
        return format!("{shown} lies inside a node's directory, {above}\ndid you mean {above}?");
    }
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut meant: Vec<String> = inside
        .take(LOOKED_INTO_MAX)
        .map(|entry| entry.path())
        .filter(|path| is_node(path) || query::CollectorDir::is_one(path))
        .map(|path| path.display().to_string())
        .collect();
    meant.sort();
    match meant.is_empty() {
        true => format!(
            "{shown} is neither a node's data directory (no identity/) nor a collector's \
             (no collector.json, no logs)\n{MEANT}"
        ),
        false => format!(
            "{shown} is neither a node's data directory nor a collector's, but such lie in it\n\
             did you mean {}?",
            meant.join(" or ")
        ),
    }
}

/// All generations of a node's log, oldest first.
pub(super) fn generations(data: &DataDir) -> Result<Vec<Generation>, String> {
    let newest = newest_generation(data)?;
    let there = (1..=newest.0).filter(|number| data.journal(*number).is_dir());
    let (begun, all): (Vec<u64>, Vec<u64>) =
        there.partition(|number| *number > 1 && begins_no_log(&data.journal(*number)));
    // A folder is made before anything is written to it: the generation has not begun.
    match all.is_empty() {
        true => Ok(begun.into_iter().map(Generation).collect()),
        false => Ok(all.into_iter().map(Generation).collect()),
    }
}

/// Whether ring and truth store can be opened at all; what lies in them is the recorder's to judge.
pub(super) fn check_media(data: &DataDir, generation: Generation) -> Result<(), String> {
    let ring = data.journal(generation.0);
    permitted_files(&ring, None, Permission::READ_OK | Permission::WRITE_OK)?;
    media_of(data, generation).map(drop)
}

/// The keep-rings of a generation, to read.
pub(super) fn keep_rings(
    data: &DataDir,
    generation: Generation,
) -> Result<Vec<KeepRing<FileVolume>>, String> {
    kept(&data.journal(generation.0), read_log_id(data)?, generation)
}

/// A reader over a node's journal files, as the recorder finds them; needs no lock and disturbs nobody.
pub(crate) fn open_reader(
    data: &DataDir,
    generation: Generation,
) -> Result<Reader<FileVolume, FileTruth>, String> {
    let log_id = read_log_id(data)?;
    let (volume, truth) = media_of(data, generation)?;
    Reader::open_as_found(volume, truth, log_id, generation)
        .map_err(|error| refused(data, generation, log_id, error))
}

/// The same beside the writer of the log, who has just settled where it ends: nothing is looked for behind that.
pub(crate) fn open_beside(
    data: &DataDir,
    generation: Generation,
) -> Result<Reader<FileVolume, FileTruth>, String> {
    let log_id = read_log_id(data)?;
    let (volume, truth) = media_of(data, generation)?;
    Reader::open(volume, truth, log_id, generation)
        .map_err(|error| refused(data, generation, log_id, error))
}

/// The log of a generation for whoever only reads: also where `ring.json` or the truth store is missing.
pub(super) fn open_found(data: &DataDir, generation: Generation) -> Result<FoundLog, String> {
    let log_id = read_log_id(data)?;
    FoundLog::open(data, log_id, generation).map_err(|why| match why {
        Refused::Files(words) => words,
        Refused::Log(error) => refused(data, generation, log_id, error),
    })
}

fn refused(data: &DataDir, generation: Generation, log_id: LogId, error: OpenError) -> String {
    let directory = data.journal(generation.0);
    let cure = match error {
        OpenError::NewerFormat { .. } => {
            "\nread it with the fieldnotary that wrote it, or a newer one than this; nothing was changed"
        }
        OpenError::ForeignLog {
            log_id: found,
            generation: of,
        } => return foreign(data, generation, log_id, (found, of)),
        OpenError::NoLog => return place::no_log_words(&directory),
        OpenError::ShapeMismatch { .. } => return other_ring(data, &directory, error),
        _ => "",
    };
    format!("the journal in {}: {error}{cure}", directory.display())
}

/// Which two logs are mixed in a directory, which of them is out of place, and how they come apart.
fn foreign(
    data: &DataDir,
    generation: Generation,
    own: LogId,
    (found, of): (LogId, Generation),
) -> String {
    let files = place::open(&data.journal(generation.0))
        .map_or_else(|_| Vec::new(), |place| place.owners());
    let by_file = files_of_logs(&files, own);
    let (journal, id_file) = (data.journal(generation.0), data.log_id());
    let (journal, id_file) = (journal.display(), id_file.display());
    if found == own {
        return format!(
            "{journal} holds files of generation {of}, not of {generation}\n{by_file}{}",
            super::preflight::backup_cure(data)
        );
    }
    let sealed = media_of(data, generation)
        .ok()
        .and_then(|(volume, truth)| Reader::open(volume, truth, found, of).ok())
        .and_then(|reader| sealed_by(data, generation, &reader).ok());
    let keys = data.identity().join("keys.vkey");
    let keys = keys.display();
    let which = match sealed {
        Some(SealedBy::TheseKeys) => {
            return format!(
                "{id_file} is of another log: it says {own}, and the journal beside it is of log {found}\n\
                 that journal is this node's own: the keys in {keys} sealed it; nothing was changed\n\
                 write the id of that journal into the file, and start again:\n  echo {found} > {id_file}"
            );
        }
        Some(SealedBy::Others(_)) => format!(
            "{keys} did not seal it either: of the directories journal and identity, one came from elsewhere; \
             nothing was changed\n{}",
            restore_cure(
                data,
                "BACKUP/identity/log-id of a backup tells which: move the foreign one out and put back the very one that \
                 this node used last, no older copy; if you cannot tell or have none, restore a backup"
            )
        ),
        Some(SealedBy::Nobody) | None => format!(
            "which of the two is out of place cannot be told here: no sealed head is left to hold against {keys}; \
             nothing was changed\n{}",
            restore_cure(
                data,
                "put back what stood there before, if one of them was copied here lately; otherwise restore all \
                 from a backup"
            )
        ),
    };
    format!(
        "two logs are mixed: {journal} holds files of log {found}, and {id_file} says {own}\n\
         {by_file}{which}"
    )
}

/// Which files are not of this log, where others beside them are: a line, or nothing.
fn files_of_logs(files: &[(String, LogId, Generation)], own: LogId) -> String {
    let (mine, others): (Vec<_>, Vec<_>) = files.iter().partition(|(_, log_id, _)| *log_id == own);
    if mine.is_empty() || others.is_empty() {
        return String::new();
    }
    let named = others.iter().take(FILES_NAMED_MAX);
    let mut named: Vec<String> = named
        .map(|(file, log_id, generation)| format!("{file} (of {log_id} generation {generation})"))
        .collect();
    if others.len() > FILES_NAMED_MAX {
        named.push(format!("{} more", others.len() - FILES_NAMED_MAX));
    }
    format!(
        "of another log: {}; the other {} of this one: move what is foreign out, and put this log's own back\n",
        named.join(", "),
        super::words::count(mine.len() as u64, "file is", "files are")
    )
}

/// A `ring.json` whose figures are not those of the journal beside it.
fn other_ring(data: &DataDir, directory: &Path, error: OpenError) -> String {
    let file = directory.join("ring.json");
    let says = read_ring(directory).map_or_else(
        |words| words,
        |ring| {
            format!(
                "says {} segments of {} bytes with blocks of {}",
                ring.segments, ring.segment_bytes, ring.block_bytes
            )
        },
    );
    format!(
        "{} {says}, but {error}\n{}",
        file.display(),
        fsck_cure(data)
    )
}

/// What is wrong with the files of segments as such, in words, by segment.
pub(super) fn lacking_segments(
    data: &DataDir,
    generation: Generation,
) -> Result<BTreeMap<u32, String>, String> {
    place::open(&data.journal(generation.0)).map(|place| place.lacking())
}

fn media_of(data: &DataDir, generation: Generation) -> Result<(FileVolume, FileTruth), String> {
    let directory = data.journal(generation.0);
    let failed = |truth: Option<&Path>, error: media::MediaError| match permitted_files(
        &directory,
        truth,
        Permission::READ_OK,
    ) {
        Err(words) => words,
        Ok(()) => format!("{error}\n{}", fsck_cure(data)),
    };
    let volume = FileVolume::open(&directory, read_ring(&directory)?, Access::ReadOnly)
        .map_err(|error| failed(None, error))?;
    let place = TruthPlace::of_ring(data, &directory)?;
    let truth = place.open(Access::ReadOnly);
    let truth = truth.map_err(|error| failed(Some(&place.path), error))?;
    Ok((volume, truth))
}

pub(super) fn read_log_id(data: &DataDir) -> Result<LogId, String> {
    let path = data.log_id();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    text.trim().parse().map_err(|_| {
        let cure = super::preflight::backup_cure(data);
        format!(
            "{} does not hold 32 hexadecimal digits\n{cure}",
            path.display()
        )
    })
}

/// The base origin and keys that lie beside a node's log: the lines of `identity/keys.vkey`.
pub(crate) fn keys_beside(data: &DataDir) -> Result<Vec<VerifierKey>, String> {
    keys_in(&data.identity().join("keys.vkey"))
}

/// What keys state of those that follow them, as it lies in a directory, the oldest first.
pub(super) fn rotations_beside(directory: &Path) -> Vec<Rotation> {
    let all = query::rotations_in(directory).into_iter();
    all.map(|(_, stated)| stated).collect()
}

/// The same of the keys of a generation: a restored one has its own.
pub(super) fn rotations_of(data: &DataDir, generation: Generation) -> Vec<Rotation> {
    let mut all = rotations_beside(&data.journal(generation.0));
    all.extend(rotations_beside(&data.identity()));
    all
}

/// The keys by which a generation was signed, where they are not the node's of today.
pub(super) fn keys_of(data: &DataDir, generation: Generation) -> Result<Vec<VerifierKey>, String> {
    let own = data.journal(generation.0).join("keys.vkey");
    match own.is_file() {
        true => keys_in(&own),
        false => keys_beside(data),
    }
}

/// The keys in a file, one a line.
pub(super) fn keys_in(path: &Path) -> Result<Vec<VerifierKey>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            std::io::ErrorKind::NotFound => format!(
                "{shown} is missing: it holds the log's VKEYs, one a line, and without it nothing tells which origin \
                 signed this log\n\
                 put it back: of a backup it is identity/keys.vkey; or write into it the VKEY lines that you keep, which \
                 `fieldnotary run` printed"
            ),
            _ => format!("cannot read {shown}: {error}"),
        }
    })?;
    text.lines()
        .enumerate()
        .map(|(place, line)| {
            line.parse().map_err(|error| {
                let (shown, number) = (path.display(), place + 1);
                format!("{shown}, line {number}: cut short or changed: {error}")
            })
        })
        .collect()
}
