//! The journal on this node's files: opening, committing in frames, carrying on after a failed write.

use super::ledger::Ledger;
use super::stats::Stats;
use crate::paths::DataDir;
use contract::Storage;
use evidence::Stream;
use evidence::reasons::TruthClass;
use evidence::{BootId, Captured, CommitId, Generation, LogId, SaltKey, Stamp};
use journal::{CommitError, Journal, Leases, OpenError, OpenInput, Options, Recovery, Shape};
use media::{Access, FileTruth, FileVolume};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The journal of a node.
pub(super) type NodeJournal = Journal<FileVolume, FileTruth>;

/// A write that failed is tried in a new segment this often before the node gives the group back.
const NEW_EPOCHS_MAX: u32 = 3;

/// Where a group landed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Landed {
    pub(super) first: CommitId,
    pub(super) rolled: bool,
}

/// Opens the log, or begins it; `None` for the recovery of a log that is new.
pub(super) fn open(
    data: &DataDir,
    storage: &Storage,
    log_id: LogId,
    boot_id: BootId,
) -> Result<(NodeJournal, Option<Recovery>), String> {
    let generation = newest_generation(data)?;
    let directory = data.journal(generation.0);
    let shape = Shape {
        segment_bytes: storage.segment_bytes,
        segments: storage.segments,
        block_bytes: storage.block_bytes,
    };
    let failed = |error: media::MediaError| format!("the journal: {error}");
    let new = !ring_file(&directory).exists();
    let truth_path = truth_path(data, &directory, storage.truth);
    if new {
        FileVolume::provision(&directory, shape, |_| {}).map_err(failed)?;
        FileTruth::provision(&truth_path).map_err(failed)?;
        write_ring(&directory, shape)?;
    }
    let shape = read_ring(&directory)?;
    let volume = FileVolume::open(&directory, shape, Access::ReadWrite).map_err(failed)?;
    let truth = FileTruth::open(&truth_path, storage.truth, Access::ReadWrite).map_err(failed)?;
    let options = Options {
        retain_uncosigned: false,
        ..Options::default()
    };
    let input = OpenInput {
        log_id,
        generation,
        boot_id,
        options,
    };
    let refused = |error: OpenError| format!("the journal in {}: {error}", directory.display());
    match Journal::open(volume, truth, &input) {
        Ok((journal, recovery)) => Ok((journal, Some(recovery))),
        Err(OpenError::NoLog) => {
            // Provisioned, and no entry was ever committed.
            let volume = FileVolume::open(&directory, shape, Access::ReadWrite).map_err(failed)?;
            let truth =
                FileTruth::open(&truth_path, storage.truth, Access::ReadWrite).map_err(failed)?;
            Journal::create(volume, truth, &input, salt()?)
                .map(|journal| (journal, None))
                .map_err(refused)
        }
        Err(error) => Err(refused(error)),
    }
}

/// Where the truth store of a class lies.
pub(crate) fn truth_path(data: &DataDir, directory: &Path, class: TruthClass) -> PathBuf {
    match class {
        TruthClass::Independent => data.truth().join(media::TRUTH_FILE),
        TruthClass::SameDeviceSync | TruthClass::SameDeviceDeferred => {
            directory.join(media::TRUTH_FILE)
        }
    }
}

fn ring_file(directory: &Path) -> PathBuf {
    directory.join("ring.json")
}

/// Writes the ring's measures down, last of its provisioning: a reader needs no configuration.
fn write_ring(directory: &Path, shape: Shape) -> Result<(), String> {
    let path = ring_file(directory);
    let text = json!({
        "segment_bytes": shape.segment_bytes,
        "segments": shape.segments,
        "block_bytes": shape.block_bytes,
    });
    crate::files::write_durably(&path, &format!("{text}\n"))
}

/// The measures of a ring.
pub(crate) fn read_ring(directory: &Path) -> Result<Shape, String> {
    let path = ring_file(directory);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let ring: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not JSON: {error}", path.display()))?;
    let number = |name: &str| {
        ring.get(name)
            .and_then(serde_json::Value::as_u64)
            .ok_or_else(|| format!("{}: {name} is missing or no number", path.display()))
    };
    let small = |name: &str| {
        u32::try_from(number(name)?).map_err(|_| format!("{}: {name} is too large", path.display()))
    };
    Ok(Shape {
        segment_bytes: number("segment_bytes")?,
        segments: small("segments")?,
        block_bytes: small("block_bytes")?,
    })
}

/// The newest generation on this node; 1 where there is none.
pub(crate) fn newest_generation(data: &DataDir) -> Result<Generation, String> {
    let parent = data.root().join("journal");
    let names = match std::fs::read_dir(&parent) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Generation(1)),
        Err(error) => return Err(format!("cannot read {}: {error}", parent.display())),
    };
    let newest = names
        .filter_map(|name| {
            name.ok()?
                .file_name()
                .to_str()?
                .strip_prefix('g')?
                .parse()
                .ok()
        })
        .max();
    Ok(Generation(newest.unwrap_or(1)))
}

/// A fresh random salt key.
pub(super) fn salt() -> Result<SaltKey, String> {
    let mut key = [0u8; 16];
    getrandom::fill(&mut key).map_err(|error| format!("no randomness for a salt key: {error}"))?;
    Ok(SaltKey(key))
}

/// Commits a group in as many frames as it takes. A failed write moves on to a new segment and epoch;
/// nothing that was not durable is ever reported as committed.
pub(super) fn commit_all(
    journal: &mut NodeJournal,
    group: &[(Stamp, Captured)],
    stats: &mut Stats,
) -> Result<Landed, String> {
    let mut landed = Landed {
        first: CommitId(journal.size()),
        rolled: false,
    };
    let mut rest = group;
    let mut failures = 0;
    while !rest.is_empty() {
        let fitting = journal.fitting(rest.iter().map(|(_, captured)| captured.capture.len()));
        let (frame, after) = rest.split_at(fitting.max(1).min(rest.len()));
        match journal.commit(frame, salt()?) {
            Ok(committed) => {
                landed.rolled |= committed.rolled;
                rest = after;
            }
            Err(CommitError::Medium(_) | CommitError::ReadBack { .. } | CommitError::Latched)
                if failures < NEW_EPOCHS_MAX =>
            {
                failures += 1;
                stats.write_failures += 1;
                landed.rolled = true;
                // An error here leaves the journal latched, and the next turn tries once more.
                if let Err(error) = journal.begin_epoch_after_failure(salt()?) {
                    eprintln!("recorder: no new segment after a failed write: {error}");
                }
            }
            Err(error) => return Err(format!("the group could not be committed: {error}")),
        }
    }
    Ok(landed)
}

/// The lease table as the journal keeps it.
pub(super) fn leases(ledger: &Ledger) -> Leases {
    let mut leases = Leases::default();
    for (stream, end) in ledger.leases() {
        leases.seqs.insert(stream.clone(), evidence::Seq(*end));
    }
    leases
}

/// The streams of a lease table.
pub(super) fn streams(leases: &Leases) -> impl Iterator<Item = (Stream, u64)> + '_ {
    leases
        .seqs
        .iter()
        .map(|(stream, end)| (stream.clone(), end.0))
}
