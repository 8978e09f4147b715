//! The firmware and the programs of a start.

use super::{boot, hex};
use evidence::kinds::Firmware;
use evidence::{Actor, Blob, Payload};
use serde_json::{Value, json};

pub(super) fn fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::Firmware(told) => firmware(told, put),
        other => boot::fields(other, put),
    }
}

fn firmware(told: &Firmware, put: &mut impl FnMut(&str, Value)) {
    put("outcome", json!(told.outcome.name()));
    put("installed", json!(told.installed));
    put("highest", json!(told.highest));
    put("kept", json!(told.kept.name()));
    put("counter", json!(told.counter.name()));
    put("image", json!(told.image));
    put("source", json!(told.source));
    put("attempts", json!(told.attempts));
    put("blocks", json!(told.blocks));
    let programs = told.programs.iter().map(|one| {
        json!({
            "name": one.name,
            "version": one.version,
            "digest": one.digest.map(|digest| digest.to_string()),
        })
    });
    put("programs", programs.collect());
    put("value", json!(told.value));
    let blob = |blob: Option<&Blob>| json!(blob.map(|blob| hex(&blob.0)));
    put("public", blob(told.public.as_ref()));
    put("attest", blob(told.attest.as_ref()));
    put("signature", blob(told.signature.as_ref()));
    put("actor", json!(told.actor.as_ref().map(Actor::as_str)));
    put("reason", json!(told.reason));
    put("accepted", json!(told.accepted));
    put("shown", json!(told.shown));
    put("detail", json!(told.detail));
}
