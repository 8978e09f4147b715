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

/// The openings of a card, in the order of their instants: an event may be in the log behind records that came after it.
pub(super) fn runs(rows: &[Value], card: &str) -> Vec<Run> {
    let mine = |row: &Value| text(row, "source") == Some(card);
    let instant = |row: &Value| number(row, "mono_ns");
    let opened = rows.iter().filter(|row| {
        mine(row) && text(row, "kind") == Some("event") && text(row, "code") == Some("port_opened")
    });
    let mut openings: Vec<u64> = opened.filter_map(instant).collect();
    openings.sort_unstable();
    let of_card = rows.iter().filter(|row| {
        let kind = text(row, "kind").unwrap_or_default();
        (mine(row) && RECORDS.contains(&kind)) || counts(row, card)
    });
    let instants: Vec<u64> = of_card.filter_map(instant).collect();
    let behind = openings.iter().skip(1).copied().chain([u64::MAX]);
    let runs = openings.iter().zip(behind).map(|(from_ns, next_ns)| {
        let inside = instants
            .iter()
            .filter(|at| (*from_ns..next_ns).contains(*at));
        Run {
            from_ns: *from_ns,
            end_ns: inside.max().copied().unwrap_or(*from_ns),
        }
    });
    runs.collect()
}

/// Whether these are counters of a card.
fn counts(row: &Value, card: &str) -> bool {
    let counters = row.get("counters").and_then(Value::as_array);
    let mut counters = counters.into_iter().flatten();
    counters.any(|one| text(one, "source") == Some(card))
}
