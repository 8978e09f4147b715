//! Moves of the node's own two clocks: the kernel's, where chronyd made the step itself, and the real-time
//! clock beside it.

use super::policy;
use super::world::World;
use crate::engine::{Engine, Policy};
use crate::fresh::PtpPolicy;
use crate::limits::STEP_ANSWER_NS;
use crate::reading::{
    ChronyReading, Fault, LeapStatus, Observation, PortState, Reading, RtcReading, SourceKind,
};
use crate::sample::KernelStatus;
use crate::tests::{chrony, comparison, utc};
use evidence::kinds::Event;
use evidence::reasons::{EventCode, TimeCause};
use evidence::{MonoNs, SourceId, UtcNs};
use std::vec::Vec;

const S: u64 = 1_000_000_000;
const MS: i64 = 1_000_000;

/// A node that looks once a second.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) second: u64,
    /// What the kernel's clock was moved by.
    pub(super) own_ns: i64,
    /// What both the kernel's clocks were slewed by against the oscillator.
    pub(super) slewed_ns: i64,
    /// What the real-time clock was moved by.
    pub(super) rtc_ns: i64,
    /// Whether the kernel calls its clock held.
    pub(super) held: bool,
    pub(super) set: bool,
    pub(super) chrony: Option<ChronyReading>,
    pub(super) fault: Option<Fault>,
    pub(super) told: Vec<Event>,
    /// What the kernel corrects by.
    pub(super) frequency_ppt: i64,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            engine: Engine::new(SourceId::new("time").unwrap(), policy()),
            second: 0,
            own_ns: 0,
            slewed_ns: 0,
            rtc_ns: 0,
            held: false,
            set: false,
            chrony: None,
            fault: None,
            told: Vec::new(),
            frequency_ppt: 0,
        }
    }

    pub(super) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second += 1;
            let now_ns = self.second * S;
            let at = MonoNs(now_ns);
            let mut now = comparison(now_ns);
            now.sample.utc.0 += self.own_ns;
            now.raw_ns = now.raw_ns.saturating_add_signed(-self.slewed_ns);
            now.sample.kernel = Some(KernelStatus {
                flag_synchronised: self.held,
                frequency_ppt: self.frequency_ppt,
                ..KernelStatus::default()
            });
            assert!(self.engine.compare(&now, std::mem::take(&mut self.set)));
            let rtc = RtcReading {
                utc: UtcNs(utc(now_ns).0 + self.rtc_ns),
                read_uncertainty_ns: 500_000,
                voltage: None,
            };
            self.note(at, SourceKind::Rtc, Ok(Reading::Rtc(rtc)));
            let daemon = match (&self.fault, &self.chrony) {
                (Some(fault), _) => Some(Err(fault.clone())),
                (None, reading) => reading.clone().map(|reading| Ok(Reading::Chrony(reading))),
            };
            if let Some(outcome) = daemon {
                self.note(at, SourceKind::Chrony, outcome);
            }
            self.told.extend(self.engine.conclude().unwrap().events);
        }
    }

    fn note(&mut self, at: MonoNs, source: SourceKind, outcome: Result<Reading, Fault>) {
        self.engine.note(&Observation {
            at,
            outcome,
            source,
        });
    }

    /// chronyd took this offset into its clock just now.
    fn updates(&mut self, offset_ns: i64) {
        self.chrony = Some(ChronyReading {
            last_offset_ns: offset_ns,
            ..chrony(self.second * S)
        });
    }

    pub(super) fn step(&mut self, by_ns: i64) {
        self.own_ns += by_ns;
        self.set = true;
    }

    pub(super) fn causes(&self, code: EventCode) -> Vec<Option<TimeCause>> {
        let of = self.told.iter().filter(|event| event.code == code);
        of.map(|event| event.time_cause).collect()
    }
}

