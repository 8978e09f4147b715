//! Instants, stamps, and the evaluation of a TimeMap at the instant of capture (A8.4).

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::field::Field;
use crate::kinds::TimeMap;
use crate::limits::{LATE_STAMPS_NS, STATEMENT_VALID_NS};
use crate::reasons::{HoldoverReason, OffsetBucket, TimeQuality, TimeStatus};
use core::fmt;

/// Nanoseconds of the kernel's monotonic clock; comparable only within one boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonoNs(pub u64);

impl MonoNs {
    /// Nanoseconds from `earlier` to here, zero if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant `ns` later, saturating.
    #[must_use]
    pub fn plus_ns(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

impl Field for MonoNs {
    const CDDL: &'static str = "mono-ns";

    fn write(&self, writer: &mut Writer) {
        writer.uint(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.uint().map(Self)
    }
}

/// Nanoseconds since 1970-01-01 UTC, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcNs(pub i64);

impl Field for UtcNs {
    const CDDL: &'static str = "utc-ns";

    fn write(&self, writer: &mut Writer) {
        writer.int(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.int().map(Self)
    }
}

/// What a stamp says beside its status: the offset's bucket, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeDetail {
    /// Magnitude of the offset from the source.
    Offset(OffsetBucket),
    /// Why the clock runs alone.
    Holdover(HoldoverReason),
}

impl fmt::Display for TimeDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(bucket) => bucket.fmt(f),
            Self::Holdover(reason) => reason.fmt(f),
        }
    }
}

impl Field for TimeDetail {
    const CDDL: &'static str = "time-detail";

    fn write(&self, writer: &mut Writer) {
        writer.array(2);
        match self {
            Self::Offset(bucket) => {
                writer.uint(0);
                bucket.write(writer);
            }
            Self::Holdover(reason) => {
                writer.uint(1);
                reason.write(writer);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(2)?;
        let at = reader.position();
        match reader.uint()? {
            0 => OffsetBucket::read(reader).map(Self::Offset),
            1 => HoldoverReason::read(reader).map(Self::Holdover),
            _ => Err(reader.fault(at, DecodeFault::OutOfRange("time-detail"))),
        }
    }
}

/// The time of an entry and what may be said for it; frozen at commit, never rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// UTC of the instant of capture.
    pub timestamp: UtcNs,
    /// How good the clock was.
    pub quality: TimeQuality,
    /// State of its servo.
    pub status: TimeStatus,
    /// Bound of the timestamp's error in nanoseconds; `None` where nobody can state one.
    pub bound_ns: Option<u64>,
    /// Offset bucket or holdover reason.
    pub detail: TimeDetail,
}

impl Field for Stamp {
    const CDDL: &'static str = "stamp";

    fn write(&self, writer: &mut Writer) {
        writer.array(5);
        self.timestamp.write(writer);
        self.quality.write(writer);
        self.status.write(writer);
        match self.bound_ns {
            Some(bound) => writer.uint(bound),
            None => writer.null(),
        }
        self.detail.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(5)?;
        Ok(Self {
            timestamp: UtcNs::read(reader)?,
            quality: TimeQuality::read(reader)?,
            status: TimeStatus::read(reader)?,
            bound_ns: if reader.null_if_any() {
                None
            } else {
                Some(reader.uint()?)
            },
            detail: TimeDetail::read(reader)?,
        })
    }
}

impl TimeMap {
    /// The stamp of an instant under this map.
    ///
    /// Past `valid_until` the claim sinks by itself to holdover (if it was synchronised) or stays
    /// free-running, with the reason: its measurements are old, or, past [`STATEMENT_VALID_NS`], the time
    /// process has fallen silent. The bound holds for [`LATE_STAMPS_NS`] more.
    #[must_use]
    pub fn evaluate(&self, instant: MonoNs) -> Stamp {
        let late = instant > self.valid_until;
        let reason = if instant <= self.at.plus_ns(STATEMENT_VALID_NS) {
            HoldoverReason::SourceLost
        } else {
            HoldoverReason::TimePlaneSilent
        };
        let sunk = TimeDetail::Holdover(reason);
        let (quality, status, detail) = match (late, self.quality) {
            (false, _) => (self.quality, self.status, self.detail),
            (true, TimeQuality::RtcOnly) => (TimeQuality::RtcOnly, TimeStatus::FreeRun, sunk),
            (true, TimeQuality::Synced | TimeQuality::Holdover) => {
                (TimeQuality::Holdover, TimeStatus::Holdover, sunk)
            }
        };
        let age_ns = instant.since(self.as_of).max(self.as_of.since(instant));
        let growth_ns = u128::from(age_ns) * u128::from(self.bound_growth_ppb) / 1_000_000_000;
        let growth_ns = u64::try_from(growth_ns).unwrap_or(u64::MAX);
        Stamp {
            timestamp: self.utc_of(instant),
            quality,
            status,
            bound_ns: self
                .bound_ns
                .filter(|_| instant <= self.valid_until.plus_ns(LATE_STAMPS_NS))
                .map(|bound| bound.saturating_add(growth_ns)),
            detail,
        }
    }

