//! What the learner makes of series whose truth is known.

use super::{Learner, OscillatorClass, ServoSample};
use evidence::MonoNs;

const SECOND_NS: u64 = 1_000_000_000;
const HOUR_S: u32 = 3_600;

/// Looks every `every_s` seconds, up to `until_s`; correction and temperature by the second.
fn locked(
    learner: &mut Learner,
    seconds: (u32, u32),
    every_s: usize,
    look: impl Fn(u32) -> (i64, Option<i32>),
) {
    for second in (seconds.0..=seconds.1).step_by(every_s) {
        let (correction_ppt, temperature_millidegrees) = look(second);
        learner.observe(ServoSample {
            at: MonoNs(u64::from(second) * SECOND_NS),
            correction_ppt,
            temperature_millidegrees,
            locked: true,
        });
    }
}

/// Round trip of a day, from -1 to 1.
fn day(second: u32) -> f64 {
    libm::sin(f64::from(second) * core::f64::consts::TAU / 86_400.0)
}

#[expect(clippy::cast_possible_truncation, reason = "some ppm in ppt")]
fn ppt(number: f64) -> i64 {
    libm::round(number) as i64
}

#[test]
fn nothing_is_known_before_a_minute_of_lock() {
    let mut learner = Learner::new(OscillatorClass::Xo);
    locked(&mut learner, (0, 60), 1, |_| (5_000_000, None));
    assert!(!learner.growth().is_learnt());
    assert_eq!(learner.knowledge().needed_ppt, None);
    // 100 ppm, undisciplined.
    assert!((learner.growth().wander_ns(10.0) - 1_000_000.0).abs() < 1.0);
    locked(&mut learner, (61, 90), 1, |_| (5_000_000, None));
    let (needed, _) = learner.knowledge().needed_ppt.unwrap();
    assert!((needed - 5_000_000.0).abs() < 0.5);
}

//= A8.3
#[test]
fn the_class_counts_until_enough_was_seen_and_less_and_less_after_that() {
    let mut learner = Learner::new(OscillatorClass::Tcxo);
    let mut last_ppt = f64::MAX;
    for (from, until) in [(0, 600), (601, 2 * HOUR_S), (2 * HOUR_S + 1, 24 * HOUR_S)] {
        locked(&mut learner, (from, until), 1, |_| (1_000_000, None));
        let (_, within_ppt) = learner.knowledge().needed_ppt.unwrap();
        assert!(within_ppt < last_ppt || from == 0);
        if from == 0 {
            // 3.5 times flicker of 0.5 ppb and 2 ppb of walk after an hour.
            assert!((within_ppt - 7_650.0).abs() < 50.0, "{within_ppt}");
        }
        last_ppt = within_ppt;
    }
    // One day of 4,096 s windows: 21 against 2.
    assert!((last_ppt - 2_265.0).abs() < 60.0, "{last_ppt}");
}

#[test]
fn a_restless_oscillator_is_believed_more_than_its_class() {
    let mut learner = Learner::new(OscillatorClass::Ocxo);
    // Back and forth by 200 ppb every two hours.
    locked(&mut learner, (0, 24 * HOUR_S), 2, |second| {
        (
            if (second / (2 * HOUR_S)).is_multiple_of(2) {
                0
            } else {
                200_000
            },
            None,
        )
    });
    let (_, within_ppt) = learner.knowledge().needed_ppt.unwrap();
    assert!(within_ppt > 200_000.0, "{within_ppt}");
}

#[test]
fn the_temperature_coefficient_is_learnt_where_temperature_is_measured() {
    let mut learner = Learner::new(OscillatorClass::Tcxo);
    let slope_ppt_per_k = -30_000.0;
    locked(&mut learner, (0, 24 * HOUR_S), 4, |second| {
        let kelvin = 5.0 * day(second);
        let noise = f64::from(second % 13) * 100.0;
        let millidegrees = i32::try_from(ppt(25_000.0 + kelvin * 1_000.0)).unwrap();
        (ppt(slope_ppt_per_k * kelvin + noise), Some(millidegrees))
    });
    let slope = learner.knowledge().slope_ppt_per_millidegree.unwrap();
    assert!((slope + 30.0).abs() < 0.5, "{slope}");
}

