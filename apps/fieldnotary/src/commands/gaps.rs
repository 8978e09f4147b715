//! `fieldnotary gaps`: every due reading that is missing, and the entry that explains it.

use super::Ended;
use super::directory::Directory;
use super::table::{Align, Table};
use crate::cli::DirArgs;
use query::{GapAccount, GapReport};
use serde_json::json;

/// Accounts for gaps. Ends badly when something is missing that nothing explains.
pub(crate) fn gaps(args: &DirArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    let mut account = GapAccount::new();
    directory.each_entry(0, |entry| account.observe(entry))?;
    let report = account.report();
    if args.json {
        sayln!("{}", as_json(&report));
    } else {
        print_report(&report);
    }
    let explained = report.missing_explained() == report.missing.len()
        && report.seq_findings.is_empty()
        && report.duplicates == 0;
    Ok(if explained { Ended::Well } else { Ended::Badly })
}

fn as_json(report: &GapReport) -> serde_json::Value {
    let missing: Vec<_> = report
        .missing
        .iter()
        .map(|missing| {
            json!({
                "meter_id": missing.meter_id.as_str(),
                "point_id": missing.point_id.as_str(),
                "slot": missing.slot.to_string(),
                "seq": missing.seq,
                "class": missing.class.name(),
                "anchor": missing.class.anchor().map(evidence::reasons::Anchor::name),
                "cause": missing.cause,
                "event_id": missing.entry.map(|entry| entry.to_string()),
            })
        })
        .collect();
    let seq_findings: Vec<_> = report
        .seq_findings
        .iter()
        .map(|finding| {
            json!({
                "meter_id": finding.meter_id.as_str(),
                "first": finding.first,
                "count": finding.count,
                "class": finding.class.name(),
            })
        })
        .collect();
    json!({
        "begins": report.begins.map(|entry| entry.to_string()),
        "due": report.due,
        "attempted": report.attempted,
        "captured": report.captured,
        "duplicates": report.duplicates,
        "missing_explained": report.missing_explained(),
        "missing": missing,
        "seq_findings": seq_findings,
    })
}

fn print_report(report: &GapReport) {
    if let Some(begins) = report.begins.filter(|begins| begins.commit_id.0 > 0) {
        sayln!("older entries were retired: the account begins at entry {begins}");
    }
    sayln!(
        "{} slots due, {} sessions attempted, {} readings captured, {} duplicates",
        report.due,
        report.attempted,
        report.captured,
        report.duplicates
    );
    sayln!(
        "{} readings missing, {} explained",
        report.missing.len(),
        report.missing_explained()
    );
    if !report.missing.is_empty() {
        say!(
            "
"
        );
        let mut table = Table::new(&[
            ("meter", Align::Left),
            ("point", Align::Left),
            ("slot", Align::Right),
            ("seq", Align::Right),
            ("class", Align::Left),
            ("cause", Align::Left),
            ("explained by", Align::Left),
        ]);
        for missing in &report.missing {
            table.row([
                missing.meter_id.to_string(),
                missing.point_id.to_string(),
                missing.slot.to_string(),
                missing.seq.map_or("-".to_owned(), |seq| seq.to_string()),
                missing.class.name().to_owned(),
                missing.cause.to_owned(),
                missing
                    .entry
                    .map_or("-".to_owned(), |entry| format!("entry {entry}")),
            ]);
        }
        say!("{table}");
    }
    for finding in &report.seq_findings {
        sayln!(
            "{}: {} sessions from {} on are {}",
            finding.meter_id,
            finding.count,
            finding.first,
            finding.class
        );
    }
}