    /// UTC of an instant under this map.
    #[must_use]
    pub fn utc_of(&self, instant: MonoNs) -> UtcNs {
        let delta = i128::from(instant.0) - i128::from(self.as_of.0);
        let utc = i128::from(self.utc.0) + delta;
        let limit = if utc < 0 { i64::MIN } else { i64::MAX };
        UtcNs(i64::try_from(utc).unwrap_or(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::{MonoNs, TimeDetail, UtcNs};
    use crate::kinds::TimeMap;
    use crate::limits::{LATE_STAMPS_NS, STATEMENT_VALID_NS};
    use crate::reasons::{HoldoverReason, OffsetBucket, TimeQuality, TimeStatus};

    fn map(quality: TimeQuality, status: TimeStatus) -> TimeMap {
        TimeMap {
            quality,
            status,
            bound_ns: Some(100),
            bound_growth_ppb: 50_000,
            valid_until: MonoNs(2_000_000_000),
            detail: TimeDetail::Offset(OffsetBucket::Below1Us),
            ..TimeMap::absent(MonoNs(1_000), UtcNs(5_000_000))
        }
    }

    //= A8.4
    #[test]
    fn a_silent_time_process_turns_synced_into_holdover_by_itself() {
        let synced = map(TimeQuality::Synced, TimeStatus::Locked);
        assert_eq!(
            synced.evaluate(synced.valid_until).quality,
            TimeQuality::Synced
        );
        let silent_from = synced.at.plus_ns(STATEMENT_VALID_NS + 1);
        for (instant, reason) in [
            (synced.valid_until.plus_ns(1), HoldoverReason::SourceLost),
            (silent_from, HoldoverReason::TimePlaneSilent),
        ] {
            let late = synced.evaluate(instant);
            assert_eq!(late.quality, TimeQuality::Holdover);
            assert_eq!(late.status, TimeStatus::Holdover);
            assert_eq!(late.detail, TimeDetail::Holdover(reason));
        }
    }

    //= A8.4
    #[test]
    fn silence_never_makes_a_clock_better_than_it_was() {
        let alone = map(TimeQuality::RtcOnly, TimeStatus::FreeRun);
        let late = alone.evaluate(MonoNs(u64::MAX));
        assert_eq!(
            (late.quality, late.status),
            (TimeQuality::RtcOnly, TimeStatus::FreeRun)
        );
    }

    //= A8.3
    #[test]
    fn the_bound_ends_where_the_line_is_no_longer_right() {
        let map = map(TimeQuality::Holdover, TimeStatus::Holdover);
        let end = map.valid_until.plus_ns(LATE_STAMPS_NS);
        assert!(map.evaluate(end).bound_ns.is_some());
        assert_eq!(map.evaluate(end.plus_ns(1)).bound_ns, None);
    }

    #[test]
    fn the_bound_grows_on_both_sides_of_the_measurement() {
        let map = map(TimeQuality::Synced, TimeStatus::Locked);
        assert_eq!(map.evaluate(MonoNs(1_000)).bound_ns, Some(100));
        assert_eq!(map.evaluate(MonoNs(1_001_000)).bound_ns, Some(150));
        assert_eq!(map.utc_of(MonoNs(0)), UtcNs(4_999_000));
    }
}
