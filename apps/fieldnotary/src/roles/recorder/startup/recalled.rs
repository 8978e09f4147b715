//! What the state at the start of a segment tells of what came before it.

use super::Remembered;
use evidence::frozen::names::{
    BOOT_TO_STABLE, BOUND_COUNTER, CONTRACT_COMMIT, EPOCH_BEGAN, FIRMWARE, FIRMWARE_ACCEPTED,
    KEYS_ROTATED, LOST_ENTRIES, NEWEST_SYNCED, SEALED, SEALS_ENDED, SEALS_MISSED,
};
use evidence::kinds::CounterSnapshot;
use evidence::{CommitId, MonoNs, UtcNs};

impl Remembered {
    /// Takes counters, those of a frozen state among them.
    pub(super) fn recall(&mut self, snapshot: CounterSnapshot) {
        if let Some(state) = self.parts.take(&snapshot) {
            self.low.replace(&state);
            self.hints.replace(&state);
            self.calibrations.replace(&state);
        }
        for counter in snapshot.counters {
            match (counter.name.as_str(), counter.label, counter.value) {
                (CONTRACT_COMMIT, Some(label), Some(value)) => {
                    self.contract.place(label, CommitId(value));
                }
                (EPOCH_BEGAN, Some(label), Some(value)) => {
                    self.epoch = Some((label, MonoNs(value)));
                }
                (NEWEST_SYNCED, _, Some(ns)) => {
                    let utc = UtcNs(i64::try_from(ns).unwrap_or(0));
                    self.newest_synced = self.newest_synced.max(utc);
                }
                (BOOT_TO_STABLE, Some(label), Some(ns)) => {
                    let of_this_boot = self.epoch.as_ref().map(|(boot, _)| boot);
                    if of_this_boot == Some(&label) {
                        self.earlier.synced_first(ns);
                    }
                }
                (name @ (BOUND_COUNTER | SEALS_ENDED), Some(label), Some(value)) => {
                    self.rollback.recall(name, &label, value);
                }
                (name @ (FIRMWARE | FIRMWARE_ACCEPTED), Some(label), Some(value)) => {
                    self.firmware.recall(name, &label, value);
                }
                (KEYS_ROTATED, Some(label), _) => self.rotations.recall(label),
                (name @ (SEALED | SEALS_MISSED), Some(label), Some(value)) => {
                    self.missed_seals.recall(name, &label, value);
                }
                (LOST_ENTRIES, Some(label), Some(count)) => {
                    if let Ok(first) = label.parse() {
                        self.given_up.observe_lost(first, count);
                    }
                }
                _ => {}
            }
        }
    }
}
