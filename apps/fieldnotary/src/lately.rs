//! What a node did lately, learned from its entries: by the recorder as it commits, by a reader of its files.

mod clock;
mod link;
mod meters;
mod outputs;
mod points;
mod trust;

use crate::operated::Operated;
use clock::Clock;
use contract::Contract;
use evidence::kinds::{Event, Reading};
use evidence::reasons::EventCode;
use evidence::{CommitId, Decimal, MeterId, Payload, PointId, SourceId, Stamp, UtcNs};
use link::Link;
use meters::Meters;
use outputs::Outputs;
use points::Points;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use trust::Trust;

pub(crate) use points::glitches;

/// Characters of a wire that a report gives.
const TEXT_CHARS_MAX: usize = 120;
/// Characters of an event's detail: those of all ports and cards together leave room in a report for the rest.
const DETAIL_CHARS_MAX: usize = 400;

/// An entry and its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) id: CommitId,
    pub(crate) at: UtcNs,
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
    meters: Meters,
    ports: BTreeMap<SourceId, PortSeen>,
    points: Points,
    outputs: Outputs,
    link: Link,
    trust: Trust,
    /// Whether the newest run was told to stop, and did.
    stopped: bool,
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
        self.outputs.observe(mark, payload);
        self.trust.observe(payload);
        match payload {
            Payload::Reading(reading) => self.reading(mark, reading),
            Payload::Opaque(opaque) => self.meters.read(mark, &opaque.meter_id, opaque.seq),
            Payload::AttemptFailed(failed) => self.meters.failed(mark, failed),
            Payload::Checkpoint(checkpoint) => self.seal = Some((mark, checkpoint.size)),
            // The newest one is carried on to each segment, and nobody was reached for that.
            Payload::Ack(ack) if self.ack.is_none_or(|(_, size)| size != ack.size) => {
                self.ack = Some((mark, ack.size));
                self.link.acked(mark.at);
            }
            Payload::EpochStart(_) => {
                self.started = Some(mark);
                self.link.begins();
                self.stopped = false;
            }
            Payload::Event(event) => self.event(mark, event),
            Payload::CounterSnapshot(snapshot) => {
                self.link.recall(snapshot);
                self.points.observe(mark, payload);
            }
            other => self.points.observe(mark, other),
        }
    }

    fn reading(&mut self, mark: Mark, reading: &Reading) {
        self.meters.read(mark, &reading.meter_id, reading.seq);
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

    fn event(&mut self, mark: Mark, event: &Event) {
        match event.code {
            EventCode::PortOpened | EventCode::PortLost => {
                let seen = self.ports.entry(event.source.clone()).or_default();
                seen.event = Some((mark, event.code, event.detail.clone()));
            }
            EventCode::OrderlyStop => self.stopped = true,
            _ => self.link.event(mark.at, event),
        }
    }

    /// How the link to the collector stands, as counters of a frozen state.
    pub(crate) fn link_frozen(&self) -> Option<(&'static str, String, u64)> {
        self.link.frozen()
    }

    /// Takes in an entry behind which others are passed over: only what a run says once.
    pub(crate) fn observe_alone(&mut self, payload: &Payload) {
        self.trust.observe(payload);
    }

    /// Whether the newest run was told to stop, and did.
    pub(crate) const fn stopped(&self) -> bool {
        self.stopped
    }

    /// Entries sealed and cosigned, by the newest checkpoint and acknowledgement among the entries.
    pub(crate) fn reached(&self) -> (Option<u64>, Option<u64>) {
        let size = |seen: Option<(Mark, u64)>| seen.map(|(_, size)| size);
        (size(self.seal), size(self.ack))
    }

    /// What a status report says of keys, seals, boot and rollbacks.
    pub(crate) fn trust(&self) -> [(&'static str, Value); 6] {
        self.trust.report()
    }

    /// What is open about outputs.
    pub(crate) const fn operated(&self) -> &Operated {
        self.outputs.operated()
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
            ("meter_states", self.meters.json(contract, now, as_of)),
            ("cards", self.cards_json(contract)),
            (
                "points",
                self.points.json(contract, now, |card| self.lost(card)),
            ),
            ("outputs", self.outputs.json(contract, now)),
            ("uplink", self.link.json(contract, now)),
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
                let state = self.meters.state(contract, &meter.id, as_of);
                (total + 1, answering + u64::from(state.answers()))
            });
            let seen = self.ports.get(id);
            let event = seen.and_then(|seen| seen.event.as_ref());
            let state = match standing(event) {
                "unknown" if seen.is_some_and(|seen| seen.reading.is_some()) => "open",
                state => state,
            };
            json!({
                "id": id.as_str(),
                "kind": format!("{} {}", port.kind.name(), cut(port.kind.place())),
                "meters": total,
                "answering": answering,
                "state": state,
                "since": event.map(|(mark, ..)| query::rfc3339(mark.at)),
                "detail": event.and_then(|(.., detail)| detail.as_deref().map(told)),
                "reading": seen.and_then(|seen| seen.reading).map(|mark| mark_json(mark, now)),
            })
        });
        ports.collect()
    }

    /// The entry that told of the loss of a card which has not come back.
    fn lost(&self, card: &SourceId) -> Option<CommitId> {
        match self.ports.get(card)?.event.as_ref()? {
            (mark, EventCode::PortLost, _) => Some(mark.id),
            _ => None,
        }
    }

    /// Whether each card could be opened, as for a port.
    fn cards_json(&self, contract: &Contract) -> Value {
        let cards = contract.points.cards.iter().map(|(id, card)| {
            let event = self.ports.get(id).and_then(|seen| seen.event.as_ref());
            json!({
                "id": id.as_str(),
                "path": cut(&card.path),
                "state": standing(event),
                "since": event.map(|(mark, ..)| query::rfc3339(mark.at)),
                "detail": event.and_then(|(.., detail)| detail.as_deref().map(told)),
            })
        });
        cards.collect()
    }
}

/// Whether a port or card is open, by what was told of it last.
fn standing(event: Option<&(Mark, EventCode, Option<String>)>) -> &'static str {
    match event {
        Some((_, EventCode::PortLost, _)) => "lost",
        Some((_, EventCode::PortOpened, _)) => "open",
        _ => "unknown",
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

/// What an event says, where it is long up to a word.
fn told(detail: &str) -> String {
    crate::commands::up_to(detail, DETAIL_CHARS_MAX)
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
