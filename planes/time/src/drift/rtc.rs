//! The drift of the real-time clock against the kernel's clock (A8.1).

use crate::limits::{
    RTC_DRIFT_PPB_MAX, RTC_MARK_NS, RTC_MARKS_MAX, RTC_READ_UNCERTAINTY_NS_MAX, RTC_SET_PPB_MIN,
};
use crate::reading::RtcReading;
use alloc::collections::VecDeque;
use evidence::{MonoNs, UtcNs};

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcOutcome {
    /// It is the first of a series.
    First,
    /// It continues the series.
    Taken,
    /// One of the two clocks was set since the last reading; a new series begins with this one.
    Restarted(RtcMove),
    /// It says nothing: no later than the last one, too uncertain, or the clock's own flag says that
    /// its time is invalid.
    Refused,
}

/// How the two clocks moved against each other from one reading to the next. All in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcMove {
    /// By how much the real-time clock moved, forward positive.
    pub moved_ns: i128,
    /// How far it is ahead of the kernel's clock now.
    pub ahead_ns: i128,
    /// How far the latter may be off.
    pub uncertainty_ns: u64,
}

/// How fast the real-time clock runs against the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcEstimate {
    /// Its drift in parts per billion, positive where it is fast.
    pub drift_ppb: i64,
    /// How far that may be off, by the uncertainty of the readings alone, in parts per billion.
    pub uncertainty_ppb: u64,
    /// The time that it rests on, in nanoseconds.
    pub span_ns: u64,
}

