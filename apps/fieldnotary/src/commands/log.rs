//! `fieldnotary log`: the entries as lines.

use super::directory::Directory;
use super::log_words::{Known, what};
use super::{Ended, words};
use crate::cli::LogArgs;
use evidence::{Entry, Payload};
use serde_json::{Map, Value, json};
use std::io::Write;

/// Meters that are named when another one was asked for.
const METERS_NAMED_MAX: usize = 20;

/// Prints entries.
pub(crate) fn log(args: &LogArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut known = Known::default();
    let mut printed = 0u64;
    let mut trusted = None;
    let mut reader_left = false;
    // From the first entry on: units and meters stand in configurations before `--from`.
    directory.each_entry(0, |entry| {
        if reader_left {
            return;
        }
        let payload = entry.payload().ok();
        let whole = payload
            .as_ref()
            .is_some_and(|payload| known.observe(payload));
        if entry.header.commit_id.0 < args.from || !wanted(entry, payload.as_ref(), args) {
            return;
        }
        if printed == 0 && !args.json {
            reader_left |= writeln!(out, "{}", line("time", "entry", "kind", "what")).is_err();
        }
        printed += 1;
        // How far times can be trusted is said where it changes, not on every line.
        let quality = (entry.stamp.quality, entry.stamp.status);
        let news = trusted.replace(quality) != Some(quality);
        let shown = if args.json {
            Value::Object(json_row(entry, payload.as_ref(), &known, whole)).to_string()
        } else {
            let mut said = what(payload.as_ref(), &known, whole);
            if news {
                let (quality, status) = (quality.0.name(), quality.1.name());
                said += &format!("  [times from here on: {quality}, {status}]");
            }
            let time = words::time(entry.stamp.timestamp);
            line(&time, &id(entry), entry.header.kind.name(), &said)
        };
        // A reader that went away (`| head`) ends the printing, and is no error of ours.
        reader_left |= writeln!(out, "{shown}").is_err();
    })?;
    let _ = out.flush();
    drop(out);
    if let Some(meter) = &args.meter
        && !known.meters().any(|one| one == meter)
    {
        complain!("{}", unknown_meter(meter, &known));
        return Ok(Ended::Badly);
    }
    if printed == 0 && !args.json {
        sayln!("no entry is of that kind, about that meter and from that commit id on");
    }
    Ok(Ended::Well)
}

fn unknown_meter(meter: &str, known: &Known) -> String {
    let meters: Vec<&str> = known.meters().collect();
    let mut named = meters
        .get(..meters.len().min(METERS_NAMED_MAX))
        .unwrap_or_default()
        .join(", ");
    if meters.len() > METERS_NAMED_MAX {
        named += &format!(", ... ({} in all)", meters.len());
    }
    if meters.is_empty() {
        named = "none".to_owned();
    }
    format!("fieldnotary: the log knows no meter {meter:?}; its meters are: {named}")
}

fn line(time: &str, id: &str, kind: &str, what: &str) -> String {
    format!("{time:<24}  {id:>8}  {kind:<16}  {what}")
        .trim_end()
        .to_owned()
}

/// The commit id, with its generation where there is more than the first.
fn id(entry: &Entry) -> String {
    match entry.header.generation.0 {
        1 => entry.header.commit_id.to_string(),
        _ => entry.header.id().to_string(),
    }
}

fn wanted(entry: &Entry, payload: Option<&Payload>, args: &LogArgs) -> bool {
    let of_kind = args.kind.is_empty() || args.kind.contains(&entry.header.kind);
    let about = |meter: &String| {
        let row = payload.map(|_| query::row(entry));
        row.is_some_and(|row| row.get("meter_id") == Some(&json!(meter)))
    };
    of_kind && args.meter.as_ref().is_none_or(about)
}

/// The row as every reader gives it, with what only the configurations before it tell.
fn json_row(
    entry: &Entry,
    payload: Option<&Payload>,
    known: &Known,
    whole: bool,
) -> Map<String, Value> {
    let mut row = query::row(entry);
    match payload {
        Some(Payload::Reading(reading)) => {
            if let Some(unit) = known.unit(reading) {
                row.insert("unit".to_owned(), json!(unit));
            }
        }
        Some(Payload::Configuration(_)) if whole => {
            if let Some(content) = known.content() {
                row.insert("content".to_owned(), content);
            }
        }
        _ => {}
    }
    row
}
