//! The journal on this node's files: opening, committing in frames, carrying on after a failed write.

use super::keeper;
use super::ledger::Ledger;
use super::truth_place::TruthPlace;
use crate::files::begins_no_log;
use crate::paths::DataDir;
use contract::Storage;
use evidence::Stream;
use evidence::reasons::TruthClass;
use evidence::{BootId, Generation, LogId, SaltKey};
use journal::{Journal, Leases, OpenError, OpenInput, Options, Recovery, Shape};
use media::{Access, FileTruth, FileVolume};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Every so many frames, one is read back from the medium before it is acknowledged: often enough to meet
/// a medium that forgets within minutes, seldom enough to cost no percent.
const READ_BACK_EVERY: u32 = 256;

/// The journal of a node.
pub(super) type NodeJournal = Journal<FileVolume, FileTruth>;

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
    // What cannot be looked at is not new: a ring is never begun over one that is only out of reach.
    let ring = ring_file(&directory);
    let new = !ring
        .try_exists()
        .map_err(|error| format!("cannot look for {}: {error}", ring.display()))?;
    if new {
        let place = TruthPlace::of_new_ring(Some(storage), log_id, &directory);
        FileVolume::provision(&directory, shape, |_| {}).map_err(failed)?;
        place.provision(log_id, generation, |earlier| data.journal(earlier.0))?;
        write_ring(&directory, shape, Some(&place))?;
    }
    // What exists is as it was made: a contract that says otherwise was refused before.
    let shape = read_ring(&directory)?;
    TruthPlace::settle(&directory, log_id, generation)?;
    let place = TruthPlace::of_ring(data, &directory)?;
    let volume = FileVolume::open(&directory, shape, Access::ReadWrite).map_err(failed)?;
    let truth = place.open(Access::ReadWrite).map_err(failed)?;
    let options = Options {
        // What is promised to a collector stays; what nobody waits for is permitted to go as it comes.
        retain_uncosigned: true,
        retain_unkept: keeper::is_keeping(&directory, storage),
        read_back_every: READ_BACK_EVERY,
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
            let truth = place.open(Access::ReadWrite).map_err(failed)?;
            Journal::create(volume, truth, &input, salt()?)
                .map(|journal| (journal, None))
                .map_err(refused)
        }
        Err(error) => Err(refused(error)),
    }
}

/// A generation that is being made, beside its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'a> {
    pub(super) log_id: LogId,
    pub(super) generation: Generation,
    pub(super) boot_id: BootId,
    /// Measures of the generation before.
    pub(super) shape: Shape,
    pub(super) storage: Option<&'a Storage>,
}

impl Draft<'_> {
    /// Provisions the ring in `building`, from where it will be moved to its place, and begins its log.
    pub(super) fn create(
        &self,
        data: &DataDir,
        building: &Path,
        made: impl FnMut(u32),
    ) -> Result<NodeJournal, String> {
        let failed = |error: media::MediaError| format!("the new generation: {error}");
        let kept = data.journal(self.generation.0);
        let mut place = TruthPlace::of_new_ring(self.storage, self.log_id, &kept);
        if place.class == TruthClass::Independent {
            let medium = match place.device {
                true => place.path.as_path(),
                false => place.path.parent().unwrap_or(Path::new("/")),
            };
            if !medium.exists() {
                return Err(format!(
                    "the configuration in the log keeps the truth store in {}, which is not there: \
                     mount its medium first",
                    medium.display()
                ));
            }
        } else {
            place.path = building.join(media::TRUTH_FILE);
        }
        FileVolume::provision(building, self.shape, made).map_err(failed)?;
        place.provision(self.log_id, self.generation, |earlier| {
            data.journal(earlier.0)
        })?;
        write_ring(building, self.shape, Some(&place))?;
        let volume = FileVolume::open(building, self.shape, Access::ReadWrite).map_err(failed)?;
        let truth = place.open(Access::ReadWrite).map_err(failed)?;
        let input = OpenInput {
            log_id: self.log_id,
            generation: self.generation,
            boot_id: self.boot_id,
            options: Options::default(),
        };
        Journal::create(volume, truth, &input, salt()?)
            .map_err(|error| format!("the new generation in {}: {error}", building.display()))
    }
}

