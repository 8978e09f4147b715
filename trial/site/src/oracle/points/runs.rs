//! From when to when a card was at work, by what the whole log says of it.

use super::{number, text};
use serde_json::Value;

/// Near the opening of a card and its end, what was played may be in the log or not.
pub(super) const AT_THE_ENDS_NS: u64 = 100_000_000;
/// Kinds of records of a card: they leave in the order of their instants.
const RECORDS: [&str; 5] = ["analog", "excursion", "modem_report", "pulse_count", "soe"];

/// One opening of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) from_ns: u64,
    /// Its last counters or its last record, whichever point that is of.
    pub(super) end_ns: u64,
}

/// The openings of a card, in the order of the log.
pub(super) fn runs(rows: &[Value], card: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for row in rows {
        let Some(at_ns) = number(row, "mono_ns") else {
            continue;
        };
        let (kind, mine) = (
            text(row, "kind").unwrap_or_default(),
            text(row, "source") == Some(card),
        );
        if mine && kind == "event" && text(row, "code") == Some("port_opened") {
            runs.push(Run {
                from_ns: at_ns,
                end_ns: at_ns,
            });
        } else if (mine && RECORDS.contains(&kind)) || counts(row, card) {
            let last = runs.last_mut();
            last.into_iter()
                .for_each(|run| run.end_ns = run.end_ns.max(at_ns));
        }
    }
    runs
}

/// Whether these are counters of a card.
fn counts(row: &Value, card: &str) -> bool {
    let counters = row.get("counters").and_then(Value::as_array);
    let mut counters = counters.into_iter().flatten();
    counters.any(|one| text(one, "source") == Some(card))
}
