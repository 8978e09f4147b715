//! Clocks that run, slew, step and are read badly.

use super::{Engine, OfferPolicy, Policy, Statement};
use crate::drift::OscillatorClass;
use crate::fresh::{ChronyPolicy, PtpPolicy};
use crate::limits::{JOURNAL_INTERVAL_NS, READ_UNCERTAINTY_NS_MAX};
use crate::sample::{ClockComparison, ClockSample, KernelStatus};
use crate::table::{Change, TABLE, offset_bucket};
use crate::tests::{UTC_0, comparison};
use evidence::limits::STATEMENT_VALID_NS;
use evidence::reasons::{
    EventCode, HoldoverReason, OffsetBucket, TimeCause, TimeQuality, TimeStatus,
};
use evidence::{MonoNs, SourceId, TimeDetail, UtcNs};
use proptest::prelude::{any, prop_assert, proptest};
use std::vec::Vec;

mod before;
mod chronyd;
mod claims;
mod faults;
mod loss;
mod offered;
mod own_moves;
mod phc2sys;
mod scatter;
mod sources;
mod world;

const SECOND_NS: u64 = 1_000_000_000;

pub(super) fn policy() -> Policy {
    Policy {
        limit_ns: 1_000_000,
        oscillator: OscillatorClass::Xo,
        ptp: PtpPolicy::default(),
        chrony: ChronyPolicy::default(),
        offered: OfferPolicy::default(),
        floor: UtcNs(0),
    }
}

impl Engine {
    /// A look at which no source was asked.
    fn observe(&mut self, now: &ClockComparison, clock_set: bool) -> Option<Statement> {
        match self.compare(now, clock_set) {
            true => self.conclude(),
            false => None,
        }
    }
}

fn engine() -> Engine {
    Engine::new(SourceId::new("time").unwrap(), policy())
}

/// The clocks so long after the start, UTC moved.
fn sample(at_ns: u64, moved_ns: i64) -> ClockComparison {
    let mut now = comparison(5 * SECOND_NS + at_ns);
    now.sample.utc = UtcNs(UTC_0 + i64::try_from(at_ns).unwrap() + moved_ns);
    now
}

fn started() -> Engine {
    let mut engine = engine();
    engine.observe(&sample(0, 0), false).unwrap();
    engine
}

/// One second after the start, what does a movement by `moved_ns` lead to?
fn after_a_second(moved_ns: i64, signalled: bool) -> Statement {
    started()
        .observe(&sample(SECOND_NS, moved_ns), signalled)
        .unwrap()
}

//= A8.4
//= A2.2
#[test]
fn a_clock_without_a_source_is_rtc_only_and_says_so() {
    let statement = engine().observe(&sample(0, 0), false).unwrap();
    assert_eq!((statement.change, statement.journal), (Change::Start, true));
    assert_eq!(statement.events, Vec::new());
    let stamp = statement.map.evaluate(MonoNs(6 * SECOND_NS));
    assert_eq!(stamp.timestamp, UtcNs(UTC_0 + 1_000_000_000));
    assert_eq!(stamp.quality, TimeQuality::RtcOnly);
    assert_eq!(stamp.status, TimeStatus::FreeRun);
    assert_eq!(stamp.bound_ns, None);
    assert_eq!(
        stamp.detail,
        TimeDetail::Holdover(HoldoverReason::NeverSynchronised)
    );
}

//= A8.4
#[test]
fn a_statement_runs_out_after_three_missed_samples() {
    let map = started().observe(&sample(SECOND_NS, 0), false).unwrap().map;
    assert_eq!(map.valid_until, map.as_of.plus_ns(STATEMENT_VALID_NS));
    assert_eq!(STATEMENT_VALID_NS, 3 * SECOND_NS);
    let late = map.evaluate(map.valid_until.plus_ns(1));
    assert_eq!(
        late.detail,
        TimeDetail::Holdover(HoldoverReason::TimePlaneSilent)
    );
}

//= A8.4
//= R11.3
#[test]
fn a_flag_of_the_kernel_is_no_claim() {
    let mut flagged = sample(0, 0);
    flagged.sample.kernel = Some(KernelStatus {
        flag_synchronised: true,
        frequency_ppt: -13_000_000,
        ..KernelStatus::default()
    });
    let statement = engine().observe(&flagged, false).unwrap();
    assert_eq!(statement.map.quality, TimeQuality::RtcOnly);
    assert!(statement.map.basis.contains("no source was measured"));
}

//= A8.5
#[test]
fn a_step_is_told_from_coarse_readings_by_one_threshold() {
    // 1 ms of threshold, 400 ns of reading.
    let table: [(i64, Change); 8] = [
        (0, Change::Steady),
        (500_000, Change::Steady),
        (1_000_400, Change::Steady),
        (1_000_401, Change::Step),
        (-1_000_400, Change::Steady),
        (-1_000_401, Change::Step),
        (3_600_000_000_000, Change::Step),
        (-1_700_000_000_000_000_000, Change::Step),
    ];
    for (moved_ns, expected) in table {
        let statement = after_a_second(moved_ns, false);
        assert_eq!(statement.change, expected, "{moved_ns}");
        assert_eq!(statement.journal, expected == Change::Step, "{moved_ns}");
        assert_eq!(
            statement.events.len(),
            usize::from(expected == Change::Step)
        );
    }
}

