//! The station's outputs on the screen of a node's status.

use super::ink::{Ink, ink};
use super::status_screen::{ago, rows, word};
use super::table::{Align, Table};
use serde_json::Value;

/// The table; empty where the node has no outputs.
pub(super) fn outputs(report: &Value) -> String {
    let outputs = rows(report, "/outputs");
    if outputs.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("output", Align::Left),
        ("card", Align::Left),
        ("value", Align::Right),
        ("last", Align::Left),
        ("tagged by", Align::Left),
        ("", Align::Right),
    ]);
    for output in outputs {
        let last = match (word(output, "/outcome"), word(output, "/reason")) {
            (outcome, "none" | "-") => outcome.to_owned(),
            (outcome, reason) => format!("{outcome}: {reason}"),
        };
        let odd = ["mismatch", "failed", "unknown"].contains(&word(output, "/outcome"));
        let waits = rows(output, "/open").len();
        let last = match (odd, waits) {
            (true, _) => ink(Ink::Bad, &last),
            (false, 0) => last,
            (false, waits) => ink(Ink::Odd, &format!("{last}, {waits} open")),
        };
        let tags = output.pointer("/tags").and_then(Value::as_array);
        let tags: Vec<&str> = tags
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let unit = word(output, "/unit");
        let unit = if ["", "-"].contains(&unit) {
            String::new()
        } else {
            format!(" {unit}")
        };
        table.row([
            word(output, "/id").to_owned(),
            word(output, "/card").to_owned(),
            format!("{}{unit}", word(output, "/value")),
            last,
            ink(Ink::Odd, &tags.join(", ")),
            ago(output.pointer("/last").unwrap_or(&Value::Null)),
        ]);
    }
    table.to_string()
}
