//! Digital inputs: what is told, in which order, and what is not.

use super::site::{MS, OPENED, Site, di};
use crate::points::Input;
use std::string::String;
use std::vec::Vec;

const CALM: &str = "window = \"10ms\"\nchatter_on = 0";

//= R1.1
//= R3.1
//= R3.4
#[test]
fn a_change_is_told_with_the_instant_of_its_edge_and_a_glitch_is_not() {
    let mut site = Site::open(CALM, &di("door", 4, ""));
    site.edge(OPENED + 100 * MS, 4, true);
    site.edge(OPENED + 300 * MS, 4, false);
    site.edge(OPENED + 305 * MS, 4, true);
    site.until(OPENED + 500 * MS);
    assert_eq!(
        site.soe(),
        ["0 door 0 initial good none", "100 door 1 edge good none"]
    );
    assert_eq!(site.counter("glitch_cnt", "door"), 1);
    assert_eq!(site.counter("glitch_width", "door/<10ms"), 1);
    assert_eq!(site.counter("debounce_reject_cnt", "door"), 2);
    assert_eq!(site.counter("edge_cnt", "door"), 3);
}

//= R1.1
#[test]
fn records_of_all_points_are_in_the_order_of_their_instants() {
    let slow = "[[debounce]]\nid = \"slow\"\nwindow = \"200ms\"\n[[di]]\nid = \"valve\"\ncard = \"dio\"\nline = 5\n\
                debounce = \"slow\"\n";
    let points = di("door", 4, "") + slow;
    let mut site = Site::open(CALM, &points);
    site.until(OPENED + 400 * MS);
    site.edge(OPENED + 500 * MS, 5, true);
    site.edge(OPENED + 550 * MS, 4, true);
    site.until(OPENED + 600 * MS);
    assert_eq!(
        site.soe().len(),
        2,
        "the door waits for the valve: {:?}",
        site.soe()
    );
    site.until(OPENED + 800 * MS);
    assert_eq!(
        site.soe()[2..],
        ["500 valve 1 edge good none", "550 door 1 edge good none"]
    );
}

//= R3.1
#[test]
fn chatter_freezes_and_invalidates_and_thaws_with_the_count_of_what_was_seen() {
    let policy = "window = \"1ms\"\nchatter_on = 4\nchatter_off = 1\nchatter_time = \"100ms\"";
    let mut site = Site::open(policy, &di("door", 4, ""));
    for turn in 0..8u64 {
        site.edge(OPENED + (100 + turn * 10) * MS, 4, turn % 2 == 0);
    }
    site.until(OPENED + 1_000 * MS);
    assert_eq!(
        site.soe(),
        [
            "0 door 0 initial good none",
            "100 door 1 edge good none",
            "110 door 0 edge good none",
            "120 door 1 edge good none",
            // The fourth change within 100 ms freezes it; it counts, and so do the four behind it.
            "130 door 0 quality invalid chatter 1 chatter",
            "260 door 0 quality good none 4 chatter",
        ]
    );
    assert_eq!(site.counter("chatter_cnt", "door"), 1);
    assert_eq!(site.counter("soe_suppressed_cnt", "door"), 5);
    assert_eq!(site.counter("soe_cnt", "door"), 3);
    assert_eq!(site.counter("edge_confirmed_cnt", "door"), 8);
}

//= R3.1
#[test]
fn a_wire_at_fault_invalidates_and_tells_no_event() {
    for (word, reason) in [("open-wire", "open_wire"), ("short", "short_circuit")] {
        let fault = std::format!("fault_line = 5\nfault = \"{word}\"");
        let mut site = Site::open(CALM, &di("door", 4, &fault));
        site.edge(OPENED + 100 * MS, 5, true);
        site.edge(OPENED + 200 * MS, 4, true);
        site.edge(OPENED + 300 * MS, 4, false);
        site.edge(OPENED + 400 * MS, 4, true);
        site.edge(OPENED + 500 * MS, 5, false);
        site.until(OPENED + 900 * MS);
        let invalid = std::format!("100 door 0 quality invalid {reason}");
        let expected = [
            "0 door 0 initial good none",
            &invalid,
            "500 door 1 quality good none 3 invalid_state",
        ];
        assert_eq!(site.soe(), expected);
    }
}

//= R3.1
#[test]
fn many_glitches_are_noise_and_changes_still_count() {
    let policy = "window = \"10ms\"\nchatter_on = 0\nnoise = 3\nchatter_time = \"100ms\"";
    let mut site = Site::open(policy, &di("door", 4, ""));
    for turn in 0..3 {
        site.edge(OPENED + (100 + turn * 20) * MS, 4, true);
        site.edge(OPENED + (102 + turn * 20) * MS, 4, false);
    }
    site.edge(OPENED + 160 * MS, 4, true);
    site.until(OPENED + 900 * MS);
    assert_eq!(
        site.soe()[1..],
        [
            "140 door 0 quality questionable noise",
            "160 door 1 edge questionable noise",
            "220 door 1 quality good none",
        ]
    );
}

//= R3.1
//= A3.3
#[test]
fn edges_that_the_kernel_lost_are_an_entry_with_their_count_and_reason() {
    let mut site = Site::open(CALM, &di("door", 4, ""));
    site.lose(4, 7);
    site.edge(OPENED + 100 * MS, 4, true);
    site.until(OPENED + 500 * MS);
    assert_eq!(
        site.soe()[1..],
        [
            "100 door 0 lost good none 7 kernel_buffer",
            "100 door 1 edge good none"
        ]
    );
    assert_eq!(site.counter("edge_lost_cnt", "door"), 7);
}