impl RtcEstimate {
    /// The drift in parts per billion, once its uncertainty is below what a working clock drifts at most.
    #[must_use]
    pub const fn certain_ppb(&self) -> Option<i64> {
        if self.uncertainty_ppb <= RTC_DRIFT_PPB_MAX {
            Some(self.drift_ppb)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: MonoNs,
    ahead_ns: i128,
    uncertainty_ns: u64,
}

/// A series of readings taken at the turn of the real-time clock's second. Its memory is bounded: a
/// week of hourly marks and the newest reading.
///
/// A clock that was set by no more than a drift explains looks as if it had drifted. The kernel sets the
/// real-time clock every eleven minutes while its flag says synchronised and it was built to do so: what
/// is drift and what was set cannot be told apart then, unless the setting was larger than any drift.
#[derive(Clone, Debug, Default)]
pub struct RtcDrift {
    marks: VecDeque<Mark>,
    newest: Option<Mark>,
}

impl RtcDrift {
    /// A series without readings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One of the two clocks was set: a new series begins with the next reading.
    pub fn restart(&mut self) {
        *self = Self::new();
    }

    /// Takes a reading at `at`, when the kernel's clock showed `kernel`.
    pub fn observe(&mut self, at: MonoNs, kernel: UtcNs, reading: &RtcReading) -> RtcOutcome {
        let is_invalid = reading.voltage.is_some_and(|voltage| voltage.invalid);
        let is_late = self.newest.is_some_and(|newest| at <= newest.at);
        if is_invalid || is_late || reading.read_uncertainty_ns > RTC_READ_UNCERTAINTY_NS_MAX {
            return RtcOutcome::Refused;
        }
        let mark = Mark {
            at,
            ahead_ns: i128::from(reading.utc.0) - i128::from(kernel.0),
            uncertainty_ns: reading.read_uncertainty_ns,
        };
        let outcome = match self.newest {
            None => RtcOutcome::First,
            Some(newest) if was_set(&newest, &mark) => RtcOutcome::Restarted(RtcMove {
                moved_ns: mark.ahead_ns - newest.ahead_ns,
                ahead_ns: mark.ahead_ns,
                uncertainty_ns: mark.uncertainty_ns,
            }),
            Some(_) => RtcOutcome::Taken,
        };
        if outcome != RtcOutcome::Taken {
            self.marks.clear();
        }
        // The turn of the second is closed in upon over some looks: a series begins with the first that is
        // certain, not with the first of all.
        if let [first] = self.marks.make_contiguous()
            && mark.uncertainty_ns < first.uncertainty_ns / 2
        {
            *first = mark;
        }
        let is_due = self
            .marks
            .back()
            .is_none_or(|last| at.since(last.at) >= RTC_MARK_NS);
        if is_due {
            if self.marks.len() >= RTC_MARKS_MAX {
                self.marks.pop_front();
            }
            self.marks.push_back(mark);
        }
        self.newest = Some(mark);
        outcome
    }

    /// The drift between that kept mark and the newest reading which leave least uncertainty; `None`
    /// before a second reading.
    #[must_use]
    pub fn estimate(&self) -> Option<RtcEstimate> {
        let newest = self.newest?;
        self.marks
            .iter()
            .filter(|mark| mark.at < newest.at)
            .map(|mark| between(mark, &newest))
            .min_by_key(|estimate| estimate.uncertainty_ppb)
    }
}

fn between(mark: &Mark, newest: &Mark) -> RtcEstimate {
    let span_ns = newest.at.since(mark.at);
    let span = i128::from(span_ns.max(1));
    let drift_ppb = (newest.ahead_ns - mark.ahead_ns) * 1_000_000_000 / span;
    let unsure_ns = i128::from(newest.uncertainty_ns) + i128::from(mark.uncertainty_ns);
    RtcEstimate {
        drift_ppb: i64::try_from(drift_ppb).unwrap_or(if drift_ppb < 0 {
            i64::MIN
        } else {
            i64::MAX
        }),
        uncertainty_ppb: u64::try_from(unsure_ns * 1_000_000_000 / span).unwrap_or(u64::MAX),
        span_ns,
    }
}

/// Whether the two clocks moved against each other by more than any drift explains.
fn was_set(earlier: &Mark, later: &Mark) -> bool {
    let span_ns = u128::from(later.at.since(earlier.at));
    let explained_ns = span_ns * u128::from(RTC_SET_PPB_MIN) / 1_000_000_000
        + u128::from(earlier.uncertainty_ns)
        + u128::from(later.uncertainty_ns);
    (later.ahead_ns - earlier.ahead_ns).unsigned_abs() > explained_ns
}

#[cfg(test)]
mod tests {
    use super::{RtcDrift, RtcEstimate, RtcMove, RtcOutcome};
    use crate::limits::RTC_MARKS_MAX;
    use crate::reading::{RtcReading, RtcVoltage};
    use evidence::{MonoNs, UtcNs};

    const HOUR_NS: u64 = 3_600_000_000_000;

    fn reading(utc_ns: i64, uncertainty_ns: u64) -> RtcReading {
        RtcReading {
            utc: UtcNs(utc_ns),
            read_uncertainty_ns: uncertainty_ns,
            voltage: None,
        }
    }

    /// Readings every `every_ns` of a clock that is `drift_ppb` fast; the kernel's clock is monotonic
    /// time.
    fn series(drift_ppb: i64, every_ns: u64, count: u32) -> RtcDrift {
        let mut drift = RtcDrift::new();
        for at_ns in (1..=u64::from(count)).map(|n| n * every_ns) {
            let kernel = i64::try_from(at_ns).unwrap();
            let ahead = i64::try_from(i128::from(kernel) * i128::from(drift_ppb) / 1_000_000_000);
            let outcome = drift.observe(
                MonoNs(at_ns),
                UtcNs(kernel),
                &reading(kernel + ahead.unwrap(), 1_000_000),
            );
            assert!(!matches!(outcome, RtcOutcome::Restarted(_)));
        }
        drift
    }

    //= A8.1
    #[test]
    fn the_drift_is_known_within_the_uncertainty_of_two_readings_over_their_distance() {
        assert_eq!(series(20_000, HOUR_NS, 1).estimate(), None);
        let estimate = series(20_000, HOUR_NS, 25).estimate().unwrap();
        assert!((estimate.drift_ppb - 20_000).abs() <= 1);
        assert_eq!(estimate.span_ns, 24 * HOUR_NS);
        // 2 ms in a day.
        assert_eq!(estimate.uncertainty_ppb, 23);
        assert_eq!(estimate.certain_ppb(), Some(estimate.drift_ppb));
        // 2 ms in a second say nothing of a crystal.
        let short = series(20_000, 1_000_000_000, 2).estimate().unwrap();
        assert_eq!(short.certain_ppb(), None);
        let slow = series(-35_000, HOUR_NS, 25).estimate().unwrap();
        assert!((slow.drift_ppb + 35_000).abs() <= 1);
    }

    //= A8.1
    #[test]
    fn a_series_begins_with_a_reading_that_is_certain() {
        let mut drift = RtcDrift::new();
        for second in 1..=60u64 {
            let kernel = i64::try_from(second * 1_000_000_000).unwrap();
            let uncertainty_ns = (500_000_000 >> second.min(9)).max(1_000_000);
            let shown = reading(kernel + kernel / 50_000, uncertainty_ns);
            drift.observe(MonoNs(second * 1_000_000_000), UtcNs(kernel), &shown);
        }
        let estimate = drift.estimate().unwrap();
        assert!((estimate.drift_ppb - 20_000).abs() <= 1, "{estimate:?}");
        // 2 ms in 51 s.
        assert!(estimate.uncertainty_ppb < 45_000, "{estimate:?}");
        assert_eq!(estimate.certain_ppb(), Some(estimate.drift_ppb));
    }

    #[test]
    fn the_memory_is_a_week_and_no_more() {
        let drift = series(5_000, HOUR_NS, 2_000);
        assert_eq!(drift.marks.len(), RTC_MARKS_MAX);
        let estimate = drift.estimate().unwrap();
        assert!(estimate.span_ns <= 169 * HOUR_NS);
        assert!((estimate.drift_ppb - 5_000).abs() <= 1);
    }

    #[test]
    fn a_clock_that_was_set_begins_a_new_series() {
        let mut drift = series(0, HOUR_NS, 3);
        let at = MonoNs(4 * HOUR_NS);
        let set = reading(i64::try_from(at.0).unwrap() + 5_000_000_000, 1_000_000);
        let kernel = UtcNs(i64::try_from(at.0).unwrap());
        let moved = RtcMove {
            moved_ns: 5_000_000_000,
            ahead_ns: 5_000_000_000,
            uncertainty_ns: 1_000_000,
        };
        assert_eq!(
            drift.observe(at, kernel, &set),
            RtcOutcome::Restarted(moved)
        );
        assert_eq!(drift.estimate(), None);
        drift.restart();
        assert_eq!(drift.observe(at, kernel, &set), RtcOutcome::First);
    }

    //= A8.1
    #[test]
    fn a_reading_that_its_own_clock_calls_invalid_says_nothing() {
        let mut drift = RtcDrift::new();
        let mut invalid = reading(0, 1_000_000);
        invalid.voltage = Some(RtcVoltage {
            invalid: true,
            ..RtcVoltage::default()
        });
        assert_eq!(
            drift.observe(MonoNs(1), UtcNs(0), &invalid),
            RtcOutcome::Refused
        );
        let vague = reading(0, 2_000_000_001);
        assert_eq!(
            drift.observe(MonoNs(1), UtcNs(0), &vague),
            RtcOutcome::Refused
        );
        let sound = reading(0, 1_000_000);
        assert_eq!(
            drift.observe(MonoNs(5), UtcNs(0), &sound),
            RtcOutcome::First
        );
        assert_eq!(
            drift.observe(MonoNs(5), UtcNs(0), &sound),
            RtcOutcome::Refused
        );
        assert_eq!(
            drift.observe(MonoNs(4), UtcNs(0), &sound),
            RtcOutcome::Refused
        );
    }

    #[test]
    fn extreme_readings_saturate() {
        let mut drift = RtcDrift::new();
        drift.observe(MonoNs(0), UtcNs(i64::MIN), &reading(i64::MIN, 0));
        let outcome = drift.observe(MonoNs(u64::MAX), UtcNs(i64::MIN), &reading(i64::MAX, 0));
        assert!(matches!(outcome, RtcOutcome::Restarted(_)));
        let mut drift = RtcDrift::new();
        drift.observe(MonoNs(0), UtcNs(0), &reading(0, 1_000_000_000));
        drift.observe(MonoNs(1), UtcNs(0), &reading(2_000_000_000, 1_000_000_000));
        assert_eq!(
            drift.estimate(),
            Some(RtcEstimate {
                drift_ppb: 2_000_000_000_000_000_000,
                uncertainty_ppb: 2_000_000_000_000_000_000,
                span_ns: 1
            })
        );
    }
}
