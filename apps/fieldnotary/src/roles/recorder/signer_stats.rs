//! What the signer counts of its keys, carried over its restarts: each of them begins at zero. What was done is an entry
//! from time to time, with a count for each purpose.

use evidence::kinds::{Counter, KeyUse, PurposeUse};
use evidence::reasons::{CounterKind, CounterState, RollbackAlarm};
use evidence::{MonoNs, SourceId};
use ipc::message::{BoundHead, Keys, Uses};
use trust_plane::Purpose;

/// Shortest time between two entries about uses of keys: with it a node at its busiest says in one entry what would be
/// thousands.
const KEY_USE_EVERY_NS: u64 = 15 * 60 * 1_000_000_000;

/// A count that begins at zero with each start of the signer.
#[derive(Clone, Copy, Debug, Default)]
struct Carried {
    /// Of the runs before.
    before: u64,
    /// Of this one, as it was told last.
    now: u64,
    /// The sum when it was committed last.
    committed: u64,
}

impl Carried {
    const fn take(&mut self, told: u64) {
        if told < self.now {
            self.before = self.before.saturating_add(self.now);
        }
        self.now = told;
    }

    const fn sum(self) -> u64 {
        self.before.saturating_add(self.now)
    }

    /// What was added since this was asked last.
    const fn since(&mut self) -> u64 {
        let sum = self.sum();
        let since = sum.saturating_sub(self.committed);
        self.committed = sum;
        since
    }
}

/// Uses of keys, what failed of them, and where the plain counter stands; all since the recorder started.
#[derive(Debug, Default)]
pub(super) struct SignerStats {
    uses: [Carried; Purpose::ALL.len()],
    rollback_attempts: Carried,
    signature_failures: Carried,
    /// Rollbacks of the log that were found in this run, and those of them that end its seals.
    found: u64,
    ended: u64,
    plain: Option<u64>,
    /// Since when uses were not committed yet.
    since: Option<MonoNs>,
}

impl SignerStats {
    /// What a signer that may have run before this recorder says first: that was committed, or is lost, with the one before.
    pub(super) fn told_at_first(&mut self, keys: &Keys, now: MonoNs) {
        self.take(
            &keys.uses,
            keys.rollback_attempts,
            keys.signature_failures,
            &[],
        );
        if self.since.is_none() {
            let _ = self.added(now);
        }
    }

    /// What was done with the keys since it was said last, where that is due or `closing`, and anything was.
    pub(super) fn due(&mut self, now: MonoNs, closing: bool) -> Option<KeyUse> {
        let since = self.since?;
        if !closing && now.since(since) < KEY_USE_EVERY_NS {
            return None;
        }
        let told = self.added(now);
        let any = !told.uses.is_empty() || told.rollback_attempts + told.signature_failures > 0;
        any.then_some(KeyUse { since, ..told })
    }

    /// What was added since this was asked last.
    fn added(&mut self, now: MonoNs) -> KeyUse {
        self.since = Some(now);
        let uses = self.uses.iter_mut().zip(Purpose::ALL);
        let uses = uses.map(|(count, purpose)| PurposeUse {
            purpose: purpose.name().to_owned(),
            count: count.since(),
        });
        KeyUse {
            at: now,
            since: now,
            uses: uses.filter(|one| one.count > 0).collect(),
            rollback_attempts: self.rollback_attempts.since(),
            signature_failures: self.signature_failures.since(),
        }
    }

    /// What came with a signature.
    pub(super) fn take(
        &mut self,
        uses: &[Uses],
        rollback_attempts: u64,
        signature_failures: u64,
        bound: &[BoundHead],
    ) {
        self.take_uses(uses);
        self.rollback_attempts.take(rollback_attempts);
        self.signature_failures.take(signature_failures);
        let plain = bound.iter().find(|one| one.counter == CounterKind::Plain);
        self.plain = plain.map(|one| one.value).or(self.plain);
    }

    /// What came with another statement than a seal.
    pub(super) fn take_uses(&mut self, uses: &[Uses]) {
        if uses.is_empty() {
            return;
        }
        for (carried, purpose) in self.uses.iter_mut().zip(Purpose::ALL) {
            let told = uses.iter().find(|one| one.purpose == purpose.name());
            carried.take(told.map_or(0, |one| one.count));
        }
    }

    /// A rollback that was found. An end that its medium may have lost is none.
    pub(super) const fn rolled_back(&mut self, alarm: RollbackAlarm) {
        if !matches!(alarm, RollbackAlarm::LostEnd) {
            self.found = self.found.saturating_add(1);
        }
        if alarm.ends_seals() {
            self.ended = self.ended.saturating_add(1);
        }
    }

