//! `fieldnotary verify`: every committed byte of a directory, for someone who trusts nobody.

use super::directory::{Directory, generations, keys_of, lacking_segments, open_found};
use super::ink::{Ink, ink};
use super::journal::finding::{Finding as Harm, OLD_TRUTH_CURE};
use super::journal::place;
use super::keep_check::{KeepLook, keep_looks};
use super::progress::Progress;
use super::restore_mark::{self, Mark};
use super::verify_counts::{
    alarms, alarms_json, kept_words, nothing_read, print_counts, sealed_words,
};
use super::verify_link::{Link, Told};
use super::verify_pins::{Pins, Subject, base_of, statements_at_collector};
use super::verify_stamps::Judged;
use super::{Ended, words};
use super::{
    verify_answer, verify_boot, verify_firmware, verify_keys, verify_proof, verify_stamps,
};
use crate::cli::VerifyArgs;
use crate::paths::DataDir;
use evidence::Generation;
use evidence::foreign::line;
use journal::keep::KeepRing;
use journal::{ReadTruth, ReadVolume, Reader};
use query::{
    Finding, FindingKind, Report, statements_beside, verify_collector, verify_kept,
    verify_node_lacking, verify_published,
};
use serde_json::json;

/// Looks at a ring that moves on under the look, until what is found is taken for what is there.
const LOOKS_MAX: u32 = 5;

