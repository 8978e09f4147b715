//! What was booted, and what is attested of it.

use super::{hex, keys};
use evidence::Payload;
use evidence::kinds::{Attestation, Boot, BootPcr, BootStage};
use evidence::reasons::KeyFault;
use serde_json::{Value, json};

pub(super) fn fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::Boot(found) => boot(found, put),
        Payload::Attestation(told) => attestation(told, put),
        other => keys::fields(other, put),
    }
}

fn boot(boot: &Boot, put: &mut impl FnMut(&str, Value)) {
    put("boot_id", json!(boot.boot_id.to_string()));
    put("state", json!(boot.state.name()));
    put("detail", json!(boot.detail));
    put(
        "measurement_id",
        json!(boot.measurement_id.map(|id| id.to_string())),
    );
    put("secure_boot", json!(boot.secure_boot.name()));
    put("stages", boot.stages.iter().map(stage).collect());
    put("stages_left_out", json!(boot.stages_left_out));
    put("pcrs", pcrs(&boot.pcrs));
    put(
        "log_digest",
        json!(boot.log_digest.map(|digest| digest.to_string())),
    );
    put("log_bytes", json!(boot.log_bytes));
    put("fault", json!(boot.fault.map(KeyFault::name)));
}

fn stage(stage: &BootStage) -> Value {
    json!({
        "stage": stage.stage.name(),
        "target": stage.target,
        "hash": stage.hash.to_string(),
        "pcr": stage.pcr,
        "result": stage.result.name(),
        "reason": stage.reason,
        "root": stage.root,
        "version": stage.version,
    })
}

fn pcrs(pcrs: &[BootPcr]) -> Value {
    let one = |pcr: &BootPcr| {
        json!({
            "pcr": pcr.pcr,
            "value": pcr.value.to_string(),
            "replayed": pcr.replayed.map(|value| value.to_string()),
        })
    };
    pcrs.iter().map(one).collect()
}

fn attestation(told: &Attestation, put: &mut impl FnMut(&str, Value)) {
    put("id", json!(told.id.to_string()));
    put("of", json!(told.of.name()));
    put("note", json!(told.note));
    put("custody", json!(told.custody.name()));
    let blob = |blob: Option<&evidence::Blob>| json!(blob.map(|blob| hex(&blob.0)));
    put("nonce", blob(told.nonce.as_ref()));
    put(
        "actor",
        json!(told.actor.as_ref().map(evidence::Actor::as_str)),
    );
    put("attest", blob(told.attest.as_ref()));
    put("signature", blob(told.signature.as_ref()));
    put("pcrs", pcrs(&told.pcrs));
    put("fault", json!(told.fault.map(KeyFault::name)));
    put("detail", json!(told.detail));
}
