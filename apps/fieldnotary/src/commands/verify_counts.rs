//! What a verdict says of how far a log is sealed and kept, and its findings by kind.

use super::table::{Align, Table};
use super::words;
use crate::cli::VerifyArgs;
use evidence::UtcNs;
use evidence::foreign::line;
use proof::note::VerifierKey;
use query::{Alarmed, Finding, FindingKind, Report};
use serde_json::{Value, json};

/// Whether what is bad kept every entry from being read.
pub(super) fn nothing_read(report: &Report) -> bool {
    report.entries == 0 && !report.ok()
}

/// What the keep-rings hold; `None` while nothing has left the segments.
pub(super) fn kept_words(report: &Report) -> Option<String> {
    let passed = report.kept.iter().filter(|kept| kept.first.is_some());
    let kept: Vec<String> = passed.map(ToString::to_string).collect();
    (!kept.is_empty()).then(|| format!("{}, beyond the segments", kept.join("; ")))
}

/// Alarms that a collector has on record, and the newest.
pub(super) fn alarms(report: &Report) -> Option<String> {
    let told = report.alarmed.as_ref()?;
    Some(format!(
        "{} on record in {}, those that stand are findings; the newest {}, of {}: {}",
        told.count,
        told.file,
        words::time(at(told)),
        line(&told.origin),
        line(&told.reason)
    ))
}

/// The same for programs.
pub(super) fn alarms_json(report: &Report) -> Value {
    report.alarmed.as_ref().map_or(Value::Null, |told| {
        json!({
            "count": told.count,
            "newest_utc": query::rfc3339(at(told)),
            "origin": told.origin,
            "reason": told.reason,
            "file": told.file,
        })
    })
}

fn at(told: &Alarmed) -> UtcNs {
    let at_ns = told.newest_ms.saturating_mul(1_000_000);
    UtcNs(i64::try_from(at_ns).unwrap_or(i64::MAX))
}

/// What is sealed, or why nothing is.
pub(super) fn sealed_words(report: &Report, args: &VerifyArgs) -> String {
    if report.sealed_entries > 0 {
        return format!(
            "{} (under a signed checkpoint that holds)",
            report.sealed_entries
        );
    }
    if nothing_read(report) {
        return "not checked: no entry could be read".to_owned();
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
pub(super) fn print_counts(findings: &[Finding]) {
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
            (Some(first), Some(last)) => words::stretch(first, last),
            _ => "-".to_owned(),
        };
        let earliest = of_kind().min_by_key(|finding| finding.entries);
        table.row([
            kind.name().to_owned(),
            of_kind().count().to_string(),
            entries,
            // How it is cured stands above, behind the first that is bad.
            earliest.map_or_else(String::new, |one| {
                one.to_string()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            }),
        ]);
    }
    say!("{table}");
    let total = u64::try_from(findings.len()).unwrap_or(u64::MAX);
    let shown = words::count(total, "finding", "findings");
    sayln!("{shown} in all; --all lists every one");
}
