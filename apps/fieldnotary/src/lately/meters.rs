//! How each meter answers: by its last session, and by why those before it gave nothing.

use super::{Mark, age_ms, mark_json};
use contract::Contract;
use evidence::kinds::AttemptFailed;
use evidence::reasons::AttemptCause;
use evidence::{MeterId, Seq, UtcNs};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Meters that a report lists; beyond it those in the worst state are listed.
const METERS_LISTED_MAX: usize = 200;
/// A meter without a reading for so many slots is late.
const LATE_SLOTS: u64 = 2;

/// How a meter stands, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Answering,
    /// Nothing was heard of it yet.
    Waiting,
    /// Its last session read some of its points and not all.
    Partly,
    /// Nothing went wrong, and a reading is overdue.
    Late,
    /// Its last session read nothing.
    Failing,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Answering => "answering",
            Self::Waiting => "waiting",
            Self::Partly => "partly",
            Self::Late => "late",
            Self::Failing => "failing",
        }
    }

    /// Whether it gives readings.
    pub(super) const fn answers(self) -> bool {
        matches!(self, Self::Answering | Self::Partly)
    }
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    mark: Mark,
    cause: AttemptCause,
    exception: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    reading: Option<Mark>,
    /// The newest failure that is no mere consequence of one before.
    failure: Option<Failure>,
    /// What it is held back by since.
    held: Option<AttemptCause>,
    /// The newest session, whether it has read something, and the points that it leaves without a reading.
    session: Option<Seq>,
    has_read: bool,
    missing_points: u64,
    /// Sessions that read nothing, up to the newest.
    failed_in_a_row: u64,
}

impl Seen {
    fn session(&mut self, seq: Seq) -> bool {
        let is_new = self.session != Some(seq);
        if is_new {
            self.session = Some(seq);
            self.has_read = false;
            self.missing_points = 0;
        }
        is_new
    }
}

/// Every meter that was heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct Meters(BTreeMap<MeterId, Seen>);

impl Meters {
    pub(super) fn read(&mut self, mark: Mark, meter: &MeterId, seq: Seq) {
        let seen = self.0.entry(meter.clone()).or_default();
        seen.session(seq);
        seen.reading = Some(mark);
        seen.has_read = true;
        seen.held = None;
        seen.failed_in_a_row = 0;
    }

    pub(super) fn failed(&mut self, mark: Mark, failed: &AttemptFailed) {
        if failed.cause == AttemptCause::Stopped {
            // The node's doing, not the meter's.
            return;
        }
        let seen = self.0.entry(failed.meter_id.clone()).or_default();
        if seen.session(failed.seq) {
            seen.failed_in_a_row += 1;
        }
        seen.missing_points += failed.points.len() as u64;
        if is_consequence(failed.cause) {
            seen.held = Some(failed.cause);
            return;
        }
        seen.held = None;
        seen.failure = Some(Failure {
            mark,
            cause: failed.cause,
            exception: failed.exception,
        });
    }

    /// Those of the contract; where they are too many, the worst.
    pub(super) fn json(&self, contract: &Contract, now: UtcNs, as_of: UtcNs) -> Value {
        let mut rows: Vec<(State, Value)> = contract
            .meters
            .values()
            .map(|meter| {
                let nothing = Seen::default();
                let seen = self.0.get(&meter.id).unwrap_or(&nothing);
                let state = self.state(contract, &meter.id, as_of);
                let row = json!({
                    "meter_id": meter.id.as_str(),
                    "port": meter.port.as_str(),
                    "schedule": meter.schedule.as_str(),
                    "state": state.name(),
                    "points": meter.points.len(),
                    "missing_points": seen.missing_points,
                    "reading": seen.reading.map(|mark| mark_json(mark, now)),
                    "failed_in_a_row": seen.failed_in_a_row,
                    "failure": seen.failure.map(|failure| mark_json(failure.mark, now)),
                    "cause": seen.failure.map(|failure| failure.cause.name()),
                    "exception": seen.failure.and_then(|failure| failure.exception),
                    "held": seen.held.map(AttemptCause::name),
                });
                (state, row)
            })
            .collect();
        if rows.len() > METERS_LISTED_MAX {
            rows.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
            rows.truncate(METERS_LISTED_MAX);
        }
        rows.into_iter().map(|(_, row)| row).collect()
    }

    pub(super) fn state(&self, contract: &Contract, id: &MeterId, as_of: UtcNs) -> State {
        let Some(seen) = self.0.get(id) else {
            return State::Waiting;
        };
        if seen.failed_in_a_row > 0 {
            return State::Failing;
        }
        let every_ms = contract
            .meters
            .get(id)
            .and_then(|meter| contract.schedules.get(&meter.schedule))
            .map_or(u64::MAX, |schedule| schedule.every_ms);
        // The slot's own length passes before the next reading is due, and its retries take time.
        let late_ms = every_ms.saturating_mul(LATE_SLOTS).saturating_add(5_000);
        match seen.reading {
            Some(mark) if age_ms(mark.at, as_of) > late_ms => State::Late,
            Some(_) if seen.missing_points > 0 => State::Partly,
            Some(_) => State::Answering,
            None => State::Waiting,
        }
    }
}

/// Whether an attempt was not made because of what failed before it.
const fn is_consequence(cause: AttemptCause) -> bool {
    matches!(
        cause,
        AttemptCause::Quarantined | AttemptCause::LateReplyWindow | AttemptCause::SlotOverrun
    )
}
