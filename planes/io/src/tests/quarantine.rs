//! A meter that does not answer costs the others next to nothing, is tried all the same, and is not blamed for its line.

use super::site::{Site, meter_id, port_id};
use super::world::{ANCHOR, FIRST_SLOT, MS, S, Script, Sent, World};
use crate::limits::COOL_NS_MAX;
use evidence::MonoNs;
use evidence::reasons::{AttemptCause, EventCode};
use std::boxed::Box;
use std::vec::Vec;

/// Meters on a line of 9600 baud: a cycle of theirs takes 0.96 s.
const METERS: usize = 32;
const DEAD: usize = 7;

/// The line, slots so long, and a timeout that is half of a cycle.
fn line(every_ms: u64) -> Site {
    let mut site = Site::serial(METERS);
    site.baud = 9_600;
    site.every_ms = every_ms;
    site.timeout_ms = 500;
    site.late_reply_ms = 500;
    site
}

/// These are silent from the first instant until the second.
fn silent_between(places: &'static [usize], from: MonoNs, until: MonoNs) -> Script {
    Box::new(move |sent: &Sent| {
        let reply = sent.answer();
        let dead = places.contains(&sent.place()) && (from..until).contains(&sent.at);
        match dead {
            true => Vec::new(),
            false => std::vec![(sent.soonest_ns(&reply), reply)],
        }
    })
}

fn after(seconds: u64) -> MonoNs {
    ANCHOR.plus_ns(seconds * S)
}

/// For each slot from the 40th on, when the last of the others was read, in nanoseconds behind it.
fn cycles(world: &World, every_ms: u64) -> Vec<u64> {
    let mut last = std::collections::BTreeMap::new();
    for reading in world.readings() {
        let slot = reading.slot.unwrap().number - FIRST_SLOT;
        if reading.meter_id != meter_id(DEAD) && slot >= 40 {
            let behind = reading.at.since(ANCHOR.plus_ns(slot * every_ms * MS));
            let known = last.entry(slot).or_insert(0);
            *known = behind.max(*known);
        }
    }
    last.into_values().collect()
}

/// What the others have of a line: the mean and the longest of their cycles in nanoseconds, and their readings, of all
/// slots and of those from the 40th on.
struct Course {
    mean_ns: u64,
    worst_ns: u64,
    readings: u64,
    settled: u64,
}

fn course(world: &World, every_ms: u64) -> Course {
    let cycles = cycles(world, every_ms);
    let count = |from: u64| {
        let readings = world.readings().into_iter();
        let of_others = readings.filter(|one| {
            one.meter_id != meter_id(DEAD) && one.slot.unwrap().number >= FIRST_SLOT + from
        });
        of_others.count() as u64
    };
    Course {
        mean_ns: cycles.iter().sum::<u64>() / cycles.len() as u64,
        worst_ns: cycles.into_iter().max().unwrap(),
        readings: count(0),
        settled: count(40),
    }
}

/// Milliseconds with one place.
fn ms(ns: u64) -> std::string::String {
    std::format!("{}.{} ms", ns / 1_000_000, ns / 100_000 % 10)
}

/// Slots of a line with time to spare, where the wait for the dead one finds room, and of one that is hardly fast enough.
const ROOMY_MS: u64 = 2_000;
const TIGHT_MS: u64 = 1_080;

