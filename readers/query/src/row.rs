//! One entry as a line that people and programs read; the same names at node and collector.

mod boot;
mod firmware;
mod keys;
mod meters;
mod outputs;
mod people;
mod points;
mod stamps;

use evidence::kinds::{AttemptFailed, Event, Marker};
use evidence::reasons::{QualityReason, TimeCause};
use evidence::{Entry, EntryError, Payload, TimeDetail, UtcNs};
use serde_json::{Map, Value, json};

/// RFC 3339 in UTC with nanoseconds, or the bare number where no calendar reaches.
#[must_use]
pub fn rfc3339(at: UtcNs) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.0)).map_or_else(
        |_| at.0.to_string(),
        |at| {
            jiff::fmt::temporal::DateTimePrinter::new()
                .precision(Some(9))
                .timestamp_to_string(&at)
        },
    )
}

/// The entry's row: `commit_id`, `kind`, `event_id`, then what it says, then its time and CRC.
#[must_use]
pub fn row(entry: &Entry) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            row.insert(name.to_owned(), value);
        }
    };
    put("commit_id", json!(entry.header.commit_id.0));
    put("kind", json!(entry.header.kind.name()));
    put("event_id", json!(entry.header.id().to_string()));
    match entry.payload() {
        Ok(payload) => payload_fields(&payload, &mut put),
        Err(error) => {
            put("quality", json!("invalid"));
            put(
                "reason",
                json!(match error {
                    EntryError::RecordCrc { .. } => "record_crc",
                    _ => QualityReason::Undecodable.name(),
                }),
            );
            put("detail", json!(error.to_string()));
        }
    }
    put("timestamp", json!(rfc3339(entry.stamp.timestamp)));
    put("time_quality", json!(entry.stamp.quality.name()));
    put("time_status", json!(entry.stamp.status.name()));
    match entry.stamp.detail {
        TimeDetail::Offset(bucket) => put("offset_bucket", json!(bucket.name())),
        TimeDetail::Holdover(reason) => put("holdover_reason", json!(reason.name())),
    }
    put("time_bound_ns", json!(entry.stamp.bound_ns));
    put("epoch", json!(entry.header.epoch.0));
    put(
        "record_crc",
        json!(format!("{:08x}", entry.captured.record_crc)),
    );
    put("record_crc_ok", json!(entry.captured.crc_holds()));
    row
}

fn payload_fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::Reading(reading) => {
            put("meter_id", json!(reading.meter_id.as_str()));
            put("point_id", json!(reading.point_id.as_str()));
            put("source", json!(reading.source.as_str()));
            put("seq", json!(reading.seq.0));
            put("slot", json!(reading.slot.map(|slot| slot.to_string())));
            put("value", json!(reading.value.map(|value| value.to_string())));
            put("quality", json!(reading.quality.validity.name()));
            put("reason", json!(reading.quality.reason.name()));
            put("attempt", json!(reading.attempt));
            put("raw", json!(hex(&reading.raw.0)));
            put("contract", json!(reading.contract.0));
        }
        Payload::AttemptFailed(failed) => attempt_fields(failed, put),
        Payload::Event(event) => event_fields(event, put),
        Payload::Marker(marker) => marker_fields(marker, put),
        Payload::Audit(audit) => {
            put("actor", json!(audit.actor.as_str()));
            put("action", json!(audit.action));
            put("reason", json!(audit.reason));
            put("scope", json!(audit.scope));
            put("outcome", json!(audit.outcome.name()));
            put("diff", json!(audit.diff));
        }
        Payload::CounterSnapshot(snapshot) => {
            let counters: Vec<Value> = snapshot
                .counters
                .iter()
                .map(|counter| {
                    json!({
                        "name": counter.name,
                        "label": counter.label,
                        "state": counter.state.name(),
                        "value": counter.value,
                        "source": counter.source.as_str(),
                    })
                })
                .collect();
            put("counters", Value::Array(counters));
            put("mono_ns", json!(snapshot.at.0));
        }
        Payload::Soe(soe) => points::soe(soe, put),
        Payload::PulseCount(pulse) => points::pulse(pulse, put),
        Payload::Analog(analog) => points::analog(analog, put),
        Payload::Excursion(excursion) => points::excursion(excursion, put),
        Payload::ModemReport(report) => points::modem(report, put),
        Payload::ResetReason(reason) => points::reset(reason, put),
        Payload::Command(_) | Payload::Output(_) | Payload::Tag(_) => outputs::fields(payload, put),
        Payload::ClockOrder(order) => meters::clock_order(order, put),
        Payload::ClockSet(set) => meters::clock_set(set, put),
        other if stamps::fields(other, put) => {}
        other => proof_fields(other, put),
    }
}

