//! An overload that the level converter reports: whose fault it is, what waits, and how it ends.

use super::clocks::{assert_true, times};
use super::{Line, by_primary, contract, slave};
use crate::Input;
use crate::outputs::Held;
use crate::tests::clocks::{met, order};
use crate::tests::world::{ANCHOR, FIRST_SLOT, MS};
use evidence::reasons::{AttemptCause, EventCode};
use evidence::{MonoNs, Slot};
use std::vec;
use std::vec::Vec;

const METERS: u8 = 3;
const REPORT: &str = "overload = \"fault on\"";
const INPUT: &str = "\n[[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n[[debounce]]\nid = \"contact\"\n\
                     window = \"10ms\"\n[[di]]\nid = \"fault\"\ncard = \"dio\"\nline = 1\ndebounce = \"contact\"\n";

/// A bus of three meters that take so long to start, and what its converter reports at moments behind the first slot.
fn line_that_starts(power_up_ms: u64, reports: &[(u64, Held)]) -> Line {
    let mut meters = by_primary(METERS);
    meters[0] += "\nclock_telegram = \"type-i\"";
    // Behind the last meter, other tables of the station.
    if let Some(last) = meters.last_mut() {
        last.push_str(INPUT);
    }
    let slaves = (0..METERS).map(slave).collect();
    let mut contract = contract(REPORT, &meters);
    for port in contract.ports.values_mut() {
        if let contract::PortKind::Mbus(line) = &mut port.kind {
            line.power_up_ms = power_up_ms;
        }
    }
    let mut line = Line::new(&contract, slaves);
    for (ms, held) in reports {
        line.at(ANCHOR.plus_ns(ms * MS), Input::Overload(*held));
    }
    line
}

fn line(reports: &[(u64, Held)]) -> Line {
    line_that_starts(0, reports)
}

fn codes(line: &Line) -> Vec<(EventCode, Option<u64>)> {
    let of_overload = [
        EventCode::BusOverload,
        EventCode::BusOverloadOver,
        EventCode::BusSilent,
    ];
    let events = line.events();
    let told = events
        .iter()
        .filter(|event| of_overload.contains(&event.code));
    told.map(|event| (event.code, event.count)).collect()
}

fn place(slot: Slot) -> u64 {
    slot.number - FIRST_SLOT
}

/// What slots of a meter had readings, counted from the first.
fn read(line: &Line, meter: &str) -> Vec<u64> {
    let readings = line.readings(meter);
    let slots = readings
        .iter()
        .filter(|one| one.point_id.as_str() == "volume");
    slots.filter_map(|one| one.slot).map(place).collect()
}

//= A3.2
//= A3.7
//= A4.3
#[test]
fn while_a_converter_reports_an_overload_nobody_is_asked_or_blamed_and_each_slot_says_why() {
    // In the middle of the first meter's second readout, and over before the sixth slot.
    let (begin, end) = (10_060, 45_000);
    let mut line = line(&[(begin, Held::Holds), (end, Held::Broken)]);
    line.slots(6);
    let asked = |from: u64, to: u64| {
        let within = ANCHOR.plus_ns(from * MS)..ANCHOR.plus_ns(to * MS);
        line.sent
            .iter()
            .filter(|(at, _)| within.contains(at))
            .count()
    };
    assert!(asked(10_000, begin) > 0, "a request was under way");
    assert_eq!(asked(begin + 1, end), 0);
    for meter in ["m0", "m1", "m2"] {
        assert_eq!(read(&line, meter), [0, 5], "{meter}");
        let failures = line.failures(meter);
        assert!(
            failures
                .iter()
                .all(|one| one.cause == AttemptCause::BusOverload && one.last),
            "{meter}: {failures:?}"
        );
        let slots = failures.iter().filter_map(|one| one.slot);
        let numbers: Vec<u64> = slots.map(place).collect();
        assert_eq!(numbers, [1, 2, 3, 4], "{meter}");
        for blame in ["quarantine_cnt", "drop_cnt"] {
            assert_eq!(line.counter(blame, meter), Some(0), "{blame} {meter}");
        }
    }
    let lasted = (end - begin) * MS;
    assert_eq!(
        codes(&line),
        [
            (EventCode::BusOverload, None),
            (EventCode::BusOverloadOver, Some(lasted)),
        ]
    );
    assert_eq!(line.counter("overload_evt", "bus"), Some(1));
}

