//! A generation's log as the reading verbs open it: by what is there of its ring, as `fsck` does.

use super::finding::{
    Finding, OLD_TRUTH_CURE, nothing, of_aside_segment, of_files, of_measures, of_parts, of_scrub,
    of_store,
};
use super::place::{self, Place};
use crate::commands::ink::{Ink, ink};
use crate::commands::ring_files;
use crate::commands::words;
use crate::paths::DataDir;
use evidence::reasons::TruthClass;
use evidence::{Generation, LogId};
use journal::image::Identity;
use journal::{OpenError, ReadTruth, Reader, Salvage, Shape, TruthHealth};
use media::{FoundTruth, FoundVolume};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Reads what is there of a ring; what is missing is named as lost.
pub(in crate::commands) type FoundReader = Reader<FoundVolume, FoundTruth>;

/// A log that was opened for reading, and what is wrong with the files that say how to read it.
#[derive(Debug)]
pub(in crate::commands) struct FoundLog {
    pub(in crate::commands) reader: FoundReader,
    pub(in crate::commands) shape: Shape,
    pub(in crate::commands) class: TruthClass,
    /// What is wrong with `ring.json` and with the truth store as files, and the segments that are not of this log.
    pub(in crate::commands) findings: Vec<Finding>,
    ring: PathBuf,
}

/// How a log was refused.
#[derive(Debug)]
pub(in crate::commands) enum Refused {
    /// Its files cannot be looked at, in words.
    Files(String),
    /// They are not of this log, or not of this version.
    Log(OpenError),
}

/// What a first look finds wrong with the journal of a generation, in the words of `fsck`: its files, its truth
/// store, the headers of its segments and its newest segment.
pub(in crate::commands) fn first_look(
    data: &DataDir,
    generation: Generation,
) -> Result<Vec<Finding>, String> {
    place::open(&data.journal(generation.0)).map(|place| look_at(&place))
}

/// The same of a place that is open.
pub(super) fn look_at(place: &Place) -> Vec<Finding> {
    let salvage = Salvage::open(&place.volume, &place.truth, place.wanted);
    let mut found = of_files(place, salvage.as_ref().ok().map(Salvage::reader));
    match salvage {
        Ok(salvage) => {
            found.extend(of_parts(&salvage));
            let glance = salvage.reader().glance();
            found.extend(of_scrub(place, &salvage, &glance));
        }
        Err(why) => found.push(nothing(why.to_string())),
    }
    found
}

/// What is bad among findings (as [`Finding::json`] gives them), each with its cure; nothing where nothing is.
pub(in crate::commands) fn harm_words(findings: &Value, dir: &Path) -> String {
    let findings = findings.as_array().into_iter().flatten();
    let bad = findings.filter(|one| one.get("failure") == Some(&Value::Bool(true)));
    let said: Vec<String> = bad
        .map(|one| {
            let part = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
            let number = |name: &str| one.get(name).and_then(Value::as_u64);
            let entries = number("first").zip(number("last"));
            let entries = entries.map_or_else(String::new, |(first, last)| {
                format!(", {}", words::entries(first, last))
            });
            let (file, what, cure) = (part("file"), part("words"), part("cure"));
            format!("           {file}{entries}: {what}\n           cure: {cure}\n")
        })
        .collect();
    if said.is_empty() {
        return String::new();
    }
    format!(
        "\njournal    {} at a first look:\n{}           all of it is looked at by: fieldnotary journal fsck {}\n",
        ink(Ink::Bad, "NOT SOUND"),
        said.concat(),
        dir.display()
    )
}

impl FoundLog {
    /// Opens the log of one generation. Without `ring.json` the measures are told by the media, without a truth
    /// store of its own the end is found by scanning, and segments of another log beside this one's count as
    /// missing: [`Self::tell`] says so.
    pub(in crate::commands) fn open(
        data: &DataDir,
        log_id: LogId,
        generation: Generation,
    ) -> Result<Self, Refused> {
        let ring = data.journal(generation.0);
        let place = place::open(&ring).map_err(Refused::Files)?;
        let mut findings = of_measures(&place);
        findings.extend(of_store(&place));
        let strangers = place.strangers(Identity { log_id, generation });
        let aside = strangers.iter();
        findings.extend(aside.map(|(segment, state)| of_aside_segment(*segment, *state)));
        let aside: Vec<u32> = strangers.into_keys().collect();
        let Place {
            volume,
            truth,
            measures,
            ..
        } = place;
        let class = truth.class();
        let volume = volume.without(&aside);
        let reader = Reader::open_as_found(volume, truth, log_id, generation);
        Ok(Self {
            reader: reader.map_err(Refused::Log)?,
            shape: measures.shape,
            class,
            findings,
            ring,
        })
    }

    /// Whether entries may be missing behind the end that is shown: no truth store says where the log ends.
    pub(in crate::commands) fn end_is_uncertain(&self) -> bool {
        self.reader.truth_health().0 == TruthHealth::Lost
    }

    /// Says on standard error how the log is read where that is not as usual, and who says more.
    pub(in crate::commands) fn tell(&self) {
        let ring = self.ring.display();
        let mut said: Vec<String> = self
            .findings
            .iter()
            .map(|one| format!("{}: {}", one.file, one.words))
            .collect();
        if said.is_empty() && self.end_is_uncertain() {
            said.push("no slot of the truth store can be read".to_owned());
        }
        if self.end_is_uncertain() {
            said.push(format!(
                "the log is read up to entry {}, where the frames end; whether more was committed is not certain",
                self.reader.size()
            ));
        }
        if !said.is_empty() {
            let next = "saves what can be read with --salvage FILE";
            complain!(
                "{}\nwhat to do: fieldnotary journal fsck {ring}   # {next}",
                said.join("\n")
            );
        }
        ring_files::tell_displaced(&self.ring, &self.reader);
        self.tell_old_truth();
    }

    /// Says it where the log is read on behind the end which its truth store names, and what is done about it.
    pub(in crate::commands) fn tell_old_truth(&self) {
        let ring = self.ring.display();
        if let Some(claimed) = self.reader.claimed().filter(|claimed| claimed.old) {
            let more = self.reader.size().saturating_sub(claimed.size);
            complain!(
                "the truth store of {ring} is older than its log by {}: it ends at entry {}, the frames at {}; they \
                 are read to their end\nwhat to do: {OLD_TRUTH_CURE}",
                words::count(more, "entry", "entries"),
                claimed.size,
                self.reader.size()
            );
        }
    }
}