fn proof_fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::Checkpoint(checkpoint) => {
            put("size", json!(checkpoint.size));
            put("root", json!(checkpoint.root.to_string()));
            put("custody", json!(checkpoint.custody.name()));
        }
        Payload::Ack(ack) => {
            put("source", json!(ack.collector));
            put("size", json!(ack.size));
            put("root", json!(ack.root.to_string()));
        }
        Payload::EpochStart(epoch) => {
            put("cause", json!(epoch.cause.name()));
            put("boot_id", json!(epoch.boot_id.to_string()));
            put("truth_class", json!(epoch.truth_class.name()));
            put("truth_degraded", json!(epoch.truth_degraded));
            put("rolled_forward", json!(epoch.rolled_forward));
            put("dropped_bytes", json!(epoch.dropped_bytes));
            put("journal_scan_bytes", json!(epoch.scan_bytes));
            put("recovery_us", json!(epoch.recovery_us));
            put(
                "predecessor",
                json!(epoch.predecessor.as_ref().map(|before| format!(
                    "{}:{} {}",
                    before.generation, before.size, before.root
                ))),
            );
            if let Some(cause) = epoch.predecessor.as_ref().and_then(|before| before.cause) {
                put("adoption_cause", json!(cause.name()));
            }
        }
        Payload::Downtime(downtime) => {
            put("source", json!(downtime.source.as_str()));
            let meter = downtime.meter_id.as_ref();
            put("meter_id", json!(meter.map(evidence::MeterId::as_str)));
            put("schedule", json!(downtime.schedule.as_str()));
            put("slot", json!(downtime.first.to_string()));
            put("count", json!(downtime.count));
            put("cause", json!(downtime.cause.name()));
        }
        Payload::SeqSkip(skip) => {
            put("meter_id", json!(skip.meter_id.as_str()));
            put("seq", json!(skip.first.0));
            put("count", json!(skip.count));
            put("cause", json!(skip.cause.name()));
        }
        Payload::Loss(loss) => {
            put("first", json!(loss.first.0));
            put("count", json!(loss.count));
            put("cause", json!(loss.cause.name()));
            put("segment", json!(loss.segment));
            put("offset_bytes", json!(loss.offset_bytes));
        }
        Payload::Unkept(unkept) => {
            put("store", json!(unkept.store.name()));
            put("first", json!(unkept.first.0));
            put("count", json!(unkept.count));
            put("cause", json!(unkept.cause.name()));
            put("says", json!(unkept.says));
        }
        Payload::Calibration(said) => points::calibration(said, put),
        Payload::Configuration(part) => {
            put("digest", json!(part.digest.to_string()));
            put("part", json!(part.part));
            put("parts", json!(part.parts));
        }
        Payload::TimeMap(map) => {
            put("utc", json!(rfc3339(map.utc)));
            put("basis", json!(map.basis));
        }
        Payload::MeterReport(report) => meters::report(report, put),
        Payload::MeterLife(life) => meters::life(life, put),
        Payload::Backfill(filled) => meters::backfill(filled, put),
        Payload::Opaque(opaque) => meters::opaque(opaque, put),
        other => firmware::fields(other, put),
    }
}

fn attempt_fields(failed: &AttemptFailed, put: &mut impl FnMut(&str, Value)) {
    put("meter_id", json!(failed.meter_id.as_str()));
    put("source", json!(failed.source.as_str()));
    put("seq", json!(failed.seq.0));
    put("slot", json!(failed.slot.map(|slot| slot.to_string())));
    put("attempt", json!(failed.attempt));
    put("last", json!(failed.last));
    put("quality", json!("invalid"));
    put("reason", json!(failed.cause.name()));
    put("exception", json!(failed.exception));
    let points: Vec<&str> = failed
        .points
        .iter()
        .map(evidence::PointId::as_str)
        .collect();
    put("points", json!(points));
    put(
        "sample",
        json!(failed.sample.as_ref().map(|sample| hex(&sample.0))),
    );
}

