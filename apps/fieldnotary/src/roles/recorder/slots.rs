//! From UTC to slot numbers, and the cause of what was missed.

use contract::{Pace, Schedule};
use evidence::MonoNs;
use evidence::kinds::TimeMap;
use evidence::reasons::DowntimeCause;

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
    /// Why slots before a capturing process's start were missed. `held` is what held capture back since anything was captured (safe
    /// mode, a firmware that was blocked): how the node was stopped then explains next to nothing.
    pub(super) fn cause(self, seen_before: bool, held: Option<DowntimeCause>) -> DowntimeCause {
        match (self, seen_before, held) {
            (_, true, _) | (Self::Alone, false, None) => DowntimeCause::ProcessRestart,
            (_, false, Some(held)) => held,
            (Self::Reboot, false, None) => DowntimeCause::Reboot,
            (Self::Crash, false, None) => DowntimeCause::NodeRestart,
            (Self::Orderly, false, None) => DowntimeCause::OrderlyStop,
            (Self::Adopted, false, None) => DowntimeCause::Adoption,
        }
    }
}

/// Number of the next due slot and the instant at which it is due.
pub(super) fn next_due(schedule: &Schedule, time: &TimeMap, now: MonoNs) -> (u64, MonoNs) {
    let (pace, utc) = (Pace::of(schedule), time.utc_of(now));
    let number = pace.next_after(utc);
    let wait = pace
        .utc(number)
        .map_or(0, |due| due.0.saturating_sub(utc.0));
    let wait = u64::try_from(wait).unwrap_or(0);
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
            assert_eq!(start.cause(seen, None), cause);
            for held in [DowntimeCause::SafeMode, DowntimeCause::FirmwareBlocked] {
                let told = match seen {
                    true => DowntimeCause::ProcessRestart,
                    false => held,
                };
                assert_eq!(start.cause(seen, Some(held)), told);
            }
        }
    }
}
