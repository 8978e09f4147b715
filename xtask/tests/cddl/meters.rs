//! What meters are judged to be, and what their memories hold.

use super::{AT, DIGEST, SLOT, meter, source};
use evidence::kinds::{Backfill, ClockOrder, ClockSet, MeterLife, Opaque};
use evidence::reasons::{BackfillOutcome, ClockClass, ClockOutcome, ClockReason, MeterFinding};
use evidence::{Actor, Blob, CommitId, Payload, PointId, Quality, ScheduleId, Seq, Slot};

pub(super) fn life(full: bool) -> Payload {
    MeterLife {
        at: AT,
        meter_id: meter(),
        source: source(),
        seq: Seq(70_000),
        finding: MeterFinding::Clock,
        point_id: full.then(|| PointId::new("energy").unwrap()),
        before: full.then(|| "99999.9".parse().unwrap()),
        before_seq: full.then_some(Seq(69_999)),
        value: full.then(|| "0.4".parse().unwrap()),
        about_seq: full.then_some(Seq(69_998)),
        about_value: full.then(|| "-1".parse().unwrap()),
        serial_before: full.then(|| "12345678 LUG".into()),
        serial: full.then(|| "12345679 LUG".into()),
        offset_ns: full.then_some(-1_000_000_000),
        bound_ns: full.then_some(500_000_000),
        clock_class: full.then_some(ClockClass::From1H),
        contract: CommitId(3),
    }
    .into()
}

pub(super) fn opaque(full: bool) -> Payload {
    let bytes = Blob(vec![0xDB; if full { 8 * 1_024 } else { 0 }]);
    Opaque {
        at: AT,
        meter_id: meter(),
        point_id: PointId::new("profile").unwrap(),
        source: source(),
        seq: Seq(70_000),
        slot: full.then_some(SLOT),
        attempt: 1,
        content_type: "application/x-dlms-apdu".into(),
        length_bytes: 8 * 1_024,
        sha256: DIGEST,
        bytes,
        quality: Quality::GOOD,
        contract: CommitId(3),
    }
    .into()
}

pub(super) fn backfill(full: bool) -> Payload {
    Backfill {
        at: AT,
        meter_id: meter(),
        source: source(),
        schedule: ScheduleId::new("quarter").unwrap(),
        slot: Slot {
            version: 2,
            number: 2_000_000,
        },
        outcome: match full {
            true => BackfillOutcome::Found,
            false => BackfillOutcome::Absent,
        },
        point_id: full.then(|| PointId::new("energy").unwrap()),
        meter_time_s: full.then_some(1_800_000_000),
        record: full.then_some(95),
        raw: full.then(|| Blob(vec![0, 1, 2, 3])),
        value: full.then(|| "661.51".parse().unwrap()),
        quality: Quality::GOOD,
        contract: CommitId(3),
    }
    .into()
}

pub(super) fn clock_order() -> Payload {
    ClockOrder {
        at: AT,
        meter_id: meter(),
        actor: Actor::local("ada", 1000),
        reason: "it runs off".into(),
    }
    .into()
}

pub(super) fn clock_set(full: bool) -> Payload {
    let (outcome, reason) = match full {
        true => (ClockOutcome::Failed, ClockReason::Declined),
        false => (ClockOutcome::Unknown, ClockReason::Interrupted),
    };
    ClockSet {
        at: AT,
        meter_id: meter(),
        source: source(),
        order: CommitId(9),
        outcome,
        reason,
        meter_time_s: full.then_some(1_800_000_000),
        sent_at: full.then_some(AT),
        exception: full.then_some(2),
        contract: CommitId(3),
    }
    .into()
}
