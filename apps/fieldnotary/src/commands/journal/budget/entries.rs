//! The entries that a node of a configuration writes, as long as they will be: each is made and encoded.

use crate::roles::recorder::{meters_on, resting_counters};
use contract::{Address, Contract, Meter, Point, Schedule, Source, Table, ValueType};
use evidence::frozen::{self, names};
use evidence::kinds::{
    Ack, Analog, Checkpoint, Counter, CounterSnapshot, Marker, MeterReport, Opaque, PulseCount,
    Reading,
};
use evidence::reasons::{
    AnalogCause, CountBasis, CounterState, Custody, HoldoverReason, MarkerKind, TimeQuality,
    TimeStatus,
};
use evidence::{
    Blob, Captured, CommitId, Decimal, Digest, Entry, Epoch, Generation, Header, MonoNs, Payload,
    PointId, Quality, Seq, Slot, SourceId, Stamp, TimeDetail, UtcNs,
};
use io_plane::PortEngine;
use io_plane::limits::COUNTERS_PER_SNAPSHOT_MAX;
use io_plane::points::CardEngine;
use std::collections::BTreeMap;

/// A log of some age: its numbers have the length that they will have most of the time.
pub(super) const SIZE: u64 = 10_000_000;
/// Uptime in an entry: a month.
pub(super) const AT: MonoNs = MonoNs(2_600_000_000_000_000);
/// The time in an entry: 2026.
pub(super) const UTC: UtcNs = UtcNs(1_790_000_000_000_000_000);
/// Base64 of an authority's signature (P-256, DER), of an Ed25519 one and of a timestamped cosignature.
const SIGNATURE_CHARS: [usize; 3] = [100, 92, 104];
/// Bytes of a data record of an M-Bus meter: DIF, VIF and what most count with.
const RECORD_BYTES: usize = 6;
/// Bytes of a readout that is carried: one telegram of the full length.
const READOUT_BYTES: usize = 261;
/// Base64 of a root.
const ROOT_CHARS: usize = 44;

/// Bytes of entries by what causes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sizes {
    /// One snapshot of the recorder's counters.
    pub(super) counters: usize,
    pub(super) checkpoint: usize,
    /// A cosignature, where there is a collector.
    pub(super) ack: Option<usize>,
    pub(super) heartbeat: usize,
    /// What stands at the start of each segment.
    pub(super) frozen: Vec<usize>,
}

/// Bytes of everything but readings.
pub(super) fn sizes(contract: &Contract) -> Result<Sizes, String> {
    let own = SourceId::new("recorder").map_err(|error| error.to_string())?;
    let counters = CounterSnapshot {
        at: AT,
        counters: resting_counters(&own),
    };
    let checkpoint = Checkpoint {
        at: AT,
        size: SIZE,
        root: Digest([0; 32]),
        note: note(&contract.station.origin),
        custody: Custody::Software,
    };
    let ack = contract.uplink.as_ref().map(|uplink| {
        let name = uplink.collector_vkey.split('+').next().unwrap_or_default();
        let ack = Ack {
            at: AT,
            collector: name.to_owned(),
            size: SIZE,
            root: Digest([0; 32]),
            cosignature: signature(name, SIGNATURE_CHARS[2]),
        };
        bytes_of(ack.into())
    });
    let port = contract.ports.keys().next().unwrap_or(&own);
    let beat = Marker {
        at: AT,
        marker: MarkerKind::Heartbeat,
        source: port.clone(),
        schedule: contract.schedules.keys().next().cloned(),
        slot: Some(slot(60_000)),
        meter_id: None,
        seq: None,
        count: None,
        last_attempt: None,
        last_reply: None,
    };
    Ok(Sizes {
        counters: bytes_of(counters.into()),
        checkpoint: bytes_of(checkpoint.into()),
        ack,
        heartbeat: bytes_of(beat.into()),
        frozen: frozen_state(contract, &own, ack),
    })
}

/// Bytes of the readings of one session of a meter.
pub(super) fn session(meter: &Meter, every_ms: u64) -> Vec<usize> {
    let reading = |point: &Point| {
        if let Some(content_type) = &point.content_type {
            return bytes_of(opaque(meter, point, content_type, every_ms).into());
        }
        let reading = Reading {
            at: AT,
            meter_id: meter.id.clone(),
            point_id: point.id.clone(),
            source: meter.port.clone(),
            seq: Seq(SIZE),
            slot: Some(slot(every_ms)),
            attempt: 0,
            raw: Blob::from(vec![0; raw_bytes(point)].as_slice()),
            value: value(point),
            quality: Quality::GOOD,
            contract: CommitId(3),
        };
        bytes_of(reading.into())
    };
    let mut lengths: Vec<usize> = meter.points.iter().map(reading).collect();
    if let Address::Mbus(_) = meter.address {
        lengths.push(bytes_of(report(meter, every_ms).into()));
    }
    lengths
}

