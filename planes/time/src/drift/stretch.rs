//! A stretch of locked time without a gap: frequency and temperature, summed up second by second.

use super::ServoSample;
use crate::limits::{MARK_S, MARKS_MAX, REFERENCE_LOG2_S};
use alloc::collections::VecDeque;
use evidence::MonoNs;

const SECOND_NS: u64 = 1_000_000_000;

/// The sums at the end of a whole second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    /// Seconds since the stretch began.
    pub(super) tick: u64,
    /// Sum of the correction less the stretch's first, in ppt seconds.
    phase: f64,
    /// Sum of the temperature less the stretch's first, in millidegree seconds.
    heat: f64,
}

/// Means over a window: of the correction less the stretch's first, and of the temperature likewise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mean {
    pub(super) ppt: f64,
    pub(super) millidegrees: f64,
}

impl Cut {
    /// Means since an earlier cut; `None` where no time has passed.
    pub(super) fn mean_since(&self, earlier: &Self) -> Option<Mean> {
        let seconds = seconds(self.tick.checked_sub(earlier.tick)?);
        (seconds > 0.0).then(|| Mean {
            ppt: (self.phase - earlier.phase) / seconds,
            millidegrees: (self.heat - earlier.heat) / seconds,
        })
    }
}

/// The means over each window that ends here; `None` where the stretch is shorter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct References(pub(super) [Option<Mean>; REFERENCE_LOG2_S.len()]);

/// One stretch.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    base_ppt: f64,
    base_millidegrees: Option<f64>,
    last: ServoSample,
    /// Nanoseconds between the last whole second and the last sample.
    part_ns: u64,
    sums: Cut,
    marks: VecDeque<Cut>,
}

impl Stretch {
    pub(super) fn begin(sample: ServoSample) -> Self {
        let mut marks = VecDeque::new();
        marks.push_back(Cut::default());
        Self {
            base_ppt: ppt(sample.correction_ppt),
            base_millidegrees: sample.temperature_millidegrees.map(f64::from),
            last: sample,
            part_ns: 0,
            sums: Cut::default(),
            marks,
        }
    }

    /// Whether it has temperatures all along.
    pub(super) const fn is_measured(&self) -> bool {
        self.base_millidegrees.is_some()
    }

    pub(super) const fn last_at(&self) -> MonoNs {
        self.last.at
    }

    /// The stretch's first correction, from which all means count.
    pub(super) const fn base_ppt(&self) -> f64 {
        self.base_ppt
    }

    /// The stretch's first temperature in millidegrees, from which all means count.
    pub(super) const fn base_millidegrees(&self) -> Option<f64> {
        self.base_millidegrees
    }

    /// Takes the next sample, no more than some seconds after the last, and hands out each whole
    /// second that is over. What was in force since the last sample is what that one said.
    pub(super) fn advance(&mut self, sample: ServoSample, mut each: impl FnMut(Cut, &References)) {
        let frequency = ppt(self.last.correction_ppt) - self.base_ppt;
        let degrees = match (self.last.temperature_millidegrees, self.base_millidegrees) {
            (Some(now), Some(base)) => f64::from(now) - base,
            _ => 0.0,
        };
        let mut left_ns = sample.at.since(self.last.at);
        while left_ns > 0 {
            let step_ns = left_ns.min(SECOND_NS - self.part_ns);
            let step_s = seconds(step_ns) / 1e9;
            self.sums.phase += frequency * step_s;
            self.sums.heat += degrees * step_s;
            self.part_ns += step_ns;
            left_ns -= step_ns;
            if self.part_ns == SECOND_NS {
                self.part_ns = 0;
                self.sums.tick += 1;
                let references = self.references();
                each(self.sums, &references);
                if self.sums.tick.is_multiple_of(MARK_S) {
                    if self.marks.len() >= MARKS_MAX {
                        self.marks.pop_front();
                    }
                    self.marks.push_back(self.sums);
                }
            }
        }
        self.last = sample;
    }

    /// Means over the windows that end with the last whole second.
    pub(super) fn references(&self) -> References {
        let mut references = References::default();
        let newest = self.marks.len().saturating_sub(1);
        for (reference, log2_s) in references.0.iter_mut().zip(REFERENCE_LOG2_S) {
            let marks = usize::try_from((1_u64 << log2_s) / MARK_S).unwrap_or(usize::MAX);
            let mark = newest.checked_sub(marks).and_then(|at| self.marks.get(at));
            *reference = mark.and_then(|mark| self.sums.mean_since(mark));
        }
        references
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of a stretch and nanoseconds of a second stay below 2^53"
)]
fn seconds(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a correction is bounded by 10^11, far below 2^53"
)]
pub(super) fn ppt(correction_ppt: i64) -> f64 {
    correction_ppt as f64
}
