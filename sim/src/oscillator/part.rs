//! One oscillator: noise, a curve over temperature with thermal lag, ageing, jumps and dips.

use super::dice::Dice;
use super::noise::{Noise, NoiseLevels};
use super::weather::Weather;
use time_plane::drift::OscillatorClass;

/// The frequency over temperature, in parts per billion.
#[derive(Clone, Copy, Debug)]
struct Curve {
    centre_c: f64,
    linear_ppb_per_k: f64,
    cubic_ppb_per_k3: f64,
    /// What compensation leaves: a wave over temperature.
    wave_ppb: f64,
    wave_period_k: f64,
    wave_phase: f64,
}

impl Curve {
    fn ppb(&self, temperature_c: f64) -> f64 {
        let away = temperature_c - self.centre_c;
        let wave = (std::f64::consts::TAU * away / self.wave_period_k + self.wave_phase).sin();
        self.linear_ppb_per_k * away
            + self.cubic_ppb_per_k3 * away * away * away
            + self.wave_ppb * wave
    }
}

/// An activity dip: at one temperature the frequency falls into a hole.
#[derive(Clone, Copy, Debug)]
struct Dip {
    at_c: f64,
    width_k: f64,
    depth_ppb: f64,
}

/// One part of a class, in one place, drawn by seed.
#[derive(Clone, Debug)]
pub struct Oscillator {
    weather: Weather,
    noise: Noise,
    dice: Dice,
    curve: Curve,
    dip: Option<Dip>,
    offset_ppb: f64,
    ageing_ppb_per_day: f64,
    /// Jumps: how many a day, and how large.
    jumps_per_day: f64,
    jump_ppb: f64,
    jumped_ppb: f64,
    lag_s: f64,
    crystal_c: Option<f64>,
    second: u32,
}

/// What is drawn of a class: ranges from parts that one can buy, good and bad ones alike.
struct Ranges {
    offset_ppb: f64,
    white_ppb: (f64, f64),
    flicker_ppb: (f64, f64),
    walk_at_hour_ppb: (f64, f64),
    linear_ppb_per_k: (f64, f64),
    cubic_ppb_per_k3: (f64, f64),
    wave_ppb: (f64, f64),
    ageing_ppb_per_day: (f64, f64),
    lag_s: (f64, f64),
    jumps_per_day: (f64, f64),
    jump_ppb: (f64, f64),
    /// Share of parts with a dip, and how deep it is.
    dip: (f64, f64, f64),
}

const fn ranges(class: OscillatorClass) -> Ranges {
    match class {
        OscillatorClass::Xo => Ranges {
            offset_ppb: 30_000.0,
            white_ppb: (0.2, 2.0),
            flicker_ppb: (0.1, 1.0),
            walk_at_hour_ppb: (0.5, 5.0),
            linear_ppb_per_k: (30.0, 250.0),
            cubic_ppb_per_k3: (0.08, 0.12),
            wave_ppb: (0.0, 0.0),
            ageing_ppb_per_day: (1.0, 15.0),
            lag_s: (60.0, 600.0),
            jumps_per_day: (0.01, 0.2),
            jump_ppb: (1.0, 20.0),
            dip: (0.1, 50.0, 500.0),
        },
        OscillatorClass::Tcxo => Ranges {
            offset_ppb: 1_000.0,
            white_ppb: (0.05, 0.5),
            flicker_ppb: (0.03, 0.3),
            walk_at_hour_ppb: (0.1, 1.0),
            linear_ppb_per_k: (2.0, 40.0),
            cubic_ppb_per_k3: (0.0, 0.01),
            wave_ppb: (20.0, 150.0),
            ageing_ppb_per_day: (0.3, 5.0),
            lag_s: (60.0, 600.0),
            jumps_per_day: (0.01, 0.2),
            jump_ppb: (0.5, 10.0),
            dip: (0.05, 5.0, 50.0),
        },
        OscillatorClass::Ocxo => Ranges {
            offset_ppb: 100.0,
            white_ppb: (0.002, 0.02),
            flicker_ppb: (0.001, 0.01),
            walk_at_hour_ppb: (0.003, 0.03),
            linear_ppb_per_k: (0.03, 0.5),
            cubic_ppb_per_k3: (0.0, 0.0005),
            wave_ppb: (0.0, 0.0),
            ageing_ppb_per_day: (0.05, 0.8),
            lag_s: (900.0, 3_600.0),
            jumps_per_day: (0.01, 0.1),
            jump_ppb: (0.02, 0.5),
            dip: (0.0, 0.0, 0.0),
        },
        OscillatorClass::Rubidium => Ranges {
            offset_ppb: 0.5,
            white_ppb: (0.005, 0.03),
            flicker_ppb: (0.000_2, 0.001),
            walk_at_hour_ppb: (0.000_1, 0.000_6),
            linear_ppb_per_k: (0.000_5, 0.007),
            cubic_ppb_per_k3: (0.0, 0.000_005),
            wave_ppb: (0.0, 0.0),
            ageing_ppb_per_day: (0.000_3, 0.002),
            lag_s: (1_200.0, 3_600.0),
            jumps_per_day: (0.005, 0.05),
            jump_ppb: (0.001, 0.02),
            dip: (0.0, 0.0, 0.0),
        },
    }
}

