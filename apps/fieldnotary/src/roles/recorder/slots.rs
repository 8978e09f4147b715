//! From UTC to slot numbers, and the cause of what was missed.

use contract::Schedule;
use evidence::kinds::TimeMap;
use evidence::reasons::DowntimeCause;
use evidence::{MonoNs, UtcNs};

/// How this run of the recorder began, as far as capture is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartKind {
    /// The log is new, or had been closed orderly.
    Orderly,
    /// The machine restarted since the last entry.
    Reboot,
    /// The node ended without an orderly stop on this boot.
    Crash,
    /// The recorder alone ended, and was started again.
    Alone,
    /// The generation was adopted and starts for the first time.
    Adopted,
}

impl StartKind {
    /// Why slots before a capturing process's start were missed.
    pub(super) fn cause(self, seen_before: bool) -> DowntimeCause {
        match (self, seen_before) {
            (_, true) | (Self::Alone, false) => DowntimeCause::ProcessRestart,
            (Self::Reboot, false) => DowntimeCause::Reboot,
            (Self::Crash, false) => DowntimeCause::NodeRestart,
            (Self::Orderly, false) => DowntimeCause::OrderlyStop,
            (Self::Adopted, false) => DowntimeCause::Adoption,
        }
    }
}

/// The distance of a schedule's slots, and their shift from UTC multiples of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) every_ms: u64,
    pub(super) offset_ms: u64,
}

impl Pace {
    /// Of a schedule in which nothing is due any more.
    pub(super) const NONE: Self = Self {
        every_ms: 0,
        offset_ms: 0,
    };

    pub(super) fn of(schedule: &Schedule) -> Self {
        Self {
            every_ms: schedule.every_ms.max(1),
            offset_ms: schedule.offset_ms,
        }
    }

    fn every_ns(self) -> i128 {
        i128::from(self.every_ms.max(1)) * 1_000_000
    }

    fn offset_ns(self) -> i128 {
        i128::from(self.offset_ms) * 1_000_000
    }

    /// Number of the first slot that is due after this time; slot 0 is in 1970.
    pub(super) fn next_after(self, utc: UtcNs) -> u64 {
        let since = (i128::from(utc.0) - self.offset_ns()).max(0);
        u64::try_from(since / self.every_ns() + 1).unwrap_or(0)
    }
}

/// Number of the next due slot and the instant at which it is due.
pub(super) fn next_due(schedule: &Schedule, time: &TimeMap, now: MonoNs) -> (u64, MonoNs) {
    let (pace, utc) = (Pace::of(schedule), time.utc_of(now));
    let number = pace.next_after(utc);
    let due = i128::from(number) * pace.every_ns() + pace.offset_ns();
    let wait = u64::try_from(due - i128::from(utc.0)).unwrap_or(0);
    (number, now.plus_ns(wait))
}

#[cfg(test)]
mod tests {
    use super::{StartKind, next_due};
    use contract::Schedule;
    use evidence::kinds::TimeMap;
    use evidence::reasons::DowntimeCause;
    use evidence::{MonoNs, ScheduleId, UtcNs};

    fn schedule(every_ms: u64, offset_ms: u64) -> Schedule {
        Schedule {
            id: ScheduleId::new("s").unwrap(),
            every_ms,
            offset_ms,
        }
    }

    //= U1
    #[test]
    fn slots_are_utc_multiples_shifted_by_the_offset() {
        let time = TimeMap::absent(MonoNs(0), UtcNs(10_000_000_000));
        assert_eq!(
            next_due(&schedule(1_000, 0), &time, MonoNs(0)),
            (11, MonoNs(1_000_000_000))
        );
        let (number, due) = next_due(&schedule(1_000, 250), &time, MonoNs(0));
        assert_eq!((number, due), (10, MonoNs(250_000_000)));
        let quarter = next_due(&schedule(900_000, 0), &time, MonoNs(0));
        assert_eq!(quarter, (1, MonoNs(890_000_000_000)));
    }

    #[test]
    fn a_clock_before_1970_has_slots_too() {
        let time = TimeMap::absent(MonoNs(0), UtcNs(-5_000_000_000));
        assert_eq!(next_due(&schedule(1_000, 0), &time, MonoNs(0)).0, 1);
    }

    //= A4.3
    #[test]
    fn the_cause_of_missed_slots_is_told_by_who_was_there() {
        let cases = [
            (StartKind::Crash, true, DowntimeCause::ProcessRestart),
            (StartKind::Orderly, true, DowntimeCause::ProcessRestart),
            (StartKind::Reboot, true, DowntimeCause::ProcessRestart),
            (StartKind::Alone, false, DowntimeCause::ProcessRestart),
            (StartKind::Crash, false, DowntimeCause::NodeRestart),
            (StartKind::Reboot, false, DowntimeCause::Reboot),
            (StartKind::Orderly, false, DowntimeCause::OrderlyStop),
            (StartKind::Adopted, false, DowntimeCause::Adoption),
            (StartKind::Adopted, true, DowntimeCause::ProcessRestart),
        ];
        for (start, seen, cause) in cases {
            assert_eq!(start.cause(seen), cause);
        }
    }
}
