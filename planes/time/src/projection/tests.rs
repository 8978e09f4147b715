//! Every stamp against every other: a worse one never gets a better code.

use super::{ACCURACY_UNSPECIFIED, c37118, dnp3, iec104_iv, iec61850};
use alloc::vec::Vec;
use evidence::reasons::{HoldoverReason, OffsetBucket, TimeQuality, TimeStatus};
use evidence::{Stamp, TimeDetail, UtcNs};

const LIMIT_NS: u64 = 1_000_000;
/// Of a bound, from the best to the worst: both sides of every edge of every code.
fn bounds() -> Vec<Option<u64>> {
    let decades = (0..=11).map(|power| 10_u64.pow(power));
    let halves = (0..=24).map(|bits| 1_000_000_000_u64 >> bits);
    let mut edges: Vec<u64> = decades
        .chain(halves)
        .flat_map(|edge| [edge - 1, edge, edge + 1])
        .chain([0, u64::MAX])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges.into_iter().map(Some).chain([None]).collect()
}

/// Quality and status, from the best to the worst.
const STANDINGS: [(TimeQuality, TimeStatus); 12] = {
    use TimeQuality::{Holdover as QHoldover, RtcOnly, Synced};
    use TimeStatus::{Acquiring, FreeRun, Holdover, Locked};
    [
        (Synced, Locked),
        (Synced, Holdover),
        (Synced, Acquiring),
        (Synced, FreeRun),
        (QHoldover, Locked),
        (QHoldover, Holdover),
        (QHoldover, Acquiring),
        (QHoldover, FreeRun),
        (RtcOnly, Locked),
        (RtcOnly, Holdover),
        (RtcOnly, Acquiring),
        (RtcOnly, FreeRun),
    ]
};

/// Details in groups, the better first: a clock that was set by nobody knows whom is the worst.
fn details() -> Vec<TimeDetail> {
    let offsets = OffsetBucket::ALL
        .iter()
        .map(|bucket| TimeDetail::Offset(*bucket));
    let (stepped, others): (Vec<HoldoverReason>, Vec<HoldoverReason>) = HoldoverReason::ALL
        .iter()
        .copied()
        .partition(|reason| *reason == HoldoverReason::ClockStepped);
    offsets
        .chain(others.into_iter().chain(stepped).map(TimeDetail::Holdover))
        .collect()
}

fn stamp(standing: usize, bound_ns: Option<u64>, detail: TimeDetail) -> Stamp {
    let (quality, status) = STANDINGS[standing];
    Stamp {
        timestamp: UtcNs(0),
        quality,
        status,
        bound_ns,
        detail,
    }
}

/// All codes of a stamp as badness: each number is larger where the code is worse.
fn badness(stamp: &Stamp) -> [u8; 9] {
    let dnp3 = dnp3(stamp, LIMIT_NS);
    let iec61850 = iec61850(stamp, true);
    let c37 = c37118(stamp, Some(0));
    [
        u8::from(iec104_iv(stamp, LIMIT_NS)),
        u8::from(dnp3.cto_unsynchronised),
        u8::from(dnp3.need_time),
        u8::from(iec61850.clock_failure),
        u8::from(iec61850.clock_not_synchronised),
        match iec61850.accuracy {
            ACCURACY_UNSPECIFIED => 25,
            bits => 24 - bits,
        },
        c37.msg_tq,
        c37.pmu_tq,
        c37118(stamp, None).unlocked,
    ]
}

fn check_not_better(worse: &Stamp, than: &Stamp) {
    for (place, (worse_code, code)) in badness(worse).iter().zip(badness(than)).enumerate() {
        assert!(
            *worse_code >= code,
            "code {place}: {worse:?} looks better than {than:?}"
        );
    }
}

//= A8.4
#[test]
fn a_worse_stamp_never_gets_a_better_code() {
    let (bounds, details) = (bounds(), details());
    let mut compared = 0_u32;
    for standing in 0..STANDINGS.len() {
        for (nth_bound, bound_ns) in bounds.iter().enumerate() {
            for (nth_detail, detail) in details.iter().enumerate() {
                let here = stamp(standing, *bound_ns, *detail);
                // Worse in one step each; the order follows for every two by their chain.
                if standing + 1 < STANDINGS.len() {
                    check_not_better(&stamp(standing + 1, *bound_ns, *detail), &here);
                    compared += 1;
                }
                if let Some(wider) = bounds.get(nth_bound + 1) {
                    check_not_better(&stamp(standing, *wider, *detail), &here);
                    compared += 1;
                }
                if let Some(worse) = details.get(nth_detail + 1) {
                    check_not_better(&stamp(standing, *bound_ns, *worse), &here);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 40_000, "{compared}");
}

//= A8.4
#[test]
fn a_clock_that_nobody_confirmed_is_good_in_no_protocol() {
    for (nth, (quality, _)) in STANDINGS.iter().enumerate() {
        for bound_ns in bounds() {
            for detail in details() {
                let stamp = stamp(nth, bound_ns, detail);
                let locked = nth == 0;
                if *quality == TimeQuality::RtcOnly || bound_ns.is_none() {
                    assert!(iec104_iv(&stamp, u64::MAX));
                    assert!(dnp3(&stamp, u64::MAX).cto_unsynchronised);
                    assert_eq!(dnp3(&stamp, u64::MAX).need_time, !locked);
                }
                assert_eq!(iec61850(&stamp, false).clock_not_synchronised, !locked);
                assert_eq!(
                    c37118(&stamp, None).msg_tq == 0,
                    locked && bound_ns.is_some()
                );
            }
        }
    }
}

#[test]
fn a_holdover_within_the_limit_is_still_good_time_and_behind_it_is_not() {
    let detail = TimeDetail::Holdover(HoldoverReason::SourceLost);
    let holdover = |bound_ns| stamp(5, Some(bound_ns), detail);
    assert!(!iec104_iv(&holdover(LIMIT_NS), LIMIT_NS));
    assert!(!dnp3(&holdover(LIMIT_NS), LIMIT_NS).need_time);
    assert!(iec104_iv(&holdover(LIMIT_NS + 1), LIMIT_NS));
    let behind = dnp3(&holdover(LIMIT_NS + 1), LIMIT_NS);
    assert!(behind.need_time && behind.cto_unsynchronised);
    let quality = iec61850(&holdover(1_000), true);
    assert_eq!(quality.octet(), 0x80 | 0x20 | 19);
    let c37 = c37118(&holdover(1_000), Some(11_000_000_000));
    assert_eq!((c37.msg_tq, c37.pmu_tq, c37.unlocked), (4, 3, 1));
}
