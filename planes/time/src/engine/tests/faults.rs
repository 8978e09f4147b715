//! What happens to grandmaster, path and the node's own clock, and what is said of it.

use super::policy;
use super::world::{MS, TICK_NS, World};
use crate::reading::{Fault, PortState, PtpReading};
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality, TimeStatus};
use std::string::ToString;
use std::vec::Vec;

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
    let breaks: [(Break, TimeCause); 6] = [
        (|world| world.silent = true, TimeCause::GrandmasterSilent),
        (|world| world.lose_syncs = true, TimeCause::EventPathLoss),
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
fn where_delays_are_measured_faster_the_cause_is_named_sooner_and_once() {
    type Break = fn(&mut World);
    let breaks: [(Break, TimeCause); 4] = [
        (|of| of.master_ns += 2_000_000, TimeCause::GrandmasterStep),
        (|of| of.up_ns = 40_000, TimeCause::PathAsymmetry),
        (|of| of.down_ns = 40_000, TimeCause::PathAsymmetry),
        (|of| of.master_ppb = 2_000, TimeCause::GrandmasterDrift),
    ];
    for (fast, within_s) in [(false, 14), (true, 9)] {
        for (break_it, cause) in breaks {
            let mut world = World::new(policy());
            world.fast_delays = fast;
            world.run(60);
            world.told.clear();
            let broken_ns = world.now_ns;
            break_it(&mut world);
            world.run(60);
            let told: Vec<_> = world
                .told
                .iter()
                .filter(|of| matches!(of.code, EventCode::TimeSourceMoved | EventCode::PathChange))
                .map(|of| (of.time_cause, (of.at.0 - broken_ns) / (1_000 * MS)))
                .collect();
            assert_eq!(told.len(), 1, "{cause} {fast}: {told:?}");
            assert_eq!(told[0].0, Some(cause), "{fast}: {told:?}");
            assert!(told[0].1 <= within_s, "{cause} {fast}: {told:?}");
        }
    }
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
fn a_master_that_is_wrong_by_whole_seconds_or_of_a_bad_class_is_not_believed() {
    type Break = fn(&mut World);
    let breaks: [(Break, &str); 2] = [
        (|of| of.master_ns += 37_000_000_000, "TAI and UTC"),
        (|of| of.reading.gm_class = 248, "clockClass"),
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

/// What was measured just before the step is looked at just after it, and says nothing any more.
//= A8.5
#[test]
fn a_measurement_of_before_a_step_does_not_keep_the_label() {
    let mut world = World::synced();
    world.own_ns = 3_000_000;
    world.set = true;
    world.tick();
    assert_eq!(world.map().quality, TimeQuality::Holdover);
    world.run(10);
    assert_eq!(
        world.map().quality,
        TimeQuality::Holdover,
        "3 ms are too much"
    );
    world.master_ns = 3_000_000;
    world.run(10);
    assert_eq!(world.map().quality, TimeQuality::Synced);
}

/// ptp4l that has just begun, or lost its link, calls itself the grandmaster, and counts from nought.
//= R1.2
#[test]
fn a_daemon_that_begins_or_a_link_that_comes_up_is_no_fault_of_the_grandmaster() {
    let listens = |world: &mut World, seconds| {
        let (gm, class) = (world.reading.gm, world.reading.gm_class);
        world.silent = true;
        world.reading.ports[0].state = PortState::Listening;
        (world.reading.gm, world.reading.gm_class) = (world.reading.clock, 255);
        world.run(seconds);
        // The messages come before it has chosen.
        world.silent = false;
        world.run(1);
        world.reading.ports[0].state = PortState::Slave;
        (world.reading.gm, world.reading.gm_class) = (gm, class);
        world.run(30);
    };
    let mut world = World::new(policy());
    listens(&mut world, 5);
    let causes: Vec<_> = world
        .told
        .iter()
        .filter(|of| of.time_cause.is_some())
        .collect();
    assert!(causes.is_empty(), "{causes:?}");
    assert_eq!(world.map().quality, TimeQuality::Synced);

    world.told.clear();
    world.silent = true;
    world.reading.ports[0].state = PortState::Faulty;
    world.run(3);
    listens(&mut world, 3);
    let causes = world.told.iter().filter_map(|of| of.time_cause);
    assert!(causes.clone().count() > 0);
    assert!(
        causes.clone().all(|of| of == TimeCause::LinkDown),
        "{:?}",
        world.told
    );
    assert_eq!(world.map().quality, TimeQuality::Synced);

    // A link that is up and brings nothing is another matter.
    world.told.clear();
    world.silent = true;
    world.reading.ports[0].state = PortState::Faulty;
    world.run(3);
    world.reading.ports[0].state = PortState::Listening;
    world.run(15);
    let last = world.told.iter().rev().find_map(|of| of.time_cause);
    assert_eq!(last, Some(TimeCause::GrandmasterSilent));
}

/// Half a minute of a fast drift, and its end: one event, and no step at either end.
//= R1.2
#[test]
fn a_drift_that_ends_is_no_step() {
    for ppb in [2_000, 10_000, 50_000] {
        let mut world = World::synced();
        world.master_ppb = ppb;
        world.run(40);
        world.master_ppb = 0;
        world.run(40);
        let told: Vec<_> = world.told.iter().filter_map(|of| of.time_cause).collect();
        assert_eq!(
            told,
            [TimeCause::GrandmasterDrift],
            "{ppb}: {:?}",
            world.told
        );
    }
}

/// A stretch of late stamps that passes is not a master that stepped there and back.
//= R1.2
#[test]
fn what_goes_there_and_comes_back_is_no_step() {
    let mut world = World::synced();
    world.master_ns = 40_000;
    world.run(2);
    world.master_ns = 0;
    world.run(40);
    let told: Vec<_> = world.told.iter().filter_map(|of| of.time_cause).collect();
    assert_eq!(told, [], "{:?}", world.told);
}

//= R7.1
#[test]
fn a_grandmaster_that_becomes_better_is_told_as_improved() {
    type Change = fn(&mut PtpReading);
    let changes: [(Change, Change); 3] = [
        (|of| of.gm_class = 7, |of| of.gm_class = 6),
        (|of| of.gm_accuracy = 0x31, |of| of.gm_accuracy = 0x21),
        (|of| of.time_flags &= !0x10, |of| of.time_flags |= 0x10),
    ];
    for (worse, better) in changes {
        let mut world = World::new(policy());
        better(&mut world.reading);
        world.run(10);
        world.told.clear();
        worse(&mut world.reading);
        world.run(10);
        assert_eq!(world.count(EventCode::GrandmasterImproved), 0);
        let cause = world.cause(EventCode::GrandmasterDegraded);
        assert_eq!(cause, Some(TimeCause::ClockClass));
        world.told.clear();
        better(&mut world.reading);
        world.run(10);
        assert_eq!(world.count(EventCode::GrandmasterDegraded), 0);
        let cause = world.cause(EventCode::GrandmasterImproved);
        assert_eq!(cause, Some(TimeCause::ClassImproved));
    }
}

/// A master that steps by more than the path is long has stepped, whatever its step did to the measured delay; and
/// what ends altogether does not "arrive again".
//= R1.2
//= R7.2
#[test]
fn a_step_longer_than_the_path_is_the_masters_and_an_end_is_no_return() {
    let mut world = World::synced();
    world.master_ns += 500_000_000;
    (world.up_ns, world.down_ns) = (world.up_ns + 13_000, world.down_ns + 13_000);
    world.run(30);
    let moved = world.told.iter().filter_map(|of| of.time_cause);
    let moved: Vec<_> = moved.filter(|of| *of != TimeCause::UtcOffset).collect();
    assert!(
        moved.contains(&TimeCause::GrandmasterStep),
        "{:?}",
        world.told
    );
    assert!(
        !moved.contains(&TimeCause::PathAsymmetry),
        "{:?}",
        world.told
    );

    let mut world = World::synced();
    world.lose_percent = 30;
    world.run(30);
    assert_eq!(world.cause(EventCode::PtpLoss), Some(TimeCause::PacketLoss));
    world.told.clear();
    world.silent = true;
    world.run(30);
    let told: Vec<_> = world
        .told
        .iter()
        .filter(|of| of.code == EventCode::PtpLoss)
        .collect();
    let causes: Vec<_> = told.iter().map(|of| of.time_cause).collect();
    assert!(
        !causes.is_empty() && causes.iter().all(Option::is_some),
        "{told:?}"
    );
}
