//! A card's clock that ptp4l steers, and phc2sys that sets the node's clock by it: whose the steps are.

use super::policy;
use super::world::World;
use crate::reading::{CardClockReading, Observation, Reading, SourceKind, Timestamping};
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use evidence::{MonoNs, UtcNs};

/// Cards that follow PTP count TAI.
const TAI_NS: i64 = 37_000_000_000;
const STEP_NS: i64 = 2_000_000;

/// The world goes on for a look, the card standing `card_ns` from what it should show.
fn tick(world: &mut World, card_ns: i64) {
    world.pass();
    let beyond_ns = card_ns - world.own_ns;
    let ingress = world.reading.ingress.unwrap();
    world.reading.ingress = Some(UtcNs(ingress.0 + TAI_NS + beyond_ns));
    world.reading.offset_ns += beyond_ns;
    world.engine.note(&Observation {
        at: MonoNs(world.now_ns),
        outcome: Ok(Reading::CardClock(CardClockReading {
            index: 0,
            difference_ns: TAI_NS + beyond_ns,
            read_uncertainty_ns: 250,
            utc: UtcNs(crate::tests::utc(world.now_ns).0 + world.own_ns),
        })),
        source: SourceKind::CardClock,
    });
    world.look();
}

fn run(world: &mut World, card_ns: i64, seconds: u64) {
    for _ in 0..seconds * 4 {
        tick(world, card_ns);
    }
}

//= R1.2
//= A8.5
#[test]
fn a_step_that_phc2sys_made_is_a_daemons_and_one_by_hand_is_not() {
    let mut world = World::new(policy());
    let port = &mut world.reading.ports[0];
    port.timestamping = Some(Timestamping::Hardware);
    port.hardware_clock = Some(0);
    run(&mut world, 0, 30);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    let steps = [
        // By hand: the card says nothing against the clock.
        (0, STEP_NS, TimeCause::SetByProgram),
        // phc2sys sets it right.
        (0, -STEP_NS, TimeCause::DaemonCorrection),
        // The grandmaster steps, ptp4l takes the card after it, phc2sys the node's clock after that.
        (STEP_NS, STEP_NS, TimeCause::DaemonCorrection),
    ];
    let mut card_ns = 0;
    for (card_to_ns, by_ns, cause) in steps {
        world.master_ns = card_to_ns;
        card_ns = card_to_ns;
        run(&mut world, card_ns, 5);
        world.told.clear();
        world.own_ns += by_ns;
        world.set = true;
        run(&mut world, card_ns, 5);
        assert_eq!(
            world.cause(EventCode::TimeStep),
            Some(cause),
            "by {by_ns} ns"
        );
        assert_eq!(world.count(EventCode::TimeStep), 1);
    }
    run(&mut world, card_ns, 30);
    assert_eq!(world.map().quality, TimeQuality::Synced);
}
