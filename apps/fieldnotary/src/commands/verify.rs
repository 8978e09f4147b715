//! `fieldnotary verify`: every committed byte of a directory, for someone who trusts nobody.

use super::Ended;
use super::directory::{Directory, generations, keys_beside, open_reader, truth_class};
use crate::cli::VerifyArgs;
use proof::note::VerifierKey;
use query::{Anchors, FindingKind, Report, verify_collector, verify_node};
use serde_json::json;

/// Verifies a directory; ends well only if everything holds.
pub(crate) fn verify(args: &VerifyArgs) -> Result<Ended, String> {
    let pinned = args
        .anchor
        .iter()
        .map(|text| {
            text.parse::<VerifierKey>()
                .map_err(|error| format!("--anchor {text:?} is not a verifier key: {error}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut report = Report::default();
    match Directory::open(&args.dir)? {
        Directory::Node(data) => {
            let beside = keys_beside(&data)?;
            let base = beside
                .first()
                .map(|key| key.name().to_owned())
                .unwrap_or_default();
            let anchors = choose(pinned, beside);
            for generation in generations(&data)? {
                let reader = match open_reader(&data, generation) {
                    Ok(reader) => reader,
                    Err(words) => {
                        report.find(FindingKind::Unreadable, None, words);
                        continue;
                    }
                };
                report.truth_class = Some(truth_class(&data).name().to_owned());
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
            verify_collector(&collector, &choose(pinned, beside), &mut report);
        }
    }
    if args.json {
        sayln!("{}", as_json(&report));
    } else {
        print_report(&report);
    }
    Ok(if report.ok() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

fn choose(pinned: Vec<VerifierKey>, beside: Vec<VerifierKey>) -> Anchors {
    if pinned.is_empty() {
        Anchors::found_beside(beside)
    } else {
        Anchors::pinned(pinned)
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
        "findings": findings,
    })
}

fn print_report(report: &Report) {
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
    for origin in &report.origins {
        sayln!("log        {origin}");
    }
    sayln!("entries    {}", report.entries);
    sayln!(
        "sealed     {} (under a signed checkpoint that holds)",
        report.sealed_entries
    );
    sayln!(
        "cosigned   {} (stored outside, by the collector's word)",
        report.cosigned_entries
    );
    if let Some((first, last)) = report.unsealed {
        sayln!("unsealed   entries {first} to {last}: not signed yet, protected by CRCs alone");
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
    if !report.findings.is_empty() {
        say!(
            "
"
        );
    }
    for finding in &report.findings {
        sayln!("{:<12} {finding}", finding.kind.name());
    }
}