//= R3.1
//= R3.4
#[test]
fn a_card_that_goes_away_takes_the_validity_with_it_and_brings_it_back() {
    let mut site = Site::open(CALM, &di("door", 4, ""));
    site.edge(OPENED + 100 * MS, 4, true);
    let detail = String::from("unplugged");
    site.feed(OPENED + 200 * MS, Input::Lost { detail });
    let level = crate::points::Level {
        line: 4,
        high: true,
    };
    site.feed(OPENED + 900 * MS, Input::Opened(std::vec![level]));
    site.until(OPENED + 1_500 * MS);
    assert_eq!(
        site.soe()[1..],
        [
            "100 door 1 edge good none",
            "200 door - quality invalid source_lost",
            "900 door 1 initial good none",
        ]
    );
    assert!(
        site.events
            .iter()
            .any(|event| event == "port_lost unplugged")
    );
}

//= R10.4
//= A4.2
#[test]
fn what_had_no_room_is_told_as_lost_when_there_is_room() {
    use crate::limits::RECORDS_WAITING_MAX;
    let mut site = Site::open("window = \"0us\"\nchatter_on = 0", &di("door", 4, ""));
    site.until(OPENED + 50 * MS);
    site.feed(OPENED + 60 * MS, Input::QueueFull(true));
    let changes = u64::try_from(RECORDS_WAITING_MAX).unwrap() + 100;
    for turn in 0..changes {
        site.edge(OPENED + 100 * MS + turn * 1_000, 4, turn % 2 == 0);
    }
    site.until(OPENED + 1_000 * MS);
    site.feed(OPENED + 1_100 * MS, Input::QueueFull(false));
    site.until(OPENED + 1_200 * MS);
    let soe = site.soe();
    assert_eq!(soe.len(), RECORDS_WAITING_MAX + 2);
    assert!(
        soe.last()
            .unwrap()
            .ends_with("lost good none 100 queue_full"),
        "{:?}",
        soe.last()
    );
}

/// The queue is full when a frozen point becomes calm: nobody may go on reading `chatter`.
//= R10.4
//= R3.1
#[test]
fn a_point_that_calms_while_the_queue_is_full_is_told_calm_when_there_is_room() {
    use crate::limits::RECORDS_WAITING_MAX;
    let policy = "window = \"0us\"\nchatter_on = 4\nchatter_off = 1\nchatter_time = \"100ms\"";
    let calm = "[[debounce]]\nid = \"calm\"\nwindow = \"0us\"\nchatter_on = 0\n\
                [[di]]\nid = \"valve\"\ncard = \"dio\"\nline = 5\ndebounce = \"calm\"\n\
                fault_line = 6\n\
                [[pulse]]\nid = \"water\"\ncard = \"dio\"\nline = 7\ndebounce = \"calm\"\nschedule = \"second\"\n";
    let mut site = Site::open(policy, &(di("door", 4, "") + calm));
    for turn in 0..6u64 {
        site.edge(OPENED + (10 + turn) * MS, 4, turn % 2 == 0);
    }
    site.until(OPENED + 30 * MS);
    assert!(site.soe().last().unwrap().contains("chatter"));
    site.feed(OPENED + 40 * MS, Input::QueueFull(true));
    for turn in 0..=RECORDS_WAITING_MAX as u64 {
        site.edge(OPENED + 50 * MS + turn * 1_000, 5, turn % 2 == 0);
    }
    // Lost on the supervising line; the snapshot of a due slot has no room either.
    site.lose(6, 9);
    site.edge(OPENED + 70 * MS, 6, false);
    site.until(OPENED + 1_100 * MS);
    site.feed(OPENED + 1_200 * MS, Input::QueueFull(false));
    site.until(OPENED + 1_300 * MS);
    let of = |point: &str| {
        let all = site.soe();
        let mut of = all.into_iter().filter(|said| said.contains(point));
        of.next_back().unwrap()
    };
    assert!(
        of(" door ").ends_with("quality good none 2 chatter"),
        "{}",
        of(" door ")
    );
    assert!(
        of(" valve ").ends_with("lost good none 10 queue_full"),
        "{}",
        of(" valve ")
    );
    let dropped = |label| site.counter("record_dropped_cnt", label);
    assert_eq!(
        (dropped("door"), dropped("valve"), dropped("valve/fault")),
        (1, 1, 1)
    );
    assert!(
        site.events
            .iter()
            .any(|said| said.starts_with("queue_overflow")),
        "{:?}",
        site.events
    );
}

/// What people do on site is in the log, and is no event of the station.
//= A3.8
//= R3.1
#[test]
fn while_people_work_on_a_card_what_it_says_is_a_test() {
    use crate::Work;
    let water = "[[pulse]]\nid = \"water\"\ncard = \"dio\"\nline = 6\ndebounce = \"p\"\nschedule = \"second\"\n";
    let mut site = Site::open(CALM, &(di("door", 4, "") + water));
    site.feed(OPENED + 50 * MS, Input::Work(Work::All));
    site.edge(OPENED + 100 * MS, 4, true);
    site.until(OPENED + 1_100 * MS);
    let other = Work::On(["m1".parse().unwrap()].into());
    site.feed(OPENED + 1_200 * MS, Input::Work(other));
    site.edge(OPENED + 1_300 * MS, 4, false);
    site.until(OPENED + 2_100 * MS);
    assert_eq!(
        site.soe(),
        [
            "0 door 0 initial good none",
            "50 door 0 quality questionable test",
            "100 door 1 edge questionable test",
            "1200 door 1 quality good none",
            "1300 door 0 edge good none",
        ]
    );
    let counts: Vec<String> = site
        .pulses()
        .iter()
        .map(|one| one.quality.reason.name().into())
        .collect();
    assert_eq!(counts, ["test", "none"]);
}
