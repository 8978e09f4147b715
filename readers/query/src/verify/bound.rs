//! Checkpoints bound to a counter: what of the log could not be rolled back unseen.

use super::report::{BoundTo, FindingKind, Report};
use evidence::kinds::{Binding, KeyStore, Rollback};
use evidence::reasons::{AttestationOf, CounterKind};
use proof::SignedCheckpoint;
use proof::note::{Algorithm, VerifierKey};
use tpm::Attest;
use tpm::attest::Clock;
use trust_plane::{BoundLog, Contradiction, StatedKey, unshown_words};

/// Whether a key is one that a TPM can have.
pub(super) fn is_authority(key: &&VerifierKey) -> bool {
    key.algorithm() == Algorithm::EcdsaP256
}

/// Finds what contradicts: the log's own alarm in front of it, where that tells of it, and is answered with it.
fn contradicts(id: u64, of: &str, one: &Contradiction, report: &mut Report) {
    let fault = &one.fault;
    let (kind, words) = match one.told {
        Some(alarm) => (
            FindingKind::Rollback,
            format!("{of}{fault}, as the alarm of entry {alarm} tells"),
        ),
        None => (FindingKind::Binding, format!("{of}{fault}")),
    };
    report.find(kind, Some((id, id)), words);
}

/// What the log said of its store and of its counters so far.
#[derive(Default)]
pub(super) struct Bound {
    log: BoundLog,
    /// Size and TPM clock, in milliseconds, at the plain counter's last step and at the one before.
    plain: [Option<(u64, u64)>; 2],
}

impl Bound {
    /// A checkpoint of this size whose signatures and root hold.
    pub(super) fn checkpoint(
        &mut self,
        size: u64,
        opened: &SignedCheckpoint,
        known: &[VerifierKey],
    ) {
        self.log.checkpoint(size, opened, known);
    }

    /// Entries are not here that may have said something of the store.
    pub(super) fn left_out(&mut self) {
        self.log.left_out();
    }

    /// The log itself tells, in this entry, that it or its counter is another.
    pub(super) fn alarm(&mut self, id: u64, found: &Rollback) {
        self.log.alarm(id, found);
    }

    /// What the log said last of the key that signs it.
    pub(super) fn key(&self) -> StatedKey<'_> {
        self.log.key()
    }

    /// Whether a quote in an entry of this epoch can have been made where it stands.
    pub(super) fn is_in_place(&self, of: AttestationOf, clock: Clock, epoch: u64) -> bool {
        self.log.is_in_place(of, clock, epoch)
    }

    /// Whether the log says that the counters are gone from its store.
    pub(super) const fn is_bare(&self) -> bool {
        self.log.is_bare()
    }

    /// What the log says of its store.
    pub(super) fn store(
        &mut self,
        id: u64,
        store: &KeyStore,
        known: &[VerifierKey],
        report: &mut Report,
    ) {
        report.key_store = Some(store.clone());
        report.custody = Some(store.custody.name().to_owned());
        for one in self.log.store(store, known) {
            contradicts(id, "", &one, report);
        }
    }

    /// A checkpoint bound to a counter, in an entry of this epoch.
    pub(super) fn binding(&mut self, id: u64, epoch: u64, binding: &Binding, report: &mut Report) {
        let unshown = match self.log.binding(epoch, binding) {
            None => return,
            Some(Ok(unshown)) => unshown,
            Some(Err(one)) => {
                let of = format!("the binding of the checkpoint of {}: ", binding.size);
                contradicts(id, &of, &one, report);
                return;
            }
        };
        if unshown > 0 {
            let words = unshown_words(unshown, binding);
            report.find(FindingKind::Binding, Some((id, id)), words);
        }
        let told = report.bound.get_or_insert_with(BoundTo::default);
        told.entries = told.entries.max(binding.size);
        told.bindings += 1;
        match binding.counter {
            CounterKind::Orderly => told.orderly = Some(binding.value),
            CounterKind::Plain => {
                told.plain = Some(binding.value);
                self.step(binding, told);
            }
        }
    }

    /// How far a step of the plain counter lies from the second one behind it: so much could be rolled back by whoever
    /// makes it look as if the last one had been cut off.
    fn step(&mut self, binding: &Binding, told: &mut BoundTo) {
        let Ok(attest) = Attest::parse(&binding.attest.0) else {
            return;
        };
        let clock_ms = attest.clock.clock_ms;
        let [last, before] = self.plain;
        self.plain = [Some((binding.size, clock_ms)), last];
        if let Some((size, before_ms)) = before.or(last) {
            let entries = binding.size.saturating_sub(size);
            told.widest_entries = told.widest_entries.max(entries);
            told.widest_ms = told.widest_ms.max(clock_ms.saturating_sub(before_ms));
        }
        told.plain_entries = binding.size;
    }
}
