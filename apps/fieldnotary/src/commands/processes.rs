//! The processes of a node on its screen: how each fares, and how it is confined.

use super::table::{Align, Table};
use super::words;
use crate::paths::DataDir;
use serde_json::{Map, Value};
use std::fmt::Write;

/// Adds what the supervisor of a running node shows to the report.
pub(super) fn add(data: &DataDir, report: &mut Map<String, Value>) {
    let Ok(text) = std::fs::read_to_string(data.supervision()) else {
        return;
    };
    if let Ok(Value::Object(shown)) = serde_json::from_str(&text) {
        for (name, value) in shown {
            report.insert(name, value);
        }
    }
}

/// One line for each process; safe mode before all else.
pub(super) fn lines(report: &Value) -> String {
    let processes = report.get("processes").and_then(Value::as_array);
    let Some(processes) = processes.filter(|processes| !processes.is_empty()) else {
        return String::new();
    };
    let mut out = String::new();
    if let Some(safe_mode) = report.get("safe_mode").filter(|mode| !mode.is_null()) {
        let _ = writeln!(
            out,
            "SAFE MODE  {}; io and uplink do not run; it ends in {}, or with: fieldnotary run ... \
             --leave-safe-mode --reason TEXT",
            safe_mode.get("why").and_then(Value::as_str).unwrap_or("-"),
            words::span(number(safe_mode, "left_ms")),
        );
    }
    let mut table = Table::new(&[
        ("process", Align::Left),
        ("state", Align::Left),
        ("restarts", Align::Right),
        ("memory", Align::Right),
        ("confined", Align::Left),
    ]);
    for process in processes {
        table.row([
            text(process, "role").to_owned(),
            state(process),
            number(process, "restarts").to_string(),
            words::bytes(number(process, "resident_bytes")),
            confined(process),
        ]);
    }
    out += &table.to_string();
    out
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("-")
}

fn state(process: &Value) -> String {
    let failure = process.get("last_failure").and_then(Value::as_str);
    let last = failure.map_or_else(String::new, |failure| format!(" (last: {failure})"));
    match text(process, "state") {
        "quarantined" => format!(
            "HELD BACK for {}{last}",
            words::span(number(process, "held_back_ms"))
        ),
        other => format!("{other}{last}"),
    }
}

fn confined(process: &Value) -> String {
    let Some(applied) = process.get("confined_by").and_then(Value::as_array) else {
        return "not heard of yet".to_owned();
    };
    let missing: Vec<String> = process
        .get("not_confined_by")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|one| format!("{}: {}", text(one, "measure"), text(one, "why")))
        .collect();
    match (applied.len(), missing.as_slice()) {
        (_, []) => "in every respect".to_owned(),
        (applied, missing) => format!(
            "in {applied} of {} respects, not by {}",
            applied + missing.len(),
            missing.join("; ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use serde_json::json;

    //= R9.5
    #[test]
    fn safe_mode_and_what_could_not_be_applied_stand_on_the_screen() {
        assert_eq!(lines(&json!({})), "");
        let screen = lines(&json!({
            "safe_mode": { "why": "5 starts in a row ended early", "left_ms": 90_000 },
            "processes": [
                { "role": "recorder", "state": "running", "restarts": 0, "resident_bytes": 8_388_608,
                  "confined_by": ["files", "calls"], "not_confined_by": [] },
                { "role": "uplink", "state": "quarantined", "held_back_ms": 15_000, "restarts": 5,
                  "last_failure": "signal 11", "confined_by": ["calls"],
                  "not_confined_by": [{ "measure": "files", "why": "this kernel has no Landlock" }] },
                { "role": "io/rs485", "state": "restarting", "confined_by": null },
            ],
        }));
        for words in [
            "SAFE MODE  5 starts in a row",
            "in every respect",
            "HELD BACK for 15 s (last: signal 11)",
            "in 1 of 2 respects, not by files: this kernel has no Landlock",
            "not heard of yet",
        ] {
            assert!(screen.contains(words), "{words}:\n{screen}");
        }
    }
}
