//! Compares what the street played of a station's own points with what the log says of them.

mod contact;
mod inputs;
mod modems;
mod remote;
mod runs;
mod supplies;

use super::Findings;
use modems::Said;
use remote::Read;
use runs::{Run, runs};
use serde_json::Value;
use std::collections::BTreeMap;
use supplies::Stands;

/// What was compared.
#[derive(Debug, Default)]
pub struct Played {
    /// Snapshots of counts, each held against the pulses before its instant.
    pub counts: u64,
    /// Pulses that were counted between the first snapshot and the last of each run.
    pub pulses: u64,
    /// Pulses that were meant in that time.
    pub meant: u64,
    /// Glitches in the histograms of the last counters.
    pub glitches: u64,
    /// Histograms that were held against what was played.
    pub histograms: u64,
    /// Histograms that were not: a card without counters, or one that was opened more than once.
    pub unjudged: u64,
    /// Changes of inputs that were told, and those that a frozen input kept back.
    pub changes: u64,
    /// Times that an input was frozen for chatter.
    pub frozen: u64,
    /// Edges that the log says were lost.
    pub lost: u64,
    /// Values of analog inputs, each held against what the device answered.
    pub values: u64,
    /// Excursions of supplies, and what else is said of them.
    pub excursions: u64,
    /// Reports of PLC modems.
    pub reports: u64,
    /// What does not add up.
    pub findings: Findings,
}

/// What was played of one point.
#[derive(Debug, Default)]
struct Truth {
    input: inputs::Truth,
    reads: Vec<Read>,
    /// The device of which it is a register.
    device: Option<String>,
    /// When it did not answer, where it is a device.
    silent: Vec<u64>,
    /// What the answers of a device showed of a bit, at each change.
    shown: Vec<(u64, bool)>,
    stood: Vec<Stands>,
    said: Vec<Said>,
}

impl Truth {
    /// A line of the street's log.
    fn take(&mut self, line: &Value) -> Result<(), String> {
        let missing = |key: &str| format!("there is no {key}");
        let at_ns = number(line, "mono_ns").ok_or_else(|| missing("mono_ns"))?;
        let fault = text(line, "fault").map(str::to_owned);
        let raw = line.get("raw").and_then(Value::as_i64);
        match text(line, "event").unwrap_or_default() {
            "read" => {
                self.device = text(line, "device").map(str::to_owned);
                self.reads.push(Read { at_ns, raw, fault });
            }
            "modem" => self.said.push(Said {
                at_ns,
                retransmissions: number(line, "count"),
                quality: raw,
                fault,
            }),
            "silent" => self.silent.push(at_ns),
            "supply" => self.stood.push(Stands {
                at_ns,
                mv: raw,
                fault,
            }),
            "shown" => {
                let rising = line.get("rising").and_then(Value::as_bool);
                self.shown
                    .push((at_ns, rising.ok_or_else(|| missing("rising"))?));
            }
            _ => self.input.take(at_ns, line)?,
        }
        Ok(())
    }
}

/// Compares the street's log with the rows of a log, for every point that both know by one name.
///
/// # Errors
/// When the street's side cannot be read.
pub fn compare_points(street_log: &str, rows: &[Value]) -> Result<Played, String> {
    let mut points: BTreeMap<String, Truth> = BTreeMap::new();
    for (place, line) in (1..).zip(street_log.lines()) {
        let line: Value = serde_json::from_str(line)
            .map_err(|error| format!("the street's log, line {place}: {error}"))?;
        let Some(point) = text(&line, "point") else {
            continue;
        };
        let truth = points.entry(point.to_owned()).or_default();
        truth
            .take(&line)
            .map_err(|what| format!("the street's log, line {place}: {what}"))?;
    }
    let mut played = Played::default();
    for (point, truth) in &points {
        let mine: Vec<&Value> = rows
            .iter()
            .filter(|row| text(row, "point_id") == Some(point))
            .collect();
        let is_device = !truth.silent.is_empty();
        let Some(card) = mine.iter().find_map(|row| text(row, "source")) else {
            if !is_device {
                let words = format!("{point}: it was played, and no entry is of it");
                played.findings.add(words);
            }
            continue;
        };
        let of_card = runs(rows, card);
        if of_card.is_empty() {
            let words = format!("{point}: no entry says that its card {card} was opened");
            played.findings.add(words);
        }
        let kind = |kind: &'static str| -> Vec<&Value> {
            let of_kind = mine.iter().filter(|row| text(row, "kind") == Some(kind));
            of_kind.copied().collect()
        };
        let device = truth.device.as_ref().and_then(|name| points.get(name));
        let silent = device.map_or(&[][..], |device| &device.silent);
        remote::registers(
            point,
            (&truth.reads, silent),
            &kind("analog"),
            &of_card,
            &mut played,
        );
        supplies::compare(
            point,
            &truth.stood,
            &kind("excursion"),
            &of_card,
            &mut played,
        );
        modems::compare(point, &truth.said, &kind("modem_report"), &mut played);
        match truth.shown.is_empty() {
            true => inputs::compare(point, &truth.input, rows, (card, &of_card), &mut played),
            false => remote::bits(point, &truth.shown, &kind("soe"), &of_card, &mut played),
        }
    }
    Ok(played)
}

fn number(row: &Value, key: &str) -> Option<u64> {
    row.get(key).and_then(Value::as_u64)
}

fn text<'a>(row: &'a Value, key: &str) -> Option<&'a str> {
    row.get(key).and_then(Value::as_str)
}

/// Where what is judged of an input ends: with its card, but for what may still wait for its window. What a frozen or lost
/// input keeps back is told later, so there it is its own last entry.
fn judged_until(rows: &[&Value], run: &Run) -> u64 {
    let mine = rows.iter().filter(|row| {
        number(row, "mono_ns").is_some_and(|at_ns| (run.from_ns..=run.end_ns).contains(&at_ns))
    });
    let Some(last) = mine.max_by_key(|row| number(row, "mono_ns")) else {
        return run.end_ns.saturating_sub(runs::AT_THE_ENDS_NS);
    };
    let last_ns = number(last, "mono_ns").unwrap_or_default();
    if ["chatter", "source_lost"].contains(&text(last, "reason").unwrap_or_default()) {
        return last_ns;
    }
    let window_ns = number(last, "debounce_window_us").unwrap_or_default() * 1_000;
    last_ns.max(run.end_ns.saturating_sub(window_ns + runs::AT_THE_ENDS_NS))
}

fn total<T>(list: impl Iterator<Item = T>) -> u64 {
    u64::try_from(list.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
