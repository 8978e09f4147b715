//! Checkpoints bound to a counter: what of the log could not be rolled back unseen.

use super::report::{BoundTo, FindingKind, Report};
use evidence::kinds::{Binding, KeyStore};
use evidence::reasons::CounterKind;
use proof::SignedCheckpoint;
use proof::note::{Algorithm, VerifierKey};
use tpm::Attest;
use trust_plane::{BindingFault, Bindings};

/// A checkpoint that holds, as bindings speak of it.
struct Held {
    size: u64,
    text: String,
    authority: VerifierKey,
}

/// What the log said of its store and of its counters so far.
#[derive(Default)]
pub(super) struct Bound {
    bindings: Bindings,
    /// Whether a statement about the store was read: before it nothing can be judged, its entry may have left
    /// the ring.
    stated: bool,
    held: Option<Held>,
    /// Size and TPM clock, in milliseconds, at the plain counter's last step.
    plain: Option<(u64, u64)>,
}

impl Bound {
    /// A checkpoint of this size whose signatures and root hold.
    pub(super) fn checkpoint(
        &mut self,
        size: u64,
        opened: &SignedCheckpoint,
        known: &[VerifierKey],
    ) {
        let authority = known.iter().enumerate().find(|(place, key)| {
            key.algorithm() == Algorithm::EcdsaP256 && opened.verified().has_key(*place)
        });
        self.held = authority.map(|(_, key)| Held {
            size,
            text: opened.note().text().to_owned(),
            authority: key.clone(),
        });
    }

    /// The qualified name of the key that the log stated; none before it did.
    pub(super) fn signer(&self) -> Option<&[u8]> {
        self.bindings.signer()
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
        if store.key_public.is_none() {
            return;
        }
        let mut outcome = Err(BindingFault::OtherKey);
        for key in known
            .iter()
            .filter(|key| key.algorithm() == Algorithm::EcdsaP256)
        {
            outcome = self.bindings.store(store, key);
            if outcome != Err(BindingFault::OtherKey) {
                break;
            }
        }
        match outcome {
            Ok(()) => self.stated = true,
            Err(fault) => {
                // What follows is judged by what was stated, also where that is at fault.
                self.stated = true;
                report.find(FindingKind::Binding, Some((id, id)), fault.to_string());
            }
        }
    }

    /// A checkpoint bound to a counter.
    pub(super) fn binding(&mut self, id: u64, binding: &Binding, report: &mut Report) {
        let held = self.held.as_ref();
        let Some(held) = held.filter(|held| held.size == binding.size && self.stated) else {
            return;
        };
        let taken = self.bindings.take(binding, &held.text, &held.authority);
        if let Err(fault) = taken {
            let words = format!("the binding of the checkpoint of {}: {fault}", binding.size);
            report.find(FindingKind::Binding, Some((id, id)), words);
            return;
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

    /// How far the plain counter's steps lie apart: so much could be rolled back together with a cut of power.
    fn step(&mut self, binding: &Binding, told: &mut BoundTo) {
        let Ok(attest) = Attest::parse(&binding.attest.0) else {
            return;
        };
        let clock_ms = attest.clock.clock_ms;
        if let Some((size, before_ms)) = self.plain.replace((binding.size, clock_ms)) {
            let entries = binding.size.saturating_sub(size);
            told.widest_entries = told.widest_entries.max(entries);
            told.widest_ms = told.widest_ms.max(clock_ms.saturating_sub(before_ms));
        }
        told.plain_entries = binding.size;
    }
}
