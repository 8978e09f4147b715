//! What kind of directory this is, and its entries in order.

use super::run::parse_log_id;
use crate::paths::DataDir;
use crate::roles::recorder::{newest_generation, read_ring, truth_path};
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
    /// Looks what is there.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let data = DataDir::new(path);
        if data.log_id().is_file() {
            return Ok(Self::Node(data));
        }
        if let Some(collector) = query::CollectorDir::open(path).map_err(|e| e.to_string())? {
            return Ok(Self::Collector(collector));
        }
        Err(format!(
            "{} is neither a node's data directory (no identity/log-id) nor a collector's (no logs/)",
            path.display()
        ))
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
    let class = truth_class(data);
    let truth = truth_path(data, &directory, class);
    let truth = FileTruth::open(&truth, class, Access::ReadOnly).map_err(failed)?;
    Ok((volume, truth))
}

/// The class of a node's truth store, by where it lies.
pub(super) fn truth_class(data: &DataDir) -> TruthClass {
    if data.truth().is_dir() {
        TruthClass::Independent
    } else {
        TruthClass::SameDeviceSync
    }
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
