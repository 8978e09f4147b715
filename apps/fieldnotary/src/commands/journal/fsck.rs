//! `fieldnotary journal fsck`: what is wrong with a journal, and what of it can be read all the same.

use super::finding::{self, Finding};
use super::place::{Place, places};
use super::salvage_file::SalvageFile;
use crate::cli::FsckArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::keep_check::{KeepLook, keep_looks};
use crate::commands::on_disk::closed_orderly;
use crate::commands::progress::Progress;
use crate::commands::words;
use evidence::CommitId;
use evidence::reasons::TruthClass;
use journal::image::Identity;
use journal::keep::KeepRing;
use journal::{ReadTruth, Salvage, Salvaged, StoredEntry, TruthHealth};
use query::FindingKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Looks at a journal that grows under the look, until what is found is taken for what is there.
const LOOKS_MAX: u32 = 5;

/// What one journal turned out to be.
struct Checked {
    ring: PathBuf,
    measures: Value,
    log: Option<Log>,
    /// Entries read, those behind the committed end included.
    read: u64,
    keeps: Vec<KeepLook>,
    findings: Vec<Finding>,
}

/// The log in it.
struct Log {
    identity: Identity,
    class: TruthClass,
    health: TruthHealth,
    orderly: Option<bool>,
    oldest: u64,
    size: u64,
    /// Index after the last entry readable behind the committed end.
    further: Option<u64>,
}