//= R5.2
//= R5.3
#[test]
fn one_dead_meter_of_32_costs_the_others_a_twentieth_at_most() {
    std::println!(
        "| slots | cycle, all answer | one dead, mean | worst | lost | lost from the 40th slot on |"
    );
    for every_ms in [ROOMY_MS, TIGHT_MS] {
        let site = line(every_ms);
        let end = after(400);
        let mut all_well = World::new(&site, silent_between(&[], after(0), after(0)));
        all_well.run_until(end);
        let mut one_dead = World::new(&site, silent_between(&[DEAD], after(0), end));
        one_dead.run_until(end);
        let (well, dead) = (course(&all_well, every_ms), course(&one_dead, every_ms));
        let lost = well.readings.saturating_sub(dead.readings);
        let settled = well.settled.saturating_sub(dead.settled);
        std::println!(
            "| {every_ms} ms | {} | {} | {} ({} permille) | {lost} of {} | {settled} of {} |",
            ms(well.mean_ns),
            ms(dead.mean_ns),
            ms(dead.worst_ns),
            dead.worst_ns * 1_000 / well.worst_ns,
            well.readings,
            well.settled,
        );
        assert!(dead.mean_ns * 100 <= well.mean_ns * 105, "{every_ms}");
        assert!(lost * 100 <= well.readings * 2, "{every_ms}: {lost} lost");
        if every_ms == ROOMY_MS {
            // There is time for the dead one behind all others: no cycle is longer, no reading is lost.
            assert!(dead.worst_ns * 100 <= well.worst_ns * 105);
            assert_eq!(lost, 0);
        } else {
            // There is none, and each wait for it costs the next slot some of the others.
            assert!(settled * 100 <= well.settled, "{settled} lost");
        }
        // Only the dead one is in quarantine.
        for place in 0..METERS {
            let label = std::format!("m{place:02}");
            let due = u64::from(place == DEAD);
            assert_eq!(one_dead.counter("quarantine_cnt", &label), due, "{label}");
        }
    }
}

//= R5.3
//= A4.2
#[test]
fn a_meter_that_comes_back_is_read_within_a_minute_and_its_skipped_slots_are_entries() {
    for every_ms in [ROOMY_MS, TIGHT_MS] {
        let site = line(every_ms);
        let back = after(200);
        let mut world = World::new(&site, silent_between(&[DEAD], after(0), back));
        world.run_until(back.plus_ns(60 * S));
        let of_it = |at: MonoNs| at >= back;
        let readings = world.readings();
        let first = readings
            .iter()
            .find(|one| one.meter_id == meter_id(DEAD) && of_it(one.at));
        let first = first.unwrap_or_else(|| panic!("{every_ms}: not read again"));
        std::println!(
            "slots of {every_ms} ms: read again {} after its return",
            ms(first.at.since(back))
        );
        let failures = world.failures();
        let skipped = failures
            .iter()
            .filter(|one| one.cause == AttemptCause::Quarantined);
        let skipped: Vec<_> = skipped.map(|one| (one.last, one.points.len())).collect();
        assert!(skipped.len() > 50, "{} slots", skipped.len());
        assert!(skipped.iter().all(|one| *one == (true, 2)));
        // It was tried at least as often as promised.
        let tries: Vec<MonoNs> = world
            .sent
            .iter()
            .filter(|sent| sent.place() == DEAD)
            .map(|sent| sent.at)
            .collect();
        let slack = 2 * every_ms * MS + S;
        for pair in tries.windows(2) {
            assert!(pair[1].since(pair[0]) <= COOL_NS_MAX + slack, "{pair:?}");
        }
    }
}

//= A3.7
//= R5.3
#[test]
fn a_line_that_is_cut_is_held_against_no_meter() {
    let all: &'static [usize] = &[0, 1, 2, 3];
    let mut site = Site::serial(4);
    site.every_ms = 4_000;
    let (cut, mended) = (after(40), after(160));
    let mut world = World::new(&site, silent_between(all, cut, mended));
    world.run_until(after(200));
    for place in 0..4 {
        let label = std::format!("m{place:02}");
        assert_eq!(world.counter("quarantine_cnt", &label), 0, "{label}");
        // Read again in the first slot behind it.
        let readings = world.readings();
        let again = readings
            .iter()
            .find(|one| one.meter_id == meter_id(place) && one.at >= mended);
        assert!(again.unwrap().at.since(mended) < 5 * S, "{label}");
    }
    let said = |code: EventCode| world.events().iter().filter(|one| one.code == code).count();
    assert_eq!(
        (said(EventCode::BusSilent), said(EventCode::BusAnswers)),
        (1, 1)
    );
    assert_eq!(world.counter("bus_silent_evt", port_id().as_str()), 1);
}

