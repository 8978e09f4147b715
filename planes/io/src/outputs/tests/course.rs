//! What a command comes to when all goes well, and when its originator wants something else.

use super::station::{MS, OPENED, Station, contract};
use evidence::reasons::OutputReason;
use std::string::String;

//= R3.2
//= R6.7
#[test]
fn a_command_is_selected_executed_driven_and_proved_as_one_trail() {
    let mut station = Station::ready();
    let opened = station.told();
    assert_eq!(
        opened,
        [
            "breaker safe opened",
            "horn safe opened",
            "lamp safe opened"
        ]
    );
    let select = station.command("ada", "select breaker 1");
    station.wait(2_000);
    assert_eq!(
        station.drives,
        [] as [String; 0],
        "a selection moves nothing"
    );
    let execute = station.command("ada", "execute breaker 1");
    station.wait(1_000);
    let records = station.records.clone();
    assert_eq!(
        station.told(),
        [
            std::format!("breaker selected none {select}"),
            std::format!("breaker driven none {execute}"),
            std::format!("breaker proved none {execute}"),
        ]
    );
    assert_eq!(station.drives, ["2050 12 1"]);
    let [_, driven, proved] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(driven.selection.map(|id| id.0), Some(select));
    assert_eq!(driven.driven_at.map(|at| at.0), Some(OPENED + 2_050 * MS));
    assert_eq!(
        proved.feedback.as_ref().map(|id| id.as_str()),
        Some("contact")
    );
    assert_eq!(proved.feedback_value, proved.value);
    // 40 ms of the relay, and a quarter of the window that it holds.
    assert_eq!(proved.at.0 - driven.at.0, (40 + 125) * MS, "{proved:?}");
}

//= R3.2
#[test]
fn a_selection_is_cancelled_expires_and_is_renewed() {
    let mut station = Station::ready();
    station.told();
    station.command("ada", "select breaker 1");
    station.command("ada", "cancel breaker");
    station.command("ada", "cancel breaker");
    assert_eq!(
        station.told(),
        [
            "breaker selected none 101",
            "breaker cancelled none 102",
            "breaker refused not_selected 103"
        ]
    );
    station.command("ada", "select breaker 1");
    station.wait(9_000);
    station.command("ada", "select breaker 1");
    station.wait(9_999);
    assert_eq!(station.told().len(), 2, "it holds");
    station.wait(1);
    assert_eq!(station.told(), ["breaker expired none"]);
    station.command("ada", "execute breaker 1");
    assert_eq!(station.told(), ["breaker refused not_selected 106"]);
    assert!(station.drives.is_empty());
}

//= R3.2
#[test]
fn a_pulse_goes_back_by_itself_and_nothing_else_is_taken_meanwhile() {
    let mut station = Station::ready();
    station.told();
    station.command("ada", "operate horn 1");
    station.wait(100);
    station.command("ada", "operate horn 1");
    station.wait(200);
    station.command("ada", "operate horn 0");
    assert_eq!(
        station.told(),
        [
            "horn operated none 101",
            "horn refused busy 102",
            "horn released none 101",
            "horn refused bad_value 103"
        ]
    );
    assert_eq!(station.drives, ["50 13 0", "250 13 1"], "active low");
}

//= R3.2
#[test]
fn a_feedback_that_said_so_before_proves_the_state_and_no_movement() {
    let mut station = Station::ready();
    station.moves(7, true, 1);
    station.wait(100);
    station.told();
    station.command("ada", "select breaker 1");
    station.command("ada", "execute breaker 1");
    station.wait(499);
    assert_eq!(station.told().len(), 2, "not before its window is over");
    station.wait(2);
    assert_eq!(station.told(), ["breaker proved already_there 102"]);
}

//= R3.3
#[test]
fn an_analog_output_is_scaled_and_goes_where_it_is_safe() {
    let feedback = "feedback = \"position\"\nfeedback_window = \"2s\"\ntolerance = \"1\"\n";
    let mut station = with_valve("range = [\"0\", \"100\"]", feedback);
    sample(&mut station, "in1_raw", "10");
    assert_eq!(station.told(), ["valve safe opened"]);
    station.command("ada", "operate valve 50.01");
    station.command("ada", "operate valve 100.01");
    sample(&mut station, "in1_raw", "30");
    sample(&mut station, "in1_raw", "50.4");
    station.wait(480);
    sample(&mut station, "in1_raw", "50.4");
    let proved = station.records.last().unwrap().clone();
    assert_eq!(
        station.told(),
        [
            "valve driven none 101",
            "valve refused out_of_range 102",
            "valve proved none 101"
        ]
    );
    assert_eq!(proved.reason, OutputReason::None);
    assert_eq!(proved.feedback_value, "50.4".parse().ok());
    assert_eq!(proved.raw, "2000".parse().ok(), "nearest of 2000.4");
    assert_eq!(given(&station), ["out0_raw 400", "out0_raw 2000"]);
}

