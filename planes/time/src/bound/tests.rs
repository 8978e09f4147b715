//! Properties of the bound, under ordinary and hostile series.

use super::{Bound, BoundParts, Line};
use crate::drift::{Learner, OscillatorClass, ServoSample};
use evidence::MonoNs;
use evidence::kinds::TimeMap;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use std::vec::Vec;

const SECOND_NS: u64 = 1_000_000_000;

fn sample(at_ns: u64, correction_ppt: i64, temperature: Option<i32>) -> ServoSample {
    ServoSample {
        at: MonoNs(at_ns),
        correction_ppt,
        temperature_millidegrees: temperature,
        locked: true,
    }
}

/// A learner that was locked for some seconds, with a correction that moves a little.
fn learnt(
    class: OscillatorClass,
    seconds: u32,
    temperature: Option<i32>,
) -> (Learner, ServoSample) {
    let mut learner = Learner::new(class);
    let mut last = sample(0, 1_000_000, temperature);
    for second in 1..=seconds {
        let wave = i64::from(second % 7) * 300;
        let warmth = temperature.map(|base| base + i32::try_from(second % 600).unwrap());
        last = sample(u64::from(second) * SECOND_NS, 1_000_000 + wave, warmth);
        learner.observe(last);
    }
    (learner, last)
}

fn classes() -> impl Strategy<Value = OscillatorClass> {
    prop_oneof![
        Just(OscillatorClass::Xo),
        Just(OscillatorClass::Tcxo),
        Just(OscillatorClass::Ocxo),
        Just(OscillatorClass::Rubidium),
    ]
}

/// Steps of a series: nanoseconds since the last look, correction, temperature.
fn series() -> impl Strategy<Value = Vec<(u64, i64, Option<i32>)>> {
    let step = prop_oneof![
        1_u64..3 * SECOND_NS,
        SECOND_NS..5 * 86_400 * SECOND_NS,
        Just(0),
    ];
    let temperature = prop_oneof![Just(None), (-60_000..120_000_i32).prop_map(Some)];
    proptest::collection::vec(
        (step, -2_000_000_000..2_000_000_000_i64, temperature),
        1..40,
    )
}

proptest! {
    //= A8.3
    #[test]
    fn it_never_shrinks_and_looking_at_it_never_makes_it_jump(
        class in classes(), steps in series(), measured in any::<bool>(),
    ) {
        let (learner, last) = learnt(class, 400, measured.then_some(25_000));
        let mut bound = Bound::new(&last, 500, 200, learner.growth());
        let (mut at, mut before) = (last.at, bound.parts(last.at).total_ns());
        prop_assert_eq!(before, 700);
        for (step_ns, correction_ppt, temperature) in steps {
            let halfway = bound.parts(at.plus_ns(step_ns / 2)).total_ns();
            at = at.plus_ns(step_ns);
            let expected = bound.parts(at);
            prop_assert!(before <= halfway && halfway <= expected.total_ns());
            bound.observe(&sample(at.0, correction_ppt, temperature));
            prop_assert_eq!(bound.parts(at), expected);
            before = expected.total_ns();
        }
    }

    #[test]
    fn it_has_no_jump_anywhere(class in classes(), at_s in 0_u64..1_000_000, measured in any::<bool>()) {
        let (learner, last) = learnt(class, 400, measured.then_some(25_000));
        let bound = Bound::new(&last, 500, 0, learner.growth());
        let at = last.at.plus_ns(at_s * SECOND_NS);
        let here = bound.parts(at).total_ns();
        let there = bound.parts(at.plus_ns(1_000)).total_ns();
        // A microsecond at a tenth of a percent is a nanosecond; each of three parts is rounded.
        prop_assert!(there - here <= 4, "{here} {there}");
    }

    //= A8.4
    #[test]
    fn no_stamp_under_the_line_is_below_the_bound(
        class in classes(), measured in any::<bool>(), off_ppt in -1_000_000..1_000_000_i64,
        from_s in 0_u64..200_000, length_s in 1_u64..100_000, place in 0.0..1.0_f64,
    ) {
        let (learner, last) = learnt(class, 400, measured.then_some(25_000));
        let mut bound = Bound::new(&last, 500, 200, learner.growth());
        let from = last.at.plus_ns(from_s * SECOND_NS + 17);
        bound.observe(&sample(from.0, 1_000_000 + off_ppt, measured.then_some(27_000)));
        let length_ns = length_s * SECOND_NS;
        let line = bound.line(from, from.plus_ns(length_ns));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "any place on the line will do"
        )]
        let at = from.plus_ns((place * length_ns as f64) as u64);
        let stamp = map_of(line).evaluate(at);
        prop_assert!(stamp.bound_ns.unwrap() >= bound.parts(at).total_ns());
    }

    #[test]
    fn what_is_hostile_neither_panics_nor_shrinks_it(
        class in classes(),
        samples in proptest::collection::vec(
            (any::<u64>(), any::<i64>(), any::<Option<i32>>(), any::<bool>()), 1..60,
        ),
        initial_ns in any::<u64>(),
    ) {
        let mut learner = Learner::new(class);
        let first = sample(0, i64::MIN, Some(i32::MIN));
        let mut bound = Bound::new(&first, initial_ns, 0, learner.growth());
        for (at_ns, correction_ppt, temperature_millidegrees, locked) in samples {
            let sample = ServoSample {
                at: MonoNs(at_ns), correction_ppt, temperature_millidegrees, locked,
            };
            let before = bound.parts(sample.at).total_ns();
            learner.observe(sample);
            bound.observe(&sample);
            prop_assert_eq!(bound.parts(sample.at).total_ns(), before);
            prop_assert!(before >= initial_ns);
            let anew = Bound::new(&sample, initial_ns, 0, learner.growth());
            prop_assert_eq!(anew.parts(sample.at).total_ns(), initial_ns);
            let end = anew.parts(MonoNs(u64::MAX)).total_ns();
            prop_assert!(end > initial_ns || initial_ns == u64::MAX || at_ns == u64::MAX);
            let line = bound.line(MonoNs(at_ns), MonoNs(correction_ppt.unsigned_abs()));
            prop_assert!(line.bound_ns >= before);
        }
    }
}

