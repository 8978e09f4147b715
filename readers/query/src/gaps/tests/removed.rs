//! Meters that leave the contract and come back.

use super::{Log, meter, slot};
use evidence::kinds::SeqSkip;
use evidence::reasons::{GapClass, MarkerKind, SkipCause};
use evidence::{MonoNs, Seq};

fn skip(log: &mut Log, first: u64, count: u64, cause: SkipCause) {
    log.put(SeqSkip {
        at: MonoNs(0),
        meter_id: meter("m1"),
        first: Seq(first),
        count,
        cause,
    });
}

/// A log in which `m1` is read, taken out and read again; then `change` has its way.
fn log(change: impl FnOnce(&mut Log)) -> Log {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 100));
    log.read("m1", 0, slot(1, 100));
    log.read("m2", 0, slot(1, 100));
    change(&mut log);
    log.read("m2", 1, slot(1, 101));
    log.marker(MarkerKind::Heartbeat, slot(1, 101));
    log
}

//= A4.2
//= A4.3
#[test]
fn a_meter_that_returns_owes_no_number_of_the_time_between() {
    let log = log(|log| {
        skip(log, 1, 1_023, SkipCause::Removed);
        skip(log, 70_000, 1, SkipCause::Begun);
        log.read("m1", 70_001, slot(1, 101));
    });
    let report = log.report();
    assert!(report.seq_findings.is_empty(), "{:?}", report.seq_findings);
}

//= A4.3
#[test]
fn what_is_lost_before_the_end_or_behind_the_return_is_missing() {
    let lost_before = log(|log| {
        skip(log, 5, 1_019, SkipCause::Removed);
        skip(log, 70_000, 1, SkipCause::Begun);
        log.read("m1", 70_001, slot(1, 101));
    });
    let lost_behind = log(|log| {
        skip(log, 1, 1_023, SkipCause::Removed);
        skip(log, 70_000, 1, SkipCause::Begun);
        log.read("m1", 70_004, slot(1, 101));
    });
    // Nothing says that it ended: then nothing says that it owed nothing.
    let never_ended = log(|log| {
        skip(log, 70_000, 1, SkipCause::Begun);
        log.read("m1", 70_001, slot(1, 101));
    });
    for (log, first, count) in [
        (lost_before, 1, 4),
        (lost_behind, 70_001, 3),
        (never_ended, 1, 69_999),
    ] {
        let found = log.report().seq_findings;
        let [one] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((one.first, one.count), (first, count));
        assert_eq!(one.class, GapClass::Unexplained);
    }
}