pub(super) fn ring_file(directory: &Path) -> PathBuf {
    directory.join("ring.json")
}

/// Writes the ring's measures down, last of its provisioning: a reader needs no configuration.
pub(super) fn write_ring(
    directory: &Path,
    shape: Shape,
    truth: Option<&TruthPlace>,
) -> Result<(), String> {
    let text = measures_text(shape, truth);
    crate::files::write_durably(&ring_file(directory), format!("{text}\n"))
}

/// The measures of a ring as its `ring.json` has them, and where its truth store was made.
pub(crate) fn measures_text(shape: Shape, truth: Option<&TruthPlace>) -> String {
    let mut text = json!({
        "segment_bytes": shape.segment_bytes,
        "segments": shape.segments,
        "block_bytes": shape.block_bytes,
    });
    if let (Some(ring), Some((name, value))) =
        (text.as_object_mut(), truth.and_then(TruthPlace::noted))
    {
        ring.insert(name.to_owned(), value);
    }
    text.to_string()
}

/// The measures of a ring.
pub(crate) fn read_ring(directory: &Path) -> Result<Shape, String> {
    let (path, ring) = (ring_file(directory), ring_json(directory)?);
    let number = |name: &str| {
        ring.get(name)
            .and_then(serde_json::Value::as_u64)
            .ok_or_else(|| {
                format!(
                    "{}: {name} is missing or no number; put the file back that was made with this ring",
                    path.display()
                )
            })
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

pub(super) fn ring_json(directory: &Path) -> Result<serde_json::Value, String> {
    let path = ring_file(directory);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "{} is not JSON: {error}; put the file back that was made with this ring",
            path.display()
        )
    })
}

/// The newest generation on this node; 1 where there is none. A folder is made before anything is written to
/// it: of one in which nothing of a log lies the generation has not begun.
pub(crate) fn newest_generation(data: &DataDir) -> Result<Generation, String> {
    let parent = data.root().join("journal");
    let folders = match std::fs::read_dir(&parent) {
        Ok(folders) => folders,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Generation(1)),
        Err(error) => return Err(format!("cannot read {}: {error}", parent.display())),
    };
    let newest = folders
        .filter_map(|folder| {
            let folder = folder.ok()?;
            let number = folder.file_name().to_str()?.strip_prefix('g')?.parse();
            number.ok().filter(|_| !begins_no_log(&folder.path()))
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

/// The lease table as the journal keeps it.
pub(super) fn leases(ledger: &Ledger) -> Leases {
    let mut leases = Leases {
        floor: ledger.floor(),
        ..Leases::default()
    };
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

#[cfg(test)]
mod tests {
    use super::newest_generation;
    use crate::paths::DataDir;
    use evidence::Generation;

    //= A5.4
    #[test]
    fn a_folder_without_a_log_is_no_generation() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::new(root.path());
        assert_eq!(newest_generation(&data), Ok(Generation(1)));
        for generation in [1, 3] {
            std::fs::create_dir_all(data.journal(generation)).unwrap();
        }
        assert_eq!(newest_generation(&data), Ok(Generation(1)));
        std::fs::write(data.journal(3).join("notes.txt"), "mine").unwrap();
        std::fs::write(data.journal(3).join("writer.lock"), "").unwrap();
        assert_eq!(newest_generation(&data), Ok(Generation(1)));
        // What is left of a log is one.
        for left in ["ring.json", "truth.fnt", "seg-0001.fnj"] {
            let file = data.journal(3).join(left);
            std::fs::write(&file, "{}").unwrap();
            assert_eq!(newest_generation(&data), Ok(Generation(3)), "{left}");
            std::fs::remove_file(&file).unwrap();
        }
        std::fs::write(data.journal(3).join("ring.json"), "{}").unwrap();
        assert_eq!(newest_generation(&data), Ok(Generation(3)));
    }
}
