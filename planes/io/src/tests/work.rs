//! Where people work, what is read is a test.

use super::site::{Site, meter_id};
use super::world::{ANCHOR, FIRST_SLOT, S, World, all_well};
use crate::{Input, Work};
use evidence::kinds::Reading;
use std::string::String;
use std::vec::Vec;

/// Readings of a meter that people work on are marked, those of its neighbours are not.
//= A3.8
#[test]
fn what_is_read_where_people_work_is_a_test_until_they_end() {
    let site = Site::serial(2);
    let mut world = World::new(&site, all_well());
    let says = |world: &World, slot: u64| {
        let of =
            |reading: &&Reading| reading.slot.map(|slot| slot.number) == Some(FIRST_SLOT + slot);
        let told = world.readings().into_iter().filter(of);
        let mut said: Vec<String> = told
            .map(|one| std::format!("{} {}", one.meter_id, one.quality.reason))
            .collect();
        said.dedup();
        said.join(", ")
    };
    world.run_until(ANCHOR.plus_ns(S - 1));
    let on = |work: Work| Input::Work(work);
    world.at(ANCHOR.plus_ns(S - 1), on(Work::On([meter_id(1)].into())));
    world.run_until(ANCHOR.plus_ns(2 * S - 1));
    world.at(ANCHOR.plus_ns(2 * S - 1), on(Work::All));
    world.run_until(ANCHOR.plus_ns(3 * S - 1));
    world.at(ANCHOR.plus_ns(3 * S - 1), on(Work::None));
    world.run_until(ANCHOR.plus_ns(4 * S - 1));
    let (first, second) = (meter_id(0), meter_id(1));
    let expected = [
        ("none", "none"),
        ("none", "test"),
        ("test", "test"),
        ("none", "none"),
    ];
    for (slot, (one, other)) in (0..).zip(expected) {
        assert_eq!(
            says(&world, slot),
            std::format!("{first} {one}, {second} {other}")
        );
    }
}
