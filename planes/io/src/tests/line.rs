//! What the line itself tells: the UART's errors, echoes, chatter, a line that is held, errors by windows of time.

use super::accounting::check_all;
use super::site::{Site, meter_id};
use super::world::{ANCHOR, MS, S, Script, Sent, World, all_well};
use crate::{Input, UartErrors};
use contract::Echo;
use evidence::kinds::Event;
use evidence::reasons::{AttemptCause, CounterState, EventCode};
use std::boxed::Box;
use std::vec::Vec;

fn run(site: &Site, script: Script, more: Vec<(u64, Input)>, slots: u64) -> World {
    let mut world = World::new(site, script);
    for (after_ns, input) in more {
        world.at(ANCHOR.plus_ns(after_ns), input);
    }
    let stop = ANCHOR.plus_ns(slots * site.every_ms * MS - 1);
    world.run_until(stop);
    world.stop();
    check_all(&world, site, stop);
    world
}

fn of(world: &World, code: EventCode) -> Vec<Event> {
    let events = world.events().into_iter();
    events.filter(|event| event.code == code).cloned().collect()
}

fn errors(framing: u64, breaks: u64) -> Input {
    Input::Uart(UartErrors {
        framing,
        breaks,
        ..UartErrors::default()
    })
}

/// Each request comes back before its answer, whole or run together with it.
fn echoing(together: bool) -> Script {
    Box::new(move |sent: &Sent| {
        let request = sent.frame(&sent.request.encode());
        let reply = sent.answer();
        let (echoed, answered) = (sent.soonest_ns(&[]), sent.soonest_ns(&reply));
        match together {
            true => std::vec![(answered, [request, reply].concat())],
            false => std::vec![(echoed, request), (answered, reply)],
        }
    })
}

//= A3.1
#[test]
fn an_echo_is_told_apart_from_a_reply_and_said_once() {
    for together in [false, true] {
        let site = Site::serial(3);
        let world = run(&site, echoing(together), Vec::new(), 3);
        assert!(world.failures().is_empty(), "{:?}", world.failures());
        let told = of(&world, EventCode::OwnEcho);
        assert_eq!(told.len(), 1);
        assert!(
            told[0]
                .detail
                .as_deref()
                .unwrap()
                .contains("echo = \"heard\"")
        );
        let requests = u64::try_from(world.sent.len()).unwrap();
        assert_eq!(world.counter("own_echo_cnt", "port-1"), requests);
        assert_eq!(world.counter("frame_crc_fail", "port-1"), 0);
    }
}

//= A3.1
#[test]
fn an_echo_that_is_expected_is_taken_away_and_missing_it_costs_nothing() {
    let mut site = Site::serial(3);
    site.echo = Echo::Heard;
    for (script, comes) in [
        (echoing(false), true),
        (echoing(true), true),
        (all_well(), false),
    ] {
        let world = run(&site, script, Vec::new(), 3);
        assert!(world.failures().is_empty(), "{:?}", world.failures());
        assert!(of(&world, EventCode::OwnEcho).is_empty());
        let requests = if comes { world.sent.len() } else { 0 };
        let echoes = world.counter("own_echo_cnt", "port-1");
        assert_eq!(echoes, u64::try_from(requests).unwrap());
    }
}

/// A dead meter on a line with echo is a timeout, no damaged frame.
//= A3.7
#[test]
fn an_echo_alone_is_no_reply() {
    for echo in [Echo::None, Echo::Heard] {
        let mut site = Site::serial(2);
        site.echo = echo;
        let script: Script = Box::new(|sent: &Sent| {
            let request = sent.frame(&sent.request.encode());
            let reply = sent.answer();
            let echo = (sent.soonest_ns(&[]), request);
            match sent.place() {
                0 => std::vec![echo],
                _ => std::vec![echo, (sent.soonest_ns(&reply), reply)],
            }
        });
        let world = run(&site, script, Vec::new(), 2);
        assert!(!world.failures().is_empty());
        for failed in world.failures() {
            assert_eq!(failed.meter_id, meter_id(0));
            assert_ne!(failed.cause, AttemptCause::Framing, "{failed:?}");
            assert_ne!(failed.cause, AttemptCause::Crc, "{failed:?}");
        }
    }
}

