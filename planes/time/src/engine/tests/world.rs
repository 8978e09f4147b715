//! A node that follows a grandmaster, and everything that can happen to the two: each fault is named, and
//! no label is kept that nothing fresh supports.

use super::policy;
use crate::engine::{Engine, Policy};
use crate::fresh::PtpPolicy;
use crate::reading::{
    Fault, Observation, OfferedSample, PortState, PtpReading, Reading, RtcReading, RtcVoltage,
    SourceKind,
};
use crate::tests::{chrony, comparison, ptp};
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality, TimeStatus};
use evidence::{MonoNs, SourceId, UtcNs};
use std::string::ToString;
use std::vec;
use std::vec::Vec;

const MS: u64 = 1_000_000;
const TICK_NS: u64 = 250 * MS;
const SYNC_NS: u64 = 125 * MS;

/// The network, the grandmaster and the node's own clock.
struct World {
    engine: Engine,
    now_ns: u64,
    random: u64,
    reading: PtpReading,
    /// The master's clock against what it should be.
    master_ns: i64,
    master_ppb: i64,
    /// Extra delay of each direction.
    up_ns: i64,
    down_ns: i64,
    /// What the node's clock was moved by.
    own_ns: i64,
    lose_event: bool,
    lose_general: bool,
    lose_percent: u64,
    silent: bool,
    fault: Option<Fault>,
    /// Stretches of more than a second between two whole pairs of Sync and Follow_Up.
    silences: usize,
    paired_ns: u64,
    maps: Vec<TimeMap>,
    told: Vec<Event>,
    set: bool,
}

impl World {
    fn new(policy: Policy) -> Self {
        let mut reading = ptp(0, 0);
        reading.ingress = None;
        Self {
            engine: Engine::new(SourceId::new("time").unwrap(), policy),
            now_ns: 1_000 * MS,
            random: 7,
            reading,
            master_ns: 0,
            master_ppb: 0,
            up_ns: 0,
            down_ns: 0,
            own_ns: 0,
            lose_event: false,
            lose_general: false,
            lose_percent: 0,
            silent: false,
            fault: None,
            silences: 0,
            paired_ns: 0,
            maps: Vec::new(),
            told: Vec::new(),
            set: false,
        }
    }

