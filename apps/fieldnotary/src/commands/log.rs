//! `fieldnotary log`: the entries as lines.

use super::Ended;
use super::directory::Directory;
use super::table::{Align, Table};
use crate::cli::LogArgs;
use evidence::{Entry, Kind};
use serde_json::{Map, Value};
use std::io::Write;

/// Prints entries.
pub(crate) fn log(args: &LogArgs) -> Result<Ended, String> {
    let kinds = args
        .kind
        .iter()
        .map(|name| {
            Kind::from_name(name).ok_or_else(|| {
                let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
                format!(
                    "{name:?} is not a kind of entry; the kinds are {}",
                    known.join(", ")
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let directory = Directory::open(&args.dir)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed = false;
    let mut table = Table::new(&[
        ("commit", Align::Right),
        ("timestamp", Align::Left),
        ("kind", Align::Left),
        ("what", Align::Left),
    ]);
    directory.each_entry(args.from, |entry| {
        if failed || !wanted(entry, &kinds) {
            return;
        }
        let row = query::row(entry);
        if args
            .meter
            .as_deref()
            .is_some_and(|meter| row.get("meter_id") != Some(&meter.into()))
        {
            return;
        }
        if args.json {
            // A reader that went away (`| head`) ends the printing, not the program.
            failed = writeln!(out, "{}", Value::Object(row)).is_err();
        } else {
            table.row([
                entry.header.commit_id.to_string(),
                query::rfc3339(entry.stamp.timestamp),
                entry.header.kind.name().to_owned(),
                summary(&row),
            ]);
        }
    })?;
    if !args.json {
        let _ = write!(out, "{table}");
    }
    Ok(Ended::Well)
}

fn wanted(entry: &Entry, kinds: &[Kind]) -> bool {
    kinds.is_empty() || kinds.contains(&entry.header.kind)
}

/// The rest of a row in one line; what the other columns show is left out.
fn summary(row: &Map<String, Value>) -> String {
    const SHOWN: &[&str] = &[
        "commit_id",
        "kind",
        "event_id",
        "timestamp",
        "record_crc",
        "record_crc_ok",
        "epoch",
        "raw",
        "counters",
        "contract",
    ];
    let mut text = String::new();
    for (name, value) in row
        .iter()
        .filter(|(name, _)| !SHOWN.contains(&name.as_str()))
    {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(name);
        text.push('=');
        match value {
            Value::String(word) => text.push_str(word),
            other => text.push_str(&other.to_string()),
        }
    }
    text
}
