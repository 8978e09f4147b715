//! What happens too often to be chance (A6.7): each by itself has its entry, and together they hint that somebody tampers.

use alloc::collections::VecDeque;
use core::fmt;

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Seals that were asked of what holds the keys, which was there, and not had.
    SignatureFailures,
    /// Counters that are gone, were replaced, or are not where the log says.
    CounterAnomalies,
    /// Starts of a log that had not been closed orderly.
    Recoveries,
    /// Callers whom the signer turned away.
    TurnedAway,
}

/// Which of a sign are too many: so many within so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub sign: Sign,
    /// So many.
    pub count: usize,
    /// Within this time, in seconds.
    pub within_s: i64,
}

/// The limits, one for each sign. A counter has no reason to be elsewhere even once.
pub const LIMITS: [Limit; 4] = [
    limit(Sign::SignatureFailures, 5, HOUR_S),
    limit(Sign::CounterAnomalies, 1, DAY_S),
    limit(Sign::Recoveries, 4, DAY_S),
    limit(Sign::TurnedAway, 3, HOUR_S),
];

const fn limit(sign: Sign, count: usize, within_s: i64) -> Limit {
    Limit {
        sign,
        count,
        within_s,
    }
}

impl Limit {
    /// A clock that was set back makes nothing old, nor new for ever.
    const fn is_near(self, one_s: i64, other_s: i64) -> bool {
        one_s.abs_diff(other_s) <= self.within_s.unsigned_abs()
    }
}

impl Sign {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignatureFailures => "signature_failures",
            Self::CounterAnomalies => "counter_anomalies",
            Self::Recoveries => "recoveries",
            Self::TurnedAway => "turned_away",
        }
    }

    /// The sign of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut signs = LIMITS.iter().map(|limit| limit.sign);
        signs.find(|sign| sign.name() == name)
    }

    /// What it is, for a person.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SignatureFailures => "signatures are not had from what holds the keys",
            Self::CounterAnomalies => "a counter is gone, replaced, or not where the log says",
            Self::Recoveries => "the log was not closed orderly",
            Self::TurnedAway => "the signer turned callers away",
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The last times of one sign, in seconds since 1970, and when it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    times_s: VecDeque<i64>,
    told_s: Option<i64>,
}

/// What was seen lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints([Seen; LIMITS.len()]);

impl Hints {
    /// Takes in that a sign was seen so often at a time, in seconds since 1970; gives its limit where that is too often. It
    /// is told once in its time.
    pub fn note(&mut self, sign: Sign, count: u64, at_s: i64) -> Option<Limit> {
        self.see(sign, count, at_s);
        let (limit, seen) = self.of(sign)?;
        let known = seen
            .told_s
            .is_some_and(|told_s| limit.is_near(told_s, at_s));
        (seen.times_s.len() >= limit.count && !known).then(|| {
            seen.told_s = Some(at_s);
            limit
        })
    }

    /// The same where nothing is told of it: a log is read again.
    pub fn see(&mut self, sign: Sign, count: u64, at_s: i64) {
        let Some((limit, seen)) = self.of(sign) else {
            return;
        };
        let most = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(limit.count);
        for _ in 0..most {
            if seen.times_s.len() >= limit.count {
                seen.times_s.pop_front();
            }
            seen.times_s.push_back(at_s);
        }
        (seen.times_s).retain(|time_s| limit.is_near(*time_s, at_s));
    }

    /// What a start has to know: each sign with one of its times, in seconds since 1970, and whether that is when it was told.
    pub fn known(&self) -> impl Iterator<Item = (Sign, bool, i64)> {
        let all = LIMITS.iter().zip(&self.0);
        all.flat_map(|(limit, seen)| {
            let times = seen.times_s.iter().map(|time_s| (false, *time_s));
            let told = seen.told_s.map(|time_s| (true, time_s));
            let each = times.chain(told);
            each.map(|(told, time_s)| (limit.sign, told, time_s))
        })
    }

    /// Takes up what [`Hints::known`] gave.
    pub fn recall(&mut self, sign: Sign, told: bool, at_s: i64) {
        let Some((limit, seen)) = self.of(sign) else {
            return;
        };
        match told {
            true => seen.told_s = Some(at_s),
            false if seen.times_s.len() < limit.count => seen.times_s.push_back(at_s),
            false => {}
        }
    }

    fn of(&mut self, sign: Sign) -> Option<(Limit, &mut Seen)> {
        let mut all = LIMITS.iter().zip(&mut self.0);
        let (limit, seen) = all.find(|(limit, _)| limit.sign == sign)?;
        Some((*limit, seen))
    }
}

#[cfg(test)]
mod tests {
    use super::{Hints, LIMITS, Limit, Sign};
    use alloc::vec::Vec;
    use std::vec;

    const NOW_S: i64 = 1_800_000_000;

    //= A6.7
    #[test]
    fn each_sign_is_told_when_there_are_too_many_within_its_time_and_once_in_it() {
        for Limit {
            sign,
            count,
            within_s,
        } in LIMITS
        {
            let mut hints = Hints::default();
            let step_s = within_s / i64::try_from(count).unwrap();
            let mut told = Vec::new();
            for place in 0..2 * count {
                let at_s = NOW_S + i64::try_from(place).unwrap() * step_s / 2;
                told.push(hints.note(sign, 1, at_s).is_some());
            }
            let due: Vec<bool> = (1..=2 * count).map(|seen| seen == count).collect();
            assert_eq!(told, due, "{sign}");
            // In the next stretch of its time it is told again.
            let later_s = NOW_S + 3 * within_s;
            let again = hints.note(sign, u64::try_from(count).unwrap(), later_s);
            assert_eq!(again.map(|limit| limit.sign), Some(sign));
            // Too seldom is never told.
            let mut seldom = Hints::default();
            if count > 1 {
                for place in 0..50 {
                    let at_s = NOW_S + place * (within_s + 1);
                    assert_eq!(seldom.note(sign, 1, at_s), None, "{sign}");
                }
            }
            assert_eq!(Sign::from_name(sign.name()), Some(sign));
            // No sign counts for another.
            assert!(hints.known().all(|(known, ..)| known == sign));
        }
    }

    //= A6.7
    #[test]
    fn what_was_seen_outlives_a_restart_and_a_clock_that_was_set_back_hides_nothing() {
        let mut before = Hints::default();
        for at_s in [NOW_S, NOW_S + 60, NOW_S + 120] {
            assert_eq!(before.note(Sign::Recoveries, 1, at_s), None);
        }
        let mut after = Hints::default();
        for (sign, told, at_s) in before.known() {
            after.recall(sign, told, at_s);
        }
        assert_eq!(after, before);
        assert!(after.note(Sign::Recoveries, 1, NOW_S - 500).is_some());
        let mut again = Hints::default();
        for (sign, told, at_s) in after.known() {
            again.recall(sign, told, at_s);
        }
        assert_eq!(again, after);
        assert_eq!(
            again.note(Sign::Recoveries, 1, NOW_S + 200),
            None,
            "told already"
        );
        // A log that is read again tells of what it saw, and not that it was told.
        let mut read = Hints::default();
        read.see(Sign::Recoveries, 4, NOW_S);
        assert!(read.note(Sign::Recoveries, 1, NOW_S + 1).is_some());
        let counts: Vec<_> = again.known().map(|(_, told, _)| told).collect();
        assert_eq!(counts, vec![false, false, false, false, true]);
        assert!(
            Hints::default()
                .note(Sign::TurnedAway, u64::MAX, NOW_S)
                .is_some()
        );
    }
}