//= R1.2
//= A8.5
#[test]
fn a_step_that_chronyd_made_is_its_own_and_any_other_is_not() {
    // What chronyd then says of its last offset, and the cause.
    let cases = [
        (Some(-2 * MS), TimeCause::DaemonCorrection),
        (Some(-2 * MS - 150_000), TimeCause::DaemonCorrection),
        (Some(2 * MS), TimeCause::SetByProgram),
        (Some(-5 * MS), TimeCause::SetByProgram),
        // It has updated nothing since.
        (None, TimeCause::SetByProgram),
    ];
    for (offset_ns, cause) in cases {
        let mut bench = Bench::new();
        bench.updates(-80);
        bench.run(5);
        bench.step(2 * MS);
        if let Some(offset_ns) = offset_ns {
            bench.updates(offset_ns);
        }
        bench.run(4);
        assert_eq!(
            bench.causes(EventCode::TimeStep),
            [Some(cause)],
            "{offset_ns:?}"
        );
    }
}

/// chronyd answered a question of ours in the moment of its step: the answer is older than its finding.
//= A8.5
#[test]
fn an_answer_that_was_given_while_the_step_was_made_counts() {
    let mut bench = Bench::new();
    bench.updates(-80);
    bench.run(5);
    bench.updates(-2 * MS);
    bench.run(1);
    bench.step(2 * MS);
    bench.run(1);
    assert_eq!(
        bench.causes(EventCode::TimeStep),
        [Some(TimeCause::DaemonCorrection)]
    );
}

/// Two milliseconds in four seconds, which is what chronyd makes of them without leave to step.
//= R1.2
//= A8.5
#[test]
fn a_slew_that_chronyd_measured_before_is_its_own_and_any_other_is_not() {
    for (offset_ns, cause) in [
        (2 * MS, TimeCause::DaemonCorrection),
        (0, TimeCause::Unexplained),
    ] {
        let mut bench = Bench::new();
        bench.updates(-80);
        bench.run(12);
        bench.updates(offset_ns);
        for _ in 0..4 {
            bench.slewed_ns -= 500_000;
            bench.run(1);
            // Nothing is left to measure behind that.
            bench.updates(40);
        }
        bench.run(20);
        assert_eq!(bench.causes(EventCode::TimeSlew), [Some(cause)]);
        assert_eq!(bench.causes(EventCode::TimeStep), []);
        let slew = bench.told.iter().find(|of| of.code == EventCode::TimeSlew);
        assert!(slew.unwrap().moved_ns.unwrap() < -MS);
    }
}

//= A8.5
#[test]
fn a_step_waits_for_no_daemon_that_does_not_answer() {
    let mut bench = Bench::new();
    bench.updates(-80);
    bench.run(5);
    bench.step(2 * MS);
    // It hangs: neither an answer nor a fault yet.
    bench.chrony = None;
    bench.run(1);
    assert_eq!(bench.causes(EventCode::TimeStep), []);
    bench.run(STEP_ANSWER_NS / S);
    assert_eq!(
        bench.causes(EventCode::TimeStep),
        [Some(TimeCause::SetByProgram)]
    );
    // It is known to be gone: nothing is waited for.
    bench.fault = Some(Fault::Absent);
    bench.run(1);
    bench.step(2 * MS);
    bench.run(1);
    assert_eq!(bench.causes(EventCode::TimeStep).len(), 2);
}

//= A8.5
#[test]
fn of_two_steps_in_a_row_each_is_told() {
    let mut bench = Bench::new();
    bench.updates(-80);
    bench.run(5);
    bench.chrony = None;
    bench.step(2 * MS);
    bench.run(1);
    bench.step(-2 * MS);
    bench.updates(2 * MS);
    bench.run(2);
    assert_eq!(
        bench.causes(EventCode::TimeStep),
        [
            Some(TimeCause::SetByProgram),
            Some(TimeCause::DaemonCorrection)
        ]
    );
}

