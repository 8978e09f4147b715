//! Why the node's own clock moved.

use crate::limits::{ATTRIBUTION_FLOOR_NS, SLEPT_NS_MIN};
use evidence::reasons::TimeCause;

/// A movement of `CLOCK_REALTIME`, and what is known around it. All in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalMove {
    /// By how much, forward positive.
    pub(crate) moved_ns: i128,
    /// Whether the kernel signalled that the clock was set.
    pub(crate) signalled: bool,
    /// How long the machine slept meanwhile.
    pub(crate) slept_ns: u64,
    /// What a daemon had measured the clock to be off by, before: positive where it was ahead.
    pub(crate) offset_before_ns: Option<i64>,
    /// A correction that was handed to the daemon from outside, and not yet seen.
    pub(crate) handed_ns: Option<i64>,
    /// Leap seconds that were announced, by one source or two.
    pub(crate) leaps: [Option<Leap>; 2],
}

/// A leap second that is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leap {
    /// A minute of 61 seconds: the clock goes back by one.
    Insert,
    /// A minute of 59 seconds: the clock leaps ahead by one.
    Delete,
}

impl Leap {
    /// What it moves the clock by, forward positive.
    const fn moves_ns(self) -> i128 {
        match self {
            Self::Insert => -1_000_000_000,
            Self::Delete => 1_000_000_000,
        }
    }
}

/// Whether two figures are the same, for clocks that are read one after the other: within a fifth, or a
/// tenth of a millisecond, but no more than half of the larger: what is next to nothing is like nothing.
fn alike(a_ns: i128, b_ns: i128) -> bool {
    let larger_ns = a_ns.abs().max(b_ns.abs());
    let tolerance_ns = (larger_ns / 5).max(i128::from(ATTRIBUTION_FLOOR_NS).min(larger_ns / 2));
    (a_ns - b_ns).abs() <= tolerance_ns && a_ns.signum() == b_ns.signum()
}

/// Whether a movement makes good a clock that was ahead by so much.
pub(crate) fn corrects(moved_ns: i128, off_ns: i64) -> bool {
    alike(moved_ns, -i128::from(off_ns))
}

/// Names the cause; the first that fits, the surest first.
pub(crate) fn name_move(seen: &LocalMove) -> TimeCause {
    if seen.slept_ns >= SLEPT_NS_MIN && alike(seen.moved_ns, seen.slept_ns.into()) {
        return TimeCause::MachineSlept;
    }
    let leaps = |leap: &Leap| alike(seen.moved_ns, leap.moves_ns());
    if seen.leaps.iter().flatten().any(leaps) {
        return TimeCause::LeapSecond;
    }
    let corrects = |off_ns: i64| corrects(seen.moved_ns, off_ns);
    if seen.handed_ns.is_some_and(corrects) {
        return TimeCause::HeadEnd;
    }
    if seen.offset_before_ns.is_some_and(corrects) {
        return TimeCause::DaemonCorrection;
    }
    if seen.signalled {
        TimeCause::SetByProgram
    } else {
        TimeCause::Unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::{Leap, LocalMove, name_move};
    use evidence::reasons::TimeCause::{self, DaemonCorrection, SetByProgram};

    /// Each way in which the clock may move by 2 ms, and what would explain it in another way is there as well.
    //= R1.2
    //= A8.5
    #[test]
    fn a_move_of_two_milliseconds_has_the_cause_that_fits_first() {
        let none = LocalMove {
            moved_ns: 2_000_000,
            signalled: false,
            slept_ns: 0,
            offset_before_ns: None,
            handed_ns: None,
            leaps: [Some(Leap::Insert), Some(Leap::Delete)],
        };
        let measured = LocalMove {
            offset_before_ns: Some(-2_000_000),
            ..none
        };
        let handed = LocalMove {
            handed_ns: Some(-2_000_000),
            ..measured
        };
        let slept = LocalMove {
            slept_ns: 2_000_000,
            ..handed
        };
        for (seen, quiet, signalled) in [
            (none, TimeCause::Unexplained, SetByProgram),
            (measured, DaemonCorrection, DaemonCorrection),
            (handed, TimeCause::HeadEnd, TimeCause::HeadEnd),
            (slept, TimeCause::MachineSlept, TimeCause::MachineSlept),
        ] {
            assert_eq!(name_move(&seen), quiet, "{seen:?}");
            let told = LocalMove {
                signalled: true,
                ..seen
            };
            assert_eq!(name_move(&told), signalled, "{told:?}");
        }
    }

    //= A8.5
    #[test]
    fn a_leap_second_explains_a_second_in_its_own_direction_alone() {
        let (insert, delete) = (Some(Leap::Insert), Some(Leap::Delete));
        for (leaps, back, ahead) in [
            ([insert, None], TimeCause::LeapSecond, SetByProgram),
            ([None, delete], SetByProgram, TimeCause::LeapSecond),
            ([None, None], SetByProgram, SetByProgram),
            (
                [insert, delete],
                TimeCause::LeapSecond,
                TimeCause::LeapSecond,
            ),
        ] {
            for (moved_ns, expected) in [(-1_000_000_000, back), (1_000_000_000, ahead)] {
                let cause = name_move(&LocalMove {
                    moved_ns,
                    signalled: true,
                    slept_ns: 0,
                    offset_before_ns: None,
                    handed_ns: None,
                    leaps,
                });
                assert_eq!(cause, expected, "{leaps:?}, moved by {moved_ns} ns");
            }
        }
    }

    //= A8.5
    #[test]
    fn a_daemon_corrected_what_it_had_measured_and_not_whatever_comes_near_it() {
        let cases: [(i64, i128, TimeCause); 8] = [
            // Next to nothing was measured: nothing is a correction of that.
            (-400, 100_000, SetByProgram),
            (-400, 90_000, SetByProgram),
            (-400, 2_000, SetByProgram),
            (-400, 500, DaemonCorrection),
            (-60_000, 80_000, DaemonCorrection),
            (-60_000, 200_000, SetByProgram),
            (-2_000_000, 2_300_000, DaemonCorrection),
            (2_000_000, 2_300_000, SetByProgram),
        ];
        for (offset_ns, moved_ns, expected) in cases {
            let cause = name_move(&LocalMove {
                moved_ns,
                signalled: true,
                slept_ns: 0,
                offset_before_ns: Some(offset_ns),
                handed_ns: None,
                leaps: [None, None],
            });
            assert_eq!(cause, expected, "{offset_ns} ns, moved by {moved_ns} ns");
        }
    }
}