//= A8.5
//= A4.5
#[test]
fn a_step_is_an_event_with_magnitude_direction_and_reason() {
    let table: [(i64, bool, u64, &str); 4] = [
        (
            2_000_000,
            false,
            2_000_000,
            "forward by 2000000 ns (<10ms), within the last 1000 ms, seen by comparing the clocks: no source moved, no daemon corrected, nobody said so: nothing seen explains it",
        ),
        (
            -3_600_000_000_000,
            false,
            3_600_000_000_000,
            "backward by 3600000000000 ns (>=1s), within the last 1000 ms, seen by comparing the clocks: no source moved, no daemon corrected, nobody said so: nothing seen explains it",
        ),
        // What the kernel signals is an event however small it is.
        (
            250_004,
            true,
            250_004,
            "forward by 250004 ns (<1ms), within the last 1000 ms, signalled by the kernel: a program or person set the clock; no source had asked for it",
        ),
        (
            0,
            true,
            0,
            "forward by 0 ns (<1us), within the last 1000 ms, signalled by the kernel: a program or person set the clock; no source had asked for it",
        ),
    ];
    for (moved_ns, signalled, count, detail) in table {
        let statement = after_a_second(moved_ns, signalled);
        assert_eq!(statement.events.len(), 1);
        let event = &statement.events[0];
        assert_eq!(event.code, EventCode::TimeStep);
        let cause = if signalled {
            TimeCause::SetByProgram
        } else {
            TimeCause::Unexplained
        };
        assert_eq!(event.time_cause, Some(cause));
        assert_eq!(event.count, Some(count));
        assert_eq!(event.detail.as_deref(), Some(detail));
        assert_eq!(event.at, MonoNs(6 * SECOND_NS));
        assert!(statement.journal);
    }
}

//= A8.4
//= A8.5
//= A2.2
#[test]
fn stamps_before_a_step_stay_and_later_ones_use_the_stepped_clock() {
    let mut engine = started();
    let before = engine.observe(&sample(SECOND_NS, 0), false).unwrap();
    let instant = MonoNs(6 * SECOND_NS + 400);
    let frozen = before.map.evaluate(instant);
    let after = engine
        .observe(&sample(2 * SECOND_NS, -60_000_000_000), false)
        .unwrap();
    assert_eq!(frozen.timestamp, UtcNs(UTC_0 + 1_000_000_400));
    assert_eq!(
        frozen.detail,
        TimeDetail::Holdover(HoldoverReason::NeverSynchronised)
    );
    let later = after.map.evaluate(MonoNs(7 * SECOND_NS));
    assert_eq!(
        later.timestamp,
        UtcNs(UTC_0 + 2_000_000_000 - 60_000_000_000)
    );
    assert_eq!(
        later.detail,
        TimeDetail::Holdover(HoldoverReason::ClockStepped)
    );
    // Nothing confirms the clock later by itself.
    let steady = engine
        .observe(&sample(3 * SECOND_NS, -60_000_000_000), false)
        .unwrap();
    assert_eq!((steady.change, steady.journal), (Change::Steady, false));
    assert_eq!(steady.map.detail, later.detail);
    assert_eq!(engine.counters().steps, 1);
}

//= A8.5
#[test]
fn a_clock_pushed_forward_in_small_moves_is_caught() {
    let mut engine = started();
    let mut steps = 0;
    for second in 1..=10 {
        // Half a millisecond each second: never a step by itself.
        let moved_ns = 500_000 * i64::try_from(second).unwrap();
        let statement = engine
            .observe(&sample(second * SECOND_NS, moved_ns), false)
            .unwrap();
        steps += statement.events.len();
    }
    assert!((3..=6).contains(&steps), "{steps}");
}

#[test]
fn the_map_becomes_an_entry_hourly() {
    let mut engine = started();
    let at = |engine: &mut Engine, at_ns| {
        let statement = engine.observe(&sample(at_ns, 0), false).unwrap();
        (statement.change, statement.journal)
    };
    let hour = JOURNAL_INTERVAL_NS;
    assert_eq!(at(&mut engine, hour - 1), (Change::Steady, false));
    assert_eq!(at(&mut engine, hour), (Change::Interval, true));
    assert_eq!(at(&mut engine, hour + SECOND_NS), (Change::Steady, false));
}

/// The time process was away, or the machine too busy for it: the longer that took, the more a slew would
/// explain, if there were any between these two clocks.
//= A8.5
#[test]
fn a_step_behind_a_pause_is_no_slew() {
    let mut engine = started();
    let later = sample(JOURNAL_INTERVAL_NS / 2, 20_000_000);
    let statement = engine.observe(&later, false).unwrap();
    assert_eq!(statement.change, Change::Step);
}

