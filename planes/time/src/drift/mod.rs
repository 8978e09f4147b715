//! What the oscillator was seen to do while a daemon disciplined it, and how far that carries alone.
//!
//! While the clock is locked, the mean of the frequency correction over a window is what the
//! oscillator needed in that window, but for the offset at its two ends. So each moment of locked time
//! is a rehearsal: had the correction been held then, how far off would the next minute, hour, night
//! have been? [`Learner`] keeps the answers for each lag, and hands out a [`Growth`], which is the
//! forecast frozen at one instant.

mod ageing;
mod budget;
mod class;
mod growth;
mod rtc;
mod stretch;
mod thermal;
mod wander;

pub use budget::drift_budget;
pub use class::{ClassFloor, OscillatorClass};
pub use growth::Growth;
pub(crate) use growth::Temperature;
pub use rtc::{RtcDrift, RtcEstimate, RtcMove, RtcOutcome};

use crate::limits::{
    CORRECTION_PPT_MAX, DAY_S, LAGS, SERVO_GAP_NS, TEMPERATURE_FRESH_NS,
    TEMPERATURE_MILLIDEGREES_MAX,
};
use ageing::Ageing;
use evidence::MonoNs;
use stretch::Stretch;
use thermal::Thermal;
use wander::Wander;

/// One look at the discipline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServoSample {
    /// When it was looked at.
    pub at: MonoNs,
    /// The frequency correction in force, in parts per trillion (10^-12): the kernel's `freq`, whose
    /// unit is 15.26 ppt, and its `tick`. Positive makes the clock faster.
    pub correction_ppt: i64,
    /// The temperature near the oscillator in thousandths of a degree Celsius, where it was read.
    pub temperature_millidegrees: Option<i32>,
    /// Whether a fresh measurement disciplines the clock.
    pub locked: bool,
}

impl ServoSample {
    /// The kernel's `freq` (parts per million, scaled by 2^16, `adjtimex`) in parts per trillion,
    /// saturating.
    #[must_use]
    pub fn ppt_of_kernel(freq_scaled: i64) -> i64 {
        let ppt = i128::from(freq_scaled) * 1_000_000 / 65_536;
        i64::try_from(ppt).unwrap_or(if ppt < 0 { i64::MIN } else { i64::MAX })
    }

    /// Whether its numbers are such as a working clock and sensor give.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let temperature_is_usable = self.temperature_millidegrees.is_none_or(|millidegrees| {
            millidegrees.unsigned_abs() <= TEMPERATURE_MILLIDEGREES_MAX.unsigned_abs()
        });
        self.correction_ppt.unsigned_abs() <= CORRECTION_PPT_MAX.unsigned_abs()
            && temperature_is_usable
    }
}

/// What is known of the oscillator, for whoever asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knowledge {
    /// Locked seconds seen.
    pub locked_s: u64,
    /// Windows seen of each lag; lag n is 2^n seconds long.
    pub windows: [f64; LAGS],
    /// The temperature coefficient in ppt per millidegree, where one is certain.
    pub slope_ppt_per_millidegree: Option<f64>,
    /// The trend in ppt a day, where two whole days were seen.
    pub trend_ppt_per_day: Option<f64>,
    /// The correction that the clock needs, in ppt, and how far it may be off within an hour; `None`
    /// before a minute of locked time.
    pub needed_ppt: Option<(f64, f64)>,
}

/// Counts since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LearnerCounters {
    /// Samples taken.
    pub samples: u64,
    /// Samples whose numbers or times were impossible.
    pub samples_rejected: u64,
    /// Stretches of locked time begun.
    pub stretches: u64,
}

/// Learns from each look at the discipline. Its memory is bounded, about 40 KiB.
#[derive(Clone, Debug)]
pub struct Learner {
    class: OscillatorClass,
    stretch: Option<Stretch>,
    wander: Wander,
    thermal: Thermal,
    ageing: Ageing,
    locked_s: u64,
    temperature: Option<(MonoNs, i32)>,
    last_at: Option<MonoNs>,
    last_ppt: i64,
    counters: LearnerCounters,
}

impl Learner {
    /// A learner that has seen nothing of an oscillator of this class.
    #[must_use]
    pub fn new(class: OscillatorClass) -> Self {
        Self {
            class,
            stretch: None,
            wander: Wander::new(),
            thermal: Thermal::default(),
            ageing: Ageing::default(),
            locked_s: 0,
            temperature: None,
            last_at: None,
            last_ppt: 0,
            counters: LearnerCounters::default(),
        }
    }

