//! Claims that would be too good.

use super::policy;
use super::world::{MS, TICK_NS, World};
use crate::drift::OscillatorClass;
use crate::engine::Policy;
use crate::fresh::PtpPolicy;
use crate::limits::FRESH_NS_MIN;
use crate::reading::{ChronyReading, Fault, Observation, PortState, Reading, SourceKind};
use crate::tests::chrony;
use evidence::MonoNs;
use evidence::kinds::TimeMap;
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality, TimeStatus};
use std::vec;

/// A world that ptp4l measures and nobody steers, once it is SYNCED.
///
/// Its oscillator is declared better than it is: only the offsets tell.
fn free_running(master_ppb: i64, limit_ns: u64) -> World {
    let mut world = World::new(Policy {
        oscillator: OscillatorClass::Ocxo,
        ptp: PtpPolicy {
            free_running: true,
            ..PtpPolicy::default()
        },
        limit_ns,
        ..policy()
    });
    world.reading.ports[0].state = PortState::Uncalibrated;
    world.master_ppb = master_ppb;
    world.run(30);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    world
}

/// chronyd says this now.
fn says(world: &mut World, reading: ChronyReading) {
    world.engine.note(&Observation {
        at: MonoNs(world.now_ns),
        outcome: Ok(Reading::Chrony(reading)),
        source: SourceKind::Chrony,
    });
}

/// chronyd updates its clock, and is 20 us uncertain.
fn updates(world: &mut World) {
    let mut reading = chrony(world.now_ns - 100 * MS);
    reading.root_dispersion_ns = 20_000;
    says(world, reading);
}

/// Another grandmaster is followed, and answers about the path at once.
fn another_grandmaster(world: &mut World) {
    world.reading.gm.0[7] = 9;
    for _ in 0..8 {
        world.reading.ports[0].received.delay_resp += 1;
        world.tick();
    }
}

//= A8.5
//= A8.4
#[test]
fn a_sync_of_before_a_step_backward_says_nothing_behind_it() {
    for back_ms in [2u64, 10, 60, 100, 200, 900, 60_300, 3_600_300] {
        let mut world = World::synced();
        // The Syncs of this quarter of a second come before the step, and are 60 ms old and more.
        world.pass();
        let back_ns = i64::try_from(back_ms * MS).unwrap();
        world.own_ns -= back_ns;
        let stepped_ns = world.now_ns;
        // The Sync messages stay away: nothing is measured behind the step.
        world.silent = true;
        for _ in 0..20 {
            world.look();
            let map = world.map();
            assert_eq!(map.quality, TimeQuality::Holdover, "{back_ms} ms");
            assert!(
                map.bound_ns.unwrap() >= back_ms * MS,
                "{back_ms} ms: {map:?}"
            );
            world.pass();
        }
        // What is measured then counts, and says how far it is off.
        world.silent = false;
        world.run(12);
        let off = world.map().initial_ns.unwrap();
        let seen = world.map().bound_ns.unwrap();
        assert!(off >= back_ms * MS && seen >= off, "{back_ms} ms");
        assert!(world.engine.last_sync_age_ns(MonoNs(world.now_ns)).unwrap() < 1_000 * MS);
        assert!(stepped_ns < world.now_ns);
    }
}

//= A8.5
#[test]
fn a_sync_that_was_on_its_way_during_a_step_says_nothing_behind_it() {
    for back_ms in [10u64, 60, 100, 200, 900, 60_000] {
        let mut world = World::synced();
        world.tick();
        // ptp4l shows a Sync of before the step only at the look behind the one that finds it.
        let (at_ns, ingress) = (
            world.now_ns + 5 * MS,
            crate::tests::utc(world.now_ns + 5 * MS),
        );
        assert!(at_ns > world.now_ns);
        world.silent = true;
        world.pass();
        world.own_ns -= i64::try_from(back_ms * MS).unwrap();
        world.look();
        world.reading.ingress = Some(ingress);
        world.reading.ports[0].received.sync += 1;
        for _ in 0..12 {
            world.pass();
            world.look();
            let map = world.map();
            assert_eq!(map.quality, TimeQuality::Holdover, "{back_ms} ms");
            assert!(
                map.bound_ns.unwrap() >= back_ms * MS,
                "{back_ms} ms: {map:?}"
            );
        }
    }
}

//= A8.5
#[test]
fn an_update_of_chronyd_of_before_a_step_backward_says_nothing_behind_it() {
    let mut world = World::synced();
    world.silent = true;
    for _ in 0..8 {
        world.run(1);
        updates(&mut world);
    }
    world.run(1);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    world.pass();
    let old = chrony(world.now_ns - 60 * MS);
    world.own_ns -= 100_000_000;
    world.look();
    says(&mut world, old);
    world.run(1);
    assert_eq!(world.map().quality, TimeQuality::Holdover);
    assert!(world.map().bound_ns.unwrap() >= 100 * MS);
}

