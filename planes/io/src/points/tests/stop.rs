//! A card that is told to stop while something waits for its window.

use super::site::{MS, OPENED, Site, di, pulse};
use crate::limits::{SETTLE_NS, STOP_WINDOWS_NS};
use crate::points::{Edge, Input};
use evidence::MonoNs;
use std::string::{String, ToString};
use std::vec::Vec;

const WINDOW: &str = "window = \"20ms\"\nchatter_on = 0";
/// The stop comes in the middle of a second: no slot is near.
const STOP: u64 = OPENED + 500 * MS;

/// A water meter on line 6 and a door on line 4; both rest before the stop.
fn at_rest(policy: &str) -> Site {
    let mut site = Site::open(policy, &(pulse("water", 6, "") + &di("door", 4, "")));
    site.until(OPENED + 400 * MS);
    site
}

/// An edge that the host reads at its instant, counted from the stop.
fn edge(site: &mut Site, from_stop_ms: i64, line: u32, rising: bool) {
    site.edge(
        STOP.saturating_add_signed(from_stop_ms * 1_000_000),
        line,
        rising,
    );
}

/// Its last count, as of the stop, and how many pulses it suspects; it has stopped by `by_ms` behind the stop.
fn last_count(site: &mut Site, by_ms: u64) -> (u64, u64) {
    site.until(STOP + by_ms * MS);
    assert!(site.stopped, "it still waits {by_ms} ms behind the stop");
    let last = site
        .pulses()
        .last()
        .map(|one| (one.at.0, one.count, one.suspect));
    let (at, count, suspect) = last.expect("a count at the stop");
    assert_eq!(at, STOP, "the count is of the instant of the stop");
    (count, suspect)
}

//= A3.3
#[test]
fn a_pulse_that_waits_for_its_window_at_the_stop_is_in_the_last_count() {
    for began_ms in [0, 1, 10, 19, 20, 21] {
        let mut site = at_rest(WINDOW);
        edge(&mut site, -began_ms, 6, true);
        site.feed(STOP, Input::Stop);
        edge(&mut site, 25, 6, false);
        assert_eq!(
            last_count(&mut site, 31),
            (1, 0),
            "{began_ms} ms before the stop"
        );
        assert_eq!(site.counter("debounce_reject_cnt", "water"), 0);
        assert_eq!(site.counts.get(&"water".parse().unwrap()), Some(&1));
    }
}

//= A3.3
#[test]
fn what_was_shorter_than_its_window_is_a_glitch_also_across_the_stop() {
    let mut site = at_rest(WINDOW);
    edge(&mut site, -3, 6, true);
    site.feed(STOP, Input::Stop);
    edge(&mut site, 2, 6, false);
    assert_eq!(last_count(&mut site, 11), (0, 0));
    assert_eq!(site.counter("glitch_width", "water/<10ms"), 1);
    assert_eq!(site.counter("debounce_reject_cnt", "water"), 2);
}

//= A3.3
#[test]
fn what_begins_behind_the_stop_is_of_the_next_run() {
    let mut site = at_rest(WINDOW);
    edge(&mut site, -300, 6, true);
    edge(&mut site, -200, 6, false);
    site.feed(STOP, Input::Stop);
    edge(&mut site, 1, 6, true);
    edge(&mut site, 2, 4, true);
    assert_eq!(last_count(&mut site, 11), (1, 0));
    assert_eq!(site.counter("edge_cnt", "water"), 2);
    assert_eq!(site.counter("edge_cnt", "door"), 0);
    assert_eq!(site.soe(), ["0 door 0 initial good none"]);
}

//= A3.3
#[test]
fn an_edge_from_before_the_stop_may_be_handed_over_behind_it() {
    let mut site = at_rest(WINDOW);
    site.feed(STOP, Input::Stop);
    let late = Edge {
        at: MonoNs(STOP - 2 * MS),
        line: 6,
        rising: true,
        line_seqno: 1,
    };
    site.feed(STOP + SETTLE_NS - 1, Input::Edges(Vec::from([late])));
    assert_eq!(last_count(&mut site, 28), (1, 0));
}

//= A3.3
#[test]
fn what_the_kernel_lost_before_the_first_edge_behind_the_stop_is_suspected() {
    let mut site = at_rest(WINDOW);
    site.lose(6, 5);
    site.feed(STOP, Input::Stop);
    edge(&mut site, 2, 6, true);
    assert_eq!(last_count(&mut site, 11), (0, 3));
    assert_eq!(site.counter("edge_lost_cnt", "water"), 5);
}

