//! How far a counter came, exactly: onward, round the end of its register, back, or further than it can.

use super::judge::Course;
use evidence::Decimal;

const MS_PER_H: i128 = 3_600_000;
const NS_PER_MS: u64 = 1_000_000;
/// Where nothing bounds how fast a counter rises, it is taken to have gone round from its last part of so many ...
const PARTS: i128 = 10;

/// What is known of how a counter counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Where it begins again with 0.
    pub(super) rolls_at: Option<Decimal>,
    /// The most by which it rises in an hour.
    pub(super) rate_max: Option<Decimal>,
    /// Time between the two values, at the most, in nanoseconds; `None` where nobody can bound it.
    pub(super) elapsed_ns: Option<u64>,
}

/// How `value` stands to `before`.
pub(super) fn course(before: Decimal, value: Decimal, bounds: Bounds) -> Course {
    exact(before, value, bounds).unwrap_or(match value.cmp_value(before).is_lt() {
        // Numbers so far apart that no common resolution holds both.
        true => Course::Back,
        false => Course::Leap,
    })
}

fn exact(before: Decimal, value: Decimal, bounds: Bounds) -> Option<Course> {
    let finest = [Some(before), Some(value), bounds.rolls_at, bounds.rate_max]
        .into_iter()
        .flatten()
        .map(Decimal::exponent)
        .min()?;
    let whole = |number: Decimal| {
        10_i128
            .checked_pow(u32::from(number.exponent().abs_diff(finest)))?
            .checked_mul(number.mantissa())
    };
    let step = 10_i128.checked_pow(u32::from(value.exponent().abs_diff(finest)))?;
    let rate = bounds.rate_max.map(whole).unwrap_or_default();
    let reach = match (rate, bounds.elapsed_ns) {
        (Some(rate), Some(elapsed_ns)) => {
            let ms = i128::from(elapsed_ns.div_ceil(NS_PER_MS));
            // A counter shows whole steps: it may have been a step further than it showed.
            let rise = rate.saturating_mul(ms).saturating_add(MS_PER_H - 1) / MS_PER_H;
            Some(rise.saturating_add(step))
        }
        _ => None,
    };
    let (before, value) = (whole(before)?, whole(value)?);
    let risen = value.checked_sub(before)?;
    if risen >= 0 {
        let within = reach.is_none_or(|reach| risen <= reach);
        return Some(if within { Course::Onward } else { Course::Leap });
    }
    let Some(end) = bounds.rolls_at.and_then(whole) else {
        return Some(Course::Back);
    };
    let inside = (0..end).contains(&before) && (0..end).contains(&value);
    // A reach of a whole register tells nothing.
    let round = inside
        && match reach.filter(|reach| *reach < end) {
            Some(reach) => risen.checked_add(end)? <= reach,
            // ... to its first part.
            None => before >= end - end / PARTS && value <= end / PARTS,
        };
    Some(if round { Course::Round } else { Course::Back })
}

#[cfg(test)]
mod tests {
    use super::{Bounds, course};
    use crate::life::judge::Course::{self, Back, Leap, Onward, Round};
    use proptest::prelude::{prop_assert_eq, proptest};

    const HOUR_NS: u64 = 3_600_000_000_000;

    fn check(before: &str, value: &str, rolls_at: &str, rate: &str, hours: u64, due: Course) {
        let number = |text: &str| text.parse().ok();
        let bounds = Bounds {
            rolls_at: number(rolls_at),
            rate_max: number(rate),
            elapsed_ns: (hours > 0).then_some(hours * HOUR_NS),
        };
        let found = course(number(before).unwrap(), number(value).unwrap(), bounds);
        assert_eq!(found, due, "{before} {value} {rolls_at} {rate} {hours}");
    }

    //= U2
    #[test]
    fn a_counter_goes_on_round_back_or_too_far() {
        // Without a rate: up is on; down is round only from the last tenth to the first.
        check("5", "5", "", "", 1, Onward);
        check("5", "900000", "", "", 1, Onward);
        check("5", "4", "", "", 1, Back);
        check("99990", "3", "100000", "", 1, Round);
        check("90000", "10000", "100000", "", 1, Round);
        check("89999", "3", "100000", "", 1, Back);
        check("99990", "10001", "100000", "", 1, Back);
        check("100001", "3", "100000", "", 1, Back);
        check("-1", "-2", "100000", "", 1, Back);
        // With a rate, in the time there was; the last digit may have been nearly one more.
        check("100", "110", "", "10", 1, Onward);
        check("100", "111", "", "10", 1, Onward);
        check("100", "112", "", "10", 1, Leap);
        check("100.0", "110.1", "", "10", 1, Onward);
        check("100.0", "110.2", "", "10", 1, Leap);
        check("100", "112", "", "10", 0, Onward);
        check("50000", "5", "100000", "60000", 1, Round);
        check("99990", "12", "100000", "10", 2, Back);
        check("99990", "11", "100000", "10", 2, Round);
        check("99.9990", "0.0011", "100", "0.001", 2, Round);
        // As long as a whole turn takes nothing is told by how far it came.
        check("99990", "3", "100000", "10", 20_000, Round);
        check("50000", "3", "100000", "10", 20_000, Back);
        // A number beyond every common resolution.
        let huge = "99999999999999999999999999999999";
        assert!(huge.parse::<evidence::Decimal>().is_err());
        let far = |mantissa, exponent| evidence::Decimal::new(mantissa, exponent).unwrap();
        let bounds = Bounds {
            rolls_at: None,
            rate_max: None,
            elapsed_ns: None,
        };
        assert_eq!(course(far(1, -30), far(1 << 63, 30), bounds), Leap);
        assert_eq!(course(far(1 << 63, 30), far(1, -30), bounds), Back);
    }

    proptest! {
        //= U2
        #[test]
        fn a_counter_of_any_size_is_followed_over_its_end(
            start in 0_u64..1_000_000, rise in 0_u64..100_000, places in 0_i8..4,
        ) {
            let end = 1_000_000;
            let number = |whole: u64| evidence::Decimal::new(i128::from(whole), -places).unwrap();
            let bounds = Bounds {
                rolls_at: Some(number(end)),
                rate_max: Some(number(100_000)),
                elapsed_ns: Some(HOUR_NS),
            };
            let found = course(number(start), number((start + rise) % end), bounds);
            let due = if start + rise < end { Onward } else { Round };
            prop_assert_eq!(found, due);
        }
    }
}