    /// Takes a look. What cannot be true, is not ahead of the last look, or comes too long after it,
    /// ends the stretch; what was learnt stays.
    pub fn observe(&mut self, sample: ServoSample) {
        let ahead = self.last_at.is_none_or(|last| sample.at > last);
        if !sample.is_usable() || !ahead {
            self.counters.samples_rejected = self.counters.samples_rejected.saturating_add(1);
            self.break_off();
            return;
        }
        self.counters.samples = self.counters.samples.saturating_add(1);
        self.last_at = Some(sample.at);
        self.last_ppt = sample.correction_ppt;
        if let Some(millidegrees) = sample.temperature_millidegrees {
            self.temperature = Some((sample.at, millidegrees));
        }
        let sample = ServoSample {
            temperature_millidegrees: self.temperature_at(sample.at),
            ..sample
        };
        if !sample.locked {
            self.break_off();
            return;
        }
        if let Some(millidegrees) = sample.temperature_millidegrees {
            self.thermal.note(millidegrees);
        }
        let goes_on = self.stretch.as_ref().is_some_and(|stretch| {
            sample.at.since(stretch.last_at()) <= SERVO_GAP_NS
                && stretch.is_measured() == sample.temperature_millidegrees.is_some()
        });
        if goes_on {
            self.advance(sample);
        } else {
            self.break_off();
            self.counters.stretches = self.counters.stretches.saturating_add(1);
            self.stretch = Some(Stretch::begin(sample));
        }
    }

    fn advance(&mut self, sample: ServoSample) {
        let Some(stretch) = &mut self.stretch else {
            return;
        };
        let measured = stretch.is_measured();
        let slope = self.thermal.slope(&self.class.floor()).used_ppt_per_mk;
        let slope = if measured { slope } else { 0.0 };
        let (wander, thermal) = (&mut self.wander, &mut self.thermal);
        let (ageing, locked_s) = (&mut self.ageing, &mut self.locked_s);
        stretch.advance(sample, |cut, references| {
            *locked_s = locked_s.saturating_add(1);
            wander.tick(cut, references, slope);
            ageing.tick(cut, slope);
            if measured {
                thermal.tick(cut);
            }
        });
    }

    fn break_off(&mut self) {
        if self.stretch.take().is_some() {
            self.wander.break_off();
            self.thermal.break_off();
            self.ageing.break_off();
        }
    }

    fn temperature_at(&self, at: MonoNs) -> Option<i32> {
        self.temperature
            .filter(|(read, _)| at.since(*read) <= TEMPERATURE_FRESH_NS)
            .map(|(_, millidegrees)| millidegrees)
    }

    /// The forecast from here on.
    ///
    /// Of the references, that one is taken whose error after about an hour is smallest together with
    /// what the servo was off it at this instant. Before a minute of locked time nothing is known but
    /// how far a part of the class may be off undisciplined.
    #[must_use]
    pub fn growth(&self) -> Growth {
        let floor = self.class.floor();
        let held = stretch::ppt(self.last_ppt);
        let Some((stretch, references)) = self
            .stretch
            .as_ref()
            .map(|stretch| (stretch, stretch.references()))
        else {
            return Growth::unknown(held, floor);
        };
        let mut best: Option<(f64, Growth)> = None;
        for (window, reference) in references.0.iter().enumerate() {
            let Some(reference) = reference else {
                continue;
            };
            let reach = self.wander.reach_ppt(window, &floor);
            let reference_ppt = stretch.base_ppt() + reference.ppt;
            let off = (held - reference_ppt).abs() + reach.get(CHOICE_LAG).unwrap_or(&0.0);
            if best.as_ref().is_some_and(|(least, _)| *least <= off) {
                continue;
            }
            let millidegrees = stretch
                .base_millidegrees()
                .map(|base| base + reference.millidegrees);
            let growth = Growth::learnt(growth::Learnt {
                reference_ppt,
                reach_ppt: reach,
                reference_millidegrees: millidegrees,
                slope: self.thermal.slope(&floor),
                seen_millidegrees: self.thermal.seen(),
                ageing_ppt_per_day: self.ageing.within_ppt_per_day(&floor),
                day_unseen: self.day_unseen(),
                floor,
            });
            best = Some((off, growth));
        }
        best.map_or_else(|| Growth::unknown(held, floor), |(_, growth)| growth)
    }

    /// The forecast of a clock that nobody steers, and that was seen to run away from its source at this
    /// rate, in parts per trillion, fast positive: of the oscillator nothing is known but its class.
    #[must_use]
    pub fn growth_unsteered(&self, rate_ppt: i64) -> Growth {
        let needed_ppt = stretch::ppt(self.last_ppt.saturating_sub(rate_ppt));
        Growth::unknown(needed_ppt, self.class.floor())
    }

    /// How much of a day has not been seen, from 1 to 0.
    fn day_unseen(&self) -> f64 {
        let seen = u32::try_from(self.locked_s.min(DAY_S)).unwrap_or(u32::MAX);
        let day = u32::try_from(DAY_S).unwrap_or(u32::MAX);
        1.0 - f64::from(seen) / f64::from(day)
    }

    /// What is known of the oscillator.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        let slope = self.thermal.slope(&self.class.floor()).used_ppt_per_mk;
        let growth = self.growth();
        let is_learnt = growth.is_learnt();
        Knowledge {
            locked_s: self.locked_s,
            windows: self.wander.windows(),
            slope_ppt_per_millidegree: (slope != 0.0).then_some(slope),
            trend_ppt_per_day: self.ageing.trend_ppt_per_day(),
            needed_ppt: is_learnt.then(|| (growth.reference_ppt(), growth.reach_ppt(CHOICE_LAG))),
        }
    }

    /// Counts since the process started.
    #[must_use]
    pub const fn counters(&self) -> LearnerCounters {
        self.counters
    }
}

/// The lag at which references compete: 4,096 s.
const CHOICE_LAG: usize = 12;

#[cfg(test)]
mod tests;