//= A8.1
//= A8.5
#[test]
fn a_real_time_clock_that_moves_by_itself_is_told_with_its_cause() {
    let hour_ns = 3_600 * 1_000 * MS;
    let cases = [
        (-hour_ns, TimeCause::RtcSet),
        (3_000 * MS, TimeCause::RtcRanOn),
    ];
    for (by_ns, cause) in cases {
        // Where the kernel's clock is held too: it set the other to a time that is not its own.
        for held in [false, true] {
            let mut bench = Bench::new();
            bench.held = held;
            bench.run(10);
            bench.rtc_ns = by_ns;
            bench.run(10);
            assert_eq!(bench.causes(EventCode::RtcMoved), [Some(cause)], "{by_ns}");
            let told = bench.told.last().unwrap();
            assert_eq!(told.count, Some(by_ns.unsigned_abs()));
            assert_eq!(bench.causes(EventCode::TimeStep), []);
        }
    }
}

//= A8.1
#[test]
fn a_real_time_clock_that_the_kernel_sets_was_altered_by_nobody() {
    for away_ns in [-3_000 * MS, 300 * MS, 3_600 * 1_000 * MS] {
        let mut bench = Bench::new();
        bench.rtc_ns = away_ns;
        bench.run(10);
        bench.held = true;
        bench.run(10);
        // It went on with the second that it was in.
        bench.rtc_ns = 960 * MS;
        bench.run(10);
        assert_eq!(bench.causes(EventCode::RtcMoved), [], "{away_ns}");
    }
    // Where nobody holds the kernel's clock, somebody else did it.
    let mut bench = Bench::new();
    bench.rtc_ns = 3_000 * MS;
    bench.run(10);
    bench.rtc_ns = 0;
    bench.run(10);
    assert_eq!(bench.causes(EventCode::RtcMoved), [Some(TimeCause::RtcSet)]);
}

//= A8.1
#[test]
fn a_step_of_the_kernel_s_clock_is_no_move_of_the_real_time_clock() {
    let mut bench = Bench::new();
    bench.run(10);
    bench.step(3_000 * MS);
    bench.run(10);
    assert_eq!(
        bench.causes(EventCode::TimeStep),
        [Some(TimeCause::SetByProgram)]
    );
    assert_eq!(bench.causes(EventCode::RtcMoved), []);
    assert_eq!(bench.engine.rtc_valid(), Some(true));
}

/// ptp4l steps at the Sync that shows an offset, where the look of the step is the first that sees it; or
/// after half a minute, for which its port is uncalibrated.
//= R1.2
//= A8.5
#[test]
fn a_step_that_ptp4l_made_is_its_own_and_any_other_is_not() {
    let steers = PtpPolicy::default();
    let measures = PtpPolicy {
        free_running: true,
        ..steers
    };
    let (own, other) = (TimeCause::DaemonCorrection, TimeCause::SetByProgram);
    for (ptp, measured_ms, waits_s, cause) in [
        (steers, 2, 0, own),
        (steers, 2, 37, own),
        (steers, 0, 0, other),
        (steers, -2, 0, other),
        // It leaves the clock alone: somebody else has set it.
        (measures, 2, 0, other),
    ] {
        let mut world = World::new(Policy { ptp, ..policy() });
        world.run(30);
        world.told.clear();
        world.pass();
        world.master_ns += measured_ms * MS;
        world.sync(world.now_ns);
        if waits_s > 0 {
            world.reading.ports[0].state = PortState::Uncalibrated;
            world.look();
            world.run(waits_s);
            world.pass();
        }
        world.own_ns += 2 * MS;
        world.set = true;
        world.look();
        let told = world.cause(EventCode::TimeStep);
        assert_eq!(told, Some(cause), "{ptp:?} {measured_ms} ms, {waits_s} s");
    }
}

