//! Entries as lines of text or JSON: the first ones, the last ones, or all.

use super::losses::Missing;
use crate::commands::ink::{Ink, ink, padded};
use crate::commands::log_words::{Known, what};
use crate::commands::words;
use evidence::foreign::line;
use evidence::reasons::{OutputOutcome, TimeQuality, TimeStatus, Validity};
use evidence::{Entry, Generation, Kind, Payload, Quality, UtcNs};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::io::Write;

/// Columns of time, entry and kind.
const COLUMNS: [usize; 3] = [24, 8, 16];

/// Prints, or keeps until the last ones are known.
pub(super) struct Printer {
    json: bool,
    limit: Option<u64>,
    last: Option<usize>,
    kept: VecDeque<Line>,
    headed: bool,
    trusted: Option<(TimeQuality, TimeStatus)>,
    reader_left: bool,
    out: std::io::BufWriter<std::io::Stdout>,
    /// Entries printed so far.
    pub(super) printed: u64,
    /// What is missing between those that were printed.
    pub(super) missing: Vec<Missing>,
}

/// One entry, or what is missing in the place of some, ready to be printed.
enum Line {
    Missing(Missing),
    Json(String),
    Words {
        at: UtcNs,
        id: String,
        kind: Kind,
        ink: Option<Ink>,
        trusted: (TimeQuality, TimeStatus),
        said: String,
    },
}

impl Printer {
    pub(super) fn new(json: bool, limit: Option<u64>, last: Option<usize>) -> Self {
        Self {
            json,
            limit,
            last,
            kept: VecDeque::new(),
            headed: false,
            trusted: None,
            reader_left: false,
            out: std::io::BufWriter::new(std::io::stdout()),
            printed: 0,
            missing: Vec::new(),
        }
    }

    /// Whether nothing more will be printed.
    pub(super) fn is_done(&self) -> bool {
        self.reader_left || self.limit.is_some_and(|limit| self.printed >= limit)
    }

    /// Prints an entry, or keeps it.
    pub(super) fn entry(
        &mut self,
        entry: &Entry,
        payload: Option<&Payload>,
        known: &Known,
        whole: bool,
    ) {
        let line = if self.json {
            Line::Json(Value::Object(json_row(entry, payload, known, whole)).to_string())
        } else {
            Line::Words {
                at: entry.stamp.timestamp,
                id: id(entry),
                kind: entry.header.kind,
                ink: colour(payload),
                trusted: (entry.stamp.quality, entry.stamp.status),
                said: line(&what(payload, known, whole)),
            }
        };
        self.line(line);
    }

    /// Prints in its place that entries are missing, or keeps it.
    pub(super) fn missing(&mut self, missing: Missing) {
        self.line(Line::Missing(missing));
    }

    fn line(&mut self, line: Line) {
        let Some(last) = self.last else {
            return self.print(line);
        };
        self.kept.push_back(line);
        let is_entry = |line: &&Line| !matches!(line, Line::Missing(_));
        // So many entries are wanted; what is missing before the first of them was not asked for.
        while self.kept.iter().filter(is_entry).count() > last {
            self.kept.pop_front();
            while matches!(self.kept.front(), Some(Line::Missing(_))) {
                self.kept.pop_front();
            }
        }
    }

    /// Prints what was kept; from now on nothing is.
    pub(super) fn finish(&mut self) {
        self.last = None;
        for line in std::mem::take(&mut self.kept) {
            self.print(line);
        }
        self.reader_left |= self.out.flush().is_err();
    }

    fn print(&mut self, line: Line) {
        if self.is_done() {
            return;
        }
        if !self.headed && !self.json {
            self.put(&columns("time", "entry", "kind", "what"));
        }
        self.headed = true;
        self.printed += u64::from(!matches!(line, Line::Missing(_)));
        let text = match line {
            Line::Json(text) => text,
            Line::Missing(missing) => {
                let text = match self.json {
                    true => missing.json().to_string(),
                    false => {
                        let said = ink(Ink::Bad, &missing.words());
                        columns("-", &missing.id(), "MISSING", &said)
                    }
                };
                self.missing.push(missing);
                text
            }
            Line::Words {
                at,
                id,
                kind,
                ink: colour,
                trusted,
                said,
            } => {
                // How far times can be trusted is said where it changes, not on every line.
                let news = self.trusted.replace(trusted) != Some(trusted);
                let said = match colour {
                    Some(colour) => ink(colour, &said),
                    None => said,
                };
                let (quality, status) = (trusted.0.name(), trusted.1.name());
                let trust = match news {
                    true => format!("  [times from here on: {quality}, {status}]"),
                    false => String::new(),
                };
                let said = format!("{said}{trust}");
                columns(&words::time(at), &id, kind.name(), &said)
            }
        };
        self.put(&text);
    }

    fn put(&mut self, line: &str) {
        // A reader that went away (`| head`) ends the printing, and is no error of ours.
        self.reader_left |= writeln!(self.out, "{line}").is_err();
    }
}

fn columns(time: &str, id: &str, kind: &str, what: &str) -> String {
    let [time_columns, id_columns, kind_columns] = COLUMNS;
    let (time, kind) = (padded(time, time_columns), padded(kind, kind_columns));
    format!("{time}  {id:>id_columns$}  {kind}  {what}")
        .trim_end()
        .to_owned()
}

/// What somebody who reads along should look at.
fn colour(payload: Option<&Payload>) -> Option<Ink> {
    match payload {
        None | Some(Payload::Loss(_)) => Some(Ink::Bad),
        Some(Payload::Reading(reading)) => odd(reading.quality),
        Some(Payload::Opaque(opaque)) => odd(opaque.quality),
        Some(Payload::Soe(soe)) => odd(soe.quality),
        Some(Payload::PulseCount(pulse)) => odd(pulse.quality),
        Some(Payload::Analog(analog)) => odd(analog.quality),
        Some(Payload::ModemReport(report)) if report.restarted => Some(Ink::Odd),
        Some(Payload::ModemReport(report)) => odd(report.quality),
        Some(Payload::Excursion(excursion)) if excursion.band.is_some() => Some(Ink::Odd),
        Some(Payload::Excursion(excursion)) => odd(excursion.quality),
        Some(Payload::Output(output)) => match output.outcome {
            OutputOutcome::Mismatch | OutputOutcome::Failed | OutputOutcome::Unknown => {
                Some(Ink::Bad)
            }
            OutputOutcome::Refused => Some(Ink::Odd),
            _ => None,
        },
        Some(Payload::AttemptFailed(_) | Payload::Downtime(_) | Payload::SeqSkip(_)) => {
            Some(Ink::Odd)
        }
        Some(_) => None,
    }
}

fn odd(quality: Quality) -> Option<Ink> {
    (quality.validity != Validity::Good).then_some(Ink::Odd)
}

/// The commit id, with its generation where there is more than the first.
fn id(entry: &Entry) -> String {
    named(entry.header.generation, entry.header.commit_id.0)
}

/// The same of an entry that may not be here.
pub(super) fn named(generation: Generation, commit_id: u64) -> String {
    match generation.0 {
        1 => commit_id.to_string(),
        number => format!("{number}:{commit_id}"),
    }
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
        Some(Payload::Analog(analog)) => {
            if let Some(digest) = known.calibration_of(analog) {
                row.insert("calibration_digest".to_owned(), json!(digest.to_string()));
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
