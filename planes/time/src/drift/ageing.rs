//! How the frequency changes from day to day.

use super::class::ClassFloor;
use super::stretch::Cut;
use crate::limits::{CLASS_WINDOWS, DAY_S, DAYS_MAX};
use alloc::collections::VecDeque;

/// Changes from each whole day to the next, in ppt a day; those of temperature, as far as they are
/// known, taken out.
#[derive(Clone, Debug, Default)]
pub(super) struct Ageing {
    begun: Option<Cut>,
    last_ppt: Option<f64>,
    changes: VecDeque<f64>,
}

impl Ageing {
    pub(super) fn break_off(&mut self) {
        self.begun = None;
        self.last_ppt = None;
    }

    /// A whole second of a stretch is over.
    pub(super) fn tick(&mut self, cut: Cut, slope_ppt_per_mk: f64) {
        let begun = *self.begun.get_or_insert(cut);
        if cut.tick.saturating_sub(begun.tick) < DAY_S {
            return;
        }
        let Some(mean) = cut.mean_since(&begun) else {
            return;
        };
        let ppt = mean.ppt - slope_ppt_per_mk * mean.millidegrees;
        if let Some(last) = self.last_ppt.replace(ppt) {
            if self.changes.len() >= DAYS_MAX {
                self.changes.pop_front();
            }
            self.changes.push_back(ppt - last);
        }
        self.begun = Some(cut);
    }

    /// Mean change in a day; `None` before two whole days of one stretch.
    pub(super) fn trend_ppt_per_day(&self) -> Option<f64> {
        let days = u32::try_from(self.changes.len()).unwrap_or(u32::MAX);
        (days > 0).then(|| self.changes.iter().sum::<f64>() / f64::from(days))
    }

    /// What a day's change stays within, the class counting as some days of its own.
    pub(super) fn within_ppt_per_day(&self, floor: &ClassFloor) -> f64 {
        let class = floor.ageing_ppt_per_day;
        let days = f64::from(u32::try_from(self.changes.len()).unwrap_or(u32::MAX));
        let squares: f64 = self.changes.iter().map(|change| change * change).sum();
        libm::sqrt((CLASS_WINDOWS * class * class + squares) / (CLASS_WINDOWS + days))
    }
}
