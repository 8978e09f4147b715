//! What an entry says, in words: values with unit and quality, configurations with their content.

mod boot;
mod firmware;
mod keys;
mod meters;
mod outputs;
mod points;
mod stamps;

pub(super) use meters::{clock_set_words, life_words};

use super::site::site_words;
use super::words;
use crate::lately::glitches;
use contract::{Contract, PortKind};
use evidence::kinds::{
    Analog, AttemptFailed, Calibration, Configuration, CounterSnapshot, EpochStart, Event, Marker,
    Reading,
};
use evidence::reasons::QualityReason;
use evidence::{CommitId, Digest, MeterId, MonoNs, Payload, PointId, Quality};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Counters that a line shows.
const COUNTERS_SHOWN_MAX: usize = 4;

/// What the entries so far told: the contract in force, and the meters that were ever named.
#[derive(Debug, Default)]
pub(super) struct Known {
    parts: Vec<Configuration>,
    contract: Option<Contract>,
    meters: BTreeSet<String>,
    /// As `m07/energy` or `dio-1/door`.
    points: BTreeSet<String>,
    /// Pulses too short to be any, by point, as its card counted them last.
    glitches: BTreeMap<PointId, u64>,
    /// Digest of each version of a calibration, by point.
    calibrations: BTreeMap<(PointId, String), Digest>,
}

impl Known {
    /// Takes in an entry; true for a configuration's last part, with which it is whole.
    pub(super) fn observe(&mut self, payload: &Payload) -> bool {
        match payload {
            Payload::Reading(reading) => self.meter(&reading.meter_id),
            Payload::Opaque(opaque) => self.meter(&opaque.meter_id),
            Payload::AttemptFailed(failed) => self.meter(&failed.meter_id),
            Payload::Calibration(said) => self.calibrate(said),
            Payload::CounterSnapshot(told) => self.glitches.extend(glitches(told)),
            Payload::Configuration(part) => return self.configuration(part),
            _ => {}
        }
        false
    }

    fn meter(&mut self, meter: &MeterId) {
        if !self.meters.contains(meter.as_str()) {
            self.meters.insert(meter.to_string());
        }
    }

    fn configuration(&mut self, part: &Configuration) -> bool {
        if part.part == 0 {
            self.parts.clear();
        }
        self.parts.push(part.clone());
        let Ok(contract) = Contract::from_parts(&self.parts) else {
            return false;
        };
        contract.meters.keys().for_each(|meter| self.meter(meter));
        for meter in contract.meters.values() {
            let points = meter.points.iter();
            let named = points.map(|point| format!("{}/{}", meter.id, point.id));
            self.points.extend(named);
        }
        for card in contract.points.cards.keys() {
            let points = contract.points.on(card).into_iter();
            self.points
                .extend(points.map(|point| format!("{card}/{point}")));
        }
        let entries = contract.calibration_entries(MonoNs(0), CommitId(0));
        entries.for_each(|said| self.calibrate(&said));
        self.contract = Some(contract);
        true
    }

    fn calibrate(&mut self, said: &Calibration) {
        let key = (said.point_id.clone(), said.version.clone());
        self.calibrations.insert(key, said.digest);
    }

    /// The digest of the scaling that a value has, in brackets, where the entries so far tell it.
    fn calibrated(&self, analog: &Analog) -> String {
        let digest = self.calibration_of(analog);
        digest.map_or_else(String::new, |digest| {
            format!(" ({})", points::short(digest))
        })
    }

    /// The digest of the scaling that a value has.
    pub(super) fn calibration_of(&self, analog: &Analog) -> Option<Digest> {
        let version = analog.calibration.clone()?;
        let key = (analog.point_id.clone(), version);
        self.calibrations.get(&key).copied()
    }

    /// Every meter named so far.
    pub(super) fn meters(&self) -> impl Iterator<Item = &str> {
        self.meters.iter().map(String::as_str)
    }

    /// Every point named so far, with its meter or card.
    pub(super) fn points(&self) -> impl Iterator<Item = &str> {
        self.points.iter().map(String::as_str)
    }

    /// The unit of a reading's point.
    pub(super) fn unit(&self, reading: &Reading) -> Option<&str> {
        let contract = self.contract.as_ref()?;
        crate::lately::unit_of(contract, &reading.meter_id, &reading.point_id)
    }

