//! What meters say of themselves, and what was judged of them.

use evidence::kinds::{Backfill, ClockOrder, ClockSet, MeterLife, MeterReport, Opaque};
use evidence::{PointId, Seq};
use serde_json::{Value, json};

pub(super) fn report(report: &MeterReport, put: &mut impl FnMut(&str, Value)) {
    put("source", json!(report.source.as_str()));
    put("meter_id", json!(report.meter_id.as_str()));
    put("seq", json!(report.seq.0));
    put("slot", json!(report.slot.map(|slot| slot.to_string())));
    put("attempt", json!(report.attempt));
    put("serial", json!(report.serial));
    put("manufacturer", json!(report.manufacturer));
    put("version", json!(report.version));
    put("medium", json!(report.medium));
    put("access_number", json!(report.access_number));
    put("status", json!(report.status));
    put("clock", json!(report.clock));
    put("summer_time", json!(report.summer_time));
    put("telegrams", json!(report.telegrams));
}

pub(super) fn life(life: &MeterLife, put: &mut impl FnMut(&str, Value)) {
    put("source", json!(life.source.as_str()));
    put("meter_id", json!(life.meter_id.as_str()));
    put(
        "point_id",
        json!(life.point_id.as_ref().map(PointId::as_str)),
    );
    put("seq", json!(life.seq.0));
    put("finding", json!(life.finding.name()));
    put("before", json!(life.before.map(|value| value.to_string())));
    put("before_seq", json!(life.before_seq.map(|Seq(seq)| seq)));
    put("value", json!(life.value.map(|value| value.to_string())));
    put("about_seq", json!(life.about_seq.map(|Seq(seq)| seq)));
    put(
        "about_value",
        json!(life.about_value.map(|value| value.to_string())),
    );
    put("serial_before", json!(life.serial_before));
    put("serial", json!(life.serial));
    put("offset_ns", json!(life.offset_ns));
    put("bound_ns", json!(life.bound_ns));
    put(
        "clock_class",
        json!(life.clock_class.map(|class| class.name())),
    );
    put("contract", json!(life.contract.0));
}

pub(super) fn opaque(opaque: &Opaque, put: &mut impl FnMut(&str, Value)) {
    put("meter_id", json!(opaque.meter_id.as_str()));
    put("point_id", json!(opaque.point_id.as_str()));
    put("source", json!(opaque.source.as_str()));
    put("seq", json!(opaque.seq.0));
    put("slot", json!(opaque.slot.map(|slot| slot.to_string())));
    put("attempt", json!(opaque.attempt));
    put("content_type", json!(opaque.content_type));
    put("length_bytes", json!(opaque.length_bytes));
    put("sha256", json!(opaque.sha256.to_string()));
    put("bytes", json!(super::hex(&opaque.bytes.0)));
    put("quality", json!(opaque.quality.validity.name()));
    put("reason", json!(opaque.quality.reason.name()));
    put("contract", json!(opaque.contract.0));
}

pub(super) fn backfill(filled: &Backfill, put: &mut impl FnMut(&str, Value)) {
    put("meter_id", json!(filled.meter_id.as_str()));
    put(
        "point_id",
        json!(filled.point_id.as_ref().map(PointId::as_str)),
    );
    put("source", json!(filled.source.as_str()));
    put("schedule", json!(filled.schedule.as_str()));
    put("slot", json!(filled.slot.to_string()));
    put("outcome", json!(filled.outcome.name()));
    put("meter_time_s", json!(filled.meter_time_s));
    put("record", json!(filled.record));
    put(
        "raw",
        json!(filled.raw.as_ref().map(|raw| super::hex(&raw.0))),
    );
    put("value", json!(filled.value.map(|value| value.to_string())));
    put("quality", json!(filled.quality.validity.name()));
    put("reason", json!(filled.quality.reason.name()));
    put("contract", json!(filled.contract.0));
}

pub(super) fn clock_order(order: &ClockOrder, put: &mut impl FnMut(&str, Value)) {
    put("meter_id", json!(order.meter_id.as_str()));
    put("actor", json!(order.actor.as_str()));
    put("reason", json!(order.reason));
}

pub(super) fn clock_set(set: &ClockSet, put: &mut impl FnMut(&str, Value)) {
    put("meter_id", json!(set.meter_id.as_str()));
    put("source", json!(set.source.as_str()));
    put("order", json!(set.order.0));
    put("outcome", json!(set.outcome.name()));
    put("reason", json!(set.reason.name()));
    put("meter_time_s", json!(set.meter_time_s));
    put("sent_at_ns", json!(set.sent_at.map(|at| at.0)));
    put("exception", json!(set.exception));
    put("contract", json!(set.contract.0));
}
