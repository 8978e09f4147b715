//! Reports of PLC modems against what the modem said.

use super::{Played, number, text};
use evidence::Decimal;
use serde_json::Value;

/// From a question to its report, on a busy machine.
const REPORTED_BY_NS: u64 = 5_000_000_000;

/// What a modem said to one question.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) at_ns: u64,
    pub(super) retransmissions: Option<u64>,
    /// Its quality in tenths.
    pub(super) quality: Option<i64>,
    pub(super) fault: Option<String>,
}

/// Holds the reports of a modem against what it said: one for each question, in order.
pub(super) fn compare(point: &str, said: &[Said], rows: &[&Value], played: &mut Played) {
    let mut say = |words: String| played.findings.add(format!("{point}: {words}"));
    let mut said = said.iter().peekable();
    let mut before: Option<u64> = None;
    for row in rows {
        let entry = text(row, "event_id").unwrap_or_default();
        let at_ns = number(row, "mono_ns").unwrap_or_default();
        let outcome = text(row, "outcome").unwrap_or_default();
        played.reports += 1;
        let near = |said: &&Said| {
            let span = at_ns.saturating_sub(REPORTED_BY_NS)..at_ns.saturating_add(REPORTED_BY_NS);
            span.contains(&said.at_ns)
        };
        let Some(one) = said.next_if(near) else {
            say(format!(
                "entry {entry} reports {outcome:?} of a question that was not asked"
            ));
            continue;
        };
        let fault = one.fault.as_deref();
        let due = match fault {
            Some("mute") => "silent",
            Some("garbage") => "garbled",
            _ => "answered",
        };
        if outcome != due {
            say(format!(
                "entry {entry} reports {outcome:?}; it is {due:?} under the fault {fault:?}"
            ));
            continue;
        }
        if due != "answered" {
            continue;
        }
        if number(row, "retransmissions") != one.retransmissions {
            say(format!(
                "entry {entry} reports {:?} retransmissions; it said {:?}",
                number(row, "retransmissions"),
                one.retransmissions
            ));
        }
        let value = text(row, "value").and_then(|value| value.parse::<Decimal>().ok());
        let tenths = one
            .quality
            .and_then(|tenths| Decimal::new(i128::from(tenths), -1).ok());
        if !value
            .zip(tenths)
            .is_some_and(|(value, tenths)| value.cmp_value(tenths).is_eq())
        {
            say(format!(
                "entry {entry} reports the quality {value:?}; it said {:?} tenths",
                one.quality
            ));
        }
        let now = one.retransmissions.unwrap_or_default();
        let back = before.is_some_and(|before| now < before);
        let restarted = row.get("restarted").and_then(Value::as_bool) == Some(true);
        let step = before.and_then(|before| now.checked_sub(before));
        if restarted != back {
            say(format!(
                "entry {entry} says that it restarted: {restarted}; its counter went back: {back}"
            ));
        } else if !back && number(row, "step") != step {
            say(format!(
                "entry {entry} says a step of {:?}; it was {step:?}",
                number(row, "step")
            ));
        }
        before = Some(now);
    }
    // The last question may have been asked as the node stopped.
    let left = said.skip(1).count();
    if left > 0 {
        say(format!("{left} questions have no report"));
    }
}
