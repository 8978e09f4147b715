//! Software timestamps of a busy machine: what scatters, and the tail of a drift, are no step of the grandmaster.

use super::policy;
use super::world::World;
use evidence::reasons::TimeCause;
use std::vec::Vec;

/// Drifts that end; with more of them this is a measurement.
fn drifts() -> u64 {
    std::env::var("FIELDNOTARY_SCATTER_DRIFTS").map_or(40, |of| of.parse().unwrap())
}

fn causes(world: &World) -> Vec<TimeCause> {
    world.told.iter().filter_map(|of| of.time_cause).collect()
}

/// The grandmaster drifts by 2 ppm for 12 s, and its clock then stands: the last of the drift leaves the values that
/// are compared, at the edge of what counts as noise. It was told as a step of some 5 us.
//= R1.2
//= R7.2
#[test]
fn a_drift_that_ends_under_scatter_is_told_once_and_is_no_step() {
    let mut wrong = Vec::new();
    let mut again = 0;
    for seed in 0..drifts() {
        let mut world = World::new(policy());
        (world.random, world.busy, world.fast_delays) = (seed, true, true);
        world.run(30);
        world.told.clear();
        world.master_ppb = 2_000;
        world.run(12);
        world.master_ppb = 0;
        world.run(60);
        let told = causes(&world);
        again += told.len().saturating_sub(1);
        if told != [TimeCause::GrandmasterDrift] {
            wrong.push((seed, told));
        }
    }
    std::println!("{again} told beside {} drifts: {wrong:?}", drifts());
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The same scatter hides no step that stands out of it, behind a drift neither.
//= R1.2
//= R7.2
#[test]
fn a_step_under_scatter_is_told_once_also_behind_a_drift() {
    for by_ns in [-50_000, 50_000, 2_000_000] {
        for drifts in [false, true] {
            let mut world = World::new(policy());
            (world.busy, world.fast_delays) = (true, true);
            world.run(40);
            if drifts {
                world.master_ppb = 2_000;
                world.run(12);
                world.master_ppb = 0;
                // The drift is not forgotten yet.
                world.run(6);
            }
            world.told.clear();
            world.master_ns += by_ns;
            world.run(40);
            let told = causes(&world);
            assert_eq!(told, [TimeCause::GrandmasterStep], "{by_ns} {drifts}");
        }
    }
}

/// An hour of both: nothing moves and nothing is told.
//= R1.2
#[test]
fn scatter_alone_is_no_movement() {
    for busy in [false, true] {
        let mut world = World::new(policy());
        (world.busy, world.fast_delays) = (busy, true);
        let quiet_s = std::env::var("FIELDNOTARY_SCATTER_S");
        world.run(quiet_s.map_or(300, |of| of.parse().unwrap()));
        assert_eq!(causes(&world), [], "{busy}");
    }
}
