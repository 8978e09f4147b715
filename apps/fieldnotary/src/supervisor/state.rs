//! What the supervisor shows of itself: every process, how it fares and how it is confined.

use super::child::Supervised;
use super::restarts::Restarts;
use crate::containment::Failure;
use serde_json::{Value, json};

/// Memory is shown in steps, so that the file is not written all the time.
const MEMORY_STEP_BYTES: u64 = 4 << 20;
/// Time that is left as well.
const LEFT_STEP_MS: u64 = 5_000;

/// One object; it changes only when something has changed.
pub(super) fn report(
    processes: &[Supervised],
    safe_mode: Option<&(String, u64)>,
    restarts: &Restarts,
    now_ms: u64,
) -> Value {
    let left = |ms: u64| ms.div_ceil(LEFT_STEP_MS) * LEFT_STEP_MS;
    let processes: Vec<Value> = processes
        .iter()
        .map(|process| {
            let held_back = process.held_back_ms(now_ms);
            let state = match (held_back, process.pid()) {
                (Some(_), _) => "quarantined",
                (None, Some(_)) => "running",
                (None, None) => "restarting",
            };
            let confined = process.signs().confined();
            let missing: Vec<Value> = confined
                .iter()
                .flat_map(|report| report.missing())
                .map(|(measure, why)| json!({"measure": measure.name(), "why": why}))
                .collect();
            let applied: Option<Vec<&str>> = confined
                .as_ref()
                .map(|report| report.applied().map(sandbox::Measure::name).collect());
            json!({
                "role": process.role(),
                "pid": process.pid(),
                "state": state,
                "held_back_ms": held_back.map(left),
                "restarts": process.restarts(),
                "last_failure": process.last_failure().map(Failure::to_string),
                "resident_bytes":
                    process.resident_bytes().div_ceil(MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES,
                "confined_by": applied,
                "not_confined_by": missing,
            })
        })
        .collect();
    json!({
        "processes": processes,
        "safe_mode": safe_mode.map(|(why, until_ms)| json!({
            "why": why,
            "left_ms": left(until_ms.saturating_sub(now_ms)),
        })),
        "resets_before_this_start": restarts.resets(),
    })
}