    /// A world that has run for half a minute, and is SYNCED.
    fn synced() -> Self {
        let mut world = Self::new(policy());
        world.run(30);
        assert_eq!(world.map().quality, TimeQuality::Synced);
        assert_eq!(world.count(EventCode::SyncAcquired), 1);
        world.told.clear();
        world.maps.clear();
        world
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.tick();
        }
    }

    fn tick(&mut self) {
        let from = self.now_ns;
        self.now_ns += TICK_NS;
        self.master_ns += self.master_ppb / 4;
        for sync in [from + SYNC_NS / 2, from + SYNC_NS * 3 / 2] {
            self.sync(sync);
        }
        let mut now = comparison(self.now_ns);
        now.sample.utc.0 += self.own_ns;
        let at = now.sample.mono;
        let outcome = match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(Reading::Ptp(self.reading.clone())),
        };
        let set = std::mem::take(&mut self.set);
        // The clocks are compared first, so that no reading is judged by a clock that has moved since.
        let statement = self.engine.observe(&now, set).unwrap();
        self.told.extend(statement.events);
        self.maps.push(statement.map);
        self.engine.note(&Observation {
            at,
            outcome,
            source: SourceKind::Ptp,
        });
    }

    /// One Sync, its Follow_Up, and what the slower messages bring.
    fn sync(&mut self, at_ns: u64) {
        let noise_ns = i64::try_from(self.random(600)).unwrap() - 300;
        let lost = |of: &mut Self| of.silent || of.random(100) < of.lose_percent;
        let (no_sync, no_follow_up) = (lost(self), lost(self));
        let (silent, lose_event, lose_general) = (self.silent, self.lose_event, self.lose_general);
        let received = &mut self.reading.ports[0].received;
        received.sync += u64::from(!no_sync && !lose_event);
        received.follow_up += u64::from(!no_follow_up && !lose_general);
        let second = at_ns / (1_000 * MS) != (at_ns + SYNC_NS) / (1_000 * MS);
        if second && !silent && !lose_general && !lose_event {
            received.delay_resp += 1;
            self.reading.mean_path_delay_ns =
                1_500 + (self.up_ns + self.down_ns) / 2 + noise_ns / 4;
        }
        if second && !silent && !lose_general {
            received.announce += u64::from((at_ns / (1_000 * MS)).is_multiple_of(2));
        }
        if !no_sync && !no_follow_up && !lose_event && !lose_general {
            // The claim is looked at every quarter of a second, before what has come since.
            let seen_ns = at_ns.next_multiple_of(TICK_NS);
            let silent = self.paired_ns > 0 && seen_ns - self.paired_ns > 1_000 * MS;
            self.silences += usize::from(silent);
            self.paired_ns = at_ns;
            self.reading.ingress = Some(UtcNs(crate::tests::utc(at_ns).0 + self.own_ns));
            self.reading.offset_ns =
                self.own_ns - self.master_ns + (self.down_ns - self.up_ns) / 2 + noise_ns;
        }
    }

    fn map(&self) -> &TimeMap {
        self.maps.last().unwrap()
    }

    fn count(&self, code: EventCode) -> usize {
        self.told.iter().filter(|event| event.code == code).count()
    }

    /// The one event of this code, and its cause.
    fn cause(&self, code: EventCode) -> Option<TimeCause> {
        let of: Vec<&Event> = self
            .told
            .iter()
            .filter(|event| event.code == code)
            .collect();
        assert_eq!(of.len(), 1, "{code}: {:?}", self.told);
        of[0].time_cause
    }

    /// Seconds after `since_ns` at which the label stopped to be SYNCED.
    fn synced_for_ns(&self, since_ns: u64) -> u64 {
        let last = self
            .maps
            .iter()
            .rfind(|map| map.quality == TimeQuality::Synced);
        last.map_or(0, |map| {
            map.valid_until.0.min(map.at.0 + TICK_NS) - since_ns
        })
    }
}

//= R7.2
//= A8.2
#[test]
fn a_quiet_hour_has_one_acquisition_and_no_other_word() {
    let mut world = World::new(policy());
    world.run(3_600);
    assert_eq!(world.told.len(), 1, "{:?}", world.told);
    assert_eq!(world.told[0].code, EventCode::SyncAcquired);
    let map = world.map();
    assert_eq!(
        (map.quality, map.status),
        (TimeQuality::Synced, TimeStatus::Locked)
    );
    assert!(map.bound_ns.unwrap() < 30_000, "{map:?}");
    assert!(
        map.basis
            .contains("grandmaster 020000.fffe.000001, class 6"),
        "{}",
        map.basis
    );
    assert_eq!(world.engine.counters().sync_acquired, 1);
    assert!(world.engine.counters().boot_to_stable_ns < 10_000 * MS);
}

//= A8.3
//= R7.3
//= R11.3
#[test]
fn no_label_outlives_its_last_measurement_by_more_than_a_second() {
    type Break = fn(&mut World);
    let breaks: [(Break, TimeCause); 5] = [
        (|world| world.silent = true, TimeCause::GrandmasterSilent),
        (|world| world.lose_event = true, TimeCause::EventPathLoss),
        (
            |world| world.lose_general = true,
            TimeCause::GeneralPathLoss,
        ),
        (
            |world| world.fault = Some(Fault::Stale),
            TimeCause::DaemonGone,
        ),
        (
            |world| {
                world.silent = true;
                world.reading.ports[0].state = PortState::Faulty;
            },
            TimeCause::LinkDown,
        ),
    ];
    for (break_it, cause) in breaks {
        let mut world = World::synced();
        let since_ns = world.now_ns;
        break_it(&mut world);
        world.run(8);
        assert!(
            world.synced_for_ns(since_ns) <= 1_000 * MS + TICK_NS,
            "{cause}"
        );
        assert_eq!(world.map().quality, TimeQuality::Holdover, "{cause}");
        let bounds: Vec<u64> = world.maps.iter().filter_map(|map| map.bound_ns).collect();
        assert!(
            bounds.windows(2).skip(8).all(|pair| pair[1] > pair[0]),
            "the bound grows"
        );
        let told = world.told.iter().filter_map(|event| event.time_cause);
        assert!(
            told.clone().any(|of| of == cause),
            "{cause}: {:?}",
            world.told
        );
        assert!(
            !told
                .clone()
                .any(|of| of != cause && of != TimeCause::GrandmasterSilent),
            "{cause}: {:?}",
            world.told
        );
        assert_eq!(world.count(EventCode::SyncLost), 1);
    }
}

