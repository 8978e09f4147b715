//! IEC 61850: the TimeQuality octet of a UtcTime.

use super::{is_failed, is_locked};
use evidence::Stamp;

/// The accuracy code that says nothing.
pub const ACCURACY_UNSPECIFIED: u8 = 31;
/// The fraction of a second has 24 bits; more cannot be good.
const ACCURACY_MAX: u8 = 24;
const SECOND_NS: u64 = 1_000_000_000;

/// The TimeQuality octet (IEC 61850-8-1, 8.1.3.7; IEC 61850-7-2, 6.1.2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeQuality61850 {
    /// Leap seconds are in the time.
    pub leap_seconds_known: bool,
    /// The time shall not be used.
    pub clock_failure: bool,
    /// The clock is not held by a source.
    pub clock_not_synchronised: bool,
    /// Good bits of the fraction, from 0 to 24; 31 where nobody can say.
    pub accuracy: u8,
}

impl TimeQuality61850 {
    /// The octet: leap seconds in the highest bit, then failure, then not synchronised, then five bits
    /// of accuracy.
    #[must_use]
    pub fn octet(self) -> u8 {
        u8::from(self.leap_seconds_known) << 7
            | u8::from(self.clock_failure) << 6
            | u8::from(self.clock_not_synchronised) << 5
            | self.accuracy & 0x1F
    }
}

/// The time's quality in IEC 61850's words. The accuracy is n = floor(-log2 U): the most bits of which
/// the last is worth no less than the bound. A stamp does not say whether leap seconds are known, the
/// caller does.
///
/// Lost: the bound within its power of two, anything better than 2^-24 s (60 ns) or worse than a
/// second; whether a clock that is not synchronised is in holdover or was never heard of, and why.
#[must_use]
pub fn iec61850(stamp: &Stamp, leap_seconds_known: bool) -> TimeQuality61850 {
    TimeQuality61850 {
        leap_seconds_known,
        clock_failure: is_failed(stamp),
        clock_not_synchronised: !is_locked(stamp),
        accuracy: stamp.bound_ns.map_or(ACCURACY_UNSPECIFIED, accuracy),
    }
}

/// The largest n up to 24 with 2^-n s not below the bound; unspecified beyond a second.
fn accuracy(bound_ns: u64) -> u8 {
    (0..=ACCURACY_MAX)
        .rev()
        .find(|bits| {
            bound_ns
                .checked_mul(1 << bits)
                .is_some_and(|scaled| scaled <= SECOND_NS)
        })
        .unwrap_or(ACCURACY_UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::{ACCURACY_UNSPECIFIED, TimeQuality61850, accuracy};

    #[test]
    fn the_accuracy_is_the_floor_of_the_negative_logarithm() {
        for (bound_ns, bits) in [
            (0, 24),
            (59, 24),
            (60, 23),
            (1_000, 19),
            (100_000, 13),
            (1_000_000, 9),
            (500_000_000, 1),
            (500_000_001, 0),
            (1_000_000_000, 0),
            (1_000_000_001, ACCURACY_UNSPECIFIED),
            (u64::MAX, ACCURACY_UNSPECIFIED),
        ] {
            assert_eq!(accuracy(bound_ns), bits, "{bound_ns} ns");
        }
        let mut bound_ns = 60;
        while bound_ns < 1_000_000_000_u64 {
            let seconds = f64::from(u32::try_from(bound_ns).unwrap()) / 1e9;
            let expected = libm::floor(-libm::log2(seconds));
            assert!(
                (f64::from(accuracy(bound_ns)) - expected).abs() < 0.5,
                "{bound_ns} ns"
            );
            bound_ns = bound_ns * 11 / 10;
        }
    }

    #[test]
    fn the_octet_has_its_bits_in_the_standards_order() {
        let quality = TimeQuality61850 {
            leap_seconds_known: true,
            clock_failure: false,
            clock_not_synchronised: false,
            accuracy: 20,
        };
        assert_eq!(quality.octet(), 0x94);
        let failed = TimeQuality61850 {
            leap_seconds_known: false,
            clock_failure: true,
            clock_not_synchronised: true,
            accuracy: 31,
        };
        assert_eq!(failed.octet(), 0x7F);
    }
}
