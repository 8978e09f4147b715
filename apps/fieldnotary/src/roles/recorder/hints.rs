//! Who was turned away by the signer is an audit entry, and what is too often to be chance a hint of tampering (A6.7).

use super::committer::Committer;
use crate::clock;
use evidence::frozen::names::TAMPER_SIGN;
use evidence::kinds::{Audit, Counter};
use evidence::reasons::{EpochCause, EventCode, KeyFault, Outcome, RollbackAlarm};
use evidence::{Actor, Payload, Stamp};
use ipc::message::TurnedAway;
use std::collections::BTreeMap;
use trust_plane::{Hints, Sign};

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_MIN: i64 = 60;
const SEEN: &str = "seen";
const TOLD: &str = "told";

/// What the log and the signer told of both.
#[derive(Clone, Debug, Default)]
pub(super) struct HintWatch {
    hints: Hints,
    /// How often callers of each user were turned away, as the signer said last.
    turned_away: BTreeMap<u64, u64>,
}

impl HintWatch {
    /// Sees an entry that was committed before this run.
    pub(super) fn observe(&mut self, payload: &Payload, stamp: &Stamp) {
        let sign = match payload {
            Payload::EpochStart(epoch)
                if epoch.after_crash() && epoch.cause != EpochCause::WriteFailure =>
            {
                Sign::Recoveries
            }
            Payload::Rollback(found) if found.alarm != RollbackAlarm::LostEnd => {
                Sign::CounterAnomalies
            }
            _ => return,
        };
        // What it is to be told of was told behind it.
        let _ = self.hints.note(sign, 1, stamp.timestamp.0 / NS_PER_S);
    }

    /// Takes a whole frozen state, which has what came before it.
    pub(super) fn replace(&mut self, state: &[Counter]) {
        self.hints = Hints::default();
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
        self.hints.known().filter_map(|(sign, told, at_s)| {
            let how = if told { TOLD } else { SEEN };
            let at_s = u64::try_from(at_s).ok()?;
            Some((TAMPER_SIGN, format!("{sign} {how}"), at_s))
        })
    }

    /// The users of whom more were turned away than was known, with how often by now, and how many more.
    fn grown(&mut self, told: &[TurnedAway]) -> Vec<(u64, u64, u64)> {
        let mut grown = Vec::new();
        for one in told {
            let known = self.turned_away.insert(one.uid, one.count).unwrap_or(0);
            // A signer that began anew counts from nothing.
            let more = match one.count >= known {
                true => one.count - known,
                false => one.count,
            };
            if more > 0 {
                grown.push((one.uid, one.count, more));
            }
        }
        grown
    }
}

/// Whether a seal was not had because of the keys or what holds them; nobody who does not answer has failed to sign.
const fn is_of_the_keys(fault: KeyFault) -> bool {
    !matches!(
        fault,
        KeyFault::SignerAbsent | KeyFault::RolledBack | KeyFault::Refused
    )
}

impl Committer {
    /// A sign was seen so often: where that is too often it is said.
    pub(super) fn hint(&mut self, sign: Sign, count: u64) {
        let at_s = self.time.newest().utc_of(clock::mono()).0 / NS_PER_S;
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

    /// A seal was not had.
    pub(super) fn hint_of_unsealed(&mut self, fault: KeyFault) {
        if is_of_the_keys(fault) {
            self.hint(Sign::SignatureFailures, 1);
        }
    }

    /// A checkpoint was not bound.
    pub(super) fn hint_of_unbound(&mut self, fault: KeyFault) {
        if fault == KeyFault::CounterUndefined {
            self.hint(Sign::CounterAnomalies, 1);
        }
    }

    /// Whom the signer turned away.
    pub(super) fn turned_away(&mut self, told: &[TurnedAway]) {
        for (uid, count, more) in self.hints.grown(told) {
            let actor = match u32::try_from(uid) {
                Ok(uid) => Actor::local("", uid),
                Err(_) => Actor::stated("others"),
            };
            self.stage(
                Audit {
                    at: clock::mono(),
                    actor,
                    action: "use the keys".to_owned(),
                    reason: format!(
                        "the signer serves its own user and whole requests alone; {count} since it was started"
                    ),
                    scope: "the signer's socket".to_owned(),
                    outcome: Outcome::Refused,
                    diff: None,
                }
                .into(),
            );
            self.hint(Sign::TurnedAway, more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HintWatch, TAMPER_SIGN, is_of_the_keys};
    use crate::roles::recorder::startup::counter;
    use evidence::SourceId;
    use evidence::reasons::KeyFault;
    use ipc::message::TurnedAway;
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

    //= A6.7
    #[test]
    fn callers_are_told_as_they_come_and_over_restarts_of_the_signer() {
        let mut watch = HintWatch::default();
        let mut grown = |counts: &[(u64, u64)]| {
            let told = counts.iter().map(|(uid, count)| TurnedAway {
                uid: *uid,
                count: *count,
            });
            watch.grown(&told.collect::<Vec<_>>())
        };
        assert_eq!(grown(&[]), []);
        assert_eq!(grown(&[(1_000, 2)]), [(1_000, 2, 2)]);
        assert_eq!(grown(&[(1_000, 2), (7, 1)]), [(7, 1, 1)]);
        assert_eq!(grown(&[(1_000, 1)]), [(1_000, 1, 1)], "it began anew");
    }

    //= A6.7
    #[test]
    fn a_signer_that_is_not_there_has_not_failed_to_sign() {
        let of_keys = KeyFault::ALL.iter().filter(|fault| is_of_the_keys(**fault));
        assert_eq!(of_keys.count(), KeyFault::ALL.len() - 3);
        assert!(!is_of_the_keys(KeyFault::SignerAbsent));
    }
}
