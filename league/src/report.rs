//! The league as a table for people and as JSON for machines.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cost::Cost;
use crate::engine::Row;
use crate::faults::{Fault, Tally};
use crate::verdict::Verdict;

/// What was found of one row.
pub(crate) struct Found {
    pub(crate) row: &'static Row,
    /// By batch size.
    pub(crate) costs: BTreeMap<u64, Cost>,
    pub(crate) faults: BTreeMap<Fault, Tally>,
}

/// Every verdict and the key that counts it.
const VERDICTS: [(Verdict, &str); 6] = [
    (Verdict::SilentLoss, "silent_loss"),
    (Verdict::WrongData, "wrong_data"),
    (Verdict::RefusedOpen, "refused_open"),
    (Verdict::RefusedReading, "refused_reading"),
    (Verdict::NamedLoss, "named_loss"),
    (Verdict::Sound, "sound"),
];

impl Found {
    fn tally(&self) -> Tally {
        let mut all = Tally::default();
        self.faults.values().for_each(|tally| all.extend(tally));
        all
    }

    /// The row as a flat object, with the faults apart behind it.
    pub(crate) fn json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: String, value: Value| object.insert(key, value);
        put("engine".into(), json!(self.row.name));
        put("mode".into(), json!(self.row.mode));
        for (batch, cost) in &self.costs {
            let flushes = |written: Option<crate::cost::Written>| {
                json!(written.map(|written| rounded(written.flushes_per_commit)))
            };
            let amplification = |written: Option<crate::cost::Written>| {
                json!(written.map(|written| rounded(written.amplification)))
            };
            put(format!("flushes_per_commit_{batch}"), flushes(cost.data));
            put(
                format!("write_amplification_{batch}"),
                amplification(cost.data),
            );
            let of_record = cost.data.map(|written| rounded(written.of_record));
            put(
                format!("write_amplification_of_record_{batch}"),
                json!(of_record),
            );
            put(
                format!("truth_flushes_per_commit_{batch}"),
                flushes(cost.truth),
            );
            put(
                format!("truth_write_amplification_{batch}"),
                amplification(cost.truth),
            );
            put(
                format!("records_per_s_{batch}"),
                json!(cost.records_per_s.round()),
            );
            put(
                format!("p50_over_raw_{batch}"),
                json!(rounded(cost.p50_over_raw)),
            );
            put(
                format!("p99_over_raw_{batch}"),
                json!(rounded(cost.p99_over_raw)),
            );
        }
        let all = self.tally();
        put("trials".into(), json!(all.trials()));
        for (verdict, key) in VERDICTS {
            put(key.into(), json!(all.of(verdict)));
        }
        let faults = self.faults.iter().map(|(fault, tally)| {
            let mut counts = Map::new();
            counts.insert("trials".into(), json!(tally.trials()));
            for (verdict, key) in VERDICTS {
                counts.insert(key.into(), json!(tally.of(verdict)));
            }
            (fault.name().to_owned(), Value::Object(counts))
        });
        put("faults".into(), Value::Object(faults.collect()));
        Value::Object(object)
    }
}

/// To two digits behind the point: what a table shows, JSON says too.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// The columns of the first table: heading and key of the row.
const COSTS: &[(&str, &str)] = &[
    ("flush/commit@1", "flushes_per_commit_1"),
    ("truth@1", "truth_flushes_per_commit_1"),
    ("WA@1", "write_amplification_1"),
    ("WA@64", "write_amplification_64"),
    ("WA@1024", "write_amplification_1024"),
    ("WA/record@1024", "write_amplification_of_record_1024"),
    ("rec/s@1", "records_per_s_1"),
    ("rec/s@64", "records_per_s_64"),
    ("rec/s@1024", "records_per_s_1024"),
    ("p50/raw@1", "p50_over_raw_1"),
    ("p99/raw@1", "p99_over_raw_1"),
];

/// The rows as aligned tables: costs, then faults.
pub(crate) fn tables(rows: &[Value]) -> String {
    let mut costs = vec![heading(
        &["engine"],
        COSTS.iter().map(|(heading, _)| *heading),
    )];
    costs.extend(rows.iter().map(|row| {
        let cells = COSTS.iter().map(|(_, key)| cell(row.get(*key)));
        std::iter::once(cell(row.get("engine")))
            .chain(cells)
            .collect()
    }));
    let verdicts = VERDICTS.iter().map(|(_, key)| *key);
    let mut faults = vec![heading(&["engine", "fault", "trials"], verdicts)];
    for row in rows {
        let all = row.get("faults").and_then(Value::as_object);
        for (fault, counts) in all.into_iter().flatten() {
            let keys = std::iter::once("trials").chain(VERDICTS.iter().map(|(_, key)| *key));
            let cells = keys.map(|key| cell(counts.get(key)));
            faults.push(
                [cell(row.get("engine")), fault.clone()]
                    .into_iter()
                    .chain(cells)
                    .collect(),
            );
        }
    }
    format!("{}\n{}", aligned(&costs), aligned(&faults))
}

fn heading<'a>(first: &[&'a str], more: impl Iterator<Item = &'a str>) -> Vec<String> {
    first
        .iter()
        .copied()
        .chain(more)
        .map(str::to_owned)
        .collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(float) if number.is_f64() && float < 1_000.0 => format!("{float:.2}"),
            Some(float) => format!("{float:.0}"),
            None => number.to_string(),
        },
        Some(other) => other.to_string(),
    }
}

/// Columns in line: words to the left, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(
                |(cell, width)| match cell.starts_with(char::is_alphabetic) {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                },
            )
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
