//! When the tree is sealed, and what follows from the signer's answer.

use super::{Committer, Pending};
use crate::clock;
use crate::roles::recorder::lacked::Lacked;
use crate::roles::recorder::missed_seals::{MissedSeals, detail};
use crate::roles::recorder::sealer::{Head, Sealed, Unsealed};
use crate::roles::recorder::work::Answer;
use evidence::kinds::{self, Ack, Binding, BindingCounter, Checkpoint, KeyStore};
use evidence::reasons::{CounterKind, EventCode, KeyFault};
use evidence::{Digest, Kind, MonoNs};
use ipc::message::{BoundHead, Keys, LackedCounter};
use std::collections::BTreeSet;
use std::sync::mpsc::TrySendError;
use trust_plane::{Capabilities, window_ns};

/// While idle (nothing but checkpoints and acks since the last seal), seals are this much sparser.
pub(crate) const IDLE_SEAL_FACTOR: u64 = 15;

/// Whether entries of a kind come of seals and ask for none: else a node would seal for ever.
pub(super) const fn is_of_seals(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Checkpoint | Kind::Ack | Kind::Binding | Kind::KeyStore | Kind::KeyUse
    )
}

/// Where sealing stands.
#[derive(Debug, Default)]
pub(in crate::roles::recorder) struct SealState {
    pub(in crate::roles::recorder) asked: Option<u64>,
    pub(in crate::roles::recorder) sealed_size: u64,
    pub(in crate::roles::recorder) note: Option<String>,
    pub(in crate::roles::recorder) root: Option<Digest>,
    pub(in crate::roles::recorder) cosigned_size: u64,
    /// The newest cosignature.
    pub(in crate::roles::recorder) ack: Option<Ack>,
    pub(in crate::roles::recorder) last_ns: u64,
    /// When the first seal was asked for that this run missed since the last one.
    pub(in crate::roles::recorder) missed_since: Option<MonoNs>,
    /// Seals missed since the last one, also in earlier runs, and when that one came.
    pub(in crate::roles::recorder) missed: MissedSeals,
    /// Why they were missed, each as it was told.
    pub(in crate::roles::recorder) missed_for: BTreeSet<KeyFault>,
    /// Checkpoints in a row that were signed and not bound.
    pub(in crate::roles::recorder) unbound: u64,
    /// Why they were not bound, each as it was told.
    pub(in crate::roles::recorder) unbound_for: BTreeSet<KeyFault>,
    /// Whether the plain counter moved since the store was told of.
    pub(in crate::roles::recorder) stepped: bool,
    /// What holds the keys, as it was told last in this epoch.
    pub(in crate::roles::recorder) store: Option<KeyStore>,
    /// The counters that the signer missed, as it said.
    pub(in crate::roles::recorder) lacked: Lacked,
    /// Size of the log with the order to stop in it.
    pub(in crate::roles::recorder) stop_size: u64,
    /// Entries since the last seal that deserve one.
    pub(in crate::roles::recorder) unsealed: u64,
}

impl Committer {
    pub(in crate::roles::recorder) fn seal_due(&self, now_ns: u64) -> bool {
        if self.seal.asked.is_some() || self.stop_answered {
            return false;
        }
        let cadence = self.contract.seal.every_ms * 1_000_000;
        let since = now_ns.saturating_sub(self.seal.last_ns);
        let idle = self.seal.unsealed == 0;
        let due = if idle {
            cadence * IDLE_SEAL_FACTOR
        } else {
            cadence
        };
        self.stopping.is_some()
            || since >= due
            || (self.firmware).wants_to_hear(MonoNs(now_ns), self.seal.last_ns)
            || self.seal.unsealed >= self.contract.seal.entries_max
    }

    pub(in crate::roles::recorder) fn ask_for_seal(&mut self, now_ns: u64) {
        self.seal.last_ns = now_ns;
        if let Some(words) = self.rollback.ends_seals() {
            return self.sealed(Err(Unsealed {
                asked: clock::mono(),
                fault: KeyFault::RolledBack,
                words,
            }));
        }
        let head = Head {
            origin: self.origin.clone(),
            size: self.journal.size(),
            root: Digest(self.journal.root().0),
            asked: clock::mono(),
            plain_shown: self.rollback.plain_shown(),
        };
        self.seal.asked = Some(head.size);
        match self.heads.try_send(head) {
            Ok(()) => self.seal.unsealed = 0,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.seal.asked = None,
        }
    }