/// Checks; ends well only if nothing is wrong.
pub(crate) fn fsck(args: &FsckArgs) -> Result<Ended, String> {
    let places = places(&args.dir, args.generation)?;
    let mut file = match &args.salvage {
        Some(path) => Some(SalvageFile::create(path, &args.dir)?),
        None => None,
    };
    let progress = Progress::of("reading entry");
    let mut all = Vec::new();
    for place in &places {
        all.push(check(place, file.as_mut(), &progress)?);
    }
    drop(progress);
    if let Some(file) = file {
        file.finish()?;
    }
    let sound = all.iter().all(Checked::is_sound);
    if args.json {
        let journals: Vec<Value> = all.iter().map(Checked::json).collect();
        let salvaged = args.salvage.as_ref().map(|path| path.display().to_string());
        sayln!(
            "{}",
            json!({ "ok": sound, "journals": journals, "salvaged_to": salvaged })
        );
    } else {
        for (number, one) in all.iter().enumerate() {
            if number > 0 {
                sayln!("");
            }
            one.print();
        }
        if let Some(path) = &args.salvage {
            sayln!("\nsalvaged   {}", path.display());
        }
    }
    Ok(match sound {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

/// Looks until the journal holds still, or is sound; only then is anything written down.
fn check(
    place: &Place,
    file: Option<&mut SalvageFile>,
    progress: &Progress,
) -> Result<Checked, String> {
    let mut looks = 1;
    loop {
        let (checked, salvage) = look(place, progress);
        let moved = match (&salvage, &checked.log) {
            (Some(salvage), Some(log)) => size_now(place, salvage) != log.size,
            _ => false,
        };
        if moved && !checked.is_sound() && looks < LOOKS_MAX {
            looks += 1;
            continue;
        }
        if let (Some(file), Some(salvage)) = (file, salvage) {
            file.log(&place.ring, &checked.json())?;
            let oldest = salvage.reader().oldest();
            for (store, stored) in kept_below(&checked.keeps, oldest).into_values() {
                file.kept(store, &stored)?;
            }
            for item in salvage.items() {
                file.item(&item)?;
            }
        }
        return Ok(checked);
    }
}

/// What the keep-rings hold of entries that have left the segments, in the order of commit.
fn kept_below(keeps: &[KeepLook], oldest: CommitId) -> BTreeMap<CommitId, (&str, StoredEntry)> {
    let all = keeps.iter().flat_map(|look| {
        let name = look.store.name();
        let entries = look.entries().into_iter();
        entries.map(move |stored| (stored.commit_id, (name, stored)))
    });
    all.filter(|(id, _)| *id < oldest).collect()
}

type Open<'p> = Salvage<'p, media::FoundVolume, media::FoundTruth>;

fn size_now(place: &Place, salvage: &Open<'_>) -> u64 {
    let again = Salvage::open(&place.volume, &place.truth, Some(salvage.identity()));
    again.map_or(0, |again| again.committed_size())
}

fn look<'p>(place: &'p Place, progress: &Progress) -> (Checked, Option<Open<'p>>) {
    let shape = place.measures.shape;
    let mut checked = Checked {
        ring: place.ring.clone(),
        measures: json!({
            "segments": shape.segments,
            "segment_bytes": shape.segment_bytes,
            "block_bytes": shape.block_bytes,
            "source": place.measures.source.name(),
        }),
        log: None,
        read: 0,
        keeps: Vec::new(),
        findings: Vec::new(),
    };
    let salvage = Salvage::open(&place.volume, &place.truth, place.wanted);
    let log = salvage.as_ref().ok().map(Salvage::reader);
    checked.findings = finding::of_files(place, log);
    let salvage = match salvage {
        Ok(salvage) => salvage,
        Err(why) => {
            checked.findings.push(finding::nothing(why.to_string()));
            return (checked, None);
        }
    };
    if let Some(wanted) = place.wanted.filter(|wanted| *wanted != salvage.identity()) {
        let words = format!(
            "it is of {}, and the directory of {wanted}",
            salvage.identity()
        );
        checked.findings.push(
            Finding::new(FindingKind::File, "journal", words)
                .cure("put this node's own journal back, or its own identity/log-id"),
        );
    }
    checked.findings.extend(finding::of_parts(&salvage));
    let scrub = salvage.reader().scrub();
    let found = finding::of_scrub(place, &salvage, &scrub);
    checked.findings.extend(found);
    if !salvage.root_holds() {
        checked
            .findings
            .push(finding::root(salvage.committed_size()));
    }
    let log = (salvage.identity().log_id, salvage.identity().generation);
    checked.keeps = keep_looks(&place.ring, log, salvage.reader());
    let keeps = checked.keeps.iter().flat_map(finding::of_keep);
    checked.findings.extend(keeps);
    checked.read_entries(&salvage, progress);
    checked.log = Some(log_of(place, &salvage));
    checked.tell_further();
    (checked, Some(salvage))
}

fn log_of(place: &Place, salvage: &Open<'_>) -> Log {
    let reader = salvage.reader();
    Log {
        identity: salvage.identity(),
        class: place.truth.class(),
        health: reader.truth_health().0,
        orderly: closed_orderly(reader),
        oldest: reader.oldest().0,
        size: salvage.committed_size(),
        further: salvage.further_end(),
    }
}

impl Checked {
    fn is_sound(&self) -> bool {
        !self.findings.iter().any(|one| one.kind.is_failure())
    }

    /// Reads every entry, and says which are no sound entries although their frames are.
    fn read_entries(&mut self, salvage: &Open<'_>, progress: &Progress) {
        for item in salvage.items() {
            progress.step();
            let Salvaged::Entry { entry: stored, .. } = item else {
                continue;
            };
            self.read += 1;
            let id = stored.commit_id.0;
            let wrong = match stored.entry() {
                Err(error) => Some((FindingKind::Entry, error.to_string())),
                Ok(entry) => entry
                    .payload()
                    .err()
                    .map(|error| (FindingKind::RecordCrc, error.to_string())),
            };
            self.findings.extend(wrong.map(|(kind, words)| {
                Finding::new(kind, "entry", words)
                    .of(id, id + 1)
                    .cure("nothing: it was committed like that, and stays evidence of it")
            }));
        }
    }

    /// Frames behind the committed end: one is usual after a crash.
    fn tell_further(&mut self) {
        let behind = |one: &Finding| one.kind == FindingKind::Truth && one.entries.is_some();
        let further = self
            .log
            .as_ref()
            .and_then(|log| log.further.map(|end| (log.size, end)));
        if let Some((size, end)) = further
            && !self.findings.iter().any(behind)
        {
            let deferred =
                self.log.as_ref().map(|log| log.class) == Some(TruthClass::SameDeviceDeferred);
            let words = match deferred {
                true => {
                    "durable behind the end that the truth store had flushed: a crash came between"
                }
                false => {
                    "durable behind the committed end, acknowledged to nobody: a crash came between"
                }
            };
            self.findings.push(
                Finding::new(FindingKind::NotCovered, "journal", words)
                    .of(size, end)
                    .cure("nothing: the node's next start takes them in"),
            );
        }
    }

    fn json(&self) -> Value {
        let log = self.log.as_ref();
        json!({
            "journal": self.ring.display().to_string(),
            "ok": self.is_sound(),
            "ring": self.measures,
            "log_id": log.map(|log| log.identity.log_id.to_string()),
            "generation": log.map(|log| log.identity.generation.0),
            "truth_class": log.map(|log| log.class.name()),
            "truth_health": log.map(|log| health_name(log.health)),
            "closed_orderly": log.and_then(|log| log.orderly),
            "oldest": log.map(|log| log.oldest),
            "size": log.map(|log| log.size),
            "readable_to": log.and_then(|log| log.further),
            "entries": self.read,
            "kept": self.keeps.iter().map(keep_json).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }

    fn print(&self) {
        let shown = self.ring.display();
        match self.is_sound() {
            true => sayln!("{} {shown}", ink(Ink::Good, "SOUND")),
            false => sayln!("{} {shown}", ink(Ink::Bad, "NOT SOUND")),
        }
        let ring = |name: &str| self.measures.get(name).and_then(Value::as_u64).unwrap_or(0);
        sayln!(
            "ring       {} segments of {}, blocks of {} ({})",
            ring("segments"),
            words::bytes(ring("segment_bytes")),
            words::bytes(ring("block_bytes")),
            self.measures
                .get("source")
                .and_then(Value::as_str)
                .unwrap_or_default()
        );
        if let Some(log) = &self.log {
            sayln!("log        {}", log.identity);
            let class = log.class.name();
            sayln!("truth      {class}, {}", health_name(log.health));
            let end = log.further.unwrap_or(log.size);
            let held = match end > log.oldest {
                true => format!("{} in the ring", words::stretch(log.oldest, end - 1)),
                false => "none in the ring".to_owned(),
            };
            sayln!("entries    {} read; {held}", self.read);
        }
        for look in &self.keeps {
            let kept = words::count(look.entries().len() as u64, "entry", "entries");
            sayln!("kept       {kept} in keep-{}", look.store.name());
        }
        for one in &self.findings {
            let colour = if one.kind.is_failure() {
                Ink::Bad
            } else {
                Ink::Odd
            };
            let entries = match one.entries {
                Some((first, last)) => format!(", {}", words::entries(first, last)),
                None => String::new(),
            };
            sayln!(
                "\n{}  {}{entries}",
                ink(colour, one.kind.name()),
                one.place()
            );
            sayln!("  {}", one.words);
            if !one.cure.is_empty() {
                sayln!("  cure: {}", one.cure);
            }
        }
    }
}

fn keep_json(look: &KeepLook) -> Value {
    json!({
        "store": look.store.name(),
        "ok": look.is_sound(),
        "entries": look.entries().len(),
        "end": look.ring.as_ref().and_then(KeepRing::end),
    })
}

/// One word for the state of a truth store.
pub(super) const fn health_name(health: TruthHealth) -> &'static str {
    match health {
        TruthHealth::Sound => "sound",
        TruthHealth::Degraded => "degraded",
        TruthHealth::SlotLost => "slot_lost",
        TruthHealth::Lost => "lost",
    }
}
