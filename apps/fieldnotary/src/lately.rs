//! What a node did lately, learned from its entries: by the recorder as it commits, by a reader of its files.

mod clock;
mod points;

use clock::Clock;
use contract::Contract;
use evidence::kinds::{AttemptFailed, Event, Reading};
use evidence::reasons::{AttemptCause, EventCode};
use evidence::{CommitId, Decimal, MeterId, Payload, PointId, SourceId, Stamp, UtcNs};
use points::Points;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Meters that a report lists; beyond it those in the worst state are listed.
const METERS_LISTED_MAX: usize = 200;
/// Characters of a wire or of an event's detail that a report gives.
const TEXT_CHARS_MAX: usize = 120;
/// A meter without a reading for so many slots is late.
const LATE_SLOTS: u64 = 2;

/// An entry and its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) id: CommitId,
    pub(crate) at: UtcNs,
}

/// How the link to the collector stood when it was last heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It answers.
    Reached,
    /// It cannot be reached.
    Down,
    /// It answers, and refuses what it is sent.
    Refused,
    /// Delivery has stopped: it contradicts this log.
    Conflict,
}

impl LinkState {
    /// The word for programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reached => "reached",
            Self::Down => "down",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Link {
    state: LinkState,
    since: Option<UtcNs>,
    cause: Option<String>,
    /// Whether it was heard of since the newest start of the log.
    contacted: bool,
}

#[derive(Clone, Debug, Default)]
struct MeterSeen {
    reading: Option<Mark>,
    failure: Option<(Mark, AttemptCause)>,
    failed_in_a_row: u64,
}

#[derive(Clone, Debug, Default)]
struct PortSeen {
    reading: Option<Mark>,
    event: Option<(Mark, EventCode, Option<String>)>,
}

#[derive(Clone, Debug)]
struct LastValue {
    mark: Mark,
    meter: MeterId,
    point: PointId,
    value: Option<Decimal>,
}

/// What a node did lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lately {
    started: Option<Mark>,
    commit: Option<Mark>,
    reading: Option<LastValue>,
    seal: Option<(Mark, u64)>,
    ack: Option<(Mark, u64)>,
    clock: Clock,
    meters: BTreeMap<MeterId, MeterSeen>,
    ports: BTreeMap<SourceId, PortSeen>,
    points: Points,
    link: Link,
}

impl Lately {
    /// Takes in a committed entry, in order of commit.
    pub(crate) fn observe(&mut self, id: CommitId, stamp: &Stamp, payload: &Payload) {
        let mark = Mark {
            id,
            at: stamp.timestamp,
        };
        self.commit = Some(mark);
        self.clock.observe(stamp, payload);
        match payload {
            Payload::Reading(reading) => self.reading(mark, reading),
            Payload::AttemptFailed(failed) => self.failed(mark, failed),
            Payload::Checkpoint(checkpoint) => self.seal = Some((mark, checkpoint.size)),
            Payload::Ack(ack) => {
                self.ack = Some((mark, ack.size));
                self.link_is(mark, LinkState::Reached, None);
            }
            Payload::EpochStart(_) => {
                self.started = Some(mark);
                self.link.contacted = false;
            }
            Payload::Event(event) => self.event(mark, event),
            other => self.points.observe(mark, other),
        }
    }

    fn reading(&mut self, mark: Mark, reading: &Reading) {
        let meter = self.meters.entry(reading.meter_id.clone()).or_default();
        meter.reading = Some(mark);
        meter.failed_in_a_row = 0;
        self.ports
            .entry(reading.source.clone())
            .or_default()
            .reading = Some(mark);
        self.reading = Some(LastValue {
            mark,
            meter: reading.meter_id.clone(),
            point: reading.point_id.clone(),
            value: reading.value,
        });
    }