    /// The head that was asked for is not signed: what came with it is committed first, and a larger one asked for at once.
    pub(in crate::roles::recorder) fn seal_later(&mut self) {
        self.seal.asked = None;
        self.seal.last_ns = 0;
        self.seal.unsealed += 1;
    }

    pub(in crate::roles::recorder) fn sealed(&mut self, outcome: Result<Sealed, Unsealed>) {
        let asked = self.seal.asked.take();
        match outcome {
            Ok(sealed) => {
                self.sealed_again(sealed.head.size);
                self.stats.seals += 1;
                self.stats.signer.take(
                    &sealed.uses,
                    sealed.rollback_attempts,
                    sealed.signature_failures,
                    &sealed.bound,
                );
                let grown = sealed.head.size.saturating_sub(self.seal.sealed_size);
                self.stats.seal_interval = Some(grown);
                self.seal.sealed_size = sealed.head.size;
                self.seal.root = Some(sealed.head.root);
                self.seal.note = Some(sealed.note.clone());
                self.journal.note_sealed(sealed.head.size);
                self.stage(
                    Checkpoint {
                        at: clock::mono(),
                        size: sealed.head.size,
                        root: sealed.head.root,
                        note: sealed.note,
                        custody: sealed.custody,
                    }
                    .into(),
                );
                self.bound(sealed.head.size, sealed.bound, sealed.unbound);
                self.turned_away(sealed.signer_began, &sealed.turned_away);
                self.tell_of_key_use(false);
            }
            Err(unsealed) => {
                self.stats.seals_missed += 1;
                self.seal.missed.add(1, unsealed.fault);
                self.hint_of_unsealed(unsealed.fault);
                // A signer that is still being started is waited for.
                if unsealed.fault != KeyFault::SignerAbsent {
                    self.firmware.refused();
                }
                self.seal.missed_since.get_or_insert(unsealed.asked);
                // Another reason wants another cure; where two alternate, each is said once.
                if self.seal.missed_for.insert(unsealed.fault) {
                    self.event(EventCode::SignerUnavailable, |event| {
                        event.detail = Some(detail(unsealed.fault, &unsealed.words));
                    });
                }
                self.seal.unsealed += 1;
            }
        }
        // A seal that was under way when the stop was ordered does not hold what came with it.
        let last = asked.is_some_and(|size| size >= self.seal.stop_size);
        let stopping = self.stopping.clone();
        if let Some(answer) = stopping.filter(|_| last && !self.stop_answered) {
            self.stop_answered = true;
            self.tell_of_missed();
            let head = self.head();
            self.answers.push((answer, Pending::Ready(Box::new(head))));
        }
    }

    /// What was done with the keys, where that is due; at a stop before the last seal, which has it.
    fn tell_of_key_use(&mut self, stopping: bool) {
        if let Some(told) = self.stats.signer.due(clock::mono(), stopping) {
            self.stage(told.into());
        }
    }

    /// The run ends without its last seals: the next one knows how many they were.
    fn tell_of_missed(&mut self) {
        if let Some((count, words)) = self.seal.missed.at_stop() {
            self.event(EventCode::SignerUnavailable, |event| {
                event.count = Some(count);
                event.detail = Some(words);
            });
        }
    }

    /// Seals come again: the stretch without any is an entry.
    fn sealed_again(&mut self, size: u64) {
        let since = self.seal.missed_since.take();
        self.seal.missed_for.clear();
        let Some((missed, cause)) = self.seal.missed.take() else {
            return;
        };
        // The monotonic clock of an earlier run may have been another boot's.
        let since = since.unwrap_or(self.epoch_at);
        let sealed_utc = self.seal.missed.sealed_utc();
        self.event(EventCode::SignerRecovered, |event| {
            event.count = Some(missed);
        });
        self.stage(
            kinds::Unsealed {
                at: clock::mono(),
                since,
                sealed_before: self.seal.sealed_size,
                sealed: size,
                missed,
                cause,
                sealed_utc,
            }
            .into(),
        );
    }

