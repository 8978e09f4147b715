//! Whom the signer turned away: told in audit entries, at once and then so seldom that nobody fills the log with them (A6.7).

use crate::acts::Act;
use evidence::frozen::names::SIGNER_CALLERS;
use evidence::kinds::{Audit, Counter};
use evidence::reasons::Outcome;
use evidence::{Actor, MonoNs};
use ipc::message::TurnedAway;
use std::collections::BTreeMap;

/// A user whose callers were told of is told of again after so long, with how many they were; in seconds.
const AGAIN_S: u64 = 3_600;
/// Users that are kept; of those of earlier runs of the signer the longest told goes first, and is told of sooner than it had to be.
const CALLERS_MAX: usize = 128;
/// Stands for all users that the signer does not count apart.
const OTHERS: u64 = 1 << 32;
const SCOPE: &str = "the signer's socket";
/// In a label, for a time that is not.
const NEVER: &str = "-";

/// What callers did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// They are not the signer's own user.
    Refused,
    /// They are, and what they sent is no request of this version.
    Malformed,
    /// They want new keys again and again.
    Rotations,
    /// They want the counter of firmware versions moved again and again.
    FirmwareSteps,
}

impl What {
    const ALL: [Self; 4] = [
        Self::Refused,
        Self::Malformed,
        Self::Rotations,
        Self::FirmwareSteps,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Rotations => "rotations",
            Self::FirmwareSteps => "firmware_steps",
        }
    }

    const fn action(self) -> &'static str {
        let act = match self {
            Self::Refused => Act::UseKeys,
            Self::Malformed => Act::MalformedRequest,
            Self::Rotations => Act::RotateKeys,
            Self::FirmwareSteps => Act::MoveFirmwareCounter,
        };
        act.name()
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Refused => "the signer serves its own user alone",
            Self::Malformed => "the bytes are no request of this version",
            Self::Rotations => "the keys changed as often as they may within a day",
            Self::FirmwareSteps => "the counter moved as often as it may within a day",
        }
    }
}

/// One run of the signer: the boot, and when it was started in its monotonic time.
type Run = (String, MonoNs);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    /// How often in this run, as the signer said last.
    count: u64,
    /// How many of all that were counted no audit entry has.
    untold: u64,
    /// When an audit entry said so last, in seconds since 1970.
    told_s: Option<i64>,
}

/// What the log and the signer told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Callers {
    run: Option<Run>,
    known: BTreeMap<(What, u64), Known>,
}

impl Callers {
    /// Takes what a run of the signer counted so far; gives how many callers more were refused than was known, and the audit
    /// entries that are due.
    pub(super) fn take(
        &mut self,
        run: Run,
        told: &[TurnedAway],
        (now, now_s): (MonoNs, i64),
    ) -> (u64, Vec<Audit>) {
        let began = run.1;
        self.goes_on(run);
        let mut refused = 0u64;
        for one in told {
            for (what, count) in [
                (What::Refused, one.count),
                (What::Malformed, one.malformed),
                (What::Rotations, one.rotations),
                (What::FirmwareSteps, one.firmware_steps),
            ] {
                if count == 0 {
                    continue;
                }
                let known = self.known.entry((what, one.uid)).or_default();
                let more = count.saturating_sub(known.count);
                known.count = known.count.max(count);
                known.untold = known.untold.saturating_add(more);
                if what == What::Refused {
                    refused = refused.saturating_add(more);
                }
            }
        }
        let is_near = |told_s: i64| told_s.abs_diff(now_s) < AGAIN_S;
        let mut due = Vec::new();
        for ((what, uid), known) in &mut self.known {
            if known.untold > 0 && !known.told_s.is_some_and(is_near) {
                due.push(audit(now, (*what, *uid), known, began));
                known.untold = 0;
                known.told_s = Some(now_s);
            }
        }
        self.known.retain(|_, known| {
            known.count > 0 || known.untold > 0 || known.told_s.is_some_and(is_near)
        });
        self.keep_to_bound();
        (refused, due)
    }

