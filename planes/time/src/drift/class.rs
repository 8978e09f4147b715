//! Declared classes of oscillator, and what may be assumed of one until it has been seen at work.

use crate::limits::{UNSEEN_SWING_MILLIDEGREES, UNSEEN_SWING_MILLIDEGREES_PER_H};

/// What the site declares of its oscillator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OscillatorClass {
    /// A plain crystal: what a board without any other statement has.
    Xo,
    /// A temperature-compensated crystal.
    Tcxo,
    /// A crystal in an oven.
    Ocxo,
    /// A rubidium standard.
    Rubidium,
}

/// What data sheets of a class commonly state, as limits for a healthy part of it. Frequencies are
/// in parts per trillion (10^-12).
///
/// They stand until enough has been seen, and what is seen afterwards outweighs them. None of them is
/// fitted to a simulated oscillator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassFloor {
    /// Deviation from nominal of a part that nobody has disciplined, over its whole range.
    pub free_run_ppt: f64,
    /// Deviation over one second that is noise and averages out with the square root of time.
    pub white_ppt: f64,
    /// Wander at constant temperature that does not average out at any lag.
    pub flicker_ppt: f64,
    /// Wander at constant temperature that grows with the square root of time, after an hour.
    pub walk_ppt: f64,
    /// Steepest change with temperature, per kelvin.
    pub slope_ppt_per_k: f64,
    /// Ageing in a day.
    pub ageing_ppt_per_day: f64,
}

impl OscillatorClass {
    /// Every class, from the worst to the best.
    pub const ALL: &'static [Self] = &[Self::Xo, Self::Tcxo, Self::Ocxo, Self::Rubidium];

    /// The word of the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xo => "xo",
            Self::Tcxo => "tcxo",
            Self::Ocxo => "ocxo",
            Self::Rubidium => "rubidium",
        }
    }

    /// The class with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }

    /// The limits of the class.
    ///
    /// Sources: crystals of 50 ppm with an AT cut (0.35 ppm/K at the steep ends of the cubic, 5 ppm in
    /// the first year); stratum 3 TCXO (0.28 ppm over range and day, 0.1 ppm/K, 1 ppm a year); OCXO of
    /// 20 ppb over range (1 ppb/K, 1 ppb a day while new); rubidium of 0.5 ppb over range (10 ppt/K,
    /// 50 ppt a month).
    #[must_use]
    pub const fn floor(self) -> ClassFloor {
        match self {
            Self::Xo => ClassFloor {
                free_run_ppt: 100_000_000.0,
                white_ppt: 2_000.0,
                flicker_ppt: 2_000.0,
                walk_ppt: 10_000.0,
                slope_ppt_per_k: 350_000.0,
                ageing_ppt_per_day: 30_000.0,
            },
            Self::Tcxo => ClassFloor {
                free_run_ppt: 5_000_000.0,
                white_ppt: 500.0,
                flicker_ppt: 500.0,
                walk_ppt: 2_000.0,
                slope_ppt_per_k: 100_000.0,
                ageing_ppt_per_day: 10_000.0,
            },
            Self::Ocxo => ClassFloor {
                free_run_ppt: 500_000.0,
                white_ppt: 20.0,
                flicker_ppt: 10.0,
                walk_ppt: 40.0,
                slope_ppt_per_k: 1_000.0,
                ageing_ppt_per_day: 1_000.0,
            },
            Self::Rubidium => ClassFloor {
                free_run_ppt: 5_000.0,
                white_ppt: 30.0,
                flicker_ppt: 1.0,
                walk_ppt: 1.0,
                slope_ppt_per_k: 10.0,
                ageing_ppt_per_day: 3.0,
            },
        }
    }
}

impl ClassFloor {
    /// Variance, in ppt squared, of the mean frequency over the next `lag_s` seconds against what it
    /// was before, at constant temperature.
    pub(super) fn variance_ppt2(&self, lag_s: f64) -> f64 {
        let lag_s = lag_s.max(1.0);
        self.white_ppt * self.white_ppt / lag_s
            + self.flicker_ppt * self.flicker_ppt
            + self.walk_ppt * self.walk_ppt * lag_s / 3_600.0
    }

    /// Phase in nanoseconds, after `elapsed_s`, of temperature that nobody measures: a swing as in a
    /// cabinet, at a steady rate up to its end, with the steepest slope of the class.
    pub(crate) fn unseen_temperature_ns(&self, elapsed_s: f64) -> f64 {
        let rate_k_per_s = f64::from(UNSEEN_SWING_MILLIDEGREES_PER_H) / 1_000.0 / 3_600.0;
        let swing_k = f64::from(UNSEEN_SWING_MILLIDEGREES) / 1_000.0;
        let ramp_s = swing_k / rate_k_per_s;
        let ramped_s = elapsed_s.min(ramp_s);
        let kelvin_s = 0.5 * rate_k_per_s * ramped_s * ramped_s + swing_k * (elapsed_s - ramped_s);
        self.slope_ppt_per_k * kelvin_s / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::OscillatorClass;

    #[test]
    fn every_name_leads_back_to_its_class() {
        for class in OscillatorClass::ALL {
            assert_eq!(OscillatorClass::from_name(class.name()), Some(*class));
        }
        assert_eq!(OscillatorClass::from_name("quartz"), None);
    }

    #[test]
    fn a_better_class_is_better_in_everything_but_the_noise_of_a_second() {
        for pair in OscillatorClass::ALL.windows(2) {
            let (worse, better) = (pair[0].floor(), pair[1].floor());
            assert!(worse.free_run_ppt > better.free_run_ppt);
            assert!(worse.slope_ppt_per_k > better.slope_ppt_per_k);
            assert!(worse.ageing_ppt_per_day > better.ageing_ppt_per_day);
            for lag_s in [64.0, 3_600.0, 86_400.0] {
                assert!(worse.variance_ppt2(lag_s) > better.variance_ppt2(lag_s));
            }
        }
    }

    #[test]
    fn unseen_temperature_grows_without_a_jump_at_the_end_of_its_swing() {
        let floor = OscillatorClass::Tcxo.floor();
        let mut last_ns = 0.0;
        for minute in 0..6_000 {
            let ns = floor.unseen_temperature_ns(f64::from(minute) * 60.0);
            assert!(ns >= last_ns);
            // 15 K at 0.1 ppm/K are 1.5 us a second at most.
            assert!(ns - last_ns <= 60.0 * 1_500.1);
            last_ns = ns;
        }
        assert!((floor.unseen_temperature_ns(3_600.0) - 540_000.0).abs() < 1.0);
    }
}