/// Verifies a directory; ends well only if everything holds.
pub(crate) fn verify(args: &VerifyArgs) -> Result<Ended, String> {
    if let Some(ended) = verify_answer::verify(args)? {
        return Ok(ended);
    }
    if let Some(proof) = verify_proof::read(&args.dir)? {
        return verify_proof::verify(&proof, args);
    }
    let mut pins = Pins::of(args)?;
    let mut subject = Subject::open(&args.dir)?;
    subject.has_generation(args.generation)?;
    if let (Subject::Directory(Directory::Collector(collector)), Some(only)) =
        (&mut subject, args.generation)
    {
        collector.logs.retain(|log| log.generation() == Some(only));
    }
    let mut look = look(&subject, args, &pins)?;
    // An entry by which keys change states it as a file beside the log does, and proves it by itself.
    let more = look.report.to_follow(pins.rotations());
    if !more.is_empty() {
        pins.follow(more);
        look = self::look(&subject, args, &pins)?;
    }
    let Look {
        mut report,
        told,
        mark,
    } = look;
    let at_collector = !matches!(subject, Subject::Directory(Directory::Node(_)));
    pins.were_met(&mut report);
    let stamps = verify_stamps::judged(&args.tsa, &mut report)?;
    if args.json {
        let mut json = as_json(&report);
        if let Some(object) = json.as_object_mut() {
            let generations = told.iter().map(Told::json).collect();
            object.insert("generations".to_owned(), generations);
            let mark = mark.map_or(serde_json::Value::Null, |mark| mark.json());
            object.insert("restored".to_owned(), mark);
            object.insert("timestamps".to_owned(), verify_stamps::json(&stamps));
        }
        sayln!("{json}");
    } else {
        print_report(&report, &told, mark.as_ref(), args, at_collector, &stamps);
    }
    Ok(if report.ok() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

/// What one look at a directory found.
struct Look {
    report: Report,
    told: Vec<Told>,
    mark: Option<Mark>,
}

fn look(subject: &Subject, args: &VerifyArgs, pins: &Pins) -> Result<Look, String> {
    let mut report = Report::begun(!args.anchor.is_empty());
    let _progress = Progress::over("verifying entry", &report.progress);
    let mut told = Vec::new();
    let mut mark = None;
    match subject {
        Subject::Published(log) => {
            let beside = statements_beside(&args.dir, base_of(&log.origin), true, &mut report);
            let anchors = pins.and_beside(Vec::new()).and_rotations(beside);
            verify_published(log, &anchors, &mut report);
        }
        Subject::Directory(Directory::Node(data)) => {
            mark = restore_mark::read(data)?;
            told = verify_generations(data, args, pins, &mut report)?;
        }
        Subject::Directory(Directory::Collector(collector)) => {
            let beside = collector.log_keys().unwrap_or_else(|error| {
                report.find(FindingKind::File, None, error.to_string());
                Vec::new()
            });
            let anchors = pins.and_beside(beside);
            let stated = statements_at_collector(collector, &args.dir, &mut report);
            let anchors = anchors.and_rotations(stated);
            verify_collector(collector, &anchors, &mut report);
            if report.entries == 0 && report.ok() {
                return Err(format!(
                    "the collector's directory {} holds nothing to verify yet: no batch of any log was \
                     cosigned",
                    args.dir.display()
                ));
            }
        }
    }
    Ok(Look { report, told, mark })
}

/// What is kept of entries that have left the ring that `reader` reads.
fn verify_keep_rings<V: ReadVolume, T: ReadTruth>(
    looks: &[KeepLook],
    reader: &Reader<V, T>,
    report: &mut Report,
) {
    for look in looks {
        if let Some(words) = &look.harm {
            let words = format!("{}: {words}", look.path.display());
            report.find(FindingKind::File, None, words);
        }
    }
    let rings: Vec<_> = looks.iter().filter_map(|look| look.ring.as_ref()).collect();
    verify_kept(&rings, reader, report);
}

/// Every generation of a node's log in order, and whether each follows the one that it names.
fn verify_generations(
    data: &DataDir,
    args: &VerifyArgs,
    pins: &Pins,
    report: &mut Report,
) -> Result<Vec<Told>, String> {
    let all = generations(data)?;
    let several = all.len() > 1;
    let newest = all.last().copied();
    let wanted = |one: &Generation| args.generation.is_none_or(|only| only == one.0);
    let mut told = Vec::new();
    let mut of_identity = None;
    for generation in all.into_iter().filter(wanted) {
        let beside = keys_of(data, generation)?;
        let base = beside
            .first()
            .map(|key| key.name().to_owned())
            .unwrap_or_default();
        let origin = format!("{base}/g{generation}");
        let anchors = pins.and_beside(beside);
        let stated = of_identity
            .get_or_insert_with(|| statements_beside(&data.identity(), &base, true, report));
        let anchors = anchors.and_rotations(stated.clone());
        // Of what may not be looked at nothing is known: that is no verdict.
        place::permitted(&data.journal(generation.0))?;
        let found = match open_found(data, generation) {
            Ok(found) => found,
            Err(words) => {
                report.find(FindingKind::Unreadable, None, words);
                continue;
            }
        };
        let class = found.class.name();
        let harms = found.findings;
        let mut reader = found.reader;
        let mut own = Report::default();
        let log = (reader.log_id(), generation);
        for _ in 0..LOOKS_MAX {
            let oldest = reader.oldest();
            own = report.part();
            own.truth_class = Some(class.to_owned());
            own.files.push(format!(
                "{}: all segments up to the committed end, truth store",
                data.journal(generation.0).display()
            ));
            tell_harms(&harms, &mut own);
            // A restored generation has statements of its own keys.
            let beside = statements_beside(&data.journal(generation.0), &base, true, &mut own);
            let anchors = anchors.clone().and_rotations(beside);
            let lacking = lacking_segments(data, generation)?;
            verify_node_lacking(&reader, &origin, &anchors, &lacking, &mut own);
            if reader.claimed().is_some_and(|claimed| claimed.old) {
                tell_old_truth(&mut own);
            }
            let rings = keep_looks(&data.journal(generation.0), log, &reader);
            verify_keep_rings(&rings, &reader, &mut own);
            // A node that runs may have written over the oldest segment meanwhile.
            let ends = |looks: &[KeepLook]| -> Vec<_> {
                let end = |look: &KeepLook| look.ring.as_ref().map(KeepRing::end);
                looks.iter().map(end).collect()
            };
            let moved = !own.ok()
                && reader.refresh().is_ok()
                && (reader.oldest() != oldest
                    || ends(&keep_looks(&data.journal(generation.0), log, &reader))
                        != ends(&rings));
            if !moved {
                break;
            }
        }
        if newest.is_some_and(|newest| generation < newest) {
            own.followed();
        }
        let link = Link::of(data, &reader, generation);
        if let Some(words) = link.as_ref().and_then(Link::failure) {
            own.find(FindingKind::Link, Some((0, 0)), words);
        }
        told.push(Told {
            generation,
            entries: own.entries,
            sealed: own.sealed_entries,
            cosigned: own.cosigned_entries,
            unsealed: own.unsealed,
            link,
        });
        merge(own, report, several.then_some(generation));
    }
    Ok(told)
}

/// What is wrong with the files that say how the log is read.
fn tell_harms(harms: &[Harm], report: &mut Report) {
    for harm in harms {
        let words = format!("{}: {}\ncure       {}", harm.file, harm.words, harm.cure);
        report.find(harm.kind, None, words);
    }
}

/// Adds to what is said of an older truth store what is done about it.
fn tell_old_truth(report: &mut Report) {
    let of_truth = |one: &&mut Finding| one.kind == FindingKind::Truth && one.entries.is_some();
    for one in report.findings.iter_mut().filter(of_truth) {
        one.words += &format!("\ncure       {OLD_TRUTH_CURE}");
    }
}

/// Adds what was found in one generation; with several, each finding names its own.
fn merge(own: Report, all: &mut Report, named: Option<Generation>) {
    all.origins.extend(own.origins);
    all.entries += own.entries;
    all.sealed_entries += own.sealed_entries;
    all.cosigned_entries += own.cosigned_entries;
    all.unsealed = own.unsealed;
    all.unsealed_claimed = own.unsealed_claimed;
    all.truth_class = own.truth_class;
    all.custody = own.custody.or(all.custody.take());
    all.key_store = own.key_store.or(all.key_store.take());
    all.enrolled.extend(own.enrolled);
    all.rotated.extend(own.rotated);
    all.stated.extend(own.stated);
    all.revoked.extend(own.revoked);
    all.stamped.extend(own.stamped);
    all.bound = own.bound;
    all.boot = own.boot.or(all.boot.take());
    all.firmware = own.firmware.or(all.firmware.take());
    all.attestation = own.attestation.or(all.attestation.take());
    all.end = own.end;
    all.kept.extend(own.kept);
    all.files.extend(own.files);
    for finding in own.findings {
        let words = match named {
            Some(generation) => format!("of generation {generation}: {}", finding.words),
            None => finding.words,
        };
        all.find_harmless(finding.kind, finding.entries, words, finding.harmless);
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "kind": finding.kind.name(),
                "failure": finding.kind.is_failure(),
                "first": finding.entries.map(|(first, _)| first),
                "last": finding.entries.map(|(_, last)| last),
                "words": finding.words,
                "costs_no_entry": finding.harmless.is_some(),
            })
        })
        .collect();
    let kept: Vec<_> = report
        .kept
        .iter()
        .map(|kept| {
            json!({
                "store": kept.store,
                "entries": kept.entries,
                "first": kept.first,
                "end": kept.end,
            })
        })
        .collect();
    let first_bad = first_bad(report).and_then(|finding| finding.entries);
    json!({
        "ok": report.ok(),
        "origins": report.origins,
        "entries": report.entries,
        "sealed_entries": report.sealed_entries,
        "cosigned_entries": report.cosigned_entries,
        "unsealed_first": report.unsealed.map(|(first, _)| first),
        "unsealed_last": report.unsealed.map(|(_, last)| last),
        "anchored": report.anchored,
        "truth_class": report.truth_class,
        "custody": report.custody,
        "keys": verify_keys::json(report),
        "boot": verify_boot::json(report),
        "firmware": verify_firmware::json(report),
        "kept": kept,
        "alarms": alarms_json(report),
        "files": report.files,
        "first_bad": first_bad.map(|(first, last)| json!([first, last])),
        "findings": findings,
    })
}

