//! The error bound, in named parts, from the last fresh measurement on.
//!
//! It is one function of time, whether the clock is locked or alone: a lost packet makes the
//! measurement older and the bound wider, and holdover begins without a jump.

mod line;

pub use line::Line;

use crate::drift::{Growth, ServoSample, Temperature};
use crate::limits::TEMPERATURE_FRESH_NS;
use evidence::MonoNs;

/// The parts of an error bound, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundParts {
    /// The error that the last fresh measurement left.
    pub initial_ns: u64,
    /// The servo's last word against what was needed, and the wander of the frequency since.
    pub frequency_ns: u64,
    /// What the temperature did to the frequency since.
    pub temperature_ns: u64,
    /// Ageing since.
    pub ageing_ns: u64,
    /// What the path may hide: its two directions are not known apart.
    pub asymmetry_ns: u64,
}

impl BoundParts {
    /// The parts with their names, in the order of the field list.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("initial", self.initial_ns),
            ("frequency", self.frequency_ns),
            ("temperature", self.temperature_ns),
            ("ageing", self.ageing_ns),
            ("asymmetry", self.asymmetry_ns),
        ]
    }

    /// Their sum, saturating.
    #[must_use]
    pub fn total_ns(&self) -> u64 {
        self.named()
            .iter()
            .fold(0, |sum, (_, part)| sum.saturating_add(*part))
    }
}

/// A bound that starts from one fresh measurement; the next one starts another.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    measured_at: MonoNs,
    initial_ns: u64,
    asymmetry_ns: u64,
    growth: Growth,
    /// Up to here it is known what the correction and the temperature were.
    known_until: MonoNs,
    known_frequency_ns: f64,
    known_temperature_ns: f64,
    off_ppt: f64,
    temperature: Option<(MonoNs, i32)>,
}

impl Bound {
    /// From a measurement at `sample.at` that left an error of at most `initial_ns`, beside what the
    /// path may hide; `sample` says what the correction and the temperature were.
    #[must_use]
    pub fn new(sample: &ServoSample, initial_ns: u64, asymmetry_ns: u64, growth: Growth) -> Self {
        Self {
            measured_at: sample.at,
            initial_ns,
            asymmetry_ns,
            growth,
            known_until: sample.at,
            known_frequency_ns: 0.0,
            known_temperature_ns: 0.0,
            off_ppt: growth.off_ppt(sample.correction_ppt),
            temperature: sample
                .temperature_millidegrees
                .map(|millidegrees| (sample.at, millidegrees)),
        }
    }

    /// Takes what is seen of correction and temperature since the measurement. What is impossible, or
    /// not later than what is known, changes nothing.
    pub fn observe(&mut self, sample: &ServoSample) {
        if !sample.is_usable() || sample.at <= self.known_until {
            return;
        }
        self.known_frequency_ns = self.frequency_known_ns(sample.at);
        self.known_temperature_ns = self.temperature_known_ns(sample.at);
        self.known_until = sample.at;
        self.off_ppt = self.growth.off_ppt(sample.correction_ppt);
        if let Some(millidegrees) = sample.temperature_millidegrees {
            self.temperature = Some((sample.at, millidegrees));
        }
    }

    /// When it was measured.
    #[must_use]
    pub const fn measured_at(&self) -> MonoNs {
        self.measured_at
    }

    /// The parts at an instant; before the measurement as at the measurement.
    #[must_use]
    pub fn parts(&self, at: MonoNs) -> BoundParts {
        let elapsed_s = seconds(at.since(self.measured_at));
        BoundParts {
            initial_ns: self.initial_ns,
            frequency_ns: whole_ns(self.frequency_at_ns(at)),
            temperature_ns: whole_ns(self.temperature_at_ns(at)),
            ageing_ns: whole_ns(self.growth.ageing_ns(elapsed_s)),
            asymmetry_ns: self.asymmetry_ns,
        }
    }

    /// All parts that grow, at an instant, unrounded.
    fn grown_ns(&self, at: MonoNs) -> f64 {
        let elapsed_s = seconds(at.since(self.measured_at));
        self.frequency_at_ns(at) + self.temperature_at_ns(at) + self.growth.ageing_ns(elapsed_s)
    }

    fn frequency_at_ns(&self, at: MonoNs) -> f64 {
        let elapsed_s = seconds(at.since(self.measured_at));
        self.frequency_known_ns(at) + self.growth.wander_ns(elapsed_s)
    }

    fn temperature_at_ns(&self, at: MonoNs) -> f64 {
        let elapsed_s = seconds(at.since(self.measured_at));
        self.temperature_known_ns(at) + self.growth.unseen_temperature_ns(elapsed_s)
    }

    /// What the servo's word, being off the reference, has added: as far as known, and on from there
    /// with the last one. Before what is known it stands as it is known.
    fn frequency_known_ns(&self, at: MonoNs) -> f64 {
        let since_s = seconds(at.since(self.known_until));
        self.known_frequency_ns + self.off_ppt * since_s / 1_000.0
    }

    /// The same for the temperature; a reading serves while it is fresh, then the sensor is silent.
    fn temperature_known_ns(&self, at: MonoNs) -> f64 {
        let Some((read_at, millidegrees)) = self.temperature else {
            return self.known_temperature_ns;
        };
        let silent_from = read_at.plus_ns(TEMPERATURE_FRESH_NS);
        let fresh_until = at.min(silent_from).max(self.known_until);
        let fresh_s = seconds(fresh_until.since(self.known_until));
        let silent_s = seconds(at.since(fresh_until));
        let fresh_ppt = self.growth.thermal_ppt(Temperature::Measured(millidegrees));
        let silent_ppt = self.growth.thermal_ppt(Temperature::Silent(millidegrees));
        self.known_temperature_ns + (fresh_ppt * fresh_s + silent_ppt * silent_s) / 1_000.0
    }
}

/// Seconds of some nanoseconds, exact enough for a factor.
#[expect(
    clippy::cast_precision_loss,
    reason = "a relative error of 10^-16 of an elapsed time is far below a nanosecond of any bound"
)]
fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// Whole nanoseconds, upwards, saturating; what is no number is the widest bound there is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends"
)]
pub(crate) fn whole_ns(ns: f64) -> u64 {
    if ns.is_nan() {
        u64::MAX
    } else {
        libm::ceil(ns) as u64
    }
}

#[cfg(test)]
mod tests;
