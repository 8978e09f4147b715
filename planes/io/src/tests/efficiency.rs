//! How much of a line's time the engine needs beyond what the line itself takes.

use super::accounting::check_all;
use super::site::{Site, schedule_id};
use super::world::{ANCHOR, MS, Script, Sent, World};
use modbus::limits::RTU_OVERHEAD_BYTES;
use std::boxed::Box;

/// Characters of 11 bits: start, eight data bits, parity, stop.
const CHARACTER_BITS: u64 = 11;
const METERS: usize = 32;

/// Nanoseconds of a character, and of the silence of 3.5: fixed above 19,200 baud (Modbus over serial line, 2.5.1.1).
fn line_ns(baud: u32) -> (u64, u64) {
    let character_ns = CHARACTER_BITS * 1_000_000_000 / u64::from(baud);
    let silence_ns = match baud {
        0..=19_200 => character_ns * 7 / 2,
        _ => 1_750_000,
    };
    (character_ns, silence_ns)
}

/// Every meter answers as soon as the silence behind the request lets it, character by character.
fn at_line_speed(baud: u32) -> Script {
    let (character_ns, silence_ns) = line_ns(baud);
    Box::new(move |sent: &Sent| {
        let asked_ns = (sent.request.encode().len() + RTU_OVERHEAD_BYTES) as u64 * character_ns;
        let begin_ns = asked_ns + silence_ns;
        let reply = sent.answer();
        let one =
            |(place, byte): (u64, &u8)| (begin_ns + (place + 1) * character_ns, std::vec![*byte]);
        (0_u64..).zip(&reply).map(one).collect()
    })
}

/// Requests, replies and the silences behind them: no master of Modbus can do with less.
fn least_ns(world: &World, baud: u32) -> u64 {
    let (character_ns, silence_ns) = line_ns(baud);
    let transaction = |sent: &Sent| {
        let asked = sent.request.encode().len() + RTU_OVERHEAD_BYTES;
        let characters = (asked + sent.answer().len()) as u64;
        characters * character_ns + 2 * silence_ns
    };
    let of_the_slot = world.sent.iter().take(METERS);
    // Behind the last reply nobody waits.
    of_the_slot.map(transaction).sum::<u64>() - silence_ns
}

//= R5.2
#[test]
fn a_cycle_takes_what_the_line_takes_and_two_parts_in_a_hundred_more_at_the_most() {
    for baud in [9_600, 19_200, 38_400, 57_600, 115_200] {
        let mut site = Site::serial(METERS);
        (site.baud, site.turnaround_ms, site.every_ms) = (baud, 0, 10_000);
        let mut world = World::new(&site, at_line_speed(baud));
        let stop = ANCHOR.plus_ns(site.every_ms * MS - 1);
        world.run_until(stop);
        world.stop();
        check_all(&world, &site, stop);
        assert!(world.failures().is_empty());
        let measured_ns = world
            .engine
            .cycle(&schedule_id())
            .and_then(|cycle| cycle.measured_ns);
        let (measured_ns, least_ns) = (measured_ns.unwrap(), least_ns(&world, baud));
        let share = measured_ns * 10_000 / least_ns;
        std::println!(
            "| {baud} | {} us | {} us | {}.{:04} |",
            measured_ns / 1_000,
            least_ns / 1_000,
            share / 10_000,
            share % 10_000
        );
        assert!(
            share <= 10_200,
            "{baud} baud: {measured_ns} ns where {least_ns} ns will do"
        );
        assert!(share >= 9_999, "{baud} baud: faster than the line");
    }
}
