//! When the tree is sealed, and what follows from the signer's answer.

use super::{Committer, Pending};
use crate::clock;
use crate::roles::recorder::sealer::{Head, Sealed};
use crate::roles::recorder::work::Answer;
use evidence::Digest;
use evidence::kinds::{Ack, Checkpoint};
use evidence::reasons::{Custody, EventCode};
use std::sync::mpsc::TrySendError;

/// While idle (nothing but checkpoints and acks since the last seal), seals are this much sparser.
pub(crate) const IDLE_SEAL_FACTOR: u64 = 15;

/// Where sealing stands.
#[derive(Debug, Default)]
pub(in crate::roles::recorder) struct SealState {
    pub(in crate::roles::recorder) asked: Option<u64>,
    pub(in crate::roles::recorder) sealed_size: u64,
    pub(in crate::roles::recorder) note: Option<String>,
    pub(in crate::roles::recorder) root: Option<Digest>,
    pub(in crate::roles::recorder) custody: Option<Custody>,
    pub(in crate::roles::recorder) cosigned_size: u64,
    /// The newest cosignature.
    pub(in crate::roles::recorder) ack: Option<Ack>,
    pub(in crate::roles::recorder) last_ns: u64,
    pub(in crate::roles::recorder) missed: u64,
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
            || self.seal.unsealed >= self.contract.seal.entries_max
    }

    pub(in crate::roles::recorder) fn ask_for_seal(&mut self, now_ns: u64) {
        self.seal.last_ns = now_ns;
        let head = Head {
            origin: self.origin.clone(),
            size: self.journal.size(),
            root: Digest(self.journal.root().0),
        };
        self.seal.asked = Some(head.size);
        match self.heads.try_send(head) {
            Ok(()) => self.seal.unsealed = 0,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.seal.asked = None,
        }
    }

    pub(in crate::roles::recorder) fn sealed(&mut self, outcome: Result<Sealed, String>) {
        let asked = self.seal.asked.take();
        match outcome {
            Ok(sealed) => {
                if self.seal.missed > 0 {
                    let missed = std::mem::take(&mut self.seal.missed);
                    self.event(EventCode::SignerRecovered, |event| {
                        event.count = Some(missed)
                    });
                }
                self.stats.seals += 1;
                let grown = sealed.head.size.saturating_sub(self.seal.sealed_size);
                self.stats.seal_interval = Some(grown);
                self.seal.sealed_size = sealed.head.size;
                self.seal.root = Some(sealed.head.root);
                self.seal.note = Some(sealed.note.clone());
                self.seal.custody = Some(sealed.custody);
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
            }
            Err(error) => {
                self.stats.seals_missed += 1;
                self.seal.missed += 1;
                if self.seal.missed == 1 {
                    self.event(EventCode::SignerUnavailable, |event| {
                        event.detail = Some(error)
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
            let head = self.head();
            self.answers.push((answer, Pending::Ready(head)));
        }
    }

    pub(in crate::roles::recorder) fn stop(&mut self, answer: Answer) {
        self.event(EventCode::OrderlyStop, |_| {});
        self.stopping = Some(answer);
        let staged = u64::try_from(self.staged.len()).unwrap_or(u64::MAX);
        self.seal.stop_size = self.journal.size().saturating_add(staged);
        self.seal.last_ns = 0;
    }
}