    /// The counters that a checkpoint is bound to, or that it is not.
    fn bound(&mut self, size: u64, bound: Vec<BoundHead>, unbound: Option<(KeyFault, String)>) {
        for one in bound {
            self.seal.stepped |= one.counter == CounterKind::Plain;
            self.stage(
                Binding {
                    at: clock::mono(),
                    size,
                    counter: one.counter,
                    value: one.value,
                    attest: one.attest,
                    signature: one.signature,
                }
                .into(),
            );
        }
        match unbound {
            Some((fault, words)) => {
                self.seal.unbound += 1;
                self.hint_of_unbound(fault);
                if self.seal.unbound_for.insert(fault) {
                    self.event(EventCode::CheckpointUnbound, |event| {
                        event.detail = Some(detail(fault, &words));
                    });
                }
            }
            None => {
                let before = std::mem::take(&mut self.seal.unbound);
                self.seal.unbound_for.clear();
                if before > 0 {
                    self.event(EventCode::CheckpointBound, |event| {
                        event.count = Some(before)
                    });
                }
            }
        }
    }

    /// A counter that was not there for a head is told to be away: when the signer is heard again there may be one under its name,
    /// which was defined anew. It says so with what it signs of itself: what stands beside a head anybody between could have written.
    pub(in crate::roles::recorder) fn lacked(&mut self, lacked: &[LackedCounter]) {
        let news = self.seal.lacked.news(lacked, self.epoch_at);
        let there = |one: &BindingCounter| !news.contains(&one.counter);
        let told = self.seal.store.as_ref();
        let Some(told) = told.filter(|told| !told.counters.iter().all(there)) else {
            return;
        };
        let mut store = told.clone();
        store.at = clock::mono();
        store.counters.retain(there);
        self.stage(store.clone().into());
        self.seal.store = Some(store);
    }

    /// What the signer says of its store is told at the start, where it changed, and with each step of the plain
    /// counter, behind which it is asked again.
    pub(in crate::roles::recorder) fn key_store(&mut self, keys: Keys) {
        let capabilities = Capabilities {
            custody: keys.custody,
            non_exportable: keys.non_exportable,
            monotonic_counter: keys.monotonic_counter,
            attestation: keys.attestation,
            measured_boot: keys.measured_boot,
        };
        let seal_every_ns = self.contract.seal.every_ms.saturating_mul(1_000_000);
        let counters = keys.counters.into_iter().map(|one| BindingCounter {
            counter: one.counter,
            public: one.public,
        });
        let store = KeyStore {
            at: clock::mono(),
            custody: keys.custody,
            maker: keys.maker,
            non_exportable: keys.non_exportable,
            monotonic_counter: keys.monotonic_counter,
            attestation: keys.attestation,
            measured_boot: keys.measured_boot,
            key_public: keys.key_public,
            counters: counters.collect(),
            window_ns: window_ns(capabilities, keys.plain_every_ns, seal_every_ns),
            not_applied: keys.not_applied,
        };
        let same = self.seal.store.as_ref().is_some_and(|before| {
            let at = before.at;
            *before
                == KeyStore {
                    at,
                    ..store.clone()
                }
        });
        // The signer is asked with each seal while one of its counters is gone: what is the same need not stand there again.
        let stepped = std::mem::take(&mut self.seal.stepped);
        if !same || stepped {
            self.stage(store.clone().into());
        }
        self.seal.store = Some(store);
    }

    pub(in crate::roles::recorder) fn stop(&mut self, answer: Answer) {
        self.tell_of_key_use(true);
        self.missed_by_the_block();
        self.event(EventCode::OrderlyStop, |_| {});
        self.stopping = Some(answer);
        let staged = u64::try_from(self.staged.len()).unwrap_or(u64::MAX);
        self.seal.stop_size = self.journal.size().saturating_add(staged);
        self.seal.last_ns = 0;
    }
}