/// What is carried of a point in a session.
fn opaque(meter: &Meter, point: &Point, content_type: &str, every_ms: u64) -> Opaque {
    let bytes = match point.is_readout() {
        true => READOUT_BYTES,
        false => raw_bytes(point),
    };
    Opaque {
        at: AT,
        meter_id: meter.id.clone(),
        point_id: point.id.clone(),
        source: meter.port.clone(),
        seq: Seq(SIZE),
        slot: Some(slot(every_ms)),
        attempt: 1,
        content_type: content_type.to_owned(),
        length_bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        sha256: Digest([0; 32]),
        bytes: Blob::from(vec![0; bytes].as_slice()),
        quality: Quality::GOOD,
        contract: CommitId(3),
    }
}

/// What an M-Bus meter says of itself in each session.
fn report(meter: &Meter, every_ms: u64) -> MeterReport {
    MeterReport {
        at: AT,
        meter_id: meter.id.clone(),
        source: meter.port.clone(),
        seq: Seq(SIZE),
        slot: Some(slot(every_ms)),
        attempt: 1,
        serial: Some("12345678".to_owned()),
        manufacturer: Some("LUG".to_owned()),
        version: Some(4),
        medium: Some(4),
        access_number: Some(100),
        status: Some(0),
        clock: Some("2026-11-29T12:00:00".to_owned()),
        telegrams: 1,
        contract: CommitId(3),
        summer_time: Some(false),
    }
}

/// Bytes of the snapshots in which a port tells its counters.
pub(super) fn port_counters(contract: &Contract, port: &SourceId) -> Vec<usize> {
    let engine = PortEngine::new(contract, port, CommitId(3));
    let snapshots = engine.map_or_else(|_| Vec::new(), |engine| engine.snapshots(AT));
    let payloads = snapshots.iter().filter_map(|one| one.payload().ok());
    payloads.map(bytes_of).collect()
}

/// Bytes of what the points of a card say on a slot of a schedule.
pub(super) fn card_slot(contract: &Contract, card: &SourceId, schedule: &Schedule) -> Vec<usize> {
    let points = &contract.points;
    let at = |point: &PointId| (point.clone(), card.clone(), Some(slot(schedule.every_ms)));
    let following = points.following(card, &schedule.id);
    let record = |point: &&PointId| -> Option<Payload> {
        let (point_id, source, slot) = at(point);
        let number = Decimal::new(100_000, 0).ok()?;
        if let Some(pulse) = points.pulses.get(*point) {
            let policy = points.policies.get(&pulse.policy);
            let count = PulseCount {
                at: AT,
                point_id,
                source,
                line: u64::from(pulse.line),
                seq: Seq(SIZE),
                slot,
                count: 100_000,
                pulse_at: Some(AT),
                value: number.checked_mul(pulse.weight).ok(),
                quality: Quality::GOOD,
                basis: CountBasis::Live,
                suspect: 0,
                policy: pulse.policy.to_string(),
                window_us: policy.map_or(0, |policy| policy.window_us),
                contract: CommitId(3),
            };
            return Some(count.into());
        }
        let analog = points.analogs.get(*point)?;
        let value = Analog {
            at: AT,
            point_id,
            source,
            channel: analog.channel.clone(),
            seq: Seq(SIZE),
            slot,
            cause: AnalogCause::Cyclic,
            raw: Some(number),
            value: number.checked_mul(analog.scale).ok(),
            quality: Quality::GOOD,
            calibration: analog.calibration.clone(),
            contract: CommitId(3),
        };
        Some(value.into())
    };
    following.iter().filter_map(record).map(bytes_of).collect()
}

/// Bytes of the snapshots in which a card tells its counters.
pub(super) fn card_counters(contract: &Contract, card: &SourceId) -> Vec<usize> {
    let engine = CardEngine::new(contract, card, CommitId(3), &BTreeMap::new());
    let counters = engine.map_or_else(|_| Vec::new(), |engine| engine.counters());
    let parts = counters.chunks(COUNTERS_PER_SNAPSHOT_MAX);
    let snapshot = |part: &[Counter]| CounterSnapshot {
        at: AT,
        counters: part.to_vec(),
    };
    parts.map(|part| bytes_of(snapshot(part).into())).collect()
}

fn slot(every_ms: u64) -> Slot {
    let ms = u64::try_from(UTC.0 / 1_000_000).unwrap_or(0);
    Slot {
        version: 1,
        number: ms / every_ms.max(1),
    }
}

fn raw_bytes(point: &Point) -> usize {
    match &point.from {
        Source::Register(register) => match register.table {
            Table::Coil | Table::Discrete => 1,
            Table::Holding | Table::Input => usize::from(register.width()) * 2,
        },
        Source::Record(_) => RECORD_BYTES,
    }
}

