//! The air around the oscillator: day and night, air conditioning, sun on the cabinet, weather.

use super::dice::Dice;
use std::f64::consts::TAU;

const DAY_S: f64 = 86_400.0;

/// One place, drawn by seed.
#[derive(Clone, Debug)]
pub struct Weather {
    dice: Dice,
    mean_c: f64,
    /// Of second 0, in seconds since midnight.
    clock_s: f64,
    day_swing_k: f64,
    /// Air conditioning: a saw tooth.
    cooling_swing_k: f64,
    cooling_period_s: f64,
    cooling_share: f64,
    cooling_phase_s: f64,
    /// Sun on the cabinet: hours of rise and set, and how much it warms without clouds.
    sun_k: f64,
    sunrise_s: f64,
    sunset_s: f64,
    /// Clouds, from 0 (none) up, and the drift of the weather.
    cloud: f64,
    front_k: f64,
    front_swing_k: f64,
}

impl Weather {
    /// Indoors with air conditioning, indoors without, or a cabinet outside.
    #[must_use]
    pub fn draw(mut dice: Dice) -> Self {
        let place = dice.unit();
        let (day, cooling, sun, front) = if place < 0.4 {
            (dice.between(0.2, 1.0), dice.between(0.2, 1.5), 0.0, 0.2)
        } else if place < 0.7 {
            (dice.between(1.0, 4.0), 0.0, dice.between(0.0, 1.0), 0.7)
        } else {
            (
                dice.between(3.0, 8.0),
                0.0,
                dice.between(2.0, 10.0),
                dice.between(1.0, 2.0),
            )
        };
        let noon_s = dice.between(11.5, 14.0) * 3_600.0;
        let half_s = dice.between(2.0, 5.0) * 3_600.0;
        Self {
            mean_c: dice.between(18.0, 42.0),
            clock_s: dice.between(0.0, DAY_S),
            day_swing_k: day,
            cooling_swing_k: cooling,
            cooling_period_s: dice.log_between(600.0, 3_600.0),
            cooling_share: dice.between(0.2, 0.6),
            cooling_phase_s: dice.between(0.0, 3_600.0),
            sun_k: sun,
            sunrise_s: noon_s - half_s,
            sunset_s: noon_s + half_s,
            cloud: dice.normal(),
            front_k: front * dice.normal(),
            front_swing_k: front,
            dice,
        }
    }

    /// The air at a second, in degrees Celsius; asked for seconds in their order, each ten a step.
    pub fn air_c(&mut self, second: u32) -> f64 {
        const STEP_S: f64 = 10.0;
        if second.is_multiple_of(10) {
            let relax = |value: f64, constant_s: f64, swing: f64, dice: &mut Dice| {
                let keep = (-STEP_S / constant_s).exp();
                keep * value + swing * (1.0 - keep * keep).sqrt() * dice.normal()
            };
            self.cloud = relax(self.cloud, 1_800.0, 1.0, &mut self.dice);
            self.front_k = relax(self.front_k, 36_000.0, self.front_swing_k, &mut self.dice);
        }
        let second = f64::from(second);
        let time_s = (self.clock_s + second) % DAY_S;
        // Coldest at five in the morning.
        let day = -self.day_swing_k * (TAU * (time_s - 18_000.0) / DAY_S).cos();
        let sun = if (self.sunrise_s..self.sunset_s).contains(&time_s) {
            let height = (time_s - self.sunrise_s) / (self.sunset_s - self.sunrise_s);
            let shade = (0.75 + 0.4 * self.cloud).clamp(0.0, 1.0);
            self.sun_k * shade * (TAU / 2.0 * height).sin()
        } else {
            0.0
        };
        self.mean_c + day + sun + self.front_k + self.cooling(second)
    }

    /// Cools for a share of its period, and lets warm for the rest.
    fn cooling(&self, second: f64) -> f64 {
        let place = ((second + self.cooling_phase_s) / self.cooling_period_s).fract();
        let height = if place < self.cooling_share {
            1.0 - place / self.cooling_share
        } else {
            (place - self.cooling_share) / (1.0 - self.cooling_share)
        };
        self.cooling_swing_k * (height - 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, Weather};

    #[test]
    fn a_day_has_a_cold_and_a_warm_end_and_air_that_does_not_leap() {
        let mut widest: f64 = 0.0;
        for place in 0..20 {
            let mut weather = Weather::draw(Dice::new(3, place));
            let mut last: Option<f64> = None;
            let (mut low, mut high) = (f64::MAX, f64::MIN);
            for second in 0..86_400 {
                let air = weather.air_c(second);
                if let Some(last) = last.replace(air) {
                    // A cloud may take two kelvin in ten seconds; the crystal's lag smooths it.
                    assert!((air - last).abs() < 2.5, "{place}: {last} to {air}");
                }
                low = low.min(air);
                high = high.max(air);
            }
            assert!((-10.0..80.0).contains(&low) && high < 80.0);
            widest = widest.max(high - low);
        }
        assert!(widest > 8.0, "{widest}");
    }
}