/// Another log than the one that was pinned comes before everything that follows from it. Else the earliest failure of an
/// entry itself; only without one, of what speaks of many entries at once. What costs no entry comes behind all that may.
fn first_bad(report: &Report) -> Option<&Finding> {
    let harmless = report.costs_no_entry();
    let failures = || {
        let all = report.findings.iter().filter(|one| one.kind.is_failure());
        all.filter(move |one| harmless || one.harmless.is_none())
    };
    if let Some(of_other_keys) = failures().find(|one| one.kind == FindingKind::Anchor) {
        return Some(of_other_keys);
    }
    let of_entries = failures().filter_map(|one| one.entries.map(|span| (one, span)));
    of_entries
        .min_by_key(|(one, (first, last))| (speaks_of_many(one.kind), *first, *last))
        .map(|(one, _)| one)
        .or_else(|| failures().next())
}

const fn speaks_of_many(kind: FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::Root
            | FindingKind::Signature
            | FindingKind::Cosignature
            | FindingKind::File
            | FindingKind::Truth
            | FindingKind::Known
    )
}

/// The verdict with its cause, and by which keys it came about.
fn print_verdict(report: &Report, at_collector: bool) {
    let Some(bad) = first_bad(report) else {
        let keys = match report.anchored {
            true => "against the key you pinned",
            false => {
                "UNANCHORED: against keys found beside the log, which a forger could have replaced"
            }
        };
        sayln!("{} {keys}", ink(Ink::Good, "VERIFIED"));
        return;
    };
    let verdict = ink(Ink::Bad, "NOT VERIFIED");
    match report.costs_no_entry() {
        true => sayln!("{verdict}, though no entry is missing for it: {bad}"),
        false => sayln!("{verdict}: {bad}"),
    }
    // Words with a line of their own for the cure need no other.
    let in_bytes = matches!(
        bad.kind,
        FindingKind::Lost
            | FindingKind::Damaged
            | FindingKind::Entry
            | FindingKind::RecordCrc
            | FindingKind::Root
            | FindingKind::Truth
            | FindingKind::File
    );
    if let Some(cure) = bad.harmless {
        sayln!("cure       {cure}");
    } else if in_bytes && !bad.words.contains('\n') {
        for line in elsewhere(at_collector) {
            sayln!("{line}");
        }
    }
    let keys = match report.anchored {
        true => "the key you pinned",
        false => {
            "UNANCHORED: keys found beside the log, which a forger could have replaced; --anchor VKEY pins yours"
        }
    };
    sayln!("against    {keys}");
}

