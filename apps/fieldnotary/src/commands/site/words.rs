//! What people added to a log, in words.

use crate::commands::words::time;
use evidence::kinds::{Maintenance, Probe, SignOff, Wiring};
use evidence::reasons::{MaintenancePhase, Outcome};
use evidence::{MeterId, Payload, SourceId};

/// What an entry of this kind says; nothing for other kinds.
pub(in crate::commands) fn site_words(payload: &Payload) -> Option<String> {
    Some(match payload {
        Payload::Probe(probe) => probe_words(probe),
        Payload::Maintenance(work) => maintenance_words(work),
        Payload::SignOff(signed) => sign_off_words(signed),
        Payload::Wiring(wiring) => wiring_words(wiring),
        _ => return None,
    })
}

/// What is meant by a port and a meter.
pub(super) fn on(source: Option<&SourceId>, meter: Option<&MeterId>) -> String {
    match (source, meter) {
        (_, Some(meter)) => format!("meter {meter}"),
        (Some(source), None) => format!("port {source}"),
        (None, None) => "the station".to_owned(),
    }
}

/// A measurement.
pub(super) fn probe_words(probe: &Probe) -> String {
    let after = |sign: &str, text: Option<String>| {
        text.map_or_else(String::new, |text| format!("{sign}{text}"))
    };
    let file = match (&probe.file_name, &probe.file) {
        (Some(name), Some(digest)) => format!(", {name} (attachments/{digest})"),
        _ => String::new(),
    };
    format!(
        "{}{}{} at {}, {}{}{file}{}",
        probe.probe,
        after(" ", probe.value.map(|value| value.to_string())),
        after(" ", probe.unit.clone()),
        on(probe.source.as_ref(), probe.meter_id.as_ref()),
        probe.actor,
        after(", measured ", probe.measured.map(time)),
        after(": ", probe.note.clone())
    )
}

fn maintenance_words(work: &Maintenance) -> String {
    let on = on(work.source.as_ref(), work.meter_id.as_ref());
    let phase = match work.phase {
        MaintenancePhase::Begin => "work begins",
        MaintenancePhase::End => "work has ended",
    };
    let until = work.until.map(time);
    let until = until.map_or_else(String::new, |until| format!(", meant to end {until}"));
    format!("{phase} on {on}{until}, {}: {}", work.actor, work.reason)
}

/// `m07/energy`, or a point of the station's own by its name alone.
pub(super) fn named(signed: &SignOff) -> String {
    let meter = signed.meter_id.as_ref();
    meter.map_or_else(
        || signed.point_id.to_string(),
        |meter| format!("{meter}/{}", signed.point_id),
    )
}

fn sign_off_words(signed: &SignOff) -> String {
    let verdict = match signed.outcome {
        Outcome::Done => "signed off",
        Outcome::Refused | Outcome::Failed => "NOT signed off",
    };
    let note = signed.note.as_ref();
    let note = note.map_or_else(String::new, |note| format!(": {note}"));
    format!(
        "{} {verdict}, entry {} read {}, in the field {} +- {}, {}{note}",
        named(signed),
        signed.reading,
        signed.value,
        signed.expected,
        signed.tolerance,
        signed.actor
    )
}

fn wiring_words(wiring: &Wiring) -> String {
    let place = |source: Option<&SourceId>, address: Option<&String>| match (source, address) {
        (Some(source), Some(address)) => format!("{source} address {address}"),
        _ => "nowhere".to_owned(),
    };
    format!(
        "meter {} {}: from {} to {} (configuration {})",
        wiring.meter_id,
        wiring.change.name(),
        place(wiring.was_source.as_ref(), wiring.was_address.as_ref()),
        place(wiring.source.as_ref(), wiring.address.as_ref()),
        wiring.contract
    )
}