    /// Sees an audit entry that was committed before this run, in a boot and at a time in seconds since 1970; gives how many
    /// refused callers it tells of.
    pub(super) fn replay(&mut self, audit: &Audit, boot: &str, at_s: i64) -> u64 {
        let Some((key, [more, count, began])) = said(audit) else {
            return 0;
        };
        self.goes_on((boot.to_owned(), MonoNs(began)));
        let known = self.known.entry(key).or_default();
        *known = Known {
            count: known.count.max(count),
            untold: 0,
            told_s: Some(at_s),
        };
        self.keep_to_bound();
        match key.0 {
            What::Refused => more,
            What::Malformed | What::Rotations | What::FirmwareSteps => 0,
        }
    }

    /// Takes a whole frozen state, which has what came before it.
    pub(super) fn replace(&mut self, state: &[Counter]) {
        *self = Self::default();
        let mine = state.iter().filter(|one| one.name == SIGNER_CALLERS);
        for counter in mine {
            if let (Some(label), Some(count)) = (counter.label.as_deref(), counter.value)
                && let Some((run, key, mut known)) = restored(label)
            {
                known.count = count;
                self.goes_on(run);
                self.known.insert(key, known);
            }
        }
        self.keep_to_bound();
    }

    /// The same for a frozen state: name, label and value of each counter.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        let of_run = self.run.iter().flat_map(|(boot, began)| {
            let known = self.known.iter();
            known.map(move |((what, uid), known)| {
                let told = known
                    .told_s
                    .map_or_else(|| NEVER.to_owned(), |told_s| told_s.to_string());
                let (what, untold) = (what.name(), known.untold);
                let label = format!("{boot} {} {what} {uid} {untold} {told}", began.0);
                (label, known.count)
            })
        });
        of_run.map(|(label, count)| (SIGNER_CALLERS, label, count))
    }

    /// A signer that began anew counts from nothing.
    fn goes_on(&mut self, run: Run) {
        if self.run.as_ref() != Some(&run) {
            self.known.values_mut().for_each(|known| known.count = 0);
            self.run = Some(run);
        }
    }

    fn keep_to_bound(&mut self) {
        while self.known.len() > CALLERS_MAX {
            let oldest = self
                .known
                .iter()
                .min_by_key(|(_, known)| (known.count > 0, known.told_s));
            let Some(key) = oldest.map(|(key, _)| *key) else {
                return;
            };
            self.known.remove(&key);
        }
    }
}

fn audit(at: MonoNs, (what, uid): (What, u64), known: &Known, began: MonoNs) -> Audit {
    let actor = match u32::try_from(uid) {
        Ok(uid) => Actor::local("", uid),
        Err(_) => Actor::others(),
    };
    let (why, more, count) = (what.why(), known.untold, known.count);
    Audit {
        at,
        actor,
        action: what.action().to_owned(),
        reason: format!(
            "{why}; {more} since the last entry, {count} since the signer was started ({} ns after the boot)",
            began.0
        ),
        scope: SCOPE.to_owned(),
        outcome: Outcome::Refused,
        diff: None,
    }
}

/// And what that says again to a later run: who did what; how many more, how many in that run of the signer, and when it began.
fn said(audit: &Audit) -> Option<((What, u64), [u64; 3])> {
    if audit.scope != SCOPE {
        return None;
    }
    let what = What::ALL
        .into_iter()
        .find(|what| what.action() == audit.action)?;
    let actor = audit.actor.to_string();
    let uid = actor
        .rsplit_once("(uid ")
        .and_then(|(_, end)| end.strip_suffix(')'));
    let uid = uid.map_or(Some(OTHERS), |uid| uid.parse().ok())?;
    let (_, numbers) = audit.reason.rsplit_once("; ")?;
    let numbers = numbers.split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.filter_map(|number| number.parse().ok());
    let numbers: Vec<u64> = numbers.collect();
    Some(((what, uid), numbers.try_into().ok()?))
}

