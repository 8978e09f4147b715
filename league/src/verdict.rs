//! What an engine's answers after a fault mean: is anything missing, changed, or refused?

use std::collections::BTreeMap;

use crate::engine::Answer;
use crate::record::record;

/// What was written before the fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) seed: u64,
    /// Keys below this one were acknowledged.
    pub(crate) acknowledged: u64,
    /// Keys below this one were handed in.
    pub(crate) handed_in: u64,
    /// Whether the engine promises a certain end after this fault: a doubt excuses nothing then.
    pub(crate) end_is_promised: bool,
}

/// How a reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was said.
    Done,
    /// It was opened, and reading broke off: with an error, a crash, or without end.
    BrokenOff,
    /// It was not opened: an error, a crash, or no end of it.
    NotOpened,
}

/// The verdict on one trial. Where several hold, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Everything acknowledged is there.
    Sound,
    /// Something is missing, and all that is missing is named or lies behind a stated uncertainty that the
    /// engine's promise leaves room for.
    NamedLoss,
    /// Something is missing, and reading said that it cannot go on.
    RefusedReading,
    /// It was not opened.
    RefusedOpen,
    /// Something acknowledged is missing, and nobody says so.
    SilentLoss,
    /// A record came back that was never written so.
    WrongData,
}

impl Written {
    /// Judges what was answered.
    pub(crate) fn judge(&self, answers: &[Answer], ending: Ending) -> Verdict {
        let mut found = BTreeMap::new();
        for answer in answers {
            if let Answer::Record { key, bytes } = answer {
                if *key >= self.handed_in || *bytes != record(self.seed, *key) {
                    return Verdict::WrongData;
                }
                found.insert(*key, ());
            }
        }
        match ending {
            Ending::NotOpened => return Verdict::RefusedOpen,
            Ending::Done | Ending::BrokenOff => {}
        }
        let missing = (0..self.acknowledged).filter(|key| !found.contains_key(key));
        let mut verdict = Verdict::Sound;
        for key in missing {
            let named = answers.iter().any(|answer| match answer {
                Answer::Record { .. } => false,
                Answer::Lost { first, end } => (*first..*end).contains(&key),
                Answer::Uncertain { from } => !self.end_is_promised && *from <= key,
            });
            let of_key = match (named, ending) {
                (true, _) => Verdict::NamedLoss,
                (false, Ending::BrokenOff) => Verdict::RefusedReading,
                (false, _) => Verdict::SilentLoss,
            };
            verdict = verdict.max(of_key);
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending, Verdict, Written};
    use crate::engine::Answer;
    use crate::record::record;
    use std::slice::from_ref;

    const WRITTEN: Written = Written {
        seed: 5,
        acknowledged: 4,
        handed_in: 6,
        end_is_promised: false,
    };

    fn records(keys: impl IntoIterator<Item = u64>) -> Vec<Answer> {
        let answer = |key| Answer::Record {
            key,
            bytes: record(5, key),
        };
        keys.into_iter().map(answer).collect()
    }

    fn check(mut answers: Vec<Answer>, more: &[Answer], ending: Ending, expected: Verdict) {
        answers.extend_from_slice(more);
        assert_eq!(WRITTEN.judge(&answers, ending), expected, "{answers:?}");
    }

    #[test]
    fn what_is_missing_is_silent_unless_it_is_said() {
        let lost = |first, end| Answer::Lost { first, end };
        check(records(0..4), &[], Ending::Done, Verdict::Sound);
        check(records(0..6), &[], Ending::Done, Verdict::Sound);
        check(records(0..3), &[], Ending::Done, Verdict::SilentLoss);
        check(records([0, 2, 3]), &[], Ending::Done, Verdict::SilentLoss);
        check(
            records([0, 3]),
            &[lost(1, 3)],
            Ending::Done,
            Verdict::NamedLoss,
        );
        check(
            records([0, 3]),
            &[lost(1, 2)],
            Ending::Done,
            Verdict::SilentLoss,
        );
        check(records([]), &[], Ending::Done, Verdict::SilentLoss);
        let from = |from| Answer::Uncertain { from };
        check(records(0..2), &[from(2)], Ending::Done, Verdict::NamedLoss);
        check(records(0..2), &[from(3)], Ending::Done, Verdict::SilentLoss);
    }

    #[test]
    fn a_doubt_excuses_nothing_where_the_end_is_promised() {
        let promised = Written {
            end_is_promised: true,
            ..WRITTEN
        };
        let judged = |mut answers: Vec<Answer>, more: Answer| {
            answers.push(more);
            promised.judge(&answers, Ending::Done)
        };
        let doubt = Answer::Uncertain { from: 2 };
        assert_eq!(judged(records(0..2), doubt.clone()), Verdict::SilentLoss);
        assert_eq!(judged(records(0..4), doubt), Verdict::Sound);
        let lost = Answer::Lost { first: 2, end: 4 };
        assert_eq!(judged(records(0..2), lost), Verdict::NamedLoss);
    }

    #[test]
    fn an_end_that_is_not_the_end_is_no_silence() {
        check(
            records(0..2),
            &[],
            Ending::BrokenOff,
            Verdict::RefusedReading,
        );
        check(records(0..4), &[], Ending::BrokenOff, Verdict::Sound);
        check(records([]), &[], Ending::NotOpened, Verdict::RefusedOpen);
    }

    #[test]
    fn changed_and_invented_records_are_wrong_data_before_all_else() {
        let wrong = |key, bytes| Answer::Record { key, bytes };
        for answer in [
            wrong(2, record(5, 3)),
            wrong(2, vec![]),
            wrong(6, record(5, 6)),
            wrong(u64::MAX, vec![0; 64]),
        ] {
            for ending in [Ending::Done, Ending::BrokenOff] {
                check(records(0..4), from_ref(&answer), ending, Verdict::WrongData);
            }
        }
    }
}