/// A value from the middle of what the type can say, on a scale of lengths.
fn value(point: &Point) -> Option<Decimal> {
    let mantissa = match point.register().map(|register| register.value) {
        Some(ValueType::Bit) => 1,
        Some(ValueType::U16 | ValueType::I16 | ValueType::Bcd16) => 2_300,
        // A record of an M-Bus meter has eight digits as a rule.
        Some(ValueType::U32 | ValueType::I32 | ValueType::F32 | ValueType::Bcd32) | None => {
            1_000_000
        }
        Some(ValueType::U64 | ValueType::I64 | ValueType::F64 | ValueType::Bcd64) => 10_000_000_000,
    };
    let raw = Decimal::new(mantissa, 0).ok()?;
    raw.checked_mul(point.scale).ok()
}

/// The contract again, the ledger's state in counters, and the newest cosignature.
fn frozen_state(contract: &Contract, own: &SourceId, ack: Option<usize>) -> Vec<usize> {
    let counter = |name: &str, label: String, value: u64| Counter {
        name: name.to_owned(),
        label: Some(label),
        state: CounterState::Value,
        value: Some(value),
        source: own.clone(),
    };
    let number = slot(60_000).number;
    let streams = contract.ports.keys().map(|port| format!("port {port}"));
    let streams = streams.chain(contract.meters.keys().map(|meter| format!("meter {meter}")));
    let cards = contract.points.cards.keys();
    let cards = cards.flat_map(|card| [format!("port {card}"), format!("meter {card}")]);
    let streams = streams.chain(cards);
    let mut counters: Vec<Counter> = streams
        .map(|stream| counter(names::SEQ_WINDOW, stream, SIZE))
        .collect();
    for point in contract.points.pulses.keys() {
        counters.push(counter(names::PULSES, point.to_string(), 100_000));
    }
    for port in contract.ports.keys().chain(contract.points.cards.keys()) {
        for schedule in contract.schedules.keys() {
            let served = || meters_on(contract, port, schedule);
            if served().next().is_none() {
                continue;
            }
            let label = format!("{port} {schedule}");
            for name in [names::SLOT_VERSION, names::SLOT_OFFSET] {
                counters.push(counter(name, label.clone(), 1));
            }
            counters.push(counter(names::SLOT_EVERY, label.clone(), 60_000));
            for name in [names::SLOT_FLOOR, names::SLOT_NEXT] {
                counters.push(counter(name, label.clone(), number));
            }
            counters.extend(
                served()
                    .map(|meter| counter(names::SLOT_SERVED, format!("{label} {meter}"), number)),
            );
        }
    }
    let digest = contract.digest().to_string();
    counters.push(counter(names::CONTRACT_COMMIT, digest, 3));
    let boot = "0".repeat(ROOT_CHARS);
    counters.push(counter(names::EPOCH_BEGAN, boot.clone(), AT.0));
    if contract.time.is_some() {
        counters.push(counter(names::NEWEST_SYNCED, "UTC".to_owned(), AT.0));
        counters.push(counter(names::BOOT_TO_STABLE, boot, AT.0));
    }
    counters.push(counter(names::SEALED, "UTC".to_owned(), AT.0));
    for said in contract.calibration_entries(AT, CommitId(3)) {
        let label = format!("{} {} {}", said.point_id, said.digest, said.version);
        counters.push(counter(names::CALIBRATION, label, SIZE));
    }
    if contract.firmware.is_some() {
        let label = "0 0 same 100 - - -".to_owned();
        counters.push(counter(names::FIRMWARE, label, 100));
    }
    let parts = contract.parts(AT).into_iter().map(Payload::from);
    let state = frozen::snapshots(AT, own, &counters);
    let state = state.into_iter().map(Payload::from);
    parts.chain(state).map(bytes_of).chain(ack).collect()
}

fn note(origin: &str) -> String {
    let root = "0".repeat(ROOT_CHARS);
    let [authority, ed25519, _] = SIGNATURE_CHARS;
    let (first, second) = (signature(origin, authority), signature(origin, ed25519));
    format!("{origin}/g1\n{SIZE}\n{root}\n\n{first}{second}")
}

fn signature(name: &str, chars: usize) -> String {
    format!("\u{2014} {name} {}\n", "0".repeat(chars))
}

pub(super) fn bytes_of(payload: Payload) -> usize {
    let captured = Captured::new(&payload);
    let header = Header {
        kind: captured.kind,
        generation: Generation(1),
        commit_id: CommitId(SIZE),
        epoch: Epoch(10),
    };
    let stamp = Stamp {
        timestamp: UTC,
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    let entry = Entry {
        header,
        stamp,
        captured,
    };
    entry.encode().len()
}
