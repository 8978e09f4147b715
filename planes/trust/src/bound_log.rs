//! The bindings of a log among its checkpoints: over which text each must be, and what cannot be judged for want of entries.
//! Verifier and collector judge by it; nothing here trusts the node.

use crate::binding::{BindingFault, Bindings};
use crate::told::Told;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::kinds::{Binding, KeyStore, Rollback};
use evidence::reasons::{AttestationOf, CounterKind};
use proof::SignedCheckpoint;
use proof::note::{Algorithm, VerifierKey};
use tpm::attest::Clock;

/// A checkpoint that holds, as bindings speak of it.
#[derive(Clone, Debug)]
struct Held {
    size: u64,
    text: String,
    authority: VerifierKey,
}

/// What the log said last of the key in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedKey<'a> {
    /// A key of a TPM that signs nothing but what the TPM made or hashed, by its qualified name.
    Restricted(&'a [u8]),
    /// None such: whoever has it may sign what looks like an attestation.
    Nothing,
    /// What it said may have left the ring, or is lost.
    Gone,
}

/// What a log contradicts with its own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What does not hold.
    pub fault: BindingFault,
    /// The entry of the alarm in front of it that tells of it; `None` where the log does not.
    pub told: Option<u64>,
}

/// The same as it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum KeyIs {
    #[default]
    Unstated,
    Restricted,
    Gone,
}

/// What a log said of its store and of its counters so far.
#[derive(Clone, Debug, Default)]
pub struct BoundLog {
    bindings: Bindings,
    /// Whether a statement about the store was read: before it nothing can be judged, its entry may have left
    /// the ring.
    stated: bool,
    key: KeyIs,
    held: Option<Held>,
    /// The epoch of the newest binding that holds.
    epoch: u64,
    /// Whether entries that may have shown a step are not here, or one tells that the counter is another, since the last step
    /// that holds.
    gap: bool,
    /// Alarms of the log about its counters.
    told: Told,
    /// Whether the log says of its store that it has no counter any more, and nothing was bound since.
    bare: bool,
}

