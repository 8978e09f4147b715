//! Registers and bits of remote I/O: every value and change of the log against what the device answered.

use super::runs::Run;
use super::{Played, judged_until, number, text};
use serde_json::Value;

/// From the instant of a record, which is before its request, to the answer that it is of, retries included.
const ANSWERED_NS: u64 = 5_000_000_000;
/// Samples that decide whether a value is noisy.
const NOISE_SAMPLES: usize = 8;
/// So long behind a read its record is in the log, on a busy machine.
const TOLD_BY_NS: u64 = 2_000_000_000;
/// Of so many questions before a record one may be what it tells: the answer to the last was under way.
const BEFORE: usize = 2;
/// Faults of which an entry has to tell, and the reasons that do.
const TOLD: [(&str, &[&str]); 4] = [
    ("open-wire", &["open_wire"]),
    ("out-of-range", &["out_of_range", "short_circuit"]),
    ("refused", &["source_lost", "stale"]),
    ("offline", &["source_lost", "stale"]),
];

/// A value behind which no read follows for so long may be stale: three samples of a station that takes ten a second,
/// less what lies between its clock's reading and the street's.
const STALE_NS: u64 = 250_000_000;

/// A read of a register.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) at_ns: u64,
    /// What was answered; nothing where it was refused, or not answered at all.
    pub(super) raw: Option<i64>,
    pub(super) fault: Option<String>,
}

/// When a point was asked, or its device for anything, and whether that was answered.
struct Asked(Vec<(u64, bool)>);

impl Asked {
    fn of(reads: &[Read], silent: &[u64]) -> Self {
        let mine = reads.iter().map(|read| (read.at_ns, read.raw.is_some()));
        let mut asked: Vec<(u64, bool)> = mine
            .chain(silent.iter().map(|at_ns| (*at_ns, false)))
            .collect();
        asked.sort_unstable();
        Self(asked)
    }

    /// Whether one of the last questions before an instant, or the next one, was not answered.
    fn is_unanswered_around(&self, at_ns: u64) -> bool {
        let place = self.0.partition_point(|(asked_ns, _)| *asked_ns < at_ns);
        let around = self
            .0
            .get(place.saturating_sub(BEFORE)..)
            .unwrap_or_default();
        let mut around = around.iter().take(place.min(BEFORE) + 1);
        around.any(|(asked_ns, answered)| !answered && *asked_ns < at_ns + ANSWERED_NS)
    }

    /// Whether one of the next questions behind an instant was not answered, or the next one came late or not at all.
    fn is_unanswered_behind(&self, at_ns: u64) -> bool {
        let place = self.0.partition_point(|(asked_ns, _)| *asked_ns <= at_ns);
        let behind = self.0.get(place..).unwrap_or_default();
        let in_time = |(asked_ns, _): &(u64, bool)| *asked_ns < at_ns + STALE_NS;
        !behind.first().is_some_and(in_time)
            || behind.iter().take(BEFORE).any(|(_, answered)| !answered)
    }
}

/// Holds the values of a point against what was answered. `silent`: when its device did not answer, whatever it was asked;
/// `runs` are those of its card.
pub(super) fn registers(
    point: &str,
    (reads, silent): (&[Read], &[u64]),
    rows: &[&Value],
    runs: &[Run],
    played: &mut Played,
) {
    let asked = Asked::of(reads, silent);
    for row in rows {
        let entry = text(row, "event_id").unwrap_or_default();
        let at_ns = number(row, "mono_ns").unwrap_or_default();
        let reason = text(row, "reason").unwrap_or_default();
        let place = reads.partition_point(|read| read.at_ns < at_ns);
        let wrong = match text(row, "raw") {
            Some(raw) => value(reads, &asked, (place, at_ns), (raw, reason)),
            None => absent(reads, &asked, at_ns, reason),
        };
        played.values += 1;
        if let Some(words) = wrong {
            played
                .findings
                .add(format!("{point}: entry {entry} {words}"));
        }
    }
    for (fault, reasons) in TOLD {
        for (first, last) in struck(reads, fault) {
            let Some(from_ns) = reads.get(first).map(|read| read.at_ns) else {
                continue;
            };
            let judged = runs
                .iter()
                .any(|run| (run.from_ns..run.end_ns.saturating_sub(TOLD_BY_NS)).contains(&from_ns));
            let tells = |row: &&Value| {
                let at_ns = number(row, "mono_ns").unwrap_or_default();
                let place = reads.partition_point(|read| read.at_ns < at_ns);
                (place.saturating_sub(BEFORE)..=place).any(|one| (first..=last).contains(&one))
                    && reasons.contains(&text(row, "reason").unwrap_or_default())
            };
            if judged && !rows.iter().any(tells) {
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
    asked: &Asked,
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
        "stale" => asked.is_unanswered_behind(read.at_ns),
        _ => false,
    };
    (!fits).then(|| format!("says {reason:?} of a value under the fault {fault:?}"))
}

/// What is wrong with a record without a value: what was asked around it went unanswered, or nothing was asked before.
fn absent(reads: &[Read], asked: &Asked, at_ns: u64, reason: &str) -> Option<String> {
    let fits =
        asked.is_unanswered_around(at_ns) || reads.first().is_none_or(|first| at_ns < first.at_ns);
    let words = || format!("has no value ({reason}), and every read was answered");
    (!fits || !["source_lost", "stale"].contains(&reason)).then(words)
}

/// Stretches of reads that a fault struck, one behind the other: the places of the first and the last.
fn struck(reads: &[Read], fault: &str) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, read) in reads.iter().enumerate() {
        if read.fault.as_deref() != Some(fault) {
            continue;
        }
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => runs.push((place, place)),
        }
    }
    runs
}

/// Holds the changes of an input that is a bit against the changes that the device's answers showed. An edge is before the
/// answer that showed it; what is found at an opening is behind all answers of that opening.
pub(super) fn bits(
    point: &str,
    shown: &[(u64, bool)],
    rows: &[&Value],
    runs: &[Run],
    played: &mut Played,
) {
    let mut told = vec![false; shown.len()];
    let mut kept = 0;
    // The record before.
    let mut before_ns = 0;
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
                    Some(told) if *told => played.findings.add(format!(
                        "{point}: entry {entry} tells a change a second time"
                    )),
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
                let of_opening = told.iter_mut().zip(before);
                of_opening
                    .filter(|(_, (shown_ns, _))| *shown_ns > before_ns)
                    .for_each(|(told, _)| *told = true);
            }
            _ => {}
        }
        before_ns = at_ns;
    }
    let spans: Vec<(u64, u64)> = runs
        .iter()
        .map(|run| (run.from_ns, judged_until(rows, run)))
        .collect();
    let judged = |at_ns: u64| {
        let mut spans = spans.iter();
        spans.any(|(from_ns, to_ns)| (*from_ns..*to_ns).contains(&at_ns))
    };
    let due = shown.iter().zip(&told);
    let untold = super::total(due.filter(|((at_ns, _), told)| judged(*at_ns) && !**told));
    if untold > kept {
        played.findings.add(format!(
            "{point}: {untold} changes that answers showed are not told, and {kept} were kept back"
        ));
    }
}
