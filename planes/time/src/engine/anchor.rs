//! What the error bound grows from: the last measurement, and what was done to the clock since.

use super::Engine;
use super::stray::Stray;
use crate::bound::{Bound, BoundParts};
use crate::drift::ServoSample;
use crate::fresh::Measurement;
use crate::sample::ClockComparison;
use evidence::MonoNs;

/// What the bound grows from.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    /// `None` where it was taken before this process began.
    pub(super) measured: Option<Measurement>,
    /// What the clock was stepped by since, in nanoseconds.
    pub(super) stepped_ns: u64,
    /// What it had strayed from its correction until then.
    pub(super) stray: Stray,
    pub(super) bound: Bound,
}

impl Engine {
    /// Nanoseconds since the measurement that the bound grows from (`last_sync_age`).
    #[must_use]
    pub fn last_sync_age_ns(&self, now: MonoNs) -> Option<u64> {
        self.anchor
            .as_ref()
            .map(|anchor| now.since(anchor.bound.measured_at()))
    }

    /// The offset that the last measurement showed, in nanoseconds, where somebody may steer the clock by it.
    pub(super) fn corrected_ns(&self) -> Option<i64> {
        let measured = self.anchor.as_ref()?.measured?;
        let steered = self.sources.is_steered_by(measured.source);
        steered.then_some(measured.offset_ns)
    }

    /// Lets the bound grow from this measurement on, unless it does already.
    pub(super) fn hold(&mut self, measured: Measurement, now: &ClockComparison) {
        if self
            .anchor
            .as_ref()
            .is_some_and(|anchor| anchor.measured == Some(measured))
        {
            return;
        }
        let sample = ServoSample {
            at: measured.taken,
            ..self.servo(now, now.sample.kernel.is_some())
        };
        let initial_ns = measured.bound_ns().saturating_sub(measured.asymmetry_ns);
        let steering = self.steerings.of(measured.source);
        steering.observe(&measured);
        let growth = match steering.runaway_ppt() {
            Some(rate_ppt) => self.learner.growth_unsteered(rate_ppt),
            None => self.learner.growth(),
        };
        self.anchor = Some(Anchor {
            measured: Some(measured),
            stepped_ns: 0,
            stray: *self.clock.stray_before(),
            bound: Bound::new(&sample, initial_ns, measured.asymmetry_ns, growth),
        });
    }

    /// Looks at the discipline: what the oscillator needs is learnt while the clock is measured and stays
    /// where it is, for only then the correction is what was needed; what was done to it since the last
    /// measurement is in the bound.
    pub(super) fn learn(&mut self, now: &ClockComparison, held: Option<&Measurement>) {
        let asked = now.sample.kernel.is_some();
        self.ask_kernel(now.sample.mono, asked, held.is_some());
        // A correction that nobody tells looks like that of a perfect oscillator.
        let steered = asked && held.is_some_and(|held| self.steerings.of(held.source).is_steady());
        let sample = self.servo(now, steered);
        self.learner.observe(sample);
        if let Some(anchor) = &mut self.anchor {
            anchor.bound.observe(&sample);
        }
    }

    /// Tells that the kernel does not say how it corrects its clock where a source holds it, and that it does again.
    fn ask_kernel(&mut self, now: MonoNs, asked: bool, holds: bool) {
        match (asked, holds) {
            (true, _) => {
                let looks = core::mem::take(&mut self.unasked);
                if looks > 0 {
                    self.news.kernel_back(now, looks);
                }
            }
            (false, true) => {
                if self.unasked == 0 {
                    self.news.kernel_fault(now);
                }
                self.unasked = self.unasked.saturating_add(1);
            }
            (false, false) => {}
        }
    }

    pub(super) fn servo(&self, now: &ClockComparison, locked: bool) -> ServoSample {
        ServoSample {
            at: now.sample.mono,
            correction_ppt: now.sample.kernel.map_or(0, |kernel| kernel.frequency_ppt),
            temperature_millidegrees: self.sources.temperature(now.sample.mono),
            locked,
        }
    }

    /// The bound's parts at `now`, and what steps since the last measurement add, and slews that no correction
    /// explains, in nanoseconds.
    #[must_use]
    pub fn bound_parts(&self, now: MonoNs) -> Option<(BoundParts, u64)> {
        let anchor = self.anchor.as_ref()?;
        let strayed_ns = self.clock.stray().since(&anchor.stray);
        let moved_ns = anchor.stepped_ns.saturating_add(strayed_ns);
        Some((anchor.bound.parts(now), moved_ns))
    }

    /// Bound of the clock's error at `now`, in nanoseconds.
    pub(super) fn bound_ns(&self, now: MonoNs) -> Option<u64> {
        self.bound_parts(now)
            .map(|(parts, moved_ns)| parts.total_ns().saturating_add(moved_ns))
    }
}
