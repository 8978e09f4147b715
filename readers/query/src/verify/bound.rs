//! Checkpoints bound to a counter: what of the log could not be rolled back unseen.

use super::report::{BoundTo, FindingKind, Report};
use evidence::kinds::{Binding, KeyStore};
use evidence::reasons::{AttestationOf, CounterKind};
use proof::SignedCheckpoint;
use proof::note::{Algorithm, VerifierKey};
use tpm::Attest;
use tpm::attest::Clock;
use trust_plane::{BindingFault, Bindings};

/// A checkpoint that holds, as bindings speak of it.
struct Held {
    size: u64,
    text: String,
    authority: VerifierKey,
}

/// What the log said last of the key in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stated<'a> {
    /// A key of a TPM that signs nothing but what the TPM made or hashed, by its qualified name.
    Restricted(&'a [u8]),
    /// None such: whoever has it may sign what looks like an attestation.
    Nothing,
    /// What it said may have left the ring, or is lost.
    Gone,
}

/// Whether a key is one that a TPM can have.
pub(super) fn is_authority(key: &&VerifierKey) -> bool {
    key.algorithm() == Algorithm::EcdsaP256
}

/// The same as it is kept.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum KeyIs {
    #[default]
    Unstated,
    Restricted,
    Gone,
}

/// What the log said of its store and of its counters so far.
#[derive(Default)]
pub(super) struct Bound {
    bindings: Bindings,
    /// Whether a statement about the store was read: before it nothing can be judged, its entry may have left
    /// the ring.
    stated: bool,
    key: KeyIs,
    held: Option<Held>,
    /// The epoch of the newest binding that holds.
    epoch: u64,
    /// Size and TPM clock, in milliseconds, at the plain counter's last step and at the one before.
    plain: [Option<(u64, u64)>; 2],
    /// Whether entries that may have shown a step are not here, or one tells that the counter is another, since the last step
    /// that holds.
    gap: bool,
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

    /// Entries are not here that may have said something of the store.
    pub(super) fn left_out(&mut self) {
        if self.key == KeyIs::Unstated {
            self.key = KeyIs::Gone;
        }
        self.gap = true;
    }

    /// The log itself tells that it or its counter is another: the next step of the plain counter is no finding of its own.
    pub(super) fn told(&mut self) {
        self.gap = true;
    }

    /// What the log said last of the key that signs it.
    pub(super) fn key(&self) -> Stated<'_> {
        match (self.key, self.bindings.signer()) {
            (KeyIs::Gone, _) => Stated::Gone,
            (KeyIs::Restricted, Some(name)) => Stated::Restricted(name),
            (KeyIs::Restricted | KeyIs::Unstated, _) => Stated::Nothing,
        }
    }

    /// Whether a quote in an entry of this epoch can have been made where it stands: behind the newest binding, and one
    /// of a boot without a reset in between, as both are made at the first seal of a run. A quote for whoever asked may
    /// have been made while a seal was under way.
    pub(super) fn is_in_place(&self, of: AttestationOf, clock: Clock, epoch: u64) -> bool {
        let Some(resets) = self.bindings.resets() else {
            return true;
        };
        match of {
            AttestationOf::Boot => {
                let of_this_run = self.epoch == epoch;
                self.bindings.may_follow(clock) && (!of_this_run || clock.reset_count == resets)
            }
            AttestationOf::Asked => resets <= clock.reset_count,
        }
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
        self.key = KeyIs::Unstated;
        if store.key_public.is_none() {
            return;
        }
        let mut authorities = known.iter().filter(is_authority).peekable();
        if authorities.peek().is_none() {
            // Whoever brought the other key of the log alone has nothing to compare it with.
            self.key = KeyIs::Gone;
            return;
        }
        let mut outcome = Err(BindingFault::OtherKey);
        for key in authorities {
            outcome = self.bindings.store(store, key);
            if outcome != Err(BindingFault::OtherKey) {
                break;
            }
        }
        // What follows is judged by what was stated, also where that is at fault.
        self.stated = true;
        match outcome {
            Ok(()) => self.key = KeyIs::Restricted,
            Err(fault) => {
                let of_counter = matches!(
                    fault,
                    BindingFault::NoCounter(_) | BindingFault::CounterReplaced(_)
                );
                if of_counter {
                    self.key = KeyIs::Restricted;
                }
                report.find(FindingKind::Binding, Some((id, id)), fault.to_string());
            }
        }
    }

    /// A checkpoint bound to a counter, in an entry of this epoch.
    pub(super) fn binding(&mut self, id: u64, epoch: u64, binding: &Binding, report: &mut Report) {
        let held = self.held.as_ref();
        let Some(held) = held.filter(|held| held.size == binding.size && self.stated) else {
            // Where no head was judged, it may have shown a step; of another size than the newest it shows none.
            self.gap |= self.held.is_none() || !self.stated;
            return;
        };
        let taken = self.bindings.take(binding, &held.text, &held.authority);
        let unshown = match taken {
            Ok(unshown) => unshown,
            Err(fault) => {
                let words = format!("the binding of the checkpoint of {}: {fault}", binding.size);
                report.find(FindingKind::Binding, Some((id, id)), words);
                self.gap = true;
                return;
            }
        };
        if binding.counter == CounterKind::Plain {
            let gap = std::mem::take(&mut self.gap);
            if unshown > 0 && !gap {
                report.find(
                    FindingKind::Binding,
                    Some((id, id)),
                    unshown_words(unshown, binding),
                );
            }
        }
        self.epoch = epoch;
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

/// Steps that nothing shows: an older disk was put back and its mark forged, or another has moved the counter.
fn unshown_words(unshown: u64, binding: &Binding) -> String {
    let (steps, lie) = match unshown {
        1 => ("step", "lies"),
        _ => ("steps", "lie"),
    };
    format!(
        "{unshown} {steps} of the plain counter that no entry shows {lie} before {}, to which the checkpoint of {} is bound: \
         what was sealed at them was taken away, or another than this node moved it",
        binding.value, binding.size
    )
}