fn map_of(line: Line) -> TimeMap {
    let mut map = TimeMap::absent(line.from, evidence::UtcNs(0));
    map.bound_ns = Some(line.bound_ns);
    map.bound_growth_ppb = line.bound_growth_ppb;
    map
}

#[test]
fn its_sum_saturates() {
    let parts = BoundParts {
        initial_ns: u64::MAX,
        frequency_ns: 1,
        temperature_ns: 2,
        ageing_ns: 3,
        asymmetry_ns: u64::MAX,
    };
    assert_eq!(parts.total_ns(), u64::MAX);
    let each = BoundParts {
        initial_ns: 1,
        frequency_ns: 20,
        temperature_ns: 300,
        ageing_ns: 4_000,
        asymmetry_ns: 50_000,
    };
    assert_eq!(each.total_ns(), 54_321);
    assert_eq!(
        each.named().map(|(_, part)| part),
        [1, 20, 300, 4_000, 50_000]
    );
}

//= A8.3
#[test]
fn whether_a_flag_says_locked_changes_nothing_of_it() {
    let (learner, last) = learnt(OscillatorClass::Tcxo, 400, Some(25_000));
    let mut locked = Bound::new(&last, 500, 200, learner.growth());
    let mut alone = locked;
    for second in 1..600 {
        let at_ns = last.at.0 + second * SECOND_NS;
        let seen = sample(at_ns, 1_000_000, Some(25_500));
        locked.observe(&seen);
        alone.observe(&ServoSample {
            locked: false,
            ..seen
        });
        assert_eq!(locked.parts(seen.at), alone.parts(seen.at));
    }
}

#[test]
fn a_servo_that_was_off_in_its_last_word_is_counted_as_such() {
    let (learner, last) = learnt(OscillatorClass::Ocxo, 4_000, None);
    let steady = Bound::new(&last, 0, 0, learner.growth());
    let off = ServoSample {
        correction_ppt: last.correction_ppt + 100_000,
        ..last
    };
    let off = Bound::new(&off, 0, 0, learner.growth());
    let hour = last.at.plus_ns(3_600 * SECOND_NS);
    let more = off.parts(hour).frequency_ns - steady.parts(hour).frequency_ns;
    // 100 ppb for an hour are 360 us; the reference is off the last sample by less than 2 ppb.
    assert!((353_000..367_000).contains(&more), "{more}");
}

#[test]
fn a_silent_sensor_widens_it_and_a_warm_one_counts_only_what_it_was() {
    let (learner, last) = learnt(OscillatorClass::Tcxo, 4_000, Some(25_000));
    let mut heard = Bound::new(&last, 0, 0, learner.growth());
    let silent = heard;
    for second in 1..=3_600 {
        let at_ns = last.at.0 + second * SECOND_NS;
        heard.observe(&sample(at_ns, 1_000_000, Some(25_300)));
    }
    let hour = last.at.plus_ns(3_600 * SECOND_NS);
    let (heard, silent) = (
        heard.parts(hour).temperature_ns,
        silent.parts(hour).temperature_ns,
    );
    assert!(silent > 10 * heard, "{silent} {heard}");
}

#[test]
fn a_sensor_that_is_stuck_takes_nothing_off_the_bound() {
    let parts = |temperature| {
        let mut learner = Learner::new(OscillatorClass::Xo);
        let mut last = sample(0, 0, temperature);
        for second in 1..=20_000 {
            last = sample(second * SECOND_NS, 1_000_000, temperature);
            learner.observe(last);
        }
        let bound = Bound::new(&last, 0, 0, learner.growth());
        bound
            .parts(last.at.plus_ns(SECOND_NS * 3_600))
            .temperature_ns
    };
    let without = parts(None);
    assert!(without > 0);
    assert!(parts(Some(25_000)) >= without);
}

#[test]
fn after_days_without_a_look_it_has_grown_by_all_of_them() {
    let (learner, last) = learnt(OscillatorClass::Rubidium, 4_000, None);
    let bound = Bound::new(&last, 100, 0, learner.growth());
    let day_ns = 86_400 * SECOND_NS;
    let totals: Vec<u64> = [0, 1, 2, 7, 30, 365]
        .iter()
        .map(|days| bound.parts(last.at.plus_ns(days * day_ns)).total_ns())
        .collect();
    assert_eq!(totals[0], 100);
    assert!(
        totals.windows(2).all(|pair| pair[0] < pair[1]),
        "{totals:?}"
    );
    assert!(totals[5] < u64::MAX / 2);
    // Before the measurement it is what was measured.
    assert_eq!(bound.parts(MonoNs(0)).total_ns(), 100);
}
