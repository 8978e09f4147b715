//! What follows from the fields of a kind, and what an entry of it is before anything is added.

use super::{Backfill, EpochStart, MeterLife, TimeMap};
use crate::Quality;
use crate::ids::{BootId, CommitId, MeterId, ScheduleId, Seq, Slot, SourceId};
use crate::reasons::{
    BackfillOutcome, EpochCause, HoldoverReason, MeterFinding, TimeQuality, TimeStatus, TruthClass,
};
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
    /// The start of an epoch that found nothing to roll forward, to drop or to follow; what else it found is added to it.
    #[must_use]
    pub const fn new(
        at: MonoNs,
        cause: EpochCause,
        boot_id: BootId,
        truth_class: TruthClass,
    ) -> Self {
        Self {
            at,
            cause,
            boot_id,
            truth_class,
            truth_degraded: false,
            rolled_forward: 0,
            dropped_bytes: 0,
            scan_bytes: 0,
            recovery_us: 0,
            predecessor: None,
        }
    }

    /// Whether the log was left without an orderly stop before this epoch.
    #[must_use]
    pub fn after_crash(&self) -> bool {
        matches!(
            self.cause,
            EpochCause::Recovery | EpochCause::WriteFailure | EpochCause::TruthLost
        )
    }
}

impl MeterLife {
    /// A finding about nothing in particular; what else it has is added to it.
    #[must_use]
    pub const fn new(
        at: MonoNs,
        meter_id: MeterId,
        source: SourceId,
        seq: Seq,
        finding: MeterFinding,
        contract: CommitId,
    ) -> Self {
        Self {
            at,
            meter_id,
            source,
            seq,
            finding,
            point_id: None,
            before: None,
            before_seq: None,
            value: None,
            about_seq: None,
            about_value: None,
            serial_before: None,
            serial: None,
            offset_ns: None,
            bound_ns: None,
            clock_class: None,
            contract,
        }
    }
}

impl Backfill {
    /// A missed slot of which the memory has nothing; what it has is added to it.
    #[must_use]
    pub const fn absent(
        at: MonoNs,
        meter_id: MeterId,
        source: SourceId,
        schedule: ScheduleId,
        slot: Slot,
        contract: CommitId,
    ) -> Self {
        Self {
            at,
            meter_id,
            source,
            schedule,
            slot,
            outcome: BackfillOutcome::Absent,
            point_id: None,
            meter_time_s: None,
            record: None,
            raw: None,
            value: None,
            quality: Quality::GOOD,
            contract,
        }
    }
}
