//! What holds the keys, what was booted, and whether the log went back: the newest of what its entries tell.

mod seals;

use crate::commands::Unseen;
use evidence::frozen::names::SEALS_ENDED;
use evidence::kinds::{Boot, CounterSnapshot, EpochStart, Firmware, Rollback};
use evidence::reasons::{Custody, EpochCause, RollbackWitness};
use evidence::{Digest, Payload};
use seals::Seals;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is known of keys, boot and rollbacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    /// Where the keys of the newest checkpoint were.
    custody: Option<Custody>,
    seals: Seals,
    /// How much could be rolled back unseen, by what the log said last of what holds its keys.
    unseen: Option<Unseen>,
    /// What the newest run found.
    boot: Option<Boot>,
    /// What was said last of the firmware, and of the counter that its highest version is bound to.
    firmware: Option<Firmware>,
    firmware_value: Option<u64>,
    attestation: Option<Digest>,
    /// The newest alarm of each witness in this generation.
    alarms: BTreeMap<RollbackWitness, Rollback>,
    /// The alarm that ended the seals of this generation, and how many entries the log then had.
    ended: Option<(String, u64)>,
}

impl Trust {
    pub(super) fn observe(&mut self, payload: &Payload) {
        self.seals.observe(payload);
        match payload {
            Payload::Checkpoint(checkpoint) => self.custody = Some(checkpoint.custody),
            Payload::KeyStore(store) => self.unseen = Some(Unseen::by_design(Some(store))),
            Payload::EpochStart(epoch) => self.begins(epoch),
            Payload::Boot(boot) => self.boot = Some(boot.clone()),
            Payload::Firmware(told) => {
                self.firmware_value = told.value.or(self.firmware_value);
                self.firmware = Some(told.clone());
            }
            Payload::Attestation(attestation) => self.attestation = Some(attestation.id),
            Payload::Rollback(found) => {
                self.alarms.insert(found.witness, found.clone());
            }
            Payload::CounterSnapshot(snapshot) => self.recall(snapshot),
            _ => {}
        }
    }

    /// Each run says anew what was booted; one that goes on after a failed write does not.
    fn begins(&mut self, epoch: &EpochStart) {
        if epoch.cause != EpochCause::WriteFailure {
            self.boot = None;
            self.attestation = None;
        }
    }

    /// The entry of an alarm may have been longer ago than what is read.
    fn recall(&mut self, snapshot: &CounterSnapshot) {
        let ended = snapshot.counters.iter().find_map(|counter| {
            let is_it = counter.name == SEALS_ENDED;
            is_it.then(|| Some((counter.label.clone()?, counter.value?)))?
        });
        self.ended = ended.or(self.ended.take());
    }

    /// The parts of a status report.
    pub(super) fn report(&self) -> [(&'static str, Value); 6] {
        [
            ("custody", json!(self.custody.map(Custody::name))),
            ("seals", self.seals.report()),
            ("unseen", self.unseen()),
            ("rollback", self.rollback()),
            ("boot", self.booted()),
            ("firmware", self.installed()),
        ]
    }

    fn rollback(&self) -> Value {
        let told = self.alarms.values().map(|found| {
            json!({
                "alarm": found.alarm.name(),
                "witness": found.witness.name(),
                "size": found.size,
                "known_size": found.known_size,
                "detail": found.detail,
            })
        });
        let is_told = |alarm: &str| self.alarms.values().any(|one| one.alarm.name() == alarm);
        let ended = self.ended.iter().filter(|(alarm, _)| !is_told(alarm));
        let ended = ended.map(|(alarm, size)| {
            json!({
                "alarm": alarm,
                "witness": null,
                "size": size,
                "known_size": null,
                "detail": format!("nothing is sealed since the log had {size} entries: its rollback entry says why"),
            })
        });
        told.chain(ended).collect()
    }

    /// How much a rollback could take away unseen by design, with the words of the screen.
    fn unseen(&self) -> Value {
        let unseen = self.unseen.unwrap_or(Unseen::by_design(None));
        let mut told = unseen.json();
        if let Some(told) = told.as_object_mut() {
            told.insert("detail".to_owned(), json!(unseen.design_words()));
        }
        told
    }

    fn installed(&self) -> Value {
        json!(self.firmware.as_ref().map(|told| {
            json!({
                "outcome": told.outcome.name(),
                "installed": told.installed,
                "highest": told.highest,
                "image": told.image,
                "kept": told.kept.name(),
                "counter": told.counter.name(),
                "shown": told.shown,
                "value": self.firmware_value,
                "attempts": told.attempts,
                "blocks": told.blocks,
                "accepted": told.accepted,
                "detail": told.detail,
            })
        }))
    }

    fn booted(&self) -> Value {
        let boot = self.boot.as_ref().map(|boot| {
            json!({
                "state": boot.state.name(),
                "detail": boot.detail,
                "measurement_id": boot.measurement_id.map(|id| id.to_string()),
                "secure_boot": boot.secure_boot.name(),
                "stages": boot.stages.len(),
            })
        });
        let id = self.attestation.map(|id| id.to_string());
        json!({ "found": boot, "attestation_id": id })
    }
}

#[cfg(test)]
mod tests;
