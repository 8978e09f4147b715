//! What is held back, and why.

use super::station::Station;
use crate::outputs::Asked;
use crate::points::Input;
use evidence::reasons::{QualityReason, TagChange, TimeQuality};
use evidence::{Quality, UtcNs};

/// After this, a select of the breaker is refused so, and moves nothing.
fn check(said: &str, before: impl FnOnce(&mut Station)) {
    let mut station = Station::ready();
    before(&mut station);
    station.told();
    station.drives.clear();
    let id = station.command("ada", "select breaker 1");
    // A refusal is told as soon as there is room.
    station.feed(station.now, Input::QueueFull(false));
    let (reason, about) = said.split_once(" (").unwrap_or((said, ""));
    let about = if about.is_empty() {
        std::string::String::new()
    } else {
        std::format!(" ({about}")
    };
    assert_eq!(
        station.told(),
        [std::format!("breaker refused {reason} {id}{about}")]
    );
    assert!(station.drives.is_empty(), "{said}");
}

//= R3.2
//= R3.5
#[test]
fn each_of_the_contracts_conditions_holds_a_command_back_with_its_reason() {
    check("local (remote)", |one| {
        one.moves(8, false, 1);
        one.wait(100);
    });
    check("interlock (earth off)", |one| {
        one.moves(9, true, 1);
        one.wait(100);
    });
    check("interlock (oil < 90)", |one| {
        one.oil("90", Quality::GOOD);
    });
    check("interlock_unknown (oil < 90)", |one| {
        one.oil("60", Quality::invalid(QualityReason::OpenWire));
    });
    check("tagged (bert)", |one| {
        one.tag("breaker", TagChange::Set, "bert", None);
    });
    check("backlog", |one| one.feed(one.now, Input::QueueFull(true)));
}

//= R3.5
#[test]
fn a_tag_is_of_a_person_and_ends_when_it_is_taken_away() {
    let mut station = Station::ready();
    station.told();
    let attempt = |station: &mut Station| {
        station.command("ada", "select breaker 1");
        station.told().pop().unwrap()
    };
    station.tag("breaker", TagChange::Set, "bert", None);
    station.tag("breaker", TagChange::Set, "carl", None);
    assert!(attempt(&mut station).contains("tagged"));
    station.tag("breaker", TagChange::Removed, "bert", None);
    assert!(attempt(&mut station).contains("tagged"), "carl's holds");
    station.tag("breaker", TagChange::Removed, "ada", None);
    assert!(attempt(&mut station).contains("tagged"), "she had none");
    station.tag("breaker", TagChange::Removed, "ada", Some("carl"));
    assert!(attempt(&mut station).contains("selected none"));
    // A tag that comes behind the selection holds its execute back.
    station.tag("breaker", TagChange::Set, "bert", None);
    station.command("ada", "execute breaker 1");
    assert!(station.told().pop().unwrap().contains("tagged"));
    assert!(station.drives.is_empty());
}

//= R3.2
#[test]
fn two_operators_do_not_disturb_each_other() {
    let mut station = Station::ready();
    station.told();
    station.command("ada", "select breaker 1");
    station.command("bert", "select breaker 1");
    station.command("bert", "execute breaker 1");
    station.command("bert", "cancel breaker");
    station.command("ada", "execute breaker 0");
    assert_eq!(
        station.told(),
        [
            "breaker selected none 101",
            "breaker refused selected_by_other 102 (ada)",
            "breaker refused selected_by_other 103 (ada)",
            "breaker refused selected_by_other 104 (ada)",
            "breaker refused value_differs 105",
        ]
    );
    assert!(station.drives.is_empty());
    // Her selection is used up; now it is his turn. What is the same number is the same value.
    station.command("bert", "select breaker 1");
    station.command("bert", "execute breaker 1.0");
    station.command("ada", "select breaker 0");
    assert_eq!(
        station.told(),
        [
            "breaker selected none 106",
            "breaker driven none 107",
            "breaker refused busy 108"
        ]
    );
}

//= R3.2
//= R6.7
#[test]
fn what_needs_a_selection_or_has_no_such_value_is_refused() {
    let mut station = Station::ready();
    station.told();
    station.command("ada", "operate breaker 1");
    station.command("ada", "select breaker 2");
    station.command("ada", "execute breaker 1");
    station.command("ada", "operate lamp x");
    station.command("ada", "operate nobody 1");
    assert_eq!(
        station.told(),
        [
            "breaker refused select_required 101",
            "breaker refused bad_value 102",
            "breaker refused not_selected 103",
            "lamp refused bad_value 104",
        ]
    );
}

//= R3.5
#[test]
fn the_age_of_a_command_is_judged_by_the_nodes_clock_and_by_its_time_tag() {
    const S: i64 = 1_000_000_000;
    let mut station = Station::ready();
    station.told();
    let mut check = |delay_ms: u64, tag: Option<i64>, quality: TimeQuality, said: &str| {
        station.quality = quality;
        let mut given = station.given("ada", "operate lamp 1");
        given.command.issued = tag.map(UtcNs);
        given.stamp.timestamp = UtcNs(1_000 * S);
        station.wait(delay_ms);
        station.ask(Asked::Command(given));
        station.wait(10);
        let told = station.told().join(", ");
        assert!(told.contains(said), "{delay_ms} {tag:?}: {told}");
    };
    let (synced, rtc) = (TimeQuality::Synced, TimeQuality::RtcOnly);
    check(5_000, None, rtc, "operated none");
    check(5_001, None, rtc, "refused too_old");
    check(0, Some(995 * S), synced, "operated none");
    check(0, Some(995 * S - 1), synced, "refused too_old");
    check(0, Some(1_005 * S + 1), synced, "refused too_old");
    check(0, Some(1_000 * S), TimeQuality::Holdover, "operated none");
    check(0, Some(1_000 * S), rtc, "refused age_unknown");
}

//= R3.2
#[test]
fn an_interlock_that_breaks_between_select_and_execute_holds_the_execute_back() {
    let mut station = Station::ready();
    station.told();
    station.command("ada", "select breaker 1");
    station.moves(9, true, 1);
    station.wait(100);
    station.command("ada", "execute breaker 1");
    station.command("ada", "execute breaker 1");
    assert_eq!(
        station.told(),
        [
            "breaker selected none 101",
            "breaker refused interlock 102 (earth off)",
            "breaker refused not_selected 103",
        ],
        "the selection is used up"
    );
    assert!(station.drives.is_empty());
}
