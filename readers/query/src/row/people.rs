//! What people add to a log, and where meters are attached.

use evidence::kinds::{Maintenance, Probe, SignOff, Wiring};
use evidence::{MeterId, Payload, SourceId};
use serde_json::{Value, json};

use super::rfc3339;

pub(super) fn fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::Probe(probe) => probe_fields(probe, put),
        Payload::Maintenance(work) => maintenance_fields(work, put),
        Payload::SignOff(signed) => sign_off_fields(signed, put),
        Payload::Wiring(wiring) => wiring_fields(wiring, put),
        _ => {}
    }
}

fn probe_fields(probe: &Probe, put: &mut impl FnMut(&str, Value)) {
    put("probe", json!(probe.probe));
    put("actor", json!(probe.actor.as_str()));
    put("source", json!(probe.source.as_ref().map(SourceId::as_str)));
    put(
        "meter_id",
        json!(probe.meter_id.as_ref().map(MeterId::as_str)),
    );
    put("value", json!(probe.value.map(|value| value.to_string())));
    put("unit", json!(probe.unit));
    put("file", json!(probe.file.map(|file| file.to_string())));
    put("file_name", json!(probe.file_name));
    put("file_bytes", json!(probe.file_bytes));
    put("measured", json!(probe.measured.map(rfc3339)));
    put("detail", json!(probe.note));
}

fn maintenance_fields(work: &Maintenance, put: &mut impl FnMut(&str, Value)) {
    put("phase", json!(work.phase.name()));
    put("actor", json!(work.actor.as_str()));
    put("source", json!(work.source.as_ref().map(SourceId::as_str)));
    put(
        "meter_id",
        json!(work.meter_id.as_ref().map(MeterId::as_str)),
    );
    put("until", json!(work.until.map(rfc3339)));
    put("detail", json!(work.reason));
}

fn sign_off_fields(signed: &SignOff, put: &mut impl FnMut(&str, Value)) {
    put("actor", json!(signed.actor.as_str()));
    put(
        "meter_id",
        json!(signed.meter_id.as_ref().map(MeterId::as_str)),
    );
    put("point_id", json!(signed.point_id.as_str()));
    put("reading", json!(signed.reading.0));
    put("value", json!(signed.value.to_string()));
    put("expected", json!(signed.expected.to_string()));
    put("tolerance", json!(signed.tolerance.to_string()));
    put("outcome", json!(signed.outcome.name()));
    put("sessions", json!(signed.sessions));
    put("incomplete", json!(signed.incomplete));
    put("span_ns", json!(signed.span_ns));
    put("detail", json!(signed.note));
}

fn wiring_fields(wiring: &Wiring, put: &mut impl FnMut(&str, Value)) {
    put("change", json!(wiring.change.name()));
    put("meter_id", json!(wiring.meter_id.as_str()));
    put(
        "was_source",
        json!(wiring.was_source.as_ref().map(SourceId::as_str)),
    );
    put("was_address", json!(wiring.was_address));
    put(
        "source",
        json!(wiring.source.as_ref().map(SourceId::as_str)),
    );
    put("address", json!(wiring.address));
    put("contract", json!(wiring.contract.0));
}
