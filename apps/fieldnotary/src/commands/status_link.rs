//! What `status` says of the collector, of what waits for it in the ring, and of the keys.

use super::status_screen::{number, rows, word};
use super::words;
use super::{status_certificates, status_trust};
use serde_json::Value;
use std::fmt::Write;

/// Collector, backlog, ring and keys.
pub(super) fn link_and_ring(report: &Value) -> String {
    let mut out = String::new();
    let ring = report.pointer("/ring").unwrap_or(&Value::Null);
    if let Some(link) = report.pointer("/uplink").filter(|link| !link.is_null()) {
        let _ = writeln!(
            out,
            "collector  {}, {}",
            word(link, "/url"),
            link_words(link)
        );
        if word(link, "/state") == "conflict" {
            let _ = writeln!(
                out,
                "           nothing is delivered until that is answered: is there a newer disk of this node? Put it back.\n           \
                 Does another node run as this one? Stop it. Only where neither helps, a new generation:\n           \
                 fieldnotary adopt DIR --cause conflict --reason TEXT"
            );
        }
        let waits = number(ring, "/uncosigned_entries").map_or_else(
            || "not known".to_owned(),
            |waits| format!("{} not cosigned", words::count(waits, "entry", "entries")),
        );
        let age = number(ring, "/uncosigned_for_ms").map_or_else(String::new, |ms| {
            format!(", the oldest for {}", words::span(ms))
        });
        let _ = writeln!(out, "backlog    {waits}{age}",);
    }
    if let (Some(used), Some(total)) = (number(ring, "/used_bytes"), number(ring, "/total_bytes")) {
        let _ = writeln!(
            out,
            "ring       {} of {} segments, {} of {}; oldest entry {} of {}",
            number(ring, "/segments_used").unwrap_or(0),
            number(ring, "/segments").unwrap_or(0),
            words::bytes(used),
            words::bytes(total),
            number(ring, "/oldest_commit_id").unwrap_or(0),
            words::shortened(word(ring, "/oldest_timestamp")),
        );
        let _ = writeln!(out, "           {}", room_words(report, ring));
    }
    out.push_str(&lost_words(report));
    out.push_str(&status_trust::older(report));
    if let Some(keys) = report.pointer("/custody").and_then(Value::as_str) {
        let _ = writeln!(out, "keys       {keys}");
    }
    out.push_str(&status_certificates::lines(report));
    out.push_str(&status_trust::lines(report));
    let _ = writeln!(out, "truth      {}", word(report, "/truth_class"));
    out
}

/// What left the ring before the collector had it; nothing while nothing did.
fn lost_words(report: &Value) -> String {
    let mut out = String::new();
    let given_up = number(report, "/lost/given_up_entries").unwrap_or(0);
    if let (1.., Some(end)) = (given_up, number(report, "/lost/given_up_end")) {
        let _ = writeln!(
            out,
            "lost       {} given up uncosigned, {}; the collector will get their name",
            words::count(given_up, "entry", "entries"),
            words::stretch(end.saturating_sub(given_up), end.saturating_sub(1)),
        );
    }
    let told = rows(report, "/lost/told");
    let total = told.iter().filter_map(|range| number(range, "/count"));
    if let total @ 1.. = total.fold(0, u64::saturating_add) {
        let _ = writeln!(
            out,
            "lost       {} earlier, in {}; the collector has their name alone",
            words::count(total, "entry", "entries"),
            words::count(told.len() as u64, "range", "ranges"),
        );
    }
    out
}

/// The link's state; a cause that is known is always said.
pub(super) fn link_words(link: &Value) -> String {
    let since = number(link, "/since_ms")
        .map_or_else(String::new, |ms| format!(" since {}", words::span(ms)));
    // The log's words name the collector; whoever reads them here has just read its name.
    let url = format!("{}: ", word(link, "/url"));
    let cause = link
        .get("cause")
        .and_then(Value::as_str)
        .map(|cause| cause.strip_prefix(&url).unwrap_or(cause))
        .map_or_else(String::new, |cause| format!(": {cause}"));
    let contacted = link.get("contacted_since_start").and_then(Value::as_bool) == Some(true);
    let state = match word(link, "/state") {
        "reached" => format!("reached{since}"),
        "down" => format!("NOT REACHED{since}{cause}"),
        "refused" => format!("REFUSES{since}{cause}"),
        "conflict" => format!("CONFLICT, delivery stopped{since}{cause}"),
        _ => "not heard of yet".to_owned(),
    };
    let ago = number(link, "/heard_ms").map(words::span);
    match ago.filter(|_| !contacted) {
        None => state,
        Some(ago) => format!("not heard of since the start; before it, {ago} ago: {state}"),
    }
}

fn room_words(report: &Value, ring: &Value) -> String {
    let pace = number(ring, "/bytes_per_s").map_or_else(
        || "pace unknown".to_owned(),
        |pace| format!("{}/s", words::bytes(pace)),
    );
    if report.pointer("/uplink").is_none_or(Value::is_null) {
        return format!("{pace}; without a collector the oldest entries leave it as new ones come");
    }
    match (
        number(ring, "/uncosigned_entries"),
        number(ring, "/gives_up_uncosigned_in_s"),
    ) {
        (Some(0), _) => format!("{pace}; nothing waits for the collector"),
        (_, Some(seconds)) => format!(
            "{pace}; if nothing is cosigned, uncosigned entries are given up in {}",
            words::span(seconds.saturating_mul(1_000))
        ),
        _ => pace,
    }
}

#[cfg(test)]
mod tests {
    use super::link_words;
    use serde_json::json;

    //= U4
    #[test]
    fn what_was_heard_of_the_collector_before_the_start_is_told_as_that() {
        let link = |contacted: bool| {
            link_words(&json!({
                "url": "https://c", "state": "reached", "heard_ms": 6_000, "contacted_since_start": contacted,
            }))
        };
        assert_eq!(
            link(false),
            "not heard of since the start; before it, 6 s ago: reached"
        );
        assert_eq!(link(true), "reached");
    }
}