    /// The unit of one of the station's own points, with a space before it.
    fn point_unit(&self, point: &PointId) -> String {
        let contract = self.contract.as_ref();
        match contract.map_or("", |contract| contract.points.unit_of(point)) {
            "" => String::new(),
            unit => format!(" {unit}"),
        }
    }

    /// Whether a point is a digital output.
    fn is_digital(&self, point: &PointId) -> bool {
        let contract = self.contract.as_ref();
        contract.is_some_and(|contract| contract.points.digital_outputs.contains_key(point))
    }

    /// What is spoken on a port.
    pub(super) fn spoken_on(&self, port: &str) -> Option<&PortKind> {
        let ports = &self.contract.as_ref()?.ports;
        let found = ports.iter().find(|(id, _)| id.as_str() == port);
        found.map(|(_, port)| &port.kind)
    }

    /// The contract in force, for programs.
    pub(super) fn content(&self) -> Option<Value> {
        let contract = self.contract.as_ref()?;
        let ports = contract.ports.iter().map(|(id, port)| {
            let wire = port.kind.place();
            json!({"id": id.as_str(), "wire": wire, "timeout_ms": port.timeout_ms, "retries": port.retries})
        });
        let schedules = contract.schedules.values().map(|one| {
            json!({"id": one.id.as_str(), "every_ms": one.every_ms, "offset_ms": one.offset_ms})
        });
        let meters = contract.meters.values().map(|meter| {
            let points: Vec<Value> = meter
                .points
                .iter()
                .map(|point| json!({"id": point.id.as_str(), "unit": point.unit}))
                .collect();
            json!({
                "id": meter.id.as_str(),
                "port": meter.port.as_str(),
                "unit": meter.unit(),
                "address": meter.address.to_string(),
                "schedule": meter.schedule.as_str(),
                "points": points,
            })
        });
        Some(json!({
            "origin": contract.station.origin,
            "name": contract.station.name,
            "uplink": contract.uplink.as_ref().map(|uplink| &uplink.url),
            "ports": ports.collect::<Vec<_>>(),
            "schedules": schedules.collect::<Vec<_>>(),
            "meters": meters.collect::<Vec<_>>(),
        }))
    }
}

/// What an entry says, to whoever knows nothing else of the log.
pub(crate) fn entry_words(payload: &Payload) -> String {
    what(Some(payload), &Known::default(), false)
}

/// What an entry says; `whole` tells that it completes a configuration.
pub(super) fn what(payload: Option<&Payload>, known: &Known, whole: bool) -> String {
    match payload {
        None => "cannot be read: its record CRC or encoding does not hold".to_owned(),
        Some(Payload::Reading(reading)) => reading_words(reading, known.unit(reading)),
        Some(Payload::AttemptFailed(failed)) => failed_words(failed),
        Some(Payload::Event(event)) => event_words(event),
        Some(Payload::Marker(marker)) => marker_words(marker),
        Some(Payload::CounterSnapshot(snapshot)) => counters_words(snapshot),
        Some(Payload::Configuration(part)) => configuration_words(part, known, whole),
        Some(Payload::Soe(soe)) => points::soe_words(soe, known),
        Some(Payload::PulseCount(pulse)) => points::pulse_words(pulse, known),
        Some(Payload::Analog(analog)) => points::analog_words(analog, known),
        Some(Payload::Calibration(said)) => points::calibration_words(said),
        Some(Payload::KeyStore(store)) => keys::store_words(store),
        Some(Payload::Binding(binding)) => keys::binding_words(binding),
        Some(Payload::Unsealed(unsealed)) => keys::unsealed_words(unsealed),
        Some(Payload::Rollback(found)) => keys::rollback_words(found),
        Some(Payload::KeyUse(told)) => keys::use_words(told),
        Some(Payload::Boot(boot)) => boot::boot_words(boot),
        Some(Payload::Attestation(told)) => boot::attestation_words(told),
        Some(Payload::Firmware(told)) => firmware::firmware_words(told),
        Some(Payload::Enrolment(enrolment)) => keys::enrolment_words(enrolment),
        Some(Payload::KeyRotation(told)) => keys::rotation_words(told),
        Some(Payload::Revocation(told)) => keys::revocation_words(told),
        Some(Payload::Timestamp(told)) => stamps::stamp_words(told),
        Some(Payload::TimestampFailed(told)) => stamps::failed_words(told),
        Some(Payload::Excursion(excursion)) => points::excursion_words(excursion, known),
        Some(Payload::ModemReport(report)) => points::modem_words(report),
        Some(Payload::ResetReason(reason)) => points::reset_words(reason),
        Some(Payload::Command(command)) => outputs::command_words(command, known),
        Some(Payload::Output(output)) => outputs::output_words(output, known),
        Some(Payload::Tag(tag)) => outputs::tag_words(tag),
        Some(other) => rest_words(other),
    }
}