//= A8.3
#[test]
fn a_holdover_ends_with_its_duration() {
    let mut world = World::synced();
    world.silent = true;
    world.run(20);
    world.silent = false;
    world.run(20);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    let ended = world
        .told
        .iter()
        .find(|of| of.code == EventCode::HoldoverEnded)
        .unwrap();
    let seconds = ended.count.unwrap() / (1_000 * MS);
    assert!((18..=21).contains(&seconds), "{seconds}");
    let counters = world.engine.counters();
    assert_eq!((counters.sync_acquired, counters.sync_lost), (2, 1));
    assert!(counters.holdover_ns >= 18_000 * MS);
}

//= R7.2
#[test]
fn a_fifth_of_the_packets_lost_widens_and_does_not_flap() {
    let mut world = World::synced();
    world.lose_percent = 20;
    world.run(600);
    assert_eq!(world.cause(EventCode::PtpLoss), Some(TimeCause::PacketLoss));
    // Each of Sync and Follow_Up is lost by itself, so that once in minutes nothing whole comes for a
    // second: then, and only then, the claim ends.
    assert!(world.silences <= 3, "{}", world.silences);
    assert_eq!(world.count(EventCode::SyncLost), world.silences);
}

//= R1.2
//= R7.2
#[test]
fn what_the_master_or_the_path_does_is_told_apart() {
    type Break = fn(&mut World);
    let breaks: [(Break, EventCode, TimeCause); 8] = [
        (
            |of| of.master_ns += 50_000,
            EventCode::TimeSourceMoved,
            TimeCause::GrandmasterStep,
        ),
        (
            |of| of.master_ns -= 900_000,
            EventCode::TimeSourceMoved,
            TimeCause::GrandmasterStep,
        ),
        (
            |of| of.master_ppb = 2_000,
            EventCode::TimeSourceMoved,
            TimeCause::GrandmasterDrift,
        ),
        (
            |of| of.up_ns = 40_000,
            EventCode::PathChange,
            TimeCause::PathAsymmetry,
        ),
        (
            |of| of.down_ns = 40_000,
            EventCode::PathChange,
            TimeCause::PathAsymmetry,
        ),
        (
            |of| of.reading.gm_class = 7,
            EventCode::GrandmasterDegraded,
            TimeCause::ClockClass,
        ),
        (
            |of| of.reading.gm.0[7] = 9,
            EventCode::GrandmasterChanged,
            TimeCause::GrandmasterChange,
        ),
        (
            |of| {
                of.reading.utc_offset_s = 36;
                of.master_ns -= 1_000_000_000;
            },
            EventCode::UtcOffsetFault,
            TimeCause::UtcOffset,
        ),
    ];
    for (break_it, code, cause) in breaks {
        let mut world = World::synced();
        break_it(&mut world);
        world.run(40);
        let told: Vec<_> = world.told.iter().filter(|of| of.code == code).collect();
        assert!(!told.is_empty(), "{cause}: {:?}", world.told);
        assert!(
            told.iter().all(|of| of.time_cause == Some(cause)),
            "{cause}: {told:?}"
        );
        let others = world.told.iter().filter_map(|event| event.time_cause);
        assert_eq!(
            others.filter(|of| *of != cause).count(),
            0,
            "{cause}: {:?}",
            world.told
        );
    }
}

