//! Records of the station's own points.

use evidence::kinds::{Analog, Calibration, Excursion, ModemReport, PulseCount, ResetReason, Soe};
use evidence::reasons::{Band, EdgeLossCause, FieldMarker};
use serde_json::{Value, json};

pub(super) fn soe(soe: &Soe, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(soe.point_id.as_str()));
    put("source", json!(soe.source.as_str()));
    put("line", json!(soe.line));
    put("seq", json!(soe.seq.0));
    put("change", json!(soe.change.name()));
    put("value", json!(soe.value.map(u8::from)));
    put("quality", json!(soe.quality.validity.name()));
    put("reason", json!(soe.quality.reason.name()));
    put("debounce", json!(soe.policy));
    put("debounce_window_us", json!(soe.window_us));
    let held_ns = soe.confirmed_at.map(|at| at.since(soe.at));
    put("confirmed_after_ns", json!(held_ns));
    let bounced_ns = soe.bounce_from.map(|from| soe.at.since(from));
    put("bounced_ns", json!(bounced_ns));
    put("count", json!(soe.count));
    put("loss", json!(soe.loss.map(EdgeLossCause::name)));
    put("marker", json!(soe.marker.map(FieldMarker::name)));
    put("contract", json!(soe.contract.0));
    put("mono_ns", json!(soe.at.0));
}

pub(super) fn pulse(pulse: &PulseCount, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(pulse.point_id.as_str()));
    put("source", json!(pulse.source.as_str()));
    put("line", json!(pulse.line));
    put("seq", json!(pulse.seq.0));
    put("slot", json!(pulse.slot.map(|slot| slot.to_string())));
    put("count", json!(pulse.count));
    put("value", json!(pulse.value.map(|value| value.to_string())));
    put("quality", json!(pulse.quality.validity.name()));
    put("reason", json!(pulse.quality.reason.name()));
    put("basis", json!(pulse.basis.name()));
    put("suspect", json!(pulse.suspect));
    let age_ns = pulse.pulse_at.map(|at| pulse.at.since(at));
    put("last_pulse_age_ns", json!(age_ns));
    put("debounce", json!(pulse.policy));
    put("debounce_window_us", json!(pulse.window_us));
    put("contract", json!(pulse.contract.0));
    put("mono_ns", json!(pulse.at.0));
}

pub(super) fn analog(analog: &Analog, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(analog.point_id.as_str()));
    put("source", json!(analog.source.as_str()));
    put("channel", json!(analog.channel));
    put("seq", json!(analog.seq.0));
    put("slot", json!(analog.slot.map(|slot| slot.to_string())));
    put("cause", json!(analog.cause.name()));
    put("raw", json!(analog.raw.map(|raw| raw.to_string())));
    put("value", json!(analog.value.map(|value| value.to_string())));
    put("quality", json!(analog.quality.validity.name()));
    put("reason", json!(analog.quality.reason.name()));
    put("calibration", json!(analog.calibration));
    put("contract", json!(analog.contract.0));
    put("mono_ns", json!(analog.at.0));
}

pub(super) fn calibration(said: &Calibration, put: &mut impl FnMut(&str, Value)) {
    let number = |value: Option<evidence::Decimal>| json!(value.map(|value| value.to_string()));
    put("point_id", json!(said.point_id.as_str()));
    put("source", json!(said.source.as_str()));
    put("channel", json!(said.channel));
    put("calibration", json!(said.version));
    put("digest", json!(said.digest.to_string()));
    put("scale", number(Some(said.scale)));
    put("offset", number(Some(said.offset)));
    put("unit", json!(said.unit));
    put("range_min", number(said.range_min));
    put("range_max", number(said.range_max));
    put("open_below", number(said.open_below));
    put("short_above", number(said.short_above));
    put("calibrated", json!(said.calibrated));
    put("calibrated_by", json!(said.calibrated_by));
    put("contract", json!(said.contract.0));
}

pub(super) fn excursion(excursion: &Excursion, put: &mut impl FnMut(&str, Value)) {
    let text = |value: Option<evidence::Decimal>| value.map(|value| value.to_string());
    put("point_id", json!(excursion.point_id.as_str()));
    put("source", json!(excursion.source.as_str()));
    put("channel", json!(excursion.channel));
    put("seq", json!(excursion.seq.0));
    put("change", json!(excursion.change.name()));
    put("band", json!(excursion.band.map(Band::name)));
    put("limit", json!(text(excursion.limit)));
    put("value", json!(text(excursion.value)));
    put("extreme", json!(text(excursion.extreme)));
    put("lasted_ns", json!(excursion.lasted_ns));
    put("quality", json!(excursion.quality.validity.name()));
    put("reason", json!(excursion.quality.reason.name()));
    put("contract", json!(excursion.contract.0));
    put("mono_ns", json!(excursion.at.0));
}

pub(super) fn reset(reason: &ResetReason, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(reason.point_id.as_str()));
    put("source", json!(reason.source.as_str()));
    put("channel", json!(reason.channel));
    put("seq", json!(reason.seq.0));
    put("cause", json!(reason.cause.name()));
    put("detail", json!(reason.says));
    put("quality", json!(reason.quality.validity.name()));
    put("reason", json!(reason.quality.reason.name()));
    put("contract", json!(reason.contract.0));
}

pub(super) fn modem(report: &ModemReport, put: &mut impl FnMut(&str, Value)) {
    let counters = report
        .counters
        .iter()
        .map(|counter| json!({"name": counter.name, "total": counter.total, "step": counter.step}));
    put("point_id", json!(report.point_id.as_str()));
    put("source", json!(report.source.as_str()));
    put("seq", json!(report.seq.0));
    put("slot", json!(report.slot.map(|slot| slot.to_string())));
    put("outcome", json!(report.outcome.name()));
    put("link", json!(report.link));
    put("retransmissions", json!(report.retransmissions));
    put("step", json!(report.step));
    let quality = report.quality_value.map(|value| value.to_string());
    put("value", json!(quality));
    put("counters", Value::Array(counters.collect()));
    put("restarted", json!(report.restarted));
    put("took_us", json!(report.took_us));
    put("detail", json!(report.detail));
    put("quality", json!(report.quality.validity.name()));
    put("reason", json!(report.quality.reason.name()));
    put("contract", json!(report.contract.0));
    put("mono_ns", json!(report.at.0));
}
