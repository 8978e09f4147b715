//! Commands, what became of them, and tags.

use super::rfc3339;
use evidence::kinds::{Command, Output, Tag};
use evidence::{CommitId, Decimal, Payload, PointId};
use serde_json::{Value, json};

pub(super) fn fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::Command(command) => command_fields(command, put),
        Payload::Output(output) => output_fields(output, put),
        Payload::Tag(tag) => tag_fields(tag, put),
        _ => {}
    }
}

fn number(value: Option<Decimal>) -> Value {
    json!(value.map(|value| value.to_string()))
}

fn entry(id: Option<CommitId>) -> Value {
    json!(id.map(|id| id.0))
}

fn command_fields(command: &Command, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(command.point_id.as_str()));
    put("step", json!(command.step.name()));
    put("value", number(command.value));
    put("origin", json!(command.origin.name()));
    put("actor", json!(command.actor.as_str()));
    put("detail", json!(command.reason));
    put("issued", json!(command.issued.map(rfc3339)));
}

fn output_fields(output: &Output, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(output.point_id.as_str()));
    put("source", json!(output.source.as_str()));
    put("line", json!(output.line));
    put("channel", json!(output.channel));
    put("seq", json!(output.seq.0));
    put("outcome", json!(output.outcome.name()));
    put("reason", json!(output.reason.name()));
    put("command", entry(output.command));
    put("selection", entry(output.selection));
    put("value", number(output.value));
    put("raw", number(output.raw));
    let age_ns = output.driven_at.map(|at| output.at.since(at));
    put("driven_age_ns", json!(age_ns));
    let feedback = output.feedback.as_ref().map(PointId::as_str);
    put("feedback", json!(feedback));
    put("feedback_value", number(output.feedback_value));
    let quality = output.feedback_quality;
    put(
        "feedback_quality",
        json!(quality.map(|one| one.validity.name())),
    );
    put(
        "feedback_reason",
        json!(quality.map(|one| one.reason.name())),
    );
    put("about", json!(output.about));
    put("contract", json!(output.contract.0));
    put("mono_ns", json!(output.at.0));
}

fn tag_fields(tag: &Tag, put: &mut impl FnMut(&str, Value)) {
    put("point_id", json!(tag.point_id.as_str()));
    put("change", json!(tag.change.name()));
    put("actor", json!(tag.actor.as_str()));
    put("detail", json!(tag.reason));
    put("owner", json!(tag.owner));
}
