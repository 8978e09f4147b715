//! The status of a node as one screen, from the same report that programs get.

use super::ink::{Ink, ink};
use super::processes;
use super::table::{Align, Table};
use super::words;
use super::{status_link, status_medium, status_outputs, status_points};
use serde_json::Value;
use std::fmt::Write;

/// Meters that the screen lists; beyond it only those that do not answer.
const METERS_SHOWN_MAX: usize = 24;
/// Characters that the screen shows of why a port or card is lost; `--json` has all of it.
const LOST_CHARS_MAX: usize = 120;
/// Counters on a line.
const COUNTERS_LINE_MAX: usize = 3;

/// The whole screen.
pub(super) fn screen(report: &Value) -> String {
    let mut out = String::new();
    let parts = [
        title(report),
        format!("{}{}", anchors(report), work(report)),
        ports(report),
        meters(report),
        status_points::points(report),
        status_outputs::outputs(report),
        processes::lines(report),
        status_link::link_and_ring(report),
        format!("{}{}", counters(report), status_medium::line(report)),
    ];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        out += &part;
    }
    out
}

pub(super) fn number(value: &Value, path: &str) -> Option<u64> {
    value.pointer(path).and_then(Value::as_u64)
}

pub(super) fn word<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("-")
}

pub(super) fn ago(mark: &Value) -> String {
    number(mark, "/age_ms").map_or_else(|| "-".to_owned(), |ms| format!("{} ago", words::span(ms)))
}

fn title(report: &Value) -> String {
    let running = report.pointer("/running").and_then(Value::as_bool) == Some(true);
    let state = match (running, report.pointer("/closed_orderly")) {
        (true, _) => ink(Ink::Good, "running"),
        (false, Some(Value::Bool(true))) => ink(Ink::Odd, "NOT RUNNING, stopped orderly"),
        (false, Some(Value::Bool(false))) => {
            ink(Ink::Bad, "NOT RUNNING, and was not stopped orderly")
        }
        (false, _) if report.pointer("/told_to_stop") == Some(&Value::Bool(true)) => ink(
            Ink::Odd,
            "NOT RUNNING; its log ends with an orderly stop, its truth store does not say",
        ),
        (false, _) => ink(
            Ink::Bad,
            "NOT RUNNING; whether it was stopped orderly is not known",
        ),
    };
    let epoch = number(report, "/epoch").unwrap_or(0);
    let started = report.pointer("/started").unwrap_or(&Value::Null);
    let since = match started {
        Value::Null => String::new(),
        mark => format!(
            ", started {} ({})",
            words::shortened(word(mark, "/timestamp")),
            ago(mark)
        ),
    };
    let origin = word(report, "/origin");
    let known = match running {
        true => "",
        false => "what follows is what its files tell: as it stood when it last ran\n",
    };
    format!("{origin}: {state}, epoch {epoch}{since}\n{known}")
}

/// Where people work, in one line; nothing where nobody does.
fn work(report: &Value) -> String {
    let told = report.pointer("/maintenance").and_then(Value::as_array);
    let told: Vec<&str> = told
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match told.as_slice() {
        [] => String::new(),
        told => format!(
            "work       open on {}: what is captured there is a test\n",
            told.join(", ")
        ),
    }
}

