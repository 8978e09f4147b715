//! `readers/query`, called as a library.

use super::{Exhibit, Form, Verdict, Verifier, Who};
use crate::maker::{GENERATION, RING};
use evidence::LogId;
use evidence::reasons::TruthClass;
use journal::{Reader, Shape};
use media::{Access, FileTruth, FileVolume};
use proof::note::VerifierKey;
use query::{Anchors, Known, LogDir, Report, statements_beside, verify_node, verify_published};
use std::path::Path;

pub(super) struct Library;

impl Verifier for Library {
    fn who(&self) -> Who {
        Who::Library
    }

    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String> {
        let known = match exhibit.known {
            Some((seal, _)) => {
                let known = Known::parse(seal.note.as_bytes());
                vec![known.map_err(|error| error.to_string())?]
            }
            None => Vec::new(),
        };
        let beside = match exhibit.form {
            Form::Node => keys_beside(exhibit.dir)?,
            Form::Tiles => Vec::new(),
        };
        let anchors = match exhibit.keys {
            Some(keys) => Anchors::pinned(keys.to_vec()).and_beside(beside),
            None => Anchors::found_beside(beside),
        };
        let anchors = anchors.and_known(known);
        let mut report = match looked(exhibit, anchors.clone()) {
            Ok(report) => report,
            Err(words) => return Ok(Verdict::Found(words)),
        };
        let more = report.to_follow(&[]);
        if !more.is_empty() {
            let anchors = anchors.and_rotations(more);
            report = looked(exhibit, anchors).unwrap_or(report);
        }
        if exhibit.known.is_some() && !report.origins.iter().any(|one| one == exhibit.origin) {
            return Ok(Verdict::Found(
                "the log that was kept is not here".to_owned(),
            ));
        }
        let bad = report.findings.iter().filter(|one| one.kind.is_failure());
        let words: Vec<String> = bad
            .map(|finding| format!("{}: {finding}", finding.kind.name()))
            .collect();
        Ok(match words.is_empty() {
            true => Verdict::Holds,
            false => Verdict::Found(words.join("; ")),
        })
    }
}

/// One look at a log, with the statements that lie beside it; an error is what keeps from looking at all.
fn looked(exhibit: &Exhibit<'_>, anchors: Anchors) -> Result<Report, String> {
    let mut report = Report::default();
    let base = exhibit.origin.rsplit_once("/g");
    let base = base.map_or(exhibit.origin, |(base, _)| base);
    let beside = match exhibit.form {
        Form::Node => exhibit.dir.join("identity"),
        Form::Tiles => exhibit.dir.to_path_buf(),
    };
    let anchors = anchors.and_rotations(statements_beside(&beside, base, true, &mut report));
    match exhibit.form {
        Form::Node => {
            let reader = open(exhibit.dir)?;
            verify_node(&reader, exhibit.origin, &anchors, &mut report);
        }
        Form::Tiles => match LogDir::published(exhibit.dir) {
            Ok(Some(log)) => verify_published(&log, &anchors, &mut report),
            Ok(None) => return Err("no log in its published form".to_owned()),
            Err(error) => return Err(error.to_string()),
        },
    }
    Ok(report)
}

/// A reader of a node's journal on its files.
pub(crate) fn open(dir: &Path) -> Result<Reader<FileVolume, FileTruth>, String> {
    let ring = dir.join(RING);
    let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let measures: serde_json::Value =
        serde_json::from_str(&text(&ring.join("ring.json"))?).map_err(|error| error.to_string())?;
    let number = |name: &str| {
        let found = measures.get(name).and_then(serde_json::Value::as_u64);
        found.ok_or_else(|| format!("ring.json: no {name}"))
    };
    let small = |name: &str| u32::try_from(number(name)?).map_err(|error| error.to_string());
    let shape = Shape {
        segment_bytes: number("segment_bytes")?,
        segments: small("segments")?,
        block_bytes: small("block_bytes")?,
    };
    let id = text(&dir.join("identity/log-id"))?;
    let id = u128::from_str_radix(id.trim(), 16).map_err(|error| error.to_string())?;
    let volume =
        FileVolume::open(&ring, shape, Access::ReadOnly).map_err(|error| error.to_string())?;
    let truth = ring.join(media::TRUTH_FILE);
    let truth = FileTruth::open(&truth, TruthClass::SameDeviceSync, Access::ReadOnly)
        .map_err(|error| error.to_string())?;
    Reader::open(volume, truth, LogId(id.to_be_bytes()), GENERATION)
        .map_err(|error| error.to_string())
}

fn keys_beside(dir: &Path) -> Result<Vec<VerifierKey>, String> {
    let text = std::fs::read_to_string(dir.join("identity/keys.vkey"))
        .map_err(|error| error.to_string())?;
    let keys = text.lines().map(str::parse);
    keys.collect::<Result<_, _>>()
        .map_err(|error: proof::note::KeyError| error.to_string())
}
