//! How far a meter's clock is from ours, and how well that is known (U6).

use evidence::Stamp;
use evidence::reasons::ClockClass;
use mbus::moment::Date;

const S_NS: i128 = 1_000_000_000;
const S_PER_MIN: i64 = 60;
const S_PER_DAY: i64 = 86_400;
/// Between a meter's look at its clock and the end of its reply, at the most.
const REPLY_NS: i128 = S_NS;
/// A clock of seconds.
const SECOND_NS: i128 = S_NS;
/// A clock of minutes.
const MINUTE_NS: i128 = 60 * S_NS;

/// What a meter's clock showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Seconds since 1970, as it shows them: in its own zone.
    pub(super) seconds: i64,
    /// Whether it is known to count seconds.
    pub(super) counts_seconds: bool,
}

/// A meter's clock against ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// Its clock less ours, in nanoseconds.
    pub(super) ns: i64,
    /// What its own clock leaves open.
    shown_ns: u64,
    /// And ours; `None` where nobody can bound it.
    stamp_ns: Option<u64>,
}

impl Shown {
    /// A clock that counts seconds.
    pub(super) const fn seconds(seconds: i64) -> Self {
        Self {
            seconds,
            counts_seconds: true,
        }
    }

    /// A moment as M-Bus meters show it, `2026-11-29T12:00:00`; `None` of a day or a time of day alone. Where the seconds
    /// are 0 the clock may be one that has none: only others of the same meter tell.
    pub(super) fn text(text: &str) -> Option<Self> {
        let (date, clock) = text.split_once('T')?;
        let mut date = date.splitn(3, '-');
        let date = Date {
            year: date.next()?.parse().ok()?,
            month: date.next()?.parse().ok()?,
            day: date.next()?.parse().ok()?,
        };
        let mut clock = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        let sound = (1970..=9999).contains(&date.year)
            && (1..=12).contains(&date.month)
            && (1..=31).contains(&date.day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        let of_day = (hour * S_PER_MIN + minute) * S_PER_MIN + second;
        sound.then(|| Self {
            seconds: date.days() * S_PER_DAY + of_day,
            counts_seconds: second != 0,
        })
    }

    /// Against our stamp of the same instant, where the clock is set so many minutes ahead of UTC.
    pub(super) fn against(self, stamp: &Stamp, ahead_min: i64) -> Offset {
        let step_ns = if self.counts_seconds {
            SECOND_NS
        } else {
            MINUTE_NS
        };
        let utc = i128::from(self.seconds) - i128::from(ahead_min) * i128::from(S_PER_MIN);
        // It showed the beginning of its step, and looked some time before its reply ended: the middle of both.
        let middle = utc * S_NS + (step_ns + REPLY_NS) / 2;
        let offset = middle - i128::from(stamp.timestamp.0);
        let limit = if offset < 0 { i64::MIN } else { i64::MAX };
        Offset {
            ns: i64::try_from(offset).unwrap_or(limit),
            shown_ns: u64::try_from((step_ns + REPLY_NS) / 2).unwrap_or(u64::MAX),
            stamp_ns: stamp.bound_ns,
        }
    }
}

impl Offset {
    /// The error of the offset at the most; `None` where nobody can bound our own stamp.
    pub(super) fn bound_ns(self) -> Option<u64> {
        Some(self.stamp_ns?.saturating_add(self.shown_ns))
    }

    /// The class that it is now known to be in, where it cannot be in the one that was told.
    pub(super) fn news(self, told: Option<ClockClass>) -> Option<ClockClass> {
        let magnitude_ns = self.ns.unsigned_abs();
        let bound_ns = self.bound_ns().unwrap_or(self.shown_ns);
        match told {
            Some(told) if told.can_be(magnitude_ns, bound_ns) => None,
            _ => Some(ClockClass::of(magnitude_ns)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;
    use evidence::reasons::{ClockClass, HoldoverReason, TimeQuality, TimeStatus};
    use evidence::{Stamp, TimeDetail, UtcNs};

    const S_NS: i64 = 1_000_000_000;

    fn stamp(seconds: i64, bound_ns: Option<u64>) -> Stamp {
        Stamp {
            timestamp: UtcNs(seconds * S_NS),
            quality: TimeQuality::Holdover,
            status: TimeStatus::Holdover,
            bound_ns,
            detail: TimeDetail::Holdover(HoldoverReason::SourceLost),
        }
    }

    //= U6
    #[test]
    fn what_a_meter_shows_is_read_to_the_second() {
        for (text, seconds) in [
            ("1970-01-01T00:00:01", Some(1)),
            ("2026-11-29T15:04:57", Some(1_795_964_697)),
            ("2024-02-29T23:59:59", Some(1_709_251_199)),
            ("2026-11-29", None),
            ("15:04:57", None),
            ("2026-13-29T15:04:57", None),
            ("2026-11-29T24:04:57", None),
            ("T", None),
            ("2026-11-29Tnoon", None),
        ] {
            let found = Shown::text(text).map(|shown| shown.seconds);
            assert_eq!(found, seconds, "{text}");
        }
    }

    //= U6
    #[test]
    fn the_offset_holds_the_truth_within_its_bound() {
        // The meter is 7 s ahead; it looks at its clock anywhere in a second, and its reply ends within one.
        for step in 0..10_i64 {
            for reply in 0..=10_i64 {
                let truth_ns = 1_000 * S_NS + step * S_NS / 10;
                let shown = Shown::seconds(1_007);
                let ours = Stamp {
                    timestamp: UtcNs(truth_ns + reply * S_NS / 10 + 3_000_000),
                    ..stamp(0, Some(5_000_000))
                };
                let offset = shown.against(&ours, 0);
                let wrong_ns = (offset.ns - 7 * S_NS).unsigned_abs();
                assert!(
                    wrong_ns <= offset.bound_ns().unwrap(),
                    "{step} {reply} {offset:?}"
                );
            }
        }
        let zoned = Shown::text("2026-11-29T16:04:57").unwrap();
        let offset = zoned.against(&stamp(1_795_964_697, None), 60);
        assert!(offset.ns.abs() <= S_NS && offset.bound_ns().is_none());
        let minutes = Shown::text("2026-11-29T15:04:00").unwrap();
        let offset = minutes.against(&stamp(1_795_964_697, Some(0)), 0);
        assert!(offset.ns.unsigned_abs() <= offset.bound_ns().unwrap());
        assert_eq!(
            Shown::seconds(i64::MAX).against(&stamp(-9, None), 0).ns,
            i64::MAX
        );
    }

    //= U6
    #[test]
    fn a_class_is_news_when_the_one_that_was_told_is_out_of_the_question() {
        let at = |ahead: i64| Shown::seconds(1_000 + ahead).against(&stamp(1_000, Some(1)), 0);
        assert_eq!(at(0).news(None), Some(ClockClass::Below2S));
        assert_eq!(at(9).news(Some(ClockClass::Below10S)), None);
        assert_eq!(
            at(10).news(Some(ClockClass::Below10S)),
            None,
            "within the bound"
        );
        let beyond = at(12).news(Some(ClockClass::Below10S));
        assert_eq!(beyond, Some(ClockClass::Below1Min));
        assert_eq!(at(9).news(beyond), None, "and it does not flap");
        assert_eq!(at(-4_000).news(beyond), Some(ClockClass::From1H));
    }
}