fn reading_words(reading: &Reading, unit: Option<&str>) -> String {
    let value = reading
        .value
        .map_or_else(|| "no value".to_owned(), |value| value.to_string());
    let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
    let quality = quality_words(reading.quality);
    let (meter, point, seq) = (&reading.meter_id, &reading.point_id, reading.seq.0);
    format!("{meter}/{point} {value}{unit}, {quality}, seq {seq}")
}

fn quality_words(quality: Quality) -> String {
    match quality.reason {
        QualityReason::None => quality.validity.name().to_owned(),
        reason => format!("{} ({reason})", quality.validity.name()),
    }
}

fn failed_words(failed: &AttemptFailed) -> String {
    let exception = failed
        .exception
        .map_or_else(String::new, |code| format!(" {code}"));
    let then = if failed.last {
        "given up"
    } else {
        "tried again"
    };
    format!(
        "{}: {}{exception}, attempt {} of seq {}, {then}",
        failed.meter_id,
        failed.cause.name(),
        failed.attempt,
        failed.seq.0
    )
}

fn event_words(event: &Event) -> String {
    let mut said = format!("{} {}", event.code.name(), event.source);
    if let Some(meter) = &event.meter_id {
        said += &format!("/{meter}");
    }
    // Nanoseconds stand in the event's words, with their unit.
    let counts_things = !event.code.counts_nanoseconds();
    let count = event.count.filter(|count| *count > 1 && counts_things);
    if let Some(count) = count {
        said += &format!(" x{count}");
    }
    if let Some(detail) = &event.detail {
        said += &format!(": {detail}");
    }
    said
}

fn marker_words(marker: &Marker) -> String {
    let mut said = format!("{} {}", marker.marker.name(), marker.source);
    if let Some(schedule) = &marker.schedule {
        said += &format!(" schedule {schedule}");
    }
    if let Some(meter) = &marker.meter_id {
        said += &format!(" meter {meter}");
    }
    if let Some(seq) = marker.seq {
        said += &format!(" from seq {}", seq.0);
    }
    if let Some(slot) = marker.slot {
        said += &format!(" slot {slot}");
    }
    if let Some(count) = marker.count {
        said += &format!(", {count} of them");
    }
    said
}

fn counters_words(snapshot: &CounterSnapshot) -> String {
    let told = || {
        let counters = snapshot.counters.iter();
        counters.filter_map(|counter| Some((counter, counter.value.filter(|value| *value > 0)?)))
    };
    let mut shown: Vec<String> = told()
        .take(COUNTERS_SHOWN_MAX)
        .map(|(counter, value)| match counter.name.as_str() {
            name if name.starts_with("commit_latency") => {
                format!("{name} {}", words::nanoseconds(value))
            }
            name => match &counter.label {
                Some(label) => format!("{name} {label} {value}"),
                None => format!("{name} {value}"),
            },
        })
        .collect();
    if told().count() > COUNTERS_SHOWN_MAX {
        shown.push("...".to_owned());
    }
    let all = snapshot.counters.len();
    match shown.is_empty() {
        true => format!("{all} counters, all 0 or unsupported"),
        false => format!("{all} counters: {}", shown.join(", ")),
    }
}

fn configuration_words(part: &Configuration, known: &Known, whole: bool) -> String {
    let (number, of) = (part.part + 1, part.parts);
    let Some(contract) = known.contract.as_ref().filter(|_| whole) else {
        return format!("part {number} of {of} of {}", part.digest);
    };
    let points: usize = contract.meters.values().map(|one| one.points.len()).sum();
    let uplink = contract
        .uplink
        .as_ref()
        .map_or("no uplink", |uplink| &uplink.url);
    let schedules: Vec<String> = contract
        .schedules
        .values()
        .map(|one| format!("{} every {}", one.id, words::span(one.every_ms)))
        .collect();
    let digest: String = part.digest.to_string().chars().take(16).collect();
    format!(
        "{}: {}, {}, {}, {}, {uplink}, digest {digest}...",
        contract.station.origin,
        words::count(contract.ports.len() as u64, "port", "ports"),
        words::count(contract.meters.len() as u64, "meter", "meters"),
        words::count(points as u64, "point", "points"),
        schedules.join(", "),
    )
}

