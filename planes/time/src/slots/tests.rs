//! Days, places and crossings, by table and against a clock that is played through.

use super::{Crossing, Day, DayError, Fill, Grade, Measure, Placed, Step, Tally};
use crate::limits::{DAY_NS_MAX, SLOT_NS_MAX};
use evidence::UtcNs;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use std::vec::Vec;

const S: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * S;
const HOUR: i64 = 60 * MINUTE;
const QUARTER: u64 = 900_000_000_000;
/// 2026-03-28T23:00:00Z: midnight in Berlin before its clocks go forward.
const BERLIN: i64 = 1_774_738_800 * S;
/// 2017-01-01T00:00:00Z: a leap second came before it.
const LEAP: i64 = 1_483_228_800 * S;

fn day(begin: i64, hours: i64) -> Day {
    Day::new(UtcNs(begin), UtcNs(begin + hours * HOUR), QUARTER).unwrap()
}

//= U1
#[test]
fn a_day_has_as_many_slots_as_its_hours_hold() {
    for (begin, hours, count) in [
        (BERLIN, 23, 92),
        (BERLIN, 24, 96),
        (BERLIN, 25, 100),
        (0, 24, 96),
        (-24 * HOUR, 24, 96),
        // Kathmandu begins its days at 18:15.
        (18 * HOUR + 15 * MINUTE, 24, 96),
    ] {
        let day = day(begin, hours);
        assert_eq!(day.count(), count, "{hours} h");
        assert_eq!(day.end().0, begin + hours * HOUR);
        assert_eq!(day.boundary(1).0 - day.begin().0, 15 * MINUTE);
    }
    // Half an hour of summer time, as Lord Howe has it.
    let end = UtcNs(BERLIN + 23 * HOUR + 30 * MINUTE);
    assert_eq!(Day::new(UtcNs(BERLIN), end, QUARTER).unwrap().count(), 94);
}

//= U1
#[test]
fn a_day_that_holds_no_whole_slots_is_refused() {
    let of = |begin: i64, span: i64, length: u64| {
        Day::new(UtcNs(begin), UtcNs(begin + span), length).unwrap_err()
    };
    let seven_minutes = 420 * S.unsigned_abs();
    for (error, due) in [
        (of(0, 24 * HOUR, 0), DayError::Length { length_ns: 0 }),
        (
            of(0, 24 * HOUR, 999_999_999),
            DayError::Length {
                length_ns: 999_999_999,
            },
        ),
        (
            of(0, 24 * HOUR, SLOT_NS_MAX + 1),
            DayError::Length {
                length_ns: SLOT_NS_MAX + 1,
            },
        ),
        (of(0, 0, QUARTER), DayError::Span { span_ns: 0 }),
        (
            of(0, -HOUR, QUARTER),
            DayError::Span {
                span_ns: i128::from(-HOUR),
            },
        ),
        (
            of(5 * MINUTE, 24 * HOUR, QUARTER),
            DayError::Ragged {
                off_ns: 300 * S.unsigned_abs(),
            },
        ),
        (
            of(0, 24 * HOUR + S, QUARTER),
            DayError::Ragged {
                off_ns: S.unsigned_abs(),
            },
        ),
        (
            of(-S, 24 * HOUR, QUARTER),
            DayError::Ragged {
                off_ns: 899 * S.unsigned_abs(),
            },
        ),
        (
            of(0, 24 * HOUR, seven_minutes),
            DayError::Ragged {
                off_ns: 300 * S.unsigned_abs(),
            },
        ),
    ] {
        assert_eq!(error, due);
    }
    let far = Day::new(UtcNs(i64::MIN), UtcNs(i64::MAX), QUARTER);
    assert!(matches!(far, Err(DayError::Span { span_ns }) if span_ns > i128::from(DAY_NS_MAX)));
}

