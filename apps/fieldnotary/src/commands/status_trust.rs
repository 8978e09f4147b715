//! The lines of a status that say why there are no seals, what could go back unseen, what was booted, whether the log went back, and what came before it.

use super::ink::{Ink, ink};
use super::status_screen::{number, rows, word};
use serde_json::Value;
use std::fmt::Write;

/// Seals where something is wrong with them, boot and rollbacks.
pub(super) fn lines(report: &Value) -> String {
    let mut out = String::new();
    let state = word(report, "/seals/state");
    if let Some(cause) = report.pointer("/seals/cause").and_then(Value::as_str) {
        let state = ink(Ink::Bad, &format!("{state}: {cause}"));
        let (detail, cure) = (word(report, "/seals/detail"), word(report, "/seals/cure"));
        let _ = writeln!(out, "seals      {state}: {detail}; {cure}");
    }
    if let Some(detail) = report.pointer("/unseen/detail").and_then(Value::as_str) {
        let _ = writeln!(out, "unseen     {detail}");
    }
    if let Some(state) = report.pointer("/boot/found/state").and_then(Value::as_str) {
        let detail = word(report, "/boot/found/detail");
        let _ = writeln!(out, "boot       {state}: {detail}");
    }
    let firmware = report.pointer("/firmware/outcome").and_then(Value::as_str);
    // The programs alone are no news.
    if let Some(outcome) = firmware.filter(|outcome| *outcome != "undeclared") {
        let (detail, kept) = (
            word(report, "/firmware/detail"),
            word(report, "/firmware/kept"),
        );
        let outcome = match outcome {
            "blocked" | "observed" => ink(Ink::Bad, outcome),
            other => other.to_owned(),
        };
        let _ = writeln!(out, "firmware   {outcome}: {detail} (kept in: {kept})");
    }
    for found in rows(report, "/rollback") {
        let alarm = ink(Ink::Bad, &format!("ROLLBACK {}", word(found, "/alarm")));
        let detail = word(found, "/detail");
        let witness = found.pointer("/witness").and_then(Value::as_str);
        let witness = witness.map_or_else(String::new, |witness| format!(" ({witness})"));
        let _ = writeln!(out, "rollback   {alarm}{witness}: {detail}");
    }
    out
}

/// The generations before this one.
pub(super) fn older(report: &Value) -> String {
    let line = |one: &Value| {
        let generation = number(one, "/generation").unwrap_or(0);
        let stands = older_words(one);
        format!("before     generation {generation}: {stands}; left for a newer one\n")
    };
    rows(report, "/older_generations")
        .iter()
        .map(line)
        .collect()
}

/// How a generation stands that was left.
fn older_words(one: &Value) -> String {
    if let Some(error) = one.pointer("/error").and_then(Value::as_str) {
        return error.lines().next().unwrap_or_default().to_owned();
    }
    let size = number(one, "/log_size").unwrap_or(0);
    match number(one, "/cosigned_size") {
        Some(cosigned) => format!("{size} entries, {cosigned} cosigned"),
        None => format!("{size} entries; how many are cosigned is not known"),
    }
}
