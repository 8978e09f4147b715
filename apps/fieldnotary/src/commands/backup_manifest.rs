//! What a backup says of itself: `manifest.json`, and the check of the logs that it names.

use super::backup_archive::{Archive, Line};
use super::backup_log::{BackupVolume, TruthCopy};
use evidence::reasons::TruthClass;
use evidence::{Generation, LogId};
use journal::{Reader, Shape};
use proof::note::VerifierKey;
use query::{Anchors, Report, verify_node};
use serde_json::{Value, json};
use trust_plane::Rotation;

/// The manifest's name in the backup.
pub(super) const MANIFEST_FILE: &str = "manifest.json";
/// The layout of a backup.
pub(super) const FORMAT: &str = "fieldnotary-backup-v1";
/// Bytes that a manifest may have: a line for each segment of every generation.
const MANIFEST_BYTES_MAX: u64 = 32 << 20;
/// Bytes of any other text in a backup.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// One generation in a backup.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) generation: Generation,
    pub(super) size: u64,
    pub(super) root: String,
    pub(super) oldest: u64,
    pub(super) sealed: u64,
    pub(super) cosigned: u64,
    /// The newest checkpoint, a signed note.
    pub(super) checkpoint: Option<String>,
    pub(super) shape: Shape,
    pub(super) class: TruthClass,
}

impl Held {
    /// Its directory in the backup and in the data directory.
    pub(super) fn dir(&self) -> String {
        format!("journal/g{:06}", self.generation.0)
    }
}

/// A manifest.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) origin: String,
    pub(super) log_id: LogId,
    pub(super) taken_at: String,
    pub(super) running: bool,
    pub(super) keys: bool,
    pub(super) generations: Vec<Held>,
}

impl Manifest {
    pub(super) fn json(&self, files: &[Line]) -> Value {
        let generations = self.generations.iter().map(|held| {
            json!({
                "generation": held.generation.0,
                "size": held.size,
                "root": held.root,
                "oldest_commit_id": held.oldest,
                "sealed_size": held.sealed,
                "cosigned_size": held.cosigned,
                "checkpoint": held.checkpoint,
                "segment_bytes": held.shape.segment_bytes,
                "segments": held.shape.segments,
                "block_bytes": held.shape.block_bytes,
                "truth_class": held.class.name(),
            })
        });
        let files = files
            .iter()
            .map(|line| json!({ "name": line.name, "bytes": line.bytes, "sha256": line.sha256 }));
        json!({
            "format": FORMAT,
            "version": env!("CARGO_PKG_VERSION"),
            "origin": self.origin,
            "log_id": self.log_id.to_string(),
            "taken_at": self.taken_at,
            "running": self.running,
            "keys": self.keys,
            "covers": "every committed entry that the ring still holds, with its salts and proofs; the \
                public keys; with keys: the secret keys and what they signed last",
            "covers_not": "the configuration file, the uplink's certificates and key, run/, markers/, \
                uplink/, supervisor/, logs/: they belong to the machine",
            "generations": generations.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
        })
    }

    /// Reads the manifest of a backup whose digests hold.
    pub(super) fn read(archive: &Archive) -> Result<Self, String> {
        let text = archive.text(MANIFEST_FILE, MANIFEST_BYTES_MAX)?;
        let json: Value = serde_json::from_str(&text)
            .map_err(|error| format!("{MANIFEST_FILE} is not JSON: {error}"))?;
        let word = |name: &str| {
            let word = json.get(name).and_then(Value::as_str);
            word.map(str::to_owned)
                .ok_or_else(|| format!("{MANIFEST_FILE}: {name} is missing"))
        };
        let format = word("format")?;
        if format != FORMAT {
            return Err(format!(
                "{MANIFEST_FILE}: the backup is of format {format:?}, this program reads {FORMAT}"
            ));
        }
        let truth = |name: &str| json.get(name) == Some(&Value::Bool(true));
        let generations = json.get("generations").and_then(Value::as_array);
        let generations = generations.into_iter().flatten().map(held);
        Ok(Self {
            origin: word("origin")?,
            log_id: word("log_id")?
                .parse()
                .map_err(|error| format!("{MANIFEST_FILE}: log_id: {error}"))?,
            taken_at: word("taken_at")?,
            running: truth("running"),
            keys: truth("keys"),
            generations: generations.collect::<Result<_, _>>()?,
        })
    }

