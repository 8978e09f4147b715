//! What the signer counts of its keys, carried over its restarts: each of them begins at zero.

use evidence::SourceId;
use evidence::kinds::Counter;
use evidence::reasons::{CounterKind, CounterState};
use ipc::message::{BoundHead, Uses};
use trust_plane::Purpose;

/// A count that begins at zero with each start of the signer.
#[derive(Clone, Copy, Debug, Default)]
struct Carried {
    /// Of the runs before.
    before: u64,
    /// Of this one, as it was told last.
    now: u64,
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
}

/// Uses of keys, what failed of them, and where the plain counter stands; all since the recorder started.
#[derive(Debug, Default)]
pub(super) struct SignerStats {
    uses: [Carried; Purpose::ALL.len()],
    rollback_attempts: Carried,
    signature_failures: Carried,
    plain: Option<u64>,
}

impl SignerStats {
    /// What came with a signature.
    pub(super) fn take(
        &mut self,
        uses: &[Uses],
        rollback_attempts: u64,
        signature_failures: u64,
        bound: &[BoundHead],
    ) {
        for (carried, purpose) in self.uses.iter_mut().zip(Purpose::ALL) {
            let told = uses.iter().find(|one| one.purpose == purpose.name());
            carried.take(told.map_or(0, |one| one.count));
        }
        self.rollback_attempts.take(rollback_attempts);
        self.signature_failures.take(signature_failures);
        let plain = bound.iter().find(|one| one.counter == CounterKind::Plain);
        self.plain = plain.map(|one| one.value).or(self.plain);
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
            ("rollback_attempt_cnt", Some(self.rollback_attempts.sum())),
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
    use super::SignerStats;
    use evidence::SourceId;
    use ipc::message::Uses;

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
