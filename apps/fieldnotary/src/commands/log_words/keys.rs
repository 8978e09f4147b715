//! What entries about the keys say, in words.

use crate::commands::words;
use evidence::UtcNs;
use evidence::kinds::{
    Binding, Enrolment, KeyRotation, KeyStore, KeyUse, Revocation, Rollback, Unsealed,
};

pub(super) fn store_words(store: &KeyStore) -> String {
    let able: Vec<&str> = [
        (store.non_exportable, "non-exportable"),
        (store.monotonic_counter, "monotonic counter"),
        (store.attestation, "attestation"),
        (store.measured_boot, "measured boot"),
    ]
    .into_iter()
    .filter_map(|(able, word)| able.then_some(word))
    .collect();
    let able = match able.is_empty() {
        true => "no capability of hardware".to_owned(),
        false => able.join(", "),
    };
    let class = match store.custody.is_hardware() {
        true => "hardware by its own word",
        false => "not hardware",
    };
    let lacks = match store.not_applied.len() {
        0 => String::new(),
        _ => format!("; not applied: {}", store.not_applied.join("; ")),
    };
    format!(
        "keys in {} ({class}; {}): {able}{lacks}",
        store.custody, store.maker
    )
}

pub(super) fn binding_words(binding: &Binding) -> String {
    format!(
        "checkpoint of {} bound to the {} counter at {}",
        words::count(binding.size, "entry", "entries"),
        binding.counter,
        binding.value
    )
}

pub(super) fn unsealed_words(unsealed: &Unsealed) -> String {
    let span = match unsealed.sealed_utc {
        Some(utc) => format!("since {}", words::time(utc)),
        // A log of before that knows how long its own run had none.
        None => {
            let span_ms = unsealed.at.since(unsealed.since) / 1_000_000;
            format!("for {} of this run", words::span(span_ms))
        }
    };
    format!(
        "no seals {span}, at least {} missed ({}): entries {} to {} are sealed only now",
        words::count(unsealed.missed, "seal", "seals"),
        unsealed.cause,
        unsealed.sealed_before,
        unsealed.sealed.saturating_sub(1)
    )
}

pub(super) fn rollback_words(found: &Rollback) -> String {
    format!(
        "ROLLBACK {} ({}): {}",
        found.alarm, found.witness, found.detail
    )
}

pub(super) fn use_words(told: &KeyUse) -> String {
    let span_s = told.at.since(told.since) / 1_000_000_000;
    let uses = told
        .uses
        .iter()
        .map(|one| format!("{} {}", one.purpose, one.count));
    let uses: Vec<String> = uses.collect();
    let refused = match (told.rollback_attempts, told.signature_failures) {
        (0, 0) => String::new(),
        (attempts, failures) => format!("; {attempts} contradicting, {failures} not had"),
    };
    format!("uses of keys in {span_s} s: {}{refused}", uses.join(", "))
}

pub(super) fn enrolment_words(told: &Enrolment) -> String {
    let registrar = told.registrar.split('+').next().unwrap_or_default();
    format!(
        "keys enrolled by {registrar} ({}): {}; put here by {}: {}",
        told.proof,
        told.proof.meaning(),
        told.actor.as_str(),
        told.reason
    )
}

pub(super) fn revocation_words(told: &Revocation) -> String {
    let name = |key: &str| key.split('+').next().unwrap_or_default().to_owned();
    let mut of: Vec<String> = told.keys.iter().map(|key| name(key)).collect();
    of.dedup();
    let since = i64::try_from(told.since_s).unwrap_or(i64::MAX);
    format!(
        "keys of {} revoked by {} at {} since {}: {}; put here by {}: {}",
        of.join(", "),
        told.by,
        name(&told.registrar),
        words::time(UtcNs(since.saturating_mul(1_000_000_000))),
        told.why,
        told.actor.as_str(),
        told.reason
    )
}

pub(super) fn rotation_words(told: &KeyRotation) -> String {
    format!(
        "other keys sign what is behind {} entries: {}; by {}: {}",
        told.size,
        told.new.join(" "),
        told.actor.as_str(),
        told.reason
    )
}