/// chronyd announces a leap second, which comes and is over: a second on another day is none.
//= A8.5
#[test]
fn a_leap_second_is_announced_once_and_explains_its_own_day_alone() {
    let mut bench = Bench::new();
    let says = |bench: &mut Bench, leap| {
        let reading = chrony(bench.second * S);
        bench.chrony = Some(ChronyReading { leap, ..reading });
        bench.run(20);
    };
    says(&mut bench, LeapStatus::Normal);
    says(&mut bench, LeapStatus::Insert);
    bench.step(-1_000 * MS);
    says(&mut bench, LeapStatus::Normal);
    bench.step(-1_000 * MS);
    bench.run(10);
    assert_eq!(bench.causes(EventCode::LeapSecond).len(), 1);
    let causes = [TimeCause::LeapSecond, TimeCause::SetByProgram].map(Some);
    assert_eq!(bench.causes(EventCode::TimeStep), causes);
}

/// ptp4l announces none beside it, look by look.
//= A8.5
#[test]
fn an_announcement_of_one_source_is_not_taken_back_by_another() {
    let mut world = World::synced();
    for _ in 0..20 {
        world.run(1);
        let reading = ChronyReading {
            leap: LeapStatus::Insert,
            ..chrony(world.now_ns - 100_000_000)
        };
        world.engine.note(&Observation {
            at: MonoNs(world.now_ns),
            outcome: Ok(Reading::Chrony(reading)),
            source: SourceKind::Chrony,
        });
    }
    assert_eq!(world.count(EventCode::LeapSecond), 1);
}

/// chronyd's server jumps while chronyd leaves the clock alone (-x): its offset excludes the one before.
//= R1.2
#[test]
fn a_server_of_chronyd_that_jumps_is_told_and_chronyds_own_corrections_are_not() {
    // Offsets that chronyd shows one after the other, in milliseconds, and how often a jump is told.
    let cases: [(&[i64], usize); 5] = [
        (&[0, 0, 500, 500, 500], 1),
        (&[0, 0, -500, -500], 1),
        // It corrects what it found.
        (&[0, 0, 500, 300, 100, 0], 1),
        (&[40, 30, 20, 10, 0], 0),
        (&[0, 0, 0, 0], 0),
    ];
    for (offsets_ms, told) in cases {
        let mut bench = Bench::new();
        for offset_ms in offsets_ms {
            bench.chrony = Some(ChronyReading {
                correction_ns: -offset_ms * MS,
                ..chrony(bench.second * S)
            });
            bench.run(2);
        }
        let causes = bench.causes(EventCode::TimeSourceMoved);
        assert_eq!(
            causes,
            std::vec![Some(TimeCause::SourceStep); told],
            "{offsets_ms:?}"
        );
    }
    // The same where somebody moved the node's own clock.
    let mut bench = Bench::new();
    bench.updates(-80);
    bench.run(5);
    bench.step(500 * MS);
    for _ in 0..3 {
        bench.chrony = Some(ChronyReading {
            correction_ns: -500 * MS,
            ..chrony(bench.second * S)
        });
        bench.run(2);
    }
    assert_eq!(bench.causes(EventCode::TimeSourceMoved), []);
}

/// Of a daemon that hears its servers and takes nothing of them it is not said that they are silent.
//= A8.2
#[test]
fn a_chronyd_that_refuses_its_samples_is_told_from_one_whose_servers_are_silent() {
    for (reach, cause) in [
        (0xff, TimeCause::SamplesRefused),
        (0xfe, TimeCause::SourceSilent),
    ] {
        let mut bench = Bench::new();
        for _ in 0..20 {
            bench.updates(-80);
            bench.run(1);
        }
        if let Some(reading) = &mut bench.chrony {
            reading.sources[0].reach = reach;
        }
        bench.run(20);
        assert_eq!(
            bench.causes(EventCode::SyncLost),
            [Some(cause)],
            "{reach:x}"
        );
    }
}
