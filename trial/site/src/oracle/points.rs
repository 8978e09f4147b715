//! Compares what the street played of a station's own points with what the log says of them.

mod contact;
mod inputs;

use super::Findings;
use inputs::Truth;
use serde_json::Value;
use std::collections::BTreeMap;

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
    /// Changes of inputs that were told, and those that a frozen input kept back.
    pub changes: u64,
    /// Times that an input was frozen for chatter.
    pub frozen: u64,
    /// Edges that the log says were lost.
    pub lost: u64,
    /// What does not add up.
    pub findings: Findings,
}

/// Compares the street's log with the rows of a log, for every point that both know by one name.
///
/// # Errors
/// When the street's side cannot be read.
pub fn compare_points(street_log: &str, rows: &[Value]) -> Result<Played, String> {
    let mut inputs: BTreeMap<String, Truth> = BTreeMap::new();
    for (place, line) in (1..).zip(street_log.lines()) {
        let line: Value = serde_json::from_str(line)
            .map_err(|error| format!("the street's log, line {place}: {error}"))?;
        let Some(point) = text(&line, "point") else {
            continue;
        };
        let truth = inputs.entry(point.to_owned()).or_default();
        truth
            .take(&line)
            .map_err(|what| format!("the street's log, line {place}: {what}"))?;
    }
    let mut played = Played::default();
    for (point, truth) in &inputs {
        inputs::compare(point, truth, rows, &mut played);
    }
    Ok(played)
}

fn number(row: &Value, key: &str) -> Option<u64> {
    row.get(key).and_then(Value::as_u64)
}

fn text<'a>(row: &'a Value, key: &str) -> Option<&'a str> {
    row.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