//= A3.2
#[test]
fn meters_have_the_time_to_start_behind_an_overload_and_an_input_that_says_nothing_holds_nobody_back()
 {
    // The voltage is back a moment before a slot: whoever is asked then is asked when meters have started.
    let mut back = line_that_starts(3_000, &[(5_000, Held::Holds), (9_900, Held::Broken)]);
    back.slots(2);
    let over = ANCHOR.plus_ns(9_900 * MS);
    let next = back.sent.iter().map(|(at, _)| *at).find(|at| *at > over);
    assert!(next >= Some(over.plus_ns(3_000 * MS)), "{next:?}");
    assert_eq!(read(&back, "m0"), [0, 1]);

    let mut lost = line(&[(5_000, Held::Holds), (15_000, Held::Unknown)]);
    lost.slots(4);
    // It is given up ten seconds later, behind the third slot.
    assert_eq!(read(&lost, "m2"), [0, 3]);
    let events = lost.events();
    let over = events
        .iter()
        .find(|one| one.code == EventCode::BusOverloadOver);
    let words = over
        .and_then(|one| one.detail.as_deref())
        .unwrap_or_default();
    assert!(words.contains("cannot be believed"), "{words}");
    let never = line(&[(0, Held::Unknown), (1, Held::Broken), (2, Held::Unknown)]);
    assert_eq!(codes(&never), vec![]);
}

//= A3.2
#[test]
fn a_card_that_misses_a_poll_in_the_middle_ends_no_overload() {
    let mut line = line(&[
        (5_000, Held::Holds),
        (6_000, Held::Unknown),
        (7_500, Held::Holds),
        (14_000, Held::Unknown),
        (22_000, Held::Broken),
    ]);
    line.slots(4);
    let lasted = Some(17_000 * MS);
    assert_eq!(
        codes(&line),
        [
            (EventCode::BusOverload, None),
            (EventCode::BusOverloadOver, lasted),
        ]
    );
    assert_eq!(line.counter("overload_evt", "bus"), Some(1));
    assert_eq!(read(&line, "m0"), [0, 3]);
}

/// The engine neither spins on an order that it cannot carry out now, nor carries it out later than it says.
//= A3.2
//= U6
#[test]
fn a_clock_is_told_the_time_only_when_the_bus_is_asked_again_and_then_truly() {
    let mut line = line(&[(5_000, Held::Holds), (17_500, Held::Broken)]);
    line.tells = true;
    line.at(MonoNs(0), met(&[]));
    let at = ANCHOR.plus_ns(8_000 * MS);
    line.at(at, Input::Clock(order(11, "m0", at)));
    line.slots(4);
    let times = times(&line);
    let [(arrives, shown)] = &times[..] else {
        panic!("{times:?}");
    };
    assert!(*arrives > ANCHOR.plus_ns(17_500 * MS), "{arrives:?}");
    assert_true(*arrives, shown);
}

//= A3.2
#[test]
fn an_overload_from_the_start_lets_nothing_out_and_without_an_input_the_counter_is_unsupported() {
    let mut line = line(&[]);
    line.at(MonoNs(1), Input::Overload(Held::Holds));
    line.slots(3);
    assert!(line.sent.is_empty());
    assert!(read(&line, "m1").is_empty());
    assert_eq!(line.failures("m1").len(), 3);
    line.stop();

    let meters = by_primary(1);
    let without = Line::new(&contract("", &meters), vec![slave(0)]);
    assert_eq!(without.counter("overload_evt", "bus"), None);
}