    fn failed(&mut self, mark: Mark, failed: &AttemptFailed) {
        if failed.cause == AttemptCause::Stopped {
            // The node's doing, not the meter's.
            return;
        }
        let meter = self.meters.entry(failed.meter_id.clone()).or_default();
        meter.failure = Some((mark, failed.cause));
        meter.failed_in_a_row += 1;
    }

    fn event(&mut self, mark: Mark, event: &Event) {
        let state = match event.code {
            EventCode::PortOpened | EventCode::PortLost => {
                let seen = self.ports.entry(event.source.clone()).or_default();
                seen.event = Some((mark, event.code, event.detail.clone()));
                return;
            }
            EventCode::UplinkUp => LinkState::Reached,
            EventCode::UplinkDown => LinkState::Down,
            EventCode::UplinkRefused => LinkState::Refused,
            EventCode::UplinkConflict => LinkState::Conflict,
            _ => return,
        };
        self.link_is(mark, state, event.detail.clone());
    }

    fn link_is(&mut self, mark: Mark, state: LinkState, cause: Option<String>) {
        if self.link.state != state {
            self.link.since = Some(mark.at);
        }
        self.link.state = state;
        self.link.cause = cause;
        self.link.contacted = true;
    }

    /// When the newest entry was committed.
    pub(crate) fn newest(&self) -> Option<UtcNs> {
        self.commit.map(|mark| mark.at)
    }

    /// The parts of a status report that come from entries; states are those at `as_of`.
    pub(crate) fn report(
        &self,
        contract: &Contract,
        now: UtcNs,
        as_of: UtcNs,
    ) -> Vec<(&'static str, Value)> {
        vec![
            ("now", json!(query::rfc3339(now))),
            (
                "started",
                self.started.map_or(Value::Null, |m| mark_json(m, now)),
            ),
            ("last", self.last(contract, now)),
            ("ports", self.ports_json(contract, now, as_of)),
            ("meter_states", self.meters_json(contract, now, as_of)),
            ("points", self.points.json(contract, now)),
            ("uplink", self.uplink_json(contract, now)),
        ]
    }

    fn last(&self, contract: &Contract, now: UtcNs) -> Value {
        let sized = |(mark, size): (Mark, u64)| {
            let mut value = mark_json(mark, now);
            put(&mut value, "size", json!(size));
            value
        };
        let reading = self.reading.as_ref().map(|reading| {
            let mut value = mark_json(reading.mark, now);
            put(&mut value, "meter_id", json!(reading.meter.as_str()));
            put(&mut value, "point_id", json!(reading.point.as_str()));
            let shown = reading.value.map(|value| value.to_string());
            put(&mut value, "value", json!(shown));
            let unit = unit_of(contract, &reading.meter, &reading.point);
            put(&mut value, "unit", json!(unit));
            value
        });
        json!({
            "reading": reading,
            "commit": self.commit.map(|mark| mark_json(mark, now)),
            "seal": self.seal.map(sized),
            "cosignature": self.ack.map(sized),
            "time": self.clock.json(),
        })
    }

    fn ports_json(&self, contract: &Contract, now: UtcNs, as_of: UtcNs) -> Value {
        let ports = contract.ports.iter().map(|(id, port)| {
            let meters = contract.meters.values().filter(|meter| meter.port == *id);
            let (total, answering) = meters.fold((0u64, 0u64), |(total, answering), meter| {
                let (state, _) = self.meter_state(contract, &meter.id, as_of);
                (total + 1, answering + u64::from(state == "answering"))
            });
            let seen = self.ports.get(id);
            let event = seen.and_then(|seen| seen.event.as_ref());
            let state = match event {
                Some((_, EventCode::PortLost, _)) => "lost",
                Some((_, EventCode::PortOpened, _)) => "open",
                _ if seen.is_some_and(|seen| seen.reading.is_some()) => "open",
                _ => "unknown",
            };
            json!({
                "id": id.as_str(),
                "kind": format!("{} {}", port.kind.name(), cut(port.kind.place())),
                "meters": total,
                "answering": answering,
                "state": state,
                "since": event.map(|(mark, ..)| query::rfc3339(mark.at)),
                "detail": event.and_then(|(.., detail)| detail.as_deref().map(cut)),
                "reading": seen.and_then(|seen| seen.reading).map(|mark| mark_json(mark, now)),
            })
        });
        ports.collect()
    }

