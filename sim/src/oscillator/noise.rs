//! Noise of the frequency: white, flicker and random walk, each by its own law.

use super::dice::Dice;

/// Time constants of the processes that flicker is made of: a decade apart, from 1 s to 11 days.
const TIME_CONSTANTS_S: [u32; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/// Updates in a time constant.
const UPDATES: u32 = 10;

/// Levels of the noise as Allan deviations in parts per billion.
#[derive(Clone, Copy, Debug)]
pub struct NoiseLevels {
    /// White FM: at one second; falls with the square root of time.
    pub white_ppb: f64,
    /// Flicker FM: the floor.
    pub flicker_ppb: f64,
    /// Random walk FM: at an hour; grows with the square root of time.
    pub walk_at_hour_ppb: f64,
}

/// A sum of relaxations, each with the same share: 1/f between the longest and shortest constant.
#[derive(Clone, Debug)]
pub struct Noise {
    levels: NoiseLevels,
    dice: Dice,
    relaxations: [f64; TIME_CONSTANTS_S.len()],
    walk_ppb: f64,
    second: u32,
}

impl Noise {
    /// Noise that has been going on for ever.
    #[must_use]
    pub fn new(levels: NoiseLevels, mut dice: Dice) -> Self {
        let relaxations = core::array::from_fn(|_| dice.normal());
        Self {
            levels,
            dice,
            relaxations,
            walk_ppb: 0.0,
            second: 0,
        }
    }

    /// The frequency of the next second, in parts per billion.
    pub fn second(&mut self) -> f64 {
        let mut flicker = 0.0;
        for (relaxation, constant_s) in self.relaxations.iter_mut().zip(TIME_CONSTANTS_S) {
            let every_s = (constant_s / UPDATES).max(1);
            if self.second.is_multiple_of(every_s) {
                let keep = (-f64::from(every_s) / f64::from(constant_s)).exp();
                *relaxation = keep * *relaxation + (1.0 - keep * keep).sqrt() * self.dice.normal();
            }
            flicker += *relaxation;
        }
        self.second = self.second.wrapping_add(1);
        // ADEV^2 of a walk with step variance q a second is q * tau / 3.
        let step_ppb = self.levels.walk_at_hour_ppb * (3.0_f64 / 3_600.0).sqrt();
        if step_ppb > 0.0 {
            // A step in eight seconds is as good as eight steps, and eight times as fast.
            if self.second.is_multiple_of(8) {
                self.walk_ppb += step_ppb * 8.0_f64.sqrt() * self.dice.normal();
            }
        }
        self.levels.white_ppb * self.dice.normal()
            + self.levels.flicker_ppb * FLICKER_SHARE * flicker
            + self.walk_ppb
    }
}

/// Deviation of each relaxation for an Allan deviation of one: a spectrum h/f over decades gives
/// ADEV^2 = 2 ln 2 h, and a decade holds a variance of h ln 10.
const FLICKER_SHARE: f64 = 1.288;

#[cfg(test)]
mod tests {
    use super::{Dice, Noise, NoiseLevels};

    /// Allan deviation of a noise at a lag.
    fn adev(levels: NoiseLevels, lag_s: usize, pairs: usize) -> f64 {
        let mut noise = Noise::new(levels, Dice::new(11, 0));
        let means: Vec<f64> = (0..=pairs)
            .map(|_| (0..lag_s).map(|_| noise.second()).sum::<f64>())
            .collect();
        let mut squares = 0.0;
        let mut count = 0.0;
        let mut last = None;
        for sum in means {
            let mean = sum / f64::from(u32::try_from(lag_s).unwrap());
            if let Some(last) = last.replace(mean) {
                squares += (mean - last) * (mean - last);
                count += 1.0;
            }
        }
        (squares / (2.0 * count)).sqrt()
    }

    #[test]
    fn each_noise_has_the_allan_deviation_that_it_is_named_by() {
        let none = NoiseLevels {
            white_ppb: 0.0,
            flicker_ppb: 0.0,
            walk_at_hour_ppb: 0.0,
        };
        let white = NoiseLevels {
            white_ppb: 1.0,
            ..none
        };
        assert!((adev(white, 1, 20_000) - 1.0).abs() < 0.05);
        assert!((adev(white, 100, 500) - 0.1).abs() < 0.015);
        let flicker = NoiseLevels {
            flicker_ppb: 1.0,
            ..none
        };
        for lag_s in [10, 100, 1_000] {
            let adev = adev(flicker, lag_s, 1_000);
            assert!((0.75..1.3).contains(&adev), "{lag_s} s: {adev}");
        }
        let walk = NoiseLevels {
            walk_at_hour_ppb: 1.0,
            ..none
        };
        let hour = adev(walk, 3_600, 400);
        assert!((0.8..1.2).contains(&hour), "{hour}");
    }
}
