//! What kind of directory this is, and its entries in order.

use super::run::parse_log_id;
use crate::paths::DataDir;
use crate::roles::recorder::{newest_generation, read_ring, truth_place};
use evidence::reasons::TruthClass;
use evidence::{CommitId, Entry, Generation, LogId};
use journal::Reader;
use media::{Access, FileTruth, FileVolume};
use proof::note::VerifierKey;
use std::path::Path;

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
                    "the collector's directory {shown} holds no log yet: no node has delivered to it"
                ))
            }
            Some(collector) => Ok(Self::Collector(collector)),
        }
    }

    /// Shows every entry in the order of commit; damaged stretches are passed over, `verify` names them.
    pub(super) fn each_entry(&self, from: u64, mut show: impl FnMut(&Entry)) -> Result<(), String> {
        match self {
            Self::Node(data) => {
                for generation in generations(data)? {
                    let reader = open_reader(data, generation)?;
                    for stored in reader.entries(CommitId(from)).flatten() {
                        if let Ok(entry) = stored.entry() {
                            show(&entry);
                        }
                    }
                }
                Ok(())
            }
            Self::Collector(collector) => collector
                .each_entry(from, show)
                .map_err(|error| error.to_string()),
        }
    }
}

/// Sub-directories that are looked into for what was meant.
const LOOKED_INTO_MAX: usize = 256;

/// Whether this is a node's data directory: it has the log's identity, or keys for one to come.
pub(super) fn is_node(path: &Path) -> bool {
    let data = DataDir::new(path);
    data.log_id().is_file() || data.identity().join("keys.vkey").is_file()
}

/// Why a directory is neither a node's nor a collector's, and which one may have been meant.
pub(super) fn what_it_is(path: &Path) -> String {
    let shown = path.display();
    if !path.exists() {
        return format!(
            "{shown} does not exist: neither a node's data directory nor a collector's"
        );
    }
    let mut said = format!(
        "{shown} is neither a node's data directory (no identity/) nor a collector's \
         (no collector.json, no logs)"
    );
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut meant: Vec<String> = inside
        .take(LOOKED_INTO_MAX)
        .map(|entry| entry.path())
        .filter(|path| is_node(path) || query::CollectorDir::is_one(path))
        .map(|path| path.display().to_string())
        .collect();
    // From within: `fieldnotary log node/journal`.
    let above = path.parent().filter(|above| is_node(above));
    meant.extend(above.map(|above| above.display().to_string()));
    meant.sort();
    if !meant.is_empty() {
        said += &format!("\ndid you mean {}?", meant.join(" or "));
    }
    said
}

/// All generations of a node's log, oldest first.
pub(super) fn generations(data: &DataDir) -> Result<Vec<Generation>, String> {
    let newest = newest_generation(data)?;
    let all = (1..=newest.0).filter(|number| data.journal(*number).is_dir());
    Ok(all.map(Generation).collect())
}

/// Whether ring and truth store can be opened at all; what lies in them is the recorder's to judge.
pub(super) fn check_media(data: &DataDir, generation: Generation) -> Result<(), String> {
    media_of(data, generation).map(drop)
}

/// A reader over a node's journal files; needs no lock and disturbs nobody.
pub(crate) fn open_reader(
    data: &DataDir,
    generation: Generation,
) -> Result<Reader<FileVolume, FileTruth>, String> {
    let log_id = read_log_id(data)?;
    let (volume, truth) = media_of(data, generation)?;
    Reader::open(volume, truth, log_id, generation).map_err(|error| {
        let directory = data.journal(generation.0);
        format!("the journal in {}: {error}", directory.display())
    })
}

fn media_of(data: &DataDir, generation: Generation) -> Result<(FileVolume, FileTruth), String> {
    let directory = data.journal(generation.0);
    let failed = |error: media::MediaError| error.to_string();
    let volume =
        FileVolume::open(&directory, read_ring(&directory)?, Access::ReadOnly).map_err(failed)?;
    let (class, truth) = truth_place(data, &directory)?;
    let truth = FileTruth::open(&truth, class, Access::ReadOnly).map_err(failed)?;
    Ok((volume, truth))
}

/// The class of a generation's truth store, as its ring was made.
pub(super) fn truth_class(data: &DataDir, generation: Generation) -> Result<TruthClass, String> {
    truth_place(data, &data.journal(generation.0)).map(|(class, _)| class)
}

fn read_log_id(data: &DataDir) -> Result<LogId, String> {
    let path = data.log_id();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    parse_log_id(text.trim())
        .ok_or_else(|| format!("{} does not hold 32 hexadecimal digits", path.display()))
}

/// The base origin and keys that lie beside a node's log: the lines of `identity/keys.vkey`.
pub(super) fn keys_beside(data: &DataDir) -> Result<Vec<VerifierKey>, String> {
    let path = data.identity().join("keys.vkey");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    text.lines()
        .map(|line| {
            line.parse()
                .map_err(|error| format!("{}: not a verifier key: {error}", path.display()))
        })
        .collect()
}