impl BoundLog {
    /// A checkpoint of this size whose signatures and root hold.
    pub fn checkpoint(&mut self, size: u64, opened: &SignedCheckpoint, known: &[VerifierKey]) {
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
    pub fn left_out(&mut self) {
        if self.key == KeyIs::Unstated {
            self.key = KeyIs::Gone;
        }
        self.gap = true;
    }

    /// The log itself tells, in this entry, that it or its counter is another: the next step of the plain counter is no finding of its
    /// own, and what is behind by its word is what the alarm says.
    pub fn alarm(&mut self, entry: u64, found: &Rollback) {
        self.gap = true;
        self.told.alarm(entry, found);
    }

    /// Takes the log's own word of its store, and gives what that contradicts: the key, itself, or the one before.
    #[must_use]
    pub fn store(&mut self, store: &KeyStore, known: &[VerifierKey]) -> Vec<Contradiction> {
        self.key = KeyIs::Unstated;
        if store.key_public.is_none() {
            return Vec::new();
        }
        let is_authority = |key: &&VerifierKey| key.algorithm() == Algorithm::EcdsaP256;
        let mut authorities = known.iter().filter(is_authority).peekable();
        if authorities.peek().is_none() {
            // Whoever brought the other key of the log alone has nothing to compare it with.
            self.key = KeyIs::Gone;
            return Vec::new();
        }
        let before = self.bindings.values();
        let other_key = Vec::from([BindingFault::OtherKey]);
        let mut faults = other_key.clone();
        for key in authorities {
            faults = self.bindings.store(store, key);
            if faults != other_key {
                break;
            }
        }
        // What follows is judged by what was stated, also where that is at fault.
        self.stated = true;
        self.bare |= !before.is_empty() && store.counters.is_empty();
        let of_counter = |fault: &BindingFault| {
            matches!(
                fault,
                BindingFault::NoCounter(_) | BindingFault::CounterReplaced(_)
            )
        };
        if faults.iter().all(of_counter) {
            self.key = KeyIs::Restricted;
        }
        let judged = faults.into_iter().map(|fault| {
            let told = self
                .told
                .of(&fault, |counter| before.get(&counter).copied());
            if let BindingFault::CounterReplaced(counter) = fault {
                self.told.stated(counter);
            }
            Contradiction { fault, told }
        });
        judged.collect()
    }

    /// Takes a checkpoint bound to a counter, in an entry of this epoch: how many steps of the plain counter nothing shows
    /// before it, or what it contradicts. `None` where it cannot be judged: what it is bound by was not read, or it is of another head
    /// than the newest. From one that contradicts as an alarm told it is gone on: the next is held against it.
    pub fn binding(&mut self, epoch: u64, binding: &Binding) -> Option<Result<u64, Contradiction>> {
        let held = self.held.as_ref();
        let Some(held) = held.filter(|held| held.size == binding.size && self.stated) else {
            // Where no head was judged, it may have shown a step; of another size than the newest it shows none.
            self.gap |= self.held.is_none() || !self.stated;
            return None;
        };
        let outcome = take(&mut self.bindings, &self.told, binding, held);
        if outcome.as_ref().is_err_and(|one| one.told.is_none()) {
            self.gap = true;
            return Some(outcome);
        }
        self.epoch = epoch;
        self.bare = false;
        self.told.shown(binding.counter);
        let shown = binding.counter == CounterKind::Plain && core::mem::take(&mut self.gap);
        Some(outcome.map(|unshown| if shown { 0 } else { unshown }))
    }

    /// Forgets where a counter and its TPM's clock stood: what was found there was told, and what is there now is gone on from.
    pub(crate) fn forget(&mut self, counter: CounterKind) {
        self.bindings.forget(counter);
    }

    /// What the log said last of the key that signs it.
    #[must_use]
    pub fn key(&self) -> StatedKey<'_> {
        match (self.key, self.bindings.signer()) {
            (KeyIs::Gone, _) => StatedKey::Gone,
            (KeyIs::Restricted, Some(name)) => StatedKey::Restricted(name),
            (KeyIs::Restricted | KeyIs::Unstated, _) => StatedKey::Nothing,
        }
    }

    /// A counter's newest value that holds.
    #[must_use]
    pub fn value(&self, counter: CounterKind) -> Option<u64> {
        self.bindings.value(counter)
    }

    /// Whether a quote in an entry of this epoch can have been made where it stands: behind the newest binding, and one
    /// of a boot without a reset in between, as both are made at the first seal of a run. A quote for whoever asked may
    /// have been made while a seal was under way.
    #[must_use]
    pub fn is_in_place(&self, of: AttestationOf, clock: Clock, epoch: u64) -> bool {
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

    /// Whether the log says that the counters are gone from its store: of a TPM that was cleared the clock is gone with them, and
    /// that is told when there are others.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.bare
    }

    /// Whether the next step of the plain counter is judged.
    pub(crate) const fn gap(&self) -> bool {
        self.gap
    }

    pub(crate) const fn set_gap(&mut self, gap: bool) {
        self.gap = gap;
    }
}

/// Takes a binding, past whatever of it an alarm in front tells: the first of that. What no alarm tells is judged each by its own
/// row, and leaves the bindings as they were.
fn take(
    bindings: &mut Bindings,
    told: &Told,
    binding: &Binding,
    held: &Held,
) -> Result<u64, Contradiction> {
    let before = bindings.values();
    let mut past = bindings.clone();
    let mut first = None;
    loop {
        let fault = match past.take(binding, &held.text, &held.authority) {
            Ok(unshown) => {
                *bindings = past;
                return first.map_or(Ok(unshown), Err);
            }
            Err(fault) => fault,
        };
        let told = told.of(&fault, |counter| before.get(&counter).copied());
        // Each is forgotten once, so that this ends.
        if told.is_none() || !past.forget_contradicted(&fault) {
            return Err(Contradiction { fault, told: None });
        }
        first.get_or_insert(Contradiction { fault, told });
    }
}