//= A8.5
#[test]
fn what_one_source_measured_behind_a_step_makes_nothing_older_of_another_count() {
    let mut world = World::synced();
    updates(&mut world);
    world.pass();
    let old = chrony(world.now_ns - 20 * MS);
    world.own_ns -= 200_000_000;
    world.look();
    // ptp4l measures the stepped clock, and then chronyd shows an update of before the step.
    for _ in 0..8 {
        world.tick();
    }
    let measured = world.map().initial_ns.unwrap();
    assert!(measured >= 200 * MS, "{measured}");
    says(&mut world, old);
    world.run(1);
    assert_eq!(
        world.count(EventCode::SourcesDisagree),
        0,
        "{:?}",
        world.told
    );
}

//= A8.3
//= R7.3
#[test]
fn a_clock_that_runs_away_from_its_master_is_not_taken_for_a_perfect_oscillator() {
    for ppb in [20_000i64, -20_000, 3_000, 200, -200, 50] {
        // The limit is wide: a clock that runs away by 20 ppm is SYNCED for a while.
        let mut world = free_running(ppb, 1_000_000_000);
        world.run(600);
        world.silent = true;
        for _ in 0..60 {
            world.run(60);
            let error_ns = world.master_ns.unsigned_abs();
            let bound_ns = world.map().bound_ns.unwrap();
            assert!(bound_ns > error_ns, "{ppb} ppb: {bound_ns} < {error_ns}");
        }
        assert_eq!(world.map().quality, TimeQuality::Holdover);
    }
}

//= A8.3
#[test]
fn while_it_runs_away_the_bound_between_two_measurements_grows_as_fast() {
    let mut world = free_running(20_000, 1_000_000_000);
    world.run(120);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    assert!(world.map().bound_growth_ppb >= 20_000, "{:?}", world.map());
    // One that is steered has learnt by then.
    let mut steered = World::synced();
    steered.run(120);
    assert!(
        steered.map().bound_growth_ppb < 10_000,
        "{:?}",
        steered.map()
    );
}

//= A8.3
#[test]
fn a_jump_of_the_master_is_no_clock_that_runs_away_for_long() {
    let mut world = World::synced();
    world.run(600);
    world.master_ns += 50_000;
    world.run(10);
    let after_jump_ppb = world.map().bound_growth_ppb;
    assert!(after_jump_ppb > 10_000, "what was learnt no longer counts");
    world.run(300);
    assert!(world.map().bound_growth_ppb < 10_000, "{:?}", world.map());
}

//= A8.4
#[test]
fn no_stamp_says_synced_with_a_bound_beyond_the_sites_limit() {
    let mut world = World::synced();
    world.master_ns += 5_000_000;
    another_grandmaster(&mut world);
    world.run(20);
    for map in &world.maps {
        let within = map.bound_ns.is_some_and(|bound| bound <= 1_250_000);
        assert!(map.quality != TimeQuality::Synced || within, "{map:?}");
    }
    assert_eq!(world.map().status, TimeStatus::Acquiring);
    assert_eq!(world.count(EventCode::SyncLost), 1);
    let lost = world.told.iter().find(|of| of.code == EventCode::SyncLost);
    let why = lost.and_then(|of| of.detail.clone()).unwrap();
    assert!(
        why.starts_with(HoldoverReason::BeyondLimit.meaning()),
        "{why}"
    );
}

//= A8.2
#[test]
fn a_path_that_moves_there_and_back_is_no_wider_than_before() {
    let mut world = World::synced();
    world.run(30);
    let before_ns = world.map().asymmetry_ns.unwrap();
    for _ in 0..4 {
        world.down_ns = 80_000;
        world.run(60);
        assert!(world.map().asymmetry_ns.unwrap() > 60_000);
        world.down_ns = 0;
        world.run(60);
    }
    let after_ns = world.map().asymmetry_ns.unwrap();
    assert!(after_ns < before_ns + 20_000, "{before_ns} {after_ns}");
}

//= A8.2
#[test]
fn the_basis_is_the_source_that_is_measured_and_not_a_dead_one() {
    let mut world = World::synced();
    world.fault = Some(Fault::Stale);
    for _ in 0..8 {
        world.run(1);
        updates(&mut world);
    }
    world.run(1);
    let map = world.map();
    assert_eq!(map.quality, TimeQuality::Synced);
    assert!(map.basis.contains("chronyd"), "{}", map.basis);
}