//= U1
#[test]
fn a_reading_belongs_to_the_boundary_it_was_due_at() {
    let day = day(BERLIN, 23);
    let (begin, end) = (day.begin().0, day.end().0);
    let placed = |slot, off_ns| Some(Placed { slot, off_ns });
    for (due, captured, place) in [
        (None, begin, placed(0, 0)),
        (None, begin + 2 * S, placed(0, 2 * S)),
        (None, begin - 2 * S, placed(0, -2 * S)),
        (None, begin + 15 * MINUTE - S, placed(1, -S)),
        (None, begin + 450 * S, placed(1, -450 * S)),
        (None, begin + 450 * S - 1, placed(0, 450 * S - 1)),
        (None, begin - 450 * S, placed(0, -450 * S)),
        (None, begin - 450 * S - 1, None),
        (None, end - 450 * S - 1, placed(91, 450 * S - 1)),
        (None, end - 450 * S, None),
        (None, end, None),
        // It came so late that another boundary is nearer: it stays that of its own.
        (Some(begin), begin + 14 * MINUTE, placed(0, 14 * MINUTE)),
        (Some(end - 15 * MINUTE), end + HOUR, placed(91, 75 * MINUTE)),
        (Some(end), end - S, None),
    ] {
        assert_eq!(
            day.place(due.map(UtcNs), UtcNs(captured)),
            place,
            "{due:?} {captured}"
        );
    }
}

//= U1
#[test]
fn the_tolerance_divides_filled_from_early_and_late() {
    let tolerance = 10 * S.unsigned_abs();
    let fill = |off_ns, bound_ns| Fill {
        off_ns,
        bound_ns,
        readings: 1,
    };
    for (off_ns, bound_ns, grade, sure) in [
        (0, Some(0), Grade::Filled, true),
        (10 * S, Some(0), Grade::Filled, true),
        (10 * S, Some(1), Grade::Filled, false),
        (-10 * S, Some(0), Grade::Filled, true),
        (10 * S + 1, Some(0), Grade::Late, true),
        (10 * S + 1, Some(1), Grade::Late, false),
        (-10 * S - 1, Some(0), Grade::Early, true),
        (-11 * S, Some(S.unsigned_abs()), Grade::Early, false),
        (0, None, Grade::Filled, false),
        (i64::MIN, Some(u64::MAX), Grade::Early, false),
    ] {
        let fill = fill(off_ns, bound_ns);
        assert_eq!(
            (fill.grade(tolerance), fill.is_sure(tolerance)),
            (grade, sure),
            "{fill:?}"
        );
    }
    let day = day(0, 24);
    let mut tally = Tally::new(&day);
    for (slot, off_ns, bound_ns) in [
        (0, 30 * S, Some(5)),
        (0, -2 * S, Some(7)),
        (0, 3 * S, Some(9)),
        (1, 11 * S, None),
        (2, -12 * S, Some(3)),
        (96, 0, Some(u64::MAX)),
    ] {
        tally.take(Placed { slot, off_ns }, bound_ns);
    }
    let by = Measure {
        tolerance_ns: tolerance,
        log: None,
    };
    let first = tally.graded(&day, by).next().unwrap().2.unwrap();
    assert_eq!(
        first,
        Fill {
            off_ns: -2 * S,
            bound_ns: Some(7),
            readings: 3
        }
    );
    let counts = tally.counts(&day, by);
    assert_eq!(
        (counts.filled, counts.late, counts.early, counts.empty),
        (1, 1, 1, 93)
    );
    assert_eq!((counts.unsure, counts.unbounded), (1, 1));
    assert_eq!(
        (counts.bound_ns_max, counts.off_ns_worst),
        (Some(7), Some(-12 * S))
    );
}