//= A8.4
#[test]
fn a_master_that_is_wrong_by_whole_seconds_or_untraceable_is_not_believed() {
    type Break = fn(&mut World);
    let breaks: [(Break, &str); 2] = [
        (|of| of.master_ns += 37_000_000_000, "TAI and UTC"),
        (|of| of.reading.gm_class = 248, "traceable"),
    ];
    for (break_it, why) in breaks {
        let mut world = World::synced();
        break_it(&mut world);
        world.run(10);
        assert_eq!(world.map().quality, TimeQuality::Holdover);
        let fault = world
            .told
            .iter()
            .find(|of| of.code == EventCode::TimeSourceFault)
            .unwrap();
        assert!(fault.detail.as_deref().unwrap().contains(why), "{fault:?}");
    }
}

//= R1.2
//= A8.5
#[test]
fn a_jump_of_two_milliseconds_is_given_the_cause_it_has() {
    // Somebody sets the clock: the kernel signals it, and no source had asked for it.
    let mut world = World::synced();
    world.own_ns = 2_000_000;
    world.set = true;
    world.run(2);
    assert_eq!(
        world.cause(EventCode::TimeStep),
        Some(TimeCause::SetByProgram)
    );
    assert_eq!(world.map().detail.to_string(), "<10ms");

    // The master stepped, and the daemon corrects by as much.
    let mut world = World::synced();
    world.master_ns = 2_000_000;
    world.run(2);
    world.own_ns = 2_000_000;
    world.set = true;
    world.run(20);
    assert_eq!(
        world.cause(EventCode::TimeStep),
        Some(TimeCause::DaemonCorrection)
    );

    // Nobody said so.
    let mut world = World::synced();
    world.own_ns = -2_000_000;
    world.run(2);
    assert_eq!(
        world.cause(EventCode::TimeStep),
        Some(TimeCause::Unexplained)
    );
}

//= A8.5
#[test]
fn a_step_is_added_to_the_bound_and_takes_the_label_until_it_is_measured() {
    let mut world = World::synced();
    world.silent = true;
    world.run(3);
    let before = world.map().bound_ns.unwrap();
    world.own_ns = 3_000_000_000;
    world.set = true;
    world.run(1);
    let map = world.map();
    assert_eq!(map.quality, TimeQuality::Holdover);
    assert!(map.bound_ns.unwrap() >= before + 3_000_000_000);
    assert_eq!(
        map.detail.to_string(),
        HoldoverReason::ClockStepped.to_string()
    );
}

#[test]
fn every_fault_of_a_source_has_a_name_and_an_end() {
    let faults = [
        Fault::Absent,
        Fault::Stale,
        Fault::Denied,
        Fault::Silent,
        Fault::Malformed("a length"),
        Fault::Unsupported("a version"),
    ];
    for fault in faults {
        let mut world = World::new(policy());
        world.fault = Some(fault.clone());
        world.run(30);
        assert_eq!(world.map().quality, TimeQuality::RtcOnly, "{fault}");
        assert_eq!(world.count(EventCode::TimeSourceFault), 1, "{fault}");
        let event = &world.told[0];
        assert!(
            event
                .detail
                .as_deref()
                .unwrap()
                .contains(&fault.to_string())
        );
        world.fault = None;
        world.run(10);
        assert_eq!(world.count(EventCode::TimeSourceBack), 1, "{fault}");
        assert_eq!(world.map().quality, TimeQuality::Synced, "{fault}");
    }
}