    /// As counters of a snapshot.
    pub(super) fn counters(&self, source: &SourceId) -> Vec<Counter> {
        let counter = |name: &str, label: Option<&str>, value: Option<u64>| Counter {
            name: name.to_owned(),
            label: label.map(str::to_owned),
            state: match value {
                Some(_) => CounterState::Value,
                None => CounterState::Unsupported,
            },
            value,
            source: source.clone(),
        };
        let uses = self.uses.iter().zip(Purpose::ALL).map(|(count, purpose)| {
            counter("key_op_audit_cnt", Some(purpose.name()), Some(count.sum()))
        });
        let others = [
            ("signature_fail_cnt", Some(self.signature_failures.sum())),
            (
                "rollback_attempt_cnt",
                Some(self.rollback_attempts.sum().saturating_add(self.found)),
            ),
            // A statement that contradicts is always refused; a log that went back is sealed no more, or goes on and says so.
            (
                "rollback_block_cnt",
                Some(self.rollback_attempts.sum().saturating_add(self.ended)),
            ),
            // A store without a counter has none.
            ("rollback_counter", self.plain),
        ];
        let others = others
            .into_iter()
            .map(|(name, value)| counter(name, None, value));
        uses.chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY_USE_EVERY_NS, SignerStats};
    use evidence::reasons::RollbackAlarm;
    use evidence::{MonoNs, SourceId};
    use ipc::message::Uses;

    //= A6.7
    #[test]
    fn uses_of_keys_are_committed_in_bounded_pieces_and_none_twice() {
        let mut stats = SignerStats::default();
        let uses = |count| {
            let purpose = "checkpoint".to_owned();
            [Uses { purpose, count }]
        };
        let every = KEY_USE_EVERY_NS;
        // A signer that ran before says 8 at first: those are not of this recorder.
        stats.take(&uses(8), 1, 0, &[]);
        let _ = stats.added(MonoNs(10));
        let mut committed = 0;
        for (now, told, closing, due) in [
            (11, 10, false, false),
            (10 + every, 12, false, true),
            (11 + every, 12, false, false),
            // Nothing was done, so nothing is said.
            (10 + 2 * every, 12, false, false),
            // The signer began anew.
            (10 + 3 * every, 2, false, true),
            (12 + 3 * every, 5, true, true),
            (13 + 3 * every, 5, true, false),
        ] {
            stats.take(&uses(told), 1, 0, &[]);
            let entry = stats.due(MonoNs(now), closing);
            assert_eq!(entry.is_some(), due, "{now} {told}");
            let Some(entry) = entry else { continue };
            assert!(entry.since < entry.at);
            assert_eq!((entry.uses.len(), entry.rollback_attempts), (1, 0));
            committed += entry.uses[0].count;
        }
        assert_eq!(committed, 4 + 5);
    }

    /// What was tried and what was kept from being sealed differ: a log goes on with another counter, and says so.
    //= A6.6
    #[test]
    fn rollbacks_that_were_tried_and_that_were_blocked_are_counted_apart() {
        let mut stats = SignerStats::default();
        stats.take(&[], 3, 0, &[]);
        for alarm in RollbackAlarm::ALL {
            stats.rolled_back(*alarm);
        }
        let counters = stats.counters(&SourceId::new("recorder").unwrap());
        let value = |name: &str| counters.iter().find(|one| one.name == name).unwrap().value;
        let alarms = u64::try_from(RollbackAlarm::ALL.len()).unwrap();
        let ending = RollbackAlarm::ALL.iter().filter(|alarm| alarm.ends_seals());
        let ending = u64::try_from(ending.count()).unwrap();
        // One of them is a medium's loss, which nobody tried.
        assert_eq!(value("rollback_attempt_cnt"), Some(3 + alarms - 1));
        assert_eq!(value("rollback_block_cnt"), Some(3 + ending));
        assert_ne!(value("rollback_attempt_cnt"), value("rollback_block_cnt"));
    }

    //= A6.6
    //= A6.7
    #[test]
    fn uses_of_keys_are_counted_by_purpose_over_restarts_of_the_signer() {
        let mut stats = SignerStats::default();
        let uses = |count| {
            let purpose = "checkpoint".to_owned();
            [Uses { purpose, count }]
        };
        for (count, failures) in [(2, 0), (6, 1), (2, 0), (4, 2)] {
            stats.take(&uses(count), 0, failures, &[]);
        }
        let counters = stats.counters(&SourceId::new("recorder").unwrap());
        let value = |name: &str, label: Option<&str>| {
            let of =
                |one: &&evidence::kinds::Counter| one.name == name && one.label.as_deref() == label;
            counters.iter().find(of).unwrap().value
        };
        assert_eq!(value("key_op_audit_cnt", Some("checkpoint")), Some(10));
        assert_eq!(value("key_op_audit_cnt", Some("binding")), Some(0));
        assert_eq!(value("signature_fail_cnt", None), Some(3));
        assert_eq!(value("rollback_counter", None), None);
    }
}
