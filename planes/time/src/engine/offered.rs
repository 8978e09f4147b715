//! Times that masters and the head-end send: one more source, by policy (R6.8).

use crate::fresh::Measurement;
use crate::reading::{OfferedSample, SourceKind};
use crate::sample::ClockSample;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::MonoNs;

/// Whose time is taken, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferPolicy {
    /// Who may send it; nobody where this is empty.
    pub from: Vec<String>,
    /// The most that a sample may be wrong by its own account, in nanoseconds.
    pub uncertainty_max_ns: u64,
    /// How often they send it, in nanoseconds.
    pub interval_ns: u64,
}

/// Why a time was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotNamed,
    TooUncertain,
    Contradicts,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotNamed => "the contract does not let him set the time",
            Self::TooUncertain => "it is less certain than the contract asks",
            Self::Contradicts => "it contradicts a source that holds the clock",
        })
    }
}

/// Judges a sample that was there at `at`; `holding` are the fresh measurements of other sources.
pub(super) fn judge(
    policy: &OfferPolicy,
    sample: &OfferedSample,
    at: MonoNs,
    clock: &ClockSample,
    holding: &[Measurement],
) -> Result<Measurement, Refusal> {
    if !policy.from.contains(&sample.from) {
        return Err(Refusal::NotNamed);
    }
    if sample.uncertainty_ns > policy.uncertainty_max_ns {
        return Err(Refusal::TooUncertain);
    }
    let own_ns = clock.difference_ns() + i128::from(at.0);
    let offset_ns = own_ns - i128::from(sample.utc.0);
    let limit = if offset_ns < 0 { i64::MIN } else { i64::MAX };
    let measured = Measurement {
        source: SourceKind::Offered,
        taken: at,
        offset_ns: i64::try_from(offset_ns).unwrap_or(limit),
        uncertainty_ns: sample.uncertainty_ns,
        asymmetry_ns: 0,
        interval_ns: policy.interval_ns,
    };
    let contradicted = holding
        .iter()
        .filter(|other| other.source != SourceKind::Offered)
        .any(|other| crate::arbiter::gap_ns(&measured, other) > 0);
    if contradicted {
        Err(Refusal::Contradicts)
    } else {
        Ok(measured)
    }
}
