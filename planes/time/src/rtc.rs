//! The turn of a real-time clock's second, closed in upon over many looks, none of which waits.
//!
//! A real-time clock tells whole seconds. Each look says that its true time is between the second that
//! it shows and the next; looks at other moments of the second narrow that down. A look at the moment
//! that [`Turn::next_look`] names halves it.

use crate::limits::{RTC_DRIFT_PPB_MAX, RTC_TURN_KNOWN_NS};
use evidence::{MonoNs, UtcNs};

const SECOND_NS: i128 = 1_000_000_000;

/// What the looks so far leave possible of clock minus monotonic time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn {
    known: Option<Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    as_of: MonoNs,
    low_ns: i128,
    high_ns: i128,
}

impl Known {
    /// The same at a later instant, wider by what the two clocks may have run apart.
    fn at(self, now: MonoNs) -> Self {
        let drift_ns =
            i128::from(now.since(self.as_of)) * i128::from(RTC_DRIFT_PPB_MAX) / SECOND_NS + 1;
        Self {
            as_of: now,
            low_ns: self.low_ns - drift_ns,
            high_ns: self.high_ns + drift_ns,
        }
    }
}

impl Turn {
    /// Takes a look: the clock showed `second` (since 1970) at some instant between `before` and
    /// `after`. Gives its time at `after`, and how far it may be from that in nanoseconds.
    ///
    /// A look that contradicts the earlier ones means that the clock was set, or that it stood still:
    /// they are forgotten.
    pub fn look(&mut self, before: MonoNs, after: MonoNs, second: i64) -> (UtcNs, u64) {
        let shown_ns = i128::from(second) * SECOND_NS;
        let seen = Known {
            as_of: after,
            low_ns: shown_ns - i128::from(after.0),
            high_ns: shown_ns + SECOND_NS - i128::from(before.0),
        };
        let narrowed = self.known.map(|known| known.at(after)).map(|known| Known {
            as_of: after,
            low_ns: known.low_ns.max(seen.low_ns),
            high_ns: known.high_ns.min(seen.high_ns),
        });
        let known = narrowed
            .filter(|known| known.low_ns <= known.high_ns)
            .unwrap_or(seen);
        self.known = Some(known);
        let width_ns = known.high_ns - known.low_ns;
        let utc_ns = known.low_ns + width_ns / 2 + i128::from(after.0);
        let half_ns = (width_ns + 1) / 2;
        (
            UtcNs(i64::try_from(utc_ns).unwrap_or(i64::MAX)),
            u64::try_from(half_ns).unwrap_or(u64::MAX),
        )
    }

    /// When a look would tell most, within the second that begins at `now`: the middle of the moments
    /// at which the clock's second may turn. `None` where another look at any moment serves as well.
    #[must_use]
    pub fn next_look(&self, now: MonoNs) -> Option<MonoNs> {
        let known = self.known?.at(now);
        let width_ns = known.high_ns - known.low_ns;
        if width_ns <= i128::from(RTC_TURN_KNOWN_NS) {
            return None;
        }
        let middle_ns = known.low_ns + width_ns / 2;
        // The turn is where clock time, monotonic time plus the difference, is a whole second.
        let into_second_ns = (i128::from(now.0) + middle_ns).rem_euclid(SECOND_NS);
        let until_ns = u64::try_from(SECOND_NS - into_second_ns).ok()?;
        Some(now.plus_ns(until_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::Turn;
    use crate::limits::RTC_TURN_KNOWN_NS;
    use alloc::format;
    use evidence::MonoNs;

    const READ_NS: u64 = 30_000;

    /// A clock that is `difference_ns` ahead of monotonic time and runs fast by `ppb`.
    fn clock_ns(mono_ns: u64, difference_ns: i128, ppb: i128) -> i128 {
        i128::from(mono_ns) + difference_ns + i128::from(mono_ns) * ppb / 1_000_000_000
    }

    fn look(turn: &mut Turn, at_ns: u64, difference_ns: i128, ppb: i128) -> (i128, u64) {
        let truth = clock_ns(at_ns + READ_NS / 2, difference_ns, ppb);
        let second = i64::try_from(truth.div_euclid(1_000_000_000)).unwrap();
        let after = MonoNs(at_ns + READ_NS);
        let (utc, uncertainty_ns) = turn.look(MonoNs(at_ns), after, second);
        let error = i128::from(utc.0) - clock_ns(after.0, difference_ns, ppb);
        (error, uncertainty_ns)
    }

    /// Looks that follow the advice find the turn; the time given is never further off than it says.
    #[test]
    fn the_turn_of_the_second_is_found_in_a_few_looks() {
        for (difference_ns, ppb) in [
            (1_700_000_000_000_000_000, 0),
            (1_700_000_000_123_456_789, 150_000),
            (1_699_999_999_999_999_999, -150_000),
            (999_999_999, 20_000),
        ] {
            let mut turn = Turn::default();
            let mut at_ns = 5_000_000_007;
            let mut found = u64::MAX;
            for number in 0..12 {
                let (error, uncertainty_ns) = look(&mut turn, at_ns, difference_ns, ppb);
                let context = format!("{difference_ns} {ppb} look {number}: {error}");
                assert!(
                    error.unsigned_abs() <= u128::from(uncertainty_ns),
                    "{context} +-{uncertainty_ns}"
                );
                found = uncertainty_ns;
                let next = turn.next_look(MonoNs(at_ns + READ_NS));
                at_ns = next.map_or(at_ns + 1_000_000_000, |next| next.0);
            }
            assert!(found <= RTC_TURN_KNOWN_NS, "{difference_ns} {ppb}: {found}");
        }
    }

    /// Looks at one moment of the second tell no more than the first.
    #[test]
    fn looks_at_the_same_moment_of_the_second_stay_wide() {
        let mut turn = Turn::default();
        for second in 1..20 {
            let (_, uncertainty_ns) = look(&mut turn, second * 1_000_000_000, 400_000_000, 0);
            assert!(uncertainty_ns > 499_000_000, "{uncertainty_ns}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_looked_at_afresh() {
        let mut turn = Turn::default();
        let mut at_ns = 1_000_000_000;
        for _ in 0..12 {
            look(&mut turn, at_ns, 250_000_000, 0);
            let next = turn.next_look(MonoNs(at_ns + READ_NS));
            at_ns = next.map_or(at_ns + 1_000_000_000, |next| next.0);
        }
        let (error, uncertainty_ns) = look(&mut turn, at_ns, 90_000_000_000, 0);
        assert!(uncertainty_ns >= 500_000_000, "{uncertainty_ns}");
        assert!(error.unsigned_abs() <= u128::from(uncertainty_ns));
    }
}
