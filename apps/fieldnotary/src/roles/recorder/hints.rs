//! What is too often to be chance is a hint of tampering (A6.7).

use super::callers::Callers;
use super::committer::Committer;
use super::missed_seals::fault_told;
use crate::clock;
use evidence::frozen::names::TAMPER_SIGN;
use evidence::kinds::{Counter, Event};
use evidence::reasons::{EpochCause, EventCode, KeyFault, RollbackAlarm};
use evidence::{MonoNs, Payload, UtcNs};
use ipc::message::TurnedAway;
use trust_plane::{Hints, Sign};

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_MIN: i64 = 60;
const SEEN: &str = "seen";
const TOLD: &str = "told";

/// What the log and the signer told.
#[derive(Clone, Debug, Default)]
pub(super) struct HintWatch {
    hints: Hints,
    callers: Callers,
}

impl HintWatch {
    /// Sees an entry that was committed before this run, in a boot and at a time.
    pub(super) fn observe(&mut self, payload: &Payload, boot: &str, at: UtcNs) {
        let at_s = at.0 / NS_PER_S;
        let (sign, count) = match payload {
            Payload::EpochStart(epoch)
                if epoch.after_crash() && epoch.cause != EpochCause::WriteFailure =>
            {
                (Sign::Recoveries, 1)
            }
            Payload::Rollback(found) if found.alarm != RollbackAlarm::LostEnd => {
                (Sign::CounterAnomalies, 1)
            }
            Payload::Audit(audit) => {
                let refused = self.callers.replay(audit, boot, at_s);
                (Sign::TurnedAway, refused)
            }
            Payload::Event(event) => match of_event(event) {
                Some((sign, TOLD)) => return self.hints.recall(sign, true, at_s),
                Some((sign, _)) => (sign, 1),
                None => return,
            },
            _ => return,
        };
        self.hints.see(sign, count, at_s);
    }

    /// Takes a whole frozen state, which has what came before it.
    pub(super) fn replace(&mut self, state: &[Counter]) {
        self.hints = Hints::default();
        self.callers.replace(state);
        for counter in state {
            if counter.name == TAMPER_SIGN
                && let (Some(label), Some(at_s)) = (counter.label.as_deref(), counter.value)
                && let (Some((sign, how)), Ok(at_s)) = (label.split_once(' '), i64::try_from(at_s))
                && let Some(sign) = Sign::from_name(sign)
            {
                self.hints.recall(sign, how == TOLD, at_s);
            }
        }
    }

    /// The same for a frozen state: name, label and value of each counter.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        let signs = self.hints.known().filter_map(|(sign, told, at_s)| {
            let how = if told { TOLD } else { SEEN };
            let at_s = u64::try_from(at_s).ok()?;
            Some((TAMPER_SIGN, format!("{sign} {how}"), at_s))
        });
        signs.chain(self.callers.frozen())
    }
}

/// What an event says of a sign, and whether that it was seen or told.
fn of_event(event: &Event) -> Option<(Sign, &'static str)> {
    let detail = event.detail.as_deref().unwrap_or_default();
    match event.code {
        EventCode::TamperHint => {
            let (sign, _) = detail.split_once(": ")?;
            Some((Sign::from_name(sign)?, TOLD))
        }
        // One with a count tells at a stop of those that were seen already.
        EventCode::SignerUnavailable
            if event.count.is_none() && fault_told(detail).0.is_failed_signature() =>
        {
            Some((Sign::SignatureFailures, SEEN))
        }
        EventCode::CheckpointUnbound if fault_told(detail).0 == KeyFault::CounterUndefined => {
            Some((Sign::CounterAnomalies, SEEN))
        }
        _ => None,
    }
}

impl Committer {
    /// The time by which signs are near to each other, in seconds since 1970. No clock that was set back, or began in 1970,
    /// makes it earlier than what was certain once: it would bring the starts of years together.
    fn signs_at_s(&self) -> i64 {
        let now = self.time.newest().utc_of(clock::mono());
        now.max(self.newest_synced()).0 / NS_PER_S
    }

    /// A sign was seen so often: where that is too often it is said.
    pub(super) fn hint(&mut self, sign: Sign, count: u64) {
        let at_s = self.signs_at_s();
        if let Some(limit) = self.hints.hints.note(sign, count, at_s) {
            self.event(EventCode::TamperHint, |event| {
                event.count = u64::try_from(limit.count).ok();
                event.detail = Some(format!(
                    "{sign}: {}, {} or more within {} min",
                    sign.meaning(),
                    limit.count,
                    limit.within_s / S_PER_MIN
                ));
            });
        }
    }

    /// A seal was not had. Whatever is not there has not failed to sign: supplies are drawn, modules are not let to their files.
    pub(super) fn hint_of_unsealed(&mut self, fault: KeyFault) {
        if fault.is_failed_signature() {
            self.hint(Sign::SignatureFailures, 1);
        }
    }

