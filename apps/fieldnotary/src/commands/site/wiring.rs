//! `fieldnotary wiring`: places of meters, and whether trouble follows the meter or the place (A3.8).

use super::words::{on, probe_words};
use crate::cli::WiringArgs;
use crate::commands::Ended;
use crate::commands::directory::Directory;
use crate::commands::progress::Progress;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use evidence::foreign::line;
use evidence::{Entry, MeterId, SourceId, UtcNs};
use query::{Counts, MeterSite, SiteAccount, SiteReport, Stay, Work};
use serde_json::{Value, json};
use std::path::Path;

/// Shows places, work and measurements.
pub(crate) fn wiring(args: &WiringArgs) -> Result<Ended, String> {
    let mut report = account(&args.dir, |_| ())?;
    let (meter, port) = (args.meter.as_ref(), args.port.as_ref());
    let on = |stay: &Stay| port.is_none_or(|port| stay.port == *port);
    report
        .meters
        .retain(|one| meter.is_none_or(|meter| one.meter == *meter) && one.stays.iter().any(on));
    if report.meters.is_empty() && (meter.is_some() || port.is_some()) {
        let what = meter.map(MeterId::as_str).or(port.map(SourceId::as_str));
        complain!(
            "fieldnotary: the log never had {:?}; without it `fieldnotary wiring {}` shows all there are",
            what.unwrap_or_default(),
            args.dir.display()
        );
        return Ok(Ended::Badly);
    }
    let shown: Vec<MeterId> = report.meters.iter().map(|one| one.meter.clone()).collect();
    let ports: Vec<SourceId> = report
        .meters
        .iter()
        .flat_map(|one| one.stays.iter().map(|stay| stay.port.clone()))
        .collect();
    let concerns = |source: Option<&SourceId>, meter: Option<&MeterId>| match (source, meter) {
        (_, Some(meter)) => shown.contains(meter),
        (Some(source), None) => ports.contains(source),
        (None, None) => true,
    };
    report
        .work
        .retain(|work| concerns(work.source.as_ref(), work.meter.as_ref()));
    report
        .measured
        .retain(|one| concerns(one.probe.source.as_ref(), one.probe.meter_id.as_ref()));
    if args.json {
        sayln!("{}", as_json(&report));
    } else {
        print(&report);
    }
    Ok(Ended::Well)
}

/// The account of a directory's log; every entry is shown as it passes by.
pub(super) fn account(dir: &Path, mut show: impl FnMut(&Entry)) -> Result<SiteReport, String> {
    let directory = Directory::open(dir)?;
    let mut account = SiteAccount::new();
    let progress = Progress::of("reading entry");
    directory.each_entry(0, true, |entry| {
        progress.step();
        account.observe(entry);
        show(entry);
    })?;
    drop(progress);
    Ok(account.report())
}

fn print(report: &SiteReport) {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("meter", Left),
        ("port", Left),
        ("address", Left),
        ("from", Left),
        ("to", Left),
        ("sessions", Right),
        ("incomplete", Right),
        ("others there", Right),
        ("mostly", Left),
    ]);
    for meter in &report.meters {
        for stay in &meter.stays {
            let mostly = stay.own.mostly();
            table.row([
                meter.meter.to_string(),
                stay.port.to_string(),
                stay.address.clone(),
                words::time(stay.from),
                stay.to.map_or_else(|| "now".to_owned(), words::time),
                stay.own.sessions.to_string(),
                percent(&stay.own),
                percent(&stay.others),
                mostly.map_or_else(String::new, |(cause, count)| {
                    format!("{} ({count})", cause.name())
                }),
            ]);
        }
    }
    say!("{table}");
    section("moved", report.meters.iter().flat_map(moves));
    section("people at work", report.work.iter().map(work_words));
    section(
        "measured",
        report
            .measured
            .iter()
            .map(|one| format!("{}  {}", words::time(one.at), probe_words(&one.probe))),
    );
}