#[test]
fn what_the_kernel_says_of_its_clock_is_written_down_when_it_changes() {
    let mut engine = started();
    let flagged = |at_ns, flag_synchronised| {
        let mut now = sample(at_ns, 0);
        now.sample.kernel = Some(KernelStatus {
            flag_synchronised,
            ..KernelStatus::default()
        });
        now
    };
    let table = [
        (1, true, Change::KernelStatus),
        (2, true, Change::Steady),
        (3, false, Change::KernelStatus),
        (4, false, Change::Steady),
    ];
    for (second, flag, expected) in table {
        let statement = engine
            .observe(&flagged(second * SECOND_NS, flag), false)
            .unwrap();
        assert_eq!(statement.change, expected, "{second}");
        assert_eq!(statement.events, Vec::new());
    }
}

/// Every second another one, for two hours; what it says in the end is in the log.
#[test]
fn a_flag_of_the_kernel_that_flaps_does_not_fill_the_log() {
    let mut engine = started();
    let mut written = Vec::new();
    for second in 1..=7_500u64 {
        let mut now = sample(second * SECOND_NS, 0);
        let flag_synchronised = second < 7_201 && second.is_multiple_of(2);
        now.sample.kernel = Some(KernelStatus {
            flag_synchronised,
            ..KernelStatus::default()
        });
        let statement = engine.observe(&now, false).unwrap();
        if statement.journal {
            written.push(flag_synchronised);
        }
    }
    assert!((32..80).contains(&written.len()), "{}", written.len());
    assert_eq!(written.last(), Some(&false));
}

//= A8.5
#[test]
fn a_bad_sample_says_nothing_and_the_signal_that_came_with_it_is_kept() {
    let mut engine = started();
    let mut bad = sample(SECOND_NS, 0);
    bad.sample.read_uncertainty_ns = READ_UNCERTAINTY_NS_MAX + 1;
    assert_eq!(engine.observe(&bad, true), None);
    assert_eq!(engine.observe(&sample(0, 0), false), None);
    let statement = engine
        .observe(&sample(2 * SECOND_NS, 7_000), false)
        .unwrap();
    assert_eq!(statement.change, Change::ClockSet);
    assert_eq!(statement.events[0].count, Some(7_000));
    let counters = engine.counters();
    assert_eq!((counters.samples, counters.samples_rejected), (2, 2));
    assert_eq!(counters.steps, 1);
}

#[test]
fn the_table_has_every_change_once_and_an_event_is_never_without_its_map() {
    let changes: Vec<Change> = TABLE.iter().map(|row| row.change).collect();
    assert_eq!(changes, Change::ALL);
    for (place, row) in TABLE.iter().enumerate() {
        assert!(
            !TABLE[place + 1..]
                .iter()
                .any(|later| later.change == row.change)
        );
        assert!(row.journal || !row.event, "{row:?}");
    }
    assert_eq!(TABLE.last().unwrap().change, Change::Steady);
}

#[test]
fn buckets_have_the_borders_they_name() {
    let table = [
        (0, OffsetBucket::Below1Us),
        (999, OffsetBucket::Below1Us),
        (1_000, OffsetBucket::Below10Us),
        (10_000, OffsetBucket::Below100Us),
        (100_000, OffsetBucket::Below1Ms),
        (999_999, OffsetBucket::Below1Ms),
        (1_000_000, OffsetBucket::Below10Ms),
        (10_000_000, OffsetBucket::Below100Ms),
        (100_000_000, OffsetBucket::Below1S),
        (1_000_000_000, OffsetBucket::FromOneS),
    ];
    for (magnitude_ns, expected) in table {
        assert_eq!(offset_bucket(magnitude_ns), expected, "{magnitude_ns}");
    }
}

proptest! {
    /// Whatever the host reads, the map says what the clock said, and steps come with their map.
    #[test]
    fn any_samples_are_survived(
        samples in proptest::collection::vec(
            (any::<u64>(), any::<i64>(), any::<u64>(), any::<bool>()), 0..20,
        )
    ) {
        let mut engine = engine();
        for (mono, utc, uncertainty, signalled) in samples {
            let sample = ClockSample {
                mono: MonoNs(mono),
                utc: UtcNs(utc),
                read_uncertainty_ns: uncertainty % (2 * READ_UNCERTAINTY_NS_MAX),
                kernel: None,
            };
            let now = ClockComparison {
                sample,
                raw_ns: uncertainty,
                boot_ns: mono,
            };
            if let Some(statement) = engine.observe(&now, signalled) {
                prop_assert!(statement.map.utc_of(sample.mono) == sample.utc);
                let stepped = statement.events.iter().any(|of| of.code == EventCode::TimeStep);
                prop_assert!(!stepped || statement.journal);
            }
        }
    }
}