    fn meters_json(&self, contract: &Contract, now: UtcNs, as_of: UtcNs) -> Value {
        let mut rows: Vec<(u8, Value)> = contract
            .meters
            .values()
            .map(|meter| {
                let seen = self.meters.get(&meter.id);
                let (state, badness) = self.meter_state(contract, &meter.id, as_of);
                let failure = seen.and_then(|seen| seen.failure);
                let row = json!({
                    "meter_id": meter.id.as_str(),
                    "port": meter.port.as_str(),
                    "schedule": meter.schedule.as_str(),
                    "state": state,
                    "reading": seen.and_then(|seen| seen.reading).map(|mark| mark_json(mark, now)),
                    "failed_in_a_row": seen.map_or(0, |seen| seen.failed_in_a_row),
                    "failure": failure.map(|(mark, _)| mark_json(mark, now)),
                    "cause": failure.map(|(_, cause)| cause.name()),
                });
                (badness, row)
            })
            .collect();
        if rows.len() > METERS_LISTED_MAX {
            rows.sort_by_key(|(badness, _)| std::cmp::Reverse(*badness));
            rows.truncate(METERS_LISTED_MAX);
        }
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// A meter's state in a word, and how bad it is.
    fn meter_state(&self, contract: &Contract, id: &MeterId, as_of: UtcNs) -> (&'static str, u8) {
        let Some(seen) = self.meters.get(id) else {
            return ("waiting", 1);
        };
        if seen.failed_in_a_row > 0 {
            return ("failing", 3);
        }
        let every_ms = contract
            .meters
            .get(id)
            .and_then(|meter| contract.schedules.get(&meter.schedule))
            .map_or(u64::MAX, |schedule| schedule.every_ms);
        // The slot's own length passes before the next reading is due, and its retries take time.
        let late_ms = every_ms.saturating_mul(LATE_SLOTS).saturating_add(5_000);
        match seen.reading {
            Some(mark) if age_ms(mark.at, as_of) > late_ms => ("late", 2),
            Some(_) => ("answering", 0),
            None => ("waiting", 1),
        }
    }

    fn uplink_json(&self, contract: &Contract, now: UtcNs) -> Value {
        let Some(uplink) = &contract.uplink else {
            return Value::Null;
        };
        json!({
            "url": uplink.url,
            "state": self.link.state.name(),
            "contacted_since_start": self.link.contacted,
            "since": self.link.since.map(query::rfc3339),
            "since_ms": self.link.since.map(|at| age_ms(at, now)),
            "cause": self.link.cause,
            "takes_nothing": self.link.contacted
                && !matches!(self.link.state, LinkState::Unknown | LinkState::Reached),
        })
    }
}

/// The unit of a point, where the contract names one.
pub(crate) fn unit_of<'c>(
    contract: &'c Contract,
    meter: &MeterId,
    point: &PointId,
) -> Option<&'c str> {
    let points = &contract.meters.get(meter)?.points;
    let point = points.iter().find(|one| one.id == *point)?;
    (!point.unit.is_empty()).then_some(point.unit.as_str())
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

fn mark_json(mark: Mark, now: UtcNs) -> Value {
    json!({
        "commit_id": mark.id.0,
        "timestamp": query::rfc3339(mark.at),
        "age_ms": age_ms(mark.at, now),
    })
}

fn put(value: &mut Value, key: &str, item: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), item);
    }
}

/// How long ago; 0 for what lies ahead, as after a step of the clock.
pub(crate) fn age_ms(at: UtcNs, now: UtcNs) -> u64 {
    u64::try_from(now.0.saturating_sub(at.0) / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests;
