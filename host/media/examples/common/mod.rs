//! What the measurements write into a log, and the clock that they read.

use evidence::kinds::Reading;
use evidence::reasons::{HoldoverReason, TimeQuality, TimeStatus};
use evidence::{
    Blob, BootId, Captured, CommitId, Generation, LogId, MeterId, MonoNs, PointId, Quality, Seq,
    Slot, SourceId, Stamp, TimeDetail, UtcNs,
};
use journal::{OpenInput, Options};
use rustix::time::{ClockId, clock_gettime};

/// A log of which anything may leave.
pub(crate) const INPUT: OpenInput = OpenInput {
    log_id: LogId([1; 16]),
    generation: Generation(1),
    boot_id: BootId([2; 16]),
    options: Options {
        retain_uncosigned: false,
        retain_unkept: false,
        read_back_every: 0,
    },
};

/// The next reading of a meter.
pub(crate) fn reading(seq: &mut u64) -> (Stamp, Captured) {
    *seq += 1;
    let stamp = Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    let id = "an identifier of this example";
    let reading = Reading {
        at: MonoNs(*seq),
        meter_id: MeterId::new("meter-07").expect(id),
        point_id: PointId::new("energy").expect(id),
        source: SourceId::new("rs485-1").expect(id),
        seq: Seq(*seq),
        slot: Some(Slot {
            version: 1,
            number: *seq,
        }),
        attempt: 0,
        raw: Blob(vec![0, 1, 2, 3]),
        value: "655.38".parse().ok(),
        quality: Quality::GOOD,
        contract: CommitId(1),
    };
    (stamp, Captured::new(&reading.into()))
}

/// Nanoseconds of the monotonic clock.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