/// Where entries are read that cannot be read here.
const fn elsewhere(at_collector: bool) -> [&'static str; 2] {
    match at_collector {
        false => [
            "cure       what was moved away, put back; else leave it, the node may go on, and read the lost entries elsewhere:",
            "           fieldnotary log COLLECTOR-DIR; or of a backup, only to read: fieldnotary restore BACKUP --data NEW-DIR --reason TEXT",
        ],
        true => [
            "cure       change nothing, the rest stays readable; the lost ones may be read on the node's machine:",
            "           fieldnotary log NODE-DIR; or a copy of this directory, put elsewhere: fieldnotary log COPY",
        ],
    }
}

fn print_report(
    report: &Report,
    told: &[Told],
    mark: Option<&Mark>,
    args: &VerifyArgs,
    at_collector: bool,
    stamps: &[Judged],
) {
    print_verdict(report, at_collector);
    if let Some(mark) = mark {
        sayln!("state      {}", mark.words());
    }
    for origin in &report.origins {
        sayln!("log        {}", line(origin));
    }
    for one in told
        .iter()
        .filter(|one| told.len() > 1 || one.link.is_some())
    {
        sayln!("generation {}: {}", one.generation, one.words());
    }
    sayln!("entries    {} read", report.entries);
    sayln!("sealed     {}", sealed_words(report, args));
    sayln!(
        "cosigned   {}",
        match report.cosigned_entries {
            0 if nothing_read(report) => "not checked: no entry could be read".to_owned(),
            0 => "none: no cosignature of a collector covers any of them".to_owned(),
            some if report.cosigned_has_holes() => format!(
                "{some} (stored outside but for the holes named below, by the collector's word)"
            ),
            some => format!("{some} (stored outside, by the collector's word)"),
        }
    );
    if let Some((first, last)) = report.unsealed.filter(|_| report.sealed_entries > 0) {
        let which = words::entries(first, last);
        let why = match report.unsealed_claimed {
            false => "not signed yet, protected by CRCs alone",
            true => "under no signed checkpoint that holds",
        };
        sayln!("unsealed   {which}: {why}");
    }
    if let Some(class) = &report.truth_class {
        sayln!("truth      {class}");
    }
    for line in verify_keys::lines(report)
        .into_iter()
        .chain(verify_stamps::lines(stamps))
        .chain(verify_boot::lines(report))
        .chain(verify_firmware::lines(report))
    {
        sayln!("{line}");
    }
    if let Some(kept) = kept_words(report) {
        sayln!("kept       {kept}");
    }
    if let Some(alarms) = alarms(report) {
        sayln!("alarms     {alarms}");
    }
    for file in &report.files {
        sayln!("covered    {file}");
    }
    if report.findings.is_empty() {
        return;
    }
    sayln!("");
    if args.all {
        for finding in &report.findings {
            sayln!("{:<12} {finding}", finding.kind.name());
        }
    } else {
        print_counts(&report.findings);
    }
}
