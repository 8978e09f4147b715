//! What follows from the fields of a kind.

use super::{EpochStart, TimeMap};
use crate::reasons::{EpochCause, HoldoverReason, TimeQuality, TimeStatus};
use crate::time::{MonoNs, TimeDetail, UtcNs};
use alloc::string::String;

impl TimeMap {
    /// The map to use before the time process has spoken: the node's clock, and nothing to say for it.
    #[must_use]
    pub fn absent(as_of: MonoNs, utc: UtcNs) -> Self {
        Self {
            at: as_of,
            as_of,
            utc,
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            bound_growth_ppb: 0,
            valid_until: MonoNs(u64::MAX),
            detail: TimeDetail::Holdover(HoldoverReason::TimePlaneAbsent),
            basis: String::from("kernel clock"),
            initial_ns: None,
            frequency_ns: None,
            temperature_ns: None,
            ageing_ns: None,
            asymmetry_ns: None,
            drift_budget: None,
            sync_age_ns: None,
        }
    }
}

impl EpochStart {
    /// Whether the log was left without an orderly stop before this epoch.
    #[must_use]
    pub fn after_crash(&self) -> bool {
        matches!(
            self.cause,
            EpochCause::Recovery | EpochCause::WriteFailure | EpochCause::TruthLost
        )
    }
}