#[test]
fn without_a_temperature_no_coefficient_is_stated() {
    let mut learner = Learner::new(OscillatorClass::Tcxo);
    locked(&mut learner, (0, 12 * HOUR_S), 4, |second| {
        (ppt(1e5 * day(second)), None)
    });
    assert_eq!(learner.knowledge().slope_ppt_per_millidegree, None);
    // A temperature that does not move says nothing either.
    let mut learner = Learner::new(OscillatorClass::Tcxo);
    locked(&mut learner, (0, 12 * HOUR_S), 4, |second| {
        (ppt(1e5 * day(second)), Some(25_000))
    });
    assert_eq!(learner.knowledge().slope_ppt_per_millidegree, None);
}

//= A8.1
#[test]
fn the_trend_from_day_to_day_is_learnt() {
    let mut learner = Learner::new(OscillatorClass::Ocxo);
    locked(&mut learner, (0, 24 * HOUR_S), 16, |second| {
        (i64::from(second) * 700 / 86_400, None)
    });
    assert_eq!(learner.knowledge().trend_ppt_per_day, None);
    locked(
        &mut learner,
        (24 * HOUR_S + 16, 97 * HOUR_S),
        16,
        |second| (i64::from(second) * 700 / 86_400, None),
    );
    let trend = learner.knowledge().trend_ppt_per_day.unwrap();
    assert!((trend - 700.0).abs() < 5.0, "{trend}");
}

#[test]
fn no_window_spans_a_loss_a_gap_or_a_step_back() {
    let windows = |spoil: &dyn Fn(&mut Learner)| {
        let mut learner = Learner::new(OscillatorClass::Xo);
        locked(&mut learner, (0, 3_000), 1, |_| (0, None));
        spoil(&mut learner);
        locked(&mut learner, (3_100, 6_000), 1, |_| (1_000_000_000, None));
        let knowledge = learner.knowledge();
        // No window of 4,096 s, and none in which the jump would lie.
        assert!(knowledge.windows[12] < 0.01);
        assert!(knowledge.needed_ppt.unwrap().1 < 1_000_000.0);
        learner.counters()
    };
    let look = |at_s: u64, correction_ppt, locked| ServoSample {
        at: MonoNs(at_s * SECOND_NS),
        correction_ppt,
        temperature_millidegrees: None,
        locked,
    };
    assert_eq!(windows(&|_| ()).samples_rejected, 0);
    windows(&|learner| learner.observe(look(3_050, 0, false)));
    let back = windows(&|learner| learner.observe(look(2_000, 0, true)));
    assert_eq!((back.samples_rejected, back.stretches), (1, 2));
    let mad = windows(&|learner| learner.observe(look(3_050, i64::MIN, true)));
    assert_eq!((mad.samples_rejected, mad.stretches), (1, 2));
}

#[test]
fn a_gap_of_days_is_not_walked_through() {
    let mut learner = Learner::new(OscillatorClass::Xo);
    locked(&mut learner, (0, 100), 1, |_| (7, None));
    let learnt_s = learner.knowledge().locked_s;
    learner.observe(ServoSample {
        at: MonoNs(u64::MAX),
        correction_ppt: 7,
        temperature_millidegrees: None,
        locked: true,
    });
    assert_eq!(learner.knowledge().locked_s, learnt_s);
    assert_eq!(learner.counters().stretches, 2);
}

#[test]
fn the_kernels_unit_is_converted_with_its_sign_and_saturates() {
    assert_eq!(ServoSample::ppt_of_kernel(65_536), 1_000_000);
    assert_eq!(ServoSample::ppt_of_kernel(-65_536 * 500), -500_000_000);
    assert_eq!(ServoSample::ppt_of_kernel(1), 15);
    assert_eq!(ServoSample::ppt_of_kernel(i64::MAX), i64::MAX);
    assert_eq!(ServoSample::ppt_of_kernel(i64::MIN), i64::MIN);
}