//= U1
#[test]
fn a_slot_is_judged_where_the_log_was_there_and_once_nothing_better_can_come() {
    let tolerance_ns = 10 * S.unsigned_abs();
    let by = Measure {
        tolerance_ns,
        log: Some((UtcNs(HOUR), UtcNs(2 * HOUR))),
    };
    let fill = |off_ns| {
        Some(Fill {
            off_ns,
            bound_ns: Some(0),
            readings: 1,
        })
    };
    for (boundary, fill, grade) in [
        (HOUR, None, Grade::Empty),
        (HOUR, fill(11 * S), Grade::Late),
        (HOUR - 1, fill(11 * S), Grade::BeforeLog),
        (HOUR - 1, fill(10 * S), Grade::Filled),
        (HOUR - 1, None, Grade::BeforeLog),
        (2 * HOUR - 10 * S, None, Grade::Empty),
        (2 * HOUR - 10 * S + 1, None, Grade::ToCome),
        (2 * HOUR, fill(-60 * S), Grade::ToCome),
        (2 * HOUR, fill(-10 * S), Grade::Filled),
        (i64::MAX, None, Grade::ToCome),
        (i64::MIN, None, Grade::BeforeLog),
    ] {
        assert_eq!(
            by.grade(UtcNs(boundary), fill),
            grade,
            "{boundary} {fill:?}"
        );
    }
    let nothing = Measure {
        tolerance_ns,
        log: None,
    };
    assert_eq!(nothing.grade(UtcNs(0), None), Grade::Empty);
    // What is not judged has no part in what is said of the readings.
    let day = day(0, 24);
    let mut tally = Tally::new(&day);
    for (slot, off_ns) in [(3, 400 * S), (4, S), (8, -300 * S)] {
        tally.take(Placed { slot, off_ns }, Some(7));
    }
    let counts = tally.counts(&day, by);
    assert_eq!((counts.filled, counts.empty), (1, 3));
    assert_eq!((counts.before_log, counts.to_come), (4, 88));
    assert_eq!((counts.early, counts.late), (0, 0));
    assert_eq!(counts.off_ns_worst, Some(S));
}

fn crossed(day: &Day, before: i64, passed: i64, moved_ns: i64) -> Vec<(u32, Crossing)> {
    let step = Step {
        before: UtcNs(before),
        passed_ns: passed.unsigned_abs(),
        moved_ns,
    };
    day.crossed(step).collect()
}

//= U1
#[test]
fn a_step_across_a_boundary_is_flagged_at_its_slot() {
    use Crossing::{Certain, Possible};
    let day = day(0, 24);
    let noon = 12 * HOUR;
    for (before, passed, moved, due) in [
        // Forward over one boundary, over none, over three.
        (noon - 10 * S, S, 20 * S, Vec::from([(48, Certain)])),
        (noon - 30 * S, S, 20 * S, Vec::new()),
        (noon + S, S, 20 * S, Vec::new()),
        (
            noon - S,
            0,
            31 * MINUTE,
            Vec::from([(48, Certain), (49, Certain), (50, Certain)]),
        ),
        // Onto the boundary: it was shown, but not when it came.
        (noon - 20 * S, 0, 20 * S, Vec::from([(48, Certain)])),
        // Back behind one that had been shown, and not so far.
        (noon + 10 * S, S, -20 * S, Vec::from([(48, Certain)])),
        (noon + 30 * S, S, -20 * S, Vec::new()),
        (noon, 0, -1, Vec::from([(48, Certain)])),
        (noon - 1, 0, -S, Vec::new()),
        // The marks are too far apart to say on which side of the boundary it fell.
        (
            noon - MINUTE,
            2 * MINUTE,
            5 * S,
            Vec::from([(48, Possible)]),
        ),
        (
            noon - MINUTE,
            2 * MINUTE,
            -5 * S,
            Vec::from([(48, Possible)]),
        ),
        (noon - MINUTE, 2 * MINUTE, 0, Vec::new()),
        // At the edges of the day only its own boundaries count.
        (-10 * S, 0, 20 * S, Vec::from([(0, Certain)])),
        (24 * HOUR - 10 * S, 0, 20 * S, Vec::new()),
    ] {
        assert_eq!(
            crossed(&day, before, passed, moved),
            due,
            "{before} {passed} {moved}"
        );
    }
    let all = crossed(&day, i64::MIN, 0, i64::MAX);
    assert_eq!(all.len(), 0, "it ends before 1970");
    assert_eq!(crossed(&day, -S, 0, i64::MAX).len(), 96);
    assert_eq!(crossed(&day, i64::MAX, i64::MAX, i64::MIN).len(), 96);
}

