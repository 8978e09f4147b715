//! Planned faults: of the feedback, of the card, of the processes around.

use super::station::{MS, OPENED, Station, contract};
use crate::outputs::Asked;
use crate::points::{Input, Level};
use contract::OnLoss;
use std::string::String;
use std::vec::Vec;

/// Selects and executes, waits for the end of the window, and gives what was told of the execute.
fn operate(station: &mut Station) -> Vec<String> {
    station.command("ada", "select breaker 1");
    station.told();
    station.command("ada", "execute breaker 1");
    station.wait(600);
    station.told()
}

//= R3.2
#[test]
fn a_feedback_that_is_stuck_is_a_mismatch() {
    let mut station = Station::ready();
    station.wires.clear();
    assert_eq!(
        operate(&mut station),
        ["breaker driven none 102", "breaker mismatch no_change 102"]
    );
    assert_eq!(station.drives, ["50 12 1"], "and is not tried again");
}

//= R3.2
#[test]
fn a_feedback_that_chatters_proves_nothing() {
    let mut station = Station::ready();
    station.wires.clear();
    // It flutters before the relay could have moved, and is frozen.
    for turn in 0..60 {
        station.moves(7, turn % 2 == 0, 20 + turn * 12);
    }
    station.wait(200);
    station.command("ada", "select breaker 1");
    assert_eq!(
        station.told().pop().unwrap(),
        "breaker refused unproved 101 (contact)"
    );
    // And one that begins to while its state is awaited.
    let mut station = Station::ready();
    station.wires.clear();
    for turn in 0..60 {
        station.moves(7, turn % 2 == 0, 40 + turn * 10);
    }
    let told = operate(&mut station);
    assert_eq!(
        told,
        [
            "breaker driven none 102",
            "breaker mismatch feedback_invalid 102"
        ]
    );
}

//= R3.2
#[test]
fn a_card_that_refuses_or_goes_away_is_told_and_the_output_is_not_believed() {
    let mut station = Station::ready();
    station.refuses = Some("EIO".into());
    assert_eq!(
        operate(&mut station),
        ["breaker failed driver_fault 102 (EIO)"]
    );
    let mut station = Station::ready();
    station.wires.clear();
    station.command("ada", "select breaker 1");
    station.command("ada", "execute breaker 1");
    station.told();
    let lost = Input::Lost {
        detail: "pulled out".into(),
    };
    station.feed(station.now, lost);
    assert_eq!(station.told(), ["breaker mismatch card_lost 102"]);
    station.command("ada", "select breaker 1");
    assert_eq!(station.told(), ["breaker refused card_lost 103"]);
    // Plugged in again it is opened at its safe level, and says so; what runs is not driven again.
    let low = |line| Level { line, high: false };
    station.wait(1_000);
    station.feed(
        station.now,
        Input::Opened([7, 8, 9, 12, 13, 14].map(low).to_vec()),
    );
    assert!(station.told().contains(&"breaker safe opened".into()));
    assert_eq!(station.drives.len(), 1);
}

//= R3.2
//= R6.7
#[test]
fn what_was_committed_before_this_process_is_told_as_unknown_and_never_carried_out() {
    let mut station = Station::of(&contract(""));
    station.told();
    station.id = 200;
    station.met(200, &[("breaker", 180), ("horn", 190), ("elsewhere", 195)]);
    assert_eq!(
        station.told(),
        [
            "breaker unknown process_ended 180",
            "horn unknown process_ended 190"
        ]
    );
    // A host that hands one over again, or an old one, moves nothing.
    let mut old = station.given("ada", "operate horn 1");
    old.id = evidence::CommitId(190);
    station.ask(Asked::Command(old));
    let new = station.given("ada", "operate horn 1");
    station.ask(Asked::Command(new.clone()));
    station.wait(1_000);
    station.ask(Asked::Command(new));
    station.wait(1_000);
    assert_eq!(
        station.drives.len(),
        2,
        "there and back: {:?}",
        station.drives
    );
    assert_eq!(
        station.told(),
        ["horn operated none 202", "horn released none 202"]
    );
}

//= R3.2
//= R6.7
#[test]
fn what_was_committed_while_the_recorder_was_not_heard_is_told_as_not_carried_out() {
    let mut station = Station::ready();
    station.command("ada", "operate lamp 1");
    station.told();
    station.ask(Asked::RecorderGone);
    station.wait(1_000);
    station.met(110, &[("lamp", 101), ("lamp", 105)]);
    assert_eq!(station.told(), ["lamp refused interrupted 105"]);
    station.id = 110;
    station.command("ada", "operate lamp 0");
    assert_eq!(station.told(), ["lamp operated none 111"]);
}

