//! `fieldnotary verify`: every committed byte of a directory, for someone who trusts nobody.

use super::directory::{Directory, generations, keys_beside, open_reader, truth_class};
use super::table::{Align, Table};
use super::{Ended, words};
use crate::cli::VerifyArgs;
use proof::note::VerifierKey;
use query::{Anchors, Finding, FindingKind, Report, verify_collector, verify_node};
use serde_json::json;

/// Verifies a directory; ends well only if everything holds.
pub(crate) fn verify(args: &VerifyArgs) -> Result<Ended, String> {
    let mut report = Report::default();
    match Directory::open(&args.dir)? {
        Directory::Node(data) => {
            let beside = keys_beside(&data)?;
            let base = beside
                .first()
                .map(|key| key.name().to_owned())
                .unwrap_or_default();
            let anchors = choose(&args.anchor, beside);
            for generation in generations(&data)? {
                let reader = match open_reader(&data, generation) {
                    Ok(reader) => reader,
                    Err(words) => {
                        report.find(FindingKind::Unreadable, None, words);
                        continue;
                    }
                };
                report.truth_class = Some(truth_class(&data, generation)?.name().to_owned());
                report.files.push(format!(
                    "{}: all segments up to the committed end, truth store",
                    data.journal(generation.0).display()
                ));
                verify_node(
                    &reader,
                    &format!("{base}/g{generation}"),
                    &anchors,
                    &mut report,
                );
            }
        }
        Directory::Collector(collector) => {
            let beside = collector.log_keys().map_err(|error| error.to_string())?;
            verify_collector(&collector, &choose(&args.anchor, beside), &mut report);
        }
    }
    if args.json {
        sayln!("{}", as_json(&report));
    } else {
        print_report(&report, args);
    }
    Ok(if report.ok() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

fn choose(pinned: &[VerifierKey], beside: Vec<VerifierKey>) -> Anchors {
    if pinned.is_empty() {
        Anchors::found_beside(beside)
    } else {
        Anchors::pinned(pinned.to_vec())
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
        "files": report.files,
        "first_bad": first_bad.map(|(first, last)| json!([first, last])),
        "findings": findings,
    })
}

/// The earliest failure of an entry itself; only without one, of what speaks of many entries at once.
fn first_bad(report: &Report) -> Option<&Finding> {
    let failures = || report.findings.iter().filter(|one| one.kind.is_failure());
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
    )
}

fn print_report(report: &Report, args: &VerifyArgs) {
    let verdict = if report.ok() {
        "VERIFIED"
    } else {
        "NOT VERIFIED"
    };
    let anchor = if report.anchored {
        "against the key you pinned"
    } else {
        "UNANCHORED: against keys found beside the log, which a forger could have replaced"
    };
    sayln!("{verdict} {anchor}");
    if let Some(finding) = first_bad(report) {
        sayln!("first bad  {finding}");
    }
    for origin in &report.origins {
        sayln!("log        {origin}");
    }
    sayln!("entries    {} read", report.entries);
    sayln!("sealed     {}", sealed_words(report, args));
    sayln!(
        "cosigned   {}",
        match report.cosigned_entries {
            0 => "none: no cosignature of a collector covers any of them".to_owned(),
            some => format!("{some} (stored outside, by the collector's word)"),
        }
    );
    if let Some((first, last)) = report.unsealed.filter(|_| report.sealed_entries > 0) {
        let which = match first == last {
            true => format!("entry {first}"),
            false => format!("entries {first} to {last}"),
        };
        let why = match report.ok() {
            true => "not signed yet, protected by CRCs alone",
            false => "under no signed checkpoint that holds",
        };
        sayln!("unsealed   {which}: {why}");
    }
    if let Some(class) = &report.truth_class {
        sayln!("truth      {class}");
    }
    if let Some(custody) = &report.custody {
        sayln!("keys       {custody}");
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

/// What is sealed, or why nothing is.
fn sealed_words(report: &Report, args: &VerifyArgs) -> String {
    if report.sealed_entries > 0 {
        return format!(
            "{} (under a signed checkpoint that holds)",
            report.sealed_entries
        );
    }
    if args.anchor.is_empty() {
        return "none: no signed checkpoint covers any of them".to_owned();
    }
    let names: Vec<&str> = args.anchor.iter().map(VerifierKey::name).collect();
    format!(
        "none: no checkpoint holds under the key you pinned, which is of {}",
        names.join(", ")
    )
}

/// One line for each kind of finding: how many, where, and the first in words.
fn print_counts(findings: &[Finding]) {
    let mut kinds: Vec<FindingKind> = Vec::new();
    for finding in findings {
        if !kinds.contains(&finding.kind) {
            kinds.push(finding.kind);
        }
    }
    // What fails comes first.
    kinds.sort_by_key(|kind| !kind.is_failure());
    let mut table = Table::new(&[
        ("finding", Align::Left),
        ("count", Align::Right),
        ("entries", Align::Left),
        ("the first of them", Align::Left),
    ]);
    for kind in kinds {
        let of_kind = || findings.iter().filter(|finding| finding.kind == kind);
        let spans = || of_kind().filter_map(|finding| finding.entries);
        let first = spans().map(|(first, _)| first).min();
        let last = spans().map(|(_, last)| last).max();
        let entries = match (first, last) {
            (Some(first), Some(last)) if first == last => first.to_string(),
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => "-".to_owned(),
        };
        let earliest = of_kind().min_by_key(|finding| finding.entries);
        table.row([
            kind.name().to_owned(),
            of_kind().count().to_string(),
            entries,
            earliest.map_or_else(String::new, ToString::to_string),
        ]);
    }
    say!("{table}");
    let total = u64::try_from(findings.len()).unwrap_or(u64::MAX);
    let shown = words::count(total, "finding", "findings");
    sayln!("{shown} in all; --all lists every one");
}
