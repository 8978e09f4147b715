//! What holds the keys, and what binds the log to it.

use super::{hex, people, rfc3339};
use evidence::Payload;
use evidence::kinds::{
    Binding, Enrolment, KeyRotation, KeyStore, KeyUse, Revocation, Rollback, Unsealed,
};
use evidence::reasons::CounterKind;
use serde_json::{Value, json};

/// The fields of an entry about keys, or of what people did.
pub(super) fn fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) {
    match payload {
        Payload::KeyStore(told) => store(told, put),
        Payload::Binding(told) => binding(told, put),
        Payload::Unsealed(told) => unsealed(told, put),
        Payload::Rollback(told) => rollback(told, put),
        Payload::KeyUse(told) => key_use(told, put),
        Payload::Enrolment(told) => enrolment(told, put),
        Payload::Revocation(told) => revocation(told, put),
        Payload::KeyRotation(told) => rotation(told, put),
        other => people::fields(other, put),
    }
}

fn store(store: &KeyStore, put: &mut impl FnMut(&str, Value)) {
    put("custody", json!(store.custody.name()));
    put("hardware", json!(store.custody.is_hardware()));
    put("maker", json!(store.maker));
    put("non_exportable", json!(store.non_exportable));
    put("monotonic_counter", json!(store.monotonic_counter));
    put("attestation", json!(store.attestation));
    put("measured_boot", json!(store.measured_boot));
    let public = store.key_public.as_ref();
    put("key_public", json!(public.map(|public| hex(&public.0))));
    let counters: Vec<Value> = store
        .counters
        .iter()
        .map(|one| json!({"counter": one.counter.name(), "public": hex(&one.public.0)}))
        .collect();
    put("counters", Value::Array(counters));
    put("window_ns", json!(store.window_ns));
    put("not_applied", json!(store.not_applied));
}

fn binding(binding: &Binding, put: &mut impl FnMut(&str, Value)) {
    put("size", json!(binding.size));
    put("counter", json!(binding.counter.name()));
    put("value", json!(binding.value));
    put("attest", json!(hex(&binding.attest.0)));
    put("signature", json!(hex(&binding.signature.0)));
}

fn unsealed(unsealed: &Unsealed, put: &mut impl FnMut(&str, Value)) {
    put("since_ns", json!(unsealed.since.0));
    put("sealed_before", json!(unsealed.sealed_before));
    put("sealed", json!(unsealed.sealed));
    put("missed", json!(unsealed.missed));
    put("cause", json!(unsealed.cause.name()));
    put("sealed_utc", json!(unsealed.sealed_utc.map(rfc3339)));
}

fn rollback(found: &Rollback, put: &mut impl FnMut(&str, Value)) {
    put("alarm", json!(found.alarm.name()));
    put("witness", json!(found.witness.name()));
    put("size", json!(found.size));
    put("known_size", json!(found.known_size));
    put("counter", json!(found.counter.map(CounterKind::name)));
    put("bound", json!(found.bound));
    put("value", json!(found.value));
    put("detail", json!(found.detail));
}

fn key_use(told: &KeyUse, put: &mut impl FnMut(&str, Value)) {
    put("since_ns", json!(told.since.0));
    let uses = told.uses.iter();
    let uses: Value = uses
        .map(|one| (one.purpose.clone(), json!(one.count)))
        .collect();
    put("uses", uses);
    put("rollback_attempts", json!(told.rollback_attempts));
    put("signature_failures", json!(told.signature_failures));
}

fn enrolment(told: &Enrolment, put: &mut impl FnMut(&str, Value)) {
    put("actor", json!(told.actor.as_str()));
    put("reason", json!(told.reason));
    put("proof", json!(told.proof.name()));
    put("registrar", json!(told.registrar));
    put("statement", json!(told.statement));
    put(
        "endorsement_bytes",
        json!(told.endorsement.as_ref().map(|one| one.0.len())),
    );
}

fn revocation(told: &Revocation, put: &mut impl FnMut(&str, Value)) {
    put("actor", json!(told.actor.as_str()));
    put("reason", json!(told.reason));
    put("keys", json!(told.keys));
    put("since_s", json!(told.since_s));
    put("by", json!(told.by));
    put("why", json!(told.why));
    put("registrar", json!(told.registrar));
    put("statement", json!(told.statement));
}

fn rotation(told: &KeyRotation, put: &mut impl FnMut(&str, Value)) {
    put("actor", json!(told.actor.as_str()));
    put("reason", json!(told.reason));
    put("old", json!(told.old));
    put("new", json!(told.new));
    put("size", json!(told.size));
    put("statement", json!(told.statement));
}
