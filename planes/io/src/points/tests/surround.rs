//! Supplies, the environment and reset reasons through the engine of a card.

use super::site::{MS, OPENED, Site};
use crate::points::Input;
use contract::Contract;
use evidence::kinds::Payload;
use evidence::reasons::CounterState;
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

fn contract() -> Contract {
    let text = "[station]\norigin = \"example.org/s1\"\n\
        [[card]]\nid = \"dio\"\nkind = \"directory\"\npath = \"/sys/class/power_supply/BAT0\"\n\
        [[power]]\nid = \"vbat\"\ncard = \"dio\"\nchannel = \"voltage_now\"\nscale = \"0.000001\"\n\
        sample = \"20ms\"\ndroop = \"11.5\"\nuvlo = \"9\"\nhysteresis = \"0.1\"\n\
        [[environment]]\nid = \"air\"\ncard = \"dio\"\nchannel = \"temp\"\nscale = \"0.1\"\ncold = \"-10\"\n\
        [[reset]]\nid = \"board\"\ncard = \"dio\"\nchannel = \"bootstatus\"\nwatchdog = [\"32\"]\n";
    contract::parse(text).expect("a sound contract")
}

fn open() -> Site {
    let contract = contract();
    let mut site = Site::new(&contract, &BTreeMap::new());
    site.start(&contract);
    site
}

fn sample(site: &mut Site, at: u64, channel: &str, raw: Result<&str, &str>) {
    let channel = String::from(channel);
    let taken = raw.map(|raw| raw.parse().unwrap()).map_err(String::from);
    site.feed(OPENED + at * MS, Input::Sample { channel, taken });
}

fn says(site: &mut Site, at: u64, text: Result<&str, &str>) {
    let channel = String::from("bootstatus");
    let taken = text.map(String::from).map_err(String::from);
    site.feed(OPENED + at * MS, Input::Text { channel, taken });
}

/// What was told, a line each.
fn told(site: &Site) -> Vec<String> {
    let shown = |record: &Payload| match record {
        Payload::Excursion(one) => {
            let band = one.band.map_or("-".into(), |band| band.to_string());
            let value = one.value.map_or("-".into(), |value| value.to_string());
            let at = (one.at.0 - OPENED) / MS;
            let quality = one.quality.reason;
            std::format!(
                "{at} {} {} {band} {value} {quality}",
                one.point_id,
                one.change
            )
        }
        Payload::ResetReason(one) => {
            std::format!("reset {} {:?} {}", one.cause, one.says, one.quality.reason)
        }
        other => std::format!("{other:?}"),
    };
    site.records.iter().map(shown).collect()
}

/// A counter's state and value.
fn counter(site: &Site, name: &str, label: &str) -> (CounterState, Option<u64>) {
    let counters = site.engine.counters();
    let mut found = counters
        .iter()
        .filter(|one| one.name == name && one.label.as_deref() == Some(label));
    let found = found.next().expect("it is counted");
    (found.state, found.value)
}

//= A7.2
//= A2.5
//= A3.4
#[test]
fn a_droop_and_the_cold_are_on_one_timeline_and_counted_while_their_source_is_live() {
    let mut site = open();
    let unsupported = (CounterState::Unsupported, None);
    assert_eq!(counter(&site, "vbat_droop_cnt", "vbat"), unsupported);
    sample(&mut site, 100, "voltage_now", Ok("12100000"));
    sample(&mut site, 110, "temp", Ok("215"));
    sample(&mut site, 120, "voltage_now", Ok("11400000"));
    sample(&mut site, 130, "temp", Ok("-101"));
    sample(&mut site, 140, "voltage_now", Ok("11600000"));
    site.until(OPENED + 200 * MS);
    assert_eq!(
        counter(&site, "uvlo_cnt", "vbat"),
        (CounterState::Value, Some(0))
    );
    assert_eq!(
        counter(&site, "vbat_min", "vbat"),
        (CounterState::Value, Some(11_400))
    );
    assert_eq!(
        counter(&site, "env_tag", "air/cold"),
        (CounterState::Value, Some(1))
    );
    assert_eq!(
        counter(&site, "excursion_now", "air/cold"),
        (CounterState::Value, Some(1))
    );
    assert_eq!(counter(&site, "vbat_droop_depth", "vbat/<2%").1, Some(1));
    sample(&mut site, 300, "voltage_now", Err("No such device"));
    site.until(OPENED + 400 * MS);
    assert_eq!(
        counter(&site, "vbat_droop_cnt", "vbat"),
        (CounterState::Stale, Some(1))
    );
    assert_eq!(
        told(&site),
        [
            "100 vbat found - 12.100000 none",
            "110 air found - 21.5 none",
            "120 vbat entered droop 11.400000 none",
            "130 air entered cold -10.1 none",
            "140 vbat left droop 11.600000 none",
            "300 vbat lost - - source_lost",
        ]
    );
}

//= A2.5
#[test]
fn the_reason_of_a_reset_is_told_at_each_opening_and_unknown_where_nothing_is_known() {
    let mut site = open();
    assert_eq!(site.texts, ["bootstatus"]);
    says(&mut site, 10, Ok("32\n"));
    says(&mut site, 20, Ok("brown-out reset"));
    says(&mut site, 30, Ok("64"));
    assert_eq!(counter(&site, "reset_reason", "board/unknown").1, Some(1));
    says(&mut site, 40, Err("no permission"));
    assert_eq!(
        told(&site),
        [
            "reset watchdog Some(\"32\") none",
            "reset brownout Some(\"brown-out reset\") none",
            "reset unknown Some(\"64\") none",
            "reset unknown None source_lost",
        ]
    );
    assert_eq!(
        counter(&site, "reset_reason", "board").0,
        CounterState::Unsupported
    );
}

//= R10.4
#[test]
fn a_channel_is_asked_no_more_often_than_the_contract_says() {
    let mut site = open();
    site.until(OPENED + 1_000 * MS);
    let asked = |name: &str| {
        site.reads
            .iter()
            .filter(|(_, channel)| channel == name)
            .count()
    };
    assert_eq!((asked("voltage_now"), asked("temp")), (51, 1));
}

//= A3.8
#[test]
fn an_input_that_is_a_marker_says_so_and_is_counted() {
    use super::site::di;
    let points = di("arrester", 4, "marker = \"surge\"");
    let mut site = Site::open("window = \"1ms\"", &points);
    site.edge(OPENED + 100 * MS, 4, true);
    site.edge(OPENED + 200 * MS, 4, false);
    site.edge(OPENED + 300 * MS, 4, true);
    site.until(OPENED + 500 * MS);
    let marked = site.records.iter().filter(|record| match record {
        Payload::Soe(soe) => soe.marker.map(|marker| marker.to_string()) == Some("surge".into()),
        _ => false,
    });
    assert_eq!(marked.count(), 4);
    assert_eq!(site.counter("surge_event_marker", "arrester"), 2);
}
