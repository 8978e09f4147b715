//! How the frequency follows the measured temperature.

use super::class::ClassFloor;
use super::stretch::Cut;
use crate::limits::{THERMAL_CELL_S, THERMAL_CELLS_MIN, WINDOWS_MAX};

/// How many standard errors a coefficient must be away from nought to be used, and is widened by.
const ERRORS: f64 = 3.0;

/// The mean of one cell, from the stretch's first sample.
#[derive(Clone, Copy, Debug)]
struct Cell {
    begun: Cut,
    last: Option<(f64, f64)>,
}

/// A regression of changes of frequency on changes of temperature from one cell to the next: what
/// lasts (the offset) and what is slow (ageing) falls out of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Thermal {
    cell: Option<Cell>,
    pairs: f64,
    heat_squares: f64,
    products: f64,
    frequency_squares: f64,
    /// Coldest and warmest while locked, in millidegrees.
    seen: Option<(i32, i32)>,
}

/// What the temperature may do to the frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slope {
    /// What changes are reckoned with, in ppt per millidegree: nought where none is certain.
    pub(crate) used_ppt_per_mk: f64,
    /// What it stays within, in ppt per millidegree.
    pub(crate) within_ppt_per_mk: f64,
}

impl Thermal {
    pub(super) fn break_off(&mut self) {
        self.cell = None;
    }

    pub(super) fn note(&mut self, millidegrees: i32) {
        let (low, high) = self.seen.unwrap_or((millidegrees, millidegrees));
        self.seen = Some((low.min(millidegrees), high.max(millidegrees)));
    }

    /// Coldest and warmest while locked, in millidegrees.
    pub(super) const fn seen(&self) -> Option<(i32, i32)> {
        self.seen
    }

    /// A whole second of a stretch with temperatures is over.
    pub(super) fn tick(&mut self, cut: Cut) {
        if !cut.tick.is_multiple_of(THERMAL_CELL_S) {
            return;
        }
        let mut last = None;
        if let Some(cell) = self.cell
            && let Some(mean) = cut.mean_since(&cell.begun)
        {
            last = Some((mean.ppt, mean.millidegrees));
            if let Some((ppt, millidegrees)) = cell.last {
                self.take(mean.ppt - ppt, mean.millidegrees - millidegrees);
            }
        }
        self.cell = Some(Cell { begun: cut, last });
    }

    fn take(&mut self, frequency: f64, heat: f64) {
        if self.pairs >= WINDOWS_MAX {
            self.pairs /= 2.0;
            self.heat_squares /= 2.0;
            self.products /= 2.0;
            self.frequency_squares /= 2.0;
        }
        self.pairs += 1.0;
        self.heat_squares += heat * heat;
        self.products += heat * frequency;
        self.frequency_squares += frequency * frequency;
    }

    pub(super) fn slope(&self, floor: &ClassFloor) -> Slope {
        let class = floor.slope_ppt_per_k / 1_000.0;
        let unknown = Slope {
            used_ppt_per_mk: 0.0,
            within_ppt_per_mk: class,
        };
        if self.pairs < THERMAL_CELLS_MIN || self.heat_squares <= 0.0 {
            return unknown;
        }
        let slope = self.products / self.heat_squares;
        let left = (self.frequency_squares - slope * self.products).max(0.0) / (self.pairs - 1.0);
        let error = libm::sqrt(left / self.heat_squares);
        let within = slope.abs() + ERRORS * error;
        if slope.abs() > ERRORS * error {
            return Slope {
                used_ppt_per_mk: slope,
                within_ppt_per_mk: within,
            };
        }
        Slope {
            used_ppt_per_mk: 0.0,
            within_ppt_per_mk: within.min(class),
        }
    }
}