//= A8.2
#[test]
fn two_sources_that_exclude_each_other_hold_nothing() {
    let mut world = World::synced();
    for second in 0..20u64 {
        world.run(1);
        let mut says = chrony(world.now_ns - 100 * MS);
        // Slow by five milliseconds, says chronyd; in order, says ptp4l.
        says.correction_ns = 5_000_000;
        let at = MonoNs(world.now_ns);
        world.engine.note(&Observation {
            at,
            outcome: Ok(Reading::Chrony(says)),
            source: SourceKind::Chrony,
        });
        if second > 6 {
            assert_eq!(world.map().quality, TimeQuality::Holdover, "{second}");
        }
    }
    assert_eq!(world.count(EventCode::SourcesDisagree), 1);
    let held = world.map().detail.to_string();
    assert_eq!(held, HoldoverReason::SourceRejected.to_string());
}

//= R6.8
#[test]
fn a_time_from_outside_is_taken_by_policy_and_refused_by_name() {
    let mut policy = policy();
    policy.offered.from = vec!["head-end".to_string()];
    policy.offered.uncertainty_max_ns = 50_000_000;
    policy.offered.interval_ns = 60_000 * MS;
    policy.limit_ns = 1_000_000_000;
    let mut world = World::new(policy);
    world.fault = Some(Fault::Absent);
    world.run(2);
    let offer = |world: &mut World, from: &str, ahead_ns: i64, uncertainty_ns| {
        let at = MonoNs(world.now_ns);
        let sample = OfferedSample {
            from: from.to_string(),
            utc: UtcNs(crate::tests::utc(world.now_ns).0 + ahead_ns),
            uncertainty_ns,
        };
        world.engine.note(&Observation {
            at,
            outcome: Ok(Reading::Offered(sample)),
            source: SourceKind::Offered,
        });
        world.run(1);
        world.engine.take_offers().len()
    };
    assert_eq!(offer(&mut world, "stranger", 0, 1_000), 0);
    assert_eq!(offer(&mut world, "head-end", 0, 60_000_000), 0);
    assert_eq!(world.count(EventCode::SyncRequestRefused), 2);
    for _ in 0..4 {
        assert_eq!(offer(&mut world, "head-end", 7_000_000, 20_000_000), 1);
    }
    let map = world.map();
    assert_eq!(map.quality, TimeQuality::Synced);
    assert!(map.bound_ns.unwrap() >= 27_000_000);
    // Once a better source holds the clock, a time that contradicts it is refused.
    world.fault = None;
    world.run(10);
    assert_eq!(
        offer(&mut world, "head-end", 3_600_000_000_000, 20_000_000),
        0
    );
    assert_eq!(world.count(EventCode::SyncRequestRefused), 3);
}

//= A8.1
#[test]
fn a_real_time_clock_that_doubts_itself_is_told_once() {
    let mut world = World::synced();
    for _ in 0..3 {
        let at = MonoNs(world.now_ns);
        let reading = RtcReading {
            utc: crate::tests::utc(world.now_ns),
            read_uncertainty_ns: 1_000_000,
            voltage: Some(RtcVoltage {
                backup_low: true,
                ..RtcVoltage::default()
            }),
        };
        world.engine.note(&Observation {
            at,
            outcome: Ok(Reading::Rtc(reading)),
            source: SourceKind::Rtc,
        });
        world.run(1);
    }
    assert_eq!(world.count(EventCode::RtcInvalid), 1);
}

#[test]
fn a_clock_before_what_is_certain_is_told_at_boot() {
    let mut early = policy();
    early.floor = UtcNs(crate::tests::UTC_0 + 86_400_000_000_000);
    let mut world = World::new(early);
    world.run(1);
    assert_eq!(world.count(EventCode::ClockFloored), 1);
    let floored = &world.told[0];
    assert_eq!(floored.time_cause, Some(TimeCause::BootClock));
}

#[test]
fn a_free_running_daemon_stays_uncalibrated_and_is_believed_only_if_the_site_says_so() {
    for free_running in [false, true] {
        let mut world = World::new(Policy {
            ptp: PtpPolicy {
                free_running,
                ..PtpPolicy::default()
            },
            ..policy()
        });
        world.reading.ports[0].state = PortState::Uncalibrated;
        world.run(10);
        let synced = world.map().quality == TimeQuality::Synced;
        assert_eq!(synced, free_running);
    }
}