//= A3.3
//= R1.1
#[test]
fn a_change_of_an_input_that_waits_at_the_stop_is_told_with_its_instant() {
    let mut site = at_rest(WINDOW);
    edge(&mut site, -5, 4, true);
    site.feed(STOP, Input::Stop);
    assert_eq!(last_count(&mut site, 25), (0, 0));
    let told = ["0 door 0 initial good none", "495 door 1 edge good none"];
    assert_eq!(site.soe(), told);
}

//= A3.3
#[test]
fn a_window_longer_than_a_stop_may_wait_is_given_up_and_its_pulse_suspected() {
    let mut site = at_rest("window = \"5s\"\nchatter_on = 0");
    site.until(OPENED + 6_000 * MS);
    let stop = OPENED + 6_500 * MS;
    site.edge(stop - MS, 6, true);
    site.feed(stop, Input::Stop);
    site.until(stop + STOP_WINDOWS_NS - 1);
    assert!(!site.stopped);
    site.until(stop + STOP_WINDOWS_NS);
    assert!(site.stopped, "it waits for no longer than its bound");
    let last = site
        .pulses()
        .last()
        .map(|one| (one.at.0, one.count, one.suspect));
    assert_eq!(last, Some((stop, 0, 1)));
    assert_eq!(site.counter("debounce_reject_cnt", "water"), 1);
}

//= A3.3
#[test]
fn a_pulse_of_which_the_end_was_not_seen_at_the_stop_is_suspected() {
    // The card is lost, or the edge between is missing: nobody knows whether the pulse held.
    let lost = |site: &mut Site| {
        let detail = String::from("No such device");
        site.feed(STOP + MS, Input::Lost { detail });
    };
    let missed = |site: &mut Site| edge(site, 1, 6, true);
    for end in [&lost as &dyn Fn(&mut Site), &missed] {
        let mut site = at_rest(WINDOW);
        edge(&mut site, -2, 6, true);
        site.feed(STOP, Input::Stop);
        end(&mut site);
        let (count, suspect) = last_count(&mut site, 11);
        assert_eq!((count, suspect), (0, 1));
        let said = "pulses_suspect water: 1 or more since the snapshot before".to_string();
        assert!(site.events.contains(&said), "{:?}", site.events);
    }
}

//= R3.1
#[test]
fn what_a_frozen_input_kept_back_is_told_at_the_stop() {
    let policy = "window = \"1ms\"\nchatter_on = 4\nchatter_off = 1\nchatter_time = \"500ms\"";
    let mut site = at_rest(policy);
    for turn in 0..9i64 {
        edge(&mut site, -90 + turn * 10, 4, turn % 2 == 0);
    }
    site.feed(STOP, Input::Stop);
    assert_eq!(last_count(&mut site, 11), (0, 0));
    let told = site.soe();
    let last = told.last().map(String::as_str);
    assert_eq!(
        last,
        Some("500 door 1 lost invalid chatter 5 chatter"),
        "{told:?}"
    );
    let edges = told.iter().filter(|one| one.contains(" edge ")).count();
    assert_eq!(edges + 1 + 5, 9, "each change is told or counted: {told:?}");
}

//= A3.3
#[test]
fn every_pulse_is_in_a_count_wherever_the_stop_falls() {
    // A pulse of 30 ms every 50 ms; the window is 20 ms.
    for stop in (0..100).map(|ms| STOP + ms * MS) {
        let mut site = at_rest(WINDOW);
        let begins = |turn: u64| OPENED + (400 + 50 * turn) * MS;
        let mut edges: Vec<(u64, bool)> = (1..20)
            .flat_map(|turn| [(begins(turn), true), (begins(turn) + 30 * MS, false)])
            .collect();
        let behind = edges.split_off(edges.partition_point(|(at, _)| *at <= stop));
        let due = edges.iter().filter(|(_, rising)| *rising).count();
        edges
            .iter()
            .for_each(|(at, rising)| site.edge(*at, 6, *rising));
        site.feed(stop, Input::Stop);
        for (at, rising) in behind {
            if !site.stopped {
                site.edge(at, 6, rising);
            }
        }
        let last = site.pulses().last().map(|one| (one.at.0, one.count));
        assert_eq!(last, Some((stop, due as u64)), "stop at {stop}");
    }
}