    /// A checkpoint was not bound.
    pub(super) fn hint_of_unbound(&mut self, fault: KeyFault) {
        if fault == KeyFault::CounterUndefined {
            self.hint(Sign::CounterAnomalies, 1);
        }
    }

    /// Whom a signer turned away that was started then.
    pub(super) fn turned_away(&mut self, began: MonoNs, told: &[TurnedAway]) {
        let run = (self.boot_id.to_string(), began);
        let now = (clock::mono(), self.signs_at_s());
        let (refused, due) = self.hints.callers.take(run, told, now);
        due.into_iter().for_each(|audit| self.stage(audit.into()));
        if refused > 0 {
            self.hint(Sign::TurnedAway, refused);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HintWatch, TAMPER_SIGN};
    use crate::roles::recorder::startup::counter;
    use evidence::kinds::Event;
    use evidence::reasons::{EventCode, KeyFault};
    use evidence::{MonoNs, Payload, SourceId, UtcNs};
    use trust_plane::Sign;

    //= A6.7
    #[test]
    fn what_was_seen_is_part_of_the_state_at_the_start_of_a_segment() {
        let mut before = HintWatch::default();
        for at_s in 0..4 {
            before.hints.note(Sign::Recoveries, 1, 1_800_000_000 + at_s);
        }
        let own = SourceId::new("recorder").unwrap();
        let frozen = before.frozen().map(|(name, label, at_s)| {
            assert!(evidence::frozen::is_reserved(name));
            counter(&own, name, label, at_s)
        });
        let mut state: Vec<_> = frozen.collect();
        state.push(counter(&own, TAMPER_SIGN, "nobody seen".to_owned(), 1));
        state.push(counter(&own, TAMPER_SIGN, "recoveries".to_owned(), 1));
        let mut after = HintWatch::default();
        // The recovery is in the same segment, before the state that has it.
        after.hints.note(Sign::Recoveries, 1, 1_800_000_003);
        after.replace(&state);
        assert_eq!(after.hints, before.hints);
    }

    fn event(code: EventCode, detail: &str) -> Payload {
        let own = SourceId::new("recorder").unwrap();
        let mut event = Event::new(MonoNs(1), code, own);
        event.detail = Some(detail.to_owned());
        event.into()
    }

    /// The segment has no frozen state that knows of it.
    //= A6.7
    #[test]
    fn what_the_log_says_of_signs_is_known_to_the_next_recorder() {
        const AT: UtcNs = UtcNs(1_800_000_000_000_000_000);
        for (payload, due) in [
            (
                event(EventCode::TamperHint, "turned_away: the signer did"),
                Some((Sign::TurnedAway, true)),
            ),
            (event(EventCode::TamperHint, "nobody: knows"), None),
            (
                event(
                    EventCode::SignerUnavailable,
                    "locked_out: the TPM wants rest",
                ),
                Some((Sign::SignatureFailures, false)),
            ),
            (
                event(EventCode::SignerUnavailable, "signer_absent: not there"),
                None,
            ),
            (
                event(EventCode::SignerUnavailable, "unavailable: does not begin"),
                None,
            ),
            (
                event(EventCode::SignerUnavailable, "token_missing: no slot"),
                None,
            ),
            (
                event(EventCode::CheckpointUnbound, "counter_undefined: gone"),
                Some((Sign::CounterAnomalies, false)),
            ),
            (event(EventCode::CheckpointUnbound, "locked_out: no"), None),
        ] {
            let mut watch = HintWatch::default();
            watch.observe(&payload, "b", AT);
            let known = watch.hints.known();
            let known: Vec<_> = known.map(|(sign, told, _)| (sign, told)).collect();
            assert_eq!(known, due.into_iter().collect::<Vec<_>>(), "{payload:?}");
        }
        let mut watch = HintWatch::default();
        watch.observe(&event(EventCode::TamperHint, "recoveries: four"), "b", AT);
        let again = watch
            .hints
            .note(Sign::Recoveries, 4, AT.0 / 1_000_000_000 + 60);
        assert_eq!(again, None, "told already");
    }

    /// Every fault, as an event of a run before has it: the hint counts what the signer's own counter does.
    //= A6.7
    #[test]
    fn only_a_store_that_was_there_and_did_not_sign_is_a_sign() {
        for fault in KeyFault::ALL {
            let told = event(EventCode::SignerUnavailable, &format!("{fault}: words"));
            let mut watch = HintWatch::default();
            watch.observe(&told, "b", UtcNs(1_800_000_000_000_000_000));
            let seen = watch.hints.known().count() > 0;
            assert_eq!(seen, fault.is_failed_signature(), "{fault}");
        }
        let never_asked = [
            KeyFault::SignerAbsent,
            KeyFault::Unavailable,
            KeyFault::TokenMissing,
            KeyFault::Refused,
            KeyFault::RolledBack,
            KeyFault::NoAnswer,
            KeyFault::OtherKeys,
        ];
        for fault in KeyFault::ALL {
            let asked = !never_asked.contains(fault);
            assert_eq!(fault.is_failed_signature(), asked, "{fault}");
        }
    }
}
