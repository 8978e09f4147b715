//! What becomes of meters: findings on their counters and numbers, how far their clocks are off.

use crate::codes::codes;

codes! {
    /// What the course of a meter's readings was judged to be (U2, U6). The readings stay as they came.
    pub enum MeterFinding as "meter-finding" {
        Replaced = 0, "replaced", "another serial number than in the session before: the last value before is the final reading of the one, this is the first of the other";
        Rollover = 1, "rollover", "the counter passed the end of its register and went on from 0";
        Doubted = 2, "doubted", "the counter went back, or up faster than it can: the next reading will tell";
        BadRead = 3, "bad_read", "one reading was wrong: the counter went on from where it was before it";
        Reset = 4, "reset", "the counter went back and counts on from there, in a meter of the same serial number";
        SetBack = 5, "set_back", "the counter went back and counts on from there; no serial number tells whether it was reset or another meter is there";
        Leap = 6, "leap", "the counter went up faster than it can, and counts on from there";
        Clock = 7, "clock", "how far the meter's clock is from ours is another class than it was, or is known for the first time";
    }
}

codes! {
    /// Whether a meter's own memory had what was missed (U3).
    pub enum BackfillOutcome as "backfill-outcome" {
        Found = 0, "found", "its memory has a record of the time of the slot";
        Absent = 1, "absent", "its memory has none: the meter had no power, or has forgotten it";
    }
}

codes! {
    /// How far a meter's clock is from ours.
    pub enum ClockClass as "clock-class" {
        Below2S = 0, "<2s", "below two seconds";
        Below10S = 1, "<10s", "below ten seconds";
        Below1Min = 2, "<1min", "below one minute";
        Below5Min = 3, "<5min", "below five minutes";
        Below1H = 4, "<1h", "below one hour";
        From1H = 5, ">=1h", "one hour or more";
    }
}

codes! {
    /// What became of an order to set a meter's clock (U6).
    pub enum ClockOutcome as "clock-outcome" {
        Told = 0, "told", "the meter has taken the time; what its clock shows is told by the next session that sees it";
        Refused = 1, "refused", "nothing was written to the meter";
        Failed = 2, "failed", "the meter did not take it, or nobody knows whether it did";
        Unknown = 3, "unknown", "the process that had the order ended: the time may have been written";
    }
}

codes! {
    /// Why an order to set a meter's clock ended as it did.
    pub enum ClockReason as "clock-reason" {
        None = 0, "none", "nothing to report";
        TimeUnsure = 1, "time_unsure", "the node's own clock was not known well enough to set another by it";
        TooOld = 2, "too_old", "the line had no room for it in time, or was not open";
        Stopping = 3, "stopping", "the node was being stopped";
        Interrupted = 4, "interrupted", "a process ended before it came to the order";
        NotSettable = 5, "not_settable", "the contract does not say how this meter's clock is set";
        NoAnswer = 6, "no_answer", "the meter did not answer: it may have taken the time";
        Declined = 7, "declined", "the meter answered that it does not take it";
        LineLost = 8, "line_lost", "the line was lost meanwhile: the meter may have taken the time";
    }
}

const S_NS: u64 = 1_000_000_000;

impl ClockClass {
    /// The first magnitude in nanoseconds that is beyond this class.
    const fn end_ns(self) -> u64 {
        match self {
            Self::Below2S => 2 * S_NS,
            Self::Below10S => 10 * S_NS,
            Self::Below1Min => 60 * S_NS,
            Self::Below5Min => 300 * S_NS,
            Self::Below1H => 3_600 * S_NS,
            Self::From1H => u64::MAX,
        }
    }

    /// The class of a magnitude in nanoseconds.
    #[must_use]
    pub fn of(magnitude_ns: u64) -> Self {
        let found = Self::ALL.iter().find(|class| magnitude_ns < class.end_ns());
        found.copied().unwrap_or(Self::From1H)
    }

    /// Whether a magnitude that is known to within a bound, both in nanoseconds, can be of this class.
    #[must_use]
    pub fn can_be(self, magnitude_ns: u64, bound_ns: u64) -> bool {
        let least = Self::of(magnitude_ns.saturating_sub(bound_ns));
        let most = Self::of(magnitude_ns.saturating_add(bound_ns));
        (least..=most).contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClockClass, S_NS};

    //= U6
    #[test]
    fn a_class_has_its_magnitudes_and_no_other() {
        let mut first_ns = 0;
        for class in ClockClass::ALL.iter().copied() {
            assert_eq!(ClockClass::of(first_ns), class);
            assert_eq!(ClockClass::of(class.end_ns() - 1), class);
            first_ns = class.end_ns();
        }
    }

    //= U6
    #[test]
    fn what_the_bound_leaves_open_can_be_either_class() {
        let ten = 10 * S_NS;
        assert!(ClockClass::Below10S.can_be(ten, 1));
        assert!(ClockClass::Below1Min.can_be(ten, 1));
        assert!(!ClockClass::Below10S.can_be(ten, 0));
        assert!(!ClockClass::Below5Min.can_be(ten, 1));
        assert!(ClockClass::From1H.can_be(u64::MAX, u64::MAX));
        assert!(ClockClass::Below2S.can_be(0, 0));
    }
}