/// A station with a valve in steps of 0.025, and what this gives it beside.
fn with_valve(range: &str, beside: &str) -> Station {
    let valve = std::format!(
        "[[ai]]\nid = \"position\"\ncard = \"box\"\nchannel = \"in1_raw\"\nschedule = \"q\"\n\
         [[ao]]\nid = \"valve\"\ncard = \"box\"\nchannel = \"out0_raw\"\nscale = \"0.025\"\n{range}\n\
         safe = \"10\"\noperate = \"direct\"\n{beside}"
    );
    let contract = contract(&valve);
    let card = "box".parse().unwrap();
    let engine = crate::points::CardEngine::new(
        &contract,
        &card,
        evidence::CommitId(1),
        &std::collections::BTreeMap::new(),
    );
    let mut station = Station::ready();
    station.engine = engine.unwrap();
    station.records.clear();
    station.drives.clear();
    let open = crate::points::Input::Opened(std::vec::Vec::new());
    station.feed(station.now, open);
    station.met(0, &[]);
    station
}

fn sample(station: &mut Station, channel: &str, raw: &str) {
    let taken = Ok(raw.parse().unwrap());
    let channel = channel.into();
    let sample = crate::points::Input::Sample { channel, taken };
    station.feed(station.now, sample);
    station.wait(20);
}

/// What the card was given, without when.
fn given(station: &Station) -> std::vec::Vec<String> {
    let ends = |drive: &String| drive.split_once(' ').map(|(_, what)| String::from(what));
    station.drives.iter().filter_map(ends).collect()
}

/// The command says what was asked for; what came of it says what was output, where that is another value.
//= R3.3
//= R6.7
#[test]
fn an_outcome_says_the_value_that_was_output() {
    let mut station = with_valve("range = [\"0\", \"100\"]", "");
    for (asked, held) in [
        ("33.336", "33.325"),
        ("33.34", "33.350"),
        ("-0.01", "-0.01"),
        ("0.01", "0.000"),
        ("42.50", "42.50"),
    ] {
        station.records.clear();
        station.command("ada", &std::format!("operate valve {asked}"));
        let told = station.records.last().unwrap();
        let value = told
            .value
            .map(|value| std::string::ToString::to_string(&value));
        assert_eq!(value.as_deref(), Some(held), "{asked}");
    }
    let due = [
        "out0_raw 400",
        "out0_raw 1333",
        "out0_raw 1334",
        "out0_raw 0",
        "out0_raw 1700",
    ];
    assert_eq!(given(&station), due);
}

/// It is held against what was output: the channel has no value that is nearer to what was asked for.
//= R3.2
#[test]
fn a_feedback_proves_the_value_that_was_output() {
    let feedback = "feedback = \"position\"\nfeedback_window = \"2s\"\ntolerance = \"0.001\"\n";
    let mut station = with_valve("range = [\"0\", \"100\"]", feedback);
    sample(&mut station, "in1_raw", "10");
    station.told();
    station.command("ada", "operate valve 33.336");
    sample(&mut station, "in1_raw", "33.325");
    station.wait(480);
    sample(&mut station, "in1_raw", "33.325");
    let due = ["valve driven none 101", "valve proved none 101"];
    assert_eq!(station.told(), due);
}

//= R3.3
#[test]
fn a_value_within_the_range_is_not_rounded_out_of_it() {
    let mut station = with_valve("range = [\"0\", \"33.34\"]", "");
    station.told();
    station.command("ada", "operate valve 33.34");
    station.command("ada", "operate valve 33.33");
    assert_eq!(
        station.told(),
        [
            "valve refused out_of_range 101 (it would be output as 33.350)",
            "valve operated none 102"
        ]
    );
    assert_eq!(given(&station), ["out0_raw 400", "out0_raw 1333"]);
}
