//! What time the collector says it is: a header of its answers, `spec/exchange-v1.md`.

use alloc::format;
use alloc::string::String;
use evidence::UtcNs;

/// Header of an answer that says when it was made, by the collector's clock. It may be missing.
pub const TIME_HEADER: &str = "Fieldnotary-Time";
/// Digits of a fraction that are read: nanoseconds.
const FRACTION_DIGITS_MAX: usize = 9;
const SECOND_NS: u64 = 1_000_000_000;

/// A time as a collector said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectorTime {
    /// The middle of what its digits allow.
    pub utc: UtcNs,
    /// How far it may be from there by what its digits leave open, in nanoseconds.
    pub resolution_ns: u64,
}

impl CollectorTime {
    /// A time that is known to the second below, as a cosignature states it.
    #[must_use]
    pub fn of_second(second: u64) -> Option<Self> {
        let second = i64::try_from(second.checked_mul(SECOND_NS)?).ok()?;
        Self::within(second, SECOND_NS)
    }

    /// The value of the header: seconds since 1970-01-01 UTC with nine digits behind the point.
    #[must_use]
    pub fn header(utc: UtcNs) -> String {
        let ns = utc.0.max(0).unsigned_abs();
        format!("{}.{:09}", ns / SECOND_NS, ns % SECOND_NS)
    }

    /// Reads the header; `None` where it says nothing that this version understands. Fewer digits are a
    /// coarser time.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.is_empty() || !digits(seconds) || !digits(fraction) {
            return None;
        }
        let missing = FRACTION_DIGITS_MAX.checked_sub(fraction.len())?;
        let unit_ns = 10u64.checked_pow(u32::try_from(missing).ok()?)?;
        let part_ns = match fraction {
            "" => 0,
            fraction => fraction.parse::<u64>().ok()?.checked_mul(unit_ns)?,
        };
        let ns = seconds.parse::<u64>().ok()?.checked_mul(SECOND_NS)?;
        Self::within(i64::try_from(ns.checked_add(part_ns)?).ok()?, unit_ns)
    }

    fn within(from_ns: i64, unit_ns: u64) -> Option<Self> {
        let half_ns = unit_ns / 2;
        Some(Self {
            utc: UtcNs(from_ns.checked_add(i64::try_from(half_ns).ok()?)?),
            resolution_ns: half_ns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CollectorTime;
    use evidence::UtcNs;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn fewer_digits_are_a_coarser_time_and_what_is_no_time_is_none() {
        for (text, utc, resolution_ns) in [
            ("1764371000.123456789", 1_764_371_000_123_456_789, 0),
            ("1764371000.5", 1_764_371_000_550_000_000, 50_000_000),
            ("1764371000", 1_764_371_000_500_000_000, 500_000_000),
            ("0.000000000", 0, 0),
        ] {
            let expected = Some(CollectorTime {
                utc: UtcNs(utc),
                resolution_ns,
            });
            assert_eq!(CollectorTime::read(text), expected, "{text}");
        }
        assert_eq!(
            CollectorTime::of_second(1_764_371_000),
            CollectorTime::read("1764371000")
        );
        for text in [
            "",
            ".",
            ".5",
            "-1",
            "+1",
            "1.",
            "1.5e3",
            " 1",
            "1,5",
            "1.1234567890",
            "9223372036",
            "18446744073709551616",
            "9223372036.854775808",
            "Sat, 28 Nov 2026 23:13:00 GMT",
        ] {
            let read = CollectorTime::read(text);
            let is_time = ["1.", "9223372036"].contains(&text);
            assert_eq!(read.is_some(), is_time, "{text}: {read:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ns in 0..=i64::MAX) {
            let read = CollectorTime::read(&CollectorTime::header(UtcNs(ns)));
            prop_assert_eq!(read, Some(CollectorTime { utc: UtcNs(ns), resolution_ns: 0 }));
        }

        #[test]
        fn no_text_does_harm(text: std::string::String, second in any::<u64>()) {
            let read = [CollectorTime::read(&text), CollectorTime::of_second(second)];
            for time in read.into_iter().flatten() {
                prop_assert!(time.resolution_ns <= 500_000_000);
            }
        }
    }
}
