//! Registers and bits of remote I/O: every value and change of the log against what the device answered.

use super::{Played, number, text};
use serde_json::Value;

/// From the instant of a record, which is before its request, to the answer that it is of, retries included.
const ANSWERED_NS: u64 = 5_000_000_000;
/// Samples that decide whether a value is noisy.
const NOISE_SAMPLES: usize = 8;
/// How far an end of a fault may be from the entry that tells of it.
const NEAR_NS: u64 = 5_000_000_000;
/// Faults of which an entry has to tell, and the reasons that do.
const TOLD: [(&str, &[&str]); 4] = [
    ("open-wire", &["open_wire"]),
    ("out-of-range", &["out_of_range", "short_circuit"]),
    ("refused", &["source_lost", "stale"]),
    ("offline", &["source_lost", "stale"]),
];

/// A read of a register.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) at_ns: u64,
    /// What was answered; nothing where it was refused, or not answered at all.
    pub(super) raw: Option<i64>,
    pub(super) fault: Option<String>,
}

/// Holds the values of a point against what was answered. `offline`: when a device did not answer, whatever it was asked.
pub(super) fn registers(
    point: &str,
    reads: &[Read],
    offline: &[u64],
    rows: &[&Value],
    played: &mut Played,
) {
    for row in rows {
        let entry = text(row, "event_id").unwrap_or_default();
        let at_ns = number(row, "mono_ns").unwrap_or_default();
        let reason = text(row, "reason").unwrap_or_default();
        let place = reads.partition_point(|read| read.at_ns < at_ns);
        let wrong = match text(row, "raw") {
            Some(raw) => value(reads, offline, (place, at_ns), (raw, reason)),
            None => absent(reads, offline, at_ns, reason),
        };
        played.values += 1;
        if let Some(words) = wrong {
            played
                .findings
                .add(format!("{point}: entry {entry} {words}"));
        }
    }
    let Some(last_ns) = rows.last().and_then(|row| number(row, "mono_ns")) else {
        return;
    };
    for (fault, reasons) in TOLD {
        for (from_ns, until_ns) in runs(reads, fault) {
            let tells = |row: &&&Value| {
                let at_ns = number(row, "mono_ns").unwrap_or_default();
                let near = from_ns.saturating_sub(NEAR_NS)..=until_ns + NEAR_NS;
                near.contains(&at_ns) && reasons.contains(&text(row, "reason").unwrap_or_default())
            };
            if from_ns + NEAR_NS < last_ns && !rows.iter().any(|row| tells(&row)) {
                let words = format!(
                    "{point}: {fault} struck at {from_ns}, and no entry says {}",
                    reasons.join(" or ")
                );
                played.findings.add(words);
            }
        }
    }
}

/// What is wrong with a value, which is the first that was answered from its instant on.
fn value(
    reads: &[Read],
    offline: &[u64],
    (place, at_ns): (usize, u64),
    (raw, reason): (&str, &str),
) -> Option<String> {
    let answered = reads.iter().enumerate().skip(place);
    let mut answered = answered.filter(|(_, read)| read.raw.is_some());
    let Some((place, read)) = answered
        .next()
        .filter(|(_, read)| read.at_ns < at_ns + ANSWERED_NS)
    else {
        return Some(format!("has a value {raw} that nothing answered"));
    };
    let sent = read.raw.unwrap_or_default();
    if raw != sent.to_string() {
        return Some(format!("says {raw}; the device answered {sent}"));
    }
    let fault = read.fault.as_deref().unwrap_or_default();
    let recent = reads.iter().take(place + 1).rev().take(NOISE_SAMPLES + 1);
    let mut recent = recent.map(|read| read.fault.as_deref().unwrap_or_default());
    let fits = match reason {
        "none" | "test" => !["open-wire", "out-of-range"].contains(&fault),
        "open_wire" => fault == "open-wire",
        "out_of_range" | "short_circuit" => fault == "out-of-range",
        "noise" | "rate_of_change" => recent.any(|fault| !fault.is_empty()),
        "stale" => {
            let mut later = reads.iter().skip(place + 1);
            let near = at_ns..at_ns + NEAR_NS;
            later.next().is_none_or(|read| read.raw.is_none())
                || offline.iter().any(|offline_ns| near.contains(offline_ns))
        }
        _ => false,
    };
    (!fits).then(|| format!("says {reason:?} of a value under the fault {fault:?}"))
}