    /// The newest generation.
    pub(super) fn newest(&self) -> Option<&Held> {
        self.generations.last()
    }
}

fn held(json: &Value) -> Result<Held, String> {
    let wrong = |name: &str| format!("{MANIFEST_FILE}: {name} of a generation is missing or wrong");
    let number = |name: &str| {
        json.get(name)
            .and_then(Value::as_u64)
            .ok_or_else(|| wrong(name))
    };
    let small = |name: &str| u32::try_from(number(name)?).map_err(|_| wrong(name));
    let word = |name: &str| json.get(name).and_then(Value::as_str);
    Ok(Held {
        generation: Generation(number("generation")?),
        size: number("size")?,
        root: word("root").ok_or_else(|| wrong("root"))?.to_owned(),
        oldest: number("oldest_commit_id")?,
        sealed: number("sealed_size")?,
        cosigned: number("cosigned_size")?,
        checkpoint: word("checkpoint").map(str::to_owned),
        shape: Shape {
            segment_bytes: number("segment_bytes")?,
            segments: small("segments")?,
            block_bytes: small("block_bytes")?,
        },
        class: word("truth_class")
            .and_then(TruthClass::from_name)
            .ok_or_else(|| wrong("truth_class"))?,
    })
}

/// Verifies every log in the backup as it lies there, against keys given or those in it.
pub(super) fn verify_logs(
    archive: &Archive,
    manifest: &Manifest,
    pinned: &[VerifierKey],
) -> Result<Report, String> {
    let mut report = Report::default();
    for held in &manifest.generations {
        let truth = format!("{}/{}", held.dir(), media::TRUTH_FILE);
        let bytes = usize::try_from(archive.bytes(&truth).unwrap_or(0)).unwrap_or(0);
        let mut copy = TruthCopy {
            bytes: vec![0; bytes.min(usize::try_from(TEXT_BYTES_MAX).unwrap_or(0))],
            class: held.class,
        };
        archive
            .read_at(&truth, 0, &mut copy.bytes)
            .map_err(|error| format!("cannot read {truth}: {error}"))?;
        let volume = BackupVolume {
            archive,
            dir: held.dir(),
            shape: held.shape,
        };
        let reader = Reader::open(volume, copy, manifest.log_id, held.generation)
            .map_err(|error| format!("{} of the backup: {error}", held.dir()))?;
        if reader.size() != held.size || reader.root().to_string() != held.root {
            return Err(format!(
                "{} of the backup holds {} entries with root {}, {MANIFEST_FILE} says {} with {}",
                held.dir(),
                reader.size(),
                reader.root(),
                held.size,
                held.root
            ));
        }
        let anchors = match pinned {
            [] => Anchors::found_beside(keys_of(archive, held)?),
            keys => Anchors::pinned(keys.to_vec()),
        };
        let anchors = anchors.and_rotations(rotations_of(archive, held));
        let origin = format!("{}/g{}", manifest.origin, held.generation);
        verify_node(&reader, &origin, &anchors, &mut report);
    }
    Ok(report)
}

/// How the keys by which a generation of the backup was signed followed each other.
fn rotations_of(archive: &Archive, held: &Held) -> Vec<Rotation> {
    let places = [held.dir(), "identity".to_owned()]
        .map(|folder| format!("{folder}/{}", Rotation::FILE_PREFIX));
    let is_one = |name: &&str| places.iter().any(|place| name.starts_with(place));
    let notes = archive.names().filter(is_one);
    let read = |name: &str| {
        let note = archive.text(name, TEXT_BYTES_MAX).ok()?;
        Rotation::read(note.as_bytes()).ok()
    };
    notes.filter_map(read).collect()
}

/// The keys by which a generation of the backup was signed.
fn keys_of(archive: &Archive, held: &Held) -> Result<Vec<VerifierKey>, String> {
    let own = format!("{}/keys.vkey", held.dir());
    let name = match archive.bytes(&own) {
        Some(_) => own,
        None => "identity/keys.vkey".to_owned(),
    };
    let text = archive.text(&name, TEXT_BYTES_MAX)?;
    let keys = text.lines().map(|line| {
        line.parse()
            .map_err(|error| format!("{name} of the backup: not a verifier key: {error}"))
    });
    keys.collect()
}