/// Replies of these meters are damaged on their way, between these instants.
fn damaged_between(places: Vec<usize>, from: MonoNs, until: MonoNs) -> Script {
    Box::new(move |sent: &Sent| {
        let mut reply = sent.answer();
        if places.contains(&sent.place()) && (from..until).contains(&sent.at) {
            // In the register, in the CRC, or in the unit itself: as a bad line has it.
            let harmed = [4, 7, 0][sent.index % 3];
            reply[harmed] ^= 0x24;
        }
        std::vec![(sent.soonest_ns(&reply), reply)]
    })
}

//= A3.7
//= R5.3
//= A3.1
#[test]
fn a_line_that_damages_everything_is_held_against_no_meter() {
    let mut site = Site::serial(METERS);
    site.every_ms = 12_000;
    let (from, until) = (after(36), after(240));
    let script = damaged_between((0..METERS).collect(), from, until);
    let mut world = World::new(&site, script);
    world.run_until(after(280));
    for place in 0..METERS {
        let label = std::format!("{}", meter_id(place));
        assert_eq!(world.counter("quarantine_cnt", &label), 0, "{label}");
        // What happened to its own frames stands with it.
        assert!(world.counter("if_err_cnt", &label) > 10, "{label}");
        let readings = world.readings();
        let mut again = readings
            .iter()
            .filter(|one| one.meter_id == meter_id(place) && one.at >= until);
        assert!(
            again.next().unwrap().at.since(until) < 13 * S,
            "{label}: read again in the first slot behind it"
        );
    }
    let said = |code: EventCode| world.events().iter().filter(|one| one.code == code).count();
    assert_eq!(
        (said(EventCode::BusSilent), said(EventCode::BusAnswers)),
        (1, 1)
    );
    assert!(said(EventCode::LineErrors) > 0);
    assert!(world.counter("frame_crc_fail", port_id().as_str()) > 100);
    let quarantined = world
        .failures()
        .iter()
        .any(|one| one.cause == AttemptCause::Quarantined);
    assert!(!quarantined, "a slot was skipped");
}

//= A3.7
//= R5.3
#[test]
fn where_one_of_all_answers_the_others_are_at_fault_and_it_is_read_in_each_slot() {
    const GOOD: usize = 3;
    let others: Vec<usize> = (0..METERS).filter(|place| *place != GOOD).collect();
    let mut site = line(4_000);
    site.timeout_ms = 50;
    let silent = others.clone();
    let dead: Script = Box::new(move |sent: &Sent| match silent.contains(&sent.place()) {
        true => Vec::new(),
        false => std::vec![(sent.soonest_ns(&sent.answer()), sent.answer())],
    });
    let harmed = damaged_between(others.clone(), after(0), after(10_000));
    for script in [dead, harmed] {
        let mut world = World::new(&site, script);
        let slots = 60;
        world.run_until(after(slots * 4 - 1));
        let of_it = |one: &&&evidence::kinds::Reading| one.meter_id == meter_id(GOOD);
        let read: Vec<_> = world
            .readings()
            .iter()
            .filter(of_it)
            .map(|one| one.slot)
            .collect();
        // Two points.
        assert_eq!(read.len() as u64, 2 * slots);
        let blamed = |place: usize| world.counter("quarantine_cnt", meter_id(place).as_str());
        assert_eq!(blamed(GOOD), 0);
        for place in &others {
            assert_eq!(blamed(*place), 1, "m{place:02}");
        }
        let silent = world
            .events()
            .iter()
            .any(|one| one.code == EventCode::BusSilent);
        assert!(!silent, "one answers");
    }
}
