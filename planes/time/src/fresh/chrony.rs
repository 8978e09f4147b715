//! chronyd: a measurement is an update of its clock that was not there before.
//!
//! Its leap status stays "normal" while every source is silent. What is honest is the time of the last
//! update, and a root dispersion that grows from there.

use super::measurement::{Measurement, Rejection, Verdict};
use crate::limits::{CHRONY_INTERVAL_NS_MAX, CHRONY_INTERVAL_NS_MIN, INGRESS_SLACK_NS};
use crate::reading::{ChronyReading, ChronySource, ChronySourceState, SourceKind};
use crate::sample::ClockSample;
use evidence::{MonoNs, UtcNs};

/// What the site says of its chronyd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChronyPolicy {
    /// The highest stratum that is believed.
    pub stratum_max: u16,
}

impl Default for ChronyPolicy {
    fn default() -> Self {
        Self { stratum_max: 15 }
    }
}

/// What was seen of chronyd at the last look.
#[derive(Clone, Debug)]
pub struct ChronyWatch {
    policy: ChronyPolicy,
    updated: Option<UtcNs>,
    looked: Option<MonoNs>,
    /// The comparison of the clocks that found the node's clock moved.
    stepped: Option<MonoNs>,
}

/// The reference of `local`: chronyd calls its own clock 127.127.1.1.
const LOCAL_REFERENCE: [u8; 4] = [127, 127, 1, 1];

impl ChronyWatch {
    /// A watch that has seen nothing.
    #[must_use]
    pub const fn new(policy: ChronyPolicy) -> Self {
        Self {
            policy,
            updated: None,
            looked: None,
            stepped: None,
        }
    }

    /// The node's clock was found moved by the comparison at `at`.
    pub const fn void(&mut self, at: MonoNs) {
        self.stepped = Some(at);
    }

    /// Judges a reading that was there at `at`; `clock` relates UTC to monotonic time.
    pub fn judge(&mut self, reading: &ChronyReading, at: MonoNs, clock: &ClockSample) -> Verdict {
        let last = self.looked.replace(at);
        let moved = self.updated.replace(reading.reference_time) != Some(reading.reference_time);
        if reading.stratum == 0 || reading.stratum > self.policy.stratum_max {
            return Verdict::Rejected(Rejection::Unsynchronised);
        }
        if reading.reference == LOCAL_REFERENCE {
            return Verdict::Rejected(Rejection::LocalReference);
        }
        let (true, Some(last)) = (moved, last) else {
            return Verdict::Nothing;
        };
        let selected = |of: &ChronySource| of.state == ChronySourceState::Selected;
        if !reading.sources.iter().any(selected) {
            return Verdict::Rejected(Rejection::Unsynchronised);
        }
        let taken = taken(reading.reference_time, last, at, clock);
        // No clock of now dates an update of before a step.
        let taken = if self.stepped == Some(clock.mono) {
            taken.min(last)
        } else {
            taken
        };
        Verdict::Measured(Measurement {
            source: SourceKind::Chrony,
            taken,
            // What is still to be corrected is positive where the clock is slow.
            offset_ns: reading.correction_ns.saturating_neg(),
            uncertainty_ns: reading.root_dispersion_ns,
            asymmetry_ns: reading.root_delay_ns / 2,
            interval_ns: interval_ns(reading),
        })
    }
}

/// The instant of an update. It may lie before the last look, for chronyd dates it by its sample; one that
/// has not been yet tells of a clock that moved, and was there at the last look at the earliest.
fn taken(update: UtcNs, last: MonoNs, at: MonoNs, clock: &ClockSample) -> MonoNs {
    let mono_ns = i128::from(update.0) - clock.difference_ns();
    let has_been = mono_ns <= i128::from(at.0) + i128::from(INGRESS_SLACK_NS);
    let taken = u64::try_from(mono_ns).ok().filter(|_| has_been);
    taken.map_or(last, |taken| MonoNs(taken.min(at.0)))
}

/// How often the selected source is asked; the last update's interval where none is selected.
fn interval_ns(reading: &ChronyReading) -> u64 {
    let selected = reading
        .sources
        .iter()
        .find(|source| source.state == ChronySourceState::Selected)
        .and_then(|source| u32::try_from(source.log_poll).ok())
        .and_then(|power| 1_000_000_000u64.checked_shl(power.min(17)));
    let ns = selected.unwrap_or(reading.update_interval_ms.saturating_mul(1_000_000));
    ns.clamp(CHRONY_INTERVAL_NS_MIN, CHRONY_INTERVAL_NS_MAX)
}