/// One of a frozen state, but for its count.
fn restored(label: &str) -> Option<(Run, (What, u64), Known)> {
    let words: Vec<&str> = label.split(' ').collect();
    let [boot, began, name, uid, untold, told] = words.try_into().ok()?;
    let what = What::ALL.into_iter().find(|what| what.name() == name)?;
    let known = Known {
        count: 0,
        untold: untold.parse().ok()?,
        told_s: told.parse().ok(),
    };
    let run = (boot.to_owned(), MonoNs(began.parse().ok()?));
    Some((run, (what, uid.parse().ok()?), known))
}

#[cfg(test)]
mod tests {
    use super::{Audit, CALLERS_MAX, Callers, MonoNs, OTHERS, TurnedAway, said};
    use crate::roles::recorder::startup::counter;
    use evidence::SourceId;

    const NOW_S: i64 = 1_800_000_000;

    fn told(counts: &[(u64, u64, u64)]) -> Vec<TurnedAway> {
        let one = |(uid, count, malformed): &(u64, u64, u64)| TurnedAway {
            uid: *uid,
            count: *count,
            malformed: *malformed,
            rotations: 0,
            firmware_steps: 0,
        };
        counts.iter().map(one).collect()
    }

    /// The refused, and of each entry the action, and how many more and in all.
    fn take(
        callers: &mut Callers,
        began: u64,
        counts: &[(u64, u64, u64)],
        at_s: i64,
    ) -> (u64, Vec<(String, u64, u64)>) {
        let run = ("b".to_owned(), MonoNs(began));
        let (refused, due) = callers.take(run, &told(counts), (MonoNs(1), at_s));
        let entry = |one: &Audit| {
            let (_, [more, count, of]) = said(one).unwrap();
            assert_eq!(of, began);
            (one.action.clone(), more, count)
        };
        (refused, due.iter().map(entry).collect())
    }

    fn used(more: u64, count: u64) -> (String, u64, u64) {
        ("use the keys".to_owned(), more, count)
    }

    //= A6.7
    #[test]
    fn callers_are_told_at_once_and_then_once_an_hour_with_how_many_they_were() {
        let mut callers = Callers::default();
        let mut take = |began, counts: &[_], at_s| take(&mut callers, began, counts, at_s);
        assert_eq!(take(5, &[], NOW_S), (0, vec![]));
        assert_eq!(take(5, &[(7, 2, 0)], NOW_S), (2, vec![used(2, 2)]));
        assert_eq!(take(5, &[(7, 2, 0)], NOW_S + 9), (0, vec![]));
        assert_eq!(
            take(5, &[(7, 4, 0)], NOW_S + 10),
            (2, vec![]),
            "a hint, and no entry"
        );
        assert_eq!(
            take(5, &[(7, 5, 0), (8, 1, 0)], NOW_S + 11),
            (2, vec![used(1, 1)])
        );
        assert_eq!(
            take(5, &[(7, 5, 0), (8, 1, 0)], NOW_S + 3_600),
            (0, vec![used(3, 5)])
        );
        assert_eq!(take(5, &[(7, 5, 0), (8, 1, 0)], NOW_S + 9_000), (0, vec![]));
        // Bytes of another version come from nobody who tampers.
        let malformed = ("malformed request".to_owned(), 3, 3);
        assert_eq!(
            take(5, &[(7, 5, 3), (8, 1, 0)], NOW_S + 9_001),
            (0, vec![malformed])
        );
    }