fn epoch_words(epoch: &EpochStart) -> String {
    let mut said = format!(
        "{}, truth store {}",
        epoch.cause.name(),
        epoch.truth_class.name()
    );
    if let Some(before) = &epoch.predecessor {
        let cause = before
            .cause
            .map_or("", evidence::reasons::AdoptionCause::name);
        let (generation, size) = (before.generation, before.size);
        said += &format!(", {cause}: follows generation {generation} at {size} entries");
    }
    if epoch.rolled_forward > 0 {
        said += &format!(", {} entries rolled forward", epoch.rolled_forward);
    }
    if epoch.dropped_bytes > 0 {
        let dropped = words::bytes(epoch.dropped_bytes);
        said += &format!(", {dropped} of an unfinished write dropped");
    }
    said
}

/// Kinds with a line each.
fn rest_words(payload: &Payload) -> String {
    match payload {
        Payload::Checkpoint(checkpoint) => format!(
            "{} entries sealed ({})",
            checkpoint.size,
            checkpoint.custody.name()
        ),
        Payload::Ack(ack) => format!("{} entries cosigned by {}", ack.size, ack.collector),
        Payload::EpochStart(epoch) => epoch_words(epoch),
        Payload::Downtime(downtime) => format!(
            "{}{} schedule {}: {} from slot {} on, {}",
            downtime.source,
            downtime
                .meter_id
                .as_ref()
                .map_or_else(String::new, |meter| format!("/{meter}")),
            downtime.schedule,
            downtime.count.map_or_else(
                || "slots of unknown number".to_owned(),
                |count| { words::count(count, "slot", "slots") }
            ),
            downtime.first,
            downtime.cause.name()
        ),
        Payload::SeqSkip(skip) => format!(
            "{}: {} from {} on never attempted{}, {}",
            skip.meter_id,
            words::count(skip.count, "number", "numbers"),
            skip.first.0,
            match skip.cause {
                evidence::reasons::SkipCause::Adoption => " in this generation",
                evidence::reasons::SkipCause::LeaseAbandoned
                | evidence::reasons::SkipCause::Removed
                | evidence::reasons::SkipCause::Begun => "",
            },
            skip.cause.name()
        ),
        Payload::Loss(loss) => format!(
            "{} from {} on, {}",
            words::count(loss.count, "entry", "entries"),
            loss.first,
            loss.cause.name()
        ),
        Payload::Unkept(unkept) => format!(
            "{} from {} on did not pass by keep-{}, {}{}",
            words::count(unkept.count, "entry", "entries"),
            unkept.first,
            unkept.store,
            unkept.cause,
            unkept
                .says
                .iter()
                .map(|says| format!(": {says}"))
                .collect::<String>()
        ),
        Payload::TimeMap(map) => format!("{} by {}", words::time(map.utc), map.basis),
        Payload::Audit(audit) => format!(
            "{} {} {}: {} ({})",
            audit.actor,
            audit.action,
            audit.scope,
            audit.outcome.name(),
            audit.reason
        ),
        Payload::MeterReport(report) => meters::report_words(report),
        Payload::ClockOrder(order) => meters::clock_order_words(order),
        Payload::ClockSet(set) => meters::clock_set_words(set),
        Payload::MeterLife(life) => meters::life_words(life),
        Payload::Backfill(filled) => meters::backfill_words(filled),
        Payload::Opaque(opaque) => meters::opaque_words(opaque),
        other => site_words(other).unwrap_or_else(|| other.kind().name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::event_words;
    use evidence::kinds::Event;
    use evidence::reasons::EventCode;
    use evidence::{MonoNs, SourceId};

    #[test]
    fn a_count_of_nanoseconds_is_not_called_so_many_events() {
        for code in EventCode::ALL {
            let said = event_words(&Event {
                count: Some(5_000_000_000),
                ..Event::new(MonoNs(0), *code, SourceId::new("time").unwrap())
            });
            let counts_ns = code.meaning().contains("the count is nanoseconds");
            assert_eq!(said.contains(" x5000000000"), !counts_ns, "{said}");
        }
    }
}