/// What is wrong with a record without a value: something went unanswered near it, or nothing was asked before.
fn absent(reads: &[Read], offline: &[u64], at_ns: u64, reason: &str) -> Option<String> {
    let near = at_ns.saturating_sub(NEAR_NS)..at_ns + NEAR_NS;
    let unanswered = reads.iter().filter(|read| read.raw.is_none());
    let unanswered = unanswered.map(|read| &read.at_ns).chain(offline);
    let fits = unanswered
        .into_iter()
        .any(|unanswered_ns| near.contains(unanswered_ns))
        || reads.first().is_none_or(|first| at_ns < first.at_ns);
    let words = || format!("has no value ({reason}), and every read was answered");
    (!fits || !["source_lost", "stale"].contains(&reason)).then(words)
}

/// Stretches of reads that a fault struck, one behind the other.
fn runs(reads: &[Read], fault: &str) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut before = false;
    for read in reads {
        let struck = read.fault.as_deref() == Some(fault);
        match runs.last_mut() {
            Some((_, until_ns)) if struck && before => *until_ns = read.at_ns,
            _ if struck => runs.push((read.at_ns, read.at_ns)),
            _ => {}
        }
        before = struck;
    }
    runs
}

/// Holds the changes of an input that is a bit against the changes that the device's answers showed. An edge is before the
/// answer that showed it; what is found at an opening is behind all answers of that opening.
pub(super) fn bits(point: &str, shown: &[(u64, bool)], rows: &[&Value], played: &mut Played) {
    let mut told = vec![false; shown.len()];
    let mut kept = 0;
    let mut ends: Option<(u64, u64)> = None;
    for row in rows {
        let entry = text(row, "event_id").unwrap_or_default();
        let at_ns = number(row, "mono_ns").unwrap_or_default();
        let high = number(row, "value") == Some(1);
        let first = shown.partition_point(|(shown_ns, _)| *shown_ns < at_ns);
        if text(row, "loss") == Some("chatter") {
            kept += number(row, "count").unwrap_or_default();
        }
        match text(row, "change") {
            Some("edge") => {
                played.changes += 1;
                let soon = |(shown_ns, level): &&(u64, bool)| {
                    *level == high && *shown_ns < at_ns + ANSWERED_NS
                };
                match shown.get(first).filter(soon).and(told.get_mut(first)) {
                    Some(told) => *told = true,
                    None => played.findings.add(format!(
                        "{point}: entry {entry} tells a change that no answer showed"
                    )),
                }
            }
            Some("initial") => {
                played.changes += 1;
                let before = shown.get(..first).unwrap_or_default();
                if before.last().is_some_and(|(_, level)| *level) != high {
                    played.findings.add(format!(
                        "{point}: entry {entry} finds a state that no answer showed"
                    ));
                }
                let behind_ns = ends.map_or(0, |(_, last_ns)| last_ns);
                let of_opening = told.iter_mut().zip(before);
                of_opening
                    .filter(|(_, (shown_ns, _))| *shown_ns > behind_ns)
                    .for_each(|(told, _)| *told = true);
            }
            _ => {}
        }
        ends = Some((ends.map_or(at_ns, |(first_ns, _)| first_ns), at_ns));
    }
    let Some((first_ns, last_ns)) = ends else {
        return;
    };
    let due = shown.iter().zip(&told);
    let untold = super::total(
        due.filter(|((at_ns, _), told)| (first_ns..last_ns).contains(at_ns) && !**told),
    );
    if untold > kept {
        played.findings.add(format!(
            "{point}: {untold} changes that answers showed are not told, and {kept} were kept back"
        ));
    }
}
