//! The forecast: how the error grows from an instant on, in its parts.

use super::class::ClassFloor;
use super::thermal::Slope;
use super::wander::lag_s;
use crate::limits::{LAGS, UNSEEN_SWING_MILLIDEGREES};

/// What the learner knows, gathered at one instant.
pub(super) struct Learnt {
    pub(super) reference_ppt: f64,
    pub(super) reach_ppt: [f64; LAGS],
    pub(super) reference_millidegrees: Option<f64>,
    pub(super) slope: Slope,
    pub(super) seen_millidegrees: Option<(i32, i32)>,
    pub(super) ageing_ppt_per_day: f64,
    pub(super) day_unseen: f64,
    pub(super) floor: ClassFloor,
}

/// The forecast, frozen at one instant. Times are seconds since then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    is_learnt: bool,
    /// The correction that the clock needed, in ppt.
    reference_ppt: f64,
    /// Phase that wander stays within after each lag, in nanoseconds; never falling.
    wander_ns: [f64; LAGS],
    reference_millidegrees: Option<f64>,
    slope: Slope,
    seen_millidegrees: Option<(i32, i32)>,
    ageing_ppt_per_day: f64,
    /// How much of the unseen swing of temperature is to be expected, from 0 to 1.
    unseen: f64,
    floor: ClassFloor,
}

impl Growth {
    /// Nothing is known but the class: the clock may run away as an undisciplined part does.
    #[must_use]
    pub(super) fn unknown(held_ppt: f64, floor: ClassFloor) -> Self {
        let mut wander_ns = [0.0; LAGS];
        for (lag, wander_ns) in wander_ns.iter_mut().enumerate() {
            *wander_ns = floor.free_run_ppt * lag_s(lag) / 1_000.0;
        }
        Self {
            is_learnt: false,
            reference_ppt: held_ppt,
            wander_ns,
            reference_millidegrees: None,
            slope: Slope {
                used_ppt_per_mk: 0.0,
                within_ppt_per_mk: 0.0,
            },
            seen_millidegrees: None,
            ageing_ppt_per_day: floor.ageing_ppt_per_day,
            unseen: 0.0,
            floor,
        }
    }

    pub(super) fn learnt(learnt: Learnt) -> Self {
        let mut wander_ns = [0.0; LAGS];
        let mut widest = 0.0_f64;
        for (lag, (wander_ns, reach)) in wander_ns.iter_mut().zip(learnt.reach_ppt).enumerate() {
            widest = widest.max(reach * lag_s(lag) / 1_000.0);
            *wander_ns = widest;
        }
        // A sensor counts for something once the frequency was seen to follow it: until then it may be
        // stuck, or sit beside a fan.
        let is_followed =
            learnt.reference_millidegrees.is_some() && learnt.slope.used_ppt_per_mk != 0.0;
        let unseen = if is_followed { 0.0 } else { learnt.day_unseen };
        Self {
            is_learnt: true,
            reference_ppt: learnt.reference_ppt,
            wander_ns,
            reference_millidegrees: learnt.reference_millidegrees,
            slope: learnt.slope,
            seen_millidegrees: learnt.seen_millidegrees,
            ageing_ppt_per_day: learnt.ageing_ppt_per_day,
            unseen,
            floor: learnt.floor,
        }
    }

    /// Whether it rests on what was seen, and not on the class alone.
    #[must_use]
    pub const fn is_learnt(&self) -> bool {
        self.is_learnt
    }

    /// The correction that the clock needed, in ppt.
    #[must_use]
    pub const fn reference_ppt(&self) -> f64 {
        self.reference_ppt
    }

    /// What the mean frequency over lag `lag` stays within of the reference, in ppt.
    pub(super) fn reach_ppt(&self, lag: usize) -> f64 {
        self.wander_ns
            .get(lag)
            .map_or(self.floor.free_run_ppt, |ns| ns * 1_000.0 / lag_s(lag))
    }

    /// Phase of wander after `elapsed_s`, in nanoseconds: straight from lag to lag, and behind the last
    /// one twice as steep as up to there.
    pub(crate) fn wander_ns(&self, elapsed_s: f64) -> f64 {
        let (mut from_s, mut from_ns) = (0.0, 0.0);
        for (lag, ns) in self.wander_ns.iter().enumerate() {
            let to_s = lag_s(lag);
            if elapsed_s <= to_s {
                return from_ns + (ns - from_ns) * (elapsed_s - from_s) / (to_s - from_s);
            }
            (from_s, from_ns) = (to_s, *ns);
        }
        from_ns + 2.0 * from_ns / from_s * (elapsed_s - from_s)
    }

    /// Frequency that the servo's last word is off the reference, in ppt.
    pub(crate) fn off_ppt(&self, correction_ppt: i64) -> f64 {
        (super::stretch::ppt(correction_ppt) - self.reference_ppt).abs()
    }

    /// Frequency that a temperature accounts for at most, in ppt. Beyond what was seen while locked the
    /// class's slope counts: the curve may be steeper there. A sensor that has fallen silent is taken
    /// to have been right, and the temperature to have moved by a whole swing since.
    pub(crate) fn thermal_ppt(&self, temperature: Temperature) -> f64 {
        let Some(reference) = self.reference_millidegrees else {
            return 0.0;
        };
        let (now, swing) = match temperature {
            Temperature::Measured(now) => (f64::from(now), 0.0),
            Temperature::Silent(last) => (f64::from(last), f64::from(UNSEEN_SWING_MILLIDEGREES)),
        };
        let away = (now - reference).abs() + swing;
        let (low, high) = self.seen_millidegrees.unwrap_or_default();
        let beyond = (now + swing - f64::from(high))
            .max(f64::from(low) - (now - swing))
            .max(0.0);
        let class = self.floor.slope_ppt_per_k / 1_000.0;
        let steeper = (class - self.slope.within_ppt_per_mk).max(0.0);
        self.slope.within_ppt_per_mk * away + steeper * beyond
    }

    /// Steepest change with temperature that is reckoned with, in ppt per kelvin, where it is measured.
    pub(crate) fn slope_ppt_per_k(&self) -> f64 {
        match self.reference_millidegrees {
            Some(_) => (self.slope.within_ppt_per_mk * 1_000.0).max(self.floor.slope_ppt_per_k),
            None => 0.0,
        }
    }

    /// Phase of temperature that nobody measures, after `elapsed_s`, in nanoseconds.
    pub(crate) fn unseen_temperature_ns(&self, elapsed_s: f64) -> f64 {
        self.unseen * self.floor.unseen_temperature_ns(elapsed_s)
    }

    /// Phase of ageing after `elapsed_s`, in nanoseconds.
    pub(crate) fn ageing_ns(&self, elapsed_s: f64) -> f64 {
        0.5 * self.ageing_ppt_per_day / 86_400.0 * elapsed_s * elapsed_s / 1_000.0
    }
}

/// The temperature near the oscillator, in millidegrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temperature {
    /// As it is.
    Measured(i32),
    /// As it was when the sensor was last heard.
    Silent(i32),
}