    //= R8.2
    #[test]
    fn who_wants_new_keys_or_steps_of_a_counter_too_often_is_told_of() {
        let asked = |rotations| TurnedAway {
            uid: 7,
            count: 0,
            malformed: 0,
            rotations,
            firmware_steps: rotations * 2,
        };
        let mut callers = Callers::default();
        let mut take = |rotations, at_s| {
            let run = ("b".to_owned(), MonoNs(5));
            let (refused, due) = callers.take(run, &[asked(rotations)], (MonoNs(1), at_s));
            assert_eq!(refused, 0, "no caller of another user");
            due
        };
        let due = take(2, NOW_S);
        let actions: Vec<&str> = due.iter().map(|one| one.action.as_str()).collect();
        assert_eq!(actions, ["rotate keys", "move the firmware counter"]);
        assert_eq!(said(&due[0]).unwrap().1, [2, 2, 5]);
        assert_eq!(said(&due[1]).unwrap().1, [4, 4, 5]);
        assert!(take(3, NOW_S + 10).is_empty());
        assert_eq!(said(&take(3, NOW_S + 3_600)[0]).unwrap().1, [1, 3, 5]);
    }

    //= A6.7
    #[test]
    fn a_signer_that_began_anew_counts_from_nothing_however_far_it_counts() {
        let mut callers = Callers::default();
        assert_eq!(take(&mut callers, 5, &[(7, 2, 0)], NOW_S).0, 2);
        assert_eq!(take(&mut callers, 9, &[(7, 3, 0)], NOW_S + 60), (3, vec![]));
        assert_eq!(
            take(&mut callers, 9, &[(7, 3, 0)], NOW_S + 3_700),
            (0, vec![used(3, 3)])
        );
    }

    /// The recorder alone is started anew, and the signer counts on.
    //= A6.7
    #[test]
    fn who_was_told_of_is_not_told_of_again_by_the_next_recorder() {
        let mut before = Callers::default();
        let run = ("b".to_owned(), MonoNs(5));
        let counts = [(7, 2, 0), (OTHERS, 3, 1)];
        let (_, due) = before.take(run, &told(&counts), (MonoNs(1), NOW_S));
        assert_eq!(due.len(), 3);
        let mut after = Callers::default();
        let replayed = due
            .iter()
            .map(|one| after.replay(one, "b", NOW_S))
            .sum::<u64>();
        assert_eq!((&after, replayed), (&before, 5));
        assert_eq!(take(&mut after, 5, &counts, NOW_S + 20), (0, vec![]));
        // What no entry has is in the frozen state.
        assert_eq!(take(&mut after, 5, &[(7, 6, 0)], NOW_S + 30), (4, vec![]));
        let own = SourceId::new("recorder").unwrap();
        let state = after.frozen().map(|(name, label, value)| {
            assert!(evidence::frozen::is_reserved(name));
            counter(&own, name, label, value)
        });
        let state: Vec<_> = state.collect();
        let mut later = before;
        later.replace(&state);
        assert_eq!(later, after);
        assert_eq!(
            take(&mut later, 5, &[(7, 6, 0)], NOW_S + 4_000),
            (0, vec![used(4, 6)])
        );
        // Another boot has other runs.
        let mut other = after.clone();
        let run = ("c".to_owned(), MonoNs(5));
        let (refused, _) = other.take(run, &told(&[(7, 6, 0)]), (MonoNs(1), NOW_S + 40));
        assert_eq!(refused, 6);
        let mut foreign = due;
        foreign
            .iter_mut()
            .for_each(|one| one.scope = "a point".to_owned());
        assert_eq!(
            foreign
                .iter()
                .map(|one| after.replay(one, "b", NOW_S))
                .sum::<u64>(),
            0
        );
    }

    #[test]
    fn callers_of_ever_new_runs_have_a_bound() {
        let mut callers = Callers::default();
        for run in 0..60 {
            let users: Vec<_> = (0..17).map(|uid| (run * 17 + uid, 1, 1)).collect();
            take(&mut callers, run, &users, NOW_S);
            assert!(callers.known.len() <= CALLERS_MAX);
        }
    }
}