/// Last reading, commit, seal and cosignature, and how far the time can be trusted.
fn anchors(report: &Value) -> Table<5> {
    let mut table = Table::new(&[
        ("last", Align::Left),
        ("time", Align::Left),
        ("ago", Align::Right),
        ("entry", Align::Right),
        ("", Align::Left),
    ]);
    let size = number(report, "/log_size").unwrap_or(0);
    let behind = |at: &str, what: &str| {
        let Some(reached) = number(report, at) else {
            return format!("how many of {size} entries are {what} is not known");
        };
        match (reached, size.saturating_sub(reached)) {
            (0, _) => format!("none of {size} entries {what} yet"),
            (_, 0) => format!("all {size} entries {what}"),
            (_, rest) => format!("{reached} entries {what}, {rest} not yet"),
        }
    };
    let reading = report.pointer("/last/reading").filter(|one| !one.is_null());
    let value = reading.map_or_else(String::new, |one| {
        let unit = one.get("unit").and_then(Value::as_str).unwrap_or("");
        let value = one.get("value").and_then(Value::as_str);
        let (meter, point) = (word(one, "/meter_id"), word(one, "/point_id"));
        format!("{meter}/{point} {} {unit}", value.unwrap_or("no value"))
    });
    let delivered = match report.pointer("/uplink") {
        Some(Value::Null) | None => "no collector is configured".to_owned(),
        Some(_) => behind("/cosigned_size", "cosigned"),
    };
    for (name, path, words) in [
        ("reading", "/last/reading", value),
        (
            "commit",
            "/last/commit",
            format!("{size} entries in the log"),
        ),
        ("seal", "/last/seal", behind("/sealed_size", "sealed")),
        ("cosignature", "/last/cosignature", delivered),
    ] {
        let mark = report.pointer(path).unwrap_or(&Value::Null);
        table.row([
            name.to_owned(),
            words::shortened(word(mark, "/timestamp")),
            number(mark, "/age_ms").map_or_else(|| "-".to_owned(), words::span),
            number(mark, "/commit_id").map_or_else(|| "-".to_owned(), |id| id.to_string()),
            words,
        ]);
    }
    let (quality, status) = match report.pointer("/time_quality") {
        Some(_) => (word(report, "/time_quality"), word(report, "/time_status")),
        None => (
            word(report, "/last/time/quality"),
            word(report, "/last/time/status"),
        ),
    };
    let bound = number(report, "/last/time/bound_ns").map_or_else(
        || "bound unknown".to_owned(),
        |ns| format!("within {}", words::nanoseconds(ns)),
    );
    table.row([
        "time status".to_owned(),
        quality.to_owned(),
        String::new(),
        String::new(),
        format!("{status}, {bound}{}", why_so(report)),
    ]);
    table
}

/// Why the clock is not held, and since when.
fn why_so(report: &Value) -> String {
    let Some(reason) = report.pointer("/last/time/reason").and_then(Value::as_str) else {
        return String::new();
    };
    let clause = |path: &str, before: &str, shown: fn(&str) -> String| {
        let known = report.pointer(path).and_then(Value::as_str);
        known.map_or_else(String::new, |word| format!("{before}{}", shown(word)))
    };
    let since = clause("/last/time/since", " since ", words::shortened);
    let cause = clause("/last/time/cause", ": ", str::to_owned);
    format!("; {reason}{since}{cause}")
}

pub(super) fn rows<'v>(report: &'v Value, path: &str) -> &'v [Value] {
    report
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// That a port or card is lost, and why.
pub(super) fn why_lost(source: &Value) -> String {
    let why = words::up_to(word(source, "/detail"), LOST_CHARS_MAX);
    ink(Ink::Bad, &format!("LOST: {why}"))
}

fn ports(report: &Value) -> String {
    let ports = rows(report, "/ports");
    if ports.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("port", Align::Left),
        ("wire", Align::Left),
        ("state", Align::Left),
        ("meters answering", Align::Right),
        ("last reading", Align::Left),
        ("", Align::Right),
    ]);
    for port in ports {
        let mark = port.pointer("/reading").unwrap_or(&Value::Null);
        let state = match word(port, "/state") {
            "lost" => why_lost(port),
            other => other.to_owned(),
        };
        table.row([
            word(port, "/id").to_owned(),
            word(port, "/kind").to_owned(),
            state,
            format!(
                "{} of {}",
                number(port, "/answering").unwrap_or(0),
                number(port, "/meters").unwrap_or(0)
            ),
            words::shortened(word(mark, "/timestamp")),
            ago(mark),
        ]);
    }
    table.to_string()
}