impl Oscillator {
    /// A part of the class.
    #[must_use]
    pub fn draw(class: OscillatorClass, seed: u64, run: u64) -> Self {
        let mut dice = Dice::new(seed, run.wrapping_mul(8));
        let ranges = ranges(class);
        let mut log = |(low, high): (f64, f64)| {
            if low > 0.0 {
                dice.log_between(low, high)
            } else {
                dice.between(low, high)
            }
        };
        let levels = NoiseLevels {
            white_ppb: log(ranges.white_ppb),
            flicker_ppb: log(ranges.flicker_ppb),
            walk_at_hour_ppb: log(ranges.walk_at_hour_ppb),
        };
        let ageing = log(ranges.ageing_ppb_per_day);
        let linear = log(ranges.linear_ppb_per_k);
        let curve = Curve {
            cubic_ppb_per_k3: log(ranges.cubic_ppb_per_k3),
            wave_ppb: log(ranges.wave_ppb),
            linear_ppb_per_k: linear * dice.sign(),
            centre_c: dice.between(22.0, 30.0),
            wave_period_k: dice.between(20.0, 50.0),
            wave_phase: dice.between(0.0, std::f64::consts::TAU),
        };
        let (share, shallow, deep) = ranges.dip;
        let dip = dice.happens(share).then(|| Dip {
            at_c: dice.between(15.0, 60.0),
            width_k: dice.between(0.3, 1.5),
            depth_ppb: dice.log_between(shallow, deep),
        });
        Self {
            weather: Weather::draw(Dice::new(seed, run.wrapping_mul(8) + 1)),
            noise: Noise::new(levels, Dice::new(seed, run.wrapping_mul(8) + 2)),
            curve,
            dip,
            offset_ppb: dice.between(-ranges.offset_ppb, ranges.offset_ppb),
            ageing_ppb_per_day: ageing * dice.sign(),
            jumps_per_day: dice.log_between(ranges.jumps_per_day.0, ranges.jumps_per_day.1),
            jump_ppb: dice.log_between(ranges.jump_ppb.0, ranges.jump_ppb.1),
            jumped_ppb: 0.0,
            lag_s: dice.log_between(ranges.lag_s.0, ranges.lag_s.1),
            crystal_c: None,
            second: 0,
            dice,
        }
    }

    /// The frequency of the next second against nominal, in parts per billion, and the air around.
    pub fn second(&mut self) -> (f64, f64) {
        let air_c = self.weather.air_c(self.second);
        let crystal = self.crystal_c.get_or_insert(air_c);
        *crystal += (air_c - *crystal) / self.lag_s;
        let crystal_c = *crystal;
        if self.dice.happens(self.jumps_per_day / 86_400.0) {
            self.jumped_ppb += self.jump_ppb * self.dice.normal();
        }
        let dip = self.dip.map_or(0.0, |dip| {
            let away = (crystal_c - dip.at_c) / dip.width_k;
            -dip.depth_ppb / (1.0 + away * away)
        });
        let days = f64::from(self.second) / 86_400.0;
        let ppb = self.offset_ppb
            + self.curve.ppb(crystal_c)
            + dip
            + self.ageing_ppb_per_day * days
            + self.jumped_ppb
            + self.noise.second();
        self.second += 1;
        (ppb, air_c)
    }
}

/// A sensor on the board: a lag of its own, steps, noise, and it is off.
#[derive(Clone, Debug)]
pub struct Sensor {
    dice: Dice,
    lag_s: f64,
    step_c: f64,
    off_c: f64,
    body_c: Option<f64>,
}

impl Sensor {
    /// One drawn by seed.
    #[must_use]
    pub fn draw(seed: u64, run: u64) -> Self {
        let mut dice = Dice::new(seed, run.wrapping_mul(8) + 3);
        let lag_s = dice.log_between(30.0, 300.0);
        let step_c = match (dice.happens(0.6), dice.happens(0.2)) {
            (false, false) => 0.062_5,
            (true, false) | (false, true) => 0.125,
            (true, true) => 0.5,
        };
        Self {
            lag_s,
            step_c,
            off_c: dice.between(-2.0, 2.0),
            body_c: None,
            dice,
        }
    }

    /// What it shows in the next second, in thousandths of a degree Celsius.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a temperature of the simulated air is within a hundred degrees"
    )]
    pub fn second(&mut self, air_c: f64) -> i32 {
        let body = self.body_c.get_or_insert(air_c);
        *body += (air_c - *body) / self.lag_s;
        let shown = *body + self.off_c + 0.3 * self.step_c * self.dice.normal();
        ((shown / self.step_c).round() * self.step_c * 1_000.0) as i32
    }
}
