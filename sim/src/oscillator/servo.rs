//! A clock on an oscillator, and a PI servo that disciplines it by noisy measurements.

use super::dice::Dice;
use time_plane::drift::OscillatorClass;

/// How a daemon is tuned, and what its measurements are worth.
#[derive(Clone, Copy, Debug)]
pub struct ServoTune {
    /// White noise of a measurement, in nanoseconds.
    pub noise_ns: f64,
    /// What the path wanders by in some minutes, in nanoseconds.
    pub path_ns: f64,
    /// Proportional term, per second.
    pub proportional: f64,
    /// Integral term, per second squared.
    pub integral: f64,
}

impl ServoTune {
    /// Network time on ordinary crystals, a reference clock on good ones.
    #[must_use]
    pub fn draw(class: OscillatorClass, dice: &mut Dice) -> Self {
        let (noise, proportional) = match class {
            OscillatorClass::Xo => ((200.0, 5_000.0), (0.03, 0.3)),
            OscillatorClass::Tcxo => ((50.0, 2_000.0), (0.01, 0.1)),
            OscillatorClass::Ocxo => ((5.0, 50.0), (0.002, 0.02)),
            OscillatorClass::Rubidium => ((5.0, 30.0), (0.000_5, 0.005)),
        };
        let noise_ns = dice.log_between(noise.0, noise.1);
        let proportional = dice.log_between(proportional.0, proportional.1);
        // Damping from 0.7 to 1.4.
        let damping = dice.between(0.7, 1.4);
        Self {
            noise_ns,
            path_ns: noise_ns * dice.between(0.1, 0.5),
            proportional,
            integral: proportional * proportional / (4.0 * damping * damping),
        }
    }
}

/// The clock and its servo.
#[derive(Clone, Debug)]
pub struct Servo {
    tune: ServoTune,
    dice: Dice,
    /// The clock's true error, in nanoseconds.
    error_ns: f64,
    path_ns: f64,
    integral_ppb: f64,
    correction_ppt: i64,
    /// Mean square of the measured offsets, over some hundred of them.
    measured_ns2: f64,
    last_measured_ns: f64,
}

/// The kernel's frequency has steps of 2^-16 ppm.
const KERNEL_STEP_PPB: f64 = 1_000.0 / 65_536.0;

impl Servo {
    /// A servo that has just found the frequency of an oscillator which now runs at `ppb`.
    #[must_use]
    pub fn new(tune: ServoTune, ppb: f64, dice: Dice) -> Self {
        Self {
            tune,
            dice,
            error_ns: 0.0,
            path_ns: 0.0,
            integral_ppb: ppb,
            correction_ppt: 0,
            measured_ns2: tune.noise_ns * tune.noise_ns,
            last_measured_ns: 0.0,
        }
    }

    /// A second in which the clock is measured and corrected.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a correction stays within some hundred ppm"
    )]
    pub fn locked_second(&mut self, ppb: f64) {
        let keep = (-1.0_f64 / 600.0).exp();
        self.path_ns = keep * self.path_ns
            + self.tune.path_ns * (1.0 - keep * keep).sqrt() * self.dice.normal();
        let measured = self.error_ns + self.path_ns + self.tune.noise_ns * self.dice.normal();
        self.last_measured_ns = measured;
        self.measured_ns2 += (measured * measured - self.measured_ns2) / 128.0;
        self.integral_ppb += self.tune.integral * measured;
        let wanted_ppb = self.tune.proportional * measured + self.integral_ppb;
        let steps = (wanted_ppb / KERNEL_STEP_PPB).round();
        self.correction_ppt = -(steps * KERNEL_STEP_PPB * 1_000.0).round() as i64;
        self.alone_second(ppb);
    }

    /// A second in which nobody corrects it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a correction stays within some hundred ppm"
    )]
    pub fn alone_second(&mut self, ppb: f64) {
        self.error_ns += ppb + self.correction_ppt as f64 / 1_000.0;
    }

    /// The correction in force, in parts per trillion.
    #[must_use]
    pub const fn correction_ppt(&self) -> i64 {
        self.correction_ppt
    }

    /// The clock's true error, in nanoseconds.
    #[must_use]
    pub const fn error_ns(&self) -> f64 {
        self.error_ns
    }

    /// What a daemon would state of its last measurement: the offset and four deviations of the recent
    /// ones, in nanoseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and some microseconds"
    )]
    #[must_use]
    pub fn stated_ns(&self) -> u64 {
        (self.last_measured_ns.abs() + 4.0 * self.measured_ns2.sqrt()).ceil() as u64
    }
}
