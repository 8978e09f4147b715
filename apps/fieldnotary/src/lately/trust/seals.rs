//! Whether checkpoints come, as the newest entries about it say; and what a person does where they do not.

use crate::roles::recorder::fault_told;
use evidence::Payload;
use evidence::reasons::{EpochCause, EventCode, KeyFault};
use serde_json::{Value, json};

/// What is wrong, in the signer's words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wrong {
    fault: KeyFault,
    words: String,
}

impl Wrong {
    fn told(detail: Option<&str>) -> Self {
        let (fault, words) = fault_told(detail.unwrap_or_default());
        Self {
            fault,
            words: words.to_owned(),
        }
    }
}

/// How sealing stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seals {
    sealed: bool,
    /// Why none come.
    missed: Option<Wrong>,
    /// Why they are not bound to the counters of the store.
    unbound: Option<Wrong>,
}

impl Seals {
    pub(super) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::Checkpoint(_) => {
                self.sealed = true;
                self.missed = None;
            }
            // A run that finds the same says it anew.
            Payload::EpochStart(epoch) if epoch.cause != EpochCause::WriteFailure => {
                self.unbound = None;
            }
            Payload::Event(event) => match event.code {
                EventCode::SignerUnavailable => {
                    self.missed = Some(Wrong::told(event.detail.as_deref()));
                }
                EventCode::CheckpointUnbound => {
                    self.unbound = Some(Wrong::told(event.detail.as_deref()));
                }
                EventCode::CheckpointBound => self.unbound = None,
                _ => {}
            },
            _ => {}
        }
    }

    /// `state` with cause, words and cure.
    pub(super) fn report(&self) -> Value {
        let (state, wrong) = match (&self.missed, &self.unbound) {
            (Some(wrong), _) if wrong.fault == KeyFault::RolledBack => ("ended", Some(wrong)),
            (Some(wrong), _) => ("missed", Some(wrong)),
            (None, Some(wrong)) => ("unbound", Some(wrong)),
            (None, None) if self.sealed => ("sealing", None),
            (None, None) => ("unknown", None),
        };
        json!({
            "state": state,
            "cause": wrong.map(|wrong| wrong.fault.name()),
            "detail": wrong.map(|wrong| &wrong.words),
            "cure": wrong.map(|wrong| wrong.fault.cure()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Seals;
    use evidence::kinds::{Checkpoint, EpochStart, Event};
    use evidence::reasons::{Custody, EpochCause, EventCode, KeyFault, TruthClass};
    use evidence::{BootId, Digest, MonoNs, Payload, SourceId};
    use serde_json::{Value, json};

    fn event(code: EventCode, detail: &str) -> Payload {
        Event {
            detail: Some(detail.to_owned()),
            ..Event::new(MonoNs(1), code, SourceId::new("recorder").unwrap())
        }
        .into()
    }

    fn sealed() -> Payload {
        Checkpoint {
            at: MonoNs(2),
            size: 9,
            root: Digest([1; 32]),
            note: "n".to_owned(),
            custody: Custody::Software,
        }
        .into()
    }

    fn begins(cause: EpochCause) -> Payload {
        EpochStart::new(MonoNs(1), cause, BootId([1; 16]), TruthClass::Independent).into()
    }

    //= A6.7
    #[test]
    fn each_fault_of_the_keys_has_a_state_its_words_and_a_cure() {
        for fault in KeyFault::ALL {
            let mut seals = Seals::default();
            seals.observe(&sealed());
            assert_eq!(seals.report()["state"], "sealing");
            let words = format!("{fault}: the store says: no");
            seals.observe(&event(EventCode::SignerUnavailable, &words));
            let told = seals.report();
            let ended = *fault == KeyFault::RolledBack;
            let state = if ended { "ended" } else { "missed" };
            assert_eq!(
                (&told["state"], &told["cause"]),
                (&json!(state), &json!(fault.name()))
            );
            assert_eq!(told["detail"], "the store says: no");
            assert!(told["cure"].as_str().is_some_and(|cure| cure.len() > 10));
            if *fault == KeyFault::TokenMissing {
                let cure = fault.cure();
                let sandbox = cure.find("`allow`").unwrap();
                assert!(
                    cure.starts_with("put the token back") && sandbox > 0,
                    "the likeliest first: {cure}"
                );
            }
            seals.observe(&sealed());
            assert_eq!(seals.report()["state"], "sealing");
        }
    }

    //= A6.4
    #[test]
    fn what_is_not_bound_stays_so_until_it_is_bound_or_a_run_begins() {
        let unbound = event(EventCode::CheckpointUnbound, "counter_undefined: gone");
        for (entries, state) in [
            (vec![], "unknown"),
            (vec![sealed(), unbound.clone()], "unbound"),
            (vec![unbound.clone(), sealed()], "unbound"),
            (
                vec![unbound.clone(), begins(EpochCause::WriteFailure)],
                "unbound",
            ),
            (
                vec![sealed(), unbound.clone(), begins(EpochCause::OrderlyStart)],
                "sealing",
            ),
            (
                vec![sealed(), unbound, event(EventCode::CheckpointBound, "")],
                "sealing",
            ),
        ] {
            let mut seals = Seals::default();
            entries.iter().for_each(|entry| seals.observe(entry));
            let told: Value = seals.report();
            assert_eq!(told["state"], state, "{entries:?}");
        }
    }
}