//= R3.2
#[test]
fn without_a_recorder_an_output_goes_where_it_is_safe_once_or_holds_as_the_contract_says() {
    let mut station = Station::ready();
    operate(&mut station);
    station.command("ada", "operate lamp 1");
    station.command("ada", "select horn 1");
    station.told();
    station.drives.clear();
    station.ask(Asked::RecorderGone);
    station.wait(9_999);
    assert!(station.drives.is_empty());
    station.wait(2);
    assert_eq!(station.drives.len(), 1, "{:?}", station.drives);
    assert!(station.drives[0].ends_with(" 12 0"), "{:?}", station.drives);
    station.wait(60_000);
    assert_eq!(
        station.drives.len(),
        1,
        "the lamp holds: {:?}",
        station.drives
    );
    assert_eq!(
        station.told(),
        ["breaker safe recorder_lost", "horn expired none"]
    );
    // A card that refuses is not asked without end.
    let mut station = Station::ready();
    operate(&mut station);
    station.refuses = Some("EIO".into());
    station.drives.clear();
    station.ask(Asked::RecorderGone);
    station.wait(60_000);
    assert_eq!(station.drives.len(), 1);
    assert!(
        station
            .told()
            .contains(&"breaker failed driver_fault (EIO)".into())
    );
}

//= R3.2
#[test]
fn at_a_stop_outputs_go_where_they_are_safe_and_what_runs_is_told() {
    let mut station = Station::ready();
    station.wires.clear();
    station.command("ada", "operate lamp 1");
    station.command("ada", "select breaker 1");
    station.command("ada", "execute breaker 1");
    station.told();
    station.feed(station.now, Input::Stop);
    station.wait(3_000);
    assert!(station.stopped);
    assert_eq!(
        station.told(),
        ["breaker mismatch stopping 103", "breaker safe stopping"]
    );
    let at = (station.now - OPENED) / MS;
    assert_eq!(station.drives.len(), 3, "{:?} by {at}", station.drives);
}

//= R3.2
#[test]
fn a_line_that_was_taken_over_as_it_stood_says_so() {
    let more =
        "[[do]]\nid = \"fan\"\ncard = \"dio\"\nline = 15\nsafe = \"off\"\non_loss = \"hold\"\n";
    let mut station = Station::of(&contract(more));
    station.told();
    let lost = Input::Lost { detail: "".into() };
    station.feed(station.now, lost);
    let high = |line| Level { line, high: true };
    station.wait(1_000);
    station.feed(station.now, Input::Opened([15, 14].map(high).to_vec()));
    let told = station.told();
    for words in ["fan kept opened", "lamp kept opened"] {
        assert!(told.contains(&words.into()), "{words} in {told:?}");
    }
}

//= R3.2
#[test]
fn a_line_that_is_opened_and_is_not_safe_is_told_as_a_fault_and_goes_there_at_a_stop() {
    let mut station = Station::ready();
    let lost = Input::Lost { detail: "".into() };
    station.feed(station.now, lost);
    station.told();
    station.wait(1_000);
    let level = |line| Level {
        line,
        high: [8, 12, 13].contains(&line),
    };
    let levels = [7, 8, 9, 12, 13, 14].map(level).to_vec();
    station.feed(station.now, Input::Opened(levels));
    assert_eq!(
        station.told(),
        [
            "breaker failed driver_fault (the card was opened, and the line reads otherwise)",
            "horn safe opened",
            "lamp safe opened"
        ]
    );
    station.feed(station.now, Input::Stop);
    station.wait(3_000);
    assert!(station.drives[0].ends_with(" 12 0"), "{:?}", station.drives);
    assert_eq!(station.told(), ["breaker safe stopping"]);
}

//= R3.2
#[test]
fn a_stop_ends_a_pulse_that_runs_whatever_else_is_held() {
    for holds in [false, true] {
        let mut contract = contract("");
        if holds {
            // No file can say so; whoever hands it over all the same is not left with a pulse for good.
            let horn = contract.points.digital_outputs.values_mut();
            let horn = horn.filter(|one| one.pulse_ms.is_some());
            horn.for_each(|one| one.rules.on_loss = OnLoss::Hold);
        }
        let mut station = Station::of(&contract);
        station.met(0, &[]);
        station.command("ada", "operate horn 1");
        station.told();
        station.feed(station.now, Input::Stop);
        station.wait(3_000);
        assert!(station.stopped);
        assert_eq!(station.told(), ["horn safe stopping"], "{holds}");
        assert_eq!(station.drives, ["50 13 0", "50 13 1"], "{holds}");
    }
}
