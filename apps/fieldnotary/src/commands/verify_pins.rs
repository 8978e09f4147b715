//! What is verified, and what whoever asks brought along to hold it against.

use super::directory::Directory;
use crate::cli::VerifyArgs;
use proof::note::VerifierKey;
use query::{Anchors, CollectorDir, FindingKind, Known, LogDir, Report, statements_beside};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use trust_plane::Rotation;
use trust_plane::limits::ROTATION_BYTES_MAX;

/// What a path holds.
pub(super) enum Subject {
    /// What a node or a collector keeps.
    Directory(Directory),
    /// A log in its published form.
    Published(LogDir),
}

impl Subject {
    /// Looks what is there.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        super::preflight::readable(path)?;
        match LogDir::published(path).map_err(|error| error.to_string())? {
            Some(log) => Ok(Self::Published(log)),
            None => Directory::open(path).map(Self::Directory),
        }
    }

    /// Whether the log has this generation; the error names those that there are.
    pub(super) fn has_generation(&self, wanted: Option<u64>) -> Result<(), String> {
        match (self, wanted) {
            (Self::Directory(directory), wanted) => directory.has_generation(wanted),
            (Self::Published(log), Some(wanted)) if log.generation() != Some(wanted) => {
                Err(format!(
                    "this is {} alone, and not its generation {wanted}",
                    log.origin
                ))
            }
            (Self::Published(_), _) => Ok(()),
        }
    }
}

/// Why a kept checkpoint cannot be read, and what would be right.
fn not_read(path: &Path, error: &std::io::Error) -> String {
    let shown = path.display();
    if path.is_dir() {
        let inside = path.join(proof::tile::CHECKPOINT_PATH);
        let named = match inside.is_file() {
            true => format!("did you mean {}?", inside.display()),
            false => "name the file with the signed checkpoint that you kept".to_owned(),
        };
        return format!("--known {shown}: that is a directory, and a file is due\n{named}");
    }
    if error.kind() == std::io::ErrorKind::NotFound {
        return format!(
            "--known {shown}: there is no such file\n\
             name the file with the signed checkpoint that you kept; without --known nothing tells an old copy"
        );
    }
    format!("--known {shown}: cannot be read: {error}")
}

/// What keys state of those that follow them, from a file.
fn rotation(path: &Path) -> Result<Rotation, String> {
    let shown = path.display();
    let limit = u64::try_from(ROTATION_BYTES_MAX + 1).unwrap_or(u64::MAX);
    let mut note = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut note))
        .map_err(|error| format!("--rotation {shown}: cannot be read: {error}"))?;
    Rotation::read(&note).map_err(|error| {
        format!(
            "--rotation {shown}: {error}\n\
             such a statement lies in a node's identity/, in what `fieldnotary journal export --tiles` writes, and in a \
             collector's rotations/: the files rotation-001.note and on"
        )
    })
}

/// Keys, checkpoints and statements of keys from elsewhere.
pub(super) struct Pins {
    keys: Vec<VerifierKey>,
    known: Vec<Known>,
    rotations: Vec<Rotation>,
}

impl Pins {
    /// What the command line names.
    pub(super) fn of(args: &VerifyArgs) -> Result<Self, String> {
        let known = args.known.iter().map(|path| {
            let shown = path.display();
            let bytes = std::fs::read(path).map_err(|error| not_read(path, &error))?;
            Known::parse(&bytes).map_err(|error| {
                format!(
                    "{shown} is no signed checkpoint: {error}\n\
                     one lies in what `fieldnotary journal export --tiles` writes, and in a collector's \
                     logs: the file `checkpoint`"
                )
            })
        });
        Ok(Self {
            keys: args.anchor.clone(),
            known: known.collect::<Result<_, String>>()?,
            rotations: args
                .rotation
                .iter()
                .map(|path| rotation(path))
                .collect::<Result<_, String>>()?,
        })
    }

    /// The statements among them.
    pub(super) fn rotations(&self) -> &[Rotation] {
        &self.rotations
    }

    /// Adds statements that the log has itself.
    pub(super) fn follow(&mut self, stated: Vec<Rotation>) {
        self.rotations.extend(stated);
    }

    /// All that speaks for a log, with the keys found beside it.
    pub(super) fn and_beside(&self, beside: Vec<VerifierKey>) -> Anchors {
        let anchors = match self.keys.is_empty() {
            true => Anchors::found_beside(beside),
            false => Anchors::pinned(self.keys.clone()).and_beside(beside),
        };
        anchors
            .and_known(self.known.clone())
            .and_rotations(self.rotations.clone())
    }

    /// Whether every kept checkpoint met the log that it is of.
    pub(super) fn were_met(&self, report: &mut Report) {
        let origins = report.origins.clone();
        let missed = self.known.iter().map(|known| &known.head().origin);
        for origin in missed.filter(|origin| !origins.contains(origin)) {
            let words = format!(
                "a signed checkpoint of {origin} was kept, and that log is not here: what is here is {}",
                match origins.is_empty() {
                    true => "nothing that could be read".to_owned(),
                    false => origins.join(", "),
                }
            );
            report.find(FindingKind::Known, None, words);
        }
    }
}

/// The origin without its generation.
pub(super) fn base_of(origin: &str) -> &str {
    origin.rsplit_once("/g").map_or(origin, |(base, _)| base)
}

/// What keys state of those that follow them, of every log in a collector's directory.
pub(super) fn statements_at_collector(
    collector: &CollectorDir,
    directory: &Path,
    report: &mut Report,
) -> Vec<Rotation> {
    let logs = collector.logs.iter();
    let bases: BTreeSet<&str> = logs.map(|log| base_of(&log.origin)).collect();
    let of = |base: &str| {
        let folder = proof::tile::origin_directory(base);
        let folder = directory.join("rotations").join(folder);
        statements_beside(&folder, base, false, report)
    };
    bases.into_iter().flat_map(of).collect()
}