//= R7.2
#[test]
fn another_port_of_the_daemon_is_no_loss_of_packets() {
    let mut world = World::synced();
    let mut second = world.reading.ports[0].clone();
    second.number = 2;
    second.state = PortState::Passive;
    // It has heard more, for it was the one that followed before.
    second.received.sync += 1_000;
    second.received.follow_up += 1_000;
    second.received.announce += 80;
    second.received.delay_resp += 100;
    second.log_sync_interval = 0;
    world.reading.ports[0].state = PortState::Passive;
    let first = std::mem::replace(&mut world.reading.ports, vec![second]);
    world.reading.ports[0].state = PortState::Slave;
    world.reading.ports.extend(first);
    world.run(70);
    let lost = world.told.iter().filter(|of| of.code == EventCode::PtpLoss);
    assert_eq!(lost.count(), 0, "{:?}", world.told);
    assert!(
        !world
            .told
            .iter()
            .any(|of| of.time_cause == Some(TimeCause::PacketLoss))
    );
    assert_eq!(world.map().quality, TimeQuality::Synced);
}

//= A8.4
#[test]
fn a_freshness_of_one_port_is_not_that_of_another() {
    let mut world = World::synced();
    world.reading.ports[0].number = 2;
    world.reading.ports[0].log_sync_interval = 0;
    world.run(2);
    let map = world.map();
    // Five seconds, three of which a statement holds.
    assert!(
        map.valid_until.since(map.at) > FRESH_NS_MIN + TICK_NS,
        "{map:?}"
    );
}

//= A8.2
#[test]
fn a_chronyd_at_its_slowest_poll_is_synced() {
    let mut world = World::new(Policy {
        limit_ns: 1_000_000_000,
        ..policy()
    });
    world.fault = Some(Fault::Absent);
    let mut lost = 0;
    for update in 0..12u64 {
        let mut reading = chrony(world.now_ns - 100 * MS);
        reading.sources[0].log_poll = 10;
        reading.update_interval_ms = 1_024_000;
        world.run(1);
        says(&mut world, reading);
        for _ in 0..128 {
            world.now_ns += 7_750 * MS;
            world.look();
            lost += u32::from(update > 6 && world.map().quality != TimeQuality::Synced);
        }
    }
    assert_eq!(lost, 0);
    assert_eq!(world.map().quality, TimeQuality::Synced);
}

/// ptp4l falls silent, chronyd goes on at its own slower pace: from one statement to the next nothing is
/// left uncovered, so that no stamp in between says that the claim had ended.
//= A8.4
#[test]
fn a_claim_that_another_source_carries_does_not_end_between_two_looks() {
    let (near, far) = (20_000, 5_000_000);
    for (uncertainty_ns, carries) in [(Some(near), true), (Some(far), false), (None, false)] {
        let mut world = World::synced();
        for _ in 0..6 {
            world.run(1);
            if let Some(root_dispersion_ns) = uncertainty_ns {
                let mut reading = chrony(world.now_ns - 100 * MS);
                reading.root_dispersion_ns = root_dispersion_ns;
                says(&mut world, reading);
            }
        }
        world.silent = true;
        world.maps.clear();
        world.run(2);
        let uncovered = |pair: &[TimeMap]| pair[1].at > pair[0].valid_until;
        let gaps = world.maps.windows(2).filter(|pair| uncovered(pair)).count();
        assert_eq!(gaps == 0, carries, "{:?}", world.maps);
        let quality = world.map().quality;
        assert_eq!(quality == TimeQuality::Synced, carries, "{:?}", world.map());
    }
}

/// `adjtime` shows in no correction. What it does while nobody measures is in the bound; what a source measures
/// behind it is in the measurement.
//= A8.3
#[test]
fn a_slew_in_holdover_is_in_the_bound() {
    for slewed_ns in [0, 5_000_000, -5_000_000] {
        let mut world = World::synced();
        world.slewed_ns = Some(0);
        world.run(5);
        world.silent = true;
        world.run(3);
        let before_ns = world.map().bound_ns.unwrap();
        for _ in 0..40 {
            world.slewed_ns = world.slewed_ns.map(|ns| ns + slewed_ns / 40);
            world.tick();
        }
        world.run(2);
        let map = world.map();
        assert_eq!(map.quality, TimeQuality::Holdover);
        let grown_ns = map.bound_ns.unwrap() - before_ns;
        let due_ns = slewed_ns.unsigned_abs();
        assert!(
            (due_ns..=due_ns + 2_500_000).contains(&(grown_ns + 1_000)),
            "{slewed_ns}: {before_ns} and {grown_ns}"
        );
        world.silent = false;
        world.run(30);
        assert_eq!(world.map().quality, TimeQuality::Synced);
        assert!(world.map().bound_ns < Some(1_000_000), "{:?}", world.map());
    }
}
