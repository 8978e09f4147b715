//! How far the mean frequency of the next stretch was from what it had been before, at each lag.

use super::class::ClassFloor;
use super::stretch::{Cut, References};
use crate::limits::{CLASS_WINDOWS, LAG_OVERLAP, LAGS, REFERENCE_LOG2_S, SPAN, WINDOWS_MAX};

const WINDOWS: usize = REFERENCE_LOG2_S.len();
const SLOTS: usize = 4;
const _: () = assert!(SLOTS as u64 == LAG_OVERLAP);

/// Squares of what was missed, and the worst of it; in parts per trillion.
#[derive(Clone, Copy, Debug, Default)]
struct Missed {
    /// Windows that do not overlap; overlapping ones count for a part.
    windows: f64,
    squares: f64,
    worst: f64,
}

impl Missed {
    fn take(&mut self, error_ppt: f64, weight: f64) {
        if self.windows >= WINDOWS_MAX {
            self.windows /= 2.0;
            self.squares /= 2.0;
            self.worst /= 2.0;
        }
        self.windows += weight;
        self.squares += weight * error_ppt * error_ppt;
        self.worst = self.worst.max(error_ppt.abs());
    }

    /// What the next window stays within, the class counting as some windows of its own.
    fn reach_ppt(&self, class_variance: f64) -> f64 {
        let variance =
            (CLASS_WINDOWS * class_variance + self.squares) / (CLASS_WINDOWS + self.windows);
        (SPAN * libm::sqrt(variance)).max(self.worst)
    }
}

/// A window that has begun: what was known then.
#[derive(Clone, Copy, Debug)]
struct Begun {
    at: Cut,
    references: References,
}

/// The structure function, learnt from rehearsals: at each moment it is noted what the reference was,
/// and when the lag is over, how far the mean frequency since then was from it.
#[derive(Clone, Debug)]
pub(super) struct Wander {
    missed: [[Missed; WINDOWS]; LAGS],
    begun: [[Option<Begun>; SLOTS]; LAGS],
}

impl Wander {
    pub(super) const fn new() -> Self {
        const NONE: Missed = Missed {
            windows: 0.0,
            squares: 0.0,
            worst: 0.0,
        };
        Self {
            missed: [[NONE; WINDOWS]; LAGS],
            begun: [[None; SLOTS]; LAGS],
        }
    }

    /// The stretch has ended: windows that have begun will not be completed.
    pub(super) fn break_off(&mut self) {
        self.begun = [[None; SLOTS]; LAGS];
    }

    /// A whole second of a stretch is over.
    pub(super) fn tick(&mut self, cut: Cut, references: &References, slope_ppt_per_mk: f64) {
        for (lag, (begun, missed)) in self.begun.iter_mut().zip(&mut self.missed).enumerate() {
            let length_s = 1_u64 << lag;
            let overlap = length_s.min(LAG_OVERLAP);
            let stride_s = length_s / overlap;
            if !cut.tick.is_multiple_of(stride_s) {
                break;
            }
            let place = usize::try_from((cut.tick / stride_s) % overlap).unwrap_or(0);
            let Some(slot) = begun.get_mut(place) else {
                continue;
            };
            if let Some(then) = slot.take() {
                let mean = cut.mean_since(&then.at);
                let weight = 1.0 / overlap_f64(overlap);
                for (missed, reference) in missed.iter_mut().zip(&then.references.0) {
                    if let (Some(mean), Some(reference)) = (mean, reference) {
                        let heat = mean.millidegrees - reference.millidegrees;
                        let error = mean.ppt - reference.ppt - slope_ppt_per_mk * heat;
                        missed.take(error, weight);
                    }
                }
            }
            *slot = Some(Begun {
                at: cut,
                references: *references,
            });
        }
    }

    /// What the mean frequency over each lag stays within of the reference of window `window`.
    pub(super) fn reach_ppt(&self, window: usize, floor: &ClassFloor) -> [f64; LAGS] {
        let mut reach = [0.0; LAGS];
        for (lag, (reach, missed)) in reach.iter_mut().zip(&self.missed).enumerate() {
            let class = floor.variance_ppt2(lag_s(lag));
            *reach = missed
                .get(window)
                .copied()
                .unwrap_or_default()
                .reach_ppt(class);
        }
        reach
    }

    /// Windows seen of each lag, against the shortest reference.
    pub(super) fn windows(&self) -> [f64; LAGS] {
        let mut windows = [0.0; LAGS];
        for (windows, missed) in windows.iter_mut().zip(&self.missed) {
            *windows = missed.first().map_or(0.0, |missed| missed.windows);
        }
        windows
    }
}

/// The length of a lag in seconds.
pub(crate) fn lag_s(lag: usize) -> f64 {
    let power = u32::try_from(lag).unwrap_or(u32::MAX).min(52);
    overlap_f64(1_u64 << power)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "powers of two up to 2^52 are exact"
)]
const fn overlap_f64(number: u64) -> f64 {
    number as f64
}
