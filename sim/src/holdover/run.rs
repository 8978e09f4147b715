//! One run: some hours or days of lock, a loss, and hours alone.

use crate::oscillator::{Dice, Oscillator, Sensor, Servo, ServoTune};
use evidence::MonoNs;
use time_plane::bound::{Bound, BoundParts};
use time_plane::drift::{Learner, OscillatorClass, ServoSample};

const SECOND_NS: u64 = 1_000_000_000;
/// At this second of holdover errors and bounds are compared over runs.
pub(super) const HOUR_S: u32 = 3_600;
/// A daemon calls itself locked some time after it has found the frequency.
const SETTLING_S: u32 = 300;
/// Seconds between two looks at the bound.
const LOOK_S: u32 = 10;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Chooses every oscillator, place, servo and moment of loss.
    pub seed: u64,
    /// Runs of each class.
    pub runs: u32,
    /// Seconds alone.
    pub alone_s: u32,
    /// Shortest and longest time of lock in seconds; drawn evenly in the logarithm.
    pub locked_s: (u32, u32),
    /// Threads.
    pub threads: usize,
}

impl Plan {
    /// A thousand runs of each class, with 2 to 72 hours of lock and four hours alone.
    #[must_use]
    pub const fn full(seed: u64) -> Self {
        Self {
            seed,
            runs: 1_000,
            alone_s: 4 * HOUR_S,
            locked_s: (2 * HOUR_S, 72 * HOUR_S),
            threads: 1,
        }
    }

    /// What fits a test: few runs, half a day of lock at most.
    #[must_use]
    pub const fn bounded(seed: u64) -> Self {
        Self {
            runs: 60,
            locked_s: (2 * HOUR_S, 12 * HOUR_S),
            ..Self::full(seed)
        }
    }
}

/// What one run gave.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Its number.
    pub number: u32,
    /// Seconds of lock before the loss.
    pub locked_s: u32,
    /// Whether the temperature was measured.
    pub is_measured: bool,
    /// Magnitude of the true error after an hour, in nanoseconds.
    pub error_hour_ns: f64,
    /// The bound after an hour.
    pub bound_hour: BoundParts,
    /// The bound at the end.
    pub bound_end: BoundParts,
    /// Largest true error over the bound of the same instant.
    pub worst: f64,
    /// Which parts were needed: without the part, the error would have been outside at some time.
    pub needed: [bool; 5],
    /// The second alone at which the error first was outside of the bound.
    pub outside_at_s: Option<u32>,
}

/// Locks, learns, loses and compares.
#[must_use]
pub fn run_one(plan: &Plan, class: OscillatorClass, number: u32) -> Run {
    let run = u64::from(number) * 16 + class_number(class);
    let mut dice = Dice::new(plan.seed, run.wrapping_mul(8) + 5);
    let locked_s = whole(dice.log_between(f64::from(plan.locked_s.0), f64::from(plan.locked_s.1)));
    let is_measured = dice.happens(0.5);
    let tune = ServoTune::draw(class, &mut dice);
    let mut oscillator = Oscillator::draw(class, plan.seed, run);
    let mut sensor = Sensor::draw(plan.seed, run);
    let (ppb, _) = oscillator.second();
    let mut servo = Servo::new(tune, ppb, Dice::new(plan.seed, run.wrapping_mul(8) + 4));
    let mut learner = Learner::new(class);
    let mut look = |second: u32, servo: &Servo, air_c: f64, locked: bool| {
        let shown = sensor.second(air_c);
        ServoSample {
            at: MonoNs(u64::from(second) * SECOND_NS),
            correction_ppt: servo.correction_ppt(),
            temperature_millidegrees: is_measured.then_some(shown),
            locked,
        }
    };
    let mut last = look(0, &servo, 25.0, false);
    for second in 1..=SETTLING_S + locked_s {
        let (ppb, air_c) = oscillator.second();
        servo.locked_second(ppb);
        last = look(second, &servo, air_c, second > SETTLING_S);
        learner.observe(last);
    }
    let mut bound = Bound::new(&last, servo.stated_ns(), 0, learner.growth());
    let lost_at = SETTLING_S + locked_s;
    let mut result = Run {
        number,
        locked_s,
        is_measured,
        error_hour_ns: 0.0,
        bound_hour: BoundParts::default(),
        bound_end: BoundParts::default(),
        worst: 0.0,
        needed: [false; 5],
        outside_at_s: None,
    };
    for alone_s in 1..=plan.alone_s {
        let (ppb, air_c) = oscillator.second();
        servo.alone_second(ppb);
        let sample = look(lost_at + alone_s, &servo, air_c, false);
        bound.observe(&sample);
        if alone_s.is_multiple_of(LOOK_S) {
            let parts = bound.parts(sample.at);
            result.compare(alone_s, servo.error_ns().abs(), parts);
        }
    }
    result
}

impl Run {
    fn compare(&mut self, alone_s: u32, error_ns: f64, parts: BoundParts) {
        let ratio = error_ns / nanoseconds(parts.total_ns()).max(1.0);
        self.worst = self.worst.max(ratio);
        for (needed, (_, part_ns)) in self.needed.iter_mut().zip(parts.named()) {
            *needed |= error_ns > nanoseconds(parts.total_ns().saturating_sub(part_ns));
        }
        if ratio > 1.0 && self.outside_at_s.is_none() {
            self.outside_at_s = Some(alone_s);
        }
        if alone_s == HOUR_S {
            self.error_hour_ns = error_ns;
            self.bound_hour = parts;
        }
        self.bound_end = parts;
    }
}

fn class_number(class: OscillatorClass) -> u64 {
    match class {
        OscillatorClass::Xo => 0,
        OscillatorClass::Tcxo => 1,
        OscillatorClass::Ocxo => 2,
        OscillatorClass::Rubidium => 3,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some days of seconds"
)]
fn whole(seconds: f64) -> u32 {
    seconds as u32
}

#[expect(clippy::cast_precision_loss, reason = "a ratio needs no nanoseconds")]
pub(super) fn nanoseconds(ns: u64) -> f64 {
    ns as f64
}
