//! The log's side: attempts by meter and in order of their numbers, and the samples of its events.

use super::findings::Findings;
use super::samples::Samples;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Causes of attempts that never reached the wire.
const OFF_THE_WIRE: [&str; 7] = [
    "slot_overrun",
    "quarantined",
    "late_reply_window",
    "port_unavailable",
    "bus_overload",
    "connect_refused",
    "stopped",
];

/// A reading of one point.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) id: String,
    pub(super) raw: String,
    pub(super) value: String,
    pub(super) entry: String,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Read(Vec<Point>),
    Failed {
        cause: String,
        exception: Option<u64>,
        sample: Option<String>,
    },
    /// Attempted, and the log itself says that the results were never committed.
    Gap {
        /// How many sessions; each may have sent several requests.
        count: u64,
        /// When the last of their requests left, in nanoseconds of the monotonic clock.
        last_ns: u64,
    },
}

/// An attempt, as the log has it.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) seq: u64,
    pub(super) number: u64,
    pub(super) entry: String,
    pub(super) outcome: Outcome,
}

impl Attempt {
    /// Whether its request may have been lost before the street saw it.
    pub(super) fn may_lack_request(&self) -> bool {
        matches!(&self.outcome, Outcome::Failed { cause, .. } if cause == "connection_lost")
    }
}

/// What the rows of a log say.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) attempts: BTreeMap<String, Vec<Attempt>>,
    pub(super) samples: Samples,
    pub(super) findings: Findings,
    /// How many of the findings are something that is there twice.
    pub(super) duplicated: u64,
}

impl Log {
    pub(super) fn read(rows: &[Value]) -> Self {
        let mut reader = Reader::default();
        for row in rows {
            reader.take(row);
        }
        let mut log = reader.log;
        for (meter, attempts) in reader.attempts {
            log.attempts.insert(meter, attempts.into_values().collect());
        }
        log
    }
}

#[derive(Default)]
struct Reader {
    log: Log,
    /// By meter, then by session and attempt.
    attempts: BTreeMap<String, BTreeMap<(u64, u64), Attempt>>,
    /// Every (meter, seq, point) that was read.
    seen: BTreeSet<(String, u64, String)>,
}

fn number(row: &Value, key: &str) -> Option<u64> {
    row.get(key).and_then(Value::as_u64)
}

fn text(row: &Value, key: &str) -> String {
    row.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

impl Reader {
    fn take(&mut self, row: &Value) {
        match text(row, "kind").as_str() {
            "reading" => self.reading(row),
            "attempt_failed" => self.failed(row),
            "marker" if text(row, "marker") == "seq_gap" => {
                let count = number(row, "count").unwrap_or(1);
                let last_ns = number(row, "last_attempt_mono_ns").unwrap_or_default();
                self.put(row, Outcome::Gap { count, last_ns });
            }
            "event" => self.log.samples.event(row),
            _ => {}
        }
    }

    fn reading(&mut self, row: &Value) {
        let (meter, seq, entry) = (
            text(row, "meter_id"),
            number(row, "seq").unwrap_or_default(),
            text(row, "event_id"),
        );
        let point = Point {
            id: text(row, "point_id"),
            raw: text(row, "raw"),
            value: text(row, "value"),
            entry: entry.clone(),
        };
        if !self.seen.insert((meter.clone(), seq, point.id.clone())) {
            self.twice(format!(
                "{meter}.{} seq {seq} (entry {entry}): the same reading is there twice",
                point.id
            ));
            return;
        }
        let key = (seq, number(row, "attempt").unwrap_or_default());
        let of_meter = self.attempts.entry(meter).or_default();
        match of_meter.get_mut(&key).map(|attempt| &mut attempt.outcome) {
            Some(Outcome::Read(points)) => points.push(point),
            Some(Outcome::Failed { .. } | Outcome::Gap { .. }) => self.twice(format!(
                "seq {seq} (entry {entry}): a reading of an attempt that failed"
            )),
            None => self.put(row, Outcome::Read(vec![point])),
        }
    }

    fn twice(&mut self, words: String) {
        self.log.duplicated += 1;
        self.log.findings.add(words);
    }

    fn failed(&mut self, row: &Value) {
        let cause = text(row, "reason");
        if OFF_THE_WIRE.contains(&cause.as_str()) {
            return;
        }
        let sample = Some(text(row, "sample")).filter(|sample| !sample.is_empty());
        self.put(
            row,
            Outcome::Failed {
                cause,
                exception: number(row, "exception"),
                sample,
            },
        );
    }

    fn put(&mut self, row: &Value, outcome: Outcome) {
        let attempt = Attempt {
            seq: number(row, "seq").unwrap_or_default(),
            number: number(row, "attempt").unwrap_or_default(),
            entry: text(row, "event_id"),
            outcome,
        };
        let key = (attempt.seq, attempt.number);
        let (meter, entry) = (text(row, "meter_id"), attempt.entry.clone());
        if self
            .attempts
            .entry(meter.clone())
            .or_default()
            .insert(key, attempt)
            .is_some()
        {
            self.twice(format!(
                "{meter}: attempt {} of seq {} (entry {entry}) is there twice",
                key.1, key.0
            ));
        }
    }
}
