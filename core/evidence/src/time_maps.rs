//! Which TimeMap a stamp rests on: the one that held at the instant of capture, not the newest.

use alloc::collections::VecDeque;

use crate::kinds::TimeMap;
use crate::limits::TIME_MAPS_MAX;
use crate::reasons::{HoldoverReason, TimeQuality, TimeStatus};
use crate::time::{MonoNs, Stamp, TimeDetail};

/// What the time process stated, oldest first. Each statement serves the instants from its own on, so that a
/// reading that waited is stamped with what was known when it was captured (A8.4).
#[derive(Clone, Debug)]
pub struct TimeMaps {
    /// Until the time process speaks.
    absent: TimeMap,
    stated: VecDeque<TimeMap>,
}

impl TimeMaps {
    /// Before the time process has spoken; [`TimeMap::absent`] is what serves then.
    #[must_use]
    pub const fn new(absent: TimeMap) -> Self {
        Self {
            absent,
            stated: VecDeque::new(),
        }
    }

    /// Takes a statement. The oldest of more than [`TIME_MAPS_MAX`] is forgotten.
    pub fn note(&mut self, map: TimeMap) {
        if self.stated.len() >= TIME_MAPS_MAX {
            self.stated.pop_front();
        }
        self.stated.push_back(map);
    }

    /// Whether the time process has spoken.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        !self.stated.is_empty()
    }

    /// The newest statement.
    #[must_use]
    pub fn newest(&self) -> &TimeMap {
        self.stated.back().unwrap_or(&self.absent)
    }

    /// The stamp of an instant, under the statement that held then. For an instant before the oldest one
    /// known its UTC is taken, but no claim is: whatever held then, nobody here knows.
    #[must_use]
    pub fn stamp(&self, instant: MonoNs) -> Stamp {
        let held = self.stated.iter().rev().find(|map| map.at <= instant);
        match (held, self.stated.front()) {
            (Some(map), _) => map.evaluate(instant),
            (None, Some(oldest)) => unclaimed(oldest.evaluate(instant)),
            (None, None) => self.absent.evaluate(instant),
        }
    }
}

fn unclaimed(stamp: Stamp) -> Stamp {
    let (quality, status) = match stamp.quality {
        TimeQuality::RtcOnly => (TimeQuality::RtcOnly, TimeStatus::FreeRun),
        TimeQuality::Synced | TimeQuality::Holdover => {
            (TimeQuality::Holdover, TimeStatus::Holdover)
        }
    };
    Stamp {
        quality,
        status,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::TimePlaneSilent),
        ..stamp
    }
}

#[cfg(test)]
mod tests {
    use super::TimeMaps;
    use crate::kinds::TimeMap;
    use crate::limits::TIME_MAPS_MAX;
    use crate::reasons::{HoldoverReason, OffsetBucket, TimeQuality, TimeStatus};
    use crate::time::{MonoNs, TimeDetail, UtcNs};

    const SECOND_NS: u64 = 1_000_000_000;

    fn stated(seconds: u64, utc_s: i64, quality: TimeQuality, bound_ns: u64) -> TimeMap {
        let at = MonoNs(seconds * SECOND_NS);
        TimeMap {
            quality,
            status: match quality {
                TimeQuality::Synced => TimeStatus::Locked,
                TimeQuality::Holdover => TimeStatus::Holdover,
                TimeQuality::RtcOnly => TimeStatus::FreeRun,
            },
            bound_ns: Some(bound_ns),
            valid_until: at.plus_ns(5 * SECOND_NS),
            detail: TimeDetail::Offset(OffsetBucket::Below1Us),
            ..TimeMap::absent(at, UtcNs(utc_s * 1_000_000_000))
        }
    }

    fn maps(maps: impl IntoIterator<Item = TimeMap>) -> TimeMaps {
        let mut all = TimeMaps::new(TimeMap::absent(MonoNs(0), UtcNs(0)));
        maps.into_iter().for_each(|map| all.note(map));
        all
    }

    /// A reading of the holdover is committed after the source came back and the clock was put right.
    //= A8.4
    #[test]
    fn what_waited_has_the_label_and_the_utc_of_its_own_time() {
        let all = maps([
            stated(10, 1_000, TimeQuality::Holdover, 100_000_000),
            stated(20, 1_011, TimeQuality::Synced, 500),
        ]);
        let then = all.stamp(MonoNs(14 * SECOND_NS));
        assert_eq!(then.quality, TimeQuality::Holdover);
        assert_eq!(then.timestamp, UtcNs(1_004_000_000_000));
        assert_eq!(then.bound_ns, Some(100_000_000));
        let now = all.stamp(MonoNs(20 * SECOND_NS));
        assert_eq!(now.quality, TimeQuality::Synced);
        assert_eq!(all.newest().quality, TimeQuality::Synced);
    }

    //= A8.4
    #[test]
    fn nothing_is_claimed_of_an_instant_that_no_statement_covers() {
        let silent = TimeDetail::Holdover(HoldoverReason::TimePlaneSilent);
        for quality in TimeQuality::ALL {
            let all = maps([stated(20, 1_000, *quality, 500)]);
            let before = all.stamp(MonoNs(20 * SECOND_NS - 1));
            assert_ne!(before.quality, TimeQuality::Synced);
            assert_eq!((before.bound_ns, before.detail), (None, silent));
            assert_eq!(before.timestamp, UtcNs(999_999_999_999));
        }
        let nobody = maps([]);
        assert_eq!(nobody.stamp(MonoNs(5)).quality, TimeQuality::RtcOnly);
    }

    #[test]
    fn only_so_many_statements_are_kept() {
        let count = u64::try_from(TIME_MAPS_MAX).unwrap() + 3;
        let all = maps((1..=count).map(|n| stated(n, 0, TimeQuality::Synced, 1)));
        assert_eq!(all.stated.len(), TIME_MAPS_MAX);
        assert_eq!(all.newest().at, MonoNs(count * SECOND_NS));
    }
}