fn moves(meter: &MeterSite) -> impl Iterator<Item = String> {
    meter.stays.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let follows = after.follows?;
        Some(format!(
            "{} {} from {} address {} to {} address {} (entry {}:{}): {follows}",
            words::time(after.from),
            meter.meter,
            before.port,
            before.address,
            after.port,
            after.address,
            after.said_by.0,
            after.said_by.1
        ))
    })
}

fn section(title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        sayln!("\n{title}:");
        lines.for_each(|words| sayln!("  {}", line(&words)));
    }
}

fn work_words(work: &Work) -> String {
    let from = work.from.map_or_else(|| "?".to_owned(), words::time);
    let to = work.to.map_or_else(|| "goes on".to_owned(), words::time);
    let until = match (work.to, work.until) {
        (None, Some(until)) => format!(", meant to end {}", words::time(until)),
        _ => String::new(),
    };
    let on = on(work.source.as_ref(), work.meter.as_ref());
    let reasons = work.reasons.join("; ");
    format!("{from} to {to}{until}  {on}, {}: {reasons}", work.actor)
}

/// "2 of 900 sessions incomplete".
pub(super) fn share(counts: &Counts) -> String {
    let sessions = words::count(counts.sessions, "session", "sessions");
    format!("{} of {sessions} incomplete", counts.incomplete)
}

fn percent(counts: &Counts) -> String {
    match counts.incomplete_ppm() {
        None => "-".to_owned(),
        Some(ppm) => format!("{}.{:02} %", ppm / 10_000, ppm % 10_000 / 100),
    }
}

fn as_json(report: &SiteReport) -> Value {
    let time = |at: Option<UtcNs>| at.map(query::rfc3339);
    let counts = |counts: &Counts| {
        let failed = counts.failed.iter();
        let failed = failed.map(|(cause, count)| (cause.name().to_owned(), json!(count)));
        json!({
            "sessions": counts.sessions,
            "incomplete": counts.incomplete,
            "failed": failed.collect::<serde_json::Map<_, _>>(),
        })
    };
    let stay = |stay: &Stay| {
        json!({
            "source": stay.port.as_str(),
            "address": stay.address,
            "from": query::rfc3339(stay.from),
            "to": time(stay.to),
            "entry": format!("{}:{}", stay.said_by.0, stay.said_by.1),
            "own": counts(&stay.own),
            "others": counts(&stay.others),
            "follows": stay.follows.map(query::Follows::name),
        })
    };
    let meters = report.meters.iter().map(|meter| {
        let baseline = meter.baseline.as_ref().map(|baseline| {
            json!({
                "at": query::rfc3339(baseline.at),
                "then": counts(&baseline.then),
                "since": counts(&baseline.since),
            })
        });
        json!({
            "meter_id": meter.meter.as_str(),
            "places": meter.stays.iter().map(stay).collect::<Vec<_>>(),
            "baseline": baseline,
        })
    });
    let work = report.work.iter().map(|work| {
        json!({
            "from": time(work.from),
            "to": time(work.to),
            "until": time(work.until),
            "source": work.source.as_ref().map(SourceId::as_str),
            "meter_id": work.meter.as_ref().map(MeterId::as_str),
            "actor": work.actor.as_str(),
            "reasons": work.reasons,
        })
    });
    let measured = report.measured.iter().map(|one| {
        let probe = &one.probe;
        json!({
            "at": query::rfc3339(one.at),
            "entry": format!("{}:{}", one.entry.0, one.entry.1),
            "measured": time(probe.measured),
            "probe": probe.probe,
            "source": probe.source.as_ref().map(SourceId::as_str),
            "meter_id": probe.meter_id.as_ref().map(MeterId::as_str),
            "value": probe.value.map(|value| value.to_string()),
            "unit": probe.unit,
            "file": probe.file.map(|file| file.to_string()),
            "file_name": probe.file_name,
            "actor": probe.actor.as_str(),
            "note": probe.note,
        })
    });
    json!({
        "meters": meters.collect::<Vec<_>>(),
        "work": work.collect::<Vec<_>>(),
        "measured": measured.collect::<Vec<_>>(),
    })
}