/// A clock of UTC without leap seconds shows the last second of the day twice.
//= U1
#[test]
fn a_leap_second_is_a_step_back_across_midnight_and_makes_no_slot() {
    let new_year = day(LEAP, 24);
    assert_eq!(new_year.count(), 96);
    let last_day = day(LEAP - 24 * HOUR, 24);
    assert_eq!(last_day.count(), 96);
    // The kernel sets the clock back when the last second is over.
    let found = crossed(&new_year, LEAP, 0, -S);
    assert_eq!(found, [(0, Crossing::Certain)]);
    assert_eq!(crossed(&last_day, LEAP, 0, -S), []);
    // Marks a second before and behind leave the first boundary open, and touch no other.
    let found = crossed(&new_year, LEAP - S, 3 * S, -S);
    assert_eq!(found, [(0, Crossing::Possible)]);
    // A reading in the inserted second is one of the last second, and one just behind is of the new year.
    let place = |at| new_year.place(Some(UtcNs(LEAP)), UtcNs(at)).unwrap();
    assert_eq!(place(LEAP - S / 2).off_ns, -S / 2);
    assert_eq!(place(LEAP + S / 2).slot, 0);
    // A second left out is a step forward over midnight.
    assert_eq!(crossed(&new_year, LEAP - S, 0, S), [(0, Crossing::Certain)]);
}

proptest! {
    //= U1
    #[test]
    fn every_instant_is_of_one_day_and_its_nearest_boundary(
        begin in -200_000i64..200_000,
        hours in 1i64..=48,
        at in -400_000_000i64..400_000_000,
    ) {
        let begin = begin * 900 * S;
        let at = UtcNs(begin + at * 1_000_000);
        let end = begin + hours * HOUR;
        let [before, here, behind] = [
            day(begin - 24 * HOUR, 24),
            day(begin, hours),
            day(end, 24),
        ];
        let half = 450 * S;
        prop_assert_eq!(here.nearest(at).is_some(), begin - half <= at.0 && at.0 < end - half);
        let days = [before, here, behind].map(|day| day.nearest(at).is_some());
        prop_assert!(days.iter().filter(|is_in| **is_in).count() <= 1);
        if let Some(placed) = here.place(None, at) {
            prop_assert!(placed.off_ns >= -half && placed.off_ns < half);
            prop_assert_eq!(here.boundary(placed.slot).0 + placed.off_ns, at.0);
        }
    }

    /// Each way that the step may have fallen is played through.
    //= U1
    #[test]
    fn a_crossing_is_certain_possible_or_none_as_a_played_clock_shows(
        before in -20i64..60,
        passed in 0i64..25,
        moved in -40i64..40,
    ) {
        let length = 10 * S;
        let day = Day::new(UtcNs(0), UtcNs(4 * length), length.unsigned_abs()).unwrap();
        let found = crossed(&day, before * S, passed * S, moved * S);
        for slot in 0..day.count() {
            let boundary = day.boundary(slot).0 / S;
            let crosses = |shown: i64| match moved > 0 {
                true => shown < boundary && boundary <= shown + moved,
                false => shown + moved < boundary && boundary <= shown,
            };
            let ways: Vec<bool> = (before..=before + passed).map(crosses).collect();
            let due = match (ways.iter().all(|is| *is), ways.iter().any(|is| *is)) {
                (true, _) => Some(Crossing::Certain),
                (false, true) => Some(Crossing::Possible),
                (false, false) => None,
            };
            let said = found.iter().find(|(of, _)| *of == slot).map(|(_, crossing)| *crossing);
            prop_assert_eq!(said, due, "boundary {}", boundary);
        }
    }
}