fn event_fields(event: &Event, put: &mut impl FnMut(&str, Value)) {
    put("code", json!(event.code.name()));
    put(
        "meter_id",
        json!(event.meter_id.as_ref().map(evidence::MeterId::as_str)),
    );
    put("source", json!(event.source.as_str()));
    put("seq", json!(event.seq.map(|seq| seq.0)));
    put("about_seq", json!(event.about_seq.map(|seq| seq.0)));
    put("count", json!(event.count));
    put("time_cause", json!(event.time_cause.map(TimeCause::name)));
    put("detail", json!(event.detail));
    put(
        "sample",
        json!(event.sample.as_ref().map(|sample| hex(&sample.0))),
    );
    put("mono_ns", json!(event.at.0));
}

fn marker_fields(marker: &Marker, put: &mut impl FnMut(&str, Value)) {
    put("marker", json!(marker.marker.name()));
    put("source", json!(marker.source.as_str()));
    put(
        "schedule",
        json!(marker.schedule.as_ref().map(evidence::ScheduleId::as_str)),
    );
    put(
        "meter_id",
        json!(marker.meter_id.as_ref().map(evidence::MeterId::as_str)),
    );
    put("seq", json!(marker.seq.map(|seq| seq.0)));
    put("count", json!(marker.count));
    put("slot", json!(marker.slot.map(|slot| slot.to_string())));
    put(
        "last_attempt_mono_ns",
        json!(marker.last_attempt.map(|at| at.0)),
    );
    put(
        "last_reply_mono_ns",
        json!(marker.last_reply.map(|at| at.0)),
    );
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{rfc3339, row};
    use evidence::kinds::Reading;
    use evidence::reasons::{HoldoverReason, TimeQuality, TimeStatus};
    use evidence::{
        Blob, Captured, CommitId, Entry, Epoch, Generation, Header, Kind, MeterId, MonoNs, PointId,
        Quality, Seq, Slot, SourceId, Stamp, TimeDetail, UtcNs,
    };

    fn entry() -> Entry {
        let reading = Reading {
            at: MonoNs(1),
            meter_id: MeterId::new("m07").unwrap(),
            point_id: PointId::new("energy").unwrap(),
            source: SourceId::new("rs485-1").unwrap(),
            seq: Seq(41),
            slot: Some(Slot {
                version: 1,
                number: 99,
            }),
            attempt: 0,
            raw: Blob(vec![0, 1]),
            value: Some("0.10".parse().unwrap()),
            quality: Quality::GOOD,
            contract: CommitId(1),
        };
        Entry {
            header: Header {
                kind: Kind::Reading,
                generation: Generation(1),
                commit_id: CommitId(300),
                epoch: Epoch(2),
            },
            stamp: Stamp {
                timestamp: UtcNs(1_700_000_000_000_000_001),
                quality: TimeQuality::RtcOnly,
                status: TimeStatus::FreeRun,
                bound_ns: None,
                detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
            },
            captured: Captured::new(&reading.into()),
        }
    }

    //= A4.7
    //= R11.1
    #[test]
    fn a_reading_row_has_the_names_that_programs_rely_on() {
        let row = row(&entry());
        for (name, value) in [
            ("kind", "reading"),
            ("event_id", "1:300"),
            ("meter_id", "m07"),
            ("point_id", "energy"),
            ("source", "rs485-1"),
            ("slot", "1:99"),
            ("timestamp", "2023-11-14T22:13:20.000000001Z"),
            ("time_quality", "RTC_ONLY"),
            ("time_status", "free-run"),
            ("holdover_reason", "never_synchronised"),
            ("value", "0.10"),
            ("quality", "good"),
            ("reason", "none"),
        ] {
            assert_eq!(row[name], value, "{name}");
        }
        assert_eq!(
            (row["commit_id"].as_u64(), row["seq"].as_u64()),
            (Some(300), Some(41))
        );
        assert_eq!(row["record_crc"].as_str().unwrap().len(), 8);
    }

    //= A4.1
    #[test]
    fn a_record_that_fails_its_crc_is_shown_as_invalid() {
        let mut damaged = entry();
        damaged.captured.record_crc ^= 1;
        assert_eq!(row(&damaged)["quality"], "invalid");
    }

    #[test]
    fn timestamps_before_1970_and_at_the_edges_are_still_text() {
        assert_eq!(rfc3339(UtcNs(-1)), "1969-12-31T23:59:59.999999999Z");
        assert!(!rfc3339(UtcNs(i64::MIN)).is_empty());
    }
}
