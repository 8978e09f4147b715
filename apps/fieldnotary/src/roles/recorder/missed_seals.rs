//! Seals that were missed in earlier runs and have not come since: the stretch outlives a restart.

use evidence::Payload;
use evidence::frozen::names::SEALS_MISSED;
use evidence::reasons::{EventCode, KeyFault};

/// How many, as far as the log tells, and why the first of them was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MissedSeals(Option<(u64, KeyFault)>);

/// What the event says that tells of the first one.
pub(super) fn detail(fault: KeyFault, words: &str) -> String {
    format!("{fault}: {words}")
}

/// And what that says again to a later run: why, and in which words.
pub(crate) fn fault_told(detail: &str) -> (KeyFault, &str) {
    let (name, words) = detail.split_once(": ").unwrap_or((detail, detail));
    (
        KeyFault::from_name(name).unwrap_or(KeyFault::Unavailable),
        words,
    )
}

impl MissedSeals {
    /// Takes an entry of the log.
    pub(super) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::Checkpoint(_) => self.0 = None,
            Payload::Event(event) if event.code == EventCode::SignerUnavailable => {
                self.add(1, fault_told(event.detail.as_deref().unwrap_or_default()).0);
            }
            _ => {}
        }
    }

    /// Takes a counter of a frozen state.
    pub(super) fn recall(&mut self, label: &str, count: u64) {
        if let Some(fault) = KeyFault::from_name(label) {
            self.0 = Some((count, fault));
        }
    }

    /// Adds seals that this run missed.
    pub(super) fn add(&mut self, count: u64, fault: KeyFault) {
        let (before, first) = self.0.unwrap_or((0, fault));
        self.0 = Some((before.saturating_add(count), first));
    }

    /// Takes out what was missed, where anything was.
    pub(super) fn take(&mut self) -> Option<(u64, KeyFault)> {
        self.0.take()
    }

    /// The same for a frozen state: name, label and value of a counter.
    pub(super) fn frozen(&self) -> Option<(&'static str, String, u64)> {
        let (count, fault) = self.0?;
        Some((SEALS_MISSED, fault.name().to_owned(), count))
    }
}

#[cfg(test)]
mod tests {
    use super::{MissedSeals, SEALS_MISSED, detail, fault_told};
    use evidence::kinds::{Checkpoint, Event};
    use evidence::reasons::{Custody, EventCode, KeyFault};
    use evidence::{Digest, MonoNs, Payload, SourceId};

    fn unavailable(detail: &str) -> Payload {
        Event {
            detail: Some(detail.to_owned()),
            ..Event::new(
                MonoNs(1),
                EventCode::SignerUnavailable,
                SourceId::new("recorder").unwrap(),
            )
        }
        .into()
    }

    //= A6.7
    #[test]
    fn why_a_seal_was_missed_comes_back_from_its_event() {
        for fault in KeyFault::ALL {
            assert_eq!(
                fault_told(&detail(*fault, "a word: or two")),
                (*fault, "a word: or two")
            );
        }
        assert_eq!(
            fault_told("words of an older node").0,
            KeyFault::Unavailable
        );
    }

    /// The chip of a node is gone; it is stopped, and started in a segment that has nothing of that.
    //= A6.4
    #[test]
    fn what_was_missed_is_known_in_later_runs_until_a_seal_comes() {
        let mut missed = MissedSeals::default();
        assert_eq!(missed.frozen(), None);
        missed.observe(&unavailable("locked_out: the TPM wants rest"));
        missed.observe(&unavailable("unavailable: nobody there"));
        missed.add(4, KeyFault::Unavailable);
        let due = (SEALS_MISSED, "locked_out".to_owned(), 6);
        assert_eq!(missed.frozen(), Some(due.clone()));
        let mut later = MissedSeals::default();
        later.recall(&due.1, due.2);
        assert_eq!(later, missed);
        assert_eq!(later.take(), Some((6, KeyFault::LockedOut)));
        let sealed = Checkpoint {
            at: MonoNs(2),
            size: 9,
            root: Digest([1; 32]),
            note: "n".to_owned(),
            custody: Custody::Software,
        };
        missed.observe(&sealed.into());
        assert_eq!(missed, MissedSeals::default());
    }
}