//= R5.1
//= A3.7
#[test]
fn what_the_uart_counts_goes_to_the_meter_that_is_asked_and_to_the_port() {
    let site = Site::serial(2);
    let world = run(&site, all_well(), Vec::new(), 2);
    let counters = world.engine.counters();
    let framing = |label: &str| {
        let label = std::format!("{label}/uart_framing");
        let of = |one: &&evidence::kinds::Counter| one.label.as_deref() == Some(label.as_str());
        counters.iter().find(of).map(|one| one.state)
    };
    assert_eq!(framing("port-1"), Some(CounterState::Unsupported));
    // The first request of the slot leaves at once, so a millisecond later the first meter is being asked.
    let more = std::vec![
        (0, errors(0, 0)),
        (MS, errors(3, 1)),
        (600 * MS, errors(2, 0))
    ];
    let world = run(&site, all_well(), more, 2);
    assert_eq!(world.counter("if_err_cnt", "m00/uart_framing"), 3);
    assert_eq!(world.counter("if_err_cnt", "m00/uart_break"), 1);
    assert_eq!(world.counter("if_err_cnt", "m01/uart_framing"), 0);
    assert_eq!(world.counter("if_err_cnt", "port-1/uart_framing"), 5);
    assert_eq!(world.counter("bus_stuck_evt", "port-1"), 0);
    let windows = of(&world, EventCode::LineErrors);
    assert_eq!(
        windows.iter().filter_map(|event| event.count).sum::<u64>(),
        6
    );
    let words = windows[0].detail.as_deref().unwrap();
    assert!(words.contains("5 framing, 1 break"), "{words}");
}

//= A3.1
#[test]
fn a_line_that_speaks_or_is_held_while_nobody_is_asked_is_told_as_that() {
    let site = Site::serial(2);
    let chatter = Input::Received(std::vec![0xFF, 0x00, 0xFE]);
    let more = std::vec![(400 * MS, chatter), (700 * MS, errors(0, 2))];
    let world = run(&site, all_well(), more, 2);
    let told = of(&world, EventCode::IdleChatter);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].sample.as_ref().unwrap().0, [0xFF, 0x00, 0xFE]);
    assert_eq!(world.counter("idle_chatter_evt", "port-1"), 1);
    let stuck = of(&world, EventCode::BusStuck);
    assert_eq!(stuck.len(), 1);
    assert_eq!(world.counter("bus_stuck_evt", "port-1"), 1);
    assert_eq!(world.counter("if_err_cnt", "port-1/uart_break"), 2);
    assert!(world.failures().is_empty());
}

//= A3.1
#[test]
fn a_line_that_never_falls_silent_costs_few_entries_and_no_count() {
    let mut site = Site::serial(1);
    site.every_ms = 1_000_000;
    let babble = (0..6_000_u64).map(|n| (S + n * 100 * MS, Input::Received(std::vec![0x55])));
    let world = run(&site, all_well(), babble.collect(), 1);
    let told = of(&world, EventCode::IdleChatter);
    let counted: u64 = told.iter().map(|event| event.count.unwrap_or(1)).sum();
    assert_eq!(counted, 6_000);
    assert!(told.len() < 25, "{} entries", told.len());
}

//= R5.1
#[test]
fn the_line_knows_how_long_it_was_busy_and_how_long_idle() {
    let site = Site::serial(2);
    let world = run(&site, all_well(), Vec::new(), 3);
    let carried: usize = world.sent.iter().map(|sent| 8 + sent.answer().len()).sum();
    let due_ms = u64::try_from(carried).unwrap() * 11_000 / u64::from(site.baud);
    let busy_ms = world.counter("line_busy_ms", "port-1");
    assert!(busy_ms.abs_diff(due_ms) <= 1, "{busy_ms} for {due_ms}");
    let idle_ms = world.counter("line_idle_ms_max", "port-1");
    assert!((500..3_000).contains(&idle_ms), "{idle_ms}");
}
