//! chronyd: a measurement is an update of its clock that was not there before, or a new sample of the source it
//! follows that bears out what it says of its clock.
//!
//! Its leap status stays "normal" while every source is silent. What is honest is the time of the last update or
//! sample, and a root dispersion that grows from the update on. Where polls are short, chronyd updates its clock with
//! one sample in several: the others measure it all the same.

use super::measurement::{Measurement, Rejection, Verdict};
use crate::limits::{CHRONY_INTERVAL_NS_MAX, CHRONY_INTERVAL_NS_MIN, INGRESS_SLACK_NS};
use crate::reading::{ChronyReading, ChronySource, ChronySourceState, SourceKind};
use crate::sample::ClockSample;
use alloc::string::String;
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
    /// The source that was followed, and the error of its last sample. That is the sample's own and does not change as
    /// the sample ages: another one is of another sample.
    sample: Option<(String, u64)>,
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
            sample: None,
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
        let source = selected(reading);
        let sample = source.map(|source| (source.name.clone(), source.error_ns));
        let sampled = match (&self.sample, &sample) {
            (Some((before, old_ns)), Some((name, new_ns))) => before == name && old_ns != new_ns,
            _ => false,
        };
        self.sample = sample;
        if reading.stratum == 0 || reading.stratum > self.policy.stratum_max {
            return Verdict::Rejected(Rejection::Unsynchronised);
        }
        if reading.reference == LOCAL_REFERENCE {
            return Verdict::Rejected(Rejection::LocalReference);
        }
        let (true, Some(last)) = (moved || sampled, last) else {
            return Verdict::Nothing;
        };
        let Some(source) = source else {
            // It kept its last word of a source that it follows no more.
            return match moved {
                true => Verdict::Rejected(Rejection::Unsynchronised),
                false => Verdict::Nothing,
            };
        };
        let measured = |taken| Measurement {
            source: SourceKind::Chrony,
            taken,
            offset_ns: offset_ns(reading),
            uncertainty_ns: reading.root_dispersion_ns,
            asymmetry_ns: reading.root_delay_ns / 2,
            interval_ns: interval_ns(reading),
        };
        let stepped = self.stepped == Some(clock.mono);
        if !moved {
            let sample = measured(sampled_at(source, reading, last, at));
            // Whether it was taken before the step nobody knows.
            return match bears_out(source, &sample) && !stepped {
                true => Verdict::Measured(sample),
                false => Verdict::Nothing,
            };
        }
        let taken = taken(reading.reference_time, last, at, clock);
        // No clock of now dates an update of before a step.
        Verdict::Measured(measured(if stepped { taken.min(last) } else { taken }))
    }
}

/// The source that chronyd follows.
fn selected(reading: &ChronyReading) -> Option<&ChronySource> {
    let is_selected = |of: &&ChronySource| of.state == ChronySourceState::Selected;
    reading.sources.iter().find(is_selected)
}

/// The node's clock against the source's: what is still to be corrected is positive where the clock is slow.
const fn offset_ns(reading: &ChronyReading) -> i64 {
    reading.correction_ns.saturating_neg()
}

/// Whether a sample allows what chronyd says of its clock.
fn bears_out(source: &ChronySource, said: &Measurement) -> bool {
    let apart_ns = i128::from(source.offset_ns) - i128::from(said.offset_ns);
    let allowed_ns = u128::from(source.error_ns)
        + u128::from(said.uncertainty_ns)
        + u128::from(said.asymmetry_ns);
    apart_ns.unsigned_abs() <= allowed_ns
}

/// The earliest that a sample was taken which was not there at the last look: it came since then, after as long on
/// its way as any message, and its age is given in whole seconds.
fn sampled_at(source: &ChronySource, reading: &ChronyReading, last: MonoNs, at: MonoNs) -> MonoNs {
    let age_s = u64::from(source.last_sample_age_s.unwrap_or(u32::MAX));
    let age_ns = age_s.saturating_add(1).saturating_mul(1_000_000_000);
    let by_age_ns = at.0.saturating_sub(age_ns);
    let by_look_ns = last.0.saturating_sub(reading.root_delay_ns);
    MonoNs(by_age_ns.max(by_look_ns))
}

/// The instant of an update. It may lie before the last look, for chronyd dates it by its sample, and before the boot, which
/// is as early as the clock of instants goes; one that has not been yet tells of a clock that moved, and was there at the last look at the earliest.
fn taken(update: UtcNs, last: MonoNs, at: MonoNs, clock: &ClockSample) -> MonoNs {
    let mono_ns = i128::from(update.0) - clock.difference_ns();
    let has_been = mono_ns <= i128::from(at.0) + i128::from(INGRESS_SLACK_NS);
    let taken = u64::try_from(mono_ns.max(0)).ok().filter(|_| has_been);
    taken.map_or(last, |taken| MonoNs(taken.min(at.0)))
}

/// How often the selected source is asked; the last update's interval where none is selected.
fn interval_ns(reading: &ChronyReading) -> u64 {
    let selected = selected(reading)
        .and_then(|source| u32::try_from(source.log_poll).ok())
        .and_then(|power| 1_000_000_000u64.checked_shl(power.min(17)));
    let ns = selected.unwrap_or(reading.update_interval_ms.saturating_mul(1_000_000));
    ns.clamp(CHRONY_INTERVAL_NS_MIN, CHRONY_INTERVAL_NS_MAX)
}