fn meters(report: &Value) -> String {
    let meters = rows(report, "/meter_states");
    let total = number(report, "/meters").unwrap_or(0);
    let answers = |meter: &&Value| word(meter, "/state") == "answering";
    let shown: Vec<&Value> = if meters.len() > METERS_SHOWN_MAX {
        meters.iter().filter(|meter| !answers(meter)).collect()
    } else {
        meters.iter().collect()
    };
    let mut table = Table::new(&[
        ("meter", Align::Left),
        ("port", Align::Left),
        ("schedule", Align::Left),
        ("state", Align::Left),
        ("last reading", Align::Left),
        ("", Align::Right),
    ]);
    for meter in shown.iter().take(METERS_SHOWN_MAX) {
        let mark = meter.pointer("/reading").unwrap_or(&Value::Null);
        let state = match word(meter, "/state") {
            "failing" => {
                let times = number(meter, "/failed_in_a_row").unwrap_or(0);
                ink(Ink::Bad, &format!("FAILING: {} x{times}", cause_of(meter)))
            }
            "partly" => {
                let (missing, points) = (
                    number(meter, "/missing_points").unwrap_or(0),
                    number(meter, "/points").unwrap_or(0),
                );
                let words = format!("without {missing} of {points} points: {}", cause_of(meter));
                ink(Ink::Odd, &words)
            }
            "waiting" => "no reading yet".to_owned(),
            "late" => ink(Ink::Bad, "LATE"),
            other => other.to_owned(),
        };
        table.row([
            word(meter, "/meter_id").to_owned(),
            word(meter, "/port").to_owned(),
            word(meter, "/schedule").to_owned(),
            state,
            words::shortened(word(mark, "/timestamp")),
            ago(mark),
        ]);
    }
    let mut out = if shown.is_empty() {
        String::new()
    } else {
        table.to_string()
    };
    let listed = u64::try_from(shown.len().min(METERS_SHOWN_MAX)).unwrap_or(total);
    if listed < total {
        let _ = writeln!(
            out,
            "{} more meters: --json lists up to 200",
            total - listed
        );
    }
    out
}

/// Why a meter's last session gave less than was asked: the last cause of its own, and what holds it back since.
fn cause_of(meter: &Value) -> String {
    let exception = number(meter, "/exception").map_or_else(String::new, |code| format!(" {code}"));
    match (
        meter.pointer("/cause").and_then(Value::as_str),
        meter.pointer("/held").and_then(Value::as_str),
    ) {
        (Some(cause), None) => format!("{cause}{exception}"),
        (Some(cause), Some(held)) => format!("{cause}{exception}, now {held}"),
        (None, held) => held.unwrap_or("-").to_owned(),
    }
}

/// The counters of the five anchors, those that have a value with its unit; the others are counted, and --json names them.
fn counters(report: &Value) -> String {
    let mut out = String::new();
    let anchors = report.pointer("/anchors").and_then(Value::as_object);
    for (anchor, counters) in anchors.into_iter().flatten() {
        let all = || counters.as_object().into_iter().flatten();
        let words = all().map(|(name, value)| (name, counter_words(name, value)));
        let told = words.filter(|(_, words)| words != UNSUPPORTED);
        let mut shown: Vec<String> = told
            .map(|(name, words)| format!("{name} {words}"))
            .collect();
        let without = all().count() - shown.len();
        if without > 0 {
            shown.push(format!("{without} {UNSUPPORTED} (--json)"));
        }
        for (place, line) in shown.chunks(COUNTERS_LINE_MAX).enumerate() {
            let head = if place == 0 { anchor.as_str() } else { "" };
            let _ = writeln!(out, "{head:<11}{}", line.join(", "));
        }
    }
    out
}

fn counter_words(name: &str, value: &Value) -> String {
    match (value, value.as_u64()) {
        (_, Some(ns)) if name.starts_with("commit_latency") => words::nanoseconds(ns),
        (_, Some(count)) => count.to_string(),
        (Value::String(state), _) => state.clone(),
        _ => UNSUPPORTED.to_owned(),
    }
}

/// Of a counter that nothing here counts.
const UNSUPPORTED: &str = "unsupported";

#[cfg(test)]
mod tests {
    use super::{counters, why_lost};
    use serde_json::json;

    #[test]
    fn why_a_port_is_lost_ends_behind_a_whole_word() {
        let long = "/dev/ttyUSB0 is open in process 4711 (fieldnotary); two masters on one line disturb each other: \
                    stop it first, or give this port a device of its own";
        for (detail, due) in [
            ("it is gone", "LOST: it is gone"),
            (long, "stop it first, or ..."),
        ] {
            let said = why_lost(&json!({ "detail": detail }));
            assert!(said.ends_with(due) && said.starts_with("LOST: "), "{said}");
        }
    }

    #[test]
    fn counters_that_nothing_counts_are_a_number_and_no_list() {
        let report = json!({"anchors": {
            "modem": {"rssi": "unsupported", "attach_cnt": null},
            "storage": {"commit_latency_p99": 27_298_815, "seq_gap": 0, "bad_block_cnt": "unsupported"},
        }});
        assert_eq!(
            counters(&report),
            "modem      2 unsupported (--json)\n\
             storage    commit_latency_p99 27.3 ms, seq_gap 0, 1 unsupported (--json)\n"
        );
    }
}
