//! Since when there was no seal, and how many were missed since, also in earlier runs: the stretch outlives a restart.

use evidence::frozen::names::{SEALED, SEALS_MISSED};
use evidence::reasons::{EventCode, KeyFault};
use evidence::{Payload, UtcNs};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MissedSeals {
    /// How many, as far as the log tells, and why the first of them was.
    missed: Option<(u64, KeyFault)>,
    /// When the newest checkpoint came, by its stamp: the one clock that two boots share.
    sealed: Option<UtcNs>,
}

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
    /// Takes an entry of the log, with the time of its stamp.
    pub(super) fn observe(&mut self, payload: &Payload, utc: UtcNs) {
        match payload {
            Payload::Checkpoint(_) => {
                self.missed = None;
                self.sealed(utc);
            }
            Payload::Event(event) if event.code == EventCode::SignerUnavailable => {
                let (fault, _) = fault_told(event.detail.as_deref().unwrap_or_default());
                match event.count {
                    // All of them, as a run told when it stopped: those before it are among them.
                    Some(all) => {
                        let (before, first) = self.missed.unwrap_or((0, fault));
                        self.missed = Some((before.max(all), first));
                    }
                    None => self.add(1, fault),
                }
            }
            _ => {}
        }
    }

    /// Takes a counter of a frozen state.
    pub(super) fn recall(&mut self, name: &str, label: &str, value: u64) {
        match (name, KeyFault::from_name(label)) {
            (SEALED, _) => self.sealed = i64::try_from(value).ok().map(UtcNs),
            (_, Some(fault)) => self.missed = Some((value, fault)),
            (_, None) => {}
        }
    }

    /// A checkpoint is in the log.
    pub(super) fn sealed(&mut self, utc: UtcNs) {
        self.sealed = Some(utc);
    }

    /// When the newest one came.
    pub(super) const fn sealed_utc(&self) -> Option<UtcNs> {
        self.sealed
    }

    /// Adds seals that this run missed.
    pub(super) fn add(&mut self, count: u64, fault: KeyFault) {
        let (before, first) = self.missed.unwrap_or((0, fault));
        self.missed = Some((before.saturating_add(count), first));
    }

    /// What a run that stops tells of them: how many, and why the first of them was. Of one alone its event said all.
    pub(super) fn at_stop(&self) -> Option<(u64, String)> {
        let (count, fault) = self.missed.filter(|(count, _)| *count > 1)?;
        let words = format!("{count} seals missed since the last one");
        Some((count, detail(fault, &words)))
    }

    /// Takes out what was missed, where anything was.
    pub(super) fn take(&mut self) -> Option<(u64, KeyFault)> {
        self.missed.take()
    }

    /// The same for a frozen state: name, label and value of a counter each.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        let sealed = self.sealed.and_then(|utc| u64::try_from(utc.0).ok());
        let sealed = sealed.map(|utc_ns| (SEALED, "UTC".to_owned(), utc_ns));
        let missed = self.missed;
        let missed = missed.map(|(count, fault)| (SEALS_MISSED, fault.name().to_owned(), count));
        sealed.into_iter().chain(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::{MissedSeals, SEALS_MISSED, detail, fault_told};
    use evidence::kinds::{Checkpoint, Event};
    use evidence::reasons::{Custody, EventCode, KeyFault};
    use evidence::{Digest, MonoNs, Payload, SourceId, UtcNs};

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

    /// Of each run that is stopped all are counted, and once: the state of a segment may have them already.
    //= A6.4
    #[test]
    fn what_a_run_missed_until_it_was_stopped_is_counted_by_the_next() {
        let utc = UtcNs(1_800_000_000_000_000_000);
        let mut run = MissedSeals::default();
        run.observe(&unavailable("wrong_pin: refused"), utc);
        assert_eq!(run.at_stop(), None, "its event says it");
        run.add(3, KeyFault::WrongPin);
        let (count, words) = run.at_stop().unwrap();
        assert_eq!(
            (count, words.as_str()),
            (4, "wrong_pin: 4 seals missed since the last one")
        );
        let mut told = unavailable(&words);
        if let Payload::Event(event) = &mut told {
            event.count = Some(count);
        }
        let mut by_events = MissedSeals::default();
        by_events.observe(&unavailable("wrong_pin: refused"), utc);
        let mut by_state = MissedSeals::default();
        by_state.recall(SEALS_MISSED, "wrong_pin", 4);
        for mut later in [by_events, by_state] {
            later.observe(&told, utc);
            later.observe(&unavailable("token_missing: gone"), utc);
            assert_eq!(later.take(), Some((5, KeyFault::WrongPin)));
        }
    }

    /// The chip of a node is gone; it is stopped, and started in a segment that has nothing of that.
    //= A6.4
    #[test]
    fn what_was_missed_is_known_in_later_runs_until_a_seal_comes() {
        let utc = |s: i64| UtcNs(1_800_000_000_000_000_000 + s * 1_000_000_000);
        let sealed: Payload = Checkpoint {
            at: MonoNs(2),
            size: 9,
            root: Digest([1; 32]),
            note: "n".to_owned(),
            custody: Custody::Software,
        }
        .into();
        let mut missed = MissedSeals::default();
        assert_eq!(missed.frozen().next(), None);
        missed.observe(&sealed, utc(0));
        missed.observe(&unavailable("locked_out: the TPM wants rest"), utc(60));
        missed.observe(&unavailable("unavailable: nobody there"), utc(120));
        missed.add(4, KeyFault::Unavailable);
        let due: Vec<_> = missed.frozen().collect();
        let count = (SEALS_MISSED, "locked_out".to_owned(), 6);
        assert_eq!(due.last(), Some(&count));
        let mut later = MissedSeals::default();
        for (name, label, value) in due {
            later.recall(name, &label, value);
        }
        assert_eq!(later, missed);
        // Since the last seal, and not since the run that misses more of them.
        later.observe(&unavailable("unavailable: nobody there"), utc(7_200));
        assert_eq!(later.sealed_utc(), Some(utc(0)));
        assert_eq!(later.take(), Some((7, KeyFault::LockedOut)));
        missed.observe(&sealed, utc(180));
        assert_eq!(missed.take(), None);
        assert_eq!(missed.sealed_utc(), Some(utc(180)));
    }
}
